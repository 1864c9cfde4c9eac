//! Records that break off: at every step of writing, in every way that a disk can leave them.

use std::path::{Path, PathBuf};

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Outcome, ReplyHeaders};
use blis_sim::model::{ActionId, ClientId, Model};
use blis_sim::spec;
use blis_sim::time::Time;
use blis_sim::trace::Row;

use super::entry::Bytes;
use super::fake::{FakeDisk, Survives};
use super::folder::{self, NamedText};
use super::frame::Header;
use super::writer::{Numbered, Segment};
use super::*;

pub(super) const RUN: u64 = 0xb115;
const DIRECTORY: &str = "/runs/first";

pub(super) fn model(text: &str) -> Model {
    let read = spec::read(text).expect("a spec");
    spec::lower(&read).expect("a model").model
}

pub(super) fn small() -> Model {
    model(
        "{blis: 1, name: t, run: {requests: 9}, clients: {c: {concurrency: 1, do: a}},\n \
         actions: {a: {path: [{visit: s}, reply], live: {request: a, record_headers: [A, B, C]}}}, services: {s: {workers: 1, \
         time: 1ms}}}",
    )
}

pub(super) fn row(number: u64) -> Row {
    let at = Time::from_nanos(number);
    Row {
        client: ClientId(0),
        user: 0,
        number,
        attempt: 0,
        action: ActionId(0),
        intended: at,
        sent: at,
        done: at,
        outcome: Outcome::Ok,
        in_window: number > 3,
        reason: None,
        connection: Some(number as u32 % 3),
        reply_bytes: Some(number as u32),
    }
}

pub(super) fn done(number: u64) -> Entry {
    Entry::bare(Time::from_nanos(number), What::Done(row(number)))
}

/// The same with headers of its reply.
fn replied(number: u64) -> Entry {
    Entry {
        headers: headers(number),
        ..done(number)
    }
}

/// Of every third row, and longer with each row.
fn headers(number: u64) -> ReplyHeaders {
    let value = "v".repeat(20 * number as usize % 129);
    let values = [(0, &*value), (2, "")];
    ReplyHeaders::of(values.into_iter().filter(|_| number.is_multiple_of(3)))
}

/// The unit of an entry without text.
pub(super) fn unit(entry: &Entry) -> Bytes {
    entry.encode().last().expect("an entry")
}

pub(super) fn numbered(sequence: u64, entry: Entry) -> Numbered {
    Numbered { sequence, entry }
}

fn rows_of(entries: &mut Entries<std::io::Cursor<Vec<u8>>>) -> Vec<u64> {
    let mut rows = Vec::new();
    for entry in entries {
        if let What::Done(row) = entry.expect("a record that can be read").what {
            rows.push(row.number);
        }
    }
    rows
}

/// The same of a record whose every row has to be whole, with its headers.
fn replies_of(entries: &mut Entries<std::io::Cursor<Vec<u8>>>) -> Vec<u64> {
    let mut rows = Vec::new();
    for entry in entries {
        let entry = entry.expect("a record that can be read");
        if let What::Done(row) = entry.what {
            assert_eq!(entry, replied(row.number));
            rows.push(row.number);
        }
    }
    rows
}

fn named(name: &str, text: &str) -> NamedText {
    NamedText {
        name: name.to_owned(),
        text: text.to_owned(),
        readers: Readers::Anyone,
    }
}

fn at_start() -> Vec<NamedText> {
    vec![
        named(MANIFEST, "the manifest"),
        named("files/a.csv", "a"),
        named("spec.yaml", "the spec"),
    ]
}

fn at_end() -> Vec<NamedText> {
    let mut files = at_start();
    files.push(named("result.json", "the result"));
    files
}

