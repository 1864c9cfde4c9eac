//! The directory of a run: the resolved spec with its schema and copies of the files that it refers to, the result
//! document and the report.
//!
//! Whether it can be written is found out before the run. A new directory appears whole or not at all: its files
//! are written into a directory beside it, which is then renamed. In a directory that exists all files are
//! written aside first and then take their places; when one cannot, those before it give their places back.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use blis_live::journal::UNFINISHED;
use blis_live::journal::{JOURNAL, MANIFEST, NamedText, RECORD, Readers, folder};
use blis_live::os_error::unnumbered;
use blis_sim::spec::error;
use tempfile::TempDir;

use crate::exit::Failure;
use crate::input_files::{Copy, FOLDER};
use crate::runs::contents;
use crate::runs::names::{REPORT, RESULT, SCHEMA, SPEC};
use crate::schemas;
use crate::workload;

/// All of them, with the folder of copies and the record of a live run, which are not always there. The last to take its
/// place is the result, without which a directory holds no run.
const NAMES: [&str; 8] = [
    JOURNAL, RECORD, MANIFEST, FOLDER, SCHEMA, SPEC, REPORT, RESULT,
];
/// Those that are folders.
const FOLDERS: [&str; 2] = [JOURNAL, FOLDER];

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

impl Contents<'_> {
    /// The files, the result last.
    pub fn texts(&self) -> Vec<NamedText> {
        let copies = self.files.iter().map(Copy::named_text);
        let files = [
            (SCHEMA, schemas::SPEC.to_owned()),
            (SPEC, self.spec.to_owned()),
            (REPORT, self.report.to_owned()),
            (RESULT, self.result.to_owned()),
        ];
        let files = files.map(|(name, text)| NamedText {
            name: name.to_owned(),
            text,
            readers: Readers::Anyone,
        });
        copies.chain(files).collect()
    }
}

