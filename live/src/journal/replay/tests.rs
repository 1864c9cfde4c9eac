//! Records of simulated runs, which are measured on the day and replayed: whole, cut off, and with entries missing.

use std::path::{Path, PathBuf};

use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::result::{self, Live, Provenance, Run};
use blis_sim::simulation::{Progress, Simulation};
use proptest::prelude::*;

use super::super::entry::{Bytes, Unit};
use super::super::fake::FakeDisk;
use super::super::frame::{self, Header};
use super::super::tests::{RUN, model, unit};
use super::super::writer::{Numbered, Segment};
use super::super::{Checksum, Damage, Disk, Full, Journal, Kept, NamedText, Readers, folder};
use super::*;

mod forged;
mod survives;

/// The events of a simulation, as a record has them: what a backend does is left out.
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
            self.entries.push(unit(&Entry::bare(self.now, what)));
        }
    }
}

/// The entry of a unit.
fn entry_of(unit: &Bytes) -> Entry {
    match Unit::decode(unit) {
        Some(Unit::Entry(entry, 0)) => entry,
        other => panic!("{other:?}"),
    }
}

/// Simulates; what was measured, what was recorded, and the end.
fn simulate(model: &Model) -> (Measure, Vec<Bytes>, End) {
    let collect = Collect {
        now: Time::ZERO,
        warmup: model.limits.warmup,
        entries: Vec::new(),
    };
    let mut simulation = Simulation::new(model, (Measure::new(model), collect));
    while simulation.advance(1 << 16).expect("it goes on") != Progress::Finished {}
    let end = End {
        by: simulation.load_end().expect("it ended"),
        at: simulation.now(),
        intended: simulation.intended(),
    };
    let (mut measure, mut collect) = simulation.into_sink();
    measure.finish(end.intended).expect("the books balance");
    let seal = Entry::bare(end.at, What::Ended(end));
    collect.entries.push(unit(&seal));
    (measure, collect.entries, end)
}

fn document(model: &Model, measure: &Measure, end: End) -> Run {
    let live = Live {
        target: Vec::new(),
        server_version: String::new(),
        connections: 1,
        elapsed_s: end.at.as_secs_f64(),
        reasons: Default::default(),
        incidents: Default::default(),
        messages: Vec::new(),
        generator: None,
        observers: None,
    };
    let provenance = Provenance {
        sha256: String::new(),
        resolved_sha256: String::new(),
        files: Default::default(),
        configuration: Default::default(),
        ended_by: end.by,
        record: None,
        not_measured: Vec::new(),
        mode: result::Mode::Live {
            live: Box::new(live),
            evidence: Default::default(),
        },
    };
    result::build(
        model,
        Some(&blis_sim::analysis::Analysis::of(model)),
        measure,
        provenance,
    )
}

/// A record of a model with these entries, some of which may be missing.
fn record(model: &Model, entries: &[(u64, Bytes)]) -> Entries<<FakeDisk as Disk>::Reader> {
    let mut disk = FakeDisk::new();
    let path = PathBuf::from("/0.segment");
    let mut file = disk.create(&path, Readers::Anyone).expect("a file");
    let header = Header {
        writer: 0,
        run: RUN,
    };
    disk.write(&mut file, &header.encode()).expect("room");
    let mut segment = Segment::new(disk.clone(), file, path.clone());
    let numbered: Vec<Numbered> = entries
        .iter()
        .map(|(sequence, bytes)| Numbered {
            sequence: *sequence,
            entry: entry_of(bytes),
        })
        .collect();
    for group in numbered.chunks(100) {
        segment.commit(group).expect("room");
    }
    Entries::open(&disk, &[path], RUN, model).expect("a segment")
}

