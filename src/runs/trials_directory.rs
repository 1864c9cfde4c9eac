//! The directory of what many runs came to, a search or a validation: its document and report, the spec, and every run, each in a
//! folder that `blis report` shows.
//!
//! It appears whole or not at all. In a directory that exists everything is written aside first and then takes its place.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use blis_live::journal::{NamedText, Readers};
use blis_live::os_error::unnumbered;
use blis_sim::result::CEILING_SCHEMA;
use blis_sim::spec::error::shown;
use blis_sim::validation::VALIDATION_SCHEMA;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ceiling::Tried;
use crate::exit::Failure;
use crate::input_files::{Copy, FOLDER};
use crate::report;
use crate::runs::directory::{
    Contents, UNFINISHED, nearest_directory, parent, stage, write_file, write_files,
};
use crate::runs::names::{REPORT, SCHEMA, SPEC};
use crate::schemas;
/// Most bytes of a document that is read.
const MOST_BYTES: u64 = 1 << 30;
/// The rows' file name.
const ROWS: &str = "trials.csv";
/// The folder of trials.
const TRIALS: &str = "trials";

/// What a directory is of.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The file name of its document, by which it is recognised.
    pub document: &'static str,
    schema: &'static str,
    /// What people call it.
    what: &'static str,
    /// The command that writes it.
    command: &'static str,
}

/// A search for a ceiling.
pub const SEARCH: Kind = Kind {
    document: "ceiling.json",
    schema: CEILING_SCHEMA,
    what: "search",
    command: "max-rps",
};
/// A validation of a model.
pub const VALIDATION: Kind = Kind {
    document: "validation.json",
    schema: VALIDATION_SCHEMA,
    what: "validation",
    command: "validate",
};

impl Kind {
    /// Whatever is written; the document takes its place last.
    fn names(self) -> [&'static str; 7] {
        [TRIALS, ROWS, FOLDER, SCHEMA, SPEC, REPORT, self.document]
    }
}

/// A place that can be written to.
#[derive(Debug)]
pub struct TrialsDirectory {
    path: PathBuf,
    kind: Kind,
    exists: bool,
}

/// What is written.
#[derive(Debug)]
pub struct Kept<'a> {
    /// The document.
    pub document: &'a str,
    /// The trials as rows of comma-separated values, where it has them.
    pub rows: Option<String>,
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

impl TrialsDirectory {
    /// The place `path`; what is there of the same kind is only replaced with `force`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it holds anything else, or cannot be written.
    pub fn claim(path: &Path, kind: Kind, force: bool) -> Result<TrialsDirectory, Failure> {
        let name = path.display();
        let unusable = |error: io::Error| {
            Failure::Usage(format!(
                "--out {name} cannot be used: {}; name a new directory in a place that can be written",
                unnumbered(&error)
            ))
        };
        let exists = match std::fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => false,
            Err(error) => return Err(unusable(error)),
            Ok(entries) => {
                let names =
                    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
                let names: Vec<String> = names.collect::<io::Result<_>>().map_err(unusable)?;
                replaceable(path, kind, &names, force).map_err(Failure::Usage)?;
                true
            }
        };
        stage(nearest_directory(path)).map_err(unusable)?;
        Ok(TrialsDirectory {
            path: path.to_owned(),
            kind,
            exists,
        })
    }

    /// Writes what came of them.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses; what was there before is then still there.
    pub fn write(&self, kept: &Kept<'_>) -> Result<(), Failure> {
        let runs = kept.tried.iter().map(|tried| tried.run.to_json());
        let runs: Vec<String> = runs.collect::<Result<_, _>>()?;
        let written = match self.exists {
            true => self.fill(kept, &runs),
            false => self.create(kept, &runs),
        };
        written.map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }

    fn create(&self, kept: &Kept<'_>, runs: &[String]) -> io::Result<()> {
        let parent = parent(&self.path);
        std::fs::create_dir_all(parent)?;
        let staged = stage(parent)?;
        let new = staged.path().join("new");
        std::fs::create_dir(&new)?;
        write(&new, self.kind, kept, runs)?;
        std::fs::rename(&new, &self.path)
    }

    /// The directory itself stays, since it may be a link or a mount point.
    fn fill(&self, kept: &Kept<'_>, runs: &[String]) -> io::Result<()> {
        let staged = stage(&self.path)?;
        let (new, former) = (staged.path().join("new"), staged.path().join("former"));
        std::fs::create_dir(&new)?;
        std::fs::create_dir(&former)?;
        write(&new, self.kind, kept, runs)?;
        let names = self.kind.names();
        for (taken, name) in names.iter().enumerate() {
            if let Err(why) = exchange(&self.path.join(name), &new.join(name), &former.join(name)) {
                for name in &names[..taken] {
                    let place = self.path.join(name);
                    exchange(&place, &former.join(name), &new.join(name))?;
                }
                return Err(why);
            }
        }
        Ok(())
    }
}

