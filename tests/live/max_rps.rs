//! `blis max-rps` against a double, and a service that others wrote.
//!
//! The machine is shared, so that nothing here says that a load passes: only that twice as much as workers can do does not.

use std::time::Duration;

use serde_json::Value;

use crate::programs::{Double, Ran, end, interrupt, run, start};
use crate::responder::Responder;
use crate::saved;
use crate::server::Server;
use crate::wire::Wire;

/// Four workers of 20 ms: 200 requests per second.
const SPEC: &str = "blis: 1\nname: ceiling\nrun: {horizon: 1h, warmup: 100ms, drain: 10s}\nconnections: {pool: 2}\nclients:\n  \
     users: {rate: 100/s, do: ask}\nactions:\n  ask: {path: [{visit: api}, reply], slo: {p90: 100ms}, live: {request: \
     work.ask}}\nservices:\n  api: {workers: 4, time: 20ms}\n";
/// What its workers can do.
const CAPACITY: f64 = 200.0;
const QUICK: [&str; 4] = ["--hold", "600ms", "--cooldown", "10ms"];

/// The document of a search, which keeps to its schema.
fn document(ran: &Ran) -> Value {
    let document: Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/ceiling.schema.json");
    let schema = std::fs::read_to_string(path).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let complaints: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    assert_eq!(document["schema"], "blis.ceiling/1");
    assert_eq!(document["mode"], "live");
    document
}

fn loads(document: &Value) -> Vec<f64> {
    let trials = document["trials"].as_array().expect("trials");
    trials
        .iter()
        .filter_map(|trial| trial["load"].as_f64())
        .collect()
}

