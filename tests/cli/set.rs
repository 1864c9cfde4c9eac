//! `--set PATH=VALUE` on the commands that take a spec.

use crate::support::{at, count, json, shipped, with_stdin, words};

#[test]
fn a_set_value_changes_the_run_and_is_recorded() {
    let spec = shipped("quickstart.yaml");
    let line = |more: &str| json(&format!("--spec {} {more}", spec.display()));
    let (plain, set) = (line(""), line("--set services.api.workers=1"));
    let mean = "latency_ms.response.mean";
    assert!(at(&set, mean).as_f64() > at(&plain, mean).as_f64());
    let recorded = at(&set, "configuration")
        .get("services.api.workers")
        .expect("the set value is recorded");
    assert_eq!(
        (at(recorded, "value"), at(recorded, "source")),
        (&"1".into(), &"--set".into())
    );
    assert_eq!(at(&plain, "spec.sha256"), at(&set, "spec.sha256"));
}

#[test]
fn the_embedded_spec_can_be_set_too() {
    assert_eq!(
        count(&json("--set run.requests=70"), "requests.intended"),
        70
    );
    let both = json("--concurrency 3 --set run.requests=70 --set services.api.workers=1");
    assert_eq!(count(&both, "requests.intended"), 70);
    // Its warm-up of 5 s would leave nothing of a shorter run.
    assert_eq!(at(&json("--set run.horizon=2s"), "window.warmup_s"), 0.2);
    assert_eq!(
        at(
            &json("--set run.horizon=2s --set run.warmup=1s"),
            "window.warmup_s"
        ),
        1.0
    );
}

#[test]
fn an_error_names_the_assignment_and_no_line() {
    let ran = words("run --set services.api.workers=0");
    let expected = "  x --set services.api.workers=0: there must be at least one worker\n  \
                    help: give a whole number from 1 to 1000000000\n\n1 error on the command line\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), expected));
    assert_eq!(ran.stdout, "");
}

#[test]
fn check_shows_what_is_set() {
    let path = shipped("quickstart.yaml");
    let ran = words(&format!(
        "check {} --set services.api.workers=5 --set actions.ask.slo=null",
        path.display()
    ));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("    workers: 5\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("slo"), "{}", ran.stdout);
}

#[test]
fn what_is_no_assignment_is_a_mistake_of_usage() {
    for (given, said) in [
        ("services.api.workers", "there is no `=`; write PATH=VALUE"),
        ("a..b=1", "`a..b` is not the path of a key"),
        ("a={", "this is not YAML"),
    ] {
        let ran = words(&format!("run --set {given}"));
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn a_value_is_given_once() {
    for flags in [
        "--horizon 5s --set run.horizon=6s",
        "--num-requests 5 --set run.requests=6",
        "--warmup 1s --set run.warmup=2s",
        "--timeout 1s --set clients.users.timeout=2s",
        "--seed 1 --set seed=2",
        "--concurrency 5 --set clients.users.think=1s",
        "--rate 5 --set clients.users.timeout=1s",
    ] {
        let ran = words(&format!("run {flags}"));
        assert_eq!(ran.code, Some(2), "{flags}");
        assert!(
            ran.stderr.contains("set the same key; use one of them"),
            "{}",
            ran.stderr
        );
    }
    let ran = words("run --json --horizon 20s --set run.requests=60");
    assert_eq!(count(&ran.json(), "requests.intended"), 60);
}

#[test]
fn an_error_of_the_text_beside_one_of_a_flag_is_counted_with_the_file() {
    let text = "blis: 1\nname: x\nrun: {horizon: 1s}\nclients: {c: {rate: 1/s, do: aks}}\n\
                actions: {ask: {path: [reply]}}\n";
    let ran = with_stdin("check - --set clients.c.timeout=0s", text);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("--set clients.c.timeout=0s: a timeout of 0s"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("[stdin:4:30]"), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("2 errors in stdin\n"),
        "{}",
        ran.stderr
    );
}
