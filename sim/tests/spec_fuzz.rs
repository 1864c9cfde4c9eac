//! A bounded run of mutated specs: no panic, bounded work, bounded memory, and what is accepted runs.
//!
//! The mutations are drawn by keys, so that every run of this test is the same; `fuzz/` has the unbounded one, and the
//! corpus there is run here too. Work is counted as allocations of the reader and memory as bytes, which are the same on
//! every machine.

mod counting;
#[path = "hostile/mutation.rs"]
mod mutation;
#[path = "hostile/survives.rs"]
mod survives;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blis_sim::random::{Key, Kind, Purpose};
use blis_sim::spec::compose::{self, Options, SpecPart};
use blis_sim::spec::error::MAX_BYTES;
use blis_sim::spec::{self, Assignment, Spec};
use mutation::{Pool, assignment, mutated};
use survives::{Fate, survives};

/// What reading and lowering a text may take: so many bytes at their peak and so many allocations, whatever the text is.
const MOST_BYTES: i64 = 48_000_000;
const MOST_ALLOCATIONS: u64 = 1_000_000;
/// The same for a text of a few kilobytes, without aliases to multiply it.
const SMALL_BYTES: i64 = 4_000_000;
const SMALL_ALLOCATIONS: u64 = 200_000;

/// Mutated specs of one run.
const CASES: u64 = 6_000;

/// Bytes at the peak and allocations of reading, lowering and writing back.
fn cost(text: &str) -> (i64, u64) {
    let before = counting::allocations();
    let (_, bytes) = counting::peak(|| survives::read(text));
    (bytes, counting::allocations() - before)
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The texts of a folder, in the order of their names.
fn texts(path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(path)).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("a text"))
        .collect()
}

/// What mutation starts from: every shipped spec and the corpus.
fn seeds() -> Vec<String> {
    let mut seeds = texts("specs");
    seeds.extend(texts("fuzz/corpus/spec"));
    assert!(seeds.len() >= 12, "{} seeds", seeds.len());
    seeds
}

#[test]
fn the_corpus_survives() {
    let seeds = seeds();
    let fates: Vec<Fate> = seeds.iter().map(|text| survives(text)).collect();
    for fate in [Fate::Ran, Fate::Refused] {
        assert!(fates.contains(&fate), "{fates:?}");
    }
}

#[test]
fn mutated_specs_survive_within_their_bounds() {
    let pool = Pool::new(seeds());
    let key = Key::new(1, Kind::Client, "mutated specs", Purpose::Choice);
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    for case in 0..CASES {
        let text = mutated(&pool, &mut key.draw(case, 0));
        let (bytes, allocations) = cost(&text);
        assert!(
            bytes < SMALL_BYTES && allocations < SMALL_ALLOCATIONS,
            "case {case} took {bytes} bytes and {allocations} allocations:\n{text}"
        );
        *fates.entry(survives(&text)).or_default() += 1;
    }
    let share = |fate| fates.get(&fate).copied().unwrap_or(0) as f64 / CASES as f64;
    // Mutations that are always or never refused would test little, and what is not run is told.
    assert!(share(Fate::Ran) > 0.1, "{fates:?}");
    assert!(share(Fate::Refused) > 0.3, "{fates:?}");
    assert!(share(Fate::TooLarge) < 0.02, "{fates:?}");
}

/// The text of a file of the corpus.
fn of_corpus(name: &str) -> String {
    let path = folder("fuzz/corpus/spec").join(name);
    std::fs::read_to_string(path).expect("it is there")
}

#[test]
fn every_reference_to_a_file_survives_whatever_the_file_holds() {
    let text = of_corpus("files.yaml");
    assert_eq!(survives(&text), Fate::Ran);
    let names: Vec<&str> = text
        .split([' ', ',', '}', '\n'])
        .filter(|word| word.ends_with(".csv") || word.ends_with(".json"))
        .collect();
    assert_eq!(names.len(), 6, "{names:?}");
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    for name in names {
        for number in 0..16 {
            let changed = text.replace(name, &format!("{number}-other"));
            assert_ne!(changed, text);
            *fates.entry(survives(&changed)).or_default() += 1;
        }
    }
    assert!(
        fates[&Fate::Ran] > 20 && fates[&Fate::Refused] > 40,
        "{fates:?}"
    );
}