fn in_directory(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// A run from its start to its end, of this many groups of this many rows; how many rows are known to be on disk is told as
/// it goes on.
fn run(disk: &FakeDisk, groups: u64, each: u64, kept: &mut u64) -> Result<(), JournalFailure> {
    let directory = Path::new(DIRECTORY);
    let former = ["result.json", "report.md"];
    let mut segment = folder::start(disk.clone(), directory, RUN, &at_start(), &former)?;
    let failed = unwritten(directory);
    let mut sequence = 0;
    let mut next = |entry: Entry| {
        let numbered = numbered(sequence, entry);
        sequence += 1;
        numbered
    };
    for group in 0..groups {
        let first = group * each;
        let entries: Vec<Numbered> = (first..first + each)
            .map(|number| next(replied(number)))
            .collect();
        segment.commit(&entries).map_err(&failed)?;
        *kept += each;
    }
    let end = End {
        by: LoadEnd::Budget,
        at: Time::from_nanos(groups * each),
        intended: groups * each,
    };
    let seal = Entry::bare(end.at, What::Ended(end));
    segment.commit(&[next(seal)]).map_err(&failed)?;
    folder::end(
        &mut segment.into_disk(),
        directory,
        RUN,
        &small(),
        &at_end(),
    )
}

/// Holds what is on a disk against what was written to it.
fn is_sound(disk: &FakeDisk, all: u64, kept: u64) -> &'static str {
    let journal = in_directory(JOURNAL);
    let open = |path: PathBuf| {
        Entries::open(disk, &[path], RUN, &small()).expect("a record that can be read")
    };
    if disk.exists(&in_directory("result.json")) {
        for file in at_end() {
            let path = in_directory(&file.name);
            let contents = disk.contents(path.to_str().expect("text"));
            assert_eq!(contents, file.text.as_bytes(), "{}", file.name);
        }
        let mut entries = open(in_directory(RECORD));
        assert_eq!(replies_of(&mut entries), (0..all).collect::<Vec<_>>());
        assert_eq!(entries.damage(), Damage::default());
        return "ended";
    }
    if disk.exists(&journal) {
        for file in at_start() {
            let path = journal.join(&file.name);
            let contents = disk.contents(path.to_str().expect("text"));
            assert_eq!(contents, file.text.as_bytes(), "{}", file.name);
        }
        let mut entries =
            Entries::of_folder(disk, &journal, RUN, &small()).expect("a record that can be read");
        let rows = replies_of(&mut entries);
        assert!(rows.len() as u64 >= kept, "{} of {kept}", rows.len());
        assert_eq!(rows, (0..rows.len() as u64).collect::<Vec<_>>());
        return "unfinished";
    }
    assert_eq!(kept, 0, "the record is gone");
    "nothing"
}

#[test]
fn a_crash_at_any_step_loses_at_most_the_last_group() {
    let whole = FakeDisk::new();
    run(&whole, 3, 4, &mut 0).expect("room");
    assert_eq!(is_sound(&whole, 12, 12), "ended");
    let mut seen = std::collections::BTreeSet::new();
    for step in 0..whole.operations() {
        let mut disk = FakeDisk::new();
        disk.crash_at(step);
        let mut kept = 0;
        // Whatever comes back is not looked at: who crashes does not hear of it.
        let _ = run(&disk, 3, 4, &mut kept);
        for survives in Survives::EACH {
            let found = is_sound(&disk.after(survives), 12, kept);
            seen.insert((survives as u8, found));
        }
    }
    assert_eq!(seen.len(), 3 * Survives::EACH.len(), "{seen:?}");
}

#[test]
fn a_failure_at_any_step_is_told_and_leaves_what_there_was() {
    let whole = FakeDisk::new();
    run(&whole, 3, 4, &mut 0).expect("room");
    for step in 0..whole.operations() {
        let mut disk = FakeDisk::new();
        disk.fail_at(step);
        let mut kept = 0;
        let why = run(&disk, 3, 4, &mut kept).expect_err("a failure");
        let told = why.to_string();
        assert!(told.contains("no space left on the fake disk"), "{told}");
        assert!(told.contains("make room or choose another place"), "{told}");
        // A failed write or sync may have reached the disk or not.
        is_sound(&disk, 12, kept);
        is_sound(&disk.after(Survives::Synced), 12, kept);
    }
}

