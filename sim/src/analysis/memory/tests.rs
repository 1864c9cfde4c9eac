//! Memories of queues that are known.

use super::*;
use crate::spec;

/// The memory of one service that Poisson arrivals ask.
fn of(rate: &str, service: &str) -> Memory {
    of_client(
        &format!("{{rate: {rate}/s, do: ask, timeout: 2s}}"),
        service,
    )
}

fn of_client(client: &str, service: &str) -> Memory {
    let text = format!(
        "
blis: 1
name: memory
run: {{horizon: 60s}}
clients: {{feed: {client}}}
actions: {{ask: {{path: [{{visit: api}}, reply]}}, idle: {{path: [{{visit: rest}}, reply]}}}}
services: {{api: {{{service}}}, rest: {{workers: 1, time: 10ms}}}}
"
    );
    memory_of(&text)
}

fn memory_of(text: &str) -> Memory {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:#?}"));
    crate::analysis::memory_of(&lowered.model)
}

#[track_caller]
fn is(memory: &Memory, seconds: f64) {
    match memory.line(Line::Service(0)) {
        LineMemory::Seconds(own) if (own / seconds - 1.0).abs() < 1e-6 => {}
        other => panic!("{other:?} is not {seconds} s"),
    }
}

const MM: &str = "time: {exponential: {mean: 10ms}}";

#[test]
fn a_line_remembers_longer_the_busier_its_workers_are() {
    is(&of("90", &format!("workers: 1, {MM}")), 1.0);
    is(&of("80", &format!("workers: 1, {MM}")), 0.25);
    is(&of("380", &format!("workers: 4, {MM}")), 1.0);
    // Service times that do not vary make half of it.
    is(&of("90", "workers: 1, time: 10ms"), 0.5);
    // Where members have queues of their own, each has its share.
    let members = format!("members: 4, workers: 1, dispatch: random, {MM}");
    is(&of("380", &members), 4.0);
    // Where nothing waits, the workers remember.
    is(&of("1", &format!("workers: 1000, {MM}")), 0.0025);
}

#[test]
fn a_line_that_grows_has_no_memory_unless_something_bounds_it() {
    let full = format!("workers: 1, {MM}");
    let grows = of("120", &full);
    assert!(
        matches!(grows.line(Line::Service(0)), LineMemory::Grows(load) if (load - 1.2).abs() < 1e-9)
    );
    assert!(matches!(
        grows.of_all(),
        Longest::Grows(_, Line::Service(0))
    ));
    assert_eq!(
        grows.of_actions(std::iter::once(1)),
        Longest::Seconds(0.0, None)
    );
    is(&of("100", &format!("{full}, queue: {{limit: 9}}")), 1.0);
    is(&of("120", &format!("{full}, queue: {{limit: 9}}")), 0.25);
    // Who leaves after two seconds bounds it too.
    is(&of("100.1", &format!("{full}, on_timeout: leave")), 2.0);
}

#[test]
fn closed_users_bound_a_line() {
    let users = |think: &str| format!("{{concurrency: 10, think: {think}, do: ask}}");
    // 10 users, 10 ms and 90 ms: 100/s would fill the worker, and 10 may be present.
    is(
        &of_client(&users("90ms"), &format!("workers: 1, {MM}")),
        1.0,
    );
    // At most 50/s: half of the worker.
    is(
        &of_client(&users("190ms"), &format!("workers: 1, {MM}")),
        0.04,
    );
}

#[test]
fn what_changes_over_time_is_told() {
    assert_eq!(of("90", &format!("workers: 1, {MM}")).changes(), None);
    let outage = format!("workers: 1, {MM}, outages: [{{from: 1s, to: 2s}}]");
    assert_eq!(of("90", &outage).changes(), Some("outages"));
}

