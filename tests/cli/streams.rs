//! Pipes that close, devices that are full, and what goes to which stream.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{at, count, json, shipped, with_stdin};

/// Runs with a reader of stdout that is gone before the spec has been read.
fn into_a_closed_pipe(args: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(args.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    drop(child.stdout.take());
    let text = std::fs::read(shipped("queue-groups.yaml")).expect("the spec");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(&text).expect("the spec is read");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    for args in ["run --spec -", "run --json --spec -", "check -"] {
        assert_eq!(into_a_closed_pipe(args), (Some(0), String::new()), "{args}");
    }
}

#[cfg(target_os = "linux")]
fn full() -> std::fs::File {
    std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a full device")
}

#[cfg(target_os = "linux")]
fn into_a_full_device(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(full())
        .output()
        .expect("the binary can be run");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    for args in [
        &["run"][..],
        &["run", "--json"],
        &["check", "specs/quickstart.yaml"],
        &["schema", "result"],
    ] {
        let (code, told) = into_a_full_device(args);
        assert_eq!(code, Some(1), "{args:?}: {told}");
        assert!(
            told.starts_with(
                "blis: the result could not be written to stdout: No space left on device"
            ),
            "{told}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_directory_is_written_even_if_stdout_cannot_be() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("run");
    let path = directory.to_str().expect("a path");
    let (code, _) = into_a_full_device(&["run", "--out", path]);
    assert_eq!(code, Some(1));
    let text = std::fs::read_to_string(directory.join("result.json")).expect("the result");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).ok(),
        Some(json(""))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_stderr_that_cannot_be_written_does_not_change_the_exit_code() {
    let quickstart = shipped("quickstart.yaml");
    let quickstart = quickstart.to_str().expect("a path");
    let cases: [(&[&str], i32); 4] = [
        (&["run", "--spec", "nowhere.yaml"], 2),
        (&["run", "--concurrency", "0"], 2),
        (&["check", quickstart, "--num-requests", "3"], 0),
        (&["check", "specs/overload.yaml"], 0),
    ];
    for (args, code) in cases {
        let status = Command::new(env!("CARGO_BIN_EXE_blis"))
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(full())
            .status();
        assert_eq!(
            status.expect("the binary can be run").code(),
            Some(code),
            "{args:?}"
        );
    }
}

#[test]
fn warnings_go_to_stderr_and_the_document_to_stdout() {
    let text = std::fs::read_to_string(shipped("quickstart.yaml")).expect("the spec");
    let ran = with_stdin("run --json --spec - --num-requests 20", &text);
    assert!(
        ran.stderr
            .contains("the budget of 20 requests is smaller than the 50 users"),
        "{ran:?}"
    );
    let result = ran.json();
    assert_eq!(count(&result, "requests.intended"), 20);
    assert_eq!(at(&result, "ended_by"), "budget");
    assert!(
        ran.stderr.is_ascii(),
        "no drawing where nobody looks: {}",
        ran.stderr
    );
}