/// What such a record says.
fn replayed(model: &Model, entries: &[(u64, Bytes)]) -> (Measure, Replayed, Damage) {
    let mut entries = record(model, entries);
    let mut measure = Measure::new(model);
    let replayed = replay(&mut entries, &mut measure).expect("a record");
    measure
        .finish(replayed.end.intended)
        .expect("the books balance");
    (measure, replayed, entries.damage())
}

const SPECS: [&str; 4] = [
    "{blis: 1, name: closed, run: {requests: 2000, warmup: 1s}, clients: {c: {concurrency: 9, think: 10ms, do: {a: 2, b: 1}, \
     timeout: 15ms}},\n actions: {a: {path: [{visit: s}, reply]}, b: {path: [{visit: s}, {visit: s}, reply]}},\n \
     services: {s: {workers: 2, time: {exponential: {mean: 4ms}}, errors: 5%}}}",
    "{blis: 1, name: open, run: {horizon: 20s, warmup: 2s, drain: 10ms}, clients: {c: {rate: 90/s, do: a, timeout: 200ms, \
     on_failure: {retry: {times: 2, backoff: 5ms}}}},\n actions: {a: {path: [{visit: s}, reply], slo: {p99: 50ms}}},\n \
     services: {s: {workers: 1, time: {exponential: {mean: 10ms}}, queue: {limit: 5}}}}",
    "{blis: 1, name: sessions, run: {horizon: 10s}, clients: {c: {rate: 20/s, do: a, session: {rounds: 4, think: 300ms}}},\n \
     actions: {a: {path: [{visit: s}, reply]}}, services: {s: {workers: 4, time: 20ms}}}",
    "{blis: 1, name: broadcast, run: {requests: 900, warmup: 500ms, drain: 300ms}, clients: {c: {concurrency: 9, think: 5ms, do: a, \
     timeout: 30ms, on_failure: {respawn: true}}},\n actions: {a: {path: [{visit: s}, {emit: room}, reply], await: {deliveries: 4, \
     until: 3}}},\n services: {s: {workers: 2, time: {exponential: {mean: 3ms}}}}, fan_outs: {room: {subscribers: 5, loss: 10%, \
     delay: {exponential: {mean: 8ms}}}}}",
];

#[test]
fn a_whole_record_gives_the_very_result() {
    for text in SPECS {
        let model = model(text);
        let (measure, entries, end) = simulate(&model);
        assert!(entries.len() > 1000, "{}", entries.len());
        let entries: Vec<(u64, Bytes)> = (0..).zip(entries).collect();
        let (again, replayed, damage) = replayed(&model, &entries);
        assert_eq!(
            (replayed.end, replayed.sealed, replayed.unknown),
            (end, true, 0)
        );
        assert_eq!(damage, Damage::default());
        let [first, second] = [&measure, &again].map(|measure| document(&model, measure, end));
        assert_eq!(
            first.to_json().expect("JSON"),
            second.to_json().expect("JSON")
        );
    }
}

/// Simulates with a record on this disk, as `blis run --record` does; what was measured, and what became of the record.
fn recorded(model: &Model, disk: &FakeDisk) -> Result<(Measure, Kept, End), JournalFailure> {
    let directory = Path::new("/run");
    let mut own = disk.clone();
    let segment = folder::start(own.clone(), directory, RUN, &[], &[])?;
    let (recorder, journal) = Journal::start(segment, model.limits.warmup, Full::Waits);
    let mut simulation = Simulation::new(model, (Measure::new(model), recorder));
    while simulation.advance(64).expect("it goes on") != Progress::Finished {
        if journal.has_failed() {
            simulation.interrupt();
        }
    }
    let end = End {
        by: simulation.load_end().expect("it ended"),
        at: simulation.now(),
        intended: simulation.intended(),
    };
    let (mut measure, recorder) = simulation.into_sink();
    measure.finish(end.intended).expect("the books balance");
    let mut kept = journal.finish(recorder, end);
    if let Some(failed) = kept.failed.take() {
        return Err(failed);
    }
    folder::end(&mut own, directory, RUN, model, &[result()])?;
    Ok((measure, kept, end))
}

