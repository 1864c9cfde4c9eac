//! Writing a segment: the sink that records events, and the thread that writes them to disk.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use blis_sim::event::{Details, Event, FlightId, Sink};
use blis_sim::time::{Span, Time};

use super::entry::{End, Entry, What};
use super::frame::{self, Checksum};
use super::{Disk, EVERY, JournalFailure, MOST, ROOM, unwritten};

/// An entry with its place in the sequence of its writer.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// From 0; what was left out has a number too.
    pub sequence: u64,
    /// The entry.
    pub entry: Entry,
}

/// A segment that is being written.
#[derive(Debug)]
pub struct Segment<D: Disk> {
    disk: D,
    file: D::File,
    path: PathBuf,
    buffer: Vec<u8>,
    written: Written,
}

/// What was brought to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Groups, each with one sync.
    pub groups: u64,
    /// Entries.
    pub entries: u64,
    /// Entries that are rows of requests.
    pub rows: u64,
    /// Of the entries that the record of a run that has ended still has, in their order.
    pub checksum: Checksum,
}

impl Written {
    fn add(&mut self, group: &[Numbered]) {
        self.groups += 1;
        self.entries += group.len() as u64;
        for Numbered { entry, .. } in group {
            self.checksum.keep(entry);
            self.rows += u64::from(matches!(entry.what, What::Done(_)));
        }
    }
}

impl<D: Disk> Segment<D> {
    /// A segment whose header is on disk.
    pub fn new(disk: D, file: D::File, path: PathBuf) -> Segment<D> {
        Segment {
            disk,
            file,
            path,
            buffer: Vec::new(),
            written: Written::default(),
        }
    }

    /// Brings a group to disk: one write, one sync. An empty one needs neither.
    ///
    /// # Errors
    /// Those of the disk. What is in the segment then is for a reader to find out; nothing may be written after it.
    pub fn commit(&mut self, group: &[Numbered]) -> io::Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        self.buffer.clear();
        // What was left out is a gap between frames.
        for run in group.chunk_by(|one, next| next.sequence == one.sequence + 1) {
            let entries = run.iter().map(|numbered| &numbered.entry);
            frame::write_all(run[0].sequence, entries, &mut self.buffer);
        }
        self.disk.write(&mut self.file, &self.buffer)?;
        self.disk.sync(&mut self.file)?;
        self.written.add(group);
        Ok(())
    }

    /// What is on disk.
    pub fn written(&self) -> Written {
        self.written
    }

    #[cfg(test)]
    pub(super) fn into_disk(self) -> D {
        self.disk
    }
}

/// What both sides of the channel know.
#[derive(Debug, Default)]
struct Shared {
    dropped: AtomicU64,
    failed: AtomicBool,
}

/// What happens to an entry that there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// It is left out and counted, so that nobody waits.
    LeavesOut,
    /// Whoever tells it waits: nothing is left out.
    Waits,
}

/// The sink that takes down what happens.
#[derive(Debug)]
pub struct Recorder {
    entries: SyncSender<Numbered>,
    /// Wakes the writer, where an entry waits until there is room for it.
    wake: Option<SyncSender<()>>,
    sequence: u64,
    now: Time,
    warmup: Time,
    known: Known,
    shared: Arc<Shared>,
}

impl Recorder {
    fn numbered(&mut self, entry: Entry) -> Numbered {
        let sequence = self.sequence;
        self.sequence += 1;
        Numbered { sequence, entry }
    }

    /// Hands an entry to the writer; whether it will be written.
    fn take(&self, numbered: Numbered) -> bool {
        match (self.entries.try_send(numbered), &self.wake) {
            (Ok(()), _) => true,
            (Err(TrySendError::Full(numbered)), Some(wake)) => {
                // A writer that has been woken already is as good.
                let _ = wake.try_send(());
                self.entries.send(numbered).is_ok()
            }
            (Err(_), _) => false,
        }
    }

