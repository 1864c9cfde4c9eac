//! Observers beside the load: consumers, the server's monitoring, services.

use serde_json::{Value, json};

use crate::programs::{document, number, observe, run};
use crate::server::Server;
use crate::wire::Wire;
use crate::{FAST, saved, spec};

const FEW: [&str; 6] = [
    "--concurrency",
    "2",
    "--num-requests",
    "20",
    "--think-time-ms",
    "1",
];

fn reason<'a>(result: &'a Value, part: &str) -> &'a str {
    let why = &result["live"]["observers"]["absent"][part];
    why.as_str()
        .unwrap_or_else(|| panic!("{part} in {result:#}"))
}

#[test]
fn consumers_are_sampled_over_the_run() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.*");
    wire.create_stream("AUDIT", "audit.*");
    wire.create_consumer("ORDERS", "indexer");
    wire.create_consumer("AUDIT", "reader");
    // Three messages are delivered and never acknowledged.
    for _ in 0..3 {
        wire.ask("orders.old", "");
        wire.ask("$JS.API.CONSUMER.MSG.NEXT.ORDERS.indexer", "");
    }
    let text = spec(
        "{horizon: 2500ms, warmup: 500ms}",
        "rate: 200/s, do: ask",
        "live: {jetstream: \"orders.{user}\"}, slo: {p99: 10s}",
        FAST,
    );
    let path = saved(&server, "observed.yaml", &text);
    let result = observe(
        &server.url(),
        &["--spec", &path, "--observe-stream", "AUDIT"],
    );
    let stored = number(&result, "/requests/ok");
    let consumers = &result["live"]["observers"]["consumers"];
    let indexer = &consumers["ORDERS/indexer"];
    let samples = indexer["samples"].as_array().expect("samples");
    let [first, .., last] = samples.as_slice() else {
        panic!("{samples:?}");
    };
    assert_eq!(
        (number(first, "/ack_pending"), number(last, "/ack_pending")),
        (3, 3)
    );
    assert!(number(first, "/pending") < stored, "{first}");
    assert_eq!(number(last, "/pending"), stored);
    // Their times are those of the load, after which the last one is.
    assert!(last["at_s"].as_f64() >= Some(2.5), "{last}");
    // What follows from that stands where a simulation has it, and only there.
    let only = indexer.as_object().expect("an object").keys();
    assert_eq!(only.collect::<Vec<_>>(), ["samples", "seen_at_end"]);
    let seen = &result["streams"]["ORDERS"]["consumers"]["indexer"];
    assert_eq!(number(seen, "/backlog_max"), stored + 3);
    assert_eq!(number(seen, "/unfinished_pending"), stored);
    assert_eq!(number(seen, "/unfinished_delivered"), 3);
    assert_eq!(number(seen, "/acknowledged"), 0);
    assert_eq!(seen["ack_pending_mean"], 3.0);
    let slope = seen["backlog_slope_per_s"].as_f64().expect("a slope");
    assert!(slope > 0.0, "{slope}");
    // Too few samples to say more.
    assert!(seen.get("backlog_grows").is_none());
    let reader = &result["streams"]["AUDIT"]["consumers"]["reader"];
    assert_eq!(number(reader, "/backlog_max"), 0);
    assert!(reader.get("backlog_max_at_s").is_none());
    let traffic = &result["live"]["observers"]["traffic"];
    assert!(
        number(traffic, "/requests") >= 4 + samples.len() as u64,
        "{traffic}"
    );
    assert!(number(traffic, "/bytes_received") > number(traffic, "/requests"));
    assert_eq!(number(&result, "/live/connections"), 1);
    assert_eq!(reason(&result, "server"), "no --monitor URL was given");
    assert!(reason(&result, "services").contains("answers $SRV.STATS"));
    let ran = run(&[
        "observe",
        "--url",
        &server.url(),
        "--spec",
        &path,
        "--observe-stream",
        "NONE",
    ]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("the stream NONE of --observe-stream cannot be observed: the server replied: stream not found; give one")
    );
}