#[test]
fn a_window_that_binds_before_the_workers_grows() {
    let backlog = |rate: &str, path: &str, window: u32| {
        let text = format!(
            "
blis: 1
name: window
run: {{horizon: 60s}}
clients: {{c: {{{rate}, do: a}}}}
actions: {{a: {{path: [{{publish: q}}, {{delay: 100ms}}{path}]}}}}
services: {{w: {{workers: 8, time: 100ms}}}}
streams: {{q: {{consumers: {{c: {{service: w, max_ack_pending: {window}}}}}}}}}
"
        );
        memory_of(&text)
    };
    let grows = backlog("rate: 40/s", ", reply", 3);
    let load = |memory: &Memory| match memory.line(Line::Consumer(0)) {
        LineMemory::Grows(load) => Some(load),
        LineMemory::Seconds(_) => None,
    };
    assert!(load(&grows).is_some_and(|load| (load - 4.0 / 3.0).abs() < 1e-9));
    // The reply does not wait for the consumer.
    let of_reply = |memory: &Memory| memory.of_actions(std::iter::once(0));
    assert_eq!(of_reply(&grows), Longest::Seconds(0.0, None));
    let answered = backlog("rate: 40/s", ", {visit: w}, reply", 3);
    assert_eq!(answered.of_all(), of_reply(&answered));
    assert!(matches!(
        grows.of_all(),
        Longest::Grows(_, Line::Consumer(0))
    ));
    // The workers behind the window do not: half of them are enough.
    assert!(matches!(
        grows.of_services(std::iter::once(0)),
        Longest::Seconds(..)
    ));
    // 27 of 30: 100 ms / (3 x 0.01).
    let below = backlog("rate: 27/s", ", reply", 3).line(Line::Consumer(0));
    assert!(
        matches!(below, LineMemory::Seconds(own) if (own - 10.0 / 3.0).abs() < 1e-6),
        "{below:?}"
    );
    // Users who do not wait for the consumer are not held back by it: 4 of 100 ms each offer 40/s.
    let closed = backlog("concurrency: 4", ", reply", 3);
    assert!(load(&closed).is_some_and(|load| (load - 4.0 / 3.0).abs() < 1e-9));
}

/// A slow service that works after the reply, on such paths.
#[test]
fn what_works_after_a_reply_counts_where_the_reply_depends_on_it() {
    let of = |action: &str| {
        memory_of(&format!(
            "
blis: 1
name: after
run: {{horizon: 60s}}
clients: {{c: {{rate: 90/s, do: a}}}}
actions: {{a: {{{action}}}}}
services: {{api: {{workers: 4, time: 1ms}}, slow: {{workers: 1, {MM}}}, fast: {{workers: 9, time: 1ms}}}}
"
        ))
    };
    let counts = |action: &str| {
        let memory = of(action);
        memory.of_actions(std::iter::once(0)) == memory.of_all()
    };
    assert!(!counts("path: [{visit: api}, reply, {visit: slow}]"));
    assert!(counts("path: [{visit: api}, {visit: slow}, reply]"));
    // A worker of the first service is held until the slow one is done, alone or in a fork.
    assert!(counts(
        "path: [{visit: {service: api, during: [reply, {visit: slow}]}}]"
    ));
    assert!(counts(
        "path: [{visit: {service: api, during: [reply, {parallel: {paths: [[{visit: slow}], [{visit: fast}]]}}]}}]"
    ));
    // It works before the replies of some requests, too.
    assert!(counts(
        "path: [{branch: [{weight: 1, path: [{visit: slow}, reply]}, {weight: 1, path: [{visit: api}, reply, {visit: slow}]}]}]"
    ));
}