#[test]
fn a_crash_while_an_earlier_run_is_replaced_leaves_one_of_the_two() {
    let before = FakeDisk::new();
    run(&before, 1, 2, &mut 0).expect("room");
    let directory = Path::new(DIRECTORY);
    let again = |disk: &FakeDisk| {
        let files = [named(MANIFEST, "another")];
        let former = ["result.json", "spec.yaml", "files", MANIFEST, RECORD];
        folder::start(disk.clone(), directory, RUN + 1, &files, &former).map(drop)
    };
    let whole = before.after(Survives::All);
    let first = whole.operations();
    again(&whole).expect("room");
    assert_eq!(whole.names(directory).expect("names"), [JOURNAL]);
    for step in first..whole.operations() {
        let mut disk = before.after(Survives::All);
        disk.crash_at(step);
        let _ = again(&disk);
        for survives in Survives::EACH {
            let disk = disk.after(survives);
            let manifest = in_directory(JOURNAL).join(MANIFEST);
            let replaced = disk.exists(&manifest)
                && disk.contents(manifest.to_str().expect("text")) == b"another";
            if !replaced {
                assert_eq!(is_sound(&disk, 2, 2), "ended");
            }
        }
    }
}

#[test]
fn syncs_are_as_many_as_are_stated() {
    for (groups, each) in [(1, 1), (40, 500)] {
        let disk = FakeDisk::new();
        run(&disk, groups, each, &mut 0).expect("room");
        // The seal is its own group here; `/runs` and `/runs/first` have to be made.
        let stated = Syncs::of(2, &at_start(), &at_end(), groups + 1);
        assert_eq!(disk.syncs(), stated);
        assert_eq!(
            (stated.files, stated.folders),
            (10 + groups, 8),
            "as the documents have it"
        );
    }
}

#[test]
fn the_document_has_the_figures_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/record.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let thousands = |number: usize| format!("{},{:03}", number / 1000, number % 1000);
    for figure in [
        format!("the buffer of {} entries", thousands(ROOM)),
        format!("full with {} entries", thousands(MOST)),
        format!("E / {})", thousands(MOST)),
        format!("within {} ms and the time of one sync", EVERY.as_millis()),
        format!("two entries of {} bytes", entry::SIZE),
    ] {
        assert!(text.contains(&figure), "{figure}");
    }
}

#[test]
fn no_row_counts_twice() {
    let mut disk = FakeDisk::new();
    let mut write = |name: &str, run: u64, groups: &[&[u64]]| {
        let path = PathBuf::from(name);
        let mut file = disk.create(&path, Readers::Anyone).expect("a file");
        let header = Header { writer: 0, run };
        disk.write(&mut file, &header.encode()).expect("room");
        let mut segment = Segment::new(disk.clone(), file, path.clone());
        for group in groups {
            let group: Vec<Numbered> = group
                .iter()
                .map(|number| numbered(*number, done(*number)))
                .collect();
            segment.commit(&group).expect("room");
        }
        path
    };
    let first = write("/0.segment", RUN, &[&[0, 1, 2], &[3, 4]]);
    let copy = write("/0-copy.segment", RUN, &[&[0, 1, 2], &[3, 4], &[7]]);
    let tail = write("/0-tail.segment", RUN, &[&[1, 2], &[2, 3, 4, 5]]);
    let read = |paths: &[&PathBuf]| {
        let paths: Vec<PathBuf> = paths.iter().map(|path| (*path).clone()).collect();
        let mut entries = Entries::open(&disk, &paths, RUN, &small()).expect("segments");
        (rows_of(&mut entries), entries.damage().missing)
    };
    assert_eq!(read(&[&first]), (vec![0, 1, 2, 3, 4], 0));
    assert_eq!(read(&[&first, &copy]), (vec![0, 1, 2, 3, 4, 7], 2));
    assert_eq!(read(&[&first, &first, &tail]), (vec![0, 1, 2, 3, 4, 5], 0));
}

