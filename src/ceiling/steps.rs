//! Given loads, simulated one after the other.

use blis_sim::engine::LoadEnd;
use blis_sim::event::Outcome;
use blis_sim::model::Model;
use blis_sim::runner::{Ran, Runner, Simulated};
use blis_sim::search::{AfterTrip, Expected, Found, Judged, Steps, Trial};
use blis_sim::spec::Spanned;
use blis_sim::spec::Spec;
use blis_sim::spec::syntax::{Run, Warmup};
use blis_sim::spec::units::Duration;
use blis_sim::verdict::evidence;

use super::document::Tried;
use super::own::Own;
use super::varied::{Parameter, Varied};
use crate::exit::Failure;
use crate::memory;
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

/// Runs the steps of a ramp in the simulated world: what was found, and what was tried.
///
/// # Errors
/// [`Failure::Usage`] where the loads are no steps; those of [`Varied::spec_at`] and of a run.
pub fn run(
    varied: &Varied<blis_sim::model::Path>,
    ramp: &Ramp,
    stop: &(dyn Fn() -> bool + Sync),
    mut see: impl FnMut(&Steps, f64),
) -> Result<(Found, Vec<Tried>), Failure> {
    let steps = Steps::new(ramp.loads.clone(), ramp.after_trip);
    let mut steps = steps.map_err(|why| Failure::Usage(format!("--steps: {why}")))?;
    let mut world = Simulated::new(memory::most_requests());
    let (mut trials, mut tried, mut interrupted) = (Vec::new(), Vec::new(), false);
    while let Some(load) = steps.next_load() {
        see(&steps, load);
        let mut spec = varied.spec_at(load)?;
        bound(&mut spec, ramp.warmup, ramp.hold);
        let workload = varied.workload(&spec)?;
        let ran = world.run(&workload.model, stop)?;
        if ran.ended_by == LoadEnd::Interrupted {
            interrupted = true;
            break;
        }
        let judged = judged(&workload.model, &ran, varied, ramp.tolerance);
        steps.take(judged.clone());
        tried.push(Tried {
            run: simulate::of_trial(&workload, &ran),
        });
        trials.push(Trial {
            load,
            paths: 1,
            ran,
            judged,
        });
    }
    let found = Found {
        ended: steps.ended(),
        lower: steps.lower(),
        upper: steps.upper(),
        trials,
        interrupted,
    };
    Ok((found, tried))
}

/// The limits of a step in place of those of the spec.
pub(super) fn bound(spec: &mut Spec, warmup: Duration, hold: Duration) {
    let run = spec
        .run
        .get_or_insert_with(|| Spanned::flag("--hold", Run::default()));
    run.value.requests = None;
    run.value.horizon = Some(Spanned::flag("--hold", Duration(warmup.0 + hold.0)));
    run.value.warmup = Some(Spanned::flag("--warmup", Warmup::At(warmup)));
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
    let (mut requests, mut variance) = (0.0, 0.0);
    for client in &model.clients {
        let Some(schedule) = blis_sim::analysis::schedule(client, from, to) else {
            continue;
        };
        requests += schedule.requests;
        variance += schedule.variance;
    }
    Expected {
        requests,
        deviation: variance.sqrt(),
    }
}
