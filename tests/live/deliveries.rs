//! Deliveries that requests await, from the double of a fan-out: beside those of the simulation, which draws the same losses.

use std::process::Command;

use serde_json::Value;

use crate::programs::{Double, document, end, number, observe, run, start};
use crate::saved;
use crate::server::Server;

/// A room of five that loses every seventh message, and of each message expects so many deliveries. Its arrivals are open, so
/// that the same requests are sent however fast the machine is.
fn room(expected: u32, until: &str) -> String {
    format!(
        "blis: 1\nname: rooms\nrun: {{requests: 120, drain: 10s}}\nconnections: {{pool: 2}}\nclients:\n  users: {{rate: 60/s, timeout: \
         2s, do: say}}\nactions:\n  say:\n    path: [{{visit: api}}, {{emit: room}}, \
         reply]\n    await: {{deliveries: {expected}, until: {until}}}\n    live: {{request: rooms.say, delivery: {{subject: \
         \"blis.rooms.fanout.room.*\"}}}}\n    slo: {{deliveries: {{each: {{p50: 10s}}, missing: 50%}}}}\nservices:\n  api: {{workers: \
         4, time: 2ms}}\nfan_outs:\n  room: {{subscribers: 5, delay: 3ms, loss: 14%}}\n"
    )
}

fn both(text: &str) -> [Value; 2] {
    let server = Server::start("");
    let path = saved(&server, "rooms.yaml", text);
    let double = Double::start(&server.url(), &["--spec", &path]);
    let live = observe(&server.url(), &["--spec", &path]);
    double.stop();
    let simulated = run(&["run", "--spec", &path, "--json"]);
    let simulated = serde_json::from_str(&simulated.stdout).expect("a document");
    [live, simulated]
}

#[test]
fn what_is_lost_is_missing_in_both_worlds_alike() {
    let [live, simulated] = both(&room(5, "1"));
    for figure in [
        "expected",
        "delivered",
        "missing",
        "duplicates",
        "late",
        "unmatched",
        "first_ms/count",
        "each_ms/count",
        "last_ms/count",
    ] {
        let pointer = format!("/deliveries/say/{figure}");
        let [live, simulated] = [&live, &simulated].map(|of| number(of, &pointer));
        assert_eq!(live, simulated, "{figure}");
    }
    assert!(number(&live, "/deliveries/say/missing") > 50);
    assert_eq!(number(&live, "/deliveries/say/expected"), 600);
    // Nothing comes sooner than it may.
    let shortest = |of: &Value| {
        of.pointer("/deliveries/say/each_ms/min")
            .and_then(Value::as_f64)
    };
    assert!(shortest(&live) >= Some(5.0) && shortest(&simulated) >= Some(5.0));
    let status = |of: &Value| of.pointer("/verdict/status").cloned();
    assert_eq!(status(&simulated), Some(Value::from("PASS")));
    // A generator that a busy machine holds up says nothing for certain.
    assert_ne!(status(&live), Some(Value::from("TRIP")));
}

#[test]
fn what_is_too_much_is_a_duplicate_in_both_worlds_alike() {
    let [live, simulated] = both(&room(2, "1"));
    let counts = |of: &Value| {
        ["delivered", "missing", "duplicates"]
            .map(|figure| number(of, &format!("/deliveries/say/{figure}")))
    };
    assert_eq!(counts(&live), counts(&simulated));
    assert!(counts(&live)[2] > 200, "{:?}", counts(&live));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_has_its_deliveries_in_the_record() {
    let server = Server::start("");
    let endless = room(5, "1").replace("requests: 120", "horizon: 1h");
    let path = saved(&server, "rooms.yaml", &endless);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let directory = server.folder().join("run");
    let out = directory.display().to_string();
    let mut wire = crate::wire::Wire::connect(server.port);
    wire.subscribe("rooms.say");
    let child = start(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--quiet",
        "--out",
        &out,
    ]);
    let segment = directory.join("journal/0.segment");
    while std::fs::metadata(&segment).map_or(0, |file| file.len()) < 100_000 {
        wire.next().expect("a message");
    }
    let killed = Command::new("kill")
        .args(["-KILL", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill is there").success());
    assert_eq!(end(child).code, None);
    let result = document(&run(&["report", &out, "--json"]));
    let of = |figure: &str| number(&result, &format!("/deliveries/say/{figure}"));
    let sent = number(&result, "/requests/intended");
    assert_eq!(of("expected"), 5 * sent);
    assert_eq!(of("expected"), of("delivered") + of("missing"));
    assert_eq!(of("each_ms/count"), of("delivered"));
    // What is lost, and what was on its way when it was killed.
    assert!(
        of("delivered") > 2 * sent && of("missing") > 0,
        "{result:#}"
    );
}
