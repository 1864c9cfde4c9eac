//! `blis max-rps --url`: the ceiling of a real service.

use std::time::{Duration as Wall, Instant};

use blis_live::observers::Wanted;
use blis_live::run::trials::Pace;
use blis_live::run::{observe, plan};
use blis_sim::model::{Model, Path};
use blis_sim::result::{PredictionResult, RemedyResult};
use blis_sim::search::Steps;
use blis_sim::search::simulated::Reached;
use blis_sim::spec;
use blis_sim::spec::error::shown;
use blis_sim::spec::units::{Duration, Rate};
use blis_sim::time::Span;

use super::{BOUNDS, searched};
use crate::ceiling::live::{self, Live, Loads, Searched};
use crate::ceiling::live_range::set_up;
use crate::ceiling::{
    About, LONGEST_TRIAL, Places, Prediction, TheModel, Varied, after_trip, example, eyes,
    refuse_model_key, refuse_no_objective, status, steps_of, wall,
};
use crate::cli::{MaxRpsArgs, OverrideArgs, TrialArgs};
use crate::commands::{print, service};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::target::nats_access;
use crate::workload::{Basis, Variations};

/// Load before the window of a live trial where nothing says how much: by then connections and threads are awake.
const WARMUP: Span = Span::from_nanos(2_000_000_000);
/// The window of a step.
const HOLD: Span = Span::from_nanos(30_000_000_000);
/// The pause after one.
const COOLDOWN: Span = Span::from_nanos(5_000_000_000);
/// The rate of a service without a spec as it is written: what a search begins with.
const FIRST_RATE: Rate = Rate(10.0);
/// Of a time limit so much is kept for what is simulated after the trials, and no more than this share.
const KEPT: Wall = Wall::from_secs(30);
const KEPT_SHARE: u32 = 10;
/// How long that may take without a limit.
const LONGEST_REMEDIES: Wall = Wall::from_secs(120);
/// Whether the flags name a real service.
pub fn is_meant(args: &MaxRpsArgs) -> bool {
    let target = &args.target;
    target.url.is_some() || target.context.is_some() || args.service.subject.is_some()
}

