//! The directory of a run: the resolved spec and the result document.
//!
//! Whether it can be written is found out before the run. A new directory appears whole or not at all: its files
//! are written into a directory beside it, which is then renamed. In a directory that exists both files are
//! written aside first and then take their places; when the second cannot, the first gives its place back.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::exit::Failure;

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
                if let Some(other) = names.iter().find(|name| *name != SPEC && *name != RESULT) {
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

    /// Writes both files.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses; what was there before is then still there.
    pub fn write(&self, spec: &str, result: &str) -> Result<(), Failure> {
        let written = match self.exists {
            true => self.fill(spec, result),
            false => self.create(spec, result),
        };
        written.map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }

    fn create(&self, spec: &str, result: &str) -> io::Result<()> {
        let parent = parent(&self.path);
        std::fs::create_dir_all(parent)?;
        let staged = stage(parent)?;
        let new = staged.path().join("new");
        std::fs::create_dir(&new)?;
        write_files(&new, spec, result)?;
        std::fs::rename(&new, &self.path)
    }

    /// The directory itself stays, since it may be a link, a mount point or the current directory.
    fn fill(&self, spec: &str, result: &str) -> io::Result<()> {
        let staged = stage(&self.path)?;
        write_files(staged.path(), spec, result)?;
        let old = staged.path().join("old");
        let place = self.path.join(SPEC);
        let replaced = match std::fs::rename(&place, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        let taken = std::fs::rename(staged.path().join(SPEC), &place)
            .and_then(|()| std::fs::rename(staged.path().join(RESULT), self.path.join(RESULT)));
        if taken.is_err() && replaced {
            std::fs::rename(&old, &place)?;
        } else if taken.is_err() {
            std::fs::remove_file(&place)?;
        }
        taken
    }
}

/// A directory for unfinished files, which vanishes with the value.
fn stage(within: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(within)
}

fn write_files(directory: &Path, spec: &str, result: &str) -> io::Result<()> {
    for (name, text) in [(SPEC, spec), (RESULT, result)] {
        let mut file = std::fs::File::create(directory.join(name))?;
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
