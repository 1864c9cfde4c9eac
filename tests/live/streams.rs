//! Streams of a spec as real streams: worked on as the model says, removed at the end, and nothing else.

use serde_json::Value;

use crate::programs::{Double, Ran, number, observe, run};
use crate::saved;
use crate::server::Server;
use crate::wire::Wire;

const SHOP: &str = "blis: 1\nname: shop\nrun: {horizon: 1s}\nclients:\n  users: {rate: 300/s, shape: {windows: [{at: 0s, for: 200ms}]}, do: order}\nactions:\n  order: \
                    {path: [{visit: api}, {publish: {stream: orders, subject: orders.created}}, reply], live: {request: \
                    shop.order}}\nstreams:\n  orders:\n    duplicate_window: 1m\n    consumers:\n      biller: {service: billing, \
                    filter: [orders.*], max_deliver: 3, nak_delay: [5ms], after_max_deliver: {publish: failed}, during: \
                    [{visit: store}]}\n      indexer: {service: index, batch: {size: 7, linger: 20ms, per_item: 1ms}}\n  \
                    failed: {consumers: {desk: {service: desk}}}\nservices:\n  api: {workers: 4, time: 1ms}\n  billing: \
                    {members: 2, workers: 2, time: 2ms, errors: 40%}\n  store: {workers: 8, time: 1ms}\n  index: {workers: 1, \
                    time: 1ms}\n  desk: {workers: 1, time: 1ms}\n";

fn said(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stdout))
}

/// The visits of a service, and those of them that ended in an error, at all members of all processes.
fn visits(said: &[Value], service: &str) -> (u64, u64) {
    let members = said.iter().flat_map(|said| {
        let members = said["services"][service]["members"].as_array();
        members.cloned().unwrap_or_default()
    });
    members.fold((0, 0), |(visits, errors), member| {
        (
            visits + number(&member, "/visits"),
            errors + number(&member, "/errors"),
        )
    })
}

/// Waits until every consumer of a stream has done its work: then the stream keeps nothing.
fn worked_off(wire: &mut Wire, stream: &str) {
    loop {
        let info: Value =
            serde_json::from_str(&wire.ask(&format!("$JS.API.STREAM.INFO.{stream}"), ""))
                .expect("JSON");
        if number(&info, "/state/messages") == 0 {
            return;
        }
    }
}

fn streams(wire: &mut Wire) -> Vec<String> {
    let names: Value = serde_json::from_str(&wire.ask("$JS.API.STREAM.NAMES", "")).expect("JSON");
    let names = names["streams"].as_array().cloned().unwrap_or_default();
    names
        .iter()
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}

/// Plays the shop by these processes and holds what they did against the simulation.
fn plays_the_shop(parts: &[&[&str]]) {
    let server = Server::start("");
    let path = saved(&server, "shop.yaml", SHOP);
    let doubles: Vec<Double> = parts
        .iter()
        .map(|only| {
            let words = ["--spec", &path, "--format", "json"];
            let only: Vec<&str> = only.iter().flat_map(|name| ["--only", name]).collect();
            Double::start(&server.url(), &[&words[..], &only].concat())
        })
        .collect();
    let result = observe(&server.url(), &["--spec", &path]);
    let requests = number(&result, "/requests/ok");
    let mut wire = Wire::connect(server.port);
    assert_eq!(streams(&mut wire), ["failed", "orders"]);
    let consumer = wire.ask("$JS.API.CONSUMER.INFO.orders.biller", "");
    let consumer: Value = serde_json::from_str(&consumer).expect("JSON");
    assert_eq!(consumer["config"]["durable_name"], "biller");
    assert_eq!(consumer["config"]["max_deliver"], 3);
    worked_off(&mut wire, "orders");
    worked_off(&mut wire, "failed");
    let ends: Vec<Value> = doubles.into_iter().map(|one| said(&one.stop())).collect();
    assert_eq!(streams(&mut wire), Vec::<String>::new());
    let simulated = run(&["run", "--spec", &path, "--json"]);
    let simulated: Value = serde_json::from_str(&simulated.stdout).expect("a result");
    let of = |pointer: &str| number(&simulated, pointer);
    assert_eq!(of("/requests/ok"), requests);
    let naks = of("/streams/orders/consumers/biller/naks");
    let given_up = of("/streams/orders/consumers/biller/exhausted");
    assert!(
        naks > 10 && given_up > 0,
        "the spec shows nothing: {naks} {given_up}"
    );
    let (worked, failed) = visits(&ends, "billing");
    assert_eq!((worked, failed), (requests - given_up + naks, naks));
    assert_eq!(visits(&ends, "store"), (requests - given_up, 0));
    assert_eq!(visits(&ends, "desk"), (given_up, 0));
    // Batches of up to seven.
    let (batches, _) = visits(&ends, "index");
    assert!(
        (requests.div_ceil(7)..requests).contains(&batches),
        "{batches}"
    );
}

