//! Records that were forged or damaged, whole files and single entries.

use blis_sim::event::Reason;
use blis_sim::spec::units::MAX_DURATION_NS;

use super::super::super::frame::{FRAME, HEADER};
use super::survives::{Fate, SIZE, framed, survives};
use super::*;

/// The longest that a run may take.
const CENTURY: u64 = MAX_DURATION_NS as u64;
/// Where the first six numbers of 8 bytes of an entry begin.
const LARGE: usize = 8;
/// The entries that are forged.
const ENTRIES: usize = 150;

/// A model, and the first entries of a run of it.
fn recorded(text: &str) -> (Model, Vec<Bytes>) {
    let model = model(text);
    let (_, mut entries, _) = simulate(&model);
    entries.truncate(ENTRIES);
    assert_eq!(entries.len(), ENTRIES);
    (model, entries)
}

/// What such a record adds up to, or why it does not.
fn read(model: &Model, entries: &[Bytes]) -> Result<u64, String> {
    match survives(model, &[framed(entries.as_flattened())]) {
        Fate::Told(rows) => Ok(rows),
        Fate::Refused(why) => Err(why),
    }
}

/// Numbers below a bound, the same in every run of a test.
fn draws() -> impl FnMut(u64) -> u64 {
    let mut state = 0x5eed_u64;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn forged_times_are_damage() {
    let (model, whole) = recorded(SPECS[2]);
    assert!(read(&model, &whole).expect("it is whole") > 20);
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
        let is = |bytes: &&mut Bytes| match entry_of(bytes).what {
            What::Intended(_) => event == "intended",
            What::Done(_) => event == "done",
            What::SessionStarted(..) => event == "session",
            _ => false,
        };
        let mut forged = whole.clone();
        let bytes = forged.iter_mut().skip(50).find(is).expect("one");
        let at = LARGE + 8 * large;
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let told = read(&model, &forged).expect_err("it is forged");
        assert!(
            told.contains(&format!("is damaged: {why}; restore it")),
            "{event} {large} {value}: {told}"
        );
    }
}

#[test]
fn a_forged_reason_is_damage_or_no_entry() {
    let (model, whole) = recorded(SPECS[0]);
    let is_ok = |unit: &&mut Bytes| matches!(entry_of(unit).what, What::Done(row) if row.outcome == Outcome::Ok);
    let forge = |reason: u8| {
        let mut forged = whole.clone();
        let unit = forged.iter_mut().find(is_ok).expect("one");
        assert_eq!(std::mem::replace(&mut unit[SIZE - 8], reason), 0xff);
        read(&model, &forged)
    };
    let all = read(&model, &whole).expect("it is whole");
    for reason in Reason::ALL {
        let told = forge(reason as u8).expect_err("it is forged");
        let why = "is damaged: it has a reason that its outcome does not have; restore it";
        assert!(told.contains(why), "{told}");
    }
    // One that this version does not know is missing.
    assert_eq!(forge(Reason::ALL.len() as u8), Ok(all - 1));
}

/// Whatever the entries of a record say, reading it comes to an end, with figures or without. The last instant that is
/// believed takes no long time either.
#[test]
fn mutated_records_come_to_an_end() {
    let mut draw = draws();
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
                let bytes = &mut mutated[draw(ENTRIES as u64) as usize];
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
                mutated[ENTRIES - 1][SIZE - 16..SIZE - 8].copy_from_slice(&CENTURY.to_le_bytes());
            }
            match read(&model, &mutated) {
                Ok(_) => told += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(told > 50 && refused > 50, "{told} {refused}");
}

/// Whatever bytes a file has, reading it comes to an end, and costs what its length allows.
#[test]
fn mutated_files_come_to_an_end() {
    let mut draw = draws();
    let (mut told, mut refused, mut cut) = (0, 0, 0);
    for text in SPECS {
        let (model, whole) = recorded(text);
        let whole = framed(whole.as_flattened());
        let Fate::Told(all) = survives(&model, std::slice::from_ref(&whole)) else {
            panic!("it is whole");
        };
        for _ in 0..400 {
            let mut mutated = whole.clone();
            for _ in 0..=draw(3) {
                let at = draw(mutated.len() as u64) as usize;
                // Headers say how much comes after them.
                let in_header = [draw(HEADER as u64), HEADER as u64 + draw(FRAME as u64)];
                let in_header = (in_header[draw(2) as usize] as usize).min(mutated.len() - 1);
                match draw(7) {
                    0 => mutated.truncate(at.max(1)),
                    1 => mutated[at] ^= 1 << draw(8),
                    2 => mutated[in_header] = draw(256) as u8,
                    3 => mutated.splice(at..at, [draw(256) as u8]).for_each(drop),
                    4 => mutated.drain(at.max(1)..).take(1).for_each(drop),
                    5 => mutated.extend_from_within(at..),
                    _ => mutated = (0..draw(500)).map(|_| draw(256) as u8).chain([0]).collect(),
                }
            }
            // The same segment twice, and next to a whole one, is none more.
            let twice = [mutated.clone(), mutated.clone()];
            for segments in [&twice[..1], &twice[..], &[mutated.clone(), whole.clone()]] {
                match survives(&model, segments) {
                    Fate::Told(rows) => {
                        assert!(rows <= all, "{rows} of {all}");
                        told += 1;
                        cut += u64::from(rows < all);
                    }
                    Fate::Refused(why) => {
                        assert!(why.contains('0') || why.contains('1'), "{why}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(
        told > 500 && refused > 100 && cut > 100,
        "{told} {refused} {cut}"
    );
}

/// What the fuzz target begins with: the files of `fuzz/corpus/record` are entries without frames, or whole files.
#[test]
fn the_corpus_of_records_survives() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/record");
    if std::env::var_os("BLIS_BLESS").is_some() {
        std::fs::create_dir_all(&folder).expect("a folder");
        for (number, text) in SPECS.iter().enumerate() {
            let (_, entries) = recorded(text);
            let entries = entries.as_flattened();
            let write = |name: &str, bytes: &[u8]| {
                let path = folder.join(format!("{number}.{name}"));
                std::fs::write(path, bytes).expect("it can be written");
            };
            write("entries", entries);
            write("segment", &framed(entries));
        }
    }
    let (mut files, mut told) = (0, 0);
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        files += 1;
        for text in SPECS {
            for segment in [bytes.clone(), framed(&bytes)] {
                told += u64::from(matches!(
                    survives(&model(text), &[segment]),
                    Fate::Told(1..)
                ));
            }
        }
    }
    assert!(files >= 6 && told >= 6, "{files} {told}");
}
