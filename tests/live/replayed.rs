//! Live runs replayed with the members and service times that were recorded.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::programs::{Double, number, observe, run};
use crate::saved;
use crate::server::Server;

/// A queue group whose server draws the members, behind it another service.
const SPEC: &str = "blis: 1\nname: paired\nrun: {horizon: 2s}\nclients:\n  users: {rate: 150/s, do: {ask: 2, buy: 1}}\nactions:\n  \
                    ask: {path: [{visit: group}, reply], live: {request: paired.ask}}\n  \
                    buy: {path: [{visit: group}, {visit: db}, reply], live: {request: paired.buy}}\nservices:\n  \
                    group: {members: 4, workers: 1, time: {exponential: {mean: 5ms}}}\n  \
                    db: {workers: 2, time: {exponential: {mean: 3ms}}}\n";

/// Rows of a recorded run, by user.
fn rows(directory: &str) -> BTreeMap<u64, Value> {
    let printed = run(&["trace", directory, "--format", "jsonl"]);
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    let rows = printed.stdout.lines().filter_map(|line| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        Some((row.get("user")?.as_u64()?, row))
    });
    rows.collect()
}

/// The visits that a reply told.
fn visits(row: &Value) -> Vec<(String, u64, u64)> {
    let header = |name: &str| row[format!("reply_headers.{name}")].as_str();
    let number = |text: &str| text.parse().expect("a number");
    match header("Blis-Visits") {
        Some(all) => all
            .split(',')
            .map(|one| {
                let parts: Vec<&str> = one.split('/').collect();
                (parts[0].to_owned(), number(parts[1]), number(parts[2]))
            })
            .collect(),
        None => {
            let [member, time] =
                ["Blis-Member", "Blis-Service-Time-Ns"].map(|name| header(name).expect("a header"));
            vec![("group".to_owned(), number(member), number(time))]
        }
    }
}

/// When requests leave the group, in nanoseconds since the start: each member serves one after the other. The network is none.
fn left_group(rows: &BTreeMap<u64, Value>) -> BTreeMap<u64, u64> {
    let mut arrivals: Vec<(u64, u64)> = rows
        .iter()
        .map(|(user, row)| (row["intended_ns"].as_u64().expect("an instant"), *user))
        .collect();
    arrivals.sort_unstable();
    let mut free: BTreeMap<u64, u64> = BTreeMap::new();
    let left = arrivals.into_iter().map(|(at, user)| {
        let (_, member, time) = &visits(&rows[&user])[0];
        let free = free.entry(*member).or_default();
        *free = at.max(*free) + time;
        (user, *free)
    });
    left.collect()
}

#[test]
fn a_replay_has_the_members_that_the_server_drew() {
    let server = Server::start("");
    let path = saved(&server, "paired.yaml", SPEC);
    let double = Double::start(&server.url(), &["--spec", &path]);
    let out = server.folder().join("live").display().to_string();
    let live = observe(&server.url(), &["--spec", &path, "--out", &out]);
    drop(double);
    let answered = number(&live, "/requests/ok");
    assert!(answered > 100, "{live:#}");
    let recorded = rows(&out);
    let trace = server.folder().join("again.jsonl").display().to_string();
    let words = [
        "replay",
        &out,
        "--recorded",
        "member,service",
        "--json",
        "--trace",
        &trace,
    ];
    let again = run(&words);
    assert!(again.code == Some(0), "{}", again.stderr);
    assert_eq!(again.stderr, "");
    let document: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(number(&document, "/requests/ok"), answered);
    let said = &document["configuration"]["replay.recorded"];
    assert_eq!(said["value"], "member,service");
    assert_eq!(said["source"], "--recorded");
    // What leaves the group at once is known to the nanosecond.
    let left = left_group(&recorded);
    let text = std::fs::read_to_string(&trace).expect("rows");
    let mut held = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let Some(user) = row.get("user").and_then(Value::as_u64) else {
            continue;
        };
        if row["action"] == "ask" {
            assert_eq!(row["done_ns"].as_u64(), Some(left[&user]), "{row}");
            held += 1;
        } else {
            assert!(row["done_ns"].as_u64() > Some(left[&user]), "{row}");
        }
    }
    assert!(held > 50, "{held}");
    // The model's own draws are others, members above all: the server's are not the seed's.
    let own = run(&["replay", &out, "--json"]);
    assert_ne!(own.stdout, again.stdout);
    refused(&server, &out, &path);
}

/// What a record cannot be replayed with.
fn refused(server: &Server, out: &str, path: &str) {
    let simulated = server.folder().join("simulated").display().to_string();
    run(&["run", path, "--record", "--out", &simulated]);
    for (words, said) in [
        (
            &[out, "--recorded", "member", "--as", "closed"][..],
            "--recorded needs --as recorded",
        ),
        (
            &[out, "--recorded", "members"],
            "possible values: member, service",
        ),
        (
            &[
                out,
                "--recorded",
                "service",
                "--set",
                "services.db.time=1ms",
            ],
            "service times are taken from the record",
        ),
        (
            &[
                out,
                "--recorded",
                "member",
                "--set",
                "services.group.members=8",
            ],
            "the member of each request is taken from the record",
        ),
        (
            &[
                out,
                "--recorded",
                "member",
                "--set",
                "services.group.members=2",
                "--set",
                "services.db.time=1ms",
            ],
            "leave member out",
        ),
        (
            &[&simulated, "--recorded", "member"],
            "is a simulated run without Blis-Member",
        ),
    ] {
        let ran = run(&[&["replay"], words].concat());
        assert_eq!(ran.code, Some(2), "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    // Another number of workers for the same members and times.
    let more = run(&[
        "replay",
        out,
        "--recorded",
        "member,service",
        "--set",
        "services.group.workers=2",
    ]);
    assert_eq!(more.code, Some(0), "{}", more.stderr);
}

#[test]
fn requests_without_headers_are_counted() {
    let server = Server::start("");
    let text = SPEC.replace("do: {ask: 2, buy: 1}", "do: {ask: 2, buy: 1}, timeout: 8ms");
    let path = saved(&server, "paired.yaml", &text);
    let double = Double::start(&server.url(), &["--spec", &path]);
    let out = server.folder().join("live").display().to_string();
    let live = observe(&server.url(), &["--spec", &path, "--out", &out]);
    drop(double);
    let (timed_out, all) = (
        number(&live, "/requests/timed_out"),
        number(&live, "/requests/intended"),
    );
    assert!(timed_out > 0, "{live:#}");
    let again = run(&["replay", &out, "--recorded", "member"]);
    let said = format!(
        "{timed_out} of {all} recorded requests have no reply that says which member served"
    );
    assert!(again.stderr.contains(&said), "{}", again.stderr);
}

#[test]
fn a_service_that_sends_no_headers_is_named() {
    let server = Server::start("");
    let text = SPEC.replace("rate: 150/s, do: {ask: 2, buy: 1}", "rate: 50/s, do: ask");
    let path = saved(&server, "plain.yaml", &text);
    let time = std::time::Duration::from_millis(1);
    let _service = crate::responder::Responder::start(&server, "paired.ask", 4, time);
    let out = server.folder().join("live").display().to_string();
    observe(&server.url(), &["--spec", &path, "--out", &out]);
    let again = run(&["replay", &out, "--recorded", "member"]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    let said = "no reply of the action ask has Blis-Member, which `blis serve` sends";
    assert!(again.stderr.contains(said), "{}", again.stderr);
}
