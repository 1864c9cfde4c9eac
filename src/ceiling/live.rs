//! Trials at a real cluster: what is asked for, one load after the other over connections that stay open.

use std::cell::RefCell;

use blis_live::access::Access;
use blis_live::ceiling::{Asking, End, Field, Unheard, Watching, run};
use blis_live::observers::Wanted;
use blis_live::target::Target;
use blis_live::trials::{Pace, SoFar, Tried as LiveTried};
use blis_live::{observe, plan};
use blis_sim::model::{Model, Path};
use blis_sim::search::{Judged, Trial};
use blis_sim::spec::error::shown;
use blis_sim::time::Span;

use super::document::Tried;
use super::steps::bound;
use super::varied::Varied;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::live_progress::{self, LiveProgress};
use crate::observed;
use crate::report::number::count;
use crate::simulate;

/// What is known of the paths of a live model.
type Known = Option<Path>;

/// Where trials run, and at which pace.
#[derive(Debug)]
pub struct Place<'a> {
    /// The servers.
    pub target: &'a Target,
    /// How they let one in.
    pub access: &'a Access,
    /// How long the parts of a trial take.
    pub pace: Pace,
    /// How long all of them may take.
    pub time_limit: Option<Span>,
    /// Whether nothing is shown meanwhile.
    pub quiet: bool,
}

/// Who asks for trials.
pub struct Asks<'a> {
    /// The next load, after how the trial before was judged.
    pub next: &'a mut dyn FnMut(Option<&Judged>) -> Option<f64>,
    /// Judges a trial.
    pub judge: &'a dyn Fn(&LiveTried<Unheard, Known>) -> Judged,
    /// Whether the rest of a trial cannot change how it is judged.
    pub decided: &'a dyn Fn(&Model<Known>, &SoFar<'_>) -> bool,
    /// The bounds so far, and how many trials are to come at most.
    pub so_far: &'a dyn Fn() -> ([Option<f64>; 2], Option<u64>),
}

/// What came of trials.
#[derive(Debug)]
pub struct Came {
    /// The trials.
    pub trials: Vec<Trial>,
    /// What else is known of each.
    pub tried: Vec<Tried>,
    /// How they came to their end.
    pub end: End<Failure>,
}

/// Sections of a spec that only a model has.
const OF_THE_MODEL: [&str; 5] = ["services", "streams", "fan_outs", "network", "classes"];

/// Refuses what a real backend does not let itself be given.
///
/// # Errors
/// [`Failure::Usage`] with what would do.
pub fn refuse_model_keys(varied: &Varied<Known>) -> Result<(), Failure> {
    let name = varied.name();
    let mut parts = name.split(['.', '[']);
    let section = parts.next().unwrap_or_default();
    let of_a_path = section == "actions" && parts.nth(1) == Some("path");
    if !varied.is_key() || !(of_a_path || OF_THE_MODEL.contains(&section)) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "--over {} is a key of the model of the backend, and a live search has the backend itself; leave --url out to vary \
         the model, or change the backend and search the load",
        shown(name)
    )))
}

/// Refuses a load that cannot be sent from here.
///
/// # Errors
/// Those of [`plan::sendable`] and [`observe::fits`].
pub fn refuse_too_large(varied: &Varied<Known>, largest: f64) -> Result<Model<Known>, Failure> {
    let mut model = varied.model_at(largest)?;
    // The search gives the warm-up.
    model.limits.find_warmup = false;
    plan::sendable(&model).map_err(|why| Failure::Usage(why.to_string()))?;
    observe::fits(&model)?;
    Ok(model)
}

/// Runs trials for as long as somebody asks for them.
///
/// # Errors
/// What kept the first one from running.
pub fn trials(
    varied: &Varied<Known>,
    largest: &Model<Known>,
    place: &Place<'_>,
    asks: Asks<'_>,
    interrupt: &Interrupt,
) -> Result<Came, Failure> {
    let came = RefCell::new((Vec::new(), Vec::new()));
    let progress = RefCell::new(LiveProgress::new(place.quiet));
    let failed = RefCell::new(None);
    let field = Field {
        target: place.target,
        access: place.access,
        wanted: Wanted::default(),
        pace: place.pace,
        time_limit: place.time_limit,
    };
    let Asks {
        next,
        judge,
        decided,
        so_far,
    } = asks;
    let asking = Asking {
        next,
        model: &|load| varied.model_at(load),
        judge: &|_, tried| judge(tried),
        decided,
        keep: &mut |trial: &Trial, tried: LiveTried<Unheard, Known>| match document(
            varied, place, trial.load, tried,
        ) {
            Ok(tried) => {
                let (trials, all) = &mut *came.borrow_mut();
                trials.push(trial.clone());
                all.push(tried);
            }
            Err(why) => *failed.borrow_mut() = Some(why),
        },
    };
    let watching = Watching {
        stop: &|| interrupt.asked() || failed.borrow().is_some(),
        begins: &mut |number, load, taken| {
            progress.borrow().finish();
            *progress.borrow_mut() = LiveProgress::new(place.quiet);
            if !place.quiet {
                live_progress::tell(&begins(varied, place, (number, load, taken), so_far()));
            }
        },
        show: &mut |reached, recent| progress.borrow_mut().show(reached, recent),
        warn: &live_progress::warn,
    };
    let end = run(largest, &field, asking, watching)?;
    progress.borrow().finish();
    if let Some(why) = failed.into_inner() {
        return Err(why);
    }
    let (trials, tried) = came.into_inner();
    Ok(Came { trials, tried, end })
}

/// The result of a trial.
fn document(
    varied: &Varied<Known>,
    place: &Place<'_>,
    load: f64,
    tried: LiveTried<Unheard, Known>,
) -> Result<Tried, Failure> {
    let mut spec = varied.spec_at(load)?;
    bound(&mut spec, place.pace.warmup, place.pace.hold);
    let mut workload = varied.workload(&spec)?;
    workload.model = tried.model;
    let spec = simulate::run_text(&workload);
    let run = observed::conclude(
        &workload,
        place.target,
        tried.observed,
        tried.ran.evidence,
        None,
    );
    Ok(Tried { run, spec })
}

/// What is told when a trial begins.
fn begins(
    varied: &Varied<Known>,
    place: &Place<'_>,
    (number, load, taken): (u64, f64, Span),
    (bounds, left): ([Option<f64>; 2], Option<u64>),
) -> String {
    let unit = varied.unit();
    let shown = |load: f64| unit.shown(load);
    let bounds = match bounds {
        [None, None] => String::new(),
        [Some(kept), None] => format!("; {} passed", shown(kept)),
        [None, Some(missed)] => format!("; {} missed its objectives", shown(missed)),
        [Some(kept), Some(missed)] => {
            format!(
                "; {} passed, {} missed its objectives",
                shown(kept),
                shown(missed)
            )
        }
    };
    let each = place.pace.warmup + place.pace.hold + place.pace.cooldown;
    let by_trials = left.map(|left| each.as_secs_f64() * left as f64);
    let by_limit = place
        .time_limit
        .map(|limit| (limit.as_secs_f64() - taken.as_secs_f64()).max(0.0));
    let left = match (by_trials, by_limit) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let left = left.map_or(String::new(), |seconds| {
        format!("; at most about {} s left", count(seconds.ceil() as u64))
    });
    format!("blis: trial {number} at {}{bounds}{left}\n", shown(load))
}
