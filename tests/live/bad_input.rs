//! What cannot work is said in one sentence which says what to do, before the load starts wherever it can be known then.

use serde_json::json;

use crate::programs::{Ran, document, number, observe, run};
use crate::server::Server;
use crate::wire::Wire;
use crate::{FAST, saved, spec};

const FEW: [&str; 6] = [
    "--concurrency",
    "2",
    "--num-requests",
    "6",
    "--think-time-ms",
    "1",
];

fn observed(url: &str, words: &[&str]) -> Ran {
    run(&[&["observe", "--quiet", "--json", "--url", url], words].concat())
}

/// Whether it ended before anything was sent, with one sentence.
fn refused(ran: &Ran, code: i32, sentence: &str) {
    assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

/// A server with one user who has these permissions, and the words to be that user.
fn limited(permissions: &str) -> (Server, [&'static str; 4]) {
    let user = format!("{{user: me, password: secret, permissions: {{{permissions}}}}}");
    let other = "{user: all, password: secret}";
    let server = Server::start(&format!("authorization {{users: [{user}, {other}]}}"));
    (server, ["--user", "me", "--password", "secret"])
}

/// A spec whose one client sends this.
fn sends(server: &Server, client: &str, action: &str) -> String {
    let text = spec("{requests: 10}", client, action, FAST);
    saved(server, "sends.yaml", &text)
}

#[test]
fn a_permission_that_is_missing_is_found_before_the_load() {
    let (server, me) = limited("publish: {deny: [\"demo.*\"]}");
    let ran = observed(&server.url(), &[&FEW[..], &me].concat());
    refused(
        &ran,
        2,
        "may not publish to demo.ask, the subject of action ask",
    );
    let (server, me) = limited("publish: {allow: [\"other.>\", \"$SYS.REQ.USER.INFO\"]}");
    let ran = observed(&server.url(), &[&FEW[..], &me].concat());
    refused(&ran, 2, "may not publish to demo.ask");
    let (server, me) = limited("subscribe: {allow: [\"mine.>\"]}");
    let ran = observed(&server.url(), &[&FEW[..], &me].concat());
    refused(
        &ran,
        2,
        "may not subscribe to _INBOX.*.*, the subject of replies",
    );
    let words = [&FEW[..], &me, &["--inbox-prefix", "mine"]].concat();
    let result = document(&observed(&server.url(), &words));
    assert_eq!(number(&result, "/live/reasons/no_responders"), 6);
}

#[test]
fn subjects_that_may_not_be_listened_to_are_found_before_the_load() {
    let (server, me) = limited("subscribe: {allow: [\"_INBOX.>\"]}");
    let path = sends(
        &server,
        "concurrency: 1, do: ask",
        "await: {}, live: {publish: demo.ask, delivery: {subject: \"demo.{user}\"}}",
    );
    let ran = observed(&server.url(), &[&["--spec", &path], &me[..]].concat());
    refused(
        &ran,
        2,
        "may not subscribe to demo.*, where action ask awaits deliveries",
    );
    let ran = run(&[&["serve", "--url", &server.url()], &me[..]].concat());
    refused(
        &ran,
        2,
        "may not subscribe to demo.ask, where the double listens",
    );
}

#[test]
fn a_permission_that_cannot_be_asked_for_shows_when_the_load_runs() {
    let (server, me) = limited("publish: {deny: [\"$SYS.>\", \"$JS.>\", \"demo.ask\"]}");
    let ran = observed(&server.url(), &[&FEW[..], &me].concat());
    let result = document(&ran);
    assert_eq!(number(&result, "/requests/transport_error"), 6);
    assert_eq!(number(&result, "/live/reasons/permission_denied"), 6);
    let said = "nats: Permissions Violation for Publish to \"demo.ask\"";
    assert_eq!(result["live"]["messages"], json!([said]));
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    // A publication is done when it is sent. Those after a refusal that is known, which it is after a request, are not.
    let text = "blis: 1\nname: live\nrun: {requests: 20}\nclients:\n  users: {concurrency: 1, do: {ask: 1, tell: 1}}\n\
                actions:\n  ask: {path: [{visit: api}, reply], live: {request: demo.ask}}\n  tell: {path: [{visit: api}], \
                live: {publish: demo.ask}}\nservices:\n  api: {workers: 8, time: 1ms}\n";
    let path = saved(&server, "both.yaml", text);
    let result = document(&observed(
        &server.url(),
        &[&["--spec", &path], &me[..]].concat(),
    ));
    assert_eq!(
        number(&result, "/live/reasons/permission_denied"),
        number(&result, "/requests/transport_error")
    );
    let told = number(&result, "/actions/tell/requests/transport_error");
    assert!(told >= 5, "{result:#}");
    assert_eq!(
        number(&result, "/requests/ok") + number(&result, "/requests/transport_error"),
        20
    );
}

#[test]
fn a_stream_that_is_missing_is_found_before_the_load() {
    let server = Server::start("");
    let client = "rate: 500/s, do: ask";
    let path = sends(&server, client, "live: {jetstream: \"nobody.{user}.has\"}");
    let ran = observed(&server.url(), &["--spec", &path]);
    refused(
        &ran,
        2,
        "no stream captures nobody.*.has, to which action ask publishes",
    );
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "nobody.7.*");
    let ran = observed(&server.url(), &["--spec", &path]);
    let result = document(&ran);
    assert!(
        number(&result, "/live/reasons/no_responders") >= 9,
        "{result:#}"
    );
}

#[test]
fn a_stream_that_cannot_be_looked_up_is_a_remark() {
    let (server, me) = limited("publish: {deny: [\"$JS.>\"]}");
    let path = sends(
        &server,
        "rate: 500/s, do: ask",
        "live: {jetstream: orders.new}",
    );
    let ran = observed(&server.url(), &[&["--spec", &path], &me[..]].concat());
    document(&ran);
    let said = "blis: warning: preflight could not check for a stream with the subject orders.new: this user may not \
                publish to $JS.API.STREAM.NAMES";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn a_stream_that_has_the_subject_of_a_request_is_named_before_the_load() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.>");
    let path = sends(
        &server,
        "rate: 500/s, do: ask",
        "live: {request: orders.ask}",
    );
    let ran = observed(&server.url(), &["--spec", &path]);
    let result = document(&ran);
    assert_eq!(number(&result, "/live/reasons/captured_by_a_stream"), 10);
    let before =
        "blis: warning: the stream ORDERS captures orders.ask, to which action ask sends requests";
    assert!(ran.stderr.starts_with(before), "{}", ran.stderr);
}

#[test]
fn jetstream_that_is_not_enabled_is_found_before_the_load() {
    let action = "live: {jetstream: orders.new}";
    let server = Server::without_streams("");
    let path = sends(&server, "rate: 500/s, do: ask", action);
    let ran = observed(&server.url(), &["--spec", &path]);
    refused(&ran, 2, "JetStream is not enabled on the server; enable it");
    let server = Server::start(
        "accounts {A: {users: [{user: me, password: secret}]}, B: {jetstream: enabled, users: []}}",
    );
    let path = sends(&server, "rate: 500/s, do: ask", action);
    let me = ["--user", "me", "--password", "secret"];
    let ran = observed(&server.url(), &[&["--spec", &path], &me[..]].concat());
    refused(
        &ran,
        2,
        "JetStream is not enabled for the account of this user",
    );
}

#[test]
fn domain_and_prefix_of_jetstream_are_asked() {
    let server = Server::in_domain("hub");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.*");
    let path = sends(
        &server,
        "rate: 500/s, do: ask",
        "live: {jetstream: orders.new}",
    );
    for words in [
        &[][..],
        &["--js-domain", "hub"],
        &["--js-api-prefix", "$JS.hub.API."],
    ] {
        let ran = observed(&server.url(), &[&["--spec", &path], words].concat());
        assert_eq!(number(&document(&ran), "/requests/ok"), 10, "{words:?}");
    }
    let context = |name: &str, domain: &str| {
        let fields = json!({"jetstream_domain": domain});
        saved(&server, name, &fields.to_string())
    };
    let (hub, other) = (context("hub.json", "hub"), context("other.json", "other"));
    let ran = observed(&server.url(), &["--spec", &path, "--context", &hub]);
    assert_eq!(number(&document(&ran), "/requests/ok"), 10);
    let ran = observed(&server.url(), &["--spec", &path, "--context", &other]);
    refused(&ran, 2, "JetStream is not enabled");
}

#[test]
fn a_payload_may_be_as_large_as_the_server_takes() {
    let server = Server::start("max_payload: 4096");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("big.>");
    // The header of the request and what frames it: Blis-Request: users/0/9/0.
    let headers = "NATS/1.0\r\nBlis-Request: users/0/9/0\r\n\r\n".len();
    let largest = 4096 - headers;
    let of = |bytes: usize, send: &str| {
        let action = format!("live: {{{send}}}, payload: {{size: {bytes}B}}");
        sends(&server, "concurrency: 1, do: ask", &action)
    };
    let path = of(largest, "publish: big.ask");
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 10);
    for _ in 0..10 {
        assert_eq!(wire.next().expect("a message").payload.len(), largest);
    }
    let path = of(largest + 1, "publish: big.ask");
    let ran = observed(&server.url(), &["--spec", &path]);
    refused(
        &ran,
        2,
        "action ask sends 4058 bytes, 39 of them headers, but the server accepts 4096; make the payload smaller",
    );
    // Headers and acknowledgements make it smaller.
    let path = of(largest, "publish: big.ask, headers: {A: b}");
    let ran = observed(&server.url(), &["--spec", &path]);
    refused(&ran, 2, "action ask sends 4057 bytes, 45 of them headers");
    wire.create_stream("BIG", "stored.*");
    let ran = observed(
        &server.url(),
        &["--spec", &of(largest, "jetstream: stored.ask")],
    );
    refused(&ran, 2, "of them headers");
}

#[test]
fn a_server_that_is_full_is_told_apart() {
    let server = Server::start("max_connections: 3");
    let ran = observed(
        &server.url(),
        &["--concurrency", "5", "--num-requests", "5"],
    );
    refused(&ran, 4, "accepts no more connections");
    let words = [
        "--concurrency",
        "2",
        "--num-requests",
        "4",
        "--think-time-ms",
        "1",
    ];
    let result = observe(&server.url(), &words);
    assert_eq!(number(&result, "/requests/intended"), 4);
}
