//! `blis report`: shows the result of a run directory, of a search or of a validation, or the record of an interrupted run.
//!
//! Nothing is written to the directory.

use blis_sim::result::{CeilingResult, Run};
use blis_sim::validation::ValidationResult;

use crate::cli::ReportArgs;
use crate::commands::{Of, present};
use crate::exit::{Done, Failure, tell};
use crate::report;
use crate::runs::recorded::Recorded;
use crate::runs::trials_directory::{SEARCH, VALIDATION, found_in};

/// Prints the result.
///
/// # Errors
/// [`Failure::Usage`] when the directory holds no run, or a record that is not the one of its result, which is found when the
/// result has been printed; [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &ReportArgs) -> Result<Done, Failure> {
    let form = args.format.chosen();
    if let Some(found) = found_in::<CeilingResult>(&args.run, SEARCH)? {
        present(
            form,
            Of::Ceiling(&found),
            || report::ceiling(&found),
            || found.to_json(),
        )?;
        return Ok(Done::Well);
    }
    if let Some(found) = found_in::<ValidationResult>(&args.run, VALIDATION)? {
        present(
            form,
            Of::Validation(&found),
            || report::validation(&found),
            || found.to_json(),
        )?;
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
                "blis: {} has no result: the run was interrupted or is still going on; showing its record\n",
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
    present(
        args.format.chosen(),
        Of::Run(run, args.format.time_unit),
        || report::run(file, run),
        || Ok(document.to_owned()),
    )
}
