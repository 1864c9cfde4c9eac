//! The record of a run: what happened, kept on disk while it happens, so that a crash loses next to nothing of it.
//!
//! ```text
//! run ─► Recorder ─(bounded channel)─► the thread of Journal ─► segment ─► Entries ─► replay, rows
//! ```
//!
//! - [`Recorder`] is a [`Sink`](blis_sim::event::Sink) beside the measurement. Of a live run it never waits: what the channel
//!   has no room for is counted and left out. A simulation waits for room.
//! - [`Journal`] has a thread that writes what has come to a segment, group by group: one write and one sync each,
//!   every [`EVERY`] at most. What was synced survives whatever happens to the process or the machine.
//! - [`frame`] is what stands in a segment. A frame is whole or it is not there, so that a torn end of a segment, or any
//!   damage to it, yields fewer entries and never a wrong one.
//! - [`Entries`] reads segments, each entry once; [`replay()`] tells a sink of them as the driver did.
//! - [`folder`] is how the record lies in the directory of a run: the folder [`JOURNAL`] appears whole, with the
//!   manifest and all that is needed to read it, before the first request is sent. At the end its rows are folded into
//!   one file and everything takes its place, the result last; until then the run counts as unfinished.
//! - [`Disk`] is the file system, behind a seam, so that tests fail and crash at every single step.

mod disk;
mod entry;
#[cfg(test)]
mod fake;
pub mod folder;
pub mod frame;
mod recover;
mod replay;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::os_error::unnumbered;

pub use disk::{Disk, Readers, RealDisk};
pub use entry::{End, Entry, Unit, What};
pub use folder::{NamedText, Syncs};
pub use frame::Checksum;
pub use recover::{Damage, Entries, SEGMENT, Torn};
pub use replay::{Replayed, replay};
pub use writer::{Full, Journal, Kept, Recorder, most_groups};

/// The folder of a run directory that holds the record of an unfinished run.
pub const JOURNAL: &str = "journal";
/// What describes the run, in that folder and afterwards beside the result.
pub const MANIFEST: &str = "manifest.json";
/// The rows of a run that has ended, beside its result.
pub const RECORD: &str = "record.blis";
/// How the names of unfinished directories and files start.
pub const UNFINISHED: &str = ".blis-";

/// The shortest time between the groups of a segment, but for full ones: what a crash can lose.
pub const EVERY: Duration = Duration::from_millis(100);
/// The most units of a frame, and entries of a group.
pub const MOST: usize = 1 << 14;
/// How many entries may wait to be written: about 16 MiB.
pub const ROOM: usize = 1 << 17;

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum JournalFailure {
    /// It cannot be written.
    #[error("the record could not be written to {}: {}; make room or choose another place", .path.display(), unnumbered(.why))]
    Write {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// It cannot be read.
    #[error("the record in {} cannot be read: {}; name a directory that `blis observe --out` or `blis run --record` wrote", .path.display(), unnumbered(.why))]
    Read {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// It is something else.
    #[error("{} is not a record of blis; remove it from the directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is of another version.
    #[error(
        "{} has record version {found}, but this blis reads version {}; use the version of blis in the manifest", path.display(), frame::VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It is of another run.
    #[error("{} belongs to another run than the manifest; remove it from the directory", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
    },
    /// It says what no run can have done, or not all that the run did.
    #[error("the record in {} is damaged: {what}; restore it from a copy", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It says what no run of the spec can have done.
    #[error("{} does not belong to the spec beside it: {what}; restore the spec that was run", path.display())]
    OtherSpec {
        /// The folder.
        path: PathBuf,
        /// What the spec does not have.
        what: String,
    },
}

fn unwritten(path: &Path) -> impl Fn(std::io::Error) -> JournalFailure + use<> {
    let path = path.to_owned();
    move |why| JournalFailure::Write {
        path: path.clone(),
        why,
    }
}

fn unread(path: &Path) -> impl Fn(std::io::Error) -> JournalFailure + use<> {
    let path = path.to_owned();
    move |why| JournalFailure::Read {
        path: path.clone(),
        why,
    }
}
