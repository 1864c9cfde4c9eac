//! Damage to the record of a run, one kind after the other: what reads it says what is missing, and never less.

use std::path::{Path, PathBuf};
use std::process::Command;

use blis_live::journal::frame::{FRAME, HEADER, Next, read, write};
use serde_json::Value;

use crate::programs::{Double, Ran, number, observe, run};
use crate::server::Server;

/// The requests of the run.
const ROWS: usize = 200;
/// The rows of a frame.
const EACH: usize = 40;
/// The units of a row: the headers of its reply, and itself.
const UNITS: usize = 2;
/// The bytes of a unit.
const SIZE: usize = 64;
/// Where an entry has the instant at which its request was sent.
const SENT: usize = 8 + 3 * 8;

/// A run that has ended, with its record in short frames.
struct Ended {
    directory: PathBuf,
    result: Value,
    header: Vec<u8>,
    frames: Vec<Vec<u8>>,
}

impl Ended {
    fn new(server: &Server) -> Ended {
        let _double = Double::start(&server.url(), &[]);
        let directory = server.folder().join("run");
        let words = ["--num-requests", "200", "--concurrency", "10", "--out"];
        let out = directory.display().to_string();
        let result = observe(&server.url(), &[&words[..], &[&out]].concat());
        let bytes = std::fs::read(directory.join("record.blis")).expect("a record");
        let mut reader = &bytes[HEADER..];
        let mut units = Vec::new();
        while let Next::Frame(frame) = read(&mut reader).expect("a frame") {
            units.extend(frame.units);
        }
        assert_eq!(units.len(), UNITS * ROWS + 1);
        let each = UNITS * EACH;
        let frames = units.chunks(each).zip((0u64..).step_by(EACH));
        let frames = frames.map(|(units, first)| {
            let mut frame = Vec::new();
            write(first, units, &mut frame);
            frame
        });
        Ended {
            directory,
            result,
            frames: frames.collect(),
            header: bytes[..HEADER].to_vec(),
        }
    }

    fn record(&self) -> PathBuf {
        self.directory.join("record.blis")
    }

    fn whole(&self) -> Vec<u8> {
        [&self.header[..], &self.frames.concat()].concat()
    }

    fn with(&self, frames: &[Vec<u8>]) -> Vec<u8> {
        [&self.header[..], &frames.concat()].concat()
    }

    /// Where frames begin, and the end.
    fn boundaries(&self) -> Vec<usize> {
        let mut at = HEADER;
        let mut boundaries = vec![at];
        for frame in &self.frames {
            at += frame.len();
            boundaries.push(at);
        }
        boundaries
    }

    fn read(&self, command: &str) -> Ran {
        run(&[command, &self.directory.display().to_string()])
    }

    /// What both commands say of such a record.
    fn told(&self, record: &[u8]) -> String {
        std::fs::write(self.record(), record).expect("a record");
        let [traced, reported] = ["trace", "report"].map(|command| self.read(command));
        for ran in [&traced, &reported] {
            assert_eq!(ran.code, Some(2), "{} {}", record.len(), ran.stderr);
        }
        assert_eq!(traced.stderr, reported.stderr);
        // The result is whole, and shown.
        assert!(
            reported.stdout.contains("200 rows of run"),
            "{}",
            reported.stdout
        );
        let (_, told) = traced.stderr.split_once("is damaged: ").expect("damage");
        told.to_owned()
    }
}

#[test]
fn whatever_is_missing_of_the_record_of_a_run_that_has_ended_is_told() {
    let server = Server::start("");
    let ended = Ended::new(&server);
    let whole = ended.whole();
    std::fs::write(ended.record(), &whole).expect("a record");
    for command in ["trace", "report"] {
        let ran = ended.read(command);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
    // Cut off at every boundary of frames, and within every frame.
    let boundaries = ended.boundaries();
    for (number, ends) in boundaries.windows(2).enumerate() {
        let (start, end) = (ends[0], ends[1]);
        let missing = format!("{} of 200 rows are missing", ROWS - EACH * number);
        let within = [0, 1, FRAME, FRAME + SIZE, end - start - 1];
        for at in within.map(|within| start + within) {
            if at == end {
                continue;
            }
            let told = ended.told(&whole[..at]);
            let unread = match at - start {
                0 => "; ".to_owned(),
                torn => format!(", and {torn} bytes cannot be read; "),
            };
            let expected = match number * EACH == ROWS {
                // Only the end is behind it.
                true if at == start => "its end is missing; ".to_owned(),
                true => format!("{} bytes cannot be read; ", at - start),
                false => format!("{missing}{unread}"),
            };
            assert!(told.starts_with(&expected), "{at}: {told} {expected}");
        }
    }
    // A byte is another one: in the header, and in every frame.
    for at in [12, 20, 31] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        let told = ended.told(&flipped);
        assert!(
            told.starts_with("200 of 200 rows are missing, and "),
            "{told}"
        );
    }
    for (number, start) in boundaries[..boundaries.len() - 1].iter().enumerate() {
        for within in [0, 4, 8, FRAME, FRAME + SENT] {
            let mut flipped = whole.clone();
            flipped[start + within] ^= 1;
            let told = ended.told(&flipped);
            let bytes = whole.len() - start;
            let expected = match ROWS - EACH * number {
                0 => format!("{bytes} bytes cannot be read; "),
                rows => {
                    format!("{rows} of 200 rows are missing, and {bytes} bytes cannot be read; ")
                }
            };
            assert!(told.starts_with(&expected), "{within}: {told} {expected}");
        }
    }
}