/// Texts that must not come to be sent, and some that may.
const VALUES: [&str; 20] = [
    "a\\nb",
    "a\\rb",
    "\\u0000",
    "\\u202e",
    "*",
    ">",
    "",
    " ",
    "a b",
    ".",
    "a.",
    ".a",
    "a..b",
    "a.>",
    "DEL",
    "PURGE",
    "STREAM.PURGE",
    "$JS.API.STREAM.PURGE.A",
    "{room}",
    "fine",
];

#[test]
fn every_value_of_a_template_survives() {
    let text = of_corpus("templates.yaml");
    assert_eq!(survives(&text), Fate::Ran);
    let long = "x".repeat(70_000);
    let values = VALUES.into_iter().chain([long.as_str()]);
    let places = [
        "north",
        "south",
        "\"a-b\"",
        "\"demo\"",
        "\"shop.one\"",
        "PUT",
        "ADD",
        "STREAM.INFO",
        "CONSUMER.NAMES",
        "\"demo.{room}.{shelf}\"",
        "\"{room}\"",
        "\"{operation}\"",
        "\"{place}.{user}\"",
        "\"$JS.API.{function}.orders\"",
        "\"of.{room}.{user}\"",
        "\"orders.{room}\"",
        "\"told.{room}.{uuid}\"",
        "\"{uuid}\"",
        "carts",
    ];
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    for value in values {
        for place in places {
            let changed = text.replace(place, &format!("\"{value}\""));
            assert!(text.contains(place), "{place}");
            let (bytes, _) = cost(&changed);
            assert!(bytes < MOST_BYTES, "{place} {value}: {bytes} bytes");
            *fates.entry(survives(&changed)).or_default() += 1;
        }
    }
    assert!(
        fates[&Fate::Ran] > 50 && fates[&Fate::Refused] > 150,
        "{fates:?}"
    );
}

#[test]
fn set_values_survive() {
    let pool = Pool::new(seeds());
    let key = Key::new(1, Kind::Client, "set values", Purpose::Choice);
    let (mut read, mut parsed) = (0, 0);
    for case in 0..CASES {
        let mut draw = key.draw(case, 0);
        let text = mutated(&pool, &mut draw);
        let written: Vec<String> = (0..1 + draw.below(3))
            .map(|_| assignment(&pool, &mut draw))
            .collect();
        let assignments: Vec<Assignment> =
            written.iter().filter_map(|one| one.parse().ok()).collect();
        parsed += assignments.len();
        let lowered = spec::read_with(&text, &assignments).and_then(|spec| spec::lower(&spec));
        let found = match lowered {
            Ok(lowered) => {
                read += 1;
                lowered.warnings
            }
            Err(errors) => errors.into_iter().collect(),
        };
        for error in found {
            let outside = error
                .span
                .as_ref()
                .is_some_and(|span| text.get(span.clone()).is_none());
            assert!(!outside, "{error} of {written:?} has no place in\n{text}");
        }
    }
    assert!(
        read > 20 && parsed as u64 > CASES,
        "{read} read, {parsed} parsed"
    );
}

