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
const SPEC: &str = "blis: 1\nname: ceiling\nrun: {warmup: 100ms, drain: 10s}\nconnections: {pool: 2}\nclients:\n  \
     users: {rate: 100/s, do: ask}\nactions:\n  ask: {path: [{visit: api}, reply], slo: {p90: 100ms}, live: {request: \
     work.ask}}\nservices:\n  api: {workers: 4, time: 20ms}\n";
/// What its workers can do.
const CAPACITY: f64 = 200.0;

/// The times of its trials, in so far as the flags give them: measured for so long.
fn lasting(hold: &str) -> [&str; 6] {
    ["--warmup", "100ms", "--hold", hold, "--cooldown", "10ms"]
}

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
    // The warm-up is that of the spec. A generator that cannot keep up ends the ramp and says so; nothing else does before a trip.
    let search = || {
        let ran = run(&[&words[..], &lasting("600ms")[2..]].concat());
        let document = document(&ran);
        let trials = document["trials"].as_array().expect("trials");
        let last = trials.last().expect("one").clone();
        let limited = last["generator_limits"].as_array();
        let is_limited = limited.is_some_and(|limits| !limits.is_empty());
        assert!(last["verdict"] == "TRIP" || is_limited, "{document:#}");
        (ran, document, last)
    };
    let tripped = |(_, _, last): &(_, _, Value)| last["verdict"] == "TRIP";
    let mut searches = std::iter::repeat_with(search).take(3);
    let Some((ran, document, last)) = searches.find(tripped) else {
        return;
    };
    // The service takes 200 a second: of 400 more than a tenth come too late, on any machine.
    assert!(
        loads(&document).iter().all(|load| *load <= 400.0),
        "{document:#}"
    );
    assert_eq!(last["window"]["warmup_s"], 0.1);
    // Of given loads the model says something too; what would help is not simulated.
    for trial in document["trials"].as_array().expect("trials") {
        let says = trial["predicted"]["throughput_rps"].as_f64();
        let able = match trial["load"].as_f64() {
            Some(400.0) => 180.0..205.0,
            _ => 10.0..100.0,
        };
        assert!(says.is_some_and(|says| able.contains(&says)), "{trial:#}");
    }
    assert_eq!(document["remedies"], serde_json::json!([]));
    assert!(last["throughput_rps"].as_f64().expect("a rate") < 230.0);
    assert!(ran.code == Some(0) || ran.code == Some(99), "{ran:?}");
    assert!(
        ran.stderr.contains(
            "blis:   loads       trials at 40/s, 400/s, 4,000/s\nblis:   each trial  100ms warm-up, 600ms window\n"
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
        "--quiet",
    ];
    let ran = run(&[&words[..], &lasting("600ms")].concat());
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
        ran.stdout
            .contains("loads       trials at 10, 20\n  each trial  "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.trim_end().ends_with("at most 30s"),
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
        let said = format!("--over {key}: it exists only in the model");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
}

#[test]
fn what_cannot_be_searched_live_is_refused_before_anything_is_sent() {
    let server = Server::start("");
    let open = saved(&server, "open.yaml", SPEC);
    let closed = SPEC.replace("connections: {pool: 2}\n", "");
    let closed = closed.replace("rate: 100/s", "concurrency: 5");
    let closed = saved(&server, "closed.yaml", &closed);
    let burst = SPEC.replace("rate: 100/s", "arrival: {burst: {count: 9}}");
    let burst = saved(&server, "burst.yaml", &burst);
    let aimless = SPEC.replace("slo: {p90: 100ms}, ", "");
    let aimless = saved(&server, "aimless.yaml", &aimless);
    let recorded = format!("{}/specs/recorded.yaml", env!("CARGO_MANIFEST_DIR"));
    for (spec, flags, said) in [
        (&open, "--steps 500,400", "400/s comes after 500/s"),
        (&open, "--steps 500,500", "given twice"),
        (&open, "--steps 0,500", "zero"),
        (&open, "--steps 99999999999999999999", "too high a rate"),
        (&open, "--search 9..5", "inverted"),
        (&open, "--search 5..5", "empty"),
        (&open, "--search 0..5", "zero"),
        (&open, "--over concurrency", "no client has `concurrency`"),
        (
            &closed,
            "--over rate",
            "but the spec has none; use --over concurrency",
        ),
        (&burst, "--over rate", "come in a burst"),
        (&recorded, "--over rate", "were recorded"),
        (
            &open,
            "--over clients.users.do --search 1..2",
            "is not numeric",
        ),
        (
            &open,
            "--over foo.bar --search 1..2",
            "`foo` is not a key of a spec",
        ),
        (
            &open,
            "--over actions.ask.payload.size --search 1..2",
            "all live runs send the same requests",
        ),
        (
            &open,
            "--over clients.users.rate",
            "such as --search 1/s..64/s",
        ),
        (&open, "--slo aks:p99=1s", "did you mean `ask`?"),
        (&aimless, "--steps 5", "give one with --slo"),
        (&open, "--hold 0s", "--hold is zero"),
        (&open, "--longest-trial 0s", "--longest-trial is zero"),
        (&open, "--time-limit 0s", "--time-limit is zero"),
        (
            &open,
            "--tiers p90=50ms,100ms",
            "--tiers needs a simulated search",
        ),
        // More than there are ports, however many files may be open.
        (&closed, "--search 1..70000", "70000 connections are needed"),
        (&closed, "--steps 5,70000", "70000 connections are needed"),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        let words = ["max-rps", "--url", "nats://127.0.0.1:1", "--spec", spec];
        let ran = run(&[&words[..], &flags].concat());
        assert_eq!(ran.code, Some(2), "{flags:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{flags:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{flags:?}");
    }
}

#[test]
fn a_search_looks_no_further_than_a_clock_can_tell_apart() {
    let server = Server::start("");
    let unknown = SPEC.replace("path: [{visit: api}, reply], ", "");
    let unknown = unknown.replace("rate: 100/s", "rate: 1M/s");
    let unknown = saved(&server, "unknown.yaml", &unknown);
    let words = [
        "max-rps",
        "--url",
        "nats://127.0.0.1:1",
        "--dry-run",
        "--spec",
        &unknown,
    ];
    let ran = run(&words);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout
            .contains(" and on up to 100,000,000/s while they pass"),
        "{ran:?}"
    );
}

