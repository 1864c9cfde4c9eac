//! What a live run says of itself: who held requests back, and that nobody answers.

use std::io::{BufRead as _, BufReader};

use crate::programs::{Double, document, end, interrupt, number, observe, run, start};
use crate::server::Server;
use crate::wire::Wire;
use crate::{saved, spec};

#[test]
fn nobody_who_answers_is_warned_of_while_the_load_goes_on() {
    let server = Server::start("");
    let url = server.url();
    let mut words = vec!["observe", "--url", &url, "--json", "--quiet"];
    words.extend(["--rate", "50/s", "--horizon", "1m"]);
    let mut child = start(&words);
    let mut log = BufReader::new(child.stderr.take().expect("stderr"));
    let mut line = String::new();
    log.read_line(&mut line).expect("stderr");
    assert!(
        line.starts_with(
            "blis: warning: nobody subscribes to demo.ask, the subject of action ask: "
        ),
        "{line}"
    );
    // It is told while requests are sent.
    assert!(child.try_wait().is_ok_and(|ended| ended.is_none()));
    interrupt(&child);
    let ended = end(child);
    assert_eq!(ended.code, Some(130));
}

#[test]
fn a_run_too_short_to_be_looked_at_warns_at_its_end() {
    let server = Server::start("");
    let few = ["--concurrency", "1", "--num-requests", "1"];
    let ran = run(&[&["observe", "--url", &server.url(), "--quiet"], &few[..]].concat());
    let told = ran.stderr.matches("nobody subscribes to demo.ask").count();
    assert_eq!(told, 1, "{}", ran.stderr);
    // With somebody there it does not.
    let _double = Double::start(&server.url(), &[]);
    let ran = run(&[&["observe", "--url", &server.url(), "--quiet"], &few[..]].concat());
    assert!(!ran.stderr.contains("nobody subscribes"), "{}", ran.stderr);
}

#[test]
fn who_answers_with_503_is_somebody() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.ask");
    let url = server.url();
    let few = ["--concurrency", "1", "--num-requests", "1"];
    let child = start(&[&["observe", "--url", &url, "--quiet", "--json"], &few[..]].concat());
    let asked = wire.next().expect("a request");
    wire.publish_under(" 503", &asked.reply, &[], b"busy");
    let ran = end(child);
    assert!(!ran.stderr.contains("nobody subscribes"), "{}", ran.stderr);
    let result = document(&ran);
    assert_eq!(number(&result, "/live/reasons/status_errors"), 1);
}

#[test]
fn what_a_limit_holds_back_to_the_end_is_not_the_generators_lag() {
    let server = Server::start("");
    let text = spec(
        "{horizon: 2s, drain: 1s}",
        "rate: 20/s, arrival: constant, do: ask, timeout: 10s",
        "live: {request: svc}, slo: {p95: 1100ms}",
        "workers: 100, time: 1s",
    ) + "max_in_flight: {limit: 10, policy: delay}\n";
    let path = saved(&server, "delay-cap.yaml", &text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let result = observe(&server.url(), &["--spec", &path]);
    assert!(number(&result, "/live/reasons/over_in_flight_limit") >= 5);
    // They waited for a second and more, which would be in the largest.
    let own = result.pointer("/live/generator/own_lag_ms/max");
    let own = own.and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
    assert!(own < 500.0, "{own}");
    assert_eq!(result.pointer("/live/generator/limited_by/0"), None);
    // The limit is the system's, and what it makes late is late.
    assert_eq!(result["verdict"]["status"], "TRIP");
    assert_eq!(result["verdict"]["signals"][0]["standing"], "over");
}
