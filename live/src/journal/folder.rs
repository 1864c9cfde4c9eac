//! The layout of the record in the directory of a run, at its start and at its end.
//!
//! | at any time there is | the run |
//! |---|---|
//! | `journal/`, and no result of the same run | is unfinished: it is going on, or was interrupted |
//! | a result | is complete; a `journal/` of the same run is a leftover |
//!
//! Each step leaves one of these states, whatever is lost after it. Nothing is renamed before its contents are on disk, and the
//! result is placed last, when the names of everything else are on disk, too.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use blis_sim::model::Model;

use super::disk::Readers;
use super::frame::{self, Header};
use super::recover::SEGMENT;
use super::writer::Segment;
use super::{
    Disk, Entries, JOURNAL, JournalFailure, MOST, RECORD, RealDisk, UNFINISHED, unwritten,
};

/// The one writer that there is: the driver.
const DRIVER: u32 = 0;

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// Its name, or its path through one folder.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Who may read it.
    pub readers: Readers,
}

/// How many syncs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Syncs {
    /// Of files.
    pub files: u64,
    /// Of folders.
    pub folders: u64,
}

impl Syncs {
    /// All syncs of a run that was completed: with so many folders that had to be made for its directory, files written
    /// at its start and at its end, and groups in between.
    pub fn of(folders: u64, start: &[NamedText], end: &[NamedText], groups: u64) -> Syncs {
        let files = (start.len() + end.len()) as u64;
        let within = (folders_of(start).len() + folders_of(end).len()) as u64;
        Syncs {
            // The header of the segment, each group, and the rows.
            files: files + 1 + groups + 1,
            // At the start the journal before it is renamed and the directory after it; at the end the directory before the
            // last file takes its place, and after it.
            folders: folders + within + 2 + 2,
        }
    }
}

/// The folders that files go through.
fn folders_of(files: &[NamedText]) -> BTreeSet<&str> {
    let folders = files.iter().filter_map(|file| file.name.split_once('/'));
    folders.map(|(folder, _)| folder).collect()
}

/// Whether a process still writes the record in a directory. A record whose process is gone, or one on a file system
/// without locks, is not seen to go on.
pub fn goes_on(directory: &Path) -> bool {
    let journal = directory.join(JOURNAL);
    let names = RealDisk.names(&journal).unwrap_or_default();
    let mut segments = names.iter().filter(|name| name.ends_with(SEGMENT));
    segments.any(|name| {
        let path = journal.join(name);
        // What is no file is not opened: a pipe would wait for its writer.
        path.is_file()
            && File::open(path)
                .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    })
}

/// Puts the folder of a new record into a directory, which is made where there is none, and gives its segment. What the
/// directory holds of an earlier run under these names is removed.
///
/// # Errors
/// [`JournalFailure::Write`]; the directory is then as it was, or holds an empty record besides.
pub fn start<D: Disk>(
    mut disk: D,
    directory: &Path,
    run: u64,
    files: &[NamedText],
    former: &[&str],
) -> Result<Segment<D>, JournalFailure> {
    make_folders(&mut disk, directory)?;
    let staged = stage(&mut disk, directory)?;
    write_files(&mut disk, &staged, files)?;
    let name = format!("{DRIVER}{SEGMENT}");
    let path = staged.join(&name);
    let failed = unwritten(&path);
    let mut file = disk.create(&path, Readers::Anyone).map_err(&failed)?;
    let header = Header {
        writer: DRIVER,
        run,
    };
    disk.write(&mut file, &header.encode()).map_err(&failed)?;
    disk.sync(&mut file).map_err(&failed)?;
    disk.sync_folder(&staged).map_err(unwritten(&staged))?;
    let journal = directory.join(JOURNAL);
    discard(&mut disk, directory)?;
    disk.rename(&staged, &journal)
        .map_err(unwritten(&journal))?;
    disk.sync_folder(directory).map_err(unwritten(directory))?;
    // The earlier run is hidden by the journal of this one already.
    for name in former {
        let path = directory.join(name);
        disk.remove(&path).map_err(unwritten(&path))?;
    }
    Ok(Segment::new(disk, file, journal.join(name)))
}

