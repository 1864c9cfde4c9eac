//! Ctrl-C: the results so far are printed, written and marked.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use serde_json::Value;

use crate::support::{LIMIT, Ran, at, count};

/// A run of a century, which only a signal ends.
const ENDLESS: &str = "run --concurrency 50 --think-time-ms 500 --horizon 876000h";

fn start(more: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(ENDLESS.split_whitespace().chain(more.split_whitespace()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run")
}

/// Whether the process catches the interrupt signal: bit 1 of the mask of caught signals.
fn listens(process: u32) -> bool {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.expect("a mask of caught signals") & 0b10 != 0
}

fn wait_until_it_listens(child: &mut Child) {
    let start = Instant::now();
    while !listens(child.id()) {
        assert_eq!(
            child.try_wait().expect("its state"),
            None,
            "it ended by itself"
        );
        assert!(start.elapsed() < LIMIT, "it never listens");
        std::thread::yield_now();
    }
}

/// Interrupts the run and waits for its end.
fn interrupt(child: Child) -> Ran {
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &process]).status();
    assert!(sent.expect("kill can be run").success());
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    match end.recv_timeout(LIMIT) {
        Ok(output) => output.expect("its output").into(),
        Err(_) => {
            let _ = Command::new("kill").args(["-s", "KILL", &process]).status();
            panic!("it did not end");
        }
    }
}

fn interrupted(more: &str) -> Ran {
    let mut child = start(more);
    wait_until_it_listens(&mut child);
    interrupt(child)
}

/// What holds of the document of an interrupted run.
fn check(result: &Value) {
    assert_eq!(at(result, "ended_by"), "interrupted");
    let requests = at(result, "requests").as_object().expect("counts");
    let intended = count(result, "requests.intended");
    let outcomes: u64 = requests.values().filter_map(Value::as_u64).sum::<u64>() - intended;
    assert!(intended > 0);
    assert_eq!(outcomes, intended);
    assert_eq!(count(result, "sessions.started"), 50);
    assert_eq!(count(result, "sessions.horizon_interrupted"), 50);
    assert_eq!(at(result, "verdict.status"), "INCONCLUSIVE");
}

#[test]
fn an_interrupted_run_prints_what_it_reached() {
    let ran = interrupted("--json");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(130), ""));
    check(&ran.json());
}

#[test]
fn interrupted_replications_print_what_they_reached() {
    let ran = interrupted("--json --replications 4 --threads 2");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(130), ""));
    check(&ran.json());
}

#[test]
fn the_report_of_an_interrupted_run_says_so() {
    let ran = interrupted("");
    assert_eq!(ran.code, Some(130));
    assert!(
        ran.stdout.contains("until the run was INTERRUPTED\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("\n  throughput "), "{}", ran.stdout);
}

#[test]
fn an_interrupted_run_is_written_to_its_directory() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("run");
    let ran = interrupted(&format!("--json --out {}", directory.display()));
    assert_eq!(ran.code, Some(130));
    let written = fs::read_to_string(directory.join("result.json")).expect("the result");
    assert_eq!(written, ran.stdout);
    check(&ran.json());
}

#[test]
fn an_interrupted_run_is_explained_up_to_there() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("run");
    let out = directory.display().to_string();
    assert_eq!(interrupted(&format!("--out {out}")).code, Some(130));
    let explained = crate::support::blis(["explain", &out, "--json"]);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    let explained = explained.json();
    assert_eq!(at(&explained, "reproduced"), true, "{explained:#}");
}

#[test]
fn the_trace_of_an_interrupted_run_is_kept() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("trace.csv");
    let ran = interrupted(&format!("--json --trace {}", file.display()));
    assert_eq!(ran.code, Some(130));
    let result = ran.json();
    check(&result);
    let requests = count(&result, "requests.intended");
    assert_eq!(
        ran.stderr,
        format!(
            "blis: the trace {} holds the {requests} requests up to the interruption\n",
            file.display()
        )
    );
    let text = fs::read_to_string(&file).expect("the trace");
    let rows = text.lines().skip(2);
    assert_eq!(rows.clone().count() as u64, requests);
    let cut = rows.filter(|row| row.contains(",unresolved,")).count();
    assert_eq!(cut as u64, count(&result, "requests.unresolved"));
    assert_eq!(entries(home.path()), 1, "nothing unfinished stays");
}

#[test]
fn a_directory_that_is_taken_during_the_run_leaves_the_result_on_stdout() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("run");
    let mut child = start(&format!("--json --out {}", directory.display()));
    wait_until_it_listens(&mut child);
    fs::write(&directory, "mine").expect("a file in its place");
    let ran = interrupt(child);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.starts_with(&format!(
            "blis: the result could not be written to {}: ",
            directory.display()
        )),
        "{}",
        ran.stderr
    );
    check(&ran.json());
    assert_eq!(fs::read_to_string(&directory).ok().as_deref(), Some("mine"));
    assert_eq!(entries(home.path()), 1, "nothing half-written stays");
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).expect("the directory").count()
}
