//! The directory of a run: the resolved spec with its schema and copies of the files that it refers to, the result
//! document and the report.
//!
//! Whether it can be written is found out before the run. A new directory appears whole or not at all: its files
//! are written into a directory beside it, which is then renamed. In a directory that exists all files are
//! written aside first and then take their places; when one cannot, those before it give their places back.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::exit::Failure;
use crate::input_files::{Copy, FOLDER};

/// The resolved spec's file name.
pub const SPEC: &str = "spec.yaml";
/// The result document's file name.
pub const RESULT: &str = "result.json";
/// The report's file name.
const REPORT: &str = "report.md";
/// The name of the schema of specs, which the first line of the resolved spec refers to.
const SCHEMA: &str = "spec.schema.json";
/// All of them, and the folder of copies, which is not always there. The last to take its place is the result, without
/// which a directory holds no run.
const NAMES: [&str; 5] = [FOLDER, SCHEMA, SPEC, REPORT, RESULT];
/// How the names of unfinished directories and files start.
pub const UNFINISHED: &str = ".blis-";

/// What is written into the directory.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    /// The resolved spec.
    pub spec: &'a str,
    /// The result document.
    pub result: &'a str,
    /// The report as Markdown.
    pub report: &'a str,
    /// The files that the spec refers to.
    pub files: &'a [Copy],
}

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
                if let Some(other) = names.iter().find(|name| !of_a_run(name)) {
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

    /// Writes all files.
    ///
    /// # Errors
    /// [`Failure::Output`] when the file system refuses; what was there before is then still there.
    pub fn write(&self, contents: &Contents<'_>) -> Result<(), Failure> {
        let written = match self.exists {
            true => self.fill(contents),
            false => self.create(contents),
        };
        written.map_err(|why| Failure::Output {
            to: self.path.display().to_string(),
            why,
        })
    }

    fn create(&self, contents: &Contents<'_>) -> io::Result<()> {
        let parent = parent(&self.path);
        std::fs::create_dir_all(parent)?;
        let staged = stage(parent)?;
        let new = staged.path().join("new");
        std::fs::create_dir(&new)?;
        write_files(&new, contents)?;
        std::fs::rename(&new, &self.path)
    }

    /// The directory itself stays, since it may be a link, a mount point or the current directory.
    fn fill(&self, contents: &Contents<'_>) -> io::Result<()> {
        let staged = stage(&self.path)?;
        write_files(staged.path(), contents)?;
        let former = staged.path().join("former");
        std::fs::create_dir(&former)?;
        for (taken, name) in NAMES.iter().enumerate() {
            if let Err(why) = self.replace(name, staged.path(), &former) {
                let given_back = NAMES[..taken]
                    .iter()
                    .try_for_each(|name| self.give_back(name, &former));
                return given_back.and(Err(why));
            }
        }
        Ok(())
    }

    /// Puts a file in its place; what was there goes to `former`, and comes back if the file cannot.
    fn replace(&self, name: &str, staged: &Path, former: &Path) -> io::Result<()> {
        let place = self.path.join(name);
        if name != FOLDER && place.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        match std::fs::rename(&place, former.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if !staged.join(name).exists() {
            return Ok(());
        }
        let taken = std::fs::rename(staged.join(name), &place);
        if taken.is_err() && former.join(name).exists() {
            std::fs::rename(former.join(name), &place)?;
        }
        taken
    }

    /// Undoes a replacement.
    fn give_back(&self, name: &str, former: &Path) -> io::Result<()> {
        let place = self.path.join(name);
        // A folder does not take the place of another.
        if name == FOLDER && place.is_dir() {
            std::fs::remove_dir_all(&place)?;
        }
        match std::fs::rename(former.join(name), &place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match place.is_dir() {
                true => std::fs::remove_dir_all(&place),
                false => std::fs::remove_file(&place).or_else(absent_is_fine),
            },
            outcome => outcome,
        }
    }
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn of_a_run(name: &OsStr) -> bool {
    NAMES.iter().any(|known| name == *known)
}

/// A directory for unfinished files, which vanishes with the value.
fn stage(within: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(within)
}

fn write_files(directory: &Path, contents: &Contents<'_>) -> io::Result<()> {
    let schema = blis_sim::spec::json_schema();
    let files = [
        (SCHEMA, schema.as_str()),
        (SPEC, contents.spec),
        (REPORT, contents.report),
        (RESULT, contents.result),
    ];
    for (name, text) in files {
        write_file(&directory.join(name), text)?;
    }
    if contents.files.is_empty() {
        return Ok(());
    }
    let folder = directory.join(FOLDER);
    std::fs::create_dir(&folder)?;
    let mut copies = contents.files.iter();
    copies.try_for_each(|copy| write_file(&folder.join(&copy.name), &copy.text))
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
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