/// Searches and reports what was found.
///
/// # Errors
/// Those of [`Varied`] and of [`nats_access::resolve`], and what keeps the first trial from running.
pub fn execute(args: &MaxRpsArgs, overrides: OverrideArgs) -> Result<Done, Failure> {
    let trials = &args.trials;
    refuse_tiers(trials.tiers.as_deref())?;
    refuse_model_key(
        trials.over.as_deref(),
        "or leave --url out to search the model",
    )?;
    let variations = Variations::of(basis(args, overrides)?, spec::lower_live)?;
    let (over, at) = (trials.over.as_deref(), trials.at.as_deref());
    let varied = Varied::of(variations, over, at, example(trials))?;
    let workload = varied.as_written()?;
    refuse_no_objective(&workload.model)?;
    plan::sendable(&workload.model).map_err(|why| Failure::Usage(why.to_string()))?;
    let (target, access) = nats_access::resolve(&args.target)?;
    let monitor = nats_access::monitor(args.observers.monitor.as_deref(), &args.target, &access)?;
    let model = TheModel::of(&varied, &workload.model, trials);
    refuse_changes(trials, &model)?;
    // What is wrong with the loads is said before anything is simulated.
    live::check(&varied, loads(trials, &varied, &workload.model, None)?.2)?;
    let places = match args.dry_run {
        true => None,
        false => Some(Places::claim(args)?),
    };
    let interrupt = Interrupt::listen()?;
    let clock = Clock::of(trials);
    let prediction = match (&model, &trials.steps) {
        (Ok(model), None) => {
            // Nothing is simulated in vain.
            if !args.dry_run {
                observe::reach(&target, &access)?;
            }
            model.predict(trials, clock.limit, &|| interrupt.asked())?
        }
        (Ok(_), Some(_)) | (Err(_), _) => None,
    };
    let predicted = prediction.as_ref().and_then(Prediction::load);
    let (loads, hold, largest) = loads(trials, &varied, &workload.model, predicted)?;
    let live = Live {
        target: &target,
        access: &access,
        wanted: Wanted {
            streams: &args.observers.observe_stream,
            monitor: monitor.as_ref(),
        },
        pace: pace(trials, &workload.model, hold),
        time_limit: trials.time_limit.map(span),
        before: 0,
        beside: match &model {
            Ok(_) => Span::from_nanos(LONGEST_TRIAL.as_nanos() as u64),
            Err(_) => Span::ZERO,
        },
        quiet: args.progress.quiet,
        // Whatever keeps the simulation from an answer keeps nobody from looking.
        says: &|trial| {
            let model = model.as_ref().ok()?;
            model.says(trial, &|| interrupt.asked()).ok().flatten()
        },
        recorded: None,
    };
    let plan = told(
        &varied,
        &loads,
        &live,
        workload.model.limits.drain,
        predicted,
    );
    let Some(places) = places else {
        print(&format!("dry run: plan of the search\n\n{plan}"))?;
        return Ok(Done::Well);
    };
    varied.tell_of_bounds(&workload, BOUNDS);
    if !args.progress.quiet {
        tell("blis: plan:\n");
        plan.lines()
            .for_each(|line| tell(&format!("blis: {line}\n")));
    }
    let live = Live {
        time_limit: clock.for_trials(model.is_ok() && trials.steps.is_none()),
        ..live
    };
    let searched_live = Searched::of(live::run(&varied, loads, largest, &live, &interrupt)?);
    let ended_early = searched_live.lost || searched_live.failed.is_some();
    let said = match (&model, &trials.steps) {
        (_, Some(_)) => Said::default(),
        (Err(why), None) => Said::nothing(why),
        (Ok(_), None) if ended_early => Said::nothing("the search did not finish"),
        (Ok(model), None) => said(model, prediction.as_ref(), args, (&clock, &interrupt)),
    };
    let about = About {
        varied: &varied,
        workload: &workload,
        live: true,
        with_precision: trials.steps.is_none(),
        prediction: said.prediction,
        tiers: None,
        slow: None,
        remedies: said.remedies,
        no_remedies: said.no_remedies,
    };
    let document = searched(
        args,
        &about,
        &searched_live.found,
        &searched_live.tried,
        &places,
    )?;
    if searched_live.lost {
        tell(
            "blis: the connection to the server was lost for more than 10 s; the search ended early with these bounds\n",
        );
        return Ok(Done::Disconnected);
    }
    match searched_live.failed {
        Some(why) => Err(why),
        None if document.interrupted => Ok(Done::Interrupted),
        None => Ok(Done::Judged(status(&document))),
    }
}

/// How long a search may take, and has taken.
struct Clock {
    began: Instant,
    limit: Option<Wall>,
}

impl Clock {
    fn of(trials: &TrialArgs) -> Clock {
        Clock {
            began: Instant::now(),
            limit: wall(trials.time_limit),
        }
    }

    /// What is left for trials. Where something is simulated after them, a part of the limit is kept for that.
    fn for_trials(&self, then_simulates: bool) -> Option<Span> {
        let left = left(self.limit?, self.began.elapsed(), then_simulates);
        Some(Span::from_nanos(
            u64::try_from(left.as_nanos()).unwrap_or(u64::MAX),
        ))
    }

    /// Whether the time is up for what is simulated after the trials, which began then.
    fn is_up(&self, then: Instant) -> bool {
        match self.limit {
            Some(limit) => self.began.elapsed() >= limit,
            None => then.elapsed() >= LONGEST_REMEDIES,
        }
    }
}

/// What is left of a limit for trials.
fn left(limit: Wall, taken: Wall, then_simulates: bool) -> Wall {
    let kept = match then_simulates {
        true => KEPT.min(limit / KEPT_SHARE),
        false => Wall::ZERO,
    };
    limit.saturating_sub(kept).saturating_sub(taken)
}

/// What the model says beside what was measured.
#[derive(Default)]
struct Said {
    prediction: Option<PredictionResult>,
    remedies: Vec<RemedyResult>,
    no_remedies: Option<String>,
}

impl Said {
    fn nothing(why: &str) -> Said {
        Said {
            no_remedies: Some(why.to_owned()),
            ..Said::default()
        }
    }
}

