//! The record of a simulation: the rows of a live run's, written while the run goes on, and read by the same commands.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{LIMIT, Ran, at, blis, count, json, words};

/// Requests that end in every way, of clients of every kind.
pub const SPEC: &str = "\
blis: 1
name: busy
run: {horizon: 8s, warmup: 1s, drain: 100ms}
clients:
  open:
    rate: 300/s
    timeout: 60ms
    do: {ask: 3, tell: 1}
    on_failure: {retry: {times: 2, backoff: 5ms}}
  closed: {concurrency: 8, think: 20ms, do: ask}
  sessions: {rate: 15/s, do: tell, session: {rounds: 4, think: 100ms}, max_in_flight: {limit: 1}}
actions:
  ask: {path: [{visit: api}, reply], slo: {p99: 500ms}}
  tell: {path: [{visit: api}, {visit: store}, reply]}
services:
  api: {workers: 2, time: {exponential: {mean: 6ms}}, queue: {limit: 10}, errors: 2%}
  store: {workers: 2, time: 3ms}
";

fn home() -> (TempDir, String) {
    let home = tempfile::tempdir().expect("a folder");
    let spec = home.path().join("busy.yaml");
    std::fs::write(&spec, SPEC).expect("a spec");
    let spec = spec.display().to_string();
    (home, spec)
}

