//! The range of a live search, and the length of its trials.

use blis_live::run::session;
use blis_sim::measure::Measure;
use blis_sim::model::{Model, Path, Source};
use blis_sim::search::{Bracket, Direction, Range, Wanted};
use blis_sim::spec::error::shown;
use blis_sim::spec::units::{Duration, MAX_RATE};
use blis_sim::time::Span;
use blis_sim::verdict::{LiveEvidence, Signal, evidence};

use super::bracketed::Bracketed;
use super::own::Own;
use super::unit::{self, Unit};
use super::varied::{Parameter, Varied};
use crate::cli::TrialArgs;
use crate::exit::Failure;

/// How far the bounds of a live search may be apart.
const PRECISION: f64 = 0.03;
/// The sections of a spec whose keys only the model has.
const MODEL_SECTIONS: [&str; 4] = ["services", "streams", "fan_outs", "network"];
/// How many trials confirm a bound.
const CONFIRM: u32 = 2;
/// The most trials.
const MOST_TRIALS: u32 = 40;
/// The window of a first trial of a load, and the longest one.
const FIRST: Span = Span::from_nanos(15_000_000_000);
const LONGEST: Span = Span::from_nanos(60_000_000_000);
/// Without a range and a prediction a search begins at this share of the load as written,
const BEGIN: f64 = 1.0 / 8.0;
/// and ends where it is so many times that at the most.
const REACH: f64 = (1 << 20) as f64;
/// The most users that are looked for connections for.
const MOST_USERS: f64 = (1 << 17) as f64;

/// A search that is set up.
#[derive(Debug)]
pub struct SetUp {
    /// The search.
    pub search: Bracketed,
    /// The window of a first trial of a load.
    pub hold: Span,
    /// The largest load that connections are opened for to begin with.
    pub largest: f64,
}

type Varying = Varied<Option<Path>>;

/// A key that only the model has is no key of a real service.
///
/// # Errors
/// [`Failure::Usage`] that says what can be varied.
pub fn refuse_model_key(over: Option<&str>, otherwise: &str) -> Result<(), Failure> {
    let Some(key) = over.filter(|over| !["rate", "concurrency"].contains(over)) else {
        return Ok(());
    };
    let section = key.split('.').next().unwrap_or(key);
    let instead =
        format!("vary the load (--over rate, --over concurrency or a key of clients), {otherwise}");
    let why = match section {
        "actions" | "variables" => "all live runs send the same requests",
        _ if MODEL_SECTIONS.contains(&section) => {
            "it exists only in the model; a live run cannot change a real service"
        }
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!(
        "--over {}: {why}; {instead}",
        shown(key)
    )))
}

/// The search that the flags ask for, around the load that a model predicts.
///
/// # Errors
/// [`Failure::Usage`] where there is no range, or nothing in it.
pub fn set_up(
    args: &TrialArgs,
    varied: &Varying,
    written: &Model<Option<Path>>,
    predicted: Option<f64>,
) -> Result<SetUp, Failure> {
    let span = |time: Duration| Span::from_nanos_f64(time.0);
    let (hold, longest) = holds(args.hold.map(span), args.longest_trial.map(span));
    let given = args.search.as_deref();
    let given = given.map(|text| unit::range("--search", text, varied.unit()));
    let given = given.transpose()?;
    let [from, to] = match given {
        Some(range) => range,
        None => range(varied, written, longest, predicted)?,
    };
    varied.check(&[from, to])?;
    let range = Range {
        from,
        to,
        whole: varied.unit() == Unit::Whole,
        direction: direction(varied, [from, to])?,
    };
    let times = longest.as_nanos() / hold.as_nanos().max(1);
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    let bracket = Bracket::new(Wanted {
        range,
        precision: args.precision.unwrap_or(PRECISION),
        confirm: CONFIRM,
        most_trials: MOST_TRIALS,
        longest: times,
        predicted,
    });
    let bracket = bracket.map_err(|why| Failure::Usage(format!("--search: {why}")))?;
    Ok(SetUp {
        search: Bracketed::new(bracket, times),
        hold,
        largest: match given {
            Some([_, to]) => to,
            None => predicted.map_or(from, |load| (1.3 * load).min(to)),
        },
    })
}

/// The window of a first trial of a load, and the longest one.
fn holds(hold: Option<Span>, longest: Option<Span>) -> (Span, Span) {
    match (hold, longest) {
        (Some(hold), _) => (hold, hold),
        (None, Some(longest)) => (FIRST.min(longest), longest),
        (None, None) => (FIRST, LONGEST),
    }
}

