//! `blis observe` and `blis serve` against a real `nats-server`.
//!
//! Nothing here depends on how fast the machine is: counts and identities are held, times are not.

mod access;
mod bad_input;
mod calibrate;
mod ceiling;
mod cluster;
mod damaged;
mod deliveries;
mod exchange;
mod guarded;
mod honesty;
mod hostile;
mod keys;
mod max_rps;
mod observers;
mod programs;
mod record;
mod replayed;
mod responder;
mod served;
mod server;
mod service;
mod session;
mod stranger;
mod streams;
mod trials;
mod unread;
mod validate;
mod wire;

use std::net::TcpListener;

use programs::{Double, document, end, interrupt, number, observe, run, start};
use server::Server;
use wire::Wire;

fn saved(server: &Server, name: &str, text: &str) -> String {
    let path = server.folder().join(name);
    std::fs::write(&path, text).expect("a spec can be written");
    path.display().to_string()
}

/// A spec of one client and one action.
fn spec(run: &str, client: &str, action: &str, service: &str) -> String {
    // What is awaited comes from somewhere in a simulation too.
    let (emit, fan_outs) = match action.contains("await: ") {
        true => ("{emit: all}, ", "fan_outs: {all: {subscribers: 1}}\n"),
        false => ("", ""),
    };
    format!(
        "blis: 1\nname: live\n{fan_outs}run: {run}\nclients:\n  users: {{{client}}}\nactions:\n  ask: {{path: [{emit}{{visit: \
         api}}, reply], {action}}}\nservices:\n  api: {{{service}}}\n"
    )
}

const FAST: &str = "workers: 8, time: 1ms";

#[test]
fn the_quickstart_is_observed_on_its_double() {
    let server = Server::start("");
    let double = Double::start(&server.url(), &[]);
    let words = [
        "--concurrency",
        "20",
        "--think-time-ms",
        "20",
        "--num-requests",
        "300",
    ];
    let result = observe(&server.url(), &words);
    assert_eq!(number(&result, "/requests/ok"), 300);
    assert_eq!(number(&result, "/live/connections"), 20);
    assert_eq!(number(&result, "/sessions/budget_exhausted"), 20);
    assert_eq!(result["not_measured"], serde_json::json!(["services"]));
    let said = double.stop();
    assert_eq!(said.code, Some(0));
    assert!(
        said.stdout.starts_with("Received 300 requests: 300 ok\n"),
        "{}",
        said.stdout
    );
}

#[test]
fn both_worlds_send_the_same() {
    let text = "blis: 1\nname: same\nrun: {requests: 200}\nclients:\n  users: {concurrency: 5, think: {exponential: {mean: \
                10ms}}, do: {ask: 2, tell: 1}}\n  feed: {rate: 100/s, do: {ask: 1, tell: 1}}\nactions:\n  ask: {path: \
                [{visit: api}, reply], live: {request: \"same.{client}.{user}.{n}.ask\", request_id: Blis-Request}}\n  tell: {path: [{visit: api}, \
                reply], live: {request: \"same.{client}.{user}.{n}.tell\", request_id: Blis-Request, headers: {Who: \"{user}/{seq}\"}}, payload: \
                {text: \"from {client}\"}}\nservices:\n  api: {workers: 8, time: 1ms}\n";
    let server = Server::start("");
    let path = saved(&server, "same.yaml", text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let mut wire = Wire::connect(server.port);
    wire.subscribe("same.>");
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 200);
    let trace = server.folder().join("trace.csv");
    let simulated = run(&[
        "run",
        "--spec",
        &path,
        // Whoever is slower in one of the worlds has sent less of the budget: so large a one has all of both.
        "--set",
        "run.requests=3000",
        "--trace",
        &trace.display().to_string(),
    ]);
    assert_eq!(simulated.code, Some(0), "{}", simulated.stderr);
    let rows = std::fs::read_to_string(trace).expect("a trace");
    // client, user, number, attempt, action
    let mut expected = std::collections::BTreeMap::new();
    for row in rows.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        expected.insert(fields[..3].join("."), fields[4].to_owned());
    }
    for _ in 0..200 {
        let message = wire.next().expect("a message");
        let subject = message.subject.strip_prefix("same.").expect("its subject");
        let (who, action) = subject.rsplit_once('.').expect("an action");
        let identity = format!("{}/0", who.replace('.', "/"));
        assert_eq!(message.header("Blis-Request"), Some(identity.as_str()));
        if action == "tell" {
            let client = who.split('.').next().expect("a client");
            assert_eq!(message.payload, format!("from {client}").as_bytes());
            assert!(message.header("Who").is_some_and(|who| who.contains('/')));
        }
        assert_eq!(Some(action), expected.get(who).map(String::as_str), "{who}");
    }
}

