//! Traces: rows that add up to the result, and files that are whole or not there.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, at, blis, count, number, shipped, words};

const HEADINGS: &str = "client,user,number,attempt,action,intended_ns,sent_ns,done_ns,outcome,\
                        response_ns,service_ns,lag_ns,in_window";

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect()
}

/// A row by the names of its columns.
type Row = BTreeMap<String, Value>;

fn csv(text: &str) -> Vec<Row> {
    let mut lines = text.lines().skip_while(|line| line.starts_with('#'));
    let headings: Vec<&str> = lines.next().expect("headings").split(',').collect();
    let value = |cell: &str| serde_json::from_str(cell).unwrap_or_else(|_| Value::from(cell));
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), headings.len(), "{line}");
        let cells = cells.into_iter().map(value);
        headings
            .iter()
            .map(|name| (*name).to_owned())
            .zip(cells)
            .collect()
    });
    rows.collect()
}

/// The header and the rows.
fn jsonl(text: &str) -> (Value, Vec<Row>) {
    let mut lines = text.lines();
    let header = serde_json::from_str(lines.next().expect("a header")).expect("JSON");
    let rows = lines.map(|line| serde_json::from_str(line).expect("an object"));
    (header, rows.collect())
}

fn nanos(row: &Row, column: &str) -> u64 {
    row[column]
        .as_u64()
        .unwrap_or_else(|| panic!("{column} of {row:?}"))
}

/// Runs with a trace; the result and the text of the trace.
fn traced(args: &str, name: &str) -> (Value, String) {
    let home = temporary();
    let file = home.path().join(name);
    let ran = words(&format!("run --json {args} --trace {}", file.display()));
    assert!(matches!(ran.code, Some(0 | 5 | 99)), "{ran:?}");
    assert_eq!(names(home.path()), [name]);
    (
        ran.json(),
        std::fs::read_to_string(file).expect("the trace"),
    )
}

/// Holds the rows against the counts and the means of the result.
fn add_up(rows: &[Row], result: &Value) {
    let outcomes = [
        "ok",
        "app_error",
        "rejected",
        "timed_out",
        "transport_error",
        "dropped",
        "unresolved",
    ];
    let parts = [("requests", false), ("window.requests", true)];
    for (path, window) in parts {
        let rows = || {
            rows.iter()
                .filter(|row| !window || row["in_window"] == true)
        };
        assert_eq!(
            rows().count() as u64,
            count(result, &format!("{path}.intended"))
        );
        for outcome in outcomes {
            let ended = rows().filter(|row| row["outcome"] == outcome).count();
            assert_eq!(
                ended as u64,
                count(result, &format!("{path}.{outcome}")),
                "{path}.{outcome}"
            );
        }
    }
    let retries = rows.iter().filter(|row| nanos(row, "attempt") > 0).count();
    assert_eq!(retries as u64, count(result, "retries"));
    let held = |row: &&Row| {
        let outcome = row["outcome"].as_str();
        row["in_window"] == true && matches!(outcome, Some("ok" | "timed_out" | "unresolved"))
    };
    for (column, latency) in [
        ("response_ns", "response"),
        ("service_ns", "service"),
        ("lag_ns", "lag"),
    ] {
        let times: Vec<u64> = rows
            .iter()
            .filter(held)
            .map(|row| nanos(row, column))
            .collect();
        let block = at(result, &format!("latency_ms.{latency}"));
        assert_eq!(times.len() as u64, count(block, "count"));
        let sum: u128 = times.iter().copied().map(u128::from).sum();
        if times.is_empty() {
            assert_eq!(block.get("mean"), None);
        } else {
            let mean = sum as f64 / times.len() as f64 / 1e6;
            assert_eq!(mean, number(block, "mean"), "exactly");
        }
    }
    for (column, part) in [("client", "clients"), ("action", "actions")] {
        for (name, of) in at(result, part).as_object().expect("an object") {
            let rows = rows.iter().filter(|row| row[column] == *name).count();
            assert_eq!(rows as u64, count(of, "requests.intended"), "{name}");
        }
    }
}

/// What must hold of each row, and between rows.
fn are_consistent(rows: &[Row]) {
    let mut last = 0;
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let [intended, sent, done] = ["intended_ns", "sent_ns", "done_ns"].map(|at| nanos(row, at));
        assert!(intended <= sent && sent <= done && last <= done, "{row:?}");
        assert_eq!(nanos(row, "response_ns"), done - intended);
        assert_eq!(nanos(row, "service_ns"), done - sent);
        assert_eq!(nanos(row, "lag_ns"), sent - intended);
        last = done;
        let key = ["user", "number", "attempt"].map(|key| nanos(row, key));
        assert!(
            seen.insert((row["client"].to_string(), key)),
            "twice: {row:?}"
        );
    }
}

#[test]
fn rows_add_up_to_the_result() {
    for name in [
        "quickstart",
        "mixed",
        "overload",
        "branches",
        "queue-groups",
    ] {
        let path = shipped(&format!("{name}.yaml"));
        let (result, text) = traced(&format!("--spec {} --horizon 12s", path.display()), "t.csv");
        let rows = csv(&text);
        are_consistent(&rows);
        add_up(&rows, &result);
    }
    let (result, text) = traced("--rate 800 --timeout 100ms --horizon 20s", "t.CSV");
    add_up(&csv(&text), &result);
    let (result, text) = traced("--num-requests 5 --warmup 5s", "t.csv");
    assert_eq!(count(&result, "window.requests.intended"), 0);
    add_up(&csv(&text), &result);
}

