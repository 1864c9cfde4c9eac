//! Simulation of a workload: pilot, single run or replications, with progress and Ctrl-C.

use std::num::NonZeroUsize;

use blis_live::journal::End;
use blis_sim::analysis::Analysis;
use blis_sim::backend::RecordedVisits;
use blis_sim::engine::LoadEnd;
use blis_sim::event::{ReplyHeaders, Sink};
use blis_sim::measure::Measure;
use blis_sim::model::{Limits, Model, Path};
use blis_sim::replication::{
    Finished, Outgrown, Pilot, Plan, Unsteady, Watch, find_warmup, replicate,
    simulate as simulate_once,
};
use blis_sim::result::{self, Mode, Provenance, Record, Run};
use blis_sim::runner::Ran;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::statistics::Precision;
use blis_sim::time::Time;
use blis_sim::trace::{Row, Trace};
use blis_sim::users::Script;

use crate::cli::StatisticsArgs;
use crate::exit::{Failure, tell};
use crate::interrupt::Interrupt;
use crate::memory;
use crate::progress::RunProgress;
use crate::provenance::told;
use crate::runs::record::{Begun, Of, Place, Sealed};
use crate::runs::trace_file::TraceFile;
use crate::workload::Workload;

/// Events between two looks at the progress bar and Ctrl-C: a few milliseconds' worth.
const STRIDE: u64 = 1 << 16;
/// Replications that a precision starts from.
const USUAL_REPLICATIONS: u64 = 10;
/// The most replications that a precision takes unless the user says otherwise.
const MOST_REPLICATIONS: u64 = 1000;

/// Simulates to the end, or until it is interrupted; the result, and the record where one is kept.
///
/// # Errors
/// Those of a [`Halt`](blis_sim::replication::Halt), and [`Failure::Record`] when a record cannot be begun.
pub fn simulate<'w>(
    workload: &'w Workload,
    statistics: &StatisticsArgs,
    (interrupt, progress): (&Interrupt, &mut RunProgress),
    beside: Beside<'_>,
) -> Result<(Run, Option<Sealed<'w, Path>>), Failure> {
    let mut model = workload.model.clone();
    let stop = || interrupt.asked();
    let pilot = warm_up(&mut model, &stop)?;
    let (mut run, sealed) = match plan(&model, statistics) {
        None if beside.is_none() => (single(workload, &model, &stop, progress)?, None),
        None => watched(workload, &model, (interrupt, progress), beside)?,
        Some(plan) => (replicated(workload, &model, plan, (&stop, progress))?, None),
    };
    if let Some(pilot) = pilot {
        run.warmup_was_found(model.seed, &pilot);
    }
    Ok((run, sealed))
}

/// What is written of every request while a simulation goes on.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    /// A file of rows.
    pub trace: Option<&'a mut TraceFile>,
    /// A record in this place.
    pub record: Option<Place>,
}

impl Beside<'_> {
    fn is_none(&self) -> bool {
        self.trace.is_none() && self.record.is_none()
    }
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
    if let Some(why) = &pilot.unsteady {
        let next = match why {
            Unsteady::ResponseTimes => {
                "lengthen the run, or check whether the services can carry the load"
            }
            Unsteady::LevelTooLate { .. } => "lengthen the run",
            Unsteady::NeverLevel { .. } => "give a `warmup`, or read the series",
        };
        tell(&format!(
            "blis: warning: no steady state: {why}; the first half of the load is the warm-up; {next}\n"
        ));
    }
    Ok(Some(pilot))
}

/// What is looked at while this many runs go on beside one another.
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
    progress: &mut RunProgress,
) -> Result<Run, Failure> {
    let finished = simulate_once(model, watch(stop, NonZeroUsize::MIN), |simulation| {
        progress.show(&model.limits, simulation.now(), simulation.intended());
    });
    progress.finish();
    let finished = finished?;
    Ok(result::build(
        model,
        Some(&Analysis::of(model)),
        &finished.measure,
        provenance(workload, &finished),
    ))
}

fn replicated(
    workload: &Workload,
    model: &Model,
    plan: Plan,
    (stop, progress): (&(dyn Fn() -> bool + Sync), &mut RunProgress),
) -> Result<Run, Failure> {
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
        &Analysis::of(model),
        &done,
        provenance(workload, &done.together),
    ))
}

fn provenance(workload: &Workload, finished: &Finished) -> Provenance {
    Provenance {
        ended_by: finished.ended_by,
        mode: Mode::Simulated {
            events: finished.events,
            simulated: finished.simulated,
        },
        ..told(workload)
    }
}

/// A single run that writes something of every request. One that does not is a run without a branch for it. It ends as with
/// Ctrl-C when its record cannot be written.
fn watched<'w>(
    workload: &'w Workload,
    model: &Model,
    (interrupt, progress): (&Interrupt, &mut RunProgress),
    beside: Beside<'_>,
) -> Result<(Run, Option<Sealed<'w, Path>>), Failure> {
    let Beside { trace, record } = beside;
    let begun = match &record {
        Some(place) => Some(place.begin(workload, Of::Simulation(model))?),
        None => None,
    };
    let (recorder, begun) = begun.unzip();
    let mut sink = (
        Measure::new(model),
        (trace.map(|file| rows_to(model, file)), recorder),
    );
    let failed = || begun.as_ref().is_some_and(Begun::has_failed);
    let stop = || interrupt.asked() || failed();
    let ended = drive(model, (&stop, progress), &mut sink, None)?;
    let (mut measure, (_, recorder)) = sink;
    measure.finish(ended.intended)?;
    let sealed = match (begun, record, recorder) {
        (Some(begun), Some(place), Some(recorder)) => {
            Some(begun.seal(place, recorder, ended.seal(), workload))
        }
        _ => None,
    };
    let block = sealed.as_ref().map(Sealed::block);
    Ok((conclude(workload, model, &measure, ended, block), sealed))
}

