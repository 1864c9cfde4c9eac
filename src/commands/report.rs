//! `blis report`: shows the result of a run directory or of a search again, or what the record of an interrupted run has.
//!
//! Nothing is written: the directory stays as it is.

use blis_sim::result::Run;

use crate::ceiling;
use crate::cli::{Format, ReportArgs};
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::recorded::Recorded;
use crate::report;

/// Prints the result.
///
/// # Errors
/// [`Failure::Usage`] when the directory holds no run, or a record that is not the one of its result, which is found when the
/// result has been printed; [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &ReportArgs) -> Result<Done, Failure> {
    if let Some(found) = ceiling::found_in(&args.run)? {
        let report = report::ceiling(&found);
        print(&match args.format.chosen() {
            Format::Text => report::text(&report),
            Format::Markdown => report::markdown(&report),
            Format::Json => found.to_json()?,
        })?;
        return Ok(Done::Well);
    }
    match Recorded::read(&args.run, "report")? {
        Recorded::Ended(finished) => {
            show(
                args,
                finished.file().as_deref(),
                &finished.run,
                &finished.document,
            )?;
            finished.check()?;
        }
        Recorded::Unfinished(unfinished) => {
            tell(&format!(
                "blis: {} has no result: the run was interrupted, or still goes on; this is what its record has\n",
                args.run.display()
            ));
            let (workload, run, losses) = unfinished.result()?;
            for loss in losses {
                tell(&format!("blis: {loss}\n"));
            }
            show(args, workload.file.as_deref(), &run, &run.to_json()?)?;
        }
    }
    Ok(Done::Well)
}

fn show(args: &ReportArgs, file: Option<&str>, run: &Run, document: &str) -> Result<(), Failure> {
    let report = || report::run(file, run);
    match args.format.chosen() {
        Format::Text => print(&report::text(&report())),
        Format::Markdown => print(&report::markdown(&report())),
        Format::Json => print(document),
    }
}
