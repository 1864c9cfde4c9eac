//! `blis replay`: recorded requests through a model.

use serde_json::Value;
use tempfile::TempDir;

use crate::record::SPEC as BUSY;
use crate::support::{at, count, number, words};

/// Others: a budget, users who wait for one another and go at one instant, a cohort, and requests that nobody waits for.
const OTHERS: [&str; 4] = [
    "{blis: 1, name: crowd, run: {requests: 4000, warmup: 100ms}, clients: {c: {concurrency: 40, do: ask, on_failure: {respawn: true}}}, \
     actions: {ask: {path: [{visit: api}, reply]}}, services: {api: {workers: 3, time: {exponential: {mean: 2ms}}, queue: {limit: 20}}}}",
    "{blis: 1, name: cohort, run: {horizon: 5s, warmup: auto}, clients: {c: {population: 5, rate: 40/s, do: ask, session: {rounds: {uniform: \
     {min: 1, max: 5}}, think: 5ms}}}, actions: {ask: {path: [{visit: api}, reply]}}, services: {api: {workers: 1, time: {exponential: {mean: \
     1ms}}}}}",
    "{blis: 1, name: tied, run: {horizon: 5s}, clients: {a: {rate: 100/s, arrival: constant, do: ask}, b: {concurrency: 4, think: 10ms, do: \
     ask}}, actions: {ask: {path: [{visit: api}, reply]}}, services: {api: {workers: 2, time: 3ms}}}",
    "{blis: 1, name: held, run: {horizon: 5s}, max_in_flight: {limit: 5, policy: delay}, clients: {a: {rate: 400/s, do: ask, timeout: 30ms}}, \
     actions: {ask: {path: [{visit: api}, reply]}}, services: {api: {workers: 2, time: {exponential: {mean: 6ms}}, on_timeout: leave}}}",
];

struct Runs(TempDir);

impl Runs {
    fn new() -> Runs {
        Runs(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// The result of a run of this spec, with its record.
    fn recorded(&self, name: &str, spec: &str) -> Value {
        let (file, out) = (self.path(&format!("{name}.yaml")), self.path(name));
        std::fs::write(&file, spec).expect("a spec");
        let ran = words(&format!("run {file} --record --json --out {out}"));
        assert!(matches!(ran.code, Some(0 | 5 | 99)), "{ran:?}");
        ran.json()
    }

    fn replayed(&self, name: &str, flags: &str) -> Value {
        let ran = words(&format!("replay {} --json {flags}", self.path(name)));
        assert!(matches!(ran.code, Some(0 | 5 | 99)), "{ran:?}");
        ran.json()
    }
}

/// Without what is not the same of a replay.
fn comparable(mut document: Value) -> Value {
    let parts = document.as_object_mut().expect("a document");
    for part in [
        "mode",
        "spec",
        "configuration",
        "theory",
        "events",
        "record",
    ] {
        parts.remove(part);
    }
    document
}

/// The first part of two documents that differs.
fn difference(one: &Value, other: &Value, place: &str) -> Option<String> {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let keys = ones.keys().chain(others.keys());
            keys.into_iter().find_map(|key| {
                let [one, other] = [ones, others].map(|of| of.get(key).unwrap_or(&Value::Null));
                difference(one, other, &format!("{place}.{key}"))
            })
        }
        _ => (one != other).then(|| format!("{place}: {one} and {other}")),
    }
}

#[test]
fn a_run_replayed_against_its_own_model_is_the_same_run() {
    let runs = Runs::new();
    let mut window_found = comparable(runs.recorded("busy", BUSY));
    for (nth, spec) in OTHERS.iter().enumerate() {
        let name = format!("other{nth}");
        let [run, again] = [runs.recorded(&name, spec), runs.replayed(&name, "")];
        assert_eq!(at(&again, "mode"), "replayed");
        let [mut run, again] = [run, again].map(comparable);
        // How a warm-up was found is not found out again.
        if let Some(window) = run["window"].as_object_mut() {
            window.remove("found_by");
        }
        assert_eq!(difference(&run, &again, &name), None);
    }
    let again = runs.replayed("busy", "");
    assert!(count(&again, "retries") > 0 && count(&again, "requests.dropped") > 0);
    assert!(count(&again, "requests.timed_out") > 0);
    let again = comparable(again);
    assert_eq!(difference(&window_found, &again, "busy"), None);
    // The same compared with a change is not.
    window_found["retries"] = Value::from(0);
    assert!(difference(&window_found, &again, "busy").is_some());
}

