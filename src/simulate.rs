//! Simulating a workload: pilot, single run or replications, with progress and Ctrl-C.

use std::num::NonZeroUsize;

use blis_sim::model::Model;
use blis_sim::replication::{
    Finished, Pilot, Plan, Watch, find_warmup, replicate, simulate as simulate_once,
};
use blis_sim::result::{self, Provenance, Run};
use blis_sim::spec;
use blis_sim::statistics::Precision;

use crate::cli::StatisticsArgs;
use crate::exit::{Failure, tell};
use crate::interrupt::Interrupt;
use crate::memory;
use crate::progress::Progress;
use crate::workload::Workload;

/// Replications that a precision starts from.
const USUAL_REPLICATIONS: u64 = 10;
/// The most replications that a precision takes unless the user says otherwise.
const MOST_REPLICATIONS: u64 = 1000;

/// Simulates to the end, or until it is interrupted.
///
/// # Errors
/// Those of a [`Halt`](blis_sim::replication::Halt).
pub fn simulate(
    workload: &Workload,
    statistics: &StatisticsArgs,
    interrupt: &Interrupt,
) -> Result<Run, Failure> {
    let mut model = workload.model.clone();
    let stop = || interrupt.asked();
    let pilot = warm_up(&mut model, &stop)?;
    let mut run = match plan(&model, statistics) {
        None => single(workload, &model, &stop)?,
        Some(plan) => replicated(workload, &model, plan, &stop)?,
    };
    if let Some(pilot) = pilot {
        run.warmup_was_found(model.seed, &pilot);
    }
    Ok(run)
}

/// Finds the warm-up of a model that asks for it, and says so where there is no steady state.
///
/// # Errors
/// Those of a [`Halt`](blis_sim::replication::Halt).
pub fn warm_up(
    model: &mut Model,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Pilot>, Failure> {
    if !model.limits.find_warmup {
        return Ok(None);
    }
    let pilot = find_warmup(model, watch(stop, NonZeroUsize::MIN))?;
    model.limits.warmup = pilot.warmup;
    if !pilot.steady {
        tell(
            "blis: warning: the pilot run found no steady state, so that half of its load counts as the warm-up; \
             lengthen the run, or look whether the services can carry the load\n",
        );
    }
    Ok(Some(pilot))
}

/// What is looked at while so many runs go on beside one another.
pub fn watch(stop: &(dyn Fn() -> bool + Sync), threads: NonZeroUsize) -> Watch<'_> {
    Watch {
        stop,
        most_present: memory::most_requests() / threads.get() as u64,
    }
}

/// How many threads work on replications of a model.
pub fn threads(model: &Model, wanted: Option<u64>) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let given =
        wanted.and_then(|number| NonZeroUsize::new(usize::try_from(number).unwrap_or(usize::MAX)));
    // More threads than the machine has cores for bring nothing; a multiple lets a busy machine be made use of.
    let most = NonZeroUsize::new(64 * cores().get()).unwrap_or(NonZeroUsize::MIN);
    memory::threads(model, given.unwrap_or_else(cores).min(most))
}

/// The replications that are asked for; `None` for a single run.
fn plan(model: &Model, statistics: &StatisticsArgs) -> Option<Plan> {
    let precision = statistics.precision.map(|target| Precision { target });
    let usual = match precision {
        Some(_) => USUAL_REPLICATIONS,
        None => 1,
    };
    let most = statistics.max_replications.unwrap_or(MOST_REPLICATIONS);
    let replications = statistics.replications.unwrap_or(usual);
    let plan = Plan {
        replications: match precision {
            Some(_) => replications.min(most),
            None => replications,
        },
        precision,
        most,
        threads: threads(model, statistics.threads),
    };
    (plan.replications > 1 || precision.is_some()).then_some(plan)
}

fn single(
    workload: &Workload,
    model: &Model,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Run, Failure> {
    let mut progress = Progress::new(model.limits);
    let finished = simulate_once(model, watch(stop, NonZeroUsize::MIN), |simulation| {
        progress.show(simulation.now(), simulation.intended());
    });
    progress.finish();
    let finished = finished?;
    Ok(result::build(
        model,
        &finished.measure,
        provenance(workload, &finished),
    ))
}

fn replicated(
    workload: &Workload,
    model: &Model,
    plan: Plan,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Run, Failure> {
    let mut progress = Progress::new(model.limits);
    let of = match plan.precision {
        Some(_) => plan.most,
        None => plan.replications,
    };
    let done = replicate(model, plan, watch(stop, plan.threads), |done| {
        progress.show_replications(done, of);
    });
    progress.finish();
    let done = done?;
    Ok(result::build_replicated(
        model,
        &done,
        provenance(workload, &done.together),
    ))
}

fn provenance(workload: &Workload, finished: &Finished) -> Provenance {
    Provenance {
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(&workload.resolved),
        configuration: workload.configuration.clone(),
        ended_by: finished.ended_by,
        events: finished.events,
        simulated: finished.simulated,
    }
}
