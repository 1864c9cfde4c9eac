//! The double as a backend of several processes, members and services.

use serde_json::Value;

use crate::programs::{Double, Ran, document, number, observe, run};
use crate::saved;
use crate::server::Server;
use crate::wire::Wire;

const TWO: &str = "blis: 1\nname: two\nrun: {requests: 200}\nclients:\n  users: {rate: 400/s, arrival: constant, do: ask}\nactions:\n  \
                   ask: {path: [{visit: api}, {visit: store}, reply], live: {request: two.ask}}\nservices:\n  api: \
                   {members: 4, workers: 2, time: 1ms}\n  store: {workers: 4, time: 2ms, errors: 20%}\n";

/// What a double says at its end, as JSON.
fn said(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stdout))
}

/// Visits of a service's members.
fn visits(said: &Value, service: &str) -> Vec<u64> {
    let members = said["services"][service]["members"].as_array();
    let members = members.unwrap_or_else(|| panic!("{said:#}"));
    members
        .iter()
        .map(|member| number(member, "/visits"))
        .collect()
}

#[test]
fn services_answer_as_nats_services() {
    let server = Server::start("");
    let path = saved(&server, "two.yaml", TWO);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let result = observe(&server.url(), &["--spec", &path]);
    assert_eq!(number(&result, "/requests/intended"), 200);
    let mut wire = Wire::connect(server.port);
    let mut ask =
        |subject: &str| -> Value { serde_json::from_str(&wire.ask(subject, "")).expect("JSON") };
    for (verb, kind) in [("PING", "ping"), ("INFO", "info"), ("STATS", "stats")] {
        let by_name = ask(&format!("$SRV.{verb}.api"));
        assert_eq!(
            by_name["type"],
            format!("io.nats.micro.v1.{kind}_response").as_str()
        );
        assert_eq!(by_name["name"], "api");
        let id = by_name["id"].as_str().expect("an id").to_owned();
        assert_eq!(ask(&format!("$SRV.{verb}.api.{id}"))["id"], id.as_str());
        // Either of the two may be the first to answer.
        let first = ask(&format!("$SRV.{verb}"));
        assert!(
            first["name"] == "api" || first["name"] == "store",
            "{first}"
        );
    }
    let info = ask("$SRV.INFO.api");
    assert_eq!(info["endpoints"][0]["subject"], "two.ask");
    assert_eq!(info["endpoints"][0]["queue_group"], "q");
    let stats = ask("$SRV.STATS.api");
    let endpoint = &stats["endpoints"][0];
    assert_eq!(number(endpoint, "/num_requests"), 200);
    assert_eq!(
        number(endpoint, "/num_errors"),
        number(&result, "/requests/app_error")
    );
    let processing = number(endpoint, "/processing_time");
    assert_eq!(
        number(endpoint, "/average_processing_time"),
        processing / 200
    );
    // What a request takes is more than its service times.
    assert!(processing >= 200 * 3_000_000, "{processing}");
    assert_eq!(number(endpoint, "/data/service_time"), 200 * 1_000_000);
    let members = endpoint["data"]["members"].as_array().expect("members");
    let served: u64 = members.iter().map(|one| number(one, "/visits")).sum();
    assert_eq!((members.len(), served), (4, 200));
    let stats = ask("$SRV.STATS.store");
    let member = &stats["endpoints"][0]["data"]["members"][0];
    assert_eq!(number(member, "/visits"), 200);
    assert_eq!(
        number(member, "/errors"),
        number(&result, "/requests/app_error")
    );
}

#[test]
fn services_of_several_processes_are_one_backend() {
    let server = Server::start("");
    let path = saved(&server, "two.yaml", TWO);
    let start = |only: &str| {
        let words = ["--spec", &path, "--only", only, "--format", "json"];
        Double::start(&server.url(), &words)
    };
    let (api, store) = (start("api"), start("store"));
    let result = observe(&server.url(), &["--spec", &path]);
    // The errors are those of the simulation, wherever they come about.
    let simulated: Value =
        serde_json::from_str(&run(&["run", "--spec", &path, "--json"]).stdout).expect("a result");
    for outcome in ["/requests/ok", "/requests/app_error"] {
        assert_eq!(number(&result, outcome), number(&simulated, outcome));
    }
    let (api, store) = (said(&api.stop()), said(&store.stop()));
    assert_eq!(number(&api, "/requests"), 200);
    assert_eq!(number(&api, "/visits_handed_on"), 200);
    assert_eq!(number(&store, "/visits_taken"), 200);
    assert_eq!(visits(&api, "api").iter().sum::<u64>(), 200);
    assert_eq!(visits(&store, "store"), [200]);
    assert!(api["services"].get("store").is_none());
    assert!(api["overrun"]["p99_us"].is_number(), "{api:#}");
    assert!(api["control"]["p99_us"].is_number(), "{api:#}");
    assert!(api["cpu_share"].is_number(), "{api:#}");
}