    /// The entry of an event, with what was told of its request before.
    fn entry(&mut self, at: Time, event: Event<'_>) -> Option<Entry> {
        let mut entry = Entry::bare(self.now, What::of(at, event, self.warmup)?);
        if let (Event::Done { flight, .. }, What::Done(row)) = (event, &mut entry.what) {
            let details = self.known.take(flight);
            *row = row.with(&details);
            entry.headers = details.reply.unwrap_or_default().headers;
        }
        Some(entry)
    }
}

impl Sink for Recorder {
    fn advance(&mut self, now: Time) {
        self.now = now;
    }

    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Event::Details { flight, details } = event {
            self.known.add(flight, details);
            return;
        }
        let Some(entry) = self.entry(at, event) else {
            return;
        };
        let numbered = self.numbered(entry);
        if !self.take(numbered) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What is known of requests whose end was not told yet.
#[derive(Debug, Default)]
struct Known {
    /// By slot.
    of: Vec<Option<(FlightId, Details)>>,
    /// Of one whose slot was given to another request before its own end was told.
    aside: Option<(FlightId, Details)>,
}

impl Known {
    fn add(&mut self, flight: FlightId, more: &Details) {
        if flight.slot() >= self.of.len() {
            self.of.resize(flight.slot() + 1, None);
        }
        match &mut self.of[flight.slot()] {
            Some((known, details)) if *known == flight => details.add(more),
            Some(_) => self.aside = Some((flight, more.clone())),
            empty => *empty = Some((flight, more.clone())),
        }
    }

    fn take(&mut self, flight: FlightId) -> Details {
        let of = |place: &mut Option<(FlightId, Details)>| {
            let found = place.take_if(|(known, _)| *known == flight);
            found.map(|(_, details)| details)
        };
        let known = self.of.get_mut(flight.slot()).and_then(of);
        known.or_else(|| of(&mut self.aside)).unwrap_or_default()
    }
}

/// The record of a run that goes on: the thread that writes it.
#[derive(Debug)]
pub struct Journal {
    thread: JoinHandle<(Written, io::Result<()>)>,
    /// Dropped at the end of the run, which wakes the thread.
    open: SyncSender<()>,
    path: PathBuf,
    shared: Arc<Shared>,
}

/// What happened to a record.
#[derive(Debug)]
pub struct Kept {
    /// What is on disk.
    pub written: Written,
    /// Entries that are not: there was no room for them, or writing had failed.
    pub dropped: u64,
    /// Why writing failed, if it did.
    pub failed: Option<JournalFailure>,
}

impl Journal {
    /// Starts to write what the sink takes down.
    pub fn start<D>(segment: Segment<D>, warmup: Time, full: Full) -> (Recorder, Journal)
    where
        D: Disk + Send + 'static,
        D::File: Send,
    {
        let (mut recorder, entries, shared) = recorder(ROOM, warmup);
        let (open, closed) = sync_channel(1);
        recorder.wake = match full {
            Full::Waits => Some(open.clone()),
            Full::LeavesOut => None,
        };
        let path = segment.path.clone();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let mut segment = segment;
            let ended = keep(&mut segment, &entries, &closed);
            of_thread.failed.store(ended.is_err(), Ordering::Relaxed);
            (segment.written(), ended)
        });
        let journal = Journal {
            thread,
            open,
            path,
            shared,
        };
        (recorder, journal)
    }

    /// Whether writing has failed, so that nothing more will be kept.
    pub fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Seals the record of a run that has ended, and brings to disk what is left.
    pub fn finish(self, mut recorder: Recorder, end: End) -> Kept {
        recorder.now = recorder.now.max(end.at);
        let seal = Entry::bare(recorder.now, What::Ended(end));
        let seal = recorder.numbered(seal);
        let told = recorder.sequence;
        // The run is over, so that there is time to wait; a writer that has failed does not let anyone wait.
        if recorder.entries.send(seal).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        drop(recorder);
        drop(self.open);
        let (written, ended) = self.thread.join().unwrap_or_else(|_| {
            let gone = io::Error::other("the thread that writes it is gone");
            (Written::default(), Err(gone))
        });
        // What waited when writing failed was let go of without being counted one by one.
        let dropped = match &ended {
            Ok(()) => self.shared.dropped.load(Ordering::Relaxed),
            Err(_) => told - written.entries,
        };
        Kept {
            written,
            dropped,
            failed: ended.err().map(unwritten(&self.path)),
        }
    }
}