#[test]
fn a_double_gives_each_request_the_demand_of_the_simulation() {
    let text = spec(
        "{requests: 50}",
        "concurrency: 1, do: ask",
        "live: {request: demand.ask}",
        "workers: 1, time: {exponential: {mean: 2ms}}",
    );
    let server = Server::start("");
    let path = saved(&server, "demand.yaml", &text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let mut wire = Wire::connect(server.port);
    wire.subscribe("_INBOX.>");
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 50);
    let trace = server.folder().join("trace.csv");
    run(&[
        "run",
        "--spec",
        &path,
        "--trace",
        &trace.display().to_string(),
    ]);
    let rows = std::fs::read_to_string(trace).expect("a trace");
    // Nobody waits for anybody, so that the response is the service time.
    let expected = rows.lines().filter(|line| !line.starts_with('#')).skip(1);
    for row in expected {
        // What was asked before the load is answered there too.
        let (reply, served) = loop {
            let reply = wire.next().expect("a reply");
            if let Some(served) = reply.header("Blis-Service-Time-Ns") {
                let served = served.to_owned();
                break (reply, served);
            }
        };
        let served = served.as_str();
        assert_eq!(row.split(',').nth(9), Some(served), "{row}");
        assert_eq!(reply.header("Blis-Member"), Some("0"));
    }
}

#[test]
fn what_nobody_answers_has_its_reason() {
    let server = Server::start("");
    let words = [
        "--concurrency",
        "5",
        "--num-requests",
        "20",
        "--think-time-ms",
        "1",
    ];
    let result = observe(&server.url(), &words);
    assert_eq!(number(&result, "/requests/transport_error"), 20);
    assert_eq!(number(&result, "/live/reasons/no_responders"), 20);
    let mut silent = Wire::connect(server.port);
    silent.subscribe("demo.ask");
    let result = observe(
        &server.url(),
        &[&words[..], &["--timeout", "50ms"]].concat(),
    );
    assert_eq!(number(&result, "/requests/timed_out"), 20);
    assert!(result["live"]["reasons"].get("no_responders").is_none());
}