#[test]
fn messages_are_worked_on_as_in_the_simulation() {
    plays_the_shop(&[&[]]);
}

#[test]
fn processes_of_one_spec_share_its_streams() {
    plays_the_shop(&[&["api", "store"], &["billing", "index", "desk"]]);
}

#[test]
fn a_consumer_answers_where_the_path_leaves_it_to_one() {
    let text = "blis: 1\nname: handed\nrun: {requests: 20}\nclients:\n  users: {concurrency: 4, do: ask, timeout: 5s}\nactions:\n  \
                ask: {path: [{visit: api}, {publish: jobs}], live: {request: handed.ask}}\nstreams:\n  jobs: {consumers: {worker: \
                {service: work, during: [reply]}}}\nservices:\n  api: {workers: 1, time: 1ms}\n  work: {workers: 2, time: 2ms}\n";
    let server = Server::start("");
    let path = saved(&server, "handed.yaml", text);
    let double = Double::start(&server.url(), &["--spec", &path]);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 20);
    let ran = double.stop();
    assert!(
        ran.stdout.contains("20 stream messages processed\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_users_send_to_a_stream_is_worked_on() {
    let text = "blis: 1\nname: direct\nrun: {requests: 30}\nclients:\n  users: {rate: 300/s, do: note}\nactions:\n  note: {path: \
                [{publish: {stream: notes, subject: notes.new}}, reply], live: {jetstream: \"notes.{user}\"}}\nstreams:\n  notes: \
                {consumers: {reader: {service: desk, time: {exponential: {mean: 2ms}}}}}\nservices:\n  desk: {workers: 30, time: \
                2ms}\n";
    let server = Server::start("");
    let path = saved(&server, "direct.yaml", text);
    let words = ["--spec", &path, "--format", "json"];
    let double = Double::start(&server.url(), &words);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 30);
    let mut wire = Wire::connect(server.port);
    worked_off(&mut wire, "notes");
    let end = said(&double.stop());
    assert_eq!(visits(std::slice::from_ref(&end), "desk"), (30, 0));
    // The demands are those of the simulation, where nobody waits.
    let served = end["services"]["desk"]["members"][0]["service_s"].as_f64();
    let simulated = run(&["run", "--spec", &path, "--json"]);
    let simulated: Value = serde_json::from_str(&simulated.stdout).expect("a result");
    let mean = simulated
        .pointer("/streams/notes/consumers/reader/age_ms/mean")
        .and_then(Value::as_f64);
    let (served, mean) = (
        served.expect("a time"),
        mean.unwrap_or_else(|| panic!("{simulated:#}")),
    );
    assert!((served * 1e3 / 30.0 - mean).abs() < 1e-3, "{served} {mean}");
}

