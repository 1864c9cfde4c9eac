//! `blis compose`: where the composition goes, what is told, and what is refused.

use std::fs;

use tempfile::TempDir;

use crate::support::{Ran, binary, finished, shipped, with_stdin};

const SHOP: &str = "\
blis: 1
name: shop
run: {horizon: 60s}
clients: {feed: {rate: 200/s, do: ask}}
actions: {ask: {path: [{visit: api}, reply]}}
services: {api: {workers: 4, time: {exponential: {mean: 10ms}}}}
";

const OTHER: &str = "\
blis: 1
name: other
run: {horizon: 60s}
clients: {feed: {rate: 50/s, do: ask}}
actions: {ask: {path: [{visit: api}, reply]}}
services: {api: {workers: 4, time: {exponential: {mean: 10ms}}}}
";

/// A directory with the two specs.
fn home() -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    fs::write(home.path().join("shop.yaml"), SHOP).expect("a file");
    fs::write(home.path().join("other.yaml"), OTHER).expect("a file");
    home
}

fn blis(home: &TempDir, line: &str) -> Ran {
    finished(
        binary()
            .args(line.split_whitespace())
            .current_dir(home.path()),
    )
}

#[test]
fn the_composition_is_printed_and_checks() {
    let home = home();
    let ran = blis(&home, "compose shop.yaml other.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout
            .starts_with("# yaml-language-server: $schema=spec.schema.json\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("    rate: 250/s\n"), "{}", ran.stdout);
    let notes = "blis: note: the rates of `clients.feed` in shop.yaml and other.yaml add up to 250/s\nblis: note: \
                 `actions.ask` is the same in shop.yaml and other.yaml; it is kept once\nblis: note: `services.api` is \
                 the same in shop.yaml and other.yaml; it is kept once\n";
    assert_eq!(ran.stderr, notes);
    let check = with_stdin("check -", &ran.stdout);
    assert_eq!((check.code, check.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_file_is_written_and_not_replaced() {
    let home = home();
    let ran = blis(
        &home,
        "compose shop.yaml other.yaml --name both -o both.yaml",
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    let written = fs::read_to_string(home.path().join("both.yaml")).expect("it was written");
    assert!(written.contains("\nname: \"both\"\n"), "{written}");
    let again = blis(&home, "compose shop.yaml other.yaml -o both.yaml");
    assert_eq!(again.code, Some(2));
    assert_eq!(
        again.stderr,
        "blis: --output both.yaml exists; overwrite it with --force\n"
    );
    let forced = blis(&home, "compose shop.yaml other.yaml -o both.yaml --force");
    assert_eq!(forced.code, Some(0));
    let replaced = fs::read_to_string(home.path().join("both.yaml")).expect("it was written");
    assert!(replaced.contains("\nname: \"shop+other\"\n"), "{replaced}");
    let directory = blis(&home, "compose shop.yaml other.yaml -o . --force");
    assert_eq!(directory.code, Some(2));
    let left: Vec<_> = fs::read_dir(home.path()).expect("a directory").collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn flags_decide_what_the_parts_do_not_agree_on() {
    let home = home();
    let other = OTHER.replace("horizon: 60s", "horizon: 2m, drain: 5s");
    fs::write(home.path().join("other.yaml"), other).expect("a file");
    let ran = blis(&home, "compose shop.yaml other.yaml");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let told = "blis: `run.horizon` is 60s in shop.yaml:3:7 and 2m in other.yaml:3:7; make them agree or give \
                --horizon, or --set run.horizon=null for none\n\
                blis: `run.drain` is 30s in shop.yaml:3:1 and 5s in other.yaml:3:20; make them agree or give --set \
                run.drain=...\n";
    assert_eq!(ran.stderr, told);
    let ran = blis(
        &home,
        "compose shop.yaml other.yaml --horizon 3m --set run.drain=7s --timeout 9s",
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in ["  horizon: 3m", "  drain: 7s", "    timeout: 9s"] {
        assert!(
            ran.stdout.lines().any(|found| found == line),
            "no {line:?} in\n{}",
            ran.stdout
        );
    }
}

#[test]
fn a_part_that_is_wrong_is_told_with_its_place() {
    let home = home();
    fs::write(
        home.path().join("other.yaml"),
        OTHER.replace("do: ask", "do: aks"),
    )
    .expect("a file");
    let ran = blis(&home, "compose shop.yaml other.yaml");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("[other.yaml:4:34]"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("there is no action `aks`"),
        "{}",
        ran.stderr
    );
    let ran = blis(&home, "compose shop.yaml missing.yaml");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("the spec missing.yaml cannot be read"),
        "{}",
        ran.stderr
    );
    for (line, said) in [
        ("compose shop.yaml", "2 values required"),
        ("compose - -", "stdin can be read only once"),
    ] {
        let ran = blis(&home, line);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn a_composition_that_is_not_accepted_says_why() {
    let home = home();
    let ran = blis(
        &home,
        "compose shop.yaml other.yaml --set clients.feed.do=tell",
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr
            .contains("--set clients.feed.do=tell: there is no action `tell`"),
        "{}",
        ran.stderr
    );
    for users in ["shop", "other"] {
        let text = format!(
            "blis: 1\nname: {users}\nrun: {{horizon: 60s}}\nclients: {{{users}: {{concurrency: 60M, think: 1s, do: ask}}}}\n\
             actions: {{ask: {{path: [{{visit: api}}, reply]}}}}\nservices: {{api: {{workers: 4, time: 1ms}}}}\n"
        );
        fs::write(home.path().join(format!("{users}.yaml")), text).expect("a file");
    }
    let ran = blis(&home, "compose shop.yaml other.yaml");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("GB of memory"), "{}", ran.stderr);
    assert!(ran.stderr.contains("[the composition:"), "{}", ran.stderr);
}

#[test]
fn the_shipped_specs_compose_where_flags_decide() {
    let (one, other) = (shipped("quickstart.yaml"), shipped("mixed.yaml"));
    let line = format!(
        "compose {} {} --prefix --seed 1 --num-requests 10k --horizon 60s --warmup 5s --set run.drain=10s",
        one.display(),
        other.display()
    );
    let ran = finished(binary().args(line.split_whitespace()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let run = with_stdin("run --spec - --json", &ran.stdout);
    assert!(matches!(run.code, Some(0 | 99)), "{run:?}");
    let clients = &run.json()["clients"];
    for name in ["users", "browsers", "feed", "visitors"] {
        assert!(clients.get(name).is_some(), "no {name} in {clients}");
    }
}
