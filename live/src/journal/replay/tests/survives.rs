//! What any bytes in the place of a record have to survive, for the tests here and the fuzz target in `fuzz/`: reading them comes
//! to an end, with figures whose books balance or with a failure that names the record, and costs what their length allows.

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use super::{Disk, Entries, Header, JournalFailure, Measure, Model, Readers, frame, replay};

/// The run that the bytes are to belong to.
pub const RUN: u64 = 0xb115;
/// Bytes of a unit.
pub const SIZE: usize = 64;
/// The entries of a frame.
const EACH: usize = 50;

/// What happened to a record.
#[derive(Debug)]
pub enum Fate {
    /// It cannot be read, or contradicts itself, for this reason.
    Refused(String),
    /// It tells of this many rows.
    Told(u64),
}

/// Files that are read, by their places in a list.
struct Shelf<'a>(&'a [Vec<u8>]);

impl Disk for Shelf<'_> {
    type File = ();
    type Reader = Cursor<Vec<u8>>;

    fn open(&self, path: &Path) -> io::Result<Cursor<Vec<u8>>> {
        let number = path.to_str().and_then(|path| path.parse::<usize>().ok());
        let bytes = number.and_then(|number| self.0.get(number));
        bytes.cloned().map(Cursor::new).ok_or_else(unused)
    }

    fn names(&self, _: &Path) -> io::Result<Vec<String>> {
        Err(unused())
    }

    fn make_folder(&mut self, _: &Path) -> io::Result<()> {
        Err(unused())
    }

    fn create(&mut self, _: &Path, _: Readers) -> io::Result<()> {
        Err(unused())
    }

    fn write(&mut self, (): &mut (), _: &[u8]) -> io::Result<()> {
        Err(unused())
    }

    fn sync(&mut self, (): &mut ()) -> io::Result<()> {
        Err(unused())
    }

    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        Err(unused())
    }

    fn rename(&mut self, _: &Path, _: &Path) -> io::Result<()> {
        Err(unused())
    }

    fn remove(&mut self, _: &Path) -> io::Result<bool> {
        Err(unused())
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }
}

fn unused() -> io::Error {
    io::Error::other("nothing but reading is needed")
}

/// Reads segments as the record of a run of this model.
///
/// # Panics
/// When something is not as it has to be.
pub fn survives(model: &Model, segments: &[Vec<u8>]) -> Fate {
    let paths: Vec<PathBuf> = (0..segments.len())
        .map(|number| PathBuf::from(number.to_string()))
        .collect();
    let most = segments
        .iter()
        .map(|bytes| bytes.len() / SIZE)
        .sum::<usize>() as u64;
    let mut measure = Measure::new(model);
    let opened = Entries::open(&Shelf(segments), &paths, RUN, model);
    let told = opened.and_then(|mut entries| {
        let replayed = replay(&mut entries, &mut measure)?;
        assert!(replayed.rows <= most, "{} rows of {most}", replayed.rows);
        let finished = measure.finish(replayed.end.intended);
        finished.map_err(|why| entries.damaged(why.to_string()))?;
        assert_eq!(replayed.rows + replayed.unknown, replayed.end.intended);
        Ok(replayed.rows)
    });
    match told {
        Ok(rows) => Fate::Told(rows),
        Err(JournalFailure::Write { .. }) => panic!("reading writes nothing"),
        Err(why) => Fate::Refused(why.to_string()),
    }
}

/// A segment whose entries are these bytes, with checksums that are right: whoever forges an entry computes them too.
pub fn framed(entries: &[u8]) -> Vec<u8> {
    let (entries, _) = entries.as_chunks::<SIZE>();
    let header = Header {
        writer: 0,
        run: RUN,
    };
    let mut segment = header.encode().to_vec();
    for (entries, first) in entries.chunks(EACH).zip((0..).step_by(EACH)) {
        frame::write(first, entries, &mut segment);
    }
    segment
}
