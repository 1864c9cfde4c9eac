//! The directory of a run: the resolved spec, the result document, and copies of the files that the spec refers to.
//!
//! Whether it can be written is found out before the run. A new directory appears whole or not at all: its files
//! are written into a directory beside it, which is then renamed. In a directory that exists everything is
//! written aside first and then takes its place; when something cannot, what was there before gets its place back.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::exit::Failure;
use crate::input_files::{Copy, FOLDER};

/// The resolved spec's file name.
const SPEC: &str = "spec.yaml";
/// The result document's file name.
const RESULT: &str = "result.json";
/// How the names of unfinished directories start.
const UNFINISHED: &str = ".blis-";

/// A place that can be written to.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    exists: bool,
}

impl RunDirectory {
    /// The place `path`; results that are there are only replaced with `force`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it holds results, is something else than a directory of results, or cannot be
    /// written.
    pub fn claim(path: &Path, force: bool) -> Result<RunDirectory, Failure> {
        let shown = path.display();
        let unusable = |error: io::Error| {
            Failure::Usage(format!(
                "--out {shown} cannot be used: {error}; name a new directory in a place that can be written"
            ))
        };
        let exists = match std::fs::read_dir(path) {
            // A link that leads nowhere is not a free place.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => false,
            Err(error) => return Err(unusable(error)),
            Ok(entries) => {
                let names = entries.map(|entry| Ok(entry?.file_name()));
                let mut names: Vec<_> = names.collect::<io::Result<_>>().map_err(unusable)?;
                names.retain(|name| !name.to_string_lossy().starts_with(UNFINISHED));
                let ours = [SPEC, RESULT, FOLDER];
                if let Some(other) = names.iter().find(|name| ours.iter().all(|our| name != our)) {
                    return Err(Failure::Usage(format!(
                        "--out {shown} holds {}, which is not of a run; name a new directory",
                        other.display()
                    )));
                }
                if !names.is_empty() && !force {
                    return Err(Failure::Usage(format!(
                        "--out {shown} holds the results of a run; --force replaces them"
                    )));
                }
                true
            }
        };
        // The directory of this trial is gone again at once.
        stage(nearest_directory(path)).map_err(unusable)?;
        Ok(RunDirectory {
            path: path.to_owned(),
            exists,
        })
    }

    /// Writes the spec, the result and the copies of files.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses; what was there before is then still there.
    pub fn write(&self, spec: &str, result: &str, files: &[Copy]) -> Result<(), Failure> {
        let written = match self.exists {
            true => self.fill(spec, result, files),
            false => self.create(spec, result, files),
        };
        written.map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }

    fn create(&self, spec: &str, result: &str, files: &[Copy]) -> io::Result<()> {
        let parent = parent(&self.path);
        std::fs::create_dir_all(parent)?;
        let staged = stage(parent)?;
        let new = staged.path().join("new");
        std::fs::create_dir(&new)?;
        write_files(&new, spec, result, files)?;
        std::fs::rename(&new, &self.path)
    }

    /// The directory itself stays, since it may be a link, a mount point or the current directory.
    fn fill(&self, spec: &str, result: &str, files: &[Copy]) -> io::Result<()> {
        let staged = stage(&self.path)?;
        write_files(staged.path(), spec, result, files)?;
        let old = staged.path().join("old");
        std::fs::create_dir(&old)?;
        // Whether there is a new one of each.
        let names = [(FOLDER, !files.is_empty()), (SPEC, true)];
        let mut taken = names
            .iter()
            .try_for_each(|(name, _)| take_place(name, staged.path(), &old, &self.path));
        if taken.is_ok() {
            taken = std::fs::rename(staged.path().join(RESULT), self.path.join(RESULT));
        }
        if taken.is_err() {
            for (name, new) in names.iter().rev() {
                give_back(name, *new, staged.path(), &old, &self.path)?;
            }
        }
        taken
    }
}

/// Puts what was there before aside, and what is new in its place.
fn take_place(name: &str, staged: &Path, old: &Path, path: &Path) -> io::Result<()> {
    rename_if_there(&path.join(name), &old.join(name))?;
    rename_if_there(&staged.join(name), &path.join(name))
}

/// Undoes [`take_place`], as far as it came.
fn give_back(name: &str, new: bool, staged: &Path, old: &Path, path: &Path) -> io::Result<()> {
    if new && !staged.join(name).exists() {
        rename_if_there(&path.join(name), &staged.join(name))?;
    }
    rename_if_there(&old.join(name), &path.join(name))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A directory for unfinished files, which vanishes with the value.
fn stage(within: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(within)
}

fn write_files(directory: &Path, spec: &str, result: &str, files: &[Copy]) -> io::Result<()> {
    let folder = directory.join(FOLDER);
    if !files.is_empty() {
        std::fs::create_dir(&folder)?;
    }
    let copies = files
        .iter()
        .map(|copy| (folder.join(&copy.name), copy.text.as_str()));
    let own = [
        (directory.join(SPEC), spec),
        (directory.join(RESULT), result),
    ];
    for (path, text) in own.into_iter().chain(copies) {
        let mut file = std::fs::File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path itself or the nearest of those above it that exists.
fn nearest_directory(path: &Path) -> &Path {
    let exists = |above: &&Path| !above.as_os_str().is_empty() && above.exists();
    path.ancestors().find(exists).unwrap_or(Path::new("."))
}
