//! What may be sent to a server's own subjects, and what never reaches them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use crate::programs::{Double, Ran, document, number, observe, run, run_with};
use crate::server::Server;
use crate::wire::Wire;
use crate::{FAST, saved, spec};

/// A spec with one action, and one variable.
fn with_variable(server: &Server, action: &str, values: &str) -> String {
    let text = spec("{requests: 20}", "concurrency: 2, do: ask", action, FAST);
    let text = format!("{text}variables: {{v: {{one_of: [{values}]}}}}\n");
    saved(server, "variable.yaml", &text)
}

fn plain(server: &Server, requests: u32, action: &str) -> String {
    let run = format!("{{requests: {requests}}}");
    let text = spec(&run, "concurrency: 1, do: ask", action, FAST);
    saved(server, "plain.yaml", &text)
}

fn observed(server: &Server, path: &str, words: &[&str]) -> Ran {
    let url = server.url();
    run(&[
        &[
            "observe", "--quiet", "--json", "--url", &url, "--spec", path,
        ],
        words,
    ]
    .concat())
}

/// Whether it ended with exit 2 before anything was sent, saying this.
fn refused(ran: &Ran, sentence: &str) {
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

/// A stream with three messages, which have to be there at the end.
struct Canary(Wire);

impl Canary {
    fn new(server: &Server) -> Canary {
        let mut wire = Wire::connect(server.port);
        wire.create_stream("CANARY", "canary.*");
        for _ in 0..3 {
            wire.ask("canary.a", "alive");
        }
        Canary(wire)
    }

    fn lives(&mut self) {
        let state = self.0.ask("$JS.API.STREAM.INFO.CANARY", "");
        assert!(state.contains("\"messages\":3,"), "{state}");
    }
}

fn create_bucket(wire: &mut Wire, name: &str, more: &str) {
    let config = format!(
        "{{\"name\":\"KV_{name}\",\"subjects\":[\"$KV.{name}.>\"],\"storage\":\"memory\",\"max_msgs_per_subject\":1,\
         \"allow_rollup_hdrs\":true,\"deny_delete\":true{more}}}"
    );
    let answer = wire.ask(&format!("$JS.API.STREAM.CREATE.KV_{name}"), &config);
    assert!(!answer.contains("\"error\""), "{answer}");
}

const DIRECT: &str = ",\"allow_direct\":true";

#[test]
fn no_template_reaches_the_administration_of_a_server() {
    let server = Server::start("");
    let mut canary = Canary::new(&server);
    for (action, values) in [
        (
            "live: {request: \"{v}\"}",
            "\"$JS.API.STREAM.PURGE.CANARY\"",
        ),
        (
            "live: {publish: \"{v}.CANARY\"}",
            "\"$JS.API.STREAM.DELETE\"",
        ),
        (
            "live: {jetstream: \"$JS.API.STREAM.{v}.CANARY\"}",
            "INFO, PURGE",
        ),
        (
            "live: {publish: canary.a, headers: {Nats-Rollup: \"{v}\"}}",
            "all",
        ),
        (
            "live: {jetstream: canary.a, headers: {nats-rollup: \"{v}\"}}",
            "sub",
        ),
    ] {
        let path = with_variable(&server, action, values);
        assert_eq!(observed(&server, &path, &[]).code, Some(2), "{action}");
        canary.lives();
    }
    // Where the API is elsewhere is known once it is said; the server need not have it there for that.
    let path = with_variable(
        &server,
        "live: {request: \"shop.api.{v}\"}",
        "STREAM.PURGE.CANARY",
    );
    let ran = observed(&server, &path, &["--js-api-prefix", "shop.api"]);
    refused(
        &ran,
        "\"shop.api.STREAM.PURGE.CANARY\", where action ask sends, administers the server",
    );
    canary.lives();
}

#[test]
fn a_value_with_a_line_break_is_refused_before_the_load() {
    let server = Server::start("");
    let header = "live: {publish: demo.ask, headers: {Shop: \"{v}\"}}";
    let ran = observed(
        &server,
        &with_variable(&server, header, "ok, \"a\\nb\""),
        &[],
    );
    refused(&ran, "which has more than one line");
    for value in ["\"*\"", "\">\"", "\"\"", "\"a b\""] {
        let path = with_variable(
            &server,
            "live: {publish: \"demo.{v}\"}",
            &format!("ok, {value}"),
        );
        refused(
            &observed(&server, &path, &[]),
            "the subject `demo.{v}` may be `demo.",
        );
    }
}

#[test]
fn what_is_too_much_to_look_at_before_is_looked_at_when_it_is_sent() {
    let server = Server::start("");
    let mut canary = Canary::new(&server);
    // Only both last values together are a purge.
    let values = |last: &str| {
        let mut all: Vec<String> = (0..2_500).map(|n| format!("x{n}")).collect();
        all.resize(5_000, last.to_owned());
        all.join(", ")
    };
    let text = spec(
        "{requests: 60}",
        "concurrency: 2, do: ask",
        "live: {publish: \"s{a}{b}.CANARY\"}",
        FAST,
    );
    let text = format!(
        "{text}variables: {{a: {{one_of: [{}]}}, b: {{one_of: [{}]}}}}\n",
        values("\".JS.API\""),
        values("\".STREAM.PURGE\"")
    );
    let path = saved(&server, "many.yaml", &text);
    let ran = observed(&server, &path, &[]);
    assert!(
        ran.stderr.is_empty()
            || ran
                .stderr
                .contains("too many values to check before a load"),
        "{}",
        ran.stderr
    );
    let result = document(&ran);
    let not_sent = number(&result, "/live/reasons/not_sendable");
    assert!((1..60).contains(&not_sent), "{result:#}");
    assert_eq!(number(&result, "/requests/transport_error"), not_sent);
    assert_eq!(number(&result, "/requests/ok"), 60 - not_sent);
    assert!(
        result["live"]["messages"]
            .to_string()
            .contains("administers the server"),
        "{result:#}"
    );
    assert!(result["live"]["reasons"].get("connection_down").is_none());
    canary.lives();
}

#[test]
fn keys_are_written_created_and_read() {
    for domain in [None, Some("hub")] {
        let server = domain.map_or_else(|| Server::start(""), Server::in_domain);
        let mut wire = Wire::connect(server.port);
        create_bucket(&mut wire, "carts", DIRECT);
        let words: &[&str] = domain.map_or(&[], |_| &["--js-domain", "hub"]);
        let run = |requests, action: &str| {
            let path = plain(&server, requests, action);
            document(&observed(&server, &path, words))
        };
        let put = "live: {kv_put: {bucket: carts, key: \"of.{n}\"}}, payload: {text: \"cart {n}\"}";
        assert_eq!(number(&run(10, put), "/requests/ok"), 10);
        let value = wire.ask("$JS.API.DIRECT.GET.KV_carts.$KV.carts.of.7", "");
        assert_eq!(value, "cart 7");
        // Keys from 10 on are not there.
        let get = "live: {kv_get: {bucket: carts, key: \"of.{n}\"}}";
        let result = run(14, get);
        assert_eq!(number(&result, "/requests/ok"), 10, "{result:#}");
        assert_eq!(number(&result, "/requests/app_error"), 4);
        assert_eq!(number(&result, "/live/reasons/not_found"), 4);
        let create = "live: {kv_create: {bucket: carts, key: \"of.{n}\"}}";
        let result = run(14, create);
        assert_eq!(number(&result, "/requests/ok"), 4, "{result:#}");
        assert_eq!(number(&result, "/live/reasons/key_exists"), 10);
        // A key that was deleted is none, although its last message is read.
        wire.publish_with("$KV.carts.of.3", &["KV-Operation: DEL"], b"");
        let _ = wire.ask("$JS.API.STREAM.INFO.KV_carts", "");
        let result = run(5, get);
        assert_eq!(number(&result, "/live/reasons/not_found"), 1, "{result:#}");
        let stored = "live: {direct_get: {stream: KV_carts, subject: \"$KV.carts.of.{n}\"}}";
        assert_eq!(number(&run(5, stored), "/requests/ok"), 5);
        let missing = "live: {kv_get: {bucket: carts, key: none}, rejected_when: [{status: 404, is: \"Message Not Found\"}]}";
        assert_eq!(number(&run(5, missing), "/requests/rejected"), 5);
    }
}

#[test]
fn reads_of_the_api_may_be_loaded() {
    let server = Server::start("");
    let mut canary = Canary::new(&server);
    for read in ["STREAM.INFO.CANARY", "STREAM.NAMES", "INFO"] {
        let path = plain(
            &server,
            10,
            &format!("live: {{request: \"$JS.API.{read}\"}}"),
        );
        let result = document(&observed(&server, &path, &[]));
        assert_eq!(number(&result, "/requests/ok"), 10, "{read}");
    }
    canary.lives();
}

#[test]
fn buckets_and_streams_that_are_missing_are_found_before_the_load() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    let found = |action: &str, sentence: &str| {
        refused(
            &observed(&server, &plain(&server, 5, action), &[]),
            sentence,
        );
    };
    for way in ["kv_put", "kv_create", "kv_get"] {
        let action = format!("live: {{{way}: {{bucket: carts, key: a}}}}");
        found(
            &action,
            "there is no bucket carts, which action ask needs; create it",
        );
    }
    let stored = "live: {direct_get: {stream: orders, subject: a}}";
    found(
        stored,
        "there is no stream orders, which action ask needs; create it",
    );
    wire.create_stream("orders", "a");
    found(
        stored,
        "does not allow direct gets; set `allow_direct` of the stream",
    );
    create_bucket(&mut wire, "carts", "");
    found(
        "live: {kv_get: {bucket: carts, key: a}}",
        "the stream KV_carts, which action ask reads from, does not allow",
    );
    let none = Server::without_streams("");
    let path = plain(&none, 5, "live: {kv_put: {bucket: carts, key: a}}");
    refused(
        &observed(&none, &path, &[]),
        "JetStream is not enabled on the server",
    );
    let user = "{user: me, password: secret, permissions: {publish: {deny: [\"$KV.>\"]}}}";
    let limited = Server::start(&format!("authorization {{users: [{user}]}}"));
    let path = plain(&limited, 5, "live: {kv_put: {bucket: carts, key: a}}");
    let ran = observed(&limited, &path, &["--user", "me", "--password", "secret"]);
    refused(&ran, "may not publish to $KV.carts.a");
}