fn result() -> NamedText {
    NamedText {
        name: "result.json".to_owned(),
        text: "the result".to_owned(),
        readers: Readers::Anyone,
    }
}

/// Whatever operation of the disk fails, a simulation is recorded as a whole, or it is told and no result is there.
#[test]
fn a_simulation_is_recorded_as_a_whole_or_it_is_told() {
    let model = model(&SPECS[1].replace("horizon: 20s", "horizon: 4s"));
    let whole = FakeDisk::new();
    let (measure, kept, end) = recorded(&model, &whole).expect("room");
    assert!(kept.written.rows > 200 && kept.dropped == 0, "{kept:?}");
    let paths = [PathBuf::from("/run/record.blis")];
    let open = |disk: &FakeDisk| Entries::open(disk, &paths, RUN, &model).expect("a record");
    let rows = |disk: &FakeDisk| {
        let mut counts = [0; Outcome::ALL.len()];
        let mut checksum = Checksum::default();
        for entry in open(disk) {
            let entry = entry.expect("an entry");
            checksum.keep(&entry);
            if let What::Done(row) = entry.what {
                counts[row.outcome as usize] += 1;
            }
        }
        (counts, checksum)
    };
    // Rows, folded, are the counts of the result.
    let (counts, checksum) = rows(&whole);
    let requests = measure.total().requests();
    assert_eq!(counts, Outcome::ALL.map(|outcome| requests.ended(outcome)));
    assert_eq!(counts.iter().sum::<u64>(), end.intended);
    assert_eq!(checksum, kept.written.checksum);
    let (mut told, mut done) = (0, 0);
    // How often the thread writes is its affair: there may be more operations or fewer.
    for step in 0..whole.operations() + 3 {
        let mut disk = FakeDisk::new();
        disk.fail_at(step);
        let has_result = |disk: &FakeDisk| disk.exists(Path::new("/run/result.json"));
        match recorded(&model, &disk) {
            Ok(_) => {
                done += 1;
                assert_eq!(rows(&disk), (counts, checksum));
            }
            Err(why) => {
                told += 1;
                let why = why.to_string();
                assert!(why.contains("no space left on the fake disk"), "{why}");
                if has_result(&disk) {
                    // It was in its place already.
                    assert_eq!(rows(&disk), (counts, checksum));
                }
            }
        }
    }
    assert!(told > 10 && done > 0, "{told} {done}");
}

#[test]
fn a_record_that_breaks_off_adds_up() {
    for text in SPECS {
        let model = model(text);
        let (_, entries, _) = simulate(&model);
        let entries: Vec<(u64, Bytes)> = (0..).zip(entries).collect();
        for length in [0, 1, 2, 3, 10, 101, 577, 900] {
            let (measure, replayed, _) = replayed(&model, &entries[..length]);
            assert!(!replayed.sealed);
            assert_eq!(replayed.end.by, LoadEnd::Interrupted);
            assert_eq!(replayed.rows + replayed.unknown, replayed.end.intended);
            let requests = measure.total().requests();
            assert_eq!(requests.intended, replayed.end.intended);
            assert!(requests.ended(Outcome::Unresolved) >= replayed.unknown);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn missing_entries_never_unbalance_the_books(seed in any::<u64>(), one_in in 2u64..40) {
        let model = model(SPECS[(seed % SPECS.len() as u64) as usize]);
        let (_, entries, _) = simulate(&model);
        let left = (0u64..).zip(entries).filter(|(number, _)| {
            (number ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 > (u32::MAX as u64) / one_in
        });
        let left: Vec<(u64, Bytes)> = left.take(3000).collect();
        let (_, replayed, damage) = replayed(&model, &left);
        prop_assert!(damage.missing > 0);
        prop_assert_eq!(replayed.rows + replayed.unknown, replayed.end.intended);
    }
}