#[test]
fn a_live_search_says_that_its_lower_end_trips() {
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
        "--search",
        "1k/s..2k/s",
    ];
    let ran = run(&[&words[..], &lasting("600ms"), &["--precision", "50%"]].concat());
    // Five times what the workers can do, unless the generator cannot send it.
    assert!(matches!(ran.code, Some(99 | 5)), "{ran:?}");
    if ran.code == Some(99) {
        for said in [
            "ANSWER: no load passed (workload=ceiling, live); the objectives are missed at 1,000/s",
            "Next limit: p90 of ask",
            "changes were not simulated: the simulation found no ceiling",
        ] {
            assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
        }
    }
}

#[test]
fn nobody_to_answer_ends_a_search_at_once() {
    let server = Server::start("");
    let url = server.url();
    let subject = ["max-rps", "--url", &url, "--subject", "nobody.there"];
    let ran = run(&[&subject[..], &["--slo", "p90=100ms"], &lasting("600ms")].concat());
    assert_eq!(ran.code, Some(4), "{ran:?}");
    for said in [
        "nobody subscribes to nobody.there",
        "start the service, or correct the subject",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {ran:?}");
    }
    assert!(!ran.stderr.contains("trial 2"), "{ran:?}");
    assert_eq!(ran.stdout, "");
    // Where no server is, nothing is simulated first.
    let path = saved(&server, "ceiling.yaml", SPEC);
    let ran = run(&["max-rps", "--spec", &path, "--url", "nats://127.0.0.1:1"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(!ran.stderr.contains("blis: plan:"), "{ran:?}");
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
            .contains("blis: interrupted: no more requests are sent"),
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
        ran.stderr
            .contains("the search ended early with these bounds"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_model_says_where_a_live_search_looks_and_what_would_help() {
    let server = Server::start("");
    let path = saved(&server, "ceiling.yaml", SPEC);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let home = tempfile::tempdir().expect("a directory");
    let (url, out) = (server.url(), home.path().join("found"));
    let words = [
        "max-rps",
        "--spec",
        &path,
        "--url",
        &url,
        "--json",
        // Few loads, and short trials.
        "--search",
        "150/s..250/s",
        "--precision",
        "30%",
        "--longest-trial",
        "400ms",
        "--cooldown",
        "10ms",
        "--what-if",
        "services.api.workers=8",
        "--out",
        out.to_str().expect("a path"),
    ];
    let ran = run(&words);
    let document = document(&ran);
    // Four workers of 20 ms, and 90 % within 100 ms: nearly all that they can do.
    let prediction = &document["prediction"];
    let predicted = prediction["ceiling"].as_f64().expect("a prediction");
    assert!((170.0..200.0).contains(&predicted), "{predicted}");
    assert!(prediction["ceiling_ci95"].is_array(), "{prediction:#}");
    let curve = prediction["trials"].as_array().expect("a curve");
    let at: Vec<f64> = curve
        .iter()
        .filter_map(|one| one["load"].as_f64())
        .collect();
    assert!(
        at.len() > 1 && at.is_sorted_by(|one, next| one < next),
        "{at:?}"
    );
    assert_eq!(prediction["bottleneck"]["service"], "api");
    assert_eq!(prediction["slow"]["quantile"], 0.99);
    let loads = loads(&document);
    assert!(
        (0.75..1.0).contains(&(loads[0] / predicted)),
        "{loads:?} of {predicted}"
    );
    assert!(ran.stderr.contains("  predicted   1"), "{}", ran.stderr);
    // The model was run at the load of each trial, for as long.
    for trial in document["trials"].as_array().expect("trials") {
        let says = &trial["predicted"];
        assert_eq!(says["load"], trial["load"], "{trial:#}");
        assert_eq!(says["measured_s"], trial["window"]["measured_s"]);
        let busy = says["utilisation"]["api"].as_f64().expect("a share");
        assert!(busy > 0.6, "{says:#}");
        assert!(says["signals"][0]["measured"].is_number(), "{says:#}");
    }
    // Gains are those of the model: eight workers carry about twice what four do, five about a quarter more.
    let remedies = document["remedies"].as_array().expect("remedies");
    let gain = |what: &str| {
        let found = remedies.iter().find(|one| one["what"] == what);
        found
            .and_then(|one| one["gain"].as_f64())
            .unwrap_or_else(|| panic!("{what}: {remedies:#?}"))
    };
    assert!((0.9..1.3).contains(&gain("services.api.workers=8")));
    assert!((0.15..0.4).contains(&gain("one more worker of service api")));
    assert!(document.get("no_remedies").is_none());
    let report = std::fs::read_to_string(out.join("report.md")).expect("a report");
    for said in [
        "(model)",
        "(busiest)",
        "according to the model; not measured in the real service",
        "time of slow requests in the model",
        "simulated: gains relative to the ceiling of the model, 1",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn what_cannot_be_simulated_is_no_remedy_of_a_live_search() {
    let server = Server::start("");
    let unknown = SPEC.replace("path: [{visit: api}, reply], ", "");
    let unknown = saved(&server, "unknown.yaml", &unknown);
    let known = saved(&server, "known.yaml", SPEC);
    let url = "nats://127.0.0.1:1";
    let of_spec = ["--spec", &unknown];
    let of_service: [&str; 4] = ["--subject", "my.svc", "--slo", "p99=1s"];
    let nothing_known = "--what-if needs a model: the backend is not known";
    for (what, change, said) in [
        (&of_spec[..], "services.api.workers=8", nothing_known),
        (&of_service[..], "services.api.workers=8", nothing_known),
        (
            &["--spec", &known],
            "services.api.workers=4",
            "it changes nothing",
        ),
        (&["--spec", &known], "services.x.workers=4", "services.x"),
    ] {
        let words = ["max-rps", "--url", url, "--what-if", change];
        let ran = run(&[&words[..], what].concat());
        assert_eq!(ran.code, Some(2), "{what:?} {change}: {ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

/// Whether the search found where it ends: something missed its objectives that the workers cannot do, or the generator could
/// send no more. Whatever it found is sound, on any machine.
fn is_decided(document: &Value) -> bool {
    assert!(document.get("prediction").is_none());
    let why = document["no_remedies"].as_str().expect("why");
    assert!(
        why.starts_with("the backend is not known: action "),
        "{why}"
    );
    assert!(why.contains("give a spec with actions."), "{why}");
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
    let limit = ["--slo", "p90=100ms"];
    // Where a machine stands still for a part of a trial, its requests tell as much as few: longer ones tell more.
    let mut undecided = Vec::new();
    for [hold, most] in [["2s", "20s"], ["5s", "60s"], ["12s", "150s"]] {
        let search = ["max-rps", "--json", "--url", &url, "--time-limit", most];
        let found = document(&run(&[&search[..], &words, &limit, &lasting(hold)].concat()));
        if is_decided(&found) {
            return;
        }
        undecided.push(found);
    }
    panic!("none of the searches found a limit: {undecided:#?}");
}

#[test]
fn every_trial_has_what_was_observed_beside_it() {
    let server = Server::start("http: \"127.0.0.1:-1\"");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("orders", "orders.*");
    wire.create_stream("audit", "audit.*");
    // Both are there, and nobody works on their messages.
    wire.create_consumer("orders", "biller");
    wire.create_consumer("audit", "reader");
    let text = "blis: 1\nname: promised\nrun: {horizon: 9s, drain: 300ms}\nclients:\n  users: {rate: 100/s, do: ask}\n\
                actions:\n  ask: {path: [{publish: orders}, reply], live: {jetstream: orders.new}}\nstreams:\n  orders: \
                {consumers: {biller: {service: bill, slo: {backlog_growth: 5/s}}}}\nservices:\n  bill: {workers: 4, time: \
                1ms}\n";
    let path = saved(&server, "promised.yaml", text);
    let home = tempfile::tempdir().expect("a directory");
    let (url, out) = (server.url(), home.path().join("found"));
    let monitor = format!("http://127.0.0.1:{}", server.monitor.expect("a monitoring"));
    let words = [
        "max-rps",
        "--spec",
        &path,
        "--url",
        &url,
        "--observe-stream",
        "audit",
        "--monitor",
        &monitor,
        "--steps",
        "50,100",
        "--no-stop-on-trip",
        "--json",
        "--out",
        out.to_str().expect("a path"),
    ];
    let ran = run(&[&words[..], &lasting("2500ms")].concat());
    let found = document(&ran);
    let trials = found["trials"].as_array().expect("trials");
    assert_eq!(trials.len(), 2, "{}", ran.stderr);
    for (number, trial) in (1..).zip(trials) {
        // What observers saw of the backlog judges the trial.
        let grew = &trial["streams"]["orders"]["consumers"]["biller"]["backlog_slope_per_s"];
        assert_eq!(trial["signals"][0]["measured"], *grew, "{trial:#}");
        assert_eq!(trial["verdict"], "TRIP", "{trial:#}");
        let reader = &trial["streams"]["audit"]["consumers"]["reader"];
        assert!(reader.is_object(), "{trial:#}");
        let kept = out.join(format!("trials/{number:03}/result.json"));
        let kept = std::fs::read_to_string(kept).expect("the run of the trial");
        let kept: Value = serde_json::from_str(&kept).expect("JSON");
        let observers = &kept["live"]["observers"];
        assert_eq!(
            observers["server"]["monitor"],
            monitor.trim_start_matches("http://")
        );
        assert!(
            observers["consumers"]["audit/reader"].is_object(),
            "{observers:#}"
        );
    }
    // A stream that is not there is said before anything is sent.
    let words = [&words[..5], &["--observe-stream", "none", "--steps", "5"]].concat();
    let ran = run(&words);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--observe-stream"), "{ran:?}");
}

#[test]
fn the_consumers_of_observed_streams_are_waited_for_too() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("audit", "audit.*");
    wire.create_consumer("audit", "reader");
    // Nothing of the spec says that its messages are kept.
    let text = SPEC.replace("live: {request: work.ask}", "live: {publish: audit.new}");
    let text = text.replace("drain: 10s", "drain: 300ms");
    let path = saved(&server, "published.yaml", &text);
    let url = server.url();
    let words = ["max-rps", "--spec", &path, "--url", &url, "--steps", "50"];
    let told = |more: &[&str]| run(&[&words[..], &lasting("600ms"), more].concat()).stderr;
    let waited = "the backlog of consumer audit/reader is ";
    let stderr = told(&["--observe-stream", "audit"]);
    assert!(stderr.contains(waited), "{stderr}");
    let stderr = told(&[]);
    assert!(!stderr.contains(waited), "{stderr}");
}
