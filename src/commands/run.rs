//! `blis run`: simulates a workload.

use blis_sim::engine::LoadEnd;
use blis_sim::event::Sink;
use blis_sim::measure::Measure;
use blis_sim::result::{self, Provenance, Run};
use blis_sim::simulation::{Progress as Reached, Simulation};
use blis_sim::spec;
use blis_sim::time::Time;
use blis_sim::trace::{Row, Trace};

use crate::cli::{Format, RunArgs};
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::input_files;
use crate::interrupt::Interrupt;
use crate::memory;
use crate::progress::Progress;
use crate::report;
use crate::run_directory::{Contents, RunDirectory};
use crate::trace_file::TraceFile;
use crate::workload::{self, Workload};

/// Events between two looks at the progress bar and Ctrl-C: a few milliseconds' worth.
const STRIDE: u64 = 1 << 16;

/// Runs the workload and reports it.
///
/// # Errors
/// Those of [`workload::load`]; [`Failure::Usage`] when the model makes no progress or the output is taken;
/// [`Failure::Output`] when the result cannot be written, which then was at least printed if it could be.
pub fn execute(args: &RunArgs) -> Result<Done, Failure> {
    let workload = workload::load(args.spec.as_deref(), &args.clients, &args.overrides)?;
    let directory = match &args.out {
        Some(path) => Some(RunDirectory::claim(path, args.force)?),
        None => None,
    };
    let mut trace = match &args.trace {
        Some(path) => {
            let form = args.trace_format;
            Some(TraceFile::open(path, form, args.force, &workload)?)
        }
        None => None,
    };
    let run = simulate(&workload, &Interrupt::listen()?, trace.as_mut())?;
    let document = run.to_json()?;
    let report = report::run(&workload, &run);
    let printed = print(&match args.format.chosen() {
        Format::Text => report::text(&report),
        Format::Markdown => report::markdown(&report),
        Format::Json => document.clone(),
    });
    let kept = directory.map_or(Ok(()), |directory| {
        directory.write(&Contents {
            spec: &run_text(&workload),
            files: &workload.files,
            result: &document,
            report: &report::markdown(&report),
        })
    });
    let interrupted = run.ended_by == result::INTERRUPTED;
    let traced = trace.map_or(Ok(()), |trace| close(trace, interrupted));
    first_failure([kept, printed, traced])?;
    Ok(match &run.verdict {
        _ if interrupted => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
}

/// Finishes a trace; of an interrupted run it is told how much there is.
fn close(trace: TraceFile, interrupted: bool) -> Result<(), Failure> {
    let path = trace.path().display().to_string();
    let rows = trace.close()?;
    if interrupted {
        tell(&format!(
            "blis: the trace {path} holds the {rows} requests up to the interruption\n"
        ));
    }
    Ok(())
}

/// The first of these failures; those after it are told.
fn first_failure(outcomes: [Result<(), Failure>; 3]) -> Result<(), Failure> {
    let mut first = Ok(());
    for outcome in outcomes {
        match (&first, outcome) {
            (Ok(()), outcome) => first = outcome,
            (Err(_), Err(another)) => tell(&format!("blis: {another}\n")),
            (Err(_), Ok(())) => {}
        }
    }
    first
}

/// Simulates to the end, or until it is interrupted.
fn simulate(
    workload: &Workload,
    interrupt: &Interrupt,
    trace: Option<&mut TraceFile>,
) -> Result<Run, Failure> {
    let model = &workload.model;
    let measure = Measure::new(model);
    // A run without a trace is one without a branch for it.
    let (mut measure, ended) = match trace {
        None => drive(workload, interrupt, measure, None)?,
        Some(file) => {
            let trace = Trace::new(model, |row: &Row| file.write(row));
            let ((measure, _), ended) = drive(workload, interrupt, (measure, trace), None)?;
            (measure, ended)
        }
    };
    measure.finish(ended.intended)?;
    Ok(conclude(workload, &measure, ended))
}

/// The result of a simulation that has come to its end.
pub(super) fn conclude(workload: &Workload, measure: &Measure, ended: Ended) -> Run {
    let provenance = Provenance {
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(&run_text(workload)),
        files: workload
            .files
            .iter()
            .map(|copy| (copy.path(), copy.sha256()))
            .collect(),
        configuration: workload.configuration.clone(),
        ended_by: ended.by,
        events: ended.events,
        simulated: ended.at.since(Time::ZERO),
    };
    result::build(&workload.model, measure, provenance)
}

/// How a simulation came to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    by: LoadEnd,
    at: Time,
    intended: u64,
    events: u64,
}

impl Ended {
    /// How many requests were intended.
    pub(super) fn intended(self) -> u64 {
        self.intended
    }
}

/// Simulates to the end, or until it is interrupted, or cut off after so many events, and gives back the sink.
pub(super) fn drive<S: Sink>(
    workload: &Workload,
    interrupt: &Interrupt,
    sink: S,
    cut: Option<u64>,
) -> Result<(S, Ended), Failure> {
    let model = &workload.model;
    let mut simulation = Simulation::new(model, sink);
    let mut progress = Progress::new(model.limits);
    let most_requests = memory::most_requests();
    loop {
        let left = cut.map_or(u64::MAX, |cut| cut.saturating_sub(simulation.events()));
        let reached = simulation.advance(STRIDE.min(left));
        match reached.map_err(|stands_still| Failure::Usage(stands_still.to_string()))? {
            Reached::Finished => break,
            Reached::Running if interrupt.asked() => simulation.interrupt(),
            Reached::Running if cut.is_some_and(|cut| simulation.events() >= cut) => {
                simulation.interrupt();
            }
            Reached::Running if simulation.present() as u64 > most_requests => {
                return Err(Failure::Overgrown(overgrown(&simulation)));
            }
            Reached::Running => progress.show(simulation.now(), simulation.intended()),
        }
    }
    progress.finish();
    let ended = Ended {
        by: simulation.load_end().unwrap_or(LoadEnd::Idle),
        at: simulation.now(),
        intended: simulation.intended(),
        events: simulation.events(),
    };
    Ok((simulation.into_sink(), ended))
}

/// The resolved spec as the directory of a run holds it, beside copies of its files.
fn run_text(workload: &Workload) -> String {
    input_files::with_copies(&workload.resolved, &workload.files)
}

/// What to say of a backlog that outgrows the memory.
fn overgrown<S: Sink>(simulation: &Simulation<S>) -> String {
    format!(
        "after {:.3} s of simulated time {} requests are waiting, and more do not fit into memory: the load is more \
         than the services can carry; lower it, limit the lines (`queue: {{limit: ...}}`), or let work leave them \
         after a timeout (`on_timeout: leave`)",
        simulation.now().as_secs_f64(),
        simulation.present()
    )
}