#[test]
fn both_forms_hold_the_same_rows_and_say_what_they_are_of() {
    let spec = shipped("overload.yaml");
    let args = format!("--spec {} --horizon 6s", spec.display());
    let (result, text) = traced(&args, "t.csv");
    let (_, lines) = traced(&args, "t.jsonl");
    let (header, rows) = jsonl(&lines);
    assert!(rows.len() > 1000);
    assert_eq!(rows, csv(&text));
    let sha = at(&result, "spec.resolved_sha256");
    assert_eq!(
        header,
        json!({"schema": "blis.trace/1", "blis_version": env!("CARGO_PKG_VERSION"), "seed": 11, "resolved_sha256": sha})
    );
    let mut first = text.lines();
    assert_eq!(
        first.next(),
        Some(&*format!(
            "# blis.trace/1 blis {}, seed 11, resolved spec {}",
            env!("CARGO_PKG_VERSION"),
            sha.as_str().expect("a hash")
        ))
    );
    assert_eq!(first.next(), Some(HEADINGS));
}

#[test]
fn a_trace_does_not_change_the_result() {
    let plain = words("run --json --horizon 20s");
    let home = temporary();
    let file = home.path().join("trace");
    for form in ["csv", "jsonl"] {
        let file = file.display();
        let ran = words(&format!(
            "run --json --horizon 20s --trace {file} --trace-format {form} --force"
        ));
        assert_eq!((ran.code, &ran.stdout), (plain.code, &plain.stdout));
    }
    let text = std::fs::read_to_string(&file).expect("the trace");
    assert!(
        text.starts_with("{\"schema\":\"blis.trace/1\""),
        "{}",
        &text[..80]
    );
}

fn refused(args: &str, message: &str) -> Ran {
    let ran = words(args);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
    ran
}

#[test]
fn a_place_that_cannot_hold_a_trace_is_refused_before_the_run() {
    let home = temporary();
    let place = |name: &str| home.path().join(name).display().to_string();
    std::fs::write(place("mine.csv"), "mine").expect("a file");
    std::fs::create_dir(place("folder.csv")).expect("a folder");
    let formless = "has no known extension; use .csv or .jsonl, or add --trace-format";
    refused(&format!("run --trace {}", place("trace")), formless);
    refused(&format!("run --trace {}", place("trace.parquet")), formless);
    let there = "exists; overwrite it with --force";
    refused(&format!("run --trace {}", place("mine.csv")), there);
    let unusable = "cannot be used: ";
    refused(&format!("run --trace {}", place("folder.csv")), unusable);
    refused(
        &format!("run --trace {}", place("none/trace.csv")),
        unusable,
    );
    refused(
        &format!("run --trace {}", place("mine.csv/trace.csv")),
        unusable,
    );
    refused("run --trace-format csv", "--trace <FILE>");
    refused("run --force", "--out <DIR>|--trace <FILE>");
    assert_eq!(
        std::fs::read_to_string(place("mine.csv")).ok().as_deref(),
        Some("mine")
    );
    assert_eq!(names(home.path()).len(), 2);
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = temporary();
    let [real, link] = ["real.csv", "link.csv"].map(|name| home.path().join(name));
    std::fs::write(&real, "old").expect("a file");
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    let ran = words(&format!(
        "run --num-requests 60 --warmup 0s --trace {} --force",
        link.display()
    ));
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(link.is_symlink());
    let text = std::fs::read_to_string(&real).expect("the trace");
    assert_eq!(csv(&text).len(), 60);
    let mode = std::fs::metadata(&real)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o600, 0o600);
    let other = home.path().join("other");
    std::fs::write(&other, "").expect("a file");
    let usual = std::fs::metadata(&other)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode, usual, "as any new file");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_does_not_lose_the_report() {
    let home = temporary();
    let directory = home.path().join("run");
    let ran = words(&format!(
        "run --horizon 20s --trace /dev/full --trace-format csv --out {}",
        directory.display()
    ));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        ran.stderr,
        "blis: the trace could not be written to /dev/full: No space left on device; make room or \
         choose another place\n"
    );
    assert_eq!(ran.stdout, words("run --horizon 20s").stdout);
    assert!(directory.join("result.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn every_failure_is_told() {
    let home = temporary();
    let directory = home.path().join("run");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_blis"))
        .args([
            "run",
            "--trace",
            "/dev/full",
            "--trace-format",
            "jsonl",
            "--out",
        ])
        .arg(&directory)
        .stdout(
            std::fs::File::options()
                .write(true)
                .open("/dev/full")
                .expect("a full device"),
        )
        .output()
        .expect("the binary can be run");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("the trace could not be written to /dev/full"),
        "{told}"
    );
    assert!(
        told.contains("the result could not be written to stdout"),
        "{told}"
    );
    assert!(directory.join("result.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_written_to_as_the_run_goes() {
    let home = temporary();
    let pipe = home.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo can be run").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe)
    });
    let ran = blis(["run", "--json", "--trace", pipe.to_str().expect("a path")]);
    let text = reader.join().expect("the reader").expect("text");
    add_up(&csv(&text), &ran.json());
    assert_eq!(names(home.path()), ["pipe.csv"], "the pipe is still there");
    // A reader that has seen enough is not an error.
    let reader = std::thread::spawn(move || std::fs::File::open(pipe).map(drop));
    let again = home.path().join("pipe.csv");
    let ran = blis(["run", "--trace", again.to_str().expect("a path")]);
    reader.join().expect("the reader").expect("it was opened");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