#[test]
fn frames_that_are_gone_or_in_another_place_are_told() {
    let server = Server::start("");
    let ended = Ended::new(&server);
    for number in 0..ended.frames.len() {
        let mut frames = ended.frames.clone();
        let last = number + 1 == frames.len();
        frames.remove(number);
        let told = ended.told(&ended.with(&frames));
        let expected = match last {
            true => "its end is missing; ",
            false => "40 of 200 rows are missing; ",
        };
        assert!(told.starts_with(expected), "{number}: {told}");
    }
    for number in 1..ended.frames.len() {
        let mut frames = ended.frames.clone();
        frames.swap(number - 1, number);
        // What comes too late in the sequence is taken for what is there already.
        ended.told(&ended.with(&frames));
    }
    // What is there twice is there once.
    let mut frames = ended.frames.clone();
    frames.insert(1, frames[0].clone());
    std::fs::write(ended.record(), ended.with(&frames)).expect("a record");
    assert_eq!(ended.read("trace").code, Some(0));
    let told = ended.told(&[&ended.whole()[..], b"more"].concat());
    assert!(told.starts_with("4 bytes cannot be read; "), "{told}");
}

#[test]
fn entries_that_were_changed_with_their_checksums_are_told_by_the_result() {
    let server = Server::start("");
    let ended = Ended::new(&server);
    let said = ended.result["record"]["checksum"]
        .as_str()
        .expect("a checksum");
    assert_eq!(said.len(), 8, "{said}");
    let mut frames = ended.frames.clone();
    let mut reader = &frames[2][..];
    let Next::Frame(mut frame) = read(&mut reader).expect("a frame") else {
        panic!("no frame");
    };
    frame.units[7][SENT] ^= 1;
    frames[2].clear();
    write(frame.first, &frame.units, &mut frames[2]);
    let told = ended.told(&ended.with(&frames));
    assert!(told.starts_with("its checksum is "), "{told}");
    let where_ = format!(", but the result has {said}: it was changed; ");
    assert!(told.contains(&where_), "{told}");
    // A result of a version that had no checksums says nothing of it.
    let path = ended.directory.join("result.json");
    let mut older = ended.result.clone();
    let record = older["record"].as_object_mut().expect("a record");
    record.remove("checksum");
    std::fs::write(&path, older.to_string()).expect("a result");
    assert_eq!(ended.read("report").code, Some(0));
    // Rows that are whole, and not those of the result.
    let mut other = older.clone();
    other["requests"]["ok"] = (number(&ended.result, "/requests/ok") - 1).into();
    other["requests"]["rejected"] = (number(&ended.result, "/requests/rejected") + 1).into();
    std::fs::write(&path, other.to_string()).expect("a result");
    let told = ended.told(&ended.whole());
    let expected = "200 of its rows are ok, but the result has 199";
    assert!(told.starts_with(expected), "{told}");
    // A pipe in the place of the record is no record, and nobody waits for it.
    let record = ended.record();
    std::fs::remove_file(&record).expect("it was there");
    for command in ["trace", "report"] {
        let gone = ended.read(command);
        assert_eq!(gone.code, Some(2), "{}", gone.stderr);
        assert!(
            gone.stderr.contains("record.blis cannot be read"),
            "{}",
            gone.stderr
        );
    }
    let made = Command::new("mkfifo").arg(&record).status();
    assert!(made.expect("mkfifo is there").success());
    for command in ["trace", "report"] {
        let pipe = ended.read(command);
        assert_eq!(pipe.code, Some(2), "{}", pipe.stderr);
        assert!(pipe.stderr.contains("it is not a file"), "{}", pipe.stderr);
    }
}

/// The same record, of a run that did not come to write its result.
fn unfinish(ended: &Ended) -> PathBuf {
    let journal = ended.directory.join("journal");
    std::fs::create_dir(&journal).expect("a folder");
    for name in ["manifest.json", "spec.yaml"] {
        std::fs::copy(ended.directory.join(name), journal.join(name)).expect("a copy");
    }
    std::fs::remove_file(ended.directory.join("result.json")).expect("a result");
    journal.join("0.segment")
}

#[test]
fn where_the_record_of_an_unfinished_run_breaks_off_is_told() {
    let server = Server::start("");
    let ended = Ended::new(&server);
    let segment = unfinish(&ended);
    let whole = ended.whole();
    let told = |segment: &Path, bytes: &[u8]| {
        std::fs::write(segment, bytes).expect("a segment");
        let [traced, reported] = ["trace", "report"].map(|command| {
            let ran = ended.read(command);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            let (first, rest) = ran.stderr.split_once('\n').expect("a line");
            assert!(first.contains("has no result: "), "{first}");
            rest.to_owned()
        });
        assert_eq!(traced, reported);
        traced
    };
    assert_eq!(told(&segment, &whole), "");
    let boundaries = ended.boundaries();
    for (number, ends) in boundaries.windows(2).enumerate() {
        let (start, end) = (ends[0], ends[1]);
        // At a boundary nothing shows that more was to come.
        assert_eq!(told(&segment, &whole[..start]), "");
        let rows = EACH * number;
        let mut flipped = whole.clone();
        flipped[start + FRAME] ^= 1;
        for bytes in [&whole[..end - 1], &flipped] {
            let expected = format!(
                "blis: {} is incomplete from byte {start} on; {} bytes are left out\nblis: {rows} rows of the record are kept\n",
                segment.display(),
                bytes.len() - start
            );
            assert_eq!(told(&segment, bytes), expected);
        }
    }
    let mut frames = ended.frames.clone();
    frames.remove(1);
    let without = told(&segment, &ended.with(&frames));
    assert!(
        without.starts_with("blis: 40 entries are missing from the record: "),
        "{without}"
    );
    assert!(
        without.ends_with("blis: 160 rows of the record are kept\n"),
        "{without}"
    );
}