#[test]
fn a_limit_of_requests_in_flight_bounds_lines_or_makes_one() {
    let of = |policy: &str, timeout: &str| {
        let text = "
blis: 1
name: cap
run: {horizon: 300s}
clients: {c: {rate: 120/s, TIMEOUT do: a}}
actions: {a: {path: [{visit: s}, reply]}}
services: {s: {workers: 1, time: {exponential: {mean: 10ms}}}}
max_in_flight: {limit: 50, policy: POLICY}
";
        let text = text.replace("POLICY", policy);
        memory_of(&text.replace("TIMEOUT", timeout)).of_all()
    };
    // What is dropped is in no queue: 10 ms / (1 - 1.2)^2, as with a queue limit.
    let dropped = of("drop", "");
    assert!(
        matches!(dropped, Longest::Seconds(memory, Some(Line::Service(0))) if (memory - 0.25).abs() < 1e-9),
        "{dropped:?}"
    );
    // What was given up stays in the queue, and others follow it there: 50 take 0.5 s.
    assert!(matches!(
        of("drop", "timeout: 990ms,"),
        Longest::Grows(_, Line::Service(0))
    ));
    assert_eq!(of("drop", "timeout: 1s,"), dropped);
    // What is held back waits outside, without end.
    assert!(matches!(
        of("delay", ""),
        Longest::Grows(_, Line::Service(0))
    ));
}

#[test]
fn what_one_client_holds_back_is_a_line_of_its_actions_alone() {
    let text = "
blis: 1
name: cap
run: {horizon: 300s}
clients:
  feed: {rate: 200/s, do: a, max_in_flight: {limit: 1, policy: delay}}
  more: {MORE, do: b}
actions: {a: {path: [{visit: s}, reply]}, b: {path: [{visit: s}, reply]}}
services: {s: {workers: 1000, time: 1s}}
";
    for more in ["rate: 1/s", "concurrency: 1"] {
        let memory = memory_of(&text.replace("MORE", more));
        let [a, b] = [0, 1].map(|action| memory.of_actions(std::iter::once(action)));
        assert!(
            matches!(a, Longest::Grows(load, Line::Room(Some(0))) if (load - 200.0).abs() < 1e-9),
            "{a:?}"
        );
        assert!(
            matches!(b, Longest::Seconds(_, Some(Line::Service(0)))),
            "{b:?}"
        );
    }
}

#[test]
fn what_is_held_back_is_a_line_of_its_own() {
    let text = "
blis: 1
name: cap
run: {horizon: 300s}
clients: {c: {rate: RATE/s, do: a}}
actions: {a: {path: [{visit: s}, {visit: t}, reply]}}
services: {s: {workers: 1, time: 10ms}, t: {workers: 1, time: 10ms}}
max_in_flight: {limit: 1, policy: delay}
";
    // One at a time of 20 ms each: 50/s, whatever the services carry.
    let grows = memory_of(&text.replace("RATE", "70")).of_all();
    assert!(
        matches!(grows, Longest::Grows(load, Line::Room(None)) if (load - 1.4).abs() < 1e-9),
        "{grows:?}"
    );
    let below = memory_of(&text.replace("RATE", "45")).of_all();
    assert!(
        matches!(below, Longest::Seconds(memory, Some(Line::Room(None))) if (memory - 2.0).abs() < 1e-9),
        "{below:?}"
    );
}

#[test]
fn what_slows_workers_down_counts() {
    // Four at work take 1 + 0.3 x 3 times as long: 210.5/s.
    let slow = "workers: 4, time: 10ms, slower_when_busy: {usl: {contention: 0.3, coherency: 0}}";
    let grows = of("320", slow).line(Line::Service(0));
    assert!(
        matches!(grows, LineMemory::Grows(load) if (load - 1.52).abs() < 1e-9),
        "{grows:?}"
    );
    // Half of the time nothing is served.
    let out = "workers: 1, time: 10ms, outages: [{from: 10s, to: 40s}]";
    assert!(matches!(
        of("60", out).line(Line::Service(0)),
        LineMemory::Grows(_)
    ));
}

#[test]
fn retries_are_told() {
    let client = "{rate: 90/s, do: ask, timeout: 100ms, on_failure: {retry: {times: 3}}}";
    let told = of_client(client, &format!("workers: 1, {MM}")).changes();
    assert!(
        told.is_some_and(|what| what.starts_with("retries")),
        "{told:?}"
    );
}