#[test]
fn compositions_survive() {
    let pool = Pool::new(seeds());
    let key = Key::new(1, Kind::Client, "compositions", Purpose::Choice);
    let accepted: Vec<(String, Spec)> = (0..CASES / 4)
        .map(|case| mutated(&pool, &mut key.draw(case, 0)))
        .filter_map(|text| {
            let spec = spec::read(&text).ok()?;
            let lowered = spec::lower(&spec).ok()?;
            (survives::size(&lowered.model) < survives::LARGEST).then_some((text, spec))
        })
        .collect();
    let decided = |text: &str| text.parse::<Assignment>().expect("an assignment");
    let (mut composed, mut refused) = (0, 0);
    for pair in accepted.windows(2) {
        let [(one, one_spec), (other, other_spec)] = pair else {
            continue;
        };
        let parts = [("one", one, one_spec), ("other", other, other_spec)];
        let parts = parts.map(|(label, text, spec)| SpecPart { label, text, spec });
        let options = Options {
            name: Some("both".to_owned()),
            prefix: true,
            set: vec![
                decided("run={requests: 1k, horizon: 1h}"),
                decided("network={one_way: 1ms}"),
                decided("seed=1"),
            ],
            ..Options::default()
        };
        match compose::compose(&parts, &options) {
            Ok(composition) => {
                composed += 1;
                survives(&composition.text);
            }
            Err(why) => {
                refused += 1;
                assert!(!why.reasons.is_empty());
            }
        }
    }
    assert!(
        composed > 50 && refused > 5,
        "{composed} composed, {refused} refused"
    );
}

/// Texts that take as much as they can: (what, text).
fn worst() -> Vec<(&'static str, String)> {
    let quickstart = include_str!("../../specs/quickstart.yaml");
    let fill = |line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for number in 0.. {
            let next = line(number);
            if text.len() + next.len() + quickstart.len() + 100 > MAX_BYTES {
                break;
            }
            text.push_str(&next);
        }
        text
    };
    let long = "x".repeat(MAX_BYTES / 2);
    let aliases = ["*a"; 990].join(", ");
    let arms =
        "{weight: 1, path: [{visit: apo}, {delay: {exponential: {mean: 0s}}}]}, ".repeat(6_000);
    vec![
        ("values", format!("a: [{}]", fill(&|_| "1,".to_owned()))),
        ("keys", fill(&|number| format!("k{number}: 1\n"))),
        ("duplicates", fill(&|_| "key: 1\n".to_owned())),
        (
            "aliases of a long text",
            format!("a: &a {long}\nb: [{aliases}]\n"),
        ),
        (
            "aliases of long names",
            format!("clients: {{a: &a {{{long}: 1}}, b: [{aliases}]}}\n"),
        ),
        (
            "aliases of a list",
            format!("a: &a [{}]\nb: [{aliases}]\n", "1, ".repeat(90)),
        ),
        ("nested aliases", {
            let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
            for level in 1..12 {
                let inner = vec![format!("*a{}", level - 1); 9].join(", ");
                bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
            }
            bomb
        }),
        (
            "services",
            format!(
                "{quickstart}{}",
                fill(&|number| format!("  s{number}: {{workers: 1, time: 1ms}}\n"))
            ),
        ),
        (
            "values of a distribution",
            format!(
                "{quickstart}  s: {{workers: 1, time: {{empirical: {{values: [{}]}}}}}}\n",
                fill(&|_| "1ms, ".to_owned())
            ),
        ),
        (
            "wrong arms",
            quickstart.replace("- visit: api", &format!("- branch: [{arms}]")),
        ),
        (
            "comments",
            format!("{quickstart}{}", fill(&|_| "# nothing\n".to_owned())),
        ),
        (
            "escapes",
            format!("name: \"{}\"\n", "\\u0001".repeat(MAX_BYTES / 7)),
        ),
        ("anchors", fill(&|number| format!("- &a{number} 1\n"))),
        ("blanks", " ".repeat(MAX_BYTES)),
        ("a long line of dashes", "-".repeat(MAX_BYTES)),
        ("open quotes", "\"\n".repeat(MAX_BYTES / 2)),
    ]
}

#[test]
fn no_text_takes_more_than_the_bounds() {
    for (what, text) in worst() {
        assert!(text.len() <= MAX_BYTES, "{what}: {} bytes", text.len());
        let (bytes, allocations) = cost(&text);
        assert!(
            bytes < MOST_BYTES && allocations < MOST_ALLOCATIONS,
            "{what}: {bytes} bytes, {allocations} allocations"
        );
    }
}
