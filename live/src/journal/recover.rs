//! Reading segments: each entry once, in order of time.

use std::io::Read;
use std::path::{Path, PathBuf};

use blis_sim::event::{MOST_BYTES, MOST_HEADERS, ReplyHeaders};
use blis_sim::model::{ActionId, ClientId, Model};
use blis_sim::time::Time;

use super::entry::{Bytes, Entry, Unit, What, is_text};
use super::frame::{self, Beginning, HEADER, Header, Next};
use super::{Disk, JournalFailure, unread};

/// How the names of segments end.
pub const SEGMENT: &str = ".segment";

/// The most bytes of the text of an entry.
const MOST_TEXT: usize = MOST_HEADERS * (MOST_BYTES + 2);

/// What a record has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Bytes at the ends of segments that are no whole frames.
    pub torn_bytes: u64,
    /// Entries that are not there: there was no room for them when they came.
    pub missing: u64,
}

/// Where a segment stops being readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The segment.
    pub path: PathBuf,
    /// How many bytes of it are whole.
    pub at: u64,
    /// How many bytes come after them.
    pub bytes: u64,
}

/// Sequence numbers are a stranger's: their sums may be more than a count holds.
impl Damage {
    fn tear(&mut self, bytes: u64) {
        self.torn_bytes = self.torn_bytes.saturating_add(bytes);
    }

    fn miss(&mut self, entries: u64) {
        self.missing = self.missing.saturating_add(entries);
    }
}

/// The entries of a record.
#[derive(Debug)]
pub struct Entries<R> {
    /// The folder of the segments.
    folder: PathBuf,
    writers: Vec<Writer<R>>,
    clients: usize,
    /// How many headers of replies are recorded, by action.
    headers: Vec<usize>,
    /// How far time has come.
    now: Time,
    /// Whether a client tries requests again, by client.
    retries: Vec<bool>,
    losses: Losses,
}

/// What was found to be lost so far.
#[derive(Debug, Default)]
struct Losses {
    damage: Damage,
    /// One for each segment that is torn.
    torn: Vec<Torn>,
}

impl Losses {
    fn tear(&mut self, path: PathBuf, at: u64, bytes: u64) {
        self.damage.tear(bytes);
        self.torn.push(Torn { path, at, bytes });
    }
}

/// What one writer wrote.
#[derive(Debug)]
struct Writer<R> {
    number: u32,
    /// The segments that are still to be read, the next one last.
    segments: Vec<Opened<R>>,
    /// The sequence number of the next entry.
    next: u64,
    frame: std::vec::IntoIter<Bytes>,
    /// The text of the entry that comes next, as far as it is there.
    text: Vec<u8>,
    head: Option<Entry>,
}

/// A segment that is read.
#[derive(Debug)]
struct Opened<R> {
    path: PathBuf,
    reader: R,
    /// How much of it was read and is whole.
    at: u64,
}