/// Puts the results of a run that has ended in their places, the last of `files` last, with the rows of its record
/// folded into one file; then takes the journal away.
///
/// # Errors
/// [`JournalFailure::Write`], and those of reading the segments. The journal is then still there.
pub fn end<D: Disk, P>(
    disk: &mut D,
    directory: &Path,
    run: u64,
    model: &Model<P>,
    files: &[NamedText],
) -> Result<(), JournalFailure> {
    let staged = stage(disk, directory)?;
    write_files(disk, &staged, files)?;
    fold(disk, directory, run, model, &staged.join(RECORD))?;
    let mut names: Vec<&str> = vec![RECORD];
    for file in files {
        let name = file
            .name
            .split_once('/')
            .map_or(&*file.name, |(name, _)| name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for (number, name) in names.iter().enumerate() {
        if number + 1 == names.len() {
            disk.sync_folder(directory).map_err(unwritten(directory))?;
        }
        let place = directory.join(name);
        disk.rename(&staged.join(name), &place)
            .map_err(unwritten(&place))?;
    }
    disk.sync_folder(directory).map_err(unwritten(directory))?;
    disk.remove(&staged).map_err(unwritten(&staged))?;
    discard(disk, directory)
}

/// Writes the rows of the segments, and the seal if there is one, into one segment.
fn fold<D: Disk, P>(
    disk: &mut D,
    directory: &Path,
    run: u64,
    model: &Model<P>,
    path: &Path,
) -> Result<(), JournalFailure> {
    let failed = unwritten(path);
    let mut entries = Entries::of_folder(disk, &directory.join(JOURNAL), run, model)?;
    let mut file = disk.create(path, Readers::Anyone).map_err(&failed)?;
    let mut buffer = Header {
        writer: DRIVER,
        run,
    }
    .encode()
    .to_vec();
    let mut group = Vec::with_capacity(MOST);
    let mut first = 0;
    loop {
        let entry = entries.next().transpose()?;
        match &entry {
            Some(entry) if entry.what.is_kept() => {
                group.push(entry.clone());
            }
            _ => {}
        }
        if group.len() == MOST || (entry.is_none() && !group.is_empty()) {
            frame::write_all(first, &group, &mut buffer);
            first += group.len() as u64;
            group.clear();
        }
        if !buffer.is_empty() {
            disk.write(&mut file, &buffer).map_err(&failed)?;
            buffer.clear();
        }
        if entry.is_none() {
            return disk.sync(&mut file).map_err(&failed);
        }
    }
}

/// Makes a folder and those above it that are not there, each with its name on disk.
fn make_folders<D: Disk>(disk: &mut D, path: &Path) -> Result<(), JournalFailure> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !disk.exists(path))
        .collect();
    for folder in missing.into_iter().rev() {
        disk.make_folder(folder).map_err(unwritten(folder))?;
        let parent = folder.parent().filter(|path| !path.as_os_str().is_empty());
        disk.sync_folder(parent.unwrap_or(Path::new(".")))
            .map_err(unwritten(folder))?;
    }
    Ok(())
}

/// An empty folder for unfinished files.
fn stage<D: Disk>(disk: &mut D, directory: &Path) -> Result<PathBuf, JournalFailure> {
    let path = directory.join(format!("{UNFINISHED}staged"));
    let failed = unwritten(&path);
    disk.remove(&path).map_err(&failed)?;
    disk.make_folder(&path).map_err(&failed)?;
    Ok(path)
}

/// Takes the journal away: at once by another name, then piece by piece.
fn discard<D: Disk>(disk: &mut D, directory: &Path) -> Result<(), JournalFailure> {
    let journal = directory.join(JOURNAL);
    let aside = directory.join(format!("{UNFINISHED}discarded"));
    let failed = unwritten(&journal);
    disk.remove(&aside).map_err(&failed)?;
    if disk.exists(&journal) {
        disk.rename(&journal, &aside).map_err(&failed)?;
        disk.remove(&aside).map_err(&failed)?;
    }
    Ok(())
}

fn write_files<D: Disk>(
    disk: &mut D,
    into: &Path,
    files: &[NamedText],
) -> Result<(), JournalFailure> {
    let folders = folders_of(files);
    for folder in &folders {
        let path = into.join(folder);
        disk.make_folder(&path).map_err(unwritten(&path))?;
    }
    for file in files {
        let path = into.join(&file.name);
        let failed = unwritten(&path);
        let mut opened = disk.create(&path, file.readers).map_err(&failed)?;
        disk.write(&mut opened, file.text.as_bytes())
            .map_err(&failed)?;
        disk.sync(&mut opened).map_err(&failed)?;
    }
    for folder in &folders {
        let path = into.join(folder);
        disk.sync_folder(&path).map_err(unwritten(&path))?;
    }
    Ok(())
}