/// Works on messages of a consumer once so many are there: of every ten, one is handed back once and one is kept.
fn work(port: u16, stream: &str, consumer: &str, wanted: usize) {
    let mut wire = Wire::connect(port);
    loop {
        let info = wire.ask(&format!("$JS.API.STREAM.INFO.{stream}"), "");
        let info: Value = serde_json::from_str(&info).expect("JSON");
        if number(&info, "/state/messages") >= 100 {
            break;
        }
    }
    wire.subscribe("taken");
    let mut take = |said: &str| {
        wire.publish_to(
            &format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            "taken",
        );
        let message = wire.next().expect("a message");
        if !said.is_empty() {
            wire.ask(&message.reply, said);
        }
    };
    for number in 0..wanted {
        match number % 10 {
            0 => {
                take("-NAK");
                take("+ACK");
            }
            1 => take(""),
            _ => take("+ACK"),
        }
    }
}

#[test]
fn what_consumers_did_stands_under_the_names_of_a_simulation() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.*");
    wire.create_consumer("ORDERS", "cast");
    let text = spec(
        "{horizon: 3500ms}",
        "rate: 200/s, do: ask",
        "live: {jetstream: \"orders.{user}\"}",
        FAST,
    );
    let path = saved(&server, "worked.yaml", &text);
    let port = server.port;
    let worker = std::thread::spawn(move || work(port, "ORDERS", "cast", 40));
    let result = observe(&server.url(), &["--spec", &path]);
    worker.join().expect("the work was done");
    let stored = number(&result, "/requests/ok");
    let stream = &result["streams"]["ORDERS"];
    let cast = &stream["consumers"]["cast"];
    for (figure, expected) in [
        ("delivered", 40),
        ("redelivered", 4),
        ("acknowledged", 36),
        ("unfinished_delivered", 4),
        ("unfinished_pending", stored - 40),
        ("pending_max", stored - 40),
        ("backlog_max", stored - 36),
    ] {
        assert_eq!(
            number(cast, &format!("/{figure}")),
            expected,
            "{figure} {cast:#}"
        );
    }
    let figure = |name: &str| {
        cast[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} {cast:#}"))
    };
    assert!(figure("acknowledged_per_s") > 0.0);
    assert!(figure("pending_mean") < figure("pending_max"));
    // A look may fall between a delivery and its acknowledgement.
    assert!((4.0..=5.0).contains(&figure("ack_pending_max")), "{cast:#}");
    assert!(figure("ack_pending_mean") <= 5.0);
    // What nobody sees from outside is absent, and said.
    assert!(stream.get("published").is_none());
    let said = result["not_measured"].to_string();
    for (of, figures) in [
        ("streams.*.", "published,duplicates"),
        (
            "streams.*.consumers.*.",
            "stored,expired,naks,repeated,exhausted,wait_ms,age_ms",
        ),
    ] {
        assert!(said.contains(&format!("{of}{{{figures}}}: ")), "{said}");
        for figure in figures.split(',') {
            assert!(cast.get(figure).is_none(), "{figure} {cast:#}");
        }
    }
    // The report has one table for both worlds.
    let url = server.url();
    let words = ["observe", "--quiet", "--url", &url, "--spec", &path];
    let ran = run(&[&words[..], &["--set", "run.horizon=300ms"]].concat());
    for said in [
        "ack pending",
        "ORDERS/cast",
        "still pending when the run ended",
        "not measured: streams.*.consumers.*.{stored",
        "not measured: streams.ORDERS.consumers.cast.{acknowledged_per_s,pending_mean,ack_pending_mean}: fewer than two samples",
    ] {
        assert!(ran.stdout.contains(said), "{said} in {}", ran.stdout);
    }
}

#[test]
fn what_cannot_be_counted_of_a_consumer_is_said() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.*");
    let settings = "\"filter_subject\":\"orders.1\",\"ack_policy\":\"explicit\"";
    let made = wire.ask(
        "$JS.API.CONSUMER.CREATE.ORDERS.some.orders.1",
        &format!(
            "{{\"stream_name\":\"ORDERS\",\"config\":{{\"durable_name\":\"some\",{settings}}}}}"
        ),
    );
    assert!(!made.contains("\"error\""), "{made}");
    let text = spec(
        "{horizon: 200ms}",
        "rate: 200/s, do: ask",
        "live: {jetstream: \"orders.{user}\"}",
        FAST,
    );
    let path = saved(&server, "filtered.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path]);
    let some = &result["streams"]["ORDERS"]["consumers"]["some"];
    assert_eq!(
        number(some, "/backlog_max"),
        number(some, "/unfinished_pending")
    );
    assert!(some.get("acknowledged").is_none(), "{some:#}");
    let said = result["not_measured"].to_string();
    let entry =
        "streams.ORDERS.consumers.some.{delivered,redelivered,acknowledged}: it has a filter";
    assert!(said.contains(entry), "{said}");
}