#[test]
fn writers_are_read_in_the_order_of_time() {
    let mut disk = FakeDisk::new();
    let mut paths = Vec::new();
    for (writer, rows) in [(0u32, [1u64, 4, 5]), (1, [2, 3, 9])] {
        let path = PathBuf::from(format!("/{writer}.segment"));
        let mut file = disk.create(&path, Readers::Anyone).expect("a file");
        let header = Header { writer, run: RUN };
        disk.write(&mut file, &header.encode()).expect("room");
        let mut segment = Segment::new(disk.clone(), file, path.clone());
        let group: Vec<Numbered> = (0..)
            .zip(rows)
            .map(|(n, row)| numbered(n, done(row)))
            .collect();
        segment.commit(&group).expect("room");
        paths.push(path);
    }
    let mut entries = Entries::open(&disk, &paths, RUN, &small()).expect("segments");
    assert_eq!(rows_of(&mut entries), [1, 2, 3, 4, 5, 9]);
}

#[test]
fn sequence_numbers_that_no_run_reaches_are_missing_entries() {
    let mut disk = FakeDisk::new();
    let mut paths = Vec::new();
    for writer in 0..2 {
        let path = PathBuf::from(format!("/{writer}.segment"));
        let mut file = disk.create(&path, Readers::Anyone).expect("a file");
        let mut bytes = Header { writer, run: RUN }.encode().to_vec();
        frame::write(1 << 63, &[unit(&done(1))], &mut bytes);
        disk.write(&mut file, &bytes).expect("room");
        paths.push(path);
    }
    let mut entries = Entries::open(&disk, &paths, RUN, &small()).expect("segments");
    assert_eq!(rows_of(&mut entries), [1, 1]);
    assert_eq!(entries.damage().missing, u64::MAX);
}

#[test]
fn what_is_no_segment_of_the_run_is_refused_by_name() {
    let mut disk = FakeDisk::new();
    let mut refused = |bytes: &[u8]| {
        let path = PathBuf::from(format!("/{}", disk.operations()));
        let mut file = disk.create(&path, Readers::Anyone).expect("a file");
        disk.write(&mut file, bytes).expect("room");
        let opened = Entries::open(&disk, &[path], RUN, &small());
        opened
            .and_then(|mut entries| entries.next().transpose())
            .err()
            .map(|why| why.to_string())
    };
    let header = Header {
        writer: 0,
        run: RUN,
    }
    .encode();
    assert_eq!(refused(&header), None);
    assert_eq!(refused(&header[..20]), None);
    assert_eq!(refused(b""), None);
    let foreign = refused(b"PNG").expect("refused");
    assert!(foreign.contains("is not a record of blis"), "{foreign}");
    let other = Header { writer: 0, run: 1 }.encode();
    let other = refused(&other).expect("refused");
    assert!(other.contains("another run"), "{other}");
    let mut later = header;
    later[8] = 4;
    let crc = frame::crc32(&[&later[..28]]);
    later[28..].copy_from_slice(&crc.to_le_bytes());
    let later = refused(&later).expect("refused");
    assert!(
        later.contains("has record version 4, but this blis reads version 3"),
        "{later}"
    );
    let mut stranger = header.to_vec();
    let mut row = row(0);
    row.client = ClientId(7);
    let entry = Entry::bare(Time::ZERO, What::Done(row));
    frame::write(0, &[unit(&entry)], &mut stranger);
    let stranger = refused(&stranger).expect("refused");
    assert!(
        stranger.contains(
            "does not belong to the spec beside it: it has client 7, but the spec has 1; restore"
        ),
        "{stranger}"
    );
    let mut stranger = header.to_vec();
    let entry = Entry {
        headers: ReplyHeaders::of([(3, "d")]),
        ..done(0)
    };
    let units: Vec<Bytes> = entry.encode().collect();
    frame::write(0, &units, &mut stranger);
    let stranger = refused(&stranger).expect("refused");
    assert!(
        stranger.contains("it has header 3, but the spec records 3; restore"),
        "{stranger}"
    );
}