#[test]
fn a_double_leaves_buckets_to_the_server() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    create_bucket(&mut wire, "carts", DIRECT);
    let text = "blis: 1\nname: both\nrun: {requests: 20}\nclients:\n  users: {concurrency: 2, do: {ask: 1, put: 1}}\n\
                actions:\n  ask: {path: [{visit: api}, reply], live: {request: both.ask}}\n  put: {path: [{visit: api}, \
                reply], live: {kv_put: {bucket: carts, key: \"of.{user}\"}}}\nservices:\n  api: {workers: 2, time: 1ms}\n";
    let path = saved(&server, "both.yaml", text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/ok"), 20, "{result:#}");
}

#[test]
fn prefixes_are_subjects_without_wildcards() {
    for (flag, value, what) in [
        ("--inbox-prefix", ">", "is a wildcard"),
        ("--inbox-prefix", "a.*", "is a wildcard"),
        ("--inbox-prefix", "", "has an empty token"),
        ("--inbox-prefix", "a b", "has a blank"),
        (
            "--inbox-prefix",
            "$SYS",
            "is a system subject of the server",
        ),
        ("--js-api-prefix", "a..b", "has an empty token"),
        ("--js-domain", "*", "is a wildcard"),
        ("--js-domain", "a.b", "is not one token"),
    ] {
        let ran = run(&["observe", "--url", "nats://127.0.0.1:1", flag, value]);
        refused(&ran, what);
        assert!(ran.stderr.contains(flag), "{}", ran.stderr);
    }
}

#[test]
fn variables_that_are_no_text_are_told_as_such() {
    let server = Server::start("");
    let path = plain(
        &server,
        2,
        "live: {publish: a, headers: {Shop: \"{env:SHOP}\"}}",
    );
    let odd = OsStr::from_bytes(b"\xff");
    let told = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blis"));
        let url = server.url();
        command.args([
            "observe", "--quiet", "--json", "--url", &url, "--spec", &path,
        ]);
        let output = command.env("SHOP", "north").env(name, odd).output();
        let output = output.expect("blis starts");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("text")
    };
    let said = told("SHOP");
    assert!(
        said.contains(
            "the environment variable SHOP, which action ask sends as {env:SHOP}, is not UTF-8"
        ),
        "{said}"
    );
    for name in ["NATS_USER", "NATS_TOKEN", "BLIS_ALLOW_TARGET"] {
        let said = told(name);
        assert!(
            said.contains(&format!("the environment variable {name} is not UTF-8")),
            "{said}"
        );
    }
    let words = [
        "observe",
        "--quiet",
        "--url",
        &server.url(),
        "--spec",
        &path,
    ];
    let ran = run_with(&words, &[("SHOP", "\u{1b}[31m")]);
    refused(
        &ran,
        "the header Shop of action ask has more than one line, or a control character",
    );
}
