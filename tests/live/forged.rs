//! Records that were forged or damaged, with checksums that are right: whoever forges an entry computes them too.

use blis_live::journal::frame::{self, Header};
use blis_live::journal::{Entries, Entry, RealDisk, What, replay};
use blis_sim::event::{Event, Sink};
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::spec::units::MAX_DURATION_NS;
use blis_sim::time::Time;
use tempfile::TempDir;

const RUN: u64 = 7;
/// The longest that a run may take.
const CENTURY: u64 = MAX_DURATION_NS as u64;
/// Where the six numbers of 8 bytes of an entry begin.
const LARGE: usize = 8;
const SIZE: usize = 56;
type Bytes = [u8; SIZE];

const SPECS: [&str; 2] = [
    "{blis: 1, name: closed, run: {requests: 300, warmup: 1s}, clients: {c: {concurrency: 9, think: 10ms, do: {a: 2, b: 1}, \
     timeout: 15ms, on_failure: {retry: {times: 2, backoff: 5ms}}}},\n actions: {a: {path: [{visit: s}, reply]}, b: {path: \
     [{visit: s}, {visit: s}, reply]}},\n services: {s: {workers: 2, time: {exponential: {mean: 4ms}}, errors: 5%}}}",
    "{blis: 1, name: sessions, run: {horizon: 5s}, clients: {c: {rate: 20/s, do: a, session: {rounds: 4, think: 100ms}}},\n \
     actions: {a: {path: [{visit: s}, reply]}}, services: {s: {workers: 4, time: 20ms}}}",
];

/// The events of a simulation, as a record has them.
struct Collect {
    now: Time,
    warmup: Time,
    entries: Vec<Bytes>,
}

impl Sink for Collect {
    fn advance(&mut self, now: Time) {
        self.now = now;
    }

    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Some(what) = What::of(at, event, self.warmup) {
            let now = self.now;
            self.entries.push(Entry { now, what }.encode());
        }
    }
}

/// A model, and the first entries of a run of it.
fn recorded(text: &str) -> (Model, Vec<Bytes>) {
    let spec = blis_sim::spec::read(text).expect("it reads");
    let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
    let collect = Collect {
        now: Time::ZERO,
        warmup: model.limits.warmup,
        entries: Vec::new(),
    };
    let mut simulation = Simulation::new(&model, collect);
    while simulation.advance(1 << 16).expect("it goes on") != Progress::Finished {}
    let mut entries = simulation.into_sink().entries;
    entries.truncate(150);
    assert_eq!(entries.len(), 150);
    (model, entries)
}

/// What such a record adds up to, or why it does not.
fn read(folder: &TempDir, model: &Model, entries: &[Bytes]) -> Result<u64, String> {
    let path = folder.path().join("record.blis");
    let mut text = Header {
        writer: 0,
        run: RUN,
    }
    .encode()
    .to_vec();
    frame::write(0, entries, &mut text);
    std::fs::write(&path, text).expect("a record");
    let mut entries = Entries::open(&RealDisk, &[path], RUN, model).expect("a record");
    let mut measure = Measure::new(model);
    let replayed = replay(&mut entries, &mut measure).map_err(|why| why.to_string())?;
    let finished = measure.finish(replayed.end.intended);
    finished.map_err(|why| why.to_string())?;
    Ok(replayed.rows)
}

#[test]
fn forged_times_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, whole) = recorded(SPECS[1]);
    assert!(read(&folder, &model, &whole).expect("it is whole") > 20);
    let (intended, sent, done, now) = (2, 3, 4, 5);
    for (event, large, value, why) in [
        (
            "intended",
            now,
            u64::MAX,
            "it has a time that no run reaches",
        ),
        ("done", now, u64::MAX, "it has a time that no run reaches"),
        (
            "done",
            now,
            CENTURY + 1_000_000,
            "it has a time that no run reaches",
        ),
        ("session", now, 1, "it goes back in time"),
        (
            "intended",
            intended,
            u64::MAX,
            "it has a time of what had not come yet",
        ),
        (
            "done",
            intended,
            CENTURY,
            "it has a time of what had not come yet",
        ),
        (
            "done",
            sent,
            u64::MAX,
            "it has a time of what had not come yet",
        ),
        (
            "done",
            done,
            u64::MAX,
            "it has a time of what had not come yet",
        ),
        ("done", done, 0, "it has a time of what had not come yet"),
        (
            "session",
            done,
            u64::MAX,
            "it has a time of what had not come yet",
        ),
    ] {
        let is = |bytes: &&mut Bytes| match Entry::decode(bytes).map(|entry| entry.what) {
            Some(What::Intended(_)) => event == "intended",
            Some(What::Done(_)) => event == "done",
            Some(What::SessionStarted(..)) => event == "session",
            _ => false,
        };
        let mut forged = whole.clone();
        let bytes = forged.iter_mut().skip(50).find(is).expect("one");
        let at = LARGE + 8 * large;
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let told = read(&folder, &model, &forged).expect_err("it is forged");
        assert!(
            told.contains(&format!("is damaged: {why}; restore it")),
            "{event} {large} {value}: {told}"
        );
    }
}

/// Whatever the entries of a record say, reading it comes to an end, with figures or without. The last instant that is
/// believed takes no long time either.
#[test]
fn mutated_records_come_to_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut state = 0x5eed_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let values = [
        0,
        1,
        CENTURY - 1,
        CENTURY,
        CENTURY + 1_000_000,
        u64::MAX / 2,
        u64::MAX,
    ];
    let (mut told, mut refused) = (0, 0);
    for text in SPECS {
        let (model, whole) = recorded(text);
        for _ in 0..300 {
            let mut mutated = whole.clone();
            for _ in 0..=draw(3) {
                let bytes = &mut mutated[draw(150) as usize];
                let value = values[draw(values.len() as u64) as usize];
                match draw(3) {
                    0 => bytes[draw(8) as usize] = draw(256) as u8,
                    1 => bytes[draw(SIZE as u64) as usize] ^= 1 << draw(8),
                    _ => {
                        let at = LARGE + 8 * draw(6) as usize;
                        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
                    }
                }
            }
            if draw(4) == 0 {
                // The last entry may say whatever it likes of how far time had come.
                mutated[149][SIZE - 8..].copy_from_slice(&CENTURY.to_le_bytes());
            }
            match read(&folder, &model, &mutated) {
                Ok(_) => told += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(told > 50 && refused > 50, "{told} {refused}");
}