/// What writes the rows of a simulation, whose replies have no headers.
fn rows_to(model: &Model, file: &mut TraceFile) -> Trace<impl FnMut(&Row)> {
    Trace::new(model, |row: &Row| file.write(row, &ReplyHeaders::default()))
}

/// What of a record is sent in the place of what users would.
#[derive(Debug)]
pub struct Scripted {
    /// The requests.
    pub script: Script,
    /// Members and service times of their visits.
    pub visits: Option<RecordedVisits>,
}

/// Simulates requests as they were recorded, or without a script what the model makes of recorded arrivals. How many were sent stands
/// beside the result.
///
/// # Errors
/// Those of [`drive`], and books that do not balance.
pub fn replay(
    workload: &Workload,
    scripted: Option<Scripted>,
    (interrupt, progress): (&Interrupt, &mut RunProgress),
    trace: Option<&mut TraceFile>,
) -> Result<(Run, u64), Failure> {
    let model = &workload.model;
    let mut sink = (Measure::new(model), trace.map(|file| rows_to(model, file)));
    let to: &mut dyn Sink = &mut sink;
    let simulation = match scripted {
        Some(Scripted { script, visits }) => match visits {
            Some(visits) => Simulation::following(model, script, visits, to),
            None => Simulation::replaying(model, script, to),
        },
        None => Simulation::new(model, to),
    };
    let stop = || interrupt.asked();
    let ended = drive_on(simulation, &model.limits, (&stop, progress), None)?;
    let (mut measure, _) = sink;
    measure.finish(ended.intended)?;
    let provenance = Provenance {
        ended_by: ended.by,
        mode: Mode::Replayed {
            events: ended.events,
            simulated: ended.at.since(Time::ZERO),
        },
        ..told(workload)
    };
    let run = result::build(model, Some(&Analysis::of(model)), &measure, provenance);
    Ok((run, ended.intended))
}

/// The result of a simulated trial along this many sample paths. How many events it took is not known of it.
pub fn of_trial(workload: &Workload, ran: &Ran, paths: u64) -> Run {
    let provenance = Provenance {
        ended_by: ran.ended_by,
        mode: Mode::Simulated {
            events: 0,
            simulated: ran.ended_at.since(Time::ZERO),
        },
        ..told(workload)
    };
    let model = &workload.model;
    let analysis = Analysis::of(model);
    let mut run = match paths {
        1 => result::build(model, Some(&analysis), &ran.measure, provenance),
        _ => result::build_of_paths(&analysis, &ran.measure, provenance),
    };
    run.events = None;
    run
}

/// The result of a simulation that has come to its end.
pub fn conclude(
    workload: &Workload,
    model: &Model,
    measure: &Measure,
    ended: Ended,
    record: Option<Record>,
) -> Run {
    let provenance = Provenance {
        ended_by: ended.by,
        record,
        mode: Mode::Simulated {
            events: ended.events,
            simulated: ended.at.since(Time::ZERO),
        },
        ..told(workload)
    };
    result::build(model, Some(&Analysis::of(model)), measure, provenance)
}

/// How a simulation ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    by: LoadEnd,
    at: Time,
    intended: u64,
    events: u64,
}

impl Ended {
    /// How many requests were intended.
    pub fn intended(self) -> u64 {
        self.intended
    }

    /// The seal of its record.
    fn seal(self) -> End {
        End {
            by: self.by,
            at: self.at,
            intended: self.intended,
        }
    }
}

/// Simulates to the end, or until it is interrupted, or cut off after this many events, and reports all that happens to the sink.
/// Which sink that is, is not compiled into the simulation: each would be as large as the simulation itself.
///
/// # Errors
/// [`Failure::Usage`] when the model goes round without the clock moving, [`Failure::Overgrown`] when it outgrows memory.
pub fn drive(
    model: &Model,
    while_it_runs: (&dyn Fn() -> bool, &mut RunProgress),
    sink: &mut dyn Sink,
    cut: Option<u64>,
) -> Result<Ended, Failure> {
    let simulation = Simulation::new(model, sink);
    drive_on(simulation, &model.limits, while_it_runs, cut)
}

/// The same of a simulation that is set up.
fn drive_on(
    mut simulation: Simulation<&mut dyn Sink>,
    limits: &Limits,
    (stop, progress): (&dyn Fn() -> bool, &mut RunProgress),
    cut: Option<u64>,
) -> Result<Ended, Failure> {
    let most_requests = memory::most_requests();
    loop {
        let left = cut.map_or(u64::MAX, |cut| cut.saturating_sub(simulation.events()));
        let reached = simulation.advance(STRIDE.min(left));
        match reached.map_err(|stands_still| Failure::Usage(stands_still.to_string()))? {
            Progress::Finished => break,
            Progress::Running if stop() => simulation.interrupt(),
            Progress::Running if cut.is_some_and(|cut| simulation.events() >= cut) => {
                simulation.interrupt();
            }
            Progress::Running if simulation.present() as u64 > most_requests => {
                return Err(Failure::Overgrown(Outgrown::of(&simulation).to_string()));
            }
            Progress::Running => {
                progress.show(limits, simulation.now(), simulation.intended());
            }
        }
    }
    progress.finish();
    Ok(Ended {
        by: simulation.load_end().unwrap_or(LoadEnd::Idle),
        at: simulation.now(),
        intended: simulation.intended(),
        events: simulation.events(),
    })
}
