//! The commands, one file each.

pub mod check;
pub mod cleanup;
pub mod completions;
pub mod compose;
pub mod explain;
pub mod man;
pub mod observe;
pub mod run;
pub mod schema;
pub mod serve;
pub mod whatif;

use std::io::{self, Write};

use blis_sim::result::Run;

use crate::cli::Format;
use crate::exit::{Failure, tell};
use crate::report;
use crate::run_directory::{Contents, RunDirectory};
use crate::simulate::run_text;
use crate::workload::Workload;

/// Writes a result to stdout. A reader that has seen enough and closed the pipe is not an error.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output {
            to: "stdout".to_owned(),
            why,
        }),
        _ => Ok(()),
    }
}

/// Keeps a run in its directory, if it has one, and prints it in the form that is asked for: what became of each.
///
/// # Errors
/// [`Failure::Json`] when there is no document, so that nothing was done.
fn deliver(
    workload: &Workload,
    run: &Run,
    form: Format,
    directory: Option<RunDirectory>,
) -> Result<[Result<(), Failure>; 2], Failure> {
    let document = run.to_json()?;
    let report = report::run(workload, run);
    let printed = print(&match form {
        Format::Text => report::text(&report),
        Format::Markdown => report::markdown(&report),
        Format::Json => document.clone(),
    });
    let kept = directory.map_or(Ok(()), |directory| {
        directory.write(&Contents {
            spec: &run_text(workload),
            files: &workload.files,
            result: &document,
            report: &report::markdown(&report),
        })
    });
    Ok([kept, printed])
}

/// The first of these failures; those after it are told.
fn first_failure<const N: usize>(outcomes: [Result<(), Failure>; N]) -> Result<(), Failure> {
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
