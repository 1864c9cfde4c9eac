//! The plan of a simulated search: the loads, and the length of each trial.

use std::time::Duration as Wall;

use blis_sim::search::AfterTrip;
use blis_sim::spec::Spec;
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::Duration;
use blis_sim::time::Span;

use super::steps::Ramp;
use super::unit::{self, Unit};
use super::varied::Varied;
use crate::cli::TrialArgs;
use crate::exit::Failure;

/// The warm-up of trials where neither the spec nor a flag gives one.
const WARMUP: Duration = Duration(10e9);
/// The window of a step.
const HOLD: Duration = Duration(30e9);

/// The ramp that the flags ask for in the simulated world.
///
/// # Errors
/// [`Failure::Usage`] where they contradict one another, or a load is none.
pub fn ramp<P: PartialEq>(
    args: &TrialArgs,
    steps: &str,
    varied: &Varied<P>,
) -> Result<Ramp, Failure> {
    Ok(Ramp {
        loads: steps_of(args, steps, varied.unit())?,
        after_trip: after_trip(args, varied),
        tolerance: args.rate_tolerance,
        warmup: args.warmup.unwrap_or_else(|| warmup(varied.spec())),
        hold: args.hold.unwrap_or(HOLD),
    })
}

/// The loads of given steps.
///
/// # Errors
/// [`Failure::Usage`] where they are none, or a flag has no effect on them.
pub fn steps_of(args: &TrialArgs, steps: &str, unit: Unit) -> Result<Vec<f64>, Failure> {
    if args.longest_trial.is_some() {
        return Err(Failure::Usage(
            "--longest-trial does not apply to --steps; set the length of a step with --hold"
                .to_owned(),
        ));
    }
    unit::ascending("--steps", steps, unit)
}

/// Refuses what has no effect on simulated trials.
///
/// # Errors
/// [`Failure::Usage`] with what would have one.
pub fn refuse_live_flags(args: &TrialArgs) -> Result<(), Failure> {
    match args.cooldown {
        None => Ok(()),
        Some(_) => Err(Failure::Usage(
            "--cooldown applies only to live trials; give --url, or leave --cooldown out"
                .to_owned(),
        )),
    }
}

/// Refuses lengths of nothing.
///
/// # Errors
/// [`Failure::Usage`] with an example of one.
pub fn refuse_no_time(args: &TrialArgs) -> Result<(), Failure> {
    let lengths = [
        ("--hold", args.hold),
        ("--longest-trial", args.longest_trial),
        ("--time-limit", args.time_limit),
    ];
    let zero =
        |(_, time): &(&str, Option<Duration>)| time.is_some_and(|time| span(time) == Span::ZERO);
    match lengths.into_iter().find(zero) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag} is zero; give a time such as 30s"
        ))),
    }
}

impl Sought {
    /// What a search does, in lines, as far as the flags bound it.
    pub fn lines(&self, varied: &str, unit: Unit, args: &TrialArgs) -> String {
        let each = match (args.hold, args.longest_trial) {
            (Some(hold), _) => format!("{hold} window"),
            (None, Some(longest)) => format!("until it is decided, at most {longest}"),
            (None, None) => "until it is decided; limit it with --longest-trial".to_owned(),
        };
        let range = match self.range {
            Some([low, high]) => format!("from {} to {}", unit.shown(low), unit.shown(high)),
            None => "any".to_owned(),
        };
        format!(
            "  varied      {varied}\n  loads       {range}, starting where the model is nearly saturated, or at {}\n  \
             each trial  {each}, simulated time\n{}",
            unit.shown(self.start),
            whole(args)
        )
    }
}

/// How long all trials together may take, in a line.
fn whole(args: &TrialArgs) -> String {
    let most = match args.time_limit {
        Some(limit) => format!("at most {limit} of real time"),
        None => "real time is not limited; limit it with --time-limit".to_owned(),
    };
    format!("  total       {most}\n")
}

/// The smallest whole load that a search begins with: from fewer, a step of a share is no step.
const LEAST_START: f64 = 4.0;