#[test]
fn a_promise_on_a_backlog_is_judged_by_what_was_observed() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("orders", "orders.*");
    let text = "blis: 1\nname: promised\nrun: {horizon: 2500ms}\nclients:\n  users: {rate: 100/s, do: ask}\nactions:\n  ask: \
                {path: [{publish: orders}, reply], live: {jetstream: orders.new}}\nstreams:\n  orders: {consumers: {biller: \
                {service: bill, slo: {backlog_growth: 5/s}}}}\nservices:\n  bill: {workers: 4, time: 1ms}\n";
    let path = saved(&server, "promised.yaml", text);
    let judged = |code: i32, status: &str, reason: &str| {
        let words = ["observe", "--quiet", "--json", "--url"];
        let ran = run(&[&words[..], &[&server.url(), "--spec", &path]].concat());
        let result = document(&ran);
        assert_eq!(ran.code, Some(code), "{}", result["verdict"]);
        assert_eq!(result["verdict"]["status"], status);
        let reasons = result["verdict"]["reasons"].to_string();
        assert!(reasons.contains(reason), "{reasons}");
        let backlog = &result["streams"]["orders"]["consumers"]["biller"]["backlog_slope_per_s"];
        let judged = &result["verdict"]["signals"][0]["measured"];
        assert_eq!(backlog, judged, "{result:#}");
        result["not_measured"].to_string()
    };
    // Nobody has the name of the consumer.
    let said = judged(5, "INCONCLUSIVE", "was not measured");
    assert!(
        said.contains("streams: no consumer of the streams was found"),
        "{said}"
    );
    wire.create_consumer("orders", "other");
    let said = judged(5, "INCONCLUSIVE", "was not measured");
    let unseen = "streams.orders.consumers.biller: no consumer of this name was observed";
    assert!(said.contains(unseen), "{said}");
    // It is there, and nobody works on its messages.
    wire.create_consumer("orders", "biller");
    judged(99, "TRIP", "Consumer orders/biller");
}

#[test]
fn the_growth_of_a_backlog_takes_looks_and_messages_to_tell() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("orders", "orders.*");
    wire.create_consumer("orders", "biller");
    let text = "blis: 1\nname: promised\nrun: {horizon: 1500ms}\nclients:\n  users: {rate: 100/s, do: ask}\nactions:\n  ask: \
                {path: [{publish: orders}, reply], live: {jetstream: orders.new}}\nstreams:\n  orders: {consumers: {biller: \
                {service: bill}}}\nservices:\n  bill: {workers: 4, time: 1ms}\n";
    let path = saved(&server, "promised.yaml", text);
    let words = ["observe", "--quiet", "--json", "--slo", "growth", "--url"];
    let ran = run(&[&words[..], &[&server.url(), "--spec", &path]].concat());
    let verdict = &document(&ran)["verdict"];
    assert_eq!(ran.code, Some(5), "{verdict}");
    let reasons = verdict["reasons"].to_string();
    assert!(
        reasons.contains("Consumer orders/biller: its backlog was observed too few times"),
        "{reasons}"
    );
    // Nobody took any of the messages, which are all pending.
    let came = verdict["signals"][0]["samples"].as_u64();
    assert!(came.is_some_and(|came| came > 50), "{verdict}");
}

