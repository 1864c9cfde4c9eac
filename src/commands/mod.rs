//! The commands, one file each.

pub mod calibrate;
pub mod check;
pub mod cleanup;
pub mod compare;
pub mod completions;
pub mod compose;
pub mod explain;
pub mod local_backend;
pub mod man;
pub mod max_rps;
pub mod observe;
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod serve;
pub mod service;
pub mod trace;
pub mod validate;
pub mod whatif;

use std::io::{self, IsTerminal as _, Write};

use blis_sim::compare::CompareResult;
use blis_sim::result::{CeilingResult, Run};
use blis_sim::validation::ValidationResult;
use blis_sim::visible;

use crate::cli::{Format, RunFormatArgs, TimeUnit};
use crate::exit::{Failure, tell};
use crate::provenance::run_text;
use crate::report as written;
use crate::report::Report;
use crate::runs::directory::Contents;
use crate::workload::Workload;

/// Writes a result to stdout, with what is hidden in it made visible.
fn print(text: &str) -> Result<(), Failure> {
    write(&visible::lines(text))
}

/// Writes to stdout what another program is to read as it is; a terminal is no such program.
fn print_data(text: &str) -> Result<(), Failure> {
    match io::stdout().is_terminal() {
        true => print(text),
        false => write(text),
    }
}

/// What a report is of, for the formats that not every report has.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// A run; times of its tables are in this unit.
    Run(&'a Run, TimeUnit),
    /// A search.
    Ceiling(&'a CeilingResult),
    /// A comparison of runs.
    Comparison(&'a CompareResult),
    /// A validation.
    Validation(&'a ValidationResult),
    /// What is neither judged nor a table.
    Other,
}

impl Of<'_> {
    fn junit(self) -> Result<String, Failure> {
        let xml = match self {
            Of::Run(run, _) => written::of_run(run),
            Of::Ceiling(found) => written::of_ceiling(found),
            Of::Comparison(found) => written::of_comparison(found),
            Of::Validation(found) => written::of_validation(found),
            Of::Other => {
                return Err(Failure::Usage(
                    "--format junit: nothing is judged here".to_owned(),
                ));
            }
        };
        xml.map_err(unwritten)
    }

    fn run(&self, format: &str) -> Result<(&Run, TimeUnit), Failure> {
        match self {
            Of::Run(run, times) => Ok((run, *times)),
            _ => Err(Failure::Usage(format!(
                "--format {format} is for the result of a run; use --json, or for a search `blis max-rps --csv FILE`"
            ))),
        }
    }
}

fn unwritten(why: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Output {
        to: "stdout".to_owned(),
        why: io::Error::other(why),
    }
}

/// A result in the requested format.
fn shown(
    form: Format,
    of: Of<'_>,
    report: impl FnOnce() -> Report,
    document: impl FnOnce() -> Result<String, serde_json::Error>,
) -> Result<String, Failure> {
    Ok(match form {
        Format::Text => written::text(&report()),
        Format::Markdown => written::markdown(&report()),
        Format::Html => written::html(&report())?,
        Format::Json => document()?,
        Format::Junit => of.junit()?,
        Format::Csv => {
            let (run, times) = of.run("csv")?;
            written::summary(run, times).map_err(unwritten)?
        }
        Format::CsvSeries => {
            let (run, times) = of.run("csv-series")?;
            written::series(run, times).map_err(unwritten)?
        }
    })
}

/// Prints a result in the requested format.
fn present(
    form: Format,
    of: Of<'_>,
    report: impl FnOnce() -> Report,
    document: impl FnOnce() -> Result<String, serde_json::Error>,
) -> Result<(), Failure> {
    print(&shown(form, of, report, document)?)
}

/// A reader that has seen enough and closed the pipe is not an error.
fn write(text: &str) -> Result<(), Failure> {
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

/// Prints a run in the form that is asked for, and has it kept where it is to be: what became of each.
///
/// # Errors
/// [`Failure::Json`] when there is no document, so that nothing was done.
fn deliver<P>(
    workload: &Workload<P>,
    run: &Run,
    format: &RunFormatArgs,
    keep: impl FnOnce(&Contents<'_>) -> Result<(), Failure>,
) -> Result<[Result<(), Failure>; 2], Failure> {
    let document = run.to_json()?;
    let report = || written::run(workload.file.as_deref(), run);
    let shown = shown(
        format.chosen(),
        Of::Run(run, format.time_unit),
        report,
        || Ok(document.clone()),
    );
    let printed = shown.and_then(|shown| print(&shown));
    let kept = keep(&Contents {
        spec: &run_text(workload),
        files: &workload.files,
        result: &document,
        report: &written::markdown(&report()),
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