/// The document of a kind that a directory holds; `None` where it holds none.
///
/// # Errors
/// [`Failure::Usage`] when it cannot be read.
pub fn found_in<T: DeserializeOwned>(directory: &Path, kind: Kind) -> Result<Option<T>, Failure> {
    let path = directory.join(kind.document);
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = |why: String| {
        Failure::Usage(format!(
            "no {} can be read from {}: {why}; name a directory that `blis {} --out` wrote",
            kind.what,
            path.display(),
            kind.command
        ))
    };
    let mut text = String::new();
    let opened = File::open(&path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    opened.map_err(|why| unreadable(unnumbered(&why)))?;
    let of: Schema = serde_json::from_str(&text).map_err(|why| unreadable(why.to_string()))?;
    match of.schema == kind.schema {
        true => serde_json::from_str(&text)
            .map(Some)
            .map_err(|why| unreadable(why.to_string())),
        false => Err(unreadable(format!("its schema is {}", shown(&of.schema)))),
    }
}

/// What every document begins with.
#[derive(Deserialize)]
struct Schema {
    schema: String,
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
fn replaceable(path: &Path, kind: Kind, names: &[String], force: bool) -> Result<(), String> {
    let (what, document) = (kind.what, kind.document);
    let name = path.display();
    let held: Vec<&String> = names
        .iter()
        .filter(|name| !name.starts_with(UNFINISHED))
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let foreign = held
        .iter()
        .find(|name| !kind.names().contains(&name.as_str()));
    if let Some(foreign) = foreign {
        return Err(format!(
            "--out {name} holds {}, which is not from a {what}; name a new directory",
            shown(foreign)
        ));
    }
    let text = std::fs::read_to_string(path.join(document)).unwrap_or_default();
    let of = serde_json::from_str::<Schema>(&text);
    match of.is_ok_and(|of| of.schema == kind.schema) {
        false => Err(format!(
            "--out {name} holds files, but no {document} of a {what}; name a new directory"
        )),
        true if force => Ok(()),
        true => Err(format!(
            "--out {name} holds a {what}; overwrite it with --force"
        )),
    }
}

fn write(directory: &Path, kind: Kind, kept: &Kept<'_>, runs: &[String]) -> io::Result<()> {
    let text = |name: &str, text: &str| NamedText {
        name: name.to_owned(),
        text: text.to_owned(),
        readers: Readers::Anyone,
    };
    if !kept.files.is_empty() {
        std::fs::create_dir(directory.join(FOLDER))?;
    }
    let files = [
        text(kind.document, kept.document),
        text(REPORT, kept.report),
        text(SPEC, kept.spec),
        text(SCHEMA, schemas::SPEC),
    ];
    let rows = kept.rows.as_ref().map(|rows| text(ROWS, rows));
    let copies = kept.files.iter().map(Copy::named_text);
    for file in copies.chain(files).chain(rows) {
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
