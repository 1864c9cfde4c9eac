//! The directory of a search: its document and report, the spec, and the run of every trial, each in a folder that
//! `blis report` shows.
//!
//! It appears whole or not at all. In a directory that exists everything is written aside first and then takes its place.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use blis_live::journal::{NamedText, Readers};
use blis_sim::result::CEILING_SCHEMA;
use blis_sim::spec::error::shown;
use serde::Deserialize;

use super::csv;
use super::document::Tried;
use crate::exit::Failure;
use crate::input_files::{Copy, FOLDER};
use crate::report;
use crate::run_directory::{
    Contents, REPORT, SCHEMA, SPEC, UNFINISHED, nearest_directory, parent, stage, write_file,
    write_files,
};
use blis_sim::result::CeilingResult;

/// Most bytes of a document that is read.
const MOST_BYTES: u64 = 1 << 30;
/// The document's file name.
pub const CEILING: &str = "ceiling.json";
/// The rows' file name.
const ROWS: &str = "trials.csv";
/// The folder of trials.
const TRIALS: &str = "trials";
/// Whatever a search writes; the document, by which one is recognised, takes its place last.
const NAMES: [&str; 7] = [TRIALS, ROWS, FOLDER, SCHEMA, SPEC, REPORT, CEILING];

/// A place that a search can be written to.
#[derive(Debug)]
pub struct SearchDirectory {
    path: PathBuf,
    exists: bool,
}

/// What is written of a search.
#[derive(Debug)]
pub struct Kept<'a> {
    /// The document.
    pub found: &'a CeilingResult,
    /// The spec as it is written.
    pub spec: &'a str,
    /// The files that it refers to.
    pub files: &'a [Copy],
    /// The report as Markdown.
    pub report: &'a str,
    /// The trials.
    pub tried: &'a [Tried],
    /// What the user calls the spec.
    pub file: Option<&'a str>,
}

impl SearchDirectory {
    /// The place `path`; a search that is there is only replaced with `force`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it holds anything else, or cannot be written.
    pub fn claim(path: &Path, force: bool) -> Result<SearchDirectory, Failure> {
        let name = path.display();
        let unusable = |error: io::Error| {
            Failure::Usage(format!(
                "--out {name} cannot be used: {error}; name a new directory in a place that can be written"
            ))
        };
        let exists = match std::fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => false,
            Err(error) => return Err(unusable(error)),
            Ok(entries) => {
                let names =
                    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
                let names: Vec<String> = names.collect::<io::Result<_>>().map_err(unusable)?;
                replaceable(path, &names, force).map_err(Failure::Usage)?;
                true
            }
        };
        stage(nearest_directory(path)).map_err(unusable)?;
        Ok(SearchDirectory {
            path: path.to_owned(),
            exists,
        })
    }

    /// Writes a search.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses; what was there before is then still there.
    pub fn write(&self, kept: &Kept<'_>) -> Result<(), Failure> {
        let document = kept.found.to_json()?;
        let runs = kept.tried.iter().map(|tried| tried.run.to_json());
        let runs: Vec<String> = runs.collect::<Result<_, _>>()?;
        let written = match self.exists {
            true => self.fill(kept, &document, &runs),
            false => self.create(kept, &document, &runs),
        };
        written.map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }

    fn create(&self, kept: &Kept<'_>, document: &str, runs: &[String]) -> io::Result<()> {
        let parent = parent(&self.path);
        std::fs::create_dir_all(parent)?;
        let staged = stage(parent)?;
        let new = staged.path().join("new");
        std::fs::create_dir(&new)?;
        write(&new, kept, document, runs)?;
        std::fs::rename(&new, &self.path)
    }

    /// The directory itself stays, since it may be a link or a mount point.
    fn fill(&self, kept: &Kept<'_>, document: &str, runs: &[String]) -> io::Result<()> {
        let staged = stage(&self.path)?;
        let (new, former) = (staged.path().join("new"), staged.path().join("former"));
        std::fs::create_dir(&new)?;
        std::fs::create_dir(&former)?;
        write(&new, kept, document, runs)?;
        for (taken, name) in NAMES.iter().enumerate() {
            if let Err(why) = exchange(&self.path.join(name), &new.join(name), &former.join(name)) {
                for name in &NAMES[..taken] {
                    let place = self.path.join(name);
                    exchange(&place, &former.join(name), &new.join(name))?;
                }
                return Err(why);
            }
        }
        Ok(())
    }
}