/// What the model says once the trials have run.
fn said(
    model: &TheModel,
    prediction: Option<&Prediction>,
    args: &MaxRpsArgs,
    (clock, interrupt): (&Clock, &Interrupt),
) -> Said {
    let then = Instant::now();
    let (stop, time_is_up) = (|| interrupt.asked(), || clock.is_up(then));
    let eyes = eyes(&stop, &time_is_up);
    let mut progress = RunProgress::new(args.progress.quiet);
    let mut see = |what: &str, reached: Reached| {
        let [done, of] = reached.paths;
        progress.show_trials(done, of, format!("simulated: {what}"));
    };
    let remedies = model.remedies(&args.trials.what_if, prediction, eyes, &mut see);
    progress.finish();
    let (remedies, no_remedies) = match remedies {
        Ok(remedies) => (remedies, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    Said {
        prediction: prediction.map(|prediction| model.result(prediction, eyes)),
        remedies,
        no_remedies,
    }
}

/// Changes are simulated, or refused.
fn refuse_changes(trials: &TrialArgs, model: &Result<TheModel, String>) -> Result<(), Failure> {
    match model {
        _ if trials.what_if.is_empty() => Ok(()),
        Ok(model) => model.check(&trials.what_if),
        Err(why) => Err(Failure::Usage(format!(
            "--what-if needs a model: {why}; or leave --what-if out"
        ))),
    }
}

/// What is going to be done, in lines.
fn told(
    varied: &Varied<Option<Path>>,
    loads: &Loads,
    live: &Live<'_>,
    drain: Span,
    predicted: Option<f64>,
) -> String {
    let plan = live::plan(varied, loads, live, drain);
    match predicted {
        None => plan,
        Some(load) => format!("{plan}  predicted   {}\n", varied.unit().shown(load)),
    }
}

/// A live trial ends as soon as it is decided for its limit, and says little of others.
fn refuse_tiers(tiers: Option<&str>) -> Result<(), Failure> {
    match tiers {
        None => Ok(()),
        Some(tiers) => Err(Failure::Usage(format!(
            "--tiers needs a simulated search; search live once per limit (--slo instead of --tiers {}), or leave --url out",
            shown(tiers)
        ))),
    }
}

/// The spec, or that of a service without one.
fn basis(args: &MaxRpsArgs, mut overrides: OverrideArgs) -> Result<Basis, Failure> {
    let Some(flags) = service::flags(&args.service, args.spec.file(), &mut overrides)? else {
        return Basis::of(args.spec.file(), &args.clients, &overrides);
    };
    let mut clients = args.clients.clone();
    if clients.concurrency.is_none() {
        clients.rate.get_or_insert(FIRST_RATE);
    }
    Basis::of_service(&flags, &clients, &overrides)
}

/// Which loads are tried, for how long each, and the largest of them that is known.
fn loads(
    trials: &TrialArgs,
    varied: &Varied<Option<Path>>,
    written: &Model<Option<Path>>,
    predicted: Option<f64>,
) -> Result<(Loads, Span, f64), Failure> {
    let Some(steps) = &trials.steps else {
        let search = set_up(trials, varied, written, predicted)?;
        let loads = Loads::Search(search.search);
        return Ok((loads, search.hold, search.largest));
    };
    let steps = steps_of(trials, steps, varied.unit())?;
    varied.check(&steps)?;
    let largest = steps.iter().copied().fold(0.0, f64::max);
    let steps = Steps::new(steps, after_trip(trials, varied));
    let loads = Loads::Steps {
        steps: steps.map_err(|why| Failure::Usage(format!("--steps: {why}")))?,
        tolerance: trials.rate_tolerance,
    };
    Ok((loads, trials.hold.map_or(HOLD, span), largest))
}

/// How long the parts of a trial take.
fn pace(trials: &TrialArgs, model: &Model<Option<Path>>, hold: Span) -> Pace {
    let of_spec = model.limits.warmup.since(blis_sim::time::Time::ZERO);
    let warmup = trials.warmup.map(span);
    Pace {
        warmup: warmup.unwrap_or(match of_spec {
            Span::ZERO => WARMUP,
            of_spec => of_spec,
        }),
        hold,
        cooldown: trials.cooldown.map_or(COOLDOWN, span),
    }
}

fn span(time: Duration) -> Span {
    // A float-to-integer cast saturates.
    Span::from_nanos(time.0 as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_time_limit_a_part_is_kept_for_what_is_simulated_afterwards() {
        let left = |limit, taken, then_simulates| {
            let [limit, taken] = [limit, taken].map(Wall::from_secs);
            left(limit, taken, then_simulates).as_secs()
        };
        assert_eq!(left(100, 20, false), 80);
        assert_eq!(left(100, 20, true), 70);
        assert_eq!(left(3600, 0, true), 3570);
        assert_eq!(left(100, 95, true), 0);
    }
}
