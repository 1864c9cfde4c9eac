//! Given loads, one after another.

use blis_sim::analysis;
use blis_sim::engine::LoadEnd;
use blis_sim::event::Outcome;
use blis_sim::model::{Model, Path};
use blis_sim::runner::{Ran, Simulated};
use blis_sim::search::{AfterTrip, Expected, Found, Judged, Steps, Trial};
use blis_sim::spec::Spanned;
use blis_sim::spec::Spec;
use blis_sim::spec::syntax::{Run, Warmup};
use blis_sim::spec::units::{Count, Duration};
use blis_sim::verdict::evidence;

use super::document::Tried;
use super::own::Own;
use super::varied::{OF_THE_SEARCH, Parameter, Varied};
use crate::exit::Failure;
use crate::memory;
use crate::provenance::run_text;
use crate::simulate;

/// How steps are run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ramp {
    /// The loads.
    pub loads: Vec<f64>,
    /// What follows a step that missed its objectives.
    pub after_trip: AfterTrip,
    /// By how much less than the load may be sent.
    pub tolerance: f64,
    /// Time before the window.
    pub warmup: Duration,
    /// Length of the window.
    pub hold: Duration,
}

impl Ramp {
    fn steps(&self) -> Result<Steps, Failure> {
        let steps = Steps::new(self.loads.clone(), self.after_trip);
        steps.map_err(|why| Failure::Usage(format!("--steps: {why}")))
    }
}

/// Runs the steps of a ramp in the simulated world: what was found, and what was tried.
///
/// # Errors
/// [`Failure::Usage`] where the loads are no steps; those of [`Varied::spec_at`] and of a run.
pub fn simulated(
    varied: &Varied<Path>,
    ramp: &Ramp,
    stop: &(dyn Fn() -> bool + Sync),
    time_is_up: &dyn Fn() -> bool,
    mut see: impl FnMut(&Steps, f64),
) -> Result<(Found, Vec<Tried>), Failure> {
    let mut steps = ramp.steps()?;
    // They run one after another, so that each has all of the memory.
    let mut world = Simulated::new(memory::most_requests());
    let (mut trials, mut tried, mut interrupted) = (Vec::new(), Vec::new(), false);
    while let Some(load) = steps.next_load().filter(|_| !time_is_up()) {
        see(&steps, load);
        let mut spec = varied.spec_at(load)?;
        bound(&mut spec, ramp.warmup, ramp.hold);
        let workload = varied.workload(&spec)?;
        let (ran, outgrown) = world.run_as_far(&workload.model, stop)?;
        if ran.ended_by == LoadEnd::Interrupted {
            interrupted = true;
            break;
        }
        let judged = judged(&workload.model, &ran, varied, ramp.tolerance);
        let judged = match outgrown {
            Some(outgrown) => judged.outgrown(outgrown),
            None => judged,
        };
        steps.take(judged.clone());
        tried.push(Tried {
            run: simulate::of_trial(&workload, &ran, 1),
            spec: run_text(&workload),
            predicted: None,
            disturbed_by: Vec::new(),
        });
        trials.push(Trial {
            load,
            paths: 1,
            ran,
            judged,
        });
    }
    Ok((found(&steps, trials, interrupted), tried))
}

fn found(steps: &Steps, trials: Vec<Trial>, interrupted: bool) -> Found {
    Found {
        ended: steps.ended(),
        lower: steps.lower(),
        upper: steps.upper(),
        trials,
        contributions: Vec::new(),
        interrupted,
    }
}

/// The limits of a trial in place of those of the spec.
pub(super) fn bound(spec: &mut Spec, warmup: Duration, hold: Duration) {
    let run = spec
        .run
        .get_or_insert_with(|| Spanned::flag(OF_THE_SEARCH, Run::default()));
    run.value.requests = None;
    run.value.horizon = Some(Spanned::flag(OF_THE_SEARCH, Duration(warmup.0 + hold.0)));
    run.value.warmup = Some(Spanned::flag(OF_THE_SEARCH, Warmup::At(warmup)));
}

/// The spec of a trial: at its load, with its warm-up, its window and its seed.
///
/// # Errors
/// Those of [`Varied::spec_at`].
pub fn spec_of_trial<P: PartialEq>(
    varied: &Varied<P>,
    load: f64,
    [warmup, hold]: [Duration; 2],
    seed: u64,
) -> Result<Spec, Failure> {
    let mut spec = varied.spec_at(load)?;
    bound(&mut spec, warmup, hold);
    spec.seed = Some(Spanned::flag(OF_THE_SEARCH, Count(seed)));
    Ok(spec)
}

/// Judges a step: by its figures, and by whether its load was reached.
pub(super) fn judged<P>(model: &Model<P>, ran: &Ran, varied: &Varied<P>, tolerance: f64) -> Judged
where
    P: PartialEq,
{
    // That there are objectives was found out before.
    let evidence = evidence(model, &ran.measure, false, &ran.evidence).unwrap_or_default();
    let judged = Judged::plainly(&evidence);
    match varied.parameter() {
        Parameter::Own(Own::Rate) => {
            let window = ran.measure.total().window.requests;
            let sent = window.intended - window.ended(Outcome::Dropped);
            judged.at_its_load(sent, expected(model, ran), tolerance)
        }
        Parameter::Own(Own::Concurrency) | Parameter::Key(_) => judged,
    }
}

/// How many requests the schedules of the open clients ask for over the window.
fn expected<P>(model: &Model<P>, ran: &Ran) -> Expected {
    let (from, to) = (ran.measure.warmup(), ran.measure.load_end());
    let to = to.unwrap_or(ran.ended_at);
    let schedules = model.clients.iter();
    let schedules = schedules.filter_map(|client| analysis::schedule(client, from, to));
    let (requests, variance) = schedules.fold((0.0, 0.0), |(requests, variance), schedule| {
        (requests + schedule.requests, variance + schedule.variance)
    });
    Expected {
        requests,
        deviation: variance.sqrt(),
    }
}