/// The document of the search that a directory holds; `None` where it holds none.
///
/// # Errors
/// [`Failure::Usage`] when it cannot be read.
pub fn found_in(directory: &Path) -> Result<Option<CeilingResult>, Failure> {
    let path = directory.join(CEILING);
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = |why: String| {
        Failure::Usage(format!(
            "no search can be read there: {}: {why}; name a directory that `blis max-rps --out` wrote",
            path.display()
        ))
    };
    let mut text = String::new();
    let opened = File::open(&path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    opened.map_err(|why| unreadable(why.to_string()))?;
    let found: CeilingResult =
        serde_json::from_str(&text).map_err(|why| unreadable(why.to_string()))?;
    match found.schema == CEILING_SCHEMA {
        true => Ok(Some(found)),
        false => Err(unreadable(format!(
            "its schema is {}",
            shown(&found.schema)
        ))),
    }
}

/// Puts `new` in its place, if there is one, and what was there aside.
fn exchange(place: &Path, new: &Path, aside: &Path) -> io::Result<()> {
    let there = place.symlink_metadata().is_ok();
    if there {
        std::fs::rename(place, aside)?;
    }
    let taken = match new.exists() {
        true => std::fs::rename(new, place),
        false => Ok(()),
    };
    if taken.is_err() && there {
        std::fs::rename(aside, place)?;
    }
    taken
}

/// Whether what a directory holds may be replaced.
fn replaceable(path: &Path, names: &[String], force: bool) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Document {
        schema: String,
    }
    let name = path.display();
    let held: Vec<&String> = names
        .iter()
        .filter(|name| !name.starts_with(UNFINISHED))
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let foreign = held.iter().find(|name| !NAMES.contains(&name.as_str()));
    if let Some(foreign) = foreign {
        return Err(format!(
            "--out {name} holds {}, which no search wrote; name a new directory",
            shown(foreign)
        ));
    }
    let text = std::fs::read_to_string(path.join(CEILING)).unwrap_or_default();
    let document = serde_json::from_str::<Document>(&text);
    match document.is_ok_and(|document| document.schema == CEILING_SCHEMA) {
        false => Err(format!(
            "--out {name} holds files without the {CEILING} of a search; name a new directory"
        )),
        true if force => Ok(()),
        true => Err(format!("--out {name} holds a search; --force replaces it")),
    }
}

fn write(directory: &Path, kept: &Kept<'_>, document: &str, runs: &[String]) -> io::Result<()> {
    let text = |name: &str, text: &str| NamedText {
        name: name.to_owned(),
        text: text.to_owned(),
        readers: Readers::Anyone,
    };
    if !kept.files.is_empty() {
        std::fs::create_dir(directory.join(FOLDER))?;
    }
    let files = [
        text(CEILING, document),
        text(REPORT, kept.report),
        text(SPEC, kept.spec),
        text(SCHEMA, &blis_sim::spec::json_schema()),
        text(ROWS, &csv::rows(kept.found)),
    ];
    let copies = kept.files.iter().map(Copy::named_text);
    for file in copies.chain(files) {
        write_file(directory, &file)?;
    }
    let trials = directory.join(TRIALS);
    std::fs::create_dir(&trials)?;
    for ((number, tried), result) in (1..).zip(kept.tried).zip(runs) {
        let folder = trials.join(format!("{number:03}"));
        std::fs::create_dir(&folder)?;
        let report = report::markdown(&report::run(kept.file, &tried.run));
        let contents = Contents {
            spec: &tried.spec,
            result,
            report: &report,
            files: kept.files,
        };
        write_files(&folder, &contents)?;
    }
    Ok(())
}
