//! What a run costs in counts that are the same on every machine: allocations, bytes, and events per request.

#![allow(clippy::unwrap_used)]

#[path = "../sim/tests/counting/mod.rs"]
mod counting;

use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::spec;
use counting::allocations;

fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .model
}

/// A spec of one client `users` and one service `api`.
fn spec(requests: u64, users: &str, path: &str, api: &str, more: &str) -> String {
    format!(
        "blis: 1\nname: counts\nrun: {{requests: {requests}}}\nclients: {{users: {{{users}, do: ask}}}}\n\
         actions: {{ask: {{path: [{path}], slo: {{p99: 1s}}}}}}\nservices: {{api: {{{api}}}}}\n{more}"
    )
}

/// (name, client, path, service, network): models whose numbers of users and of requests in flight have a bound that
/// they soon come to, or the pools would grow with every new record.
const MODELS: [(&str, &str, &str, &str, &str); 7] = [
    (
        "closed",
        "concurrency: 200, think: {exponential: {mean: 50ms}}, timeout: 5s",
        "{visit: api}, reply",
        "workers: 4, time: {exponential: {mean: 1ms}}",
        "",
    ),
    (
        "open with a queue limit",
        "rate: 5k/s",
        "{visit: api}, reply",
        "workers: 4, time: {exponential: {mean: 1ms}}, queue: {limit: 50}",
        "",
    ),
    (
        "sessions",
        "rate: 500/s, arrival: constant, session: {rounds: 4, think: {uniform: {min: 5ms, max: 15ms}}}",
        "{visit: api}, reply",
        "workers: 4, time: {exponential: {mean: 1ms}}, queue: {limit: 20}",
        "",
    ),
    (
        "timeouts and retries",
        "concurrency: 100, timeout: 20ms, on_failure: {retry: {times: 2, backoff: {exponential: {mean: 5ms}}}}",
        "{visit: api}, reply",
        "workers: 4, time: {exponential: {mean: 1ms}}, on_timeout: leave",
        "",
    ),
    (
        "abandoned work and errors",
        "concurrency: 100, timeout: 20ms, think: 1ms",
        "{visit: api}, {branch: [{weight: 9, path: [reply]}, {weight: 1, path: [{fail: app_error}]}]}",
        "workers: 4, time: {exponential: {mean: 1ms}}, on_timeout: abandon, errors: 1%",
        "",
    ),
    (
        "a network and work after the reply",
        "concurrency: 100, think: {exponential: {mean: 50ms}}",
        "{visit: api}, reply, {delay: 1ms}, {visit: api}",
        "workers: 8, time: {exponential: {mean: 1ms}}",
        "network: {one_way: {exponential: {mean: 1ms}}}\n",
    ),
    (
        "members of a queue group",
        "concurrency: 300, think: {lognormal: {mean: 50ms, cv: 1}}",
        "{visit: api}, reply",
        "members: 6, workers: 1, dispatch: least_loaded, time: {gamma: {mean: 1ms, cv: 0.5}}",
        "",
    ),
];

/// Runs a model to its end and gives the simulation back for what it counted.
fn run(model: &Model) -> Simulation<Measure> {
    let mut simulation = Simulation::new(model, Measure::new(model));
    simulation.run().unwrap();
    simulation
}

#[test]
fn no_event_allocates_in_steady_state() {
    for (what, users, path, api, more) in MODELS {
        let model = model(&spec(u64::MAX, users, path, api, more));
        let mut simulation = Simulation::new(&model, Measure::new(&model));
        assert_eq!(simulation.advance(1_000_000).unwrap(), Progress::Running);
        let before = allocations();
        assert_eq!(simulation.advance(2_000_000).unwrap(), Progress::Running);
        assert_eq!(allocations() - before, 0, "{what}");
    }
}

#[test]
fn a_run_twice_as_long_allocates_no_more() {
    for (what, users, path, api, more) in MODELS {
        let of = |requests| {
            let model = model(&spec(requests, users, path, api, more));
            let before = allocations();
            let simulation = run(&model);
            assert_eq!(simulation.intended(), requests, "{what}");
            allocations() - before
        };
        let once = of(400_000);
        assert!(once > 0, "{what}: the counting allocator counts");
        assert_eq!(of(800_000), once, "{what}");
    }
}

/// The peak while a model is simulated for so many events, in bytes.
fn peak_bytes(model: &Model, events: u64) -> i64 {
    let simulate = || {
        let mut simulation = Simulation::new(model, Measure::new(model));
        assert_eq!(simulation.advance(events).unwrap(), Progress::Running);
        simulation
    };
    counting::peak(simulate).1
}

#[test]
fn a_million_users_fit_into_160_megabytes_however_long_they_run() {
    let users = "concurrency: 1000000, think: {exponential: {mean: 500ms}}, timeout: 5s";
    let api = "workers: 4, time: {exponential: {mean: 1.6us}}";
    let model = model(&spec(u64::MAX, users, "{visit: api}, reply", api, ""));
    let short = peak_bytes(&model, 3_000_000);
    let long = peak_bytes(&model, 6_000_000);
    assert!(long < 160_000_000, "{long} bytes");
    assert!(
        long > 24_000_000,
        "{long} bytes are less than the users alone"
    );
    assert_eq!(short, long, "memory grows with simulated time");
}

#[test]
fn a_request_costs_so_many_events() {
    let api = "workers: 4, time: {exponential: {mean: 1ms}}";
    let network = "network: {one_way: {exponential: {mean: 1ms}}}\n";
    let closed = "concurrency: 50, think: {exponential: {mean: 20ms}}, timeout: 1h";
    let open = "rate: 2k/s, timeout: 1h";
    let session = "rate: 500/s, session: {rounds: 4, think: {exponential: {mean: 20ms}}}";
    let ask = "{visit: api}, reply";
    // A wake-up or an arrival, a completion for each visit, one for each delay, and one for each way of the network.
    let cases = [
        ("closed", closed, ask, "", 2),
        ("open", open, ask, "", 2),
        ("sessions", session, ask, "", 2),
        ("closed over a network", closed, ask, network, 4),
        ("open over a network", open, ask, network, 4),
        (
            "two visits and a delay",
            closed,
            "{visit: api}, {delay: 1ms}, {visit: api}, reply",
            "",
            4,
        ),
        (
            "a visit after the reply",
            closed,
            "{visit: api}, reply, {visit: api}",
            "",
            3,
        ),
        ("a failure at once", closed, "{fail: rejected}", "", 1),
        (
            "a branch costs nothing",
            closed,
            "{branch: [{weight: 1, path: []}, {weight: 1, path: []}]}, reply",
            "",
            1,
        ),
    ];
    let requests = 20_000;
    for (what, users, path, more, events) in cases {
        let simulation = run(&model(&spec(requests, users, path, api, more)));
        assert_eq!(simulation.events(), events * requests, "{what}");
    }
}

#[test]
fn a_timeout_is_one_event_and_what_ends_in_time_costs_none() {
    let users = |timeout: &str| format!("concurrency: 10, think: 10ms, timeout: {timeout}");
    let api = "workers: 10, time: 5ms";
    let events = |timeout: &str| {
        let simulation = run(&model(&spec(
            1000,
            &users(timeout),
            "{visit: api}, reply",
            api,
            "",
        )));
        (simulation.events(), simulation.sink().late_replies())
    };
    assert_eq!(events("5ms"), (2000, 0));
    assert_eq!(events("4ms"), (3000, 1000));
}
