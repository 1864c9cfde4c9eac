//! Verdicts: what trips, what stays open, how near a limit is, and objectives from the command line.

use serde_json::Value;

use crate::support::{Ran, at, count, number, shipped, with_stdin, words};

/// A spec of one client at a constant 100/s whose requests take this path, with these objectives.
fn spec(requests: u64, path: &str, slo: &str) -> String {
    format!(
        "{{blis: 1, name: judged, run: {{requests: {requests}}}, clients: {{c: {{rate: 100/s, arrival: constant, do: a, \
         timeout: 10s}}}}, actions: {{a: {{path: {path}, slo: {slo}}}}}, services: {{s: {{workers: 1, time: 1ms}}}}}}"
    )
}

fn run(text: &str) -> Ran {
    with_stdin("run --spec -", text)
}

fn signal(text: &str) -> (Option<i32>, Value) {
    let ran = with_stdin("run --json --spec -", text);
    let signal = at(&ran.json(), "verdict.signals")[0].clone();
    (ran.code, signal)
}

const FAILS: &str = "[{visit: s}, {fail: app_error}]";

#[test]
fn a_total_outage_trips_however_few_requests_there_are() {
    for requests in [1, 2, 999, 1000] {
        for slo in ["{errors: 1%}", "{p99: 50ms}", "{p95: 50ms, errors: 100%}"] {
            let ran = run(&spec(requests, FAILS, slo));
            assert_eq!(ran.code, Some(99), "{requests} {slo}\n{}", ran.stdout);
            assert!(
                ran.stdout.contains("no request was answered"),
                "{}",
                ran.stdout
            );
        }
    }
    let (_, signal) = signal(&spec(999, FAILS, "{errors: 1%}"));
    assert_eq!(at(&signal, "standing"), "over");
    assert_eq!(count(&signal, "failed"), 999);
    assert_eq!(count(&signal, "allowed"), 9);
    // Where all parts are alike, they do not tell how far requests depend on one another.
    assert_eq!(signal.get("share_over_ci95"), None);
}