/// A key is searched from the one part of its value to as many times of it: as far as the spec takes that.
const ABOUT: [f64; 3] = [100.0, 10.0, 2.0];

/// Where a search looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sought {
    /// The loads to look between; `None` where nothing says so.
    pub range: Option<[f64; 2]>,
    /// The load to begin with.
    pub start: f64,
    /// Whether only whole loads exist.
    pub whole: bool,
}

/// Where the flags want a search to look, and where it begins: at the load as it is written, or in the middle of the range.
///
/// # Errors
/// [`Failure::Usage`] where the range is none.
pub fn sought<P: PartialEq>(args: &TrialArgs, varied: &Varied<P>) -> Result<Sought, Failure> {
    let unit = varied.unit();
    let range = args.search.as_deref();
    let range = range
        .map(|range| unit::range("--search", range, unit))
        .transpose()?;
    let range = range.or_else(|| usual_range(varied));
    if let Some(ends) = range {
        varied.check(&ends)?;
    }
    let start = match (varied.written(), range) {
        (Some(written), Some([low, high])) => written.clamp(low, high),
        (Some(written), None) => written,
        (None, Some([low, high])) => (low * high).sqrt(),
        (None, None) => 1.0,
    };
    let whole = unit.is_whole();
    Ok(Sought {
        range,
        start: match whole {
            true => {
                let most = range.map_or(f64::INFINITY, |[_, high]| high.floor());
                start.round().max(LEAST_START).min(most).max(1.0)
            }
            false => start,
        },
        whole,
    })
}

/// The range of a key where none is given: about its value, as far as the spec takes it. What the load is varied over has none, since
/// sooner or later a load is too much; a key may be none of what limits the system.
fn usual_range<P: PartialEq>(varied: &Varied<P>) -> Option<[f64; 2]> {
    let written = varied.written().filter(|_| varied.is_key())?;
    let least = |value: f64| match varied.unit().is_whole() {
        true => value.floor().max(1.0),
        false => value,
    };
    let ranges = ABOUT.map(|times| [least(written / times), least(written * times)]);
    let takes = |ends: &[f64; 2]| ends.iter().all(|end| varied.model_at(*end).is_ok());
    ranges.into_iter().find(takes)
}

/// What follows a step that misses an objective.
pub fn after_trip<P: PartialEq>(args: &TrialArgs, varied: &Varied<P>) -> AfterTrip {
    match (varied.is_key(), args.no_stop_on_trip) {
        (true, _) => AfterTrip::SeeWhichWay,
        (false, true) => AfterTrip::GoOn,
        (false, false) => AfterTrip::Stop,
    }
}

/// One of the values that the flags name, as it is written.
pub fn example(args: &TrialArgs) -> Option<&str> {
    let steps = args
        .steps
        .as_deref()
        .and_then(|steps| steps.split(',').next());
    let range = args.search.as_deref();
    steps.or(range.and_then(|range| Some(range.split_once("..")?.0)))
}

/// The warm-up of a spec, where it is a time.
fn warmup(spec: &Spec) -> Duration {
    let run = spec.run.as_ref();
    match run.and_then(|run| run.value.warmup.as_ref()) {
        Some(warmup) => match warmup.value {
            Warmup::At(time) => time,
            Warmup::Auto => WARMUP,
        },
        None => WARMUP,
    }
}

fn span(time: Duration) -> Span {
    Span::from_nanos_f64(time.0)
}

/// How long a search may take, as a clock on a wall counts.
pub fn wall(limit: Option<Duration>) -> Option<Wall> {
    limit.map(|limit| Wall::from_nanos(span(limit).as_nanos()))
}

/// What a ramp does, in lines.
pub fn lines(ramp: &Ramp, varied: &str, unit: Unit, args: &TrialArgs) -> String {
    let loads: Vec<String> = ramp.loads.iter().map(|load| unit.shown(*load)).collect();
    format!(
        "  varied      {varied}\n  loads       {}\n  each trial  {} warm-up, {} window, simulated time\n{}",
        loads.join(", "),
        ramp.warmup,
        ramp.hold,
        whole(args)
    )
}