#[test]
fn what_a_crash_leaves_behind_is_found_and_removed_and_nothing_else() {
    let server = Server::start("");
    let path = saved(&server, "shop.yaml", SHOP);
    let url = server.url();
    let mut wire = Wire::connect(server.port);
    wire.create_stream("OTHER", "other.*");
    let listed = |words: &[&str]| run(&[&["cleanup", "--url", &url], words].concat());
    assert!(
        listed(&[])
            .stdout
            .starts_with("no streams of blis at 127.0.0.1")
    );
    let double = Double::start(&url, &["--spec", &path]);
    let lines = listed(&[]).stdout;
    let first = lines.lines().next().expect("a stream");
    let id = first.split(' ').nth(1).expect("a run").to_owned();
    assert_eq!(
        lines,
        format!(
            "run {id} of the spec shop: stream failed\nrun {id} of the spec shop: stream orders\n"
        )
    );
    let ran = listed(&[&id]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("is still going on"), "{}", ran.stderr);
    // As by kill -9.
    drop(double);
    let ran = run(&["serve", "--url", &url, "--spec", &path]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains(&format!("remove it with blis cleanup {id}")),
        "{}",
        ran.stderr
    );
    assert_eq!(streams(&mut wire), ["OTHER", "failed", "orders"]);
    let ran = listed(&["nobody"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(streams(&mut wire), ["OTHER", "failed", "orders"]);
    let ran = listed(&[&id]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(streams(&mut wire), ["OTHER"]);
}

#[test]
fn streams_of_others_are_not_touched() {
    let server = Server::start("");
    let path = saved(&server, "shop.yaml", SHOP);
    let mut wire = Wire::connect(server.port);
    wire.create_stream("failed", "elsewhere.*");
    let ran = run(&["serve", "--url", &server.url(), "--spec", &path]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("the stream failed exists and was not created by blis"),
        "{}",
        ran.stderr
    );
    // A subject that another stream has: what was made before is removed again.
    let again = Server::start("");
    let mut wire = Wire::connect(again.port);
    wire.create_stream("ZOO", "failed");
    let ran = run(&["serve", "--url", &again.url(), "--spec", &path]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("failed to create the stream failed"),
        "{}",
        ran.stderr
    );
    assert_eq!(streams(&mut wire), ["ZOO"]);
}

/// A stream that says that a double of the spec `shop` made it for run `r1`, but for what is said otherwise.
fn forge(wire: &mut Wire, name: &str, otherwise: &[(&str, &str)]) {
    let said = |key: &str, usual: &str| {
        let other = otherwise.iter().find(|(name, _)| *name == key);
        other.map_or(usual, |(_, value)| value).to_owned()
    };
    let config = serde_json::json!({
        "name": name, "subjects": [format!("{name}.*")], "storage": "memory",
        "description": said("description", "the double of shop; blis cleanup r1 removes it"),
        "metadata": {
            "blis.run": said("run", "r1"), "blis.spec": said("spec", "shop"), "blis.peers": said("peers", "blis.shop.peers"),
        },
    });
    let answer = wire.ask(
        &format!("$JS.API.STREAM.CREATE.{name}"),
        &config.to_string(),
    );
    assert!(!answer.contains("\"error\""), "{answer}");
}

#[test]
fn a_forged_stream_sends_nothing_elsewhere_and_is_not_removed() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("OTHER", "other.*");
    wire.publish("other.one", "kept");
    forge(&mut wire, "a", &[]);
    for otherwise in [
        ("peers", "$JS.API.STREAM.PURGE.OTHER"),
        ("peers", "other.two"),
        ("description", "orders of the real shop"),
        ("spec", "another"),
    ] {
        forge(&mut wire, "forged", &[otherwise]);
        let ran = run(&["cleanup", "--url", &server.url(), "r1"]);
        assert_eq!(ran.code, Some(2), "{otherwise:?} {ran:?}");
        let told = "the stream forged is marked as created by run r1, but its ";
        assert!(ran.stderr.contains(told), "{otherwise:?} {ran:?}");
        let listed = run(&["cleanup", "--url", &server.url()]).stdout;
        assert!(listed.contains("stream a\n"), "{listed}");
        assert!(listed.contains("stream forged, but its "), "{listed}");
        assert_eq!(streams(&mut wire), ["OTHER", "a", "forged"]);
        let info = wire.ask("$JS.API.STREAM.INFO.OTHER", "");
        let info: Value = serde_json::from_str(&info).expect("JSON");
        assert_eq!(number(&info, "/state/messages"), 1, "{otherwise:?}");
        wire.ask("$JS.API.STREAM.DELETE.forged", "");
    }
    wire.create_consumer("a", "somebody");
    let ran = run(&["cleanup", "--url", &server.url(), "r1"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let told = "its consumer somebody was made by somebody else";
    assert!(ran.stderr.contains(told), "{ran:?}");
    assert_eq!(streams(&mut wire), ["OTHER", "a"]);
}

#[test]
fn the_players_of_many_streams_are_asked_once() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    for number in 0..40 {
        forge(&mut wire, &format!("s{number}"), &[]);
    }
    let mut listener = Wire::connect(server.port);
    listener.subscribe("blis.shop.peers");
    let ran = run(&["cleanup", "--url", &server.url(), "r1"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout.lines().count(), 40, "{ran:?}");
    assert_eq!(streams(&mut wire), Vec::<String>::new());
    wire.publish("blis.shop.peers", "the end");
    let mut heard = 0;
    while listener.next().expect("a message").payload != b"the end" {
        heard += 1;
    }
    // Whoever asks comes, and goes.
    assert_eq!(heard, 2);
}
