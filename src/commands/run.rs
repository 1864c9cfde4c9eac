//! `blis run`: simulates a workload.

use blis_sim::result;

use crate::cli::RunArgs;
use crate::commands::{deliver, first_failure};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::report;
use crate::runs::directory::RunDirectory;
use crate::runs::record::Place;
use crate::runs::trace_file::TraceFile;
use crate::runs::trace_rows::Rows;
use crate::simulate::{Beside, simulate};
use crate::workload;

/// Runs the workload and reports it.
///
/// # Errors
/// Those of [`workload::load`]; [`Failure::Usage`] when the model makes no progress or the output is taken;
/// [`Failure::Output`] when the result cannot be written, which then was at least printed if it could be.
pub fn execute(args: &RunArgs) -> Result<Done, Failure> {
    let overrides = args.overrides.judged_by(&args.objectives);
    let workload = workload::load(args.spec.file(), &args.clients, &overrides)?;
    let directory = match &args.out {
        Some(path) => Some(RunDirectory::claim(path, args.keep.force)?),
        None => None,
    };
    let mut trace = TraceFile::asked(&args.keep, &workload, Rows::new)?;
    let recorded = directory.as_ref().filter(|_| args.record);
    let beside = Beside {
        trace: trace.as_mut(),
        record: recorded.map(Place::of),
    };
    let mut progress = RunProgress::new(args.progress.quiet);
    let seen = (&Interrupt::listen()?, &mut progress);
    let (run, record) = simulate(&workload, &args.statistics, seen, beside)?;
    let [kept, printed] = deliver(&workload, &run, &args.format, |contents| {
        match (record, directory) {
            (Some(record), _) => first_failure(record.keep(contents)),
            (None, Some(directory)) => directory.write(contents),
            (None, None) => Ok(()),
        }
    })?;
    let interrupted = run.ended_by == result::INTERRUPTED;
    let traced = trace.map_or(Ok(()), |trace| close(trace, interrupted));
    first_failure([kept, printed, traced])?;
    tell_of_missed_precision(&run);
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

/// A precision that was not reached is told on stderr too, where a script that keeps the document shows it.
fn tell_of_missed_precision(run: &result::Run) {
    let Some(replications) = &run.replications else {
        return;
    };
    if let Some(precision) = replications.precision.as_ref().filter(|p| !p.reached) {
        tell(&format!(
            "blis: warning: {}\n",
            report::missed_precision(replications.count, precision)
        ));
    }
}
