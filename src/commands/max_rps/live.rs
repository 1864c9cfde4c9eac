//! `blis max-rps --url`: the ceiling of a real service.

use blis_live::plan;
use blis_live::trials::Pace;
use blis_sim::model::{Model, Path};
use blis_sim::search::Steps;
use blis_sim::spec;
use blis_sim::spec::error::shown;
use blis_sim::spec::units::{Duration, Rate};
use blis_sim::time::Span;

use super::searched;
use crate::ceiling::live::{self, Live, Loads};
use crate::ceiling::live_range::set_up;
use crate::ceiling::{
    About, Places, Varied, after_trip, ascending, example, predict, refuse_no_objective, status,
};
use crate::cli::{MaxRpsArgs, OverrideArgs, TrialArgs};
use crate::commands::{print, service};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::nats_access;
use crate::workload::{Basis, Variations};

/// Load before the window of a live trial where nothing says how much: by then connections and threads are awake.
const WARMUP: Span = Span::from_nanos(2_000_000_000);
/// The window of a step.
const HOLD: Span = Span::from_nanos(30_000_000_000);
/// The pause after one.
const COOLDOWN: Span = Span::from_nanos(5_000_000_000);
/// The rate of a service without a spec as it is written: what a search begins with.
const FIRST_RATE: Rate = Rate(10.0);
/// The sections of a spec whose keys a real service has.
const LIVE_SECTIONS: [&str; 3] = ["clients", "connections", "max_in_flight"];

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
    refuse_model_key(trials.over.as_deref())?;
    let variations = Variations::of(basis(args, overrides)?, spec::lower_live)?;
    let (over, at) = (trials.over.as_deref(), trials.at.as_deref());
    let varied = Varied::of(variations, over, at, example(trials))?;
    let workload = varied.as_written()?;
    refuse_no_objective(&workload.model)?;
    plan::sendable(&workload.model).map_err(|why| Failure::Usage(why.to_string()))?;
    let (target, access) = nats_access::resolve(&args.target)?;
    let interrupt = Interrupt::listen()?;
    let predicted = match trials.steps {
        Some(_) => None,
        None => predict(&varied, trials, &|| interrupt.asked())?,
    };
    let (loads, hold, largest) = loads(trials, &varied, &workload.model, predicted)?;
    let live = Live {
        target: &target,
        access: &access,
        pace: pace(trials, &workload.model, hold),
        time_limit: trials.time_limit.map(span),
        quiet: args.quiet,
    };
    let drain = workload.model.limits.drain;
    let mut plan = live::plan(&varied, &loads, &live, drain);
    if let Some(load) = predicted {
        let load = varied.unit().shown(load);
        plan = format!("the model says {load}; {plan}");
    }
    if args.dry_run {
        print(&format!(
            "nothing is sent: this is what the search would do\n\n{plan}"
        ))?;
        return Ok(Done::Well);
    }
    let places = Places::claim(args)?;
    varied.tell_of_bounds(&workload);
    if !args.quiet {
        tell(&format!("blis: {plan}"));
    }
    let searched_live = live::run(&varied, loads, largest, &live, &interrupt)?;
    let about = About {
        varied: &varied,
        workload: &workload,
        live: true,
        with_precision: trials.steps.is_none(),
        predicted,
        tiers: None,
        slow: None,
        remedies: Vec::new(),
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
            "blis: the connection to the server was lost and did not come back within 10 s: the search was ended there, and \
             these are the bounds by then\n",
        );
        return Ok(Done::Disconnected);
    }
    match searched_live.failed {
        Some(why) => Err(why),
        None if document.interrupted => Ok(Done::Interrupted),
        None => Ok(Done::Judged(status(&document))),
    }
}

/// A key that only the model has is no key of a real service.
fn refuse_model_key(over: Option<&str>) -> Result<(), Failure> {
    let Some(key) = over.filter(|over| !["rate", "concurrency"].contains(over)) else {
        return Ok(());
    };
    let section = key.split('.').next().unwrap_or(key);
    match LIVE_SECTIONS.contains(&section) {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "--over {}: only the model has this key, and a real service is what it is; vary the load (--over rate, --over \
             concurrency or a key of clients), or leave --url out to search the model",
            shown(key)
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
    if trials.longest_trial.is_some() {
        return Err(Failure::Usage(
            "--longest-trial is for trials that end when they are decided; --hold is the length of a step".to_owned(),
        ));
    }
    let steps = ascending("--steps", steps, varied.unit())?;
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