#[test]
fn several_processes_share_the_members_of_a_service() {
    let server = Server::start("");
    let path = saved(&server, "two.yaml", TWO);
    let words = ["--spec", &path, "--format", "json"];
    let (one, other) = (
        Double::start(&server.url(), &words),
        Double::start(&server.url(), &words),
    );
    // Both know of each other when each of them says so.
    let mut wire = Wire::connect(server.port);
    let mut both = [Vec::new(), Vec::new()];
    while both.iter().any(Vec::is_empty) || both[0] == both[1] || both.concat().len() > 4 {
        wire.subscribe("answers");
        wire.publish_to("$SRV.STATS.api", "answers");
        for members in &mut both {
            let answer = wire.next().expect("an answer").payload;
            let stats: Value = serde_json::from_slice(&answer).expect("JSON");
            let played = stats["endpoints"][0]["data"]["members"].as_array();
            let played = played.expect("members").iter();
            *members = played.map(|one| number(one, "/member")).collect();
        }
        wire = Wire::connect(server.port);
    }
    both.sort();
    assert_eq!(both, [[0, 2], [1, 3]]);
    let result = observe(&server.url(), &["--spec", &path]);
    let answered = ["/requests/ok", "/requests/app_error"].map(|end| number(&result, end));
    assert_eq!(answered.iter().sum::<u64>(), 200);
    let ends = [said(&one.stop()), said(&other.stop())];
    let requests = ends.each_ref().map(|end| number(end, "/requests"));
    assert_eq!(requests.iter().sum::<u64>(), 200);
    assert!(requests.iter().all(|number| *number > 0), "{requests:?}");
    let stored: u64 = ends.iter().flat_map(|end| visits(end, "store")).sum();
    assert_eq!(stored, 200);
}

#[test]
fn a_visit_that_nobody_plays_finds_nobody() {
    let server = Server::start("");
    let path = saved(&server, "two.yaml", TWO);
    let double = Double::start(&server.url(), &["--spec", &path, "--only", "api"]);
    let result = observe(
        &server.url(),
        &["--spec", &path, "--num-requests", "5", "--timeout", "100ms"],
    );
    assert_eq!(number(&result, "/requests/timed_out"), 5);
    let said = double.stop();
    assert!(
        said.stdout
            .starts_with("Received 5 requests: 5 transport_error\n"),
        "{}",
        said.stdout
    );
}

#[test]
fn what_cannot_be_played_is_said_before_anything_is_opened() {
    let server = Server::start("");
    let path = saved(&server, "two.yaml", TWO);
    let words = ["serve", "--url", &server.url(), "--spec", &path];
    let ran = run(&[&words[..], &["--only", "stor"]].concat());
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("there is no service stor; give one of api, store"),
        "{}",
        ran.stderr
    );
    let ran = run(&[&words[..], &["--set", "actions.ask.live=null"]].concat());
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("give one `live: {request: SUBJECT}`"));
}

#[test]
fn fan_outs_are_published() {
    let text = "blis: 1\nname: rooms\nrun: {requests: 10}\nclients:\n  users: {concurrency: 1, do: say}\nactions:\n  say: \
                {path: [{visit: api}, {emit: room}, reply], live: {request: rooms.say}}\nservices:\n  api: {workers: 1, time: \
                1ms}\nfan_outs:\n  room: {subscribers: 3, delay: 1ms}\n";
    let server = Server::start("");
    let path = saved(&server, "rooms.yaml", text);
    let _double = Double::start(&server.url(), &["--spec", &path]);
    let mut wire = Wire::connect(server.port);
    wire.subscribe("blis.rooms.fanout.room.*");
    let ran = run(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--json",
        "--quiet",
    ]);
    assert_eq!(number(&document(&ran), "/requests/ok"), 10);
    let mut seen: Vec<(String, String)> = (0..30)
        .map(|_| {
            let message = wire.next().expect("a delivery");
            let request = message.header("Blis-Request").expect("a request");
            let number = message.subject.rsplit('.').next().expect("a number");
            (request.to_owned(), number.to_owned())
        })
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 30, "{seen:?}");
    assert_eq!(seen[0], ("users/0/0/0".to_owned(), "0".to_owned()));
}

#[test]
fn a_double_knows_requests_without_headers_by_the_subject_of_their_replies() {
    let server = Server::start("");
    let mut served = Vec::new();
    for (id, header) in [("", None), (", request_id: X", Some("some-users/0/0/0"))] {
        let text = format!(
            "blis: 1\nname: known\nrun: {{requests: 60}}\nclients: {{some-users: {{concurrency: 1, do: ask}}}}\nactions:\n  ask: \
             {{path: [{{visit: api}}, reply], live: {{request: known.ask{id}}}}}\nservices:\n  api: {{workers: 4, time: {{uniform: \
             {{min: 1ms, max: 3ms}}}}}}\n"
        );
        let path = saved(&server, "known.yaml", &text);
        let _double = Double::start(&server.url(), &["--spec", &path]);
        let mut wire = Wire::connect(server.port);
        wire.subscribe("known.ask");
        let result = observe(&server.url(), &["--spec", &path]);
        assert_eq!(number(&result, "/requests/ok"), 60);
        let first = wire.next().expect("a request");
        assert_eq!(first.header("X"), header);
        assert_eq!(
            first.headers.is_empty(),
            header.is_none(),
            "{:?}",
            first.headers
        );
        let stats = Wire::connect(server.port).ask("$SRV.STATS.api", "");
        let stats: Value = serde_json::from_str(&stats).unwrap_or_default();
        served.push(stats);
    }
    let time = |stats: &Value| number(&stats["endpoints"][0], "/data/service_time");
    // The draws of a request are those of its identity.
    assert_eq!(time(&served[0]), time(&served[1]));
}
