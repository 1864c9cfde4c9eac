//! `blis explain`: parts that add up, bands about the run's quantiles, and runs that are not what they seem.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, at, blis, count, number, shipped, words};

/// Two stations, a network and a delay, with figures that can be worked out by hand: one request a second meets nobody.
const BY_HAND: &str = "\
blis: 1
name: by-hand
run: {horizon: 10s}
clients: {users: {rate: 1/s, arrival: constant, do: ask}}
actions: {ask: {path: [{visit: api}, {delay: 7ms}, {visit: store}, reply]}}
services:
  api: {workers: 1, time: 20ms}
  store: {workers: 1, time: 50ms}
network: {one_way: 1ms}
";

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Runs a spec into a directory.
fn run(home: &Path, spec: &Path, more: &str) -> PathBuf {
    let directory = home.join("run");
    let line = format!(
        "run --spec {} --out {} {more}",
        spec.display(),
        directory.display()
    );
    let ran = words(&line);
    assert!(matches!(ran.code, Some(0 | 5 | 99)), "{ran:?}");
    directory
}

fn explain(directory: &Path, more: &str) -> Ran {
    words(&format!("explain {} {more}", directory.display()))
}

fn document(directory: &Path) -> Value {
    let ran = explain(directory, "--json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.json()
}

fn quantiles(explanation: &Value) -> &[Value] {
    at(explanation, "quantiles").as_array().expect("quantiles")
}

/// The sums of all parts but the response.
fn parts(explained: &Value) -> u64 {
    let services = at(explained, "services")
        .as_object()
        .expect("services")
        .values();
    let stations =
        services.flat_map(|service| ["waiting", "service", "held"].map(|part| &service[part]));
    let rest = ["lag", "elsewhere"].map(|part| at(explained, part));
    stations.chain(rest).map(|part| count(part, "sum_ns")).sum()
}

#[test]
fn parts_add_up_to_the_response_exactly() {
    for name in [
        "quickstart",
        "mixed",
        "overload",
        "branches",
        "queue-groups",
        "distributions",
    ] {
        let home = temporary();
        let directory = run(
            home.path(),
            &shipped(&format!("{name}.yaml")),
            "--horizon 20s",
        );
        let explanation = document(&directory);
        assert_eq!(at(&explanation, "schema"), "blis.explain/1");
        assert_eq!(at(&explanation, "reproduced"), true, "{explanation:#}");
        let text = fs::read_to_string(directory.join("result.json")).expect("the result");
        let result: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            at(&explanation, "resolved_sha256"),
            at(&result, "spec.resolved_sha256")
        );
        let expected = [(0.5, "p50", 0.02), (0.99, "p99", 0.01)];
        for (explained, (quantile, key, share)) in quantiles(&explanation).iter().zip(expected) {
            assert_eq!(
                parts(explained),
                count(explained, "response.sum_ns"),
                "{name}"
            );
            assert_eq!(number(explained, "quantile"), quantile);
            let value = number(&result, &format!("latency_ms.response.{key}"));
            assert_eq!(number(explained, "quantile_ms"), value);
            let band = ["from_ms", "to_ms"].map(|end| number(explained, &format!("band.{end}")));
            assert!(
                band[0] <= value && value <= band[1],
                "{value} is not in {band:?}"
            );
            let mean = number(explained, "response.mean_ms");
            assert!(
                band[0] <= mean && mean <= band[1],
                "{mean} is not in {band:?}"
            );
            let (all, some) = (
                count(&result, "latency_ms.response.count"),
                count(explained, "band.requests"),
            );
            assert!(
                some as f64 >= (share * all as f64).floor() && some > 0,
                "{some} of {all}"
            );
            let actions = at(explained, "band.actions").as_object().expect("actions");
            let by_action: u64 = actions.values().filter_map(Value::as_u64).sum();
            assert_eq!(by_action, some);
        }
    }
}