#[test]
fn failures_that_few_requests_prove_trip_and_others_stay_open() {
    // Two in five fail.
    let many = "[{branch: [{weight: 2, path: [{fail: app_error}]}, {weight: 3, path: [reply]}]}]";
    let ran = run(&spec(300, many, "{errors: 1%}"));
    assert_eq!(ran.code, Some(99), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("an exact test (5 %) rules out that the objective is met"),
        "{}",
        ran.stdout
    );
    // About one in 300 fails.
    let few = "[{branch: [{weight: 1, path: [{fail: app_error}]}, {weight: 299, path: [reply]}]}]";
    let (code, signal) = signal(&spec(300, few, "{errors: 1%}"));
    assert_eq!(
        (code, at(&signal, "standing")),
        (Some(5), &Value::from("too_few"))
    );
    assert_eq!(count(&signal, "more_needed"), 700);
    let ran = run(&spec(300, few, "{errors: 1%}"));
    assert!(
        ran.stdout
            .contains("700 more requests in time would decide it; lengthen the run"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_quantile_objective_is_about_requests() {
    // Half fail; those that are answered take no time.
    let half = "[{branch: [{weight: 1, path: [{fail: app_error}]}, {weight: 1, path: [reply]}]}]";
    let (code, alone) = signal(&spec(2_000, half, "{p99: 50ms}"));
    assert_eq!(
        (code, at(&alone, "standing")),
        (Some(99), &Value::from("over"))
    );
    let failed = count(&alone, "failed");
    assert!((900..1100).contains(&failed), "{failed}");
    assert_eq!(
        (count(&alone, "slow"), count(&alone, "samples")),
        (0, 2_000)
    );
    assert_eq!(
        (count(&alone, "allowed"), number(&alone, "measured")),
        (20, 0.0)
    );
    let summary = at(&alone, "summary")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let thousands = match failed {
        0..1000 => failed.to_string(),
        _ => format!("1,{:03}", failed - 1000),
    };
    let parts = format!(
        ": {thousands} of 2,000 failed, which counts as over, and 0 exceeded it; 20 allowed ("
    );
    assert!(summary.contains(&parts), "{summary}");
    // With an objective of their own, failures are judged by that.
    let (code, beside) = signal(&spec(4_000, half, "{p99: 50ms, errors: 90%}"));
    assert_eq!(
        (code, at(&beside, "standing")),
        (Some(0), &Value::from("within"))
    );
    assert!((1_900..2_100).contains(&count(&beside, "samples")));
    assert_eq!(beside.get("failed"), None);
}

#[test]
fn what_timed_out_is_counted_once() {
    let text = spec(1_500, "[{visit: s}, reply]", "{p90: 5ms}")
        .replace("timeout: 10s", "timeout: 8ms")
        .replace("time: 1ms", "time: {uniform: {min: 1ms, max: 15ms}}");
    let ran = with_stdin("run --json --spec -", &text);
    let document = ran.json();
    let signal = &at(&document, "verdict.signals")[0];
    let (failed, slow) = (count(signal, "failed"), count(signal, "slow"));
    assert_eq!(failed, count(&document, "window.requests.timed_out"));
    assert!(failed > 0 && slow > 0 && slow <= count(&document, "window.requests.ok"));
    assert_eq!(count(signal, "samples"), 1_500);
}

#[test]
fn a_pass_shows_its_objectives_and_how_near_they_are() {
    let ran = run(&spec(
        2_000,
        "[{visit: s}, reply]",
        "{p95: 50ms, errors: 1%}",
    ));
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let verdict = "  verdict     PASS\n              Action a: p95 1 ms is within its objective of 50 ms: 0 of 2,000 \
                   exceeded it; 100 allowed (0 %).\n              Action a: errors are \
                   within their objective of 1 %: 0 of 2,000 failed; 20 allowed";
    assert!(ran.stdout.contains(verdict), "{}", ran.stdout);
    // One in a hundred fails, and one in a hundred may.
    let near = "[{branch: [{weight: 1, path: [{fail: app_error}]}, {weight: 99, path: [reply]}]}]";
    let ran = run(&spec(5_000, near, "{errors: 1%}"));
    assert!(
        ran.stdout.contains("; near the objective: "),
        "{}",
        ran.stdout
    );
}

#[test]
fn objectives_of_the_command_line_replace_those_they_name() {
    let document = |flags: &str| {
        let ran = words(&format!("run --json --rate 50 {flags}"));
        (ran.code, ran.json())
    };
    let (code, given) = document("--slo p95=5ms --slo ask:errors=2%,p95=200ms");
    assert_eq!(code, Some(0));
    let setting = |key: &str| {
        let setting = &at(&given, "configuration")[key];
        (setting["value"].clone(), setting["source"].clone())
    };
    let of = |value: &str, source: &str| (Value::from(value), Value::from(source));
    assert_eq!(setting("actions.ask.slo.p95"), of("200ms", "--slo"));
    assert_eq!(setting("actions.ask.slo.errors"), of("0.02", "--slo"));
    assert_eq!(setting("actions.ask.slo.p99"), of("250ms", "spec"));
    let (code, _) = document("--slo p50=1us,p95=5ms");
    assert_eq!(code, Some(99));
    let spec = shipped("branches.yaml");
    let ran = words(&format!("run --spec {} --slo p50=1h", spec.display()));
    assert!(ran.stdout.contains("  verdict     PASS"), "{}", ran.stdout);
}

#[test]
fn objectives_that_are_not_accepted_say_what_is() {
    for (flags, told) in [
        (
            "--slo p97=1ms",
            "the limits are `p50`, `p90`, `p95`, `p99`, `p999` or `errors`",
        ),
        ("--slo p95", "such as p95=100ms,errors=0.1%"),
        (
            "--slo p95=100",
            "a duration is a number with one of the units",
        ),
        (
            "--slo aks:p95=1ms",
            "did you mean `ask`? the actions are `ask`",
        ),
        ("--slo p95=1ms --slo p95=2ms", "give it once"),
        (
            "--slo p95=1ms --set actions.ask.slo.p95=2ms",
            "both set p95; use one of them",
        ),
        ("--slo p99=1ms", "below `p95`"),
    ] {
        let ran = words(&format!("run {flags}"));
        assert_eq!(ran.code, Some(2), "{flags}: {ran:?}");
        let flat = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(told), "{flags}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn overload_is_said_first_in_text_and_markdown() {
    // 100/s offered; one worker carries 80/s.
    let text = spec(6_000, "[{visit: s}, reply]", "{p95: 1h}")
        .replace("time: 1ms", "time: 12.5ms")
        .replace("timeout: 10s", "timeout: 1h");
    let ran = run(&text);
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "OVERLOAD: offered 100.0 requests/s, answered 79.98/s, falling behind by 20.02/s"
    );
    let markdown = with_stdin("run --format markdown --spec -", &text).stdout;
    let overload = markdown.find("OVERLOAD: offered");
    let bounded = markdown.find("bounded by");
    assert!(overload.is_some() && overload < bounded, "{markdown}");
    let document = with_stdin("run --json --spec -", &text).json();
    assert!((number(&document, "offered_rps") - 100.0).abs() < 0.1);
    assert!((number(&document, "falling_behind_rps") - 20.0).abs() < 0.1);
    // Errors are answers of a kind, and a start with empty queues is no overload.
    for calm in [
        spec(6_000, FAILS, "{errors: 100%}"),
        spec(60, "[{visit: s}, reply]", "{p95: 1h}")
            .replace("workers: 1, time: 1ms", "workers: 99, time: 300ms"),
    ] {
        let ran = run(&calm);
        assert!(ran.stdout.starts_with("  verdict     "), "{}", ran.stdout);
    }
}

#[test]
fn an_objective_of_an_action_that_nobody_asks_for_stays_open() {
    for (slo, of, limits) in [
        ("{errors: 1%}", "Action b: ", 1),
        ("{p99: 50ms}", "Action b: ", 1),
        ("{p95: 50ms, p99: 50ms, errors: 1%}", "Action b: ", 3),
        ("{overall: {errors: 1%}}", "Action b over all tries: ", 1),
        (
            "{overall: {p95: 50ms, p99: 50ms}}",
            "Action b over all tries: ",
            2,
        ),
    ] {
        let text = spec(60, "[{visit: s}, reply]", "{errors: 50%}").replace(
            "}, services:",
            &format!(", b: {{path: [{{visit: s}}, reply], slo: {slo}}}}}, services:"),
        );
        let ran = with_stdin("run --json --spec -", &text);
        assert_eq!(ran.code, Some(5), "{slo}: {}", ran.stderr);
        let reasons = at(&ran.json(), "verdict.reasons").clone();
        let reasons = reasons.as_array().cloned().unwrap_or_default();
        assert_eq!(reasons.len(), limits, "{slo}: {reasons:?}");
        for reason in reasons.iter().filter_map(Value::as_str) {
            assert!(reason.starts_with(of), "{slo}: {reason}");
            assert!(reason.contains("not measured"), "{slo}: {reason}");
        }
    }
}

#[test]
fn overload_is_said_however_short_the_load_is_within_its_horizon() {
    // 1,300/s offered; one worker carries 1,026/s. The rows of ten minutes are 10 s wide, and the load ends after 15.4 s.
    let text = |drain: &str| {
        spec(20_000, "[{visit: s}, reply]", "{p95: 1h}")
            .replace(
                "requests: 20000",
                &format!("requests: 20000, horizon: 10m, drain: {drain}"),
            )
            .replace("rate: 100/s", "rate: 1300/s")
            .replace("time: 1ms", "time: 975us")
    };
    // The last row ends with the run, or with a drain that is no part of the window.
    for drain in ["0s", "30s"] {
        let ran = run(&text(drain));
        let first = ran.stdout.lines().next().unwrap_or_default();
        assert_eq!(
            first,
            "OVERLOAD: offered 1,300 requests/s, answered 1,026/s, falling behind by 274.4/s",
            "{drain}"
        );
    }
}

/// M/M/4/4 at three quarters of what it can carry, which refuses a fifth (Erlang's loss formula: 20.6 %).
#[test]
fn a_steady_loss_system_is_no_overload() {
    let text = spec(60_000, "[{visit: s}, reply]", "{errors: 50%}")
        .replace("rate: 100/s", "rate: 300/s")
        .replace(
            "workers: 1, time: 1ms",
            "workers: 4, queue: {limit: 0}, time: {exponential: {mean: 10ms}}",
        )
        .replace("arrival: constant", "arrival: poisson");
    let ran = run(&text);
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("offered ") && first.ends_with(" of 60,000 requests were refused"),
        "{first}"
    );
    let document = with_stdin("run --json --spec -", &text).json();
    assert_eq!(document.get("falling_behind_rps"), None);
    let refused = number(&document, "requests.rejected") / 60_000.0;
    assert!((refused - 0.2061).abs() < 0.01, "{refused}");
}

#[test]
fn lost_replies_are_no_overload_of_a_service_that_has_time() {
    // One reply in ten comes after its client has given up; the service is 2 % loaded.
    let path =
        "[{visit: s}, {branch: [{weight: 9, path: []}, {weight: 1, path: [{delay: 1s}]}]}, reply]";
    let lost = spec(6_000, path, "{errors: 50%}")
        .replace("timeout: 10s", "timeout: 100ms")
        .replace("workers: 1", "workers: 4");
    let ran = run(&lost);
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "offered 100.0 requests/s, answered 89.98/s: 600 of 6,000 requests timed out"
    );
    let document = with_stdin("run --json --spec -", &lost).json();
    assert_eq!(document.get("falling_behind_rps"), None);
    // Those of a service that cannot carry its load are, and so are those of one that only retries load to the full.
    let slow = lost.replace("workers: 4, time: 1ms", "workers: 1, time: 12.5ms");
    let retried = lost
        .replace("workers: 4, time: 1ms", "workers: 1, time: 9.5ms")
        .replace(
            "timeout: 100ms",
            "timeout: 100ms, on_failure: {retry: {times: 3}}",
        );
    for overloaded in [slow, retried] {
        let ran = run(&overloaded);
        assert!(ran.stdout.starts_with("OVERLOAD: "), "{}", ran.stdout);
    }
}