/// A sink with so much room behind it.
fn recorder(room: usize, warmup: Time) -> (Recorder, Receiver<Numbered>, Arc<Shared>) {
    let (sender, entries) = sync_channel(room);
    let shared = Arc::new(Shared::default());
    let recorder = Recorder {
        entries: sender,
        wake: None,
        sequence: 0,
        now: Time::ZERO,
        warmup,
        known: Known::default(),
        shared: Arc::clone(&shared),
    };
    (recorder, entries, shared)
}

/// Writes group after group until the run is over. The wait between them is on its own channel, so that a sender of
/// entries never has anyone to wake, unless it waits for room.
fn keep<D: Disk>(
    segment: &mut Segment<D>,
    entries: &Receiver<Numbered>,
    closed: &Receiver<()>,
) -> io::Result<()> {
    let mut group = Vec::with_capacity(MOST);
    loop {
        let over = closed.recv_timeout(EVERY) == Err(RecvTimeoutError::Disconnected);
        turn(segment, &mut entries.try_iter(), &mut group)?;
        if over {
            return Ok(());
        }
    }
}

/// One turn: what has come is brought to disk. Another group follows a full one only, so that the number of groups has a
/// bound by the number of turns and of entries.
fn turn<D: Disk>(
    segment: &mut Segment<D>,
    entries: &mut impl Iterator<Item = Numbered>,
    group: &mut Vec<Numbered>,
) -> io::Result<()> {
    loop {
        group.clear();
        group.extend(entries.by_ref().take(MOST));
        segment.commit(group)?;
        if group.len() < MOST {
            return Ok(());
        }
    }
}

/// The most groups of a run of this many entries and such a length.
pub fn most_groups(entries: u64, length: Span) -> u64 {
    let every = u64::try_from(EVERY.as_nanos()).unwrap_or(u64::MAX);
    // One turn after each pause, one at the end, and one more for every full group.
    let turns = length.as_nanos() / every + 1;
    entries.min(turns + entries / MOST as u64)
}

#[cfg(test)]
mod tests {
    use blis_sim::engine::{InFlight, LoadEnd};
    use blis_sim::event::{Outcome, Reason, Reply, ReplyHeaders, Request};
    use blis_sim::model::{ActionId, ClientId};

    use super::super::Readers;
    use super::super::entry::SIZE;
    use super::super::fake::FakeDisk;
    use super::super::tests::model;
    use super::*;

    fn happens(recorder: &mut Recorder, number: u64) {
        let at = Time::from_nanos(number);
        let request = Request {
            user: Default::default(),
            client: ClientId(0),
            action: ActionId(0),
            attempt: 0,
            user_number: 0,
            number,
            intended: at,
        };
        recorder.advance(at);
        recorder.record(
            at,
            Event::Done {
                request: &request,
                flight: FlightId::from_bits(0),
                sent: at,
                outcome: Outcome::Ok,
            },
        );
    }

    fn segment(disk: &FakeDisk) -> Segment<FakeDisk> {
        let mut disk = disk.clone();
        let path = PathBuf::from("/0.segment");
        let file = disk.create(&path, Readers::Anyone).expect("a file");
        Segment::new(disk, file, path)
    }

    #[test]
    fn a_full_channel_is_counted_and_nobody_waits() {
        let (mut recorder, entries, shared) = recorder(10, Time::ZERO);
        for number in 0..25 {
            happens(&mut recorder, number);
        }
        assert_eq!(shared.dropped.load(Ordering::Relaxed), 15);
        let disk = FakeDisk::new();
        let mut segment = segment(&disk);
        turn(&mut segment, &mut entries.try_iter(), &mut Vec::new()).expect("a group");
        happens(&mut recorder, 25);
        turn(&mut segment, &mut entries.try_iter(), &mut Vec::new()).expect("a group");
        // What was left out has its numbers, so that a reader sees how much it was.
        let mut text = &disk.contents("/0.segment")[..];
        let mut read = Vec::new();
        while let frame::Next::Frame(frame) = frame::read(&mut text).expect("memory") {
            read.push((frame.first, frame.units.len()));
        }
        assert_eq!(read, [(0, 10), (25, 1)]);
    }