#[test]
fn every_part_is_the_one_worked_out_by_hand() {
    let home = temporary();
    let spec = home.path().join("spec.yaml");
    fs::write(&spec, BY_HAND).expect("a spec");
    let directory = run(home.path(), &spec, "");
    let explanation = document(&directory);
    for explained in quantiles(&explanation) {
        let requests = count(explained, "band.requests");
        assert_eq!(requests, 10);
        for (part, millis) in [
            ("services.api.waiting", 0),
            ("services.api.service", 20),
            ("services.store.service", 50),
            ("services.store.held", 0),
            ("elsewhere", 9),
            ("lag", 0),
            ("response", 79),
        ] {
            assert_eq!(
                count(explained, &format!("{part}.sum_ns")),
                requests * millis * 1_000_000,
                "{part}"
            );
            assert_eq!(number(explained, &format!("{part}.mean_ms")), millis as f64);
            let share = number(explained, &format!("{part}.share"));
            assert!(
                (share - millis as f64 / 79.0).abs() < 1e-12,
                "{part}: {share}"
            );
        }
        assert_eq!(at(explained, "elsewhere_is"), "network and delay");
    }
    let report = explain(&directory, "");
    let first = format!(
        "by-hand, seed 1: {} was run again, and its totals are the same\n",
        directory.display()
    );
    assert!(report.stdout.starts_with(&first), "{}", report.stdout);
    let rows = "  store                 0 ms  50.00 ms  0 ms  50.00 ms   63.3 %\n  \
                api                   0 ms  20.00 ms  0 ms  20.00 ms   25.3 %\n  \
                network and delay                           9.000 ms   11.4 %\n  \
                response                                    79.00 ms  100.0 %\n";
    assert_eq!(report.stdout.matches(rows).count(), 2, "{}", report.stdout);
    let markdown = explain(&directory, "--format markdown").stdout;
    assert!(markdown.starts_with("# by-hand\n"), "{markdown}");
    assert!(
        markdown.contains("\n| store | 0 ms | 50.00 ms | 0 ms | 50.00 ms | 63.3 % |\n"),
        "{markdown}"
    );
}

/// Explains a run whose result was changed.
fn changed(from: &str, to: &str) -> (Ran, PathBuf, TempDir) {
    let home = temporary();
    let directory = run(home.path(), &shipped("quickstart.yaml"), "--horizon 10s");
    let path = directory.join("result.json");
    let text = fs::read_to_string(&path).expect("the result");
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replacen(from, to, 1)).expect("the result");
    (explain(&directory, ""), directory, home)
}

#[test]
fn a_result_that_does_not_come_out_again_is_said() {
    let (ran, directory, _home) = changed("\"completed\": 0", "\"completed\": 7");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let expected =
        "its totals DIFFER: this explains another run\n  sessions.completed was 7 and is now 0\n";
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    assert_eq!(at(&document(&directory), "reproduced"), false);
    let version = format!("\"blis_version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let (ran, directory, _home) = changed(&version, "\"blis_version\": \"0.0.1\"");
    let expected = format!(
        "its totals are the same\n  the run was made by blis 0.0.1, this is {}\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(ran.stdout.contains(&expected), "{}", ran.stdout);
    assert_eq!(at(&document(&directory), "reproduced"), true);
}

fn refused(ran: &Ran, why: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(
        ran.stderr.starts_with("blis: ") && ran.stderr.contains(why),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_no_run_is_refused() {
    let home = temporary();
    refused(&explain(home.path(), ""), "result.json cannot be read: ");
    refused(
        &explain(&home.path().join("none"), ""),
        "name a directory that `blis run --out` wrote",
    );
    refused(&changed("{", "").0, "result.json is not JSON: ");
    refused(
        &changed("blis.result/1", "blis.result/9").0,
        "has blis.result/9 as its schema, where blis.result/1",
    );
    refused(
        &changed("\"simulated\"", "\"live\"").0,
        "holds a live run, which shows no times inside the backend",
    );
    let nothing = home.path().join("nothing");
    let run = [
        "run",
        "--concurrency",
        "5",
        "--num-requests",
        "5",
        "--warmup",
        "5s",
        "--out",
    ]
    .map(PathBuf::from);
    blis(run.into_iter().chain([nothing.clone()]));
    refused(&explain(&nothing, ""), "measured no response times");
}

#[test]
fn a_spec_that_was_changed_is_refused() {
    let home = temporary();
    let directory = run(home.path(), &shipped("quickstart.yaml"), "--horizon 10s");
    let spec = directory.join("spec.yaml");
    let text = fs::read_to_string(&spec).expect("the spec");
    fs::write(&spec, text.replace("workers: 4", "workers: 5")).expect("the spec");
    refused(
        &explain(&directory, ""),
        "does not belong to the result beside it: its SHA-256 differs; run the spec again",
    );
    fs::remove_file(&spec).expect("the spec");
    refused(&explain(&directory, ""), "cannot be read");
}

#[test]
fn of_several_replications_the_first_is_explained() {
    let home = temporary();
    let several = "--horizon 10s --replications 3";
    let directory = run(home.path(), &shipped("quickstart.yaml"), several);
    let told = explain(&directory, "");
    let head: Vec<&str> = told.stdout.lines().take(2).collect();
    assert!(head[0].ends_with("its totals are the same"), "{head:?}");
    assert!(
        head[1].contains("explains the first of 3 replications"),
        "{head:?}"
    );
    let result = directory.join("result.json");
    let text = fs::read_to_string(&result).expect("the result");
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    document["replications"]["each"][0]["throughput_rps"] = 1.0.into();
    fs::write(&result, document.to_string()).expect("the result");
    let told = explain(&directory, "");
    assert!(told.stdout.contains("totals DIFFER"), "{}", told.stdout);
    assert!(
        told.stdout
            .contains("replications.each.0.throughput_rps was 1.0"),
        "{}",
        told.stdout
    );
}