#[test]
fn another_model_answers_the_same_requests() {
    let runs = Runs::new();
    let run = runs.recorded("busy", BUSY);
    let slower = runs.replayed("busy", "--set services.api.time.exponential.mean=8ms");
    for place in ["requests.intended", "window.requests.intended", "retries"] {
        assert_eq!(count(&run, place), count(&slower, place), "{place}");
    }
    assert!(count(&slower, "requests.rejected") > count(&run, "requests.rejected"));
    let faster = runs.replayed("busy", "--set services.api.workers=20");
    assert_eq!(
        count(&run, "requests.intended"),
        count(&faster, "requests.intended")
    );
    assert_eq!(count(&faster, "requests.rejected"), 0);
    // Users who wait for replies ask more often where these come sooner.
    let closed = runs.replayed("busy", "--as closed --set services.api.workers=20");
    let of = |document: &Value, client: &str| {
        count(document, &format!("clients.{client}.requests.intended"))
    };
    assert!(of(&closed, "closed") > of(&run, "closed"));
    assert!(
        of(&closed, "open") < of(&run, "open"),
        "there is less to try again"
    );
}

#[test]
fn users_who_react_as_they_did_are_the_same_run_too() {
    let runs = Runs::new();
    let run = comparable(runs.recorded("busy", BUSY));
    let again = comparable(runs.replayed("busy", "--as closed"));
    for place in [
        "requests",
        "window",
        "retries",
        "sessions",
        "latency_ms",
        "clients",
    ] {
        assert_eq!(difference(at(&run, place), at(&again, place), place), None);
    }
}

#[test]
fn a_replay_is_kept_as_a_run_is() {
    let runs = Runs::new();
    runs.recorded("busy", BUSY);
    let out = runs.path("again");
    let rows = runs.path("rows.csv");
    let again = runs.replayed("busy", &format!("--out {out} --trace {rows}"));
    let shown = words(&format!("report {out}"));
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let lines = std::fs::read_to_string(&rows).expect("rows");
    let requests = count(&again, "requests.intended") as usize;
    assert_eq!(lines.lines().count(), requests + 2);
    let compared = words(&format!("compare {} {out} --json", runs.path("busy"))).json();
    let figures = at(&compared, "total.figures").as_array().expect("figures");
    assert!(
        figures.iter().all(|one| number(one, "difference") == 0.0),
        "{compared}"
    );
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let runs = Runs::new();
    runs.recorded("busy", BUSY);
    let busy = runs.path("busy");
    let spec = runs.path("busy.yaml");
    let plain = runs.path("plain");
    words(&format!("run {spec} --out {plain}"));
    let other = runs.path("other.yaml");
    std::fs::write(&other, BUSY.replace("tell", "say")).expect("a spec");
    let missing = runs.path("missing.yaml");
    std::fs::write(&missing, BUSY.replace("closed:", "waiting:")).expect("a spec");
    for (line, said) in [
        (plain, "holds no rows of requests"),
        (spec, "takes a run directory"),
        (
            format!("{busy} --spec {other}"),
            "the record has requests of the action tell",
        ),
        (
            format!("{busy} --spec {missing}"),
            "its clients are open, sessions, waiting",
        ),
        (
            format!("{busy} --as other"),
            "possible values: recorded, closed",
        ),
        (
            format!("{busy} --set clients.open.rate=10/s"),
            "the load is recorded",
        ),
        (
            format!("{busy} --as closed --set clients.open.rate=10/s"),
            "the load is recorded",
        ),
    ] {
        let ran = words(&format!("replay {line}"));
        assert_eq!(ran.code, Some(2), "{line}: {ran:?}");
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let ran = words(&format!("replay {busy} --horizon 4s"));
    assert!(
        ran.stderr.contains("recorded requests were not sent"),
        "{ran:?}"
    );
}
