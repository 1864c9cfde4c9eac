//! The contents of a directory: a run, or something that must not be overwritten.
//!
//! A run is recognised by what only a run writes: its result or its manifest by their schemas, its segments by their first
//! bytes, its copies of files by their hashes. Names alone prove nothing: `spec.yaml`, `files/` and `journal/` are common names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use blis_live::journal::frame::{Beginning, HEADER, Header};
use blis_live::journal::{JOURNAL, MANIFEST, RECORD, SEGMENT, UNFINISHED};
use blis_sim::result::{MANIFEST_SCHEMA, SCHEMA as RESULT_SCHEMA};
use blis_sim::spec;
use serde::Deserialize;

use crate::input_files::FOLDER;
use crate::runs::names::{REPORT, RESULT, SCHEMA, SPEC};

/// Most bytes of a document that is looked into.
const MOST_BYTES: u64 = 1 << 30;

/// What a directory holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Contents {
    /// Nothing.
    Nothing,
    /// A run, and nothing else.
    Run(Held),
    /// Something that is not of a run, by its path in the directory, and why.
    Foreign(PathBuf, &'static str),
}

/// A run in a directory.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// The name of its spec.
    pub name: String,
    /// Whether it is the record of a run without a result.
    pub is_unfinished: bool,
}

/// What of a result or a manifest says which files the run wrote.
#[derive(Debug, Deserialize)]
struct Document {
    schema: String,
    spec: Identity,
}

#[derive(Debug, Deserialize)]
struct Identity {
    name: String,
    resolved_sha256: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

const OTHER: &str = "which is not from a run";
const CHANGED: &str = "which was changed after the run";

/// Looks into a directory.
///
/// # Errors
/// Those of the file system.
pub fn look(directory: &Path) -> io::Result<Contents> {
    let mut names = names(directory)?;
    // Leftovers of writing that was cut short.
    names.retain(|name| !name.starts_with(UNFINISHED));
    if names.is_empty() {
        return Ok(Contents::Nothing);
    }
    let journal = directory.join(JOURNAL);
    let has_journal = names.iter().any(|name| name == JOURNAL);
    let result = document(&directory.join(RESULT), &[RESULT_SCHEMA])?;
    let manifest = document(&directory.join(MANIFEST), &[MANIFEST_SCHEMA])?;
    let begun = document(&journal.join(MANIFEST), &[MANIFEST_SCHEMA])?;
    let finished = result.as_ref().or(manifest.as_ref());
    if has_journal && let Some(foreign) = in_journal(directory, begun.as_ref())? {
        return Ok(foreign);
    }
    for name in names.iter().filter(|name| *name != JOURNAL) {
        if let Some(why) = not_of_a_run(directory, name, finished)? {
            return Ok(why);
        }
    }
    let found = finished.or(begun.as_ref());
    Ok(match found {
        Some(found) => Contents::Run(Held {
            name: found.spec.name.clone(),
            is_unfinished: has_journal,
        }),
        None => Contents::Run(Held {
            // Segments are a run's whatever is lost beside them.
            name: String::new(),
            is_unfinished: true,
        }),
    })
}

/// The names in a directory, in order.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let names = std::fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn foreign(path: impl Into<PathBuf>, why: &'static str) -> Option<Contents> {
    Some(Contents::Foreign(path.into(), why))
}

/// What in the top of a directory is not of the run with this document.
fn not_of_a_run(
    directory: &Path,
    name: &str,
    run: Option<&Document>,
) -> io::Result<Option<Contents>> {
    let path = directory.join(name);
    let Some(run) = run else {
        return Ok(match name {
            RECORD if is_segment(&path)? => None,
            RESULT | MANIFEST | RECORD | SPEC | REPORT | SCHEMA | FOLDER => {
                foreign(name, "without a result or record of a run")
            }
            _ => foreign(name, OTHER),
        });
    };
    Ok(match name {
        SPEC => of_hash(&path, name, &run.spec.resolved_sha256)?,
        FOLDER => in_files(directory, Path::new(FOLDER), &run.spec)?,
        RECORD if is_segment(&path)? => None,
        // Both were read before.
        RESULT if document(&path, &[RESULT_SCHEMA])?.is_some() => None,
        MANIFEST if document(&path, &[MANIFEST_SCHEMA])?.is_some() => None,
        SCHEMA | REPORT if is_file(&path) => None,
        _ => foreign(name, OTHER),
    })
}

/// What in the journal of a run is not of it.
fn in_journal(directory: &Path, begun: Option<&Document>) -> io::Result<Option<Contents>> {
    let within = Path::new(JOURNAL);
    let journal = directory.join(JOURNAL);
    if std::fs::symlink_metadata(&journal)?.is_symlink() || !journal.is_dir() {
        return Ok(foreign(JOURNAL, OTHER));
    }
    let mut segments = 0;
    for name in names(&journal)? {
        let path = journal.join(&name);
        let found = match (name.as_str(), begun) {
            (name, _) if name.ends_with(SEGMENT) && is_segment(&path)? => {
                segments += 1;
                None
            }
            (MANIFEST, Some(_)) => None,
            (SPEC, Some(begun)) => of_hash(&path, within.join(SPEC), &begun.spec.resolved_sha256)?,
            (FOLDER, Some(begun)) => in_files(directory, &within.join(FOLDER), &begun.spec)?,
            (name, _) => foreign(within.join(name), OTHER),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(match segments > 0 || begun.is_some() {
        true => None,
        false => foreign(JOURNAL, OTHER),
    })
}

/// What among the copies of files is not one that the run made.
fn in_files(directory: &Path, within: &Path, run: &Identity) -> io::Result<Option<Contents>> {
    let folder = directory.join(within);
    if std::fs::symlink_metadata(&folder)?.is_symlink() || !folder.is_dir() {
        return Ok(foreign(within, OTHER));
    }
    for name in names(&folder)? {
        let path = within.join(&name);
        let found = match run.files.get(&format!("{FOLDER}/{name}")) {
            Some(hash) => of_hash(&folder.join(&name), path, hash)?,
            None => foreign(path, OTHER),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn of_hash(path: &Path, shown: impl Into<PathBuf>, hash: &str) -> io::Result<Option<Contents>> {
    if !is_file(path) {
        return Ok(foreign(shown, OTHER));
    }
    Ok(match spec::sha256(bytes(path)?) == hash {
        true => None,
        false => foreign(shown, CHANGED),
    })
}

/// Whether there is a regular file, itself and not by a link.
fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|there| there.is_file())
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A document of one of these schemas; `None` where there is none.
fn document(path: &Path, schemas: &[&str]) -> io::Result<Option<Document>> {
    if !is_file(path) {
        return Ok(None);
    }
    let reader = BufReader::new(File::open(path)?.take(MOST_BYTES));
    let read: Result<Document, _> = serde_json::from_reader(reader);
    let read = match read {
        Err(why) if why.is_io() => return Err(why.into()),
        read => read.ok(),
    };
    Ok(read.filter(|document| schemas.contains(&document.schema.as_str())))
}

/// Whether a file begins as a segment does, or is one whose beginning was cut short.
fn is_segment(path: &Path) -> io::Result<bool> {
    if !is_file(path) {
        return Ok(false);
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(HEADER as u64)
        .read_to_end(&mut bytes)?;
    Ok(!matches!(Header::decode(&bytes), Beginning::Foreign))
}
