//! Specs that say how actions are sent and not what they do: each command does what it can, and says what it lacks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Ran, blis, words};
use serde_json::Value;

const LIVE_ONLY: &str = "\
blis: 1
name: checkout
run: {requests: 50}
clients:
  users: {concurrency: 3, do: {ask: 1, tell: 1}, timeout: 1s}
actions:
  ask: {live: {request: my.svc}, slo: {p95: 100ms}}
  tell: {live: {publish: my.log}}
";

/// The spec in a folder of its own.
fn saved() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("checkout.yaml");
    fs::write(&file, LIVE_ONLY).expect("the spec is written");
    (folder, file)
}

fn with_spec(line: &str, file: &Path) -> Ran {
    let words = line.split_whitespace().map(|word| match word {
        "SPEC" => file.as_os_str(),
        word => word.as_ref(),
    });
    blis(words)
}

#[test]
fn commands_that_simulate_name_the_place_and_what_would_be_accepted() {
    let (_folder, file) = saved();
    for line in ["run SPEC", "run --spec SPEC", "whatif SPEC --set seed=3"] {
        let ran = with_spec(line, &file);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        for part in [
            "the action `ask` has no path and cannot be simulated",
            "checkout.yaml:7:3",
            "the action `tell` has no path",
            "checkout.yaml:8:3",
            "add `path: [{visit: api}, reply]`",
        ] {
            assert!(
                ran.stderr.contains(part),
                "{line}: no {part} in {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn check_works_and_says_what_it_cannot_say() {
    let (_folder, file) = saved();
    let ran = with_spec("check SPEC", &file);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for part in [
        "live only: actions ask, tell have no path; this spec can be observed, but not simulated",
        "not known: load of services",
        "users   closed loop",
    ] {
        assert!(ran.stdout.contains(part), "no {part} in {}", ran.stdout);
    }
    for made_up in ["utilisation", "closed form applies", "bounds", "limit  "] {
        assert!(!ran.stdout.contains(made_up), "{made_up} in {}", ran.stdout);
    }
    let document = with_spec("check --json SPEC", &file).json();
    assert_eq!(document["without_path"], serde_json::json!(["ask", "tell"]));
    assert_eq!(document["offered"]["services"], serde_json::json!({}));
    assert!(document.get("bottleneck").is_none() && document.get("constraints").is_none());
    assert_eq!(document["theory"]["exact"], Value::Null);
}

#[test]
fn what_would_be_sent_is_shown_and_there_is_nothing_to_play() {
    let (_folder, file) = saved();
    let dry = with_spec("observe SPEC --url nats://127.0.0.1:4222 --dry-run", &file);
    assert_eq!((dry.code, dry.stderr.as_str()), (Some(0), ""));
    assert!(
        dry.stdout.contains("request to my.svc, with 0 bytes"),
        "{}",
        dry.stdout
    );
    let served = with_spec("serve SPEC --url nats://127.0.0.1:4222", &file);
    assert_eq!(served.code, Some(2));
    assert!(
        served
            .stderr
            .starts_with("blis: no action of the spec has a path (ask, tell)"),
        "{}",
        served.stderr
    );
}

#[test]
fn live_only_specs_are_composed() {
    let (folder, file) = saved();
    let other = folder.path().join("other.yaml");
    let text = "blis: 1\nname: other\nrun: {requests: 50}\nclients:\n  readers: {rate: 5/s, do: read}\nactions:\n  \
                read: {path: [{visit: store}, reply], live: {request: read}}\nservices: {store: {workers: 1, time: 1ms}}\n";
    fs::write(&other, text).expect("the spec is written");
    let both = folder.path().join("both.yaml");
    for plain in [true, false] {
        let [first, second] = [&file, &other].map(|file| file.as_os_str());
        let specs = match plain {
            true => vec![first, second],
            false => vec!["--spec".as_ref(), first, "--spec".as_ref(), second],
        };
        let out = ["--force".as_ref(), "--output".as_ref(), both.as_os_str()];
        let composed = blis(["compose".as_ref()].into_iter().chain(specs).chain(out));
        assert_eq!(composed.code, Some(0), "{}", composed.stderr);
        let checked = with_spec("check SPEC --json", &both).json();
        assert_eq!(checked["without_path"], serde_json::json!(["ask", "tell"]));
    }
    let twice = with_spec("compose SPEC --spec SPEC", &file);
    assert_eq!(twice.code, Some(2), "{twice:?}");
}

#[test]
fn every_command_takes_its_spec_as_a_plain_argument_or_by_the_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("small.yaml");
    let text = "blis: 1\nname: small\nrun: {requests: 20}\nclients:\n  users: {concurrency: 1, think: 1ms, do: ask}\nactions:\n  \
                ask: {path: [{visit: api}, reply], live: {request: small}}\nservices: {api: {workers: 1, time: 1ms}}\n";
    fs::write(&file, text).expect("the spec is written");
    for line in [
        "run SPEC --json",
        "check SPEC --json",
        "whatif SPEC --set services.api.time=2ms --json",
        "observe SPEC --dry-run --url nats://127.0.0.1:4222",
    ] {
        let plain = with_spec(line, &file);
        let flag = with_spec(&line.replace("SPEC", "--spec SPEC"), &file);
        assert_eq!(plain.code, Some(0), "{line}: {}", plain.stderr);
        assert_eq!(plain.stdout, flag.stdout, "{line}");
        let both = with_spec(&line.replace("SPEC", "SPEC --spec SPEC"), &file);
        assert_eq!(both.code, Some(2), "{line}");
        assert!(
            both.stderr.contains("cannot be used with '--spec <FILE>'"),
            "{}",
            both.stderr
        );
    }
    let both = with_spec("serve SPEC --spec SPEC --url nats://127.0.0.1:4222", &file);
    assert_eq!(both.code, Some(2));
}

#[test]
fn a_flag_of_another_load_generator_is_told_with_what_does_the_same() {
    let (_folder, file) = saved();
    for (line, says) in [
        ("run SPEC --vus 10", "there is no --vus; use --concurrency"),
        (
            "observe SPEC --duration=30s",
            "there is no --duration; use --horizon",
        ),
    ] {
        let ran = with_spec(line, &file);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(ran.stderr.contains(says), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_file_where_none_is_expected_is_told_with_the_command_that_takes_it() {
    let (folder, file) = saved();
    let name = file.display().to_string();
    for (line, parts) in [
        (
            "SPEC",
            vec![
                "is a file, not a command",
                "`blis run",
                "`blis check",
                "`blis observe",
            ],
        ),
        (
            "run SPEC SPEC",
            vec!["is one file too many", "`blis compose`"],
        ),
        (
            "report SPEC",
            vec![
                "is a workload spec, but `blis report` takes a run directory",
                "--out DIR",
            ],
        ),
        (
            "trace SPEC",
            vec!["is a workload spec, but `blis trace` takes"],
        ),
        (
            "explain SPEC",
            vec!["is a workload spec, but `blis explain` takes"],
        ),
    ] {
        let ran = with_spec(line, &file);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(
            ran.stderr.starts_with(&format!("blis: {name} ")),
            "{}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("unexpected argument"),
            "{}",
            ran.stderr
        );
        for part in parts {
            assert!(
                ran.stderr.contains(part),
                "{line}: no {part} in {}",
                ran.stderr
            );
        }
    }
    let out = folder.path().join("run");
    let made = with_spec("run --num-requests 20 --out SPEC", &out);
    assert!(made.code.is_some(), "{made:?}");
    let directory = with_spec("SPEC", &out);
    assert!(
        directory
            .stderr
            .contains("is a directory, not a command; to show the run in it, use `blis report"),
        "{}",
        directory.stderr
    );
    let again = with_spec("check SPEC", &out);
    let told = format!(
        "is a directory; give the spec in it: {}/spec.yaml",
        out.display()
    );
    assert!(again.stderr.contains(&told), "{}", again.stderr);
    let none = with_spec("check SPEC", folder.path());
    assert!(
        none.stderr
            .contains("is a directory; give the file of a workload spec"),
        "{}",
        none.stderr
    );
    let result = with_spec("report SPEC", &out.join("result.json"));
    assert!(
        result
            .stderr
            .contains("is a file of a run; give the directory: blis report"),
        "{}",
        result.stderr
    );
    let other = folder.path().join("notes.txt");
    fs::write(&other, "x").expect("a file is written");
    let ran = with_spec("explain SPEC", &other);
    assert!(
        ran.stderr
            .contains("is a file, but `blis explain` takes a run directory"),
        "{}",
        ran.stderr
    );
    // Words that are no files are what they were.
    let unknown = words("chekc");
    assert!(
        unknown.stderr.contains("unrecognized subcommand 'chekc'"),
        "{}",
        unknown.stderr
    );
}