#[test]
fn steps_are_tried_on_a_real_service_up_to_the_first_that_trips() {
    let server = Server::start("");
    let path = saved(&server, "ceiling.yaml", SPEC);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let url = server.url();
    let words = [
        "max-rps",
        "--spec",
        &path,
        "--url",
        &url,
        "--steps",
        "40,400,4k",
        "--json",
    ];
    let ran = run(&[&words[..], &QUICK].concat());
    let document = document(&ran);
    let last = &document["trials"]
        .as_array()
        .expect("trials")
        .last()
        .expect("one")
        .clone();
    // The service takes 200 a second: of 400 more than a tenth come too late, on any machine.
    assert!(
        loads(&document).iter().all(|load| *load <= 400.0),
        "{document:#}"
    );
    assert_eq!(last["verdict"], "TRIP", "{document:#}");
    assert_eq!(last["window"]["warmup_s"], 0.1);
    assert!(last["throughput_rps"].as_f64().expect("a rate") < 230.0);
    assert!(ran.code == Some(0) || ran.code == Some(99), "{ran:?}");
    assert!(
        ran.stderr.contains(
            "blis: plan: trials at 40/s, 400/s, 4,000/s; each 100ms of warm-up, 600ms measured"
        ),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("blis: trial 1 of at most 3: 40/s\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_service_without_a_spec_is_searched_with_open_arrivals() {
    let server = Server::start("");
    let _service = Responder::start(&server, "my.svc", 4, Duration::from_millis(20));
    let url = server.url();
    let words = [
        "max-rps",
        "--url",
        &url,
        "--subject",
        "my.svc",
        "--payload",
        "{}",
        "--slo",
        "p90=100ms",
        "--steps",
        "400",
        "--json",
        "--warmup",
        "100ms",
        "--quiet",
    ];
    let ran = run(&[&words[..], &QUICK].concat());
    let document = document(&ran);
    assert_eq!(ran.code, Some(99), "{ran:?}");
    assert_eq!(
        (loads(&document), &document["ended"]),
        (vec![400.0], &Value::from("none_passed"))
    );
    assert_eq!(document["varied"]["parameter"], "rate");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_plan_is_shown_without_a_connection() {
    let path = format!("{}/specs/quickstart.yaml", env!("CARGO_MANIFEST_DIR"));
    let words = [
        "max-rps",
        "--spec",
        &path,
        "--url",
        "nats://127.0.0.1:1",
        "--steps",
        "10,20",
        "--dry-run",
        "--hold",
        "10s",
        "--time-limit",
        "30s",
    ];
    let ran = run(&words);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains("trials at 10, 20; each"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.trim_end().ends_with("30s at most"),
        "{}",
        ran.stdout
    );
}

#[test]
fn keys_of_the_model_are_no_keys_of_a_real_service() {
    let path = format!("{}/specs/quickstart.yaml", env!("CARGO_MANIFEST_DIR"));
    let url = "nats://127.0.0.1:1";
    for key in ["services.api.workers", "network.one_way"] {
        let words = [
            "max-rps", "--spec", &path, "--url", url, "--over", key, "--steps", "1,2",
        ];
        let ran = run(&words);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let said = format!("--over {key}: only the model has this key");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
}

#[test]
fn ctrl_c_and_a_lost_server_leave_the_bounds_so_far() {
    let server = Server::start("");
    let path = saved(&server, "ceiling.yaml", SPEC);
    let double = Double::start(&server.url(), &["--spec", &path]);
    let url = server.url();
    let words = [
        "max-rps", "--spec", &path, "--url", &url, "--steps", "40,50,60", "--json", "--hold", "10m",
    ];
    // What an earlier load sent is nothing that this one has begun with.
    let begun = || {
        let mut wire = Wire::connect(server.port);
        wire.subscribe("work.ask");
        let child = start(&words);
        (0..5).for_each(|_| drop(wire.next().expect("a request")));
        child
    };
    let child = begun();
    interrupt(&child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let found = document(&ran);
    assert_eq!(
        (&found["interrupted"], loads(&found)),
        (&Value::Bool(true), Vec::new())
    );
    assert!(
        ran.stderr
            .contains("blis: interrupted: nothing more is sent"),
        "{}",
        ran.stderr
    );
    let child = begun();
    drop(double);
    drop(server);
    let ran = end(child);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(loads(&document(&ran)), Vec::<f64>::new());
    assert!(
        ran.stderr.contains("these are the bounds by then"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_model_says_where_a_live_search_looks() {
    let server = Server::start("");
    let path = saved(&server, "ceiling.yaml", SPEC);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let url = server.url();
    let words = [
        "max-rps",
        "--spec",
        &path,
        "--url",
        &url,
        "--json",
        "--hold",
        "1s",
        "--cooldown",
        "10ms",
        "--time-limit",
        "6s",
    ];
    let ran = run(&words);
    let document = document(&ran);
    // Four workers of 20 ms, and 90 % within 100 ms: nearly all that they can do, as near as the time for it allows.
    let predicted = document["predicted"].as_f64().expect("a prediction");
    assert!((150.0..230.0).contains(&predicted), "{predicted}");
    let loads = loads(&document);
    assert!(
        (0.8..0.95).contains(&(loads[0] / predicted)),
        "{loads:?} of {predicted}"
    );
    assert!(
        ran.stderr.contains("blis: the model says 1"),
        "{}",
        ran.stderr
    );
    if let Some(lower) = document.pointer("/answer/lower").and_then(Value::as_f64) {
        assert!(lower < 1.15 * CAPACITY, "{document:#}");
    }
}

/// Whether the search found where it ends: something missed its objectives that the workers cannot do, or the generator could
/// send no more. Whatever it found is sound, on any machine.
fn is_decided(document: &Value) -> bool {
    assert!(document.get("predicted").is_none());
    let trials = document["trials"].as_array().expect("trials");
    let of = |verdict: &'static str| {
        let trials = trials.iter().filter(move |one| one["verdict"] == verdict);
        trials.map(|trial| trial["load"].as_f64().expect("a load"))
    };
    assert!(
        of("PASS").all(|load| load < 1.15 * CAPACITY),
        "{document:#}"
    );
    let upper = of("TRIP").fold(f64::INFINITY, f64::min);
    let [lower, beyond] = ["lower", "upper"].map(|end| document["answer"][end].as_f64());
    assert!(
        lower
            .zip(beyond)
            .is_none_or(|(lower, beyond)| lower < beyond),
        "{document:#}"
    );
    // Of what is open it is said what is missing.
    let open = trials.iter().filter(|one| one["verdict"] == "INCONCLUSIVE");
    let reasons = open.map(|trial| &trial["reasons"]);
    let next = (document["ended"] == "undecided").then_some(&document["next_limit"]);
    for said in reasons.chain(next) {
        let said = said.as_array().expect("reasons");
        assert!(!said.is_empty(), "{document:#}");
    }
    let is_limited = |trial: &Value| trial.get("generator_limits").is_some();
    upper <= 4.0 * CAPACITY || trials.iter().any(is_limited)
}

#[test]
fn a_search_finds_the_limit_of_a_service_of_which_nothing_is_known() {
    let server = Server::start("");
    let _service = Responder::start(&server, "my.svc", 4, Duration::from_millis(20));
    let url = server.url();
    let words = [
        "--subject",
        "my.svc",
        "--search",
        "100/s..1600/s",
        "--quiet",
    ];
    let limit = ["--slo", "p90=100ms", "--cooldown", "10ms"];
    // Where a machine stands still for a part of a trial, its requests tell as much as few: longer ones tell more.
    let mut undecided = Vec::new();
    for [hold, most] in [["2s", "20s"], ["5s", "60s"], ["12s", "150s"]] {
        let times = ["--warmup", "100ms", "--hold", hold, "--time-limit", most];
        let search = ["max-rps", "--json", "--url", &url];
        let found = document(&run(&[&search[..], &words, &limit, &times].concat()));
        if is_decided(&found) {
            return;
        }
        undecided.push(found);
    }
    panic!("none of the searches found a limit: {undecided:#?}");
}
