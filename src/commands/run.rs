//! `blis run`: simulates a workload.

use blis_sim::result;

use crate::cli::RunArgs;
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::report;
use crate::run_directory::RunDirectory;
use crate::simulate::simulate;
use crate::workload;

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
    let run = simulate(&workload, &args.statistics, &Interrupt::listen()?)?;
    let document = run.to_json()?;
    let printed = match args.json {
        true => print(&document),
        false => print(&report::run(&workload, &run)),
    };
    if let Some(directory) = directory {
        directory.write(&workload.resolved, &document)?;
    }
    printed?;
    tell_of_missed_precision(&run);
    Ok(match &run.verdict {
        _ if run.ended_by == result::INTERRUPTED => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
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
