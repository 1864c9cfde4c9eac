//! `blis report`: shows the result of a run directory again, or what the record of an interrupted run has.
//!
//! Nothing is written: the directory stays as it is.

use crate::cli::{Format, ReportArgs};
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::recorded::Recorded;
use crate::report;

/// Prints the result.
///
/// # Errors
/// [`Failure::Usage`] when the directory holds no run; [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &ReportArgs) -> Result<Done, Failure> {
    let (file, document, run) = match Recorded::read(&args.run, "report")? {
        Recorded::Ended(finished) => (finished.file(), finished.document, finished.run),
        Recorded::Unfinished(unfinished) => {
            tell(&format!(
                "blis: {} has no result: the run was interrupted, or still goes on; this is what its record has\n",
                args.run.display()
            ));
            let (workload, run) = unfinished.result()?;
            (workload.file, run.to_json()?, run)
        }
    };
    let report = || report::run(file.as_deref(), &run);
    print(&match args.format.chosen() {
        Format::Text => report::text(&report()),
        Format::Markdown => report::markdown(&report()),
        Format::Json => document,
    })?;
    Ok(Done::Well)
}