/// Where to look where nobody says: from an easy load upwards.
fn range(
    varied: &Varying,
    written: &Model<Option<Path>>,
    longest: Span,
    predicted: Option<f64>,
) -> Result<[f64; 2], Failure> {
    match varied.parameter() {
        Parameter::Own(Own::Rate) => {
            let load = varied.written().unwrap_or(1.0);
            let least = least_rate(written, longest);
            let from = predicted.unwrap_or(load).min(load) * BEGIN;
            let from = from.max(least.min(predicted.unwrap_or(least)));
            Ok([from, (from * REACH).min(MAX_RATE)])
        }
        Parameter::Own(Own::Concurrency) => {
            let mut most = MOST_USERS;
            while most > 1.0 && session::fits(&varied.model_at(most)?).is_err() {
                most /= 2.0;
            }
            Ok([1.0, most.floor()])
        }
        Parameter::Key(_) => Err(Failure::Usage(format!(
            "--over {} needs a range for a live search; give one in its unit, such as --search {}..{}",
            varied.name(),
            varied.unit().written(1.0),
            varied.unit().written(64.0)
        ))),
    }
}

/// The rate below which no trial has requests enough for its objectives.
fn least_rate(written: &Model<Option<Path>>, longest: Span) -> f64 {
    let nothing = LiveEvidence::default();
    let evidence = evidence(written, &Measure::new(written), false, &nothing);
    let needed = evidence.iter().flat_map(|evidence| &evidence.signals);
    let needed = needed.map(Signal::needed).max().unwrap_or(0);
    needed as f64 / longest.as_secs_f64()
}

/// What more of the parameter does.
fn direction(varied: &Varying, [from, to]: [f64; 2]) -> Result<Direction, Failure> {
    if !varied.is_key() {
        return Ok(Direction::Rising);
    }
    let (few, many) = (varied.model_at(from)?, varied.model_at(to)?);
    Ok(match pressure(&few) <= pressure(&many) {
        true => Direction::Rising,
        false => Direction::Falling,
    })
}

/// Requests per second that clients would send if every reply took a millisecond.
fn pressure<P>(model: &Model<P>) -> f64 {
    let (open, _) = blis_sim::analysis::open_requests(model);
    let closed = model.clients.iter().map(|client| match &client.source {
        Source::Closed { think, .. } => client.closed_users() as f64 / (think.mean() / 1e9 + 1e-3),
        Source::Open { .. } => 0.0,
    });
    open + closed.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: u64) -> Span {
        Span::from_nanos(number * 1_000_000_000)
    }

    fn model(clients: &str) -> Model<Option<Path>> {
        let text = format!(
            "{{blis: 1, name: range, run: {{horizon: 9s}}, clients: {{{clients}}}, actions: {{ask: {{path: [{{visit: api}}, reply], \
             slo: {{p99: 50ms}}, live: {{request: ask}}}}}}, services: {{api: {{workers: 1, time: 1ms}}}}}}"
        );
        let read = blis_sim::spec::read(&text).expect("it reads");
        let files = blis_sim::spec::Files::default();
        blis_sim::spec::lower_live(&read, &files)
            .expect("it lowers")
            .model
    }

    #[test]
    fn trials_are_as_long_as_they_are_given_or_grow_to_the_longest() {
        assert_eq!(holds(Some(seconds(7)), None), (seconds(7), seconds(7)));
        assert_eq!(holds(None, Some(seconds(5))), (seconds(5), seconds(5)));
        assert_eq!(holds(None, Some(seconds(45))), (FIRST, seconds(45)));
        assert_eq!(holds(None, None), (FIRST, LONGEST));
    }

    #[test]
    fn no_search_begins_where_a_trial_has_too_few_requests() {
        // A p99 takes 1000 requests.
        let model = model("users: {rate: 5/s, do: ask}");
        assert_eq!(least_rate(&model, seconds(50)), 20.0);
    }

    #[test]
    fn more_users_press_harder_and_longer_thoughts_do_not() {
        let of = |clients: &str| pressure(&model(clients));
        assert!(of("users: {rate: 9/s, do: ask}") > of("users: {rate: 8/s, do: ask}"));
        let closed = |more: &str| of(&format!("users: {{{more}, do: ask}}"));
        assert!(closed("concurrency: 3") > closed("concurrency: 2"));
        assert!(closed("concurrency: 3, think: 2s") < closed("concurrency: 3, think: 1s"));
    }
}