#[test]
fn what_was_not_observed_is_said() {
    let server = Server::start("");
    let url = server.url();
    let ran = run(&[&["observe", "--quiet", "--url", &url], &FEW[..]].concat());
    for said in [
        "consumers not observed: no `live` action publishes to a stream; give one with --observe-stream",
        "server not observed: no --monitor URL was given",
        "services not observed: no service of the actions answers $SRV.STATS",
        "unanswered: nobody replied in time, as for $SRV.STATS without a NATS service",
    ] {
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
}

#[test]
fn what_may_not_be_asked_is_said_with_its_reason() {
    let server = Server::start(
        "authorization {users: [{user: all, password: secret}, {user: me, password: secret, permissions: {publish: \
         {deny: [\"$SRV.>\", \"$JS.API.CONSUMER.>\"]}}}]}",
    );
    let action = "live: {publish: orders.new}";
    let text = spec("{requests: 10}", "concurrency: 1, do: ask", action, FAST);
    let path = saved(&server, "denied.yaml", &text);
    let me = ["--spec", &path, "--user", "me", "--password", "secret"];
    let result = observe(&server.url(), &me);
    let said = "$SRV.STATS failed: this user may not publish to $SRV.STATS";
    assert_eq!(reason(&result, "services"), said);
    // None of that is of the load.
    assert_eq!(number(&result, "/requests/ok"), 10);
    assert_eq!(result["live"]["reasons"], json!({}));
    assert_eq!(result["live"]["messages"], json!([]));
    let url = server.url();
    let words = [
        &[
            "observe",
            "--quiet",
            "--url",
            &url,
            "--observe-stream",
            "ORDERS",
        ],
        &me[..],
    ]
    .concat();
    let ran = run(&words);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("may read") && ran.stderr.contains("$JS.API.CONSUMER.LIST.ORDERS"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_monitoring_is_read_before_and_after() {
    let server = Server::start("http: \"127.0.0.1:-1\"");
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.*");
    let monitor = format!("http://127.0.0.1:{}", server.monitor.expect("a monitoring"));
    let action = "live: {jetstream: orders.new}, payload: {size: 100B}";
    let text = spec("{requests: 50}", "concurrency: 3, do: ask", action, FAST);
    let path = saved(&server, "watched.yaml", &text);
    let result = observe(&server.url(), &["--spec", &path, "--monitor", &monitor]);
    let watched = &result["live"]["observers"]["server"];
    assert_eq!(watched["monitor"], monitor.trim_start_matches("http://"));
    assert!(number(watched, "/in_msgs") >= 50, "{watched:#}");
    assert!(number(watched, "/in_bytes") >= 5_000, "{watched:#}");
    // The load's three, the observers' and that of the test.
    assert_eq!(number(watched, "/connections_max"), 5);
    assert!(number(watched, "/memory_bytes_max") > 0);
    let jetstream = &watched["jetstream"];
    assert_eq!(number(jetstream, "/messages_before"), 0);
    assert_eq!(number(jetstream, "/messages_after"), 50);
    let with = |monitor: &str| {
        run(&[
            "observe",
            "--quiet",
            "--url",
            &server.url(),
            "--spec",
            &path,
            "--monitor",
            monitor,
        ])
    };
    for (monitor, code, sentence) in [
        (
            "ftp://127.0.0.1:8222",
            2,
            "is not a monitoring URL; give http://HOST:PORT or https://HOST:PORT",
        ),
        ("http://10.1.2.3:8222", 3, "--allow-target 10.1.2.3"),
        (
            "http://127.0.0.1:1",
            4,
            "start the server with http_port, or give another --monitor URL",
        ),
        (
            &server.url().replace("nats", "http"),
            2,
            "is not the monitoring of a NATS server",
        ),
    ] {
        let ran = with(monitor);
        assert_eq!(ran.code, Some(code), "{monitor}: {}", ran.stderr);
        assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    }
    let plain = Server::without_streams("http: \"127.0.0.1:-1\"");
    let monitor = format!("http://127.0.0.1:{}", plain.monitor.expect("a monitoring"));
    let words = [&FEW[..], &["--monitor", &monitor]].concat();
    let result = observe(&plain.url(), &words);
    assert!(
        result["live"]["observers"]["server"]
            .get("jetstream")
            .is_none()
    );
}

#[test]
fn services_tell_what_they_did_in_between() {
    let server = Server::start("");
    let mut service = Wire::connect(server.port);
    service.subscribe("demo.ask");
    service.subscribe("$SRV.STATS");
    // It ends with the server.
    std::thread::spawn(move || {
        let mut done = 10;
        while let Some(message) = service.next() {
            if message.subject == "demo.ask" {
                done += 1;
                service.publish(&message.reply, "answer");
                continue;
            }
            let stats = json!({
                "type": "io.nats.micro.v1.stats_response", "name": "demo", "id": "one", "version": "1.0.0", "endpoints": [
                    {"name": "ask", "subject": "demo.*", "num_requests": done, "num_errors": done / 10,
                     "processing_time": done * 2_000_000, "average_processing_time": 2_000_000},
                    {"name": "other", "subject": "other", "num_requests": done, "num_errors": 0, "processing_time": 0}
                ]
            });
            service.publish(&message.reply, &stats.to_string());
        }
    });
    let ran = run(&[&["observe", "--json", "--url", &server.url()], &FEW[..]].concat());
    let result = document(&ran);
    assert_eq!(number(&result, "/requests/ok"), 20);
    let services = &result["live"]["observers"]["services"];
    let said = &services["demo/ask"]["by_instance"]["one"]["samples"];
    let of = |at: usize| (number(&said[at], "/requests"), number(&said[at], "/errors"));
    assert_eq!((of(0), of(1)), ((10, 1), (30, 3)), "{said:#}");
    let mut services = services.clone();
    services["demo/ask"]["by_instance"] = json!("looked at");
    let expected = json!({"demo/ask": {
        "subject": "demo.*", "actions": ["ask"], "instances": 1, "instances_lost": 0, "requests": 20, "errors": 2,
        "handler_mean_ms": 2.0, "by_instance": "looked at"
    }});
    assert_eq!(services, expected);
}

#[test]
fn a_handler_that_says_less_than_its_work_takes_is_warned_of() {
    let server = Server::start("");
    let mut service = Wire::connect(server.port);
    service.subscribe("demo.ask");
    service.subscribe("$SRV.STATS");
    // Each reply comes with the next request, and its handler says that it took 5 us.
    std::thread::spawn(move || {
        let (mut done, mut held) = (0, None);
        while let Some(message) = service.next() {
            if message.subject == "demo.ask" {
                done += 1;
                if let Some(reply) = held.replace(message.reply) {
                    service.publish(&reply, "answer");
                }
                continue;
            }
            let stats = json!({
                "type": "io.nats.micro.v1.stats_response", "name": "demo\u{1b}[31m", "id": "one", "version": "1.0.0", "endpoints": [
                    {"name": "ask", "subject": "demo.ask", "queue_group": "q", "num_requests": done, "num_errors": 0,
                     "processing_time": done * 5_000, "average_processing_time": 5_000, "data": {"asked": done}}
                ]
            });
            service.publish(&message.reply, &stats.to_string());
        }
    });
    let text = spec(
        "{horizon: 600ms, warmup: 200ms, drain: 100ms}",
        "rate: 100/s, do: ask, timeout: 300ms",
        "live: {request: demo.ask}",
        FAST,
    );
    let (path, url) = (saved(&server, "short.yaml", &text), server.url());
    let words = ["observe", "--url", &url, "--spec", &path, "--quiet"];
    let ran = run(&words);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "[31m/ask: warning: mean handler time is 5.000 us, but replies took",
        "do not use this handler time as a service time",
    ] {
        assert!(text.contains(part), "no {part} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "{:?}", ran.stdout);
    let result = document(&run(&[&words[..], &["--json"]].concat()));
    let services = &result["live"]["observers"]["services"];
    let one = &services["demo\u{1b}[31m/ask"]["by_instance"]["one"];
    assert_eq!(one["queue_group"], "q");
    let samples = one["samples"].as_array().expect("samples");
    // Start, end of the warm-up and end.
    assert_eq!(samples.len(), 3, "{one:#}");
    for sample in samples {
        assert_eq!(sample["data"]["asked"], sample["requests"], "{one:#}");
    }
    let warmed = samples[1]["at_s"].as_f64().expect("an instant");
    assert!((0.2..0.6).contains(&warmed), "{warmed}");
    let way = result["live"]["observers"]["server_round_trip_ms"].as_f64();
    assert!(way.is_some_and(|way| way > 0.0 && way < 1e3), "{way:?}");
}