/// The rows that `blis trace` prints.
fn rows(directory: &Path) -> (Vec<Value>, Ran) {
    let ran = blis([Path::new("trace"), directory, Path::new("--format=jsonl")]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = ran.stdout.lines().skip(1);
    let rows = lines.map(|line| serde_json::from_str(line).expect("a row"));
    (rows.collect(), ran)
}

/// Counts of rows by outcome, those of the window and of each client among them, are those of the result.
fn add_up(rows: &[Value], result: &Value, unknown: u64) {
    let mut folded: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows {
        let [outcome, client, action] =
            ["outcome", "client", "action"].map(|key| row[key].as_str().expect("a word"));
        let mut places = vec![
            "requests".to_owned(),
            format!("clients.{client}.requests"),
            format!("actions.{action}.requests"),
        ];
        if row["in_window"] == true {
            places.push("window.requests".to_owned());
        }
        for place in places {
            *folded.entry(format!("{place}.{outcome}")).or_default() += 1;
            *folded.entry(format!("{place}.intended")).or_default() += 1;
        }
    }
    *folded.entry("requests.unresolved".to_owned()).or_default() += unknown;
    *folded.entry("requests.intended".to_owned()).or_default() += unknown;
    for (place, number) in &folded {
        if unknown == 0 || place.starts_with("requests.") {
            assert_eq!(count(result, place), *number, "{place}");
        }
    }
    let outcomes = at(result, "requests").as_object().expect("counts");
    for (outcome, number) in outcomes {
        let found = folded.get(&format!("requests.{outcome}")).copied();
        assert_eq!(number.as_u64(), Some(found.unwrap_or(0)), "{outcome}");
    }
}

#[test]
fn rows_of_a_recorded_simulation_add_up_to_its_result() {
    let (home, spec) = home();
    let (out, file) = (home.path().join("run"), home.path().join("rows.csv"));
    let (out_text, file_text) = (out.display(), file.display());
    let result = json(&format!(
        "{spec} --out {out_text} --record --trace {file_text}"
    ));
    let (found, _) = rows(&out);
    add_up(&found, &result, 0);
    for outcome in ["ok", "app_error", "rejected", "timed_out", "dropped"] {
        assert!(
            count(&result, &format!("requests.{outcome}")) > 5,
            "{outcome}"
        );
    }
    assert_eq!(count(&result, "record.rows"), found.len() as u64);
    assert_eq!(count(&result, "record.dropped"), 0);
    // The same rows as those of the trace, and the same run as one that keeps nothing.
    let printed = blis(["trace", &out_text.to_string()]).stdout;
    assert_eq!(std::fs::read_to_string(&file).expect("a trace"), printed);
    let mut bare = json(&spec);
    bare["record"] = result["record"].clone();
    assert_eq!(bare, result);
    // Every command that takes a directory takes this one.
    let reported = words(&format!("report {out_text} --json"));
    assert_eq!((reported.code, reported.stderr.as_str()), (Some(0), ""));
    let kept = std::fs::read_to_string(out.join("result.json")).expect("a result");
    assert_eq!(reported.stdout, kept);
    assert_eq!(serde_json::from_str::<Value>(&kept).expect("JSON"), result);
    let explained = words(&format!("explain {out_text} --json")).json();
    assert_eq!(explained["reproduced"], true);
    let text = words(&format!("report {out_text}")).stdout;
    let rows = format!(
        " rows of run {}",
        at(&result, "record.run").as_str().expect("an id")
    );
    assert!(text.contains(&rows), "{text}");
    let manifest = std::fs::read_to_string(out.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["mode"], "simulated");
    assert_eq!(manifest["spec"], result["spec"]);
    // Once more it is the same result, to the last byte; it takes its place only when told to.
    let again = format!("run {spec} --json --out {out_text} --record");
    assert_eq!(words(&again).code, Some(2));
    let forced = words(&format!("{again} --force"));
    assert_eq!(forced.stdout, kept);
}

#[test]
fn a_record_that_was_changed_is_told_by_the_result() {
    let (home, spec) = home();
    let out = home.path().join("run");
    let result = json(&format!("{spec} --out {} --record", out.display()));
    let record = out.join("record.blis");
    let mut bytes = std::fs::read(&record).expect("a record");
    bytes.truncate(bytes.len() - 100);
    std::fs::write(&record, &bytes).expect("a record");
    let rows = count(&result, "record.rows");
    for command in ["trace", "report"] {
        let ran = blis([command, &out.display().to_string()]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        let told = format!("of {rows} rows are missing");
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
}

#[test]
fn what_keeps_a_record_from_being_kept_is_said() {
    for (more, why) in [
        ("--record", "--out <DIR>"),
        (
            "--record --out a --replications 3",
            "'--record' cannot be used with '--replications <COUNT>'",
        ),
        (
            "--record --out a --precision 1%",
            "'--record' cannot be used with '--precision <SHARE>'",
        ),
    ] {
        let ran = words(&format!("run {more}"));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("run");
    let run = format!("run --num-requests 100 --out {}", out.display());
    assert!(words(&run).code.is_some());
    let refused = blis([Path::new("trace"), &out]);
    assert_eq!(refused.code, Some(2));
    let why = "run it again with `blis observe --out DIR` or `blis run --out DIR --record`";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
}

/// A simulation that goes on until it is ended from outside.
fn endless(out: &Path, before: &str) -> Child {
    let run = format!(
        "{before} exec '{}' run --concurrency 50 --think-time-ms 500 --horizon 876000h --warmup 2s --record --json --out '{}'",
        env!("CARGO_BIN_EXE_blis"),
        out.display()
    );
    Command::new("bash")
        .args(["-c", &run])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash can be run")
}

#[cfg(target_os = "linux")]
#[test]
fn a_simulation_that_is_killed_is_told_of_by_its_record() {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("run");
    let child = endless(&out, "");
    let (segment, start) = (out.join("journal/0.segment"), Instant::now());
    // The rows of a window are on disk while the run goes on: several writes of them, of which a kill may cut the last one.
    while std::fs::metadata(&segment).map_or(0, |file| file.len()) < 4_000_000 {
        assert!(start.elapsed() < LIMIT, "nothing is written");
        std::thread::yield_now();
    }
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-KILL", &process]).status();
    assert!(sent.expect("kill can be run").success());
    child.wait_with_output().expect("it ended");
    let report = |more: &str| words(&format!("report {} {more}", out.display()));
    let ran = report("--json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("has no result"), "{}", ran.stderr);
    let result = ran.json();
    assert_eq!(at(&result, "mode"), "simulated");
    assert_eq!(at(&result, "ended_by"), "interrupted");
    assert_eq!(at(&result, "verdict.status"), "INCONCLUSIVE");
    // What the backend did is not known, and not told as nothing.
    assert_eq!(result["not_measured"], serde_json::json!(["services"]));
    assert_eq!(result["services"], serde_json::json!({}));
    assert!(result.get("bottleneck").is_none() && result.get("live").is_none());
    assert_eq!(
        at(&result, "theory.not_applicable"),
        "the record has no data of the backend"
    );
    let (found, told) = rows(&out);
    assert!(
        told.stderr.contains("known to have ended"),
        "{}",
        told.stderr
    );
    assert!(found.len() > 3000 && found.iter().any(|row| row["in_window"] == true));
    add_up(&found, &result, count(&result, "record.recovered.unknown"));
    let text = report("").stdout;
    for said in [
        "RECOVERED: ",
        "not measured: services",
        "until the run was INTERRUPTED",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let explained = blis([Path::new("explain"), &out]);
    assert_eq!(explained.code, Some(2));
    let why = "holds a record, but no result to explain";
    assert!(explained.stderr.contains(why), "{}", explained.stderr);
    // It is thrown away when that is asked for.
    let again = format!("run --num-requests 100 --record --out {}", out.display());
    let refused = words(&again);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("the record of an interrupted run"),
        "{}",
        refused.stderr
    );
    assert!(matches!(
        words(&format!("{again} --force")).code,
        Some(0 | 5 | 99)
    ));
    assert_eq!(rows(&out).0.len(), 100);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_ends_a_simulation_with_what_there_is() {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("run");
    // No file may grow beyond 2000 blocks of 1024 bytes: the journal fails as on a disk that is full.
    let ran = endless(&out, "trap '' XFSZ; ulimit -f 2000;").wait_with_output();
    let ran: Ran = ran.expect("it ended").into();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let why = "the record could not be written to";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("0.segment: File too large"),
        "{}",
        ran.stderr
    );
    let result = ran.json();
    assert_eq!(at(&result, "ended_by"), "interrupted");
    assert!(count(&result, "record.dropped") > 0);
    let kept = std::fs::read_to_string(out.join("result.json")).expect("a result");
    assert_eq!(kept, ran.stdout);
    // What is on disk is whole, as far as it goes, and says that it is not all.
    let (found, _) = rows(&out);
    assert_eq!(found.len() as u64, count(&result, "record.rows"));
    assert!(
        found.len() as u64 > 3000 && (found.len() as u64) < count(&result, "requests.intended")
    );
    let text = words(&format!("report {}", out.display())).stdout;
    assert!(text.contains("entries are MISSING: "), "{text}");
}
