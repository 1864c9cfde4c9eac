//! A server that stops reading: what waits for it is bounded, and what never left has not ended well.

use std::thread;

use serde_json::Value;

use crate::programs::{Ran, document, end, number, run, start};
use crate::stranger;

/// What a message carries.
const BYTES: usize = 100_000;
/// The bytes that may wait for a connection.
const ROOM: u64 = 8 << 20;

/// A server that reads on until the load begins, and holds its connections from then on.
fn server() -> u16 {
    let says = |port| stranger::info(port, "x", "2.10.0");
    stranger::start(says, |line, _| {
        while line.starts_with(b"HPUB") {
            thread::park();
        }
        Ok(())
    })
}

/// A spec that sends 1,000 messages a second to it, from two clients with a connection each. However many of them fail, what
/// keeps it from a PASS is the generator.
fn spec(horizon: &str, payload: &str) -> String {
    format!(
        "blis: 1\nname: much\nrun: {{horizon: {horizon}, drain: 0s}}\nclients:\n  a: {{rate: 500/s, do: tell}}\n  b: {{rate: \
         500/s, do: tell}}\nactions:\n  tell: {{path: [reply], live: {{publish: demo.tell}}, payload: {payload}, slo: \
         {{errors: 100%}}}}\n"
    )
}

/// What sends it, and keeps a record.
fn words(folder: &tempfile::TempDir, spec: &str) -> (Vec<String>, String) {
    let path = folder.path().join("much.yaml").display().to_string();
    std::fs::write(&path, spec).expect("a spec");
    let out = folder.path().join("run").display().to_string();
    let url = format!("nats://127.0.0.1:{}", server());
    let words = [
        "observe", "--url", &url, "--spec", &path, "--quiet", "--json", "--out", &out,
    ];
    (words.map(str::to_owned).to_vec(), out)
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// How many rows of a record have each outcome.
fn outcomes(directory: &str) -> (Ran, impl Fn(&str) -> u64) {
    let ran = run(&["trace", directory, "--format", "jsonl"]);
    let rows = ran.stdout.lines().skip(1);
    let rows = rows.map(|line| serde_json::from_str(line).expect("a row"));
    let rows: Vec<Value> = rows.collect();
    let count = move |outcome: &str| {
        let of = rows.iter().filter(|row| row["outcome"] == outcome);
        of.count() as u64
    };
    (ran, count)
}

#[test]
fn what_waits_for_a_server_that_does_not_read_is_bounded_and_told() {
    let text = format!("{{text: \"{{n}}{}\"}}", "x".repeat(BYTES));
    for payload in [format!("{{size: {BYTES}B}}"), text] {
        let folder = tempfile::tempdir().expect("a folder");
        let (words, out) = words(&folder, &spec("1s", &payload));
        let ran = run(&borrowed(&words));
        let result = document(&ran);
        let dropped = number(&result, "/requests/dropped");
        assert!(dropped > 0, "{result:#}");
        assert_eq!(number(&result, "/live/reasons/connection_full"), dropped);
        let never_left = number(&result, "/live/incidents/never_left");
        // Each of them has a header, too.
        let most = 2 * (ROOM / BYTES as u64);
        assert!((1..=most).contains(&never_left), "{never_left}");
        // None of those that never left has ended well.
        let failed = number(&result, "/requests/transport_error");
        assert_eq!(number(&result, "/live/reasons/not_written"), failed);
        assert!(failed >= never_left, "{failed} {never_left}");
        let (traced, of_record) = outcomes(&out);
        assert_eq!(traced.code, Some(0), "{}", traced.stderr);
        for (outcome, number) in [
            ("ok", number(&result, "/requests/ok")),
            ("transport_error", failed),
            ("dropped", dropped),
        ] {
            assert_eq!(of_record(outcome), number, "{outcome}");
        }
        let told = format!("At least {never_left} messages never left the generator");
        assert!(
            ran.stderr.contains(&format!("blis: warning: {told}")),
            "{}",
            ran.stderr
        );
        assert_eq!(result["verdict"]["status"], "INCONCLUSIVE");
        let limits = result["live"]["generator"]["limited_by"].as_array();
        let mut limits = limits
            .expect("limits")
            .iter()
            .filter_map(|one| one.as_str());
        assert!(limits.any(|limit| limit.starts_with(&told)), "{result:#}");
        assert!(number(&result, "/requests/intended") > 500, "{result:#}");
    }
}

/// What its record has of a run that was killed agrees with what its result would have said.
#[cfg(unix)]
#[test]
fn what_had_not_left_when_a_run_was_killed_is_not_known_to_have_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let (words, out) = words(&folder, &spec("10m", &format!("{{size: {BYTES}B}}")));
    let mut child = start(&borrowed(&words));
    // By the time of so many dropped messages, everything is full.
    let segment = std::path::Path::new(&out).join("journal/0.segment");
    while std::fs::metadata(&segment).map_or(0, |file| file.len()) < 56 * 2 * 1000 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
        thread::yield_now();
    }
    child.kill().expect("it goes on");
    assert_eq!(end(child).code, None);
    let (_, of_record) = outcomes(&out);
    assert!(of_record("dropped") > 0);
    let result = document(&run(&["report", &out, "--json"]));
    // Those that wait in the two connections, and perhaps the last of those that were intended.
    let unknown = number(&result, "/record/recovered/unknown");
    assert!(unknown >= 2 * (ROOM / (2 * BYTES) as u64), "{unknown}");
    assert_eq!(number(&result, "/requests/unresolved"), unknown);
    assert_eq!(number(&result, "/requests/ok"), of_record("ok"));
    assert_eq!(number(&result, "/requests/transport_error"), 0);
}