    #[test]
    fn groups_are_as_few_as_the_bound_says() {
        for (turns, each) in [(1u64, 5u64), (7, 3), (3, MOST as u64 * 2 + 5)] {
            let (mut recorder, entries, _) = recorder(1 << 16, Time::ZERO);
            let disk = FakeDisk::new();
            let mut segment = segment(&disk);
            let mut group = Vec::new();
            for one in 0..turns {
                for number in 0..each {
                    happens(&mut recorder, one * each + number);
                }
                turn(&mut segment, &mut entries.try_iter(), &mut group).expect("room");
                turn(&mut segment, &mut entries.try_iter(), &mut group).expect("room");
            }
            let groups = segment.written().groups;
            assert_eq!(disk.syncs().files, groups);
            assert_eq!(groups, turns * (each / MOST as u64 + 1));
            let every = u64::try_from(EVERY.as_nanos()).expect("short");
            let length = Span::from_nanos((turns - 1) * every);
            assert!(groups <= most_groups(turns * each, length), "{groups}");
        }
        assert_eq!(most_groups(3, Span::from_secs(60)), 3);
        assert_eq!(most_groups(1_000_000, Span::from_secs(60)), 601 + 61);
    }

    #[test]
    fn what_comes_during_a_sync_waits_for_the_next_turn() {
        let (mut recorder, entries, _) = recorder(100, Time::ZERO);
        let mut segment = segment(&FakeDisk::new());
        let mut asked = 0;
        // Nothing is there at every other look, and something right after it.
        let mut coming = std::iter::from_fn(|| {
            asked += 1;
            happens(&mut recorder, asked);
            (asked % 2 == 1 && asked < 9)
                .then(|| entries.recv().ok())
                .flatten()
        });
        turn(&mut segment, &mut coming, &mut Vec::new()).expect("room");
        assert_eq!(segment.written().groups, 1);
    }

    /// A request is as well known as what was told of it before its end, whoever has its slot by then.
    #[test]
    fn what_is_known_of_a_request_stands_in_its_row() {
        let (mut recorder, entries, _) = recorder(100, Time::ZERO);
        let mut flights = InFlight::new(&model(
            "{blis: 1, name: a, run: {requests: 9}, clients: {c: {concurrency: 1, do: a}}, actions: {a: {path: [reply]}}}",
        ));
        let request = |number| Request {
            user: Default::default(),
            client: ClientId(0),
            action: ActionId(0),
            attempt: 0,
            user_number: 0,
            number,
            intended: Time::ZERO,
        };
        let end = |recorder: &mut Recorder, number, flight, outcome| {
            let request = &request(number);
            let sent = Time::ZERO;
            let done = Event::Done {
                request,
                flight,
                sent,
                outcome,
            };
            recorder.record(Time::from_nanos(9), done);
        };
        let tell = |recorder: &mut Recorder, flight, details: &Details| {
            recorder.record(Time::ZERO, Event::Details { flight, details });
        };
        let over = |connection| Details {
            connection: Some(connection),
            ..Details::default()
        };
        recorder.advance(Time::from_nanos(9));
        // A publication whose end is told when another request has its slot.
        let (first, _) = flights.insert(Time::ZERO, request(0));
        flights.remove(first);
        let (second, _) = flights.insert(Time::ZERO, request(1));
        assert_eq!(first.slot(), second.slot());
        tell(&mut recorder, second, &over(7));
        let lost = Details {
            reason: Some(Reason::LostWithConnection),
            ..over(3)
        };
        tell(&mut recorder, first, &lost);
        end(&mut recorder, 0, first, Outcome::TransportError);
        let reply = Reply {
            bytes: 12,
            headers: ReplyHeaders::of([(1, "seven")]),
        };
        let replied = Details {
            reply: Some(reply.clone()),
            ..Details::default()
        };
        tell(&mut recorder, second, &replied);
        end(&mut recorder, 1, second, Outcome::Ok);
        // Of a third in the same slot nothing is known.
        flights.remove(second);
        let (third, _) = flights.insert(Time::ZERO, request(2));
        end(&mut recorder, 2, third, Outcome::TimedOut);
        let found = entries.try_iter().map(|numbered| {
            let Entry { what, headers, .. } = numbered.entry;
            let What::Done(row) = what else {
                panic!("{what:?}");
            };
            (
                numbered.sequence,
                row.reason,
                row.connection,
                row.reply_bytes,
                headers,
            )
        });
        let found: Vec<_> = found.collect();
        let none = ReplyHeaders::default();
        let lost = Some(Reason::LostWithConnection);
        assert_eq!(
            found,
            [
                (0, lost, Some(3), None, none.clone()),
                (1, None, Some(7), Some(12), reply.headers),
                (2, None, None, None, none),
            ]
        );
    }