#[test]
fn errors_and_refusals_of_a_service_are_told_apart() {
    let text = spec(
        "{requests: 4000}",
        "concurrency: 20, think: 1ms, do: ask",
        "live: {request: bad.ask}",
        "workers: 1, time: 2ms, errors: 50%, queue: {limit: 3}",
    );
    let server = Server::start("");
    let path = saved(&server, "bad.yaml", &text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let result = observe(&server.url(), &["--spec", &path]);
    let outcomes = ["ok", "app_error", "rejected"]
        .map(|outcome| number(&result, &format!("/requests/{outcome}")));
    assert_eq!(outcomes.iter().sum::<u64>(), 4000);
    // However slow the machine is, some are served, and of those half fail by their draws.
    assert!(outcomes.iter().all(|number| *number > 0), "{outcomes:?}");
    assert_eq!(number(&result, "/live/reasons/service_errors"), outcomes[1]);
    assert_eq!(number(&result, "/live/reasons/rejected"), outcomes[2]);
}

#[test]
fn users_and_sessions_share_a_run() {
    let text = "blis: 1\nname: mixed\nrun: {horizon: 1s}\nclients:\n  users: {concurrency: 3, think: 20ms, do: ask}\n  \
                visitors: {rate: 100/s, arrival: constant, session: {rounds: 3, think: 5ms}, do: {ask: 2, tell: 1}}\nactions:\n  \
                ask: {path: [{visit: api}, reply], live: {request: mixed.ask}}\n  tell: {path: [{visit: api}, reply], live: \
                {publish: mixed.tell}}\nservices:\n  api: {workers: 8, time: 1ms}\n";
    let server = Server::start("");
    let path = saved(&server, "mixed.yaml", text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/sessions/started"), 103);
    assert_eq!(
        number(&result, "/requests/intended"),
        number(&result, "/requests/ok")
    );
    let of = |client: &str| number(&result, &format!("/clients/{client}/requests/intended"));
    assert_eq!(
        of("users") + of("visitors"),
        number(&result, "/requests/intended")
    );
    assert!(of("visitors") > 100, "{result:#}");
    assert_eq!(number(&result, "/live/connections"), 4);
}

#[test]
fn publications_are_done_when_taken_or_acknowledged() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.*");
    let client = "rate: 500/s, do: ask";
    let text = spec(
        "{requests: 100}",
        client,
        "live: {jetstream: \"orders.{user}\"}, payload: {size: 100B}",
        FAST,
    );
    let path = saved(&server, "jetstream.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 100);
    let state = wire.ask("$JS.API.STREAM.INFO.ORDERS", "");
    assert!(state.contains("\"messages\":100,"), "{state}");
    let text = spec(
        "{requests: 100}",
        client,
        "live: {publish: \"news.{user}\"}, payload: {size: 100B}",
        FAST,
    );
    let path = saved(&server, "publish.yaml", &text);
    wire.subscribe("news.*");
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 100);
    for _ in 0..100 {
        assert_eq!(wire.next().expect("a message").payload.len(), 100);
    }
    // A stream answers what was meant for a service.
    let text = spec(
        "{requests: 10}",
        client,
        "live: {request: \"orders.ask\"}",
        FAST,
    );
    let path = saved(&server, "captured.yaml", &text);
    let ran = run(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--json",
        "--quiet",
    ]);
    let result = document(&ran);
    assert_eq!(number(&result, "/requests/app_error"), 10);
    assert_eq!(number(&result, "/live/reasons/captured_by_a_stream"), 10);
    assert!(
        ran.stderr
            .contains("a stream that captures the subject answered"),
        "{}",
        ran.stderr
    );
}

#[test]
fn connections_are_what_the_spec_says() {
    let server = Server::start("");
    let _double = Double::start(&server.url(), &[]);
    for (connections, number_of) in [("per_user", 6), ("shared", 1), ("{pool: 3}", 3)] {
        let set = format!("connections={connections}");
        let words = [
            "--concurrency",
            "6",
            "--num-requests",
            "30",
            "--think-time-ms",
            "1",
            "--set",
            &set,
        ];
        let result = observe(&server.url(), &words);
        assert_eq!(number(&result, "/live/connections"), number_of);
        assert_eq!(number(&result, "/requests/ok"), 30);
    }
}

#[test]
fn a_server_that_comes_back_is_used_again() {
    let mut server = Server::start("");
    let text = spec(
        "{horizon: 6s, drain: 2s}",
        "rate: 200/s, do: ask, timeout: 1s",
        "live: {publish: back.ask}",
        FAST,
    );
    let path = saved(&server, "back.yaml", &text);
    let mut wire = Wire::connect(server.port);
    wire.subscribe("back.ask");
    let child = start(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--json",
        "--quiet",
    ]);
    for _ in 0..100 {
        wire.next().expect("a message");
    }
    server.kill();
    let again = Server::start_at(i32::from(server.port), "");
    let mut wire = Wire::connect(again.port);
    wire.subscribe("back.ask");
    wire.next().expect("a message after the restart");
    let result = document(&end(child));
    assert_eq!(result["ended_by"], "horizon");
    assert!(number(&result, "/requests/ok") >= 101, "{result:#}");
    assert!(number(&result, "/live/incidents/connections_lost") >= 1);
}

