//! What is sent, what comes back, and what else requests wait for.

use std::collections::BTreeSet;

use crate::programs::{Double, number, observe, run};
use crate::server::Server;
use crate::wire::{Message, Wire};
use crate::{FAST, saved, spec};

/// A service of the test's own: for each message on a subject, what it publishes. It ends with the server.
pub fn serve(
    server: &Server,
    subject: &str,
    mut answers: impl FnMut(&Message) -> Vec<(String, Vec<String>, Vec<u8>)> + Send + 'static,
) {
    let mut wire = Wire::connect(server.port);
    wire.subscribe(subject);
    std::thread::spawn(move || {
        while let Some(message) = wire.next() {
            for (subject, headers, payload) in answers(&message) {
                let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
                wire.publish_with(&subject, &headers, &payload);
            }
        }
    });
}

/// The number of a request within its user, from its id.
pub fn number_of(message: &Message) -> u64 {
    let id = message.header("Blis-Request").expect("an id");
    let number = id.split('/').nth(2).expect("client, user, number, try");
    number.parse().expect("a number")
}

#[test]
fn a_broadcast_is_measured_at_every_subscriber() {
    let server = Server::start("");
    serve(&server, "room.*.say", |message| {
        let said = message.subject.replace(".say", ".said");
        vec![(said, vec![], message.payload.clone())]
    });
    let text = spec(
        "{requests: 40}",
        "concurrency: 4, do: ask",
        "await: {subscribers: 3}, live: {publish: \"room.{room}.say\", delivery: {subject: \"room.*.said\", by: {json: /id}, \
         equals: \"{uuid}\"}}, payload: {text: '{\"id\": \"{uuid}\"}'}",
        FAST,
    ) + "connections: {pool: 2}\nvariables: {room: {one_of: [north, south], per: user}}\n";
    let path = saved(&server, "room.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 40);
    for (figure, wanted) in [
        ("expected", 120),
        ("delivered", 120),
        ("missing", 0),
        ("duplicates", 0),
        ("late", 0),
        ("unmatched", 0),
        ("each_ms/count", 120),
        ("last_ms/count", 40),
    ] {
        let pointer = format!("/deliveries/ask/{figure}");
        assert_eq!(number(&result, &pointer), wanted, "{figure}");
    }
    // The request is done with its last delivery.
    let max = |pointer: &str| result.pointer(pointer).and_then(serde_json::Value::as_f64);
    assert_eq!(
        max("/deliveries/ask/last_ms/max"),
        max("/latency_ms/response/max")
    );
}

#[test]
fn duplicates_late_and_missing_deliveries_are_told_apart() {
    let server = Server::start("");
    let mut held_back = None;
    serve(&server, "work", move |message| {
        let id = message.header("Blis-Request").expect("an id").to_owned();
        let done = |id: String| {
            (
                "done".to_owned(),
                vec![format!("Blis-Request: {id}")],
                vec![],
            )
        };
        match number_of(message) {
            // The first comes twice, the second with the third, the fourth never.
            0 => vec![done(id.clone()), done(id)],
            1 => {
                held_back = Some(id);
                vec![]
            }
            2 => vec![done(held_back.take().expect("held back")), done(id)],
            3 => vec![],
            _ => vec![done(id), done("nobody/0/0/0".to_owned())],
        }
    });
    let text = spec(
        "{requests: 5}",
        "concurrency: 1, do: ask, timeout: 500ms, on_failure: {respawn: true}",
        "await: {}, live: {publish: work, delivery: {subject: done}}",
        FAST,
    );
    let path = saved(&server, "late.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 3);
    assert_eq!(number(&result, "/requests/timed_out"), 2);
    for (figure, wanted) in [
        ("expected", 5),
        ("delivered", 3),
        ("missing", 2),
        ("duplicates", 1),
        ("late", 1),
    ] {
        let pointer = format!("/deliveries/ask/{figure}");
        assert_eq!(number(&result, &pointer), wanted, "{figure}");
    }
    let printed = run(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--quiet",
    ]);
    assert!(
        printed.stdout.contains("deliveries of"),
        "{}",
        printed.stdout
    );
}

#[test]
fn a_request_with_its_reply_waits_for_the_first_delivery_too() {
    let server = Server::start("");
    serve(&server, "order.*", |message| {
        let token = message.subject.split('.').nth(1).expect("a token");
        let told = format!("told.{token}.part");
        let reply = message.reply.clone();
        vec![
            (reply, vec![], vec![]),
            (told.clone(), vec![], vec![]),
            (told, vec![], vec![]),
        ]
    });
    let text = spec(
        "{requests: 20}",
        "concurrency: 4, do: ask",
        "await: {deliveries: 2, until: first}, live: {request: \"order.{uuid}\", delivery: {subject: \"told.{uuid}.part\", \
         by: {token: 2}, equals: \"{uuid}\"}}",
        FAST,
    );
    let path = saved(&server, "order.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 20);
    assert_eq!(number(&result, "/deliveries/ask/delivered"), 40);
    assert_eq!(number(&result, "/deliveries/ask/unmatched"), 0);
}

#[test]
fn the_spec_says_which_replies_are_errors() {
    let server = Server::start("");
    serve(&server, "demo.ask", |message| {
        let reply = message.reply.clone();
        let (headers, body): (Vec<String>, &str) = match number_of_id(message) {
            0 => (vec!["Status: 500".to_owned()], "{}"),
            1 => (
                vec!["Status: 200".to_owned()],
                "{\"error\": {\"kind\": \"busy\"}}",
            ),
            2 => (vec![], "{\"error\": \"no\"}"),
            3 => (vec![], "PANIC at noon"),
            _ => (vec!["Status: 200".to_owned()], "{\"fine\": true}"),
        };
        vec![(reply, headers, body.as_bytes().to_vec())]
    });
    let text = spec(
        "{requests: 10}",
        "concurrency: 1, do: ask, on_failure: {respawn: true}",
        "live: {request: demo.ask, request_id: X-Request, error_when: [{header: Status, is: \"500\"}, {json: /error}, {text: \
         PANIC}], rejected_when: [{json: /error/kind, is: busy}]}",
        FAST,
    );
    let path = saved(&server, "errors.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/app_error"), 3);
    assert_eq!(number(&result, "/requests/rejected"), 1);
    assert_eq!(number(&result, "/requests/ok"), 6);
}

/// As [`number_of`], from the header that the spec names.
fn number_of_id(message: &Message) -> u64 {
    assert_eq!(message.header("Blis-Request"), None);
    let id = message.header("X-Request").expect("an id");
    let number = id.split('/').nth(2).expect("client, user, number, try");
    number.parse().expect("a number")
}

#[test]
fn a_limit_of_requests_in_flight_does_not_close_the_loop() {
    let server = Server::start("");
    // Somebody who never answers.
    let mut silent = Wire::connect(server.port);
    silent.subscribe("demo.ask");
    let text = spec(
        "{horizon: 300ms, drain: 0s}",
        "rate: 100/s, arrival: constant, do: ask",
        "live: {request: demo.ask}",
        FAST,
    );
    let path = saved(&server, "limit.yaml", &text);
    let words = ["--spec", &path, "--max-in-flight", "5"];
    let result = observe(&server.url(), &words);
    let intended = number(&result, "/requests/intended");
    assert_eq!(intended, 30);
    assert_eq!(number(&result, "/requests/unresolved"), 5);
    assert_eq!(number(&result, "/requests/dropped"), 25);
    assert_eq!(number(&result, "/live/reasons/over_in_flight_limit"), 25);
    assert_eq!(
        result["configuration"]["max_in_flight"]["value"],
        "{limit: 5, policy: drop}"
    );
    assert_eq!(
        result["configuration"]["max_in_flight"]["source"],
        "--max-in-flight"
    );
    let delayed = [&words[..], &["--in-flight-policy", "delay"]].concat();
    let result = observe(&server.url(), &delayed);
    assert_eq!(number(&result, "/requests/intended"), 30);
    assert_eq!(number(&result, "/requests/unresolved"), 5);
}

#[test]
fn what_is_sent_is_filled_in_from_files_and_variables() {
    let server = Server::start("");
    let folder = server.folder().join("question.json");
    std::fs::write(
        folder,
        "{\"user\": {user}, \"shelf\": {shelf}, \"not\": \"{{user}}\"}",
    )
    .expect("a file");
    let text = spec(
        "{requests: 12}",
        "concurrency: 3, do: ask",
        "live: {request: \"demo.{client}.s{session}\", request_id: Blis-Request, headers: {Shelf: \"{shelf}\"}}, payload: {file: question.json}",
        FAST,
    ) + "variables: {shelf: {from: 7, to: 9}}\n";
    let path = saved(&server, "files.yaml", &text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.users.*");
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 12);
    let mut users = BTreeSet::new();
    for _ in 0..12 {
        let message = wire.next().expect("a message");
        let id = message.header("Blis-Request").expect("an id");
        let user = id.split('/').nth(1).expect("a user").to_owned();
        assert_eq!(message.subject, format!("demo.users.s{user}"));
        let shelf = message.header("Shelf").expect("its shelf");
        assert!(["7", "8", "9"].contains(&shelf), "{shelf}");
        let payload = String::from_utf8(message.payload.clone()).expect("text");
        assert_eq!(
            payload,
            format!("{{\"user\": {user}, \"shelf\": {shelf}, \"not\": \"{{user}}\"}}")
        );
        users.insert(user);
    }
    assert_eq!(users.len(), 3);
}

#[test]
fn the_generator_tells_how_it_did() {
    let server = Server::start("");
    let _double = Double::start(&server.url(), &[]);
    let words = ["--concurrency", "5", "--num-requests", "100"];
    let result = observe(&server.url(), &words);
    let generator = &result["live"]["generator"];
    assert!(number(&result, "/live/generator/own_lag_ms/count") >= 100);
    let rows = generator["series"].as_array().expect("rows");
    let memory = rows.last().and_then(|row| row["memory_bytes"].as_u64());
    assert!(memory.is_some_and(|bytes| bytes > 1 << 20), "{rows:?}");
    let printed = run(&[&["observe", "--url", &server.url(), "--quiet"], &words[..]].concat());
    for part in [
        "\n  generator   ",
        "own lag: p50 ",
        "offered/s",
        "answered/s",
        "run.drain",
        "--num-requests",
    ] {
        assert!(printed.stdout.contains(part), "{part}: {}", printed.stdout);
    }
    // Its course is shown where it matters; whether that is so depends on the machine.
    let matters = !printed.stdout.contains("was not the limit;");
    let course = printed.stdout.contains("generator from");
    assert_eq!(course, matters, "{}", printed.stdout);
}
