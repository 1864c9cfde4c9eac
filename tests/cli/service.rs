//! `blis observe --subject`: what is sent to a service of which there is no spec, as far as it is seen without one.

use std::fs;

use crate::support::{Ran, blis};

/// The plan of such a run with these words.
fn dry(words: &[&str]) -> Ran {
    let line = ["observe", "--url", "nats://127.0.0.1:4222", "--dry-run"];
    blis(line.iter().chain(words))
}

fn plan(words: &[&str]) -> String {
    let ran = dry(words);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{words:?}");
    ran.stdout
}

#[test]
fn nothing_of_the_quickstart_applies_to_it() {
    let open = plan(&[
        "--subject",
        "my.svc",
        "--payload",
        r#"{"id": {n}}"#,
        "--rate",
        "200/s",
    ]);
    for line in [
        "client users    200 sessions/s, open arrivals; request 100.0 %",
        r#"request to my.svc, with 9 bytes: "{\"id\": 0}""#,
        "until           10 s",
    ] {
        assert!(open.contains(line), "no {line} in\n{open}");
    }
    let closed = plan(&["--subject", "my.svc", "--concurrency", "20"]);
    assert!(
        closed.contains("20 closed-loop users, mean think time 0.0 ms"),
        "{closed}"
    );
    assert!(!closed.contains("demo"), "{closed}");
}

#[test]
fn flags_say_how_long_how_patient_and_how_often() {
    let shown = plan(&[
        "--subject",
        "a.{user}.b",
        "--concurrency",
        "3",
        "--think-time",
        "50ms",
        "--num-requests",
        "40",
        "--header",
        "Tenant: north: {user}",
        "--header",
        "No:{n}",
    ]);
    for part in [
        "mean think time 50.0 ms",
        "request to a.0.b",
        "until           40 requests",
        "headers Tenant, No",
    ] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
    let both = plan(&[
        "--subject",
        "a",
        "--rate",
        "5",
        "--horizon",
        "3s",
        "--num-requests",
        "9",
        "--timeout",
        "1s",
    ]);
    assert!(both.contains("until           3 s or 9 requests"), "{both}");
}

#[test]
fn a_payload_may_be_in_a_file_wherever_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("order.json");
    fs::write(&file, "{\"order\": \"{user}\"}").expect("a file is written");
    let path = file.display().to_string();
    let shown = plan(&[
        "--subject",
        "my.svc",
        "--payload-file",
        &path,
        "--rate",
        "5",
    ]);
    assert!(
        shown.contains(r#"with 14 bytes: "{\"order\": \"0\"}""#),
        "{shown}"
    );
    let none = dry(&[
        "--subject",
        "my.svc",
        "--payload-file",
        "/none/there.json",
        "--rate",
        "5",
    ]);
    assert_eq!(none.code, Some(2));
    assert!(
        none.stderr
            .contains("--payload-file: the file `/none/there.json` cannot be read"),
        "{}",
        none.stderr
    );
}

#[test]
fn what_contradicts_itself_or_lacks_something_is_told_by_its_flags() {
    let bad: [(&[&str], &[&str]); 13] = [
        (
            &["--subject", "a"],
            &["--concurrency", "--rate", "needs a load"],
        ),
        (
            &["--subject", "a", "--rate", "5", "--concurrency", "3"],
            &["--concurrency and --rate are both given"],
        ),
        (
            &["--subject", "a", "--rate", "5", "--think-time", "3ms"],
            &["--think-time: a think time has no effect with --rate"],
        ),
        (
            &["--subject", "a", "--rate", "5", "specs/quickstart.yaml"],
            &["--subject is only for a service without a spec"],
        ),
        (&["--payload", "x", "--rate", "5"], &["--subject <SUBJECT>"]),
        (
            &["--header", "A: b", "--rate", "5"],
            &["--subject <SUBJECT>"],
        ),
        (
            &[
                "--subject",
                "a",
                "--rate",
                "5",
                "--payload",
                "x",
                "--payload-file",
                "y",
            ],
            &["--payload-file <FILE>"],
        ),
        (
            &["--subject", "a..b", "--rate", "5"],
            &["--subject: the subject `a..b` has an empty token"],
        ),
        (
            &["--subject", "a", "--rate", "5", "--payload", "{x}"],
            &["--payload: `{x}` is not a placeholder"],
        ),
        (
            &["--subject", "a", "--rate", "5", "--header", "x"],
            &["`x` is not a header", "'Tenant: north'"],
        ),
        (
            &["--subject", "a", "--rate", "5", "--header", "A b: c"],
            &["--header: `A b` cannot be a name"],
        ),
        (
            &[
                "--subject",
                "a",
                "--rate",
                "5",
                "--header",
                "A: b",
                "--header",
                "A: c",
            ],
            &["--header: the header `A` is given twice"],
        ),
        (
            &[
                "--subject",
                "a",
                "--rate",
                "5",
                "--set",
                "actions.request.live.request=b",
            ],
            &["--subject and --set actions.request.live.request=b set the same key"],
        ),
    ];
    for (words, parts) in bad {
        let ran = dry(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{words:?}");
        for part in parts {
            assert!(
                ran.stderr.contains(part),
                "{words:?}: no {part} in {}",
                ran.stderr
            );
        }
    }
}

/// A run of the binary that may open 100 files.
#[cfg(unix)]
fn with_few_files(words: &[&str]) -> Ran {
    let limited = "ulimit -n 100; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_blis"), "observe"]);
    let output = command.args(words).output();
    output.expect("a shell can be started").into()
}

#[cfg(unix)]
#[test]
fn a_dry_run_checks_how_many_files_the_process_may_open() {
    let words = [
        "--url",
        "nats://127.0.0.1:1",
        "--subject",
        "a",
        "--concurrency",
    ];
    let told = "blis: 37 connections are needed, but this process may open only 100 files; raise the limit (ulimit -n)";
    for dry in [&["37"][..], &["37", "--dry-run"]] {
        let ran = with_few_files(&[&words[..], dry].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{dry:?}");
        assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    }
    for fits in [
        &["36", "--dry-run"][..],
        &["37", "--dry-run", "--set", "connections={pool: 4}"],
    ] {
        let ran = with_few_files(&[&words[..], fits].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
}