impl<R: Read> Entries<R> {
    /// Opens the segments in a folder.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn of_folder<D: Disk<Reader = R>, P>(
        disk: &D,
        folder: &Path,
        run: u64,
        model: &Model<P>,
    ) -> Result<Entries<R>, JournalFailure> {
        let names = disk.names(folder).map_err(unread(folder))?;
        let segments = names.iter().filter(|name| name.ends_with(SEGMENT));
        let paths: Vec<PathBuf> = segments.map(|name| folder.join(name)).collect();
        Entries::open(disk, &paths, run, model)
    }

    /// Opens segments of a run of this model.
    ///
    /// # Errors
    /// The first that cannot be read, or that is none of this run and version.
    pub fn open<D: Disk<Reader = R>, P>(
        disk: &D,
        paths: &[PathBuf],
        run: u64,
        model: &Model<P>,
    ) -> Result<Entries<R>, JournalFailure> {
        let folder = paths.first().and_then(|path| path.parent());
        let mut entries = Entries {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            writers: Vec::new(),
            clients: model.clients.len(),
            headers: model
                .actions
                .iter()
                .map(|action| {
                    let sending = action.sending.as_ref();
                    sending.map_or(0, |sending| sending.record_headers.len())
                })
                .collect(),
            now: Time::ZERO,
            retries: model
                .clients
                .iter()
                .map(|client| client.on_failure.retries > 0)
                .collect(),
            losses: Losses::default(),
        };
        // The first one to be read is put in last.
        for path in paths.iter().rev() {
            let mut reader = disk.open(path).map_err(unread(path))?;
            let mut bytes = [0; HEADER];
            let got = frame::fill(&mut reader, &mut bytes).map_err(unread(path))?;
            let path = path.clone();
            match Header::decode(&bytes[..got]) {
                Beginning::Header(header) if header.run == run => {
                    let at = HEADER as u64;
                    let opened = Opened { path, reader, at };
                    entries.writer(header.writer).segments.push(opened);
                }
                Beginning::Header(_) => return Err(JournalFailure::OtherRun { path }),
                Beginning::Version(found) => return Err(JournalFailure::Version { path, found }),
                Beginning::Foreign => return Err(JournalFailure::Foreign { path }),
                Beginning::Torn => {
                    let rest = std::io::copy(&mut reader, &mut std::io::sink());
                    let rest = rest.map_err(unread(&path))?;
                    entries
                        .losses
                        .tear(path, 0, rest.saturating_add(got as u64));
                }
            }
        }
        entries.writers.sort_by_key(|writer| writer.number);
        for writer in &mut entries.writers {
            writer.step(&mut entries.losses)?;
        }
        Ok(entries)
    }

    fn writer(&mut self, number: u32) -> &mut Writer<R> {
        let found = self
            .writers
            .iter()
            .position(|writer| writer.number == number);
        let at = found.unwrap_or_else(|| {
            self.writers.push(Writer {
                number,
                segments: Vec::new(),
                next: 0,
                frame: Vec::new().into_iter(),
                text: Vec::new(),
                head: None,
            });
            self.writers.len() - 1
        });
        &mut self.writers[at]
    }

    /// The next entry, of all writers.
    fn advance(&mut self) -> Result<Option<Entry>, JournalFailure> {
        let heads = self.writers.iter_mut().filter(|one| one.head.is_some());
        let first = heads.min_by_key(|writer| writer.head.as_ref().map(|head| head.now));
        let Some(writer) = first else {
            return Ok(None);
        };
        let head = writer.head.take();
        writer.step(&mut self.losses)?;
        match head {
            Some(entry) => {
                if let Some(what) = self.stranger(&entry) {
                    return Err(JournalFailure::OtherSpec {
                        path: self.folder.clone(),
                        what,
                    });
                }
                if let Some(what) = entry.impossible(self.now) {
                    return Err(self.damaged(what));
                }
                self.now = entry.now;
                Ok(Some(entry))
            }
            None => Ok(None),
        }
    }

    /// The failure of a record of which this is wrong.
    pub fn damaged(&self, what: impl Into<String>) -> JournalFailure {
        JournalFailure::Damaged {
            path: self.folder.clone(),
            what: what.into(),
        }
    }

    /// What was found to be lost so far: all of it, once there are no more entries.
    pub fn damage(&self) -> Damage {
        self.losses.damage
    }

    /// Where segments stopped being readable, as far as they were read.
    pub fn torn(&self) -> &[Torn] {
        &self.losses.torn
    }

    /// Whether a client tries requests again.
    pub(super) fn retries(&self, client: ClientId) -> bool {
        self.retries
            .get(client.index())
            .is_some_and(|retries| *retries)
    }

    /// What of an entry the model does not have.
    fn stranger(&self, entry: &Entry) -> Option<String> {
        let client = |client: ClientId| {
            let (at, number) = (client.index(), self.clients);
            (at >= number).then(|| format!("it has client {at}, but the spec has {number}"))
        };
        let action = |action: ActionId| {
            let (at, number) = (action.index(), self.headers.len());
            (at >= number).then(|| format!("it has action {at}, but the spec has {number}"))
        };
        let headers = |action: ActionId| {
            let number = self.headers.get(action.index()).copied().unwrap_or(0);
            let at = entry.headers.iter().map(|(at, _)| at).max()?;
            (at >= number).then(|| format!("it has header {at}, but the spec records {number}"))
        };
        match entry.what {
            What::Intended(row) | What::Done(row) | What::Settled(row) => client(row.client)
                .or_else(|| action(row.action))
                .or_else(|| headers(row.action)),
            What::Received(of, ..) => action(of),
            What::SessionStarted(of, _) | What::SessionEnded(of, _, _) => client(of),
            What::LateReply(_) | What::DuplicateReply(_) | What::LoadEnded(_) | What::Ended(_) => {
                None
            }
        }
    }
}

/// Errors are [`JournalFailure::Read`], [`JournalFailure::OtherSpec`] for an entry that no run of the model has, and
/// [`JournalFailure::Damaged`] for one that no run has at all.
impl<R: Read> Iterator for Entries<R> {
    type Item = Result<Entry, JournalFailure>;

    fn next(&mut self) -> Option<Result<Entry, JournalFailure>> {
        self.advance().transpose()
    }
}

impl<R: Read> Writer<R> {
    /// Leaves out this many entries of the frame.
    fn skip(&mut self, entries: u64) {
        let entries = usize::try_from(entries).unwrap_or(usize::MAX);
        if entries > 0 {
            let _ = self
                .frame
                .by_ref()
                .filter(|unit| !is_text(unit))
                .nth(entries - 1);
        }
    }

    /// Takes a unit, with which an entry may be whole.
    fn takes(&mut self, unit: &Bytes, losses: &mut Losses) -> bool {
        match Unit::decode(unit) {
            Some(Unit::Text(more)) => {
                // More than an entry has is none's.
                if self.text.len() <= MOST_TEXT {
                    self.text.extend(more);
                }
                false
            }
            Some(Unit::Entry(mut entry, headers)) => {
                // Text of which something is missing is no text.
                entry.headers = ReplyHeaders::unpack(&self.text, headers).unwrap_or_default();
                self.text.clear();
                self.head = Some(entry);
                true
            }
            // Whole, and of no kind that this version knows.
            None => {
                self.text.clear();
                losses.damage.miss(1);
                false
            }
        }
    }

    /// Goes on to the next entry that was not there yet.
    fn step(&mut self, losses: &mut Losses) -> Result<(), JournalFailure> {
        loop {
            if let Some(bytes) = self.frame.next() {
                if self.takes(&bytes, losses) {
                    return Ok(());
                }
                continue;
            }
            self.head = None;
            let Some(Opened { path, reader, at }) = self.segments.last_mut() else {
                return Ok(());
            };
            match frame::read(reader).map_err(unread(path))? {
                Next::Frame(frame) => {
                    *at += frame.size();
                    losses.damage.miss(frame.first.saturating_sub(self.next));
                    self.text.clear();
                    let entries = frame.units.iter().filter(|unit| !is_text(unit)).count();
                    // What came before is there already.
                    let again = self.next.saturating_sub(frame.first);
                    self.next = self.next.max(frame.first.saturating_add(entries as u64));
                    self.frame = frame.units.into_iter();
                    self.skip(again);
                }
                Next::Torn(bytes) => {
                    losses.tear(std::mem::take(path), *at, bytes);
                    self.segments.pop();
                }
                Next::End => {
                    self.segments.pop();
                }
            }
        }
    }
}