/// A record of the version before this one, whose checksums were others.
#[test]
fn a_record_of_an_earlier_version_is_refused_with_what_would_be_accepted() {
    let mut header = Header {
        writer: 0,
        run: RUN,
    }
    .encode();
    header[8] = 2;
    header[28..].copy_from_slice(b"crc?");
    let mut disk = FakeDisk::new();
    let path = PathBuf::from("/0.segment");
    let mut file = disk.create(&path, Readers::Anyone).expect("a file");
    disk.write(&mut file, &header).expect("room");
    let refused = Entries::open(&disk, &[path], RUN, &small()).expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "/0.segment has record version 2, but this blis reads version 3; use the version of blis in the manifest"
    );
}

/// Whatever unit of a record is gone, no request has the headers of another one, or its own part.
#[test]
fn headers_are_those_of_their_reply_or_none() {
    let units: Vec<Bytes> = (0..30)
        .flat_map(|number| replied(number).encode().collect::<Vec<_>>())
        .collect();
    assert!(units.len() > 40, "{}", units.len());
    let mut without = 0;
    for gone in 0..units.len() {
        let (before, after) = units.split_at(gone);
        // As one frame, and as two between which text stands alone.
        for frames in [
            vec![[before, &after[1..]].concat()],
            vec![before.to_vec(), after[1..].to_vec()],
        ] {
            let mut disk = FakeDisk::new();
            let path = PathBuf::from("/0.segment");
            let mut file = disk.create(&path, Readers::Anyone).expect("a file");
            let mut bytes = Header {
                writer: 0,
                run: RUN,
            }
            .encode()
            .to_vec();
            let mut first = 0;
            for frame in frames.iter().filter(|frame| !frame.is_empty()) {
                frame::write(first, frame, &mut bytes);
                first += frame.iter().filter(|unit| !entry::is_text(unit)).count() as u64;
            }
            disk.write(&mut file, &bytes).expect("room");
            let read = Entries::open(&disk, &[path], RUN, &small()).expect("a segment");
            for entry in read {
                let entry = entry.expect("an entry");
                let What::Done(row) = entry.what else {
                    panic!("{entry:?}");
                };
                let whole = replied(row.number);
                assert_eq!(entry.what, whole.what);
                without += u64::from(entry.headers != whole.headers);
                assert!(
                    entry.headers == whole.headers || entry.headers.number() == 0,
                    "{gone}: {entry:?}"
                );
            }
        }
    }
    assert!(without > 20, "{without}");
}

/// Frames have a bound in bytes, whatever their entries have.
#[test]
fn entries_with_much_text_are_in_several_frames() {
    let long = "v".repeat(128);
    let mut entry = replied(0);
    entry.headers = ReplyHeaders::of((0..3).map(|at| (at, &*long)));
    assert_eq!(entry.units(), 8);
    let mut bytes = Header {
        writer: 0,
        run: RUN,
    }
    .encode()
    .to_vec();
    let number = 3 * MOST / 8 + 1;
    frame::write_all(5, std::iter::repeat_n(&entry, number), &mut bytes);
    let mut text = &bytes[frame::HEADER..];
    let mut frames = Vec::new();
    while let frame::Next::Frame(frame) = frame::read(&mut text).expect("memory") {
        frames.push((frame.first, frame.units.len()));
    }
    let each = MOST as u64 / 8;
    assert_eq!(
        frames,
        [
            (5, MOST),
            (5 + each, MOST),
            (5 + 2 * each, MOST),
            (5 + 3 * each, 8)
        ]
    );
    let mut disk = FakeDisk::new();
    let path = PathBuf::from("/0.segment");
    let mut file = disk.create(&path, Readers::Anyone).expect("a file");
    disk.write(&mut file, &bytes).expect("room");
    let mut read = Entries::open(&disk, &[path], RUN, &small()).expect("a segment");
    assert!(read.by_ref().all(|found| found.expect("an entry") == entry));
    assert_eq!(read.damage().missing, 5);
}
