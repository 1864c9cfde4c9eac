//! The trials of a search as rows of comma-separated values.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use blis_live::os_error::unnumbered;
use blis_sim::result::{CeilingResult, TrialResult};
use blis_sim::visible;
use tempfile::NamedTempFile;

use crate::exit::Failure;
use crate::report::status_name;
use crate::runs::directory::{nearest_directory, parent};

/// The names of the columns.
const COLUMNS: &str = "trial,load,unit,paths,sent_rps,ok_rps,intended,ok,app_error,rejected,timed_out,transport_error,\
    dropped,unresolved,error_share,mean_ms,p50_ms,p90_ms,p95_ms,p99_ms,p999_ms,max_ms,verdict,generator_limited,\
    more_needed,reasons";

/// A file of trials that can be written.
#[derive(Debug)]
pub struct CsvFile {
    path: PathBuf,
}

impl CsvFile {
    /// The place `path`; a file that is there is only replaced with `force`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it is taken or cannot be written.
    pub fn claim(path: &Path, force: bool) -> Result<CsvFile, Failure> {
        let name = path.display();
        let why = match path {
            _ if path.is_dir() => "is a directory; name a file".to_owned(),
            _ if path.exists() && !force => "exists; overwrite it with --force".to_owned(),
            _ => match NamedTempFile::new_in(nearest_directory(parent(path))) {
                Ok(_) => {
                    return Ok(CsvFile {
                        path: path.to_owned(),
                    });
                }
                Err(why) => format!(
                    "cannot be written: {}; name a file in a directory that can be written",
                    unnumbered(&why)
                ),
            },
        };
        Err(Failure::Usage(format!("--csv {name} {why}")))
    }

    /// Writes the rows of a search: the file appears whole or not at all.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses.
    pub fn write(&self, found: &CeilingResult) -> Result<(), Failure> {
        let written = || -> io::Result<()> {
            std::fs::create_dir_all(parent(&self.path))?;
            let mut file = NamedTempFile::new_in(parent(&self.path))?;
            file.write_all(rows(found).as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        written().map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }
}

/// A heading and a row for each trial.
pub fn rows(found: &CeilingResult) -> String {
    let mut text = format!("{COLUMNS}\n");
    for (number, trial) in (1..).zip(&found.trials) {
        text.push_str(&row(number, trial, &found.varied.unit));
        text.push('\n');
    }
    text
}

fn row(number: usize, trial: &TrialResult, unit: &str) -> String {
    fn shown(value: Option<f64>) -> String {
        value.map_or_else(String::new, |value| value.to_string())
    }
    let counts = &trial.window.requests;
    let times = &trial.latency_ms.response;
    let whole = [
        counts.intended,
        counts.ok,
        counts.app_error,
        counts.rejected,
        counts.timed_out,
        counts.transport_error,
        counts.dropped,
        counts.unresolved,
    ];
    let figures = [
        trial.error_share(),
        times.mean,
        times.p50,
        times.p90,
        times.p95,
        times.p99,
        times.p999,
        times.max,
    ];
    let start = [
        number.to_string(),
        trial.load.to_string(),
        unit.to_owned(),
        trial.paths.to_string(),
        shown(trial.achieved_rps),
        shown(trial.throughput_rps),
    ];
    let end = [
        status_name(trial.verdict).to_owned(),
        (!trial.generator_limits.is_empty()).to_string(),
        trial
            .more_needed
            .map_or_else(String::new, |more| more.to_string()),
        quoted(&trial.reasons.join(" ")),
    ];
    let cells = start
        .into_iter()
        .chain(whole.iter().map(u64::to_string))
        .chain(figures.into_iter().map(shown))
        .chain(end);
    cells.collect::<Vec<_>>().join(",")
}

/// A text between quotes, with what is hidden in it made visible.
fn quoted(text: &str) -> String {
    format!("\"{}\"", visible::line(text).replace('"', "\"\""))
}