/// The names that an earlier run may have left in its directory, but its journal. The result, by which a run is
/// recognised, is the last, so that what is left after a crash is still seen to be of a run.
pub fn former() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(|name| *name != JOURNAL)
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
    /// [`Failure::Usage`] when it holds results, a run that is still going, anything that no run wrote, or cannot be
    /// written.
    pub fn claim(path: &Path, force: bool) -> Result<RunDirectory, Failure> {
        let shown = path.display();
        let unusable = |error: io::Error| {
            Failure::Usage(format!(
                "--out {shown} cannot be used: {}; name a new directory in a place that can be written",
                unnumbered(&error)
            ))
        };
        let exists = match std::fs::read_dir(path) {
            // A link that leads nowhere is not a free place.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => false,
            Err(error) => return Err(unusable(error)),
            Ok(_) => {
                let held = contents::look(path).map_err(unusable)?;
                replaceable(path, held, force).map_err(Failure::Usage)?;
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
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
        if !FOLDERS.contains(&name) && place.is_dir() {
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
        if FOLDERS.contains(&name) && place.is_dir() {
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

/// Whether what a directory holds may be replaced.
fn replaceable(path: &Path, held: contents::Contents, force: bool) -> Result<(), String> {
    let shown = path.display();
    let held = match held {
        contents::Contents::Nothing => return Ok(()),
        contents::Contents::Foreign(what, why) => {
            return Err(format!(
                "--out {shown} holds {}, {why}; name a new directory",
                error::shown(&what.display().to_string())
            ));
        }
        contents::Contents::Run(held) => held,
    };
    if held.is_unfinished && folder::goes_on(path) {
        return Err(format!(
            "--out {shown} holds the record of a run that is still going on; end that run first, or name another directory"
        ));
    }
    if force {
        return Ok(());
    }
    let of = match held.name.is_empty() {
        true => String::new(),
        false => format!(" of {}", error::shown(&held.name)),
    };
    Err(match held.is_unfinished {
        true => format!(
            "--out {shown} holds the record of an interrupted run{of}; read it with `blis report`, or overwrite it with --force"
        ),
        false => {
            format!("--out {shown} holds the results of a run{of}; overwrite them with --force")
        }
    })
}

/// A directory for unfinished files, which vanishes with the value.
pub fn stage(within: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(within)
}

/// Writes the files of a run into a directory that has none of them.
///
/// # Errors
/// Those of the file system.
pub fn write_files(directory: &Path, contents: &Contents<'_>) -> io::Result<()> {
    if !contents.files.is_empty() {
        std::fs::create_dir(directory.join(FOLDER))?;
    }
    let texts = contents.texts();
    let mut files = texts.iter();
    files.try_for_each(|file| write_file(directory, file))
}

/// Writes a file, down to the disk.
///
/// # Errors
/// Those of the file system.
pub fn write_file(directory: &Path, file: &NamedText) -> io::Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    file.readers.restrict(&mut options);
    let mut opened = options.open(directory.join(&file.name))?;
    opened.write_all(file.text.as_bytes())?;
    opened.sync_all()
}

/// The directory that something is in.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path itself or the nearest of those above it that exists.
pub fn nearest_directory(path: &Path) -> &Path {
    let exists = |above: &&Path| !above.as_os_str().is_empty() && above.exists();
    path.ancestors().find(exists).unwrap_or(Path::new("."))
}

/// Refuses a file where a command takes the directory of a run, and says what the file is.
///
/// # Errors
/// [`Failure::Usage`] with the command that would take it.
pub fn refuse_file(path: &Path, command: &str) -> Result<(), Failure> {
    if path.is_dir() || !path.exists() {
        return Ok(());
    }
    let name = path.display();
    let of_a_run = parent(path).join(RESULT).is_file();
    let looks_like_a_spec = || {
        let text = workload::read(path).ok()?.text;
        text.lines()
            .any(|line| line.starts_with("blis:"))
            .then_some(())
    };
    Err(Failure::Usage(match of_a_run {
        true => format!(
            "{name} is a file of a run; give the directory: blis {command} {}",
            parent(path).display()
        ),
        false if looks_like_a_spec().is_some() => format!(
            "{name} is a workload spec, but `blis {command}` takes a run directory; make one with `blis run {name} \
             --out DIR` or `blis observe {name} --url URL --out DIR`"
        ),
        false => format!(
            "{name} is a file, but `blis {command}` takes a run directory; make one with `blis run --out DIR` or `blis \
             observe --out DIR`"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_cannot_be_written_leave_what_was_there() {
        let home = tempfile::tempdir().expect("a folder");
        let out = home.path().join("out");
        let copy = |text: &str| Copy {
            written: "a.csv".to_owned(),
            name: "a.csv".to_owned(),
            text: text.to_owned(),
        };
        let (spec, before) = ("blis: 1\n", [copy("before")]);
        let (hash, of_copy) = (blis_sim::spec::sha256(spec), before[0].sha256());
        let result = format!(
            "{{\"schema\": \"blis.result/1\", \"spec\": {{\"name\": \"a\", \"resolved_sha256\": \"{hash}\", \
             \"files\": {{\"files/a.csv\": \"{of_copy}\"}}}}}}"
        );
        let contents = |files| Contents {
            spec,
            result: &result,
            report: "a report",
            files,
        };
        let place = RunDirectory::claim(&out, false).expect("a free place");
        place.write(&contents(&before)).expect("written");
        // Something takes the place of the result between the claim and the end of the run.
        let place = RunDirectory::claim(&out, true).expect("a run");
        std::fs::remove_file(out.join(RESULT)).expect("removed");
        std::fs::create_dir_all(out.join(RESULT).join("taken")).expect("a folder in its place");
        let after = [copy("after")];
        assert!(place.write(&contents(&after)).is_err());
        let read = |name: &str| std::fs::read_to_string(out.join(name)).expect("a file");
        assert_eq!(read("files/a.csv"), "before");
        assert_eq!(read(SPEC), spec);
        assert_eq!(read(REPORT), "a report");
    }
}