#[test]
fn a_server_that_does_not_come_back_ends_the_run_with_what_there_is() {
    let mut server = Server::start("");
    let words = [
        "--rate",
        "100/s",
        "--horizon",
        "10m",
        "--set",
        "run.requests=null",
    ];
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.ask");
    let child = start(
        &[
            &["observe", "--url", &server.url(), "--json", "--quiet"],
            &words[..],
        ]
        .concat(),
    );
    for _ in 0..20 {
        wire.next().expect("a message");
    }
    server.kill();
    let ran = end(child);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let result = document(&ran);
    assert!(
        number(&result, "/requests/transport_error") > 20,
        "{result:#}"
    );
}

#[test]
fn ctrl_c_ends_the_load_and_keeps_the_result() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.ask");
    let out = server.folder().join("run").display().to_string();
    let child = start(&[
        "observe",
        "--url",
        &server.url(),
        "--json",
        "--quiet",
        "--rate",
        "100/s",
        "--horizon",
        "10m",
        "--timeout",
        "100ms",
        "--set",
        "run.requests=null",
        "--out",
        &out,
    ]);
    for _ in 0..20 {
        wire.next().expect("a message");
    }
    // As `timeout` does it: the process gets the signal, and so does its group.
    interrupt(&child);
    interrupt(&child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let said = "blis: interrupted: no more requests are sent; waiting up to 30s (`run.drain`) for ";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("waiting up to 30s (`run.drain`)"),
        "{}",
        ran.stderr
    );
    let result = document(&ran);
    assert_eq!(result["ended_by"], "interrupted");
    let kept = std::fs::read_to_string(format!("{out}/result.json")).expect("the result is kept");
    assert_eq!(kept, ran.stdout);
}

#[test]
fn there_is_no_default_target_and_others_are_refused() {
    let ran = run(&["observe"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("no target is given"), "{}", ran.stderr);
    let ran = run(&["observe", "--url", "nats://192.0.2.1"]);
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr.contains("add --allow-target 192.0.2.1"),
        "{}",
        ran.stderr
    );
    let named = ["--allow-target", "192.0.2.0/24", "--dry-run"];
    let ran = run(&[&["serve", "--url", "nats://192.0.2.1"], &named[..2]].concat());
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("--allow-public"), "{}", ran.stderr);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its address").port();
    drop(free);
    let ran = run(&["observe", "--url", &format!("nats://127.0.0.1:{port}")]);
    assert_eq!(ran.code, Some(4));
    assert!(
        ran.stderr.contains("no NATS server answers at 127.0.0.1"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_dry_run_opens_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let url = format!("nats://127.0.0.1:{port}");
    let ran = run(&["observe", "--url", &url, "--dry-run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("request to demo.ask"), "{}", ran.stdout);
    listener.set_nonblocking(true).expect("a listener");
    let nobody = listener.accept().expect_err("nobody connected");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn what_cannot_be_sent_is_found_before_the_load() {
    let server = Server::start("");
    let text = spec(
        "{requests: 10}",
        "concurrency: 5M, do: ask",
        "live: {publish: big.ask}",
        FAST,
    );
    let path = saved(&server, "many.yaml", &text);
    let ran = run(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--quiet",
    ]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("5000000 connections are needed"),
        "{}",
        ran.stderr
    );
    let ran = run(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        "specs/mixed.yaml",
        "--quiet",
    ]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("has no `live`"), "{}", ran.stderr);
}
