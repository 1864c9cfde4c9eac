//! The directory of a run: the resolved spec and the result document.
//!
//! It appears whole or not at all: its files are written into a directory beside it, which is then renamed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The resolved spec's file name.
const SPEC: &str = "spec.yaml";
/// The result document's file name.
const RESULT: &str = "result.json";

/// A place that may be written to.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    replace: bool,
}

impl RunDirectory {
    /// The place `path`; results that are there are only replaced with `force`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it holds results, or is something else than a directory of results.
    pub fn claim(path: &Path, force: bool) -> Result<RunDirectory, Failure> {
        let shown = path.display();
        let replace = match std::fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                return Err(Failure::Usage(format!(
                    "--out {shown} cannot be used: {error}; name a new directory"
                )));
            }
            Ok(entries) => {
                let names: Vec<_> = entries
                    .filter_map(Result::ok)
                    .map(|entry| entry.file_name())
                    .collect();
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
        Ok(RunDirectory {
            path: path.to_owned(),
            replace,
        })
    }

    /// Writes both files.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses; what was there before is then still there.
    pub fn write(&self, spec: &str, result: &str) -> Result<(), Failure> {
        self.try_write(spec, result).map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }

    fn try_write(&self, spec: &str, result: &str) -> io::Result<()> {
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(parent)?;
        let staged = tempfile::Builder::new()
            .prefix(".blis-")
            .tempdir_in(parent)?;
        let new = staged.path().join("new");
        std::fs::create_dir(&new)?;
        for (name, text) in [(SPEC, spec), (RESULT, result)] {
            let mut file = std::fs::File::create(new.join(name))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
        }
        if self.replace {
            // A directory cannot be renamed over one that holds files, so the old one steps aside first.
            let old = staged.path().join("old");
            std::fs::rename(&self.path, &old)?;
            if let Err(why) = std::fs::rename(&new, &self.path) {
                std::fs::rename(&old, &self.path)?;
                return Err(why);
            }
            return Ok(());
        }
        std::fs::rename(&new, &self.path)
    }
}