    #[test]
    fn the_thread_brings_everything_to_disk_and_seals_it() {
        let disk = FakeDisk::new();
        let (mut recorder, journal) = Journal::start(segment(&disk), Time::ZERO, Full::LeavesOut);
        for number in 0..1000 {
            happens(&mut recorder, number);
        }
        let end = End {
            by: LoadEnd::Budget,
            at: Time::from_nanos(5000),
            intended: 1000,
        };
        let kept = journal.finish(recorder, end);
        assert!(kept.failed.is_none());
        assert_eq!((kept.dropped, kept.written.rows), (0, 1000));
        assert_eq!(kept.written.entries, 1001);
    }

    /// Who waits for room loses nothing, and what waits is bounded: the rest is on disk already.
    #[test]
    fn one_that_waits_leaves_nothing_out() {
        let disk = FakeDisk::new();
        let (mut recorder, journal) = Journal::start(segment(&disk), Time::ZERO, Full::Waits);
        let number = 2 * ROOM as u64 + 5;
        for one in 0..number {
            happens(&mut recorder, one);
        }
        let least = (number as usize - ROOM - MOST) * SIZE;
        assert!(disk.contents("/0.segment").len() >= least);
        let end = End {
            by: LoadEnd::Budget,
            at: Time::from_nanos(number),
            intended: number,
        };
        let kept = journal.finish(recorder, end);
        assert!(kept.failed.is_none());
        assert_eq!((kept.dropped, kept.written.rows), (0, number));
    }

    #[test]
    fn nobody_waits_for_a_disk_that_has_failed() {
        let mut disk = FakeDisk::new();
        let segment = segment(&disk);
        disk.fail_at(disk.operations() + 2);
        let (mut recorder, journal) = Journal::start(segment, Time::ZERO, Full::Waits);
        let number = 3 * ROOM as u64;
        for one in 0..number {
            happens(&mut recorder, one);
        }
        assert!(journal.has_failed());
        let end = End {
            by: LoadEnd::Interrupted,
            at: Time::from_nanos(number),
            intended: number,
        };
        let kept = journal.finish(recorder, end);
        assert!(kept.failed.is_some());
        // The seal is one that is not there, too.
        assert_eq!(kept.written.rows + kept.dropped, number + 1);
    }

    #[test]
    fn a_disk_that_fails_stops_the_record_and_not_the_run() {
        for failing in [1, 2] {
            let mut disk = FakeDisk::new();
            let segment = segment(&disk);
            disk.fail_at(disk.operations() + failing - 1);
            let (mut recorder, journal) = Journal::start(segment, Time::ZERO, Full::LeavesOut);
            happens(&mut recorder, 0);
            // The thread ends by itself, without any end of the run.
            while !journal.has_failed() {
                std::thread::yield_now();
            }
            for number in 1..100 {
                happens(&mut recorder, number);
            }
            let end = End {
                by: LoadEnd::Interrupted,
                at: Time::from_nanos(5000),
                intended: 100,
            };
            let kept = journal.finish(recorder, end);
            let why = kept.failed.expect("a failure").to_string();
            assert!(
                why.contains("/0.segment: no space left on the fake disk"),
                "{why}"
            );
            assert_eq!((kept.dropped, kept.written.entries), (101, 0));
        }
    }
}
