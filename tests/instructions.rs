//! Instructions per event, counted by callgrind: a figure that does not depend on how busy the machine is.
//!
//! The figures are committed in `tests/instructions.txt` and may change by 5 %; `BLIS_BLESS=1` rewrites them. Two
//! lengths of one run are compared, so that reading the spec and writing the result do not count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How far a figure may be from the committed one.
const TOLERANCE: f64 = 0.05;
/// The two lengths, in requests.
const LENGTHS: [u64; 2] = [50_000, 150_000];
/// Events of a request: it is intended, and it is served.
const EVENTS_PER_REQUEST: u64 = 2;

const FIGURES: &str = "tests/instructions.txt";

/// The cases: a name, a client and the number of workers.
const CASES: [(&str, &str, u32); 3] = [
    (
        "closed, 50 users",
        "concurrency: 50, think: {exponential: {mean: 500ms}}",
        4,
    ),
    (
        "closed, 2000 users, saturated",
        "concurrency: 2000, think: {exponential: {mean: 500ms}}",
        4,
    ),
    ("open, one worker", "rate: 80/s", 1),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The release binary, built here: what runs under test has other optimisations.
fn release_binary() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--bin",
            "blis",
            "--message-format=json",
        ])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).expect("cargo writes JSON");
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next_back().expect("cargo names the binary")
}

fn spec(client: &str, workers: u32) -> String {
    format!(
        "{{blis: 1, name: counted, seed: 42, run: {{requests: 1k, horizon: 24h}},\n \
         clients: {{users: {{{client}, do: ask, timeout: 60s}}}},\n \
         actions: {{ask: {{path: [{{visit: api}}, reply]}}}},\n \
         services: {{api: {{workers: {workers}, time: {{exponential: {{mean: 10ms}}}}}}}}}}\n"
    )
}

/// Instructions that a run of so many requests takes.
fn instructions(binary: &Path, spec: &Path, requests: u64) -> u64 {
    let counts = spec.with_extension(format!("callgrind.{requests}"));
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(binary)
        .args([
            "run",
            "--json",
            "--num-requests",
            &requests.to_string(),
            "--spec",
        ])
        .arg(spec)
        .output()
        .expect("valgrind starts");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let text = std::fs::read_to_string(&counts).expect("callgrind writes its counts");
    let line = text.lines().find_map(|line| {
        line.strip_prefix("totals: ")
            .or(line.strip_prefix("summary: "))
    });
    line.expect("callgrind sums up")
        .trim()
        .parse()
        .expect("the sum is a number")
}

fn valgrind_is_here() -> bool {
    Command::new("valgrind")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn instructions_per_event_stay_as_they_are() {
    if !valgrind_is_here() {
        eprintln!("skipped: valgrind is not installed, so that instructions cannot be counted");
        return;
    }
    let binary = release_binary();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut found = BTreeMap::new();
    for (index, (name, client, workers)) in CASES.into_iter().enumerate() {
        let path = folder.path().join(format!("case-{index}.yaml"));
        std::fs::write(&path, spec(client, workers)).expect("the spec is written");
        let [short, long] = LENGTHS.map(|requests| instructions(&binary, &path, requests));
        let events = EVENTS_PER_REQUEST * (LENGTHS[1] - LENGTHS[0]);
        found.insert(name, (long - short) as f64 / events as f64);
    }
    let figures = root().join(FIGURES);
    if std::env::var_os("BLIS_BLESS").is_some() {
        let lines = found
            .iter()
            .map(|(name, figure)| format!("{name}: {figure:.0}\n"));
        std::fs::write(&figures, lines.collect::<String>()).expect("the figures are written");
        return;
    }
    let committed = std::fs::read_to_string(&figures).expect("the figures are committed");
    let committed: BTreeMap<&str, f64> = committed
        .lines()
        .map(|line| {
            let (name, figure) = line.split_once(": ").expect("a name and a figure");
            (name, figure.parse().expect("the figure is a number"))
        })
        .collect();
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    for (name, figure) in &found {
        let change = figure / committed[name] - 1.0;
        assert!(
            change.abs() <= TOLERANCE,
            "{name}: {figure:.0} instructions per event, {:+.1} % against the {} of {FIGURES}; if that is meant, \
             BLIS_BLESS=1 rewrites it",
            change * 100.0,
            committed[name]
        );
    }
}
