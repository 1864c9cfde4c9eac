//! `blis run`: the main job, what each flag changes, and what the exit code says.

use serde_json::Value;

use crate::support::{at, blis, count, json, number, shipped, with_stdin, words};

const MAIN: &str = "--concurrency 50 --think-time-ms 500";

#[test]
fn the_main_command_reports_every_section() {
    let ran = words(&format!("run {MAIN}"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout.starts_with("  verdict     PASS\n"),
        "{}",
        ran.stdout
    );
    let sections = [
        "\n  throughput ",
        "\n  response ",
        "p99.9",
        "\n  ± 95 % ",
        "\nbounded by horizon 60s (embedded quickstart; change it with --horizon or --num-requests)\n",
        "quickstart, seed 42: ",
        "window: ",
        "\n  intervals   95 %, from 10 batches of the run\n",
        "\n  outcomes ",
        "\n  sessions ",
        "\n  service  workers ",
        "\n  api ",
        "\n  limit       api limits the system: its workers carry 400.0 requests/s",
        "\n  theory: M/M/4//50 ",
        " exact ",
        " simulated ",
        "\n    mean response ",
    ];
    let mut rest = ran.stdout.as_str();
    for section in sections {
        let at = rest
            .find(section)
            .unwrap_or_else(|| panic!("no {section:?} in its place in\n{}", ran.stdout));
        rest = &rest[at..];
    }
}

#[test]
fn the_report_names_what_bounds_the_run() {
    let first = |line: &str| {
        let ran = words(line);
        let mut lines = ran.stdout.lines();
        lines
            .find(|line| line.starts_with("bounded by"))
            .map(str::to_owned)
    };
    let of = "(embedded quickstart; change it with --horizon or --num-requests)";
    let expected = |bound: &str| Some(format!("bounded by {bound} {of}"));
    assert_eq!(
        first("run"),
        expected("horizon 60s and a budget of 5000 requests, whichever comes first")
    );
    assert_eq!(first("run --rate 50"), expected("horizon 60s"));
    assert_eq!(
        first(&format!("run {MAIN} --horizon 90s")),
        expected("horizon 90s")
    );
    let spec = shipped("branches.yaml");
    let line = format!("run --spec {}", spec.display());
    assert_eq!(
        first(&line),
        Some(format!(
            "bounded by a budget of 10000 requests ({})",
            spec.display()
        ))
    );
}

#[test]
fn the_report_and_the_document_agree() {
    let report = words(&format!("run {MAIN}")).stdout;
    let result = json(MAIN);
    let throughput = format!("  throughput  {:.2} ± ", number(&result, "throughput_rps"));
    let quantile = format!("p95 {:.2} ms", number(&result, "latency_ms.response.p95"));
    let busy = format!(
        "requests/s, {:.1} % busy",
        100.0 * number(&result, "services.api.utilisation")
    );
    let sessions = format!(
        "{} started: {} horizon_interrupted",
        count(&result, "sessions.started"),
        count(&result, "sessions.horizon_interrupted")
    );
    for figure in [throughput, quantile, busy, sessions] {
        assert!(report.contains(&figure), "no {figure:?} in\n{report}");
    }
}

#[test]
fn concurrency_is_the_number_of_closed_users() {
    let result = json("--concurrency 7 --think-time-ms 100");
    assert_eq!(count(&result, "sessions.started"), 7);
    assert_eq!(count(&result, "sessions.horizon_interrupted"), 7);
    let in_flight = at(&result, "series").as_array().expect("rows");
    assert!(in_flight.iter().all(|row| count(row, "in_flight") <= 7));
    // The interactive response time law: N = X (R + Z).
    let cycle = 0.1 + number(&result, "latency_ms.response.mean") / 1e3;
    let users = number(&result, "throughput_rps") * cycle;
    assert!((users - 7.0).abs() < 0.07, "{users}");
}

#[test]
fn a_think_time_in_milliseconds_is_constant_and_lowers_the_load() {
    // One user who never waits: with constant think time the cycle is the service time and the think time.
    let result = json("--concurrency 1 --think-time-ms 62.5");
    let cycle = 0.0625 + number(&result, "latency_ms.response.mean") / 1e3;
    let rate = number(&result, "throughput_rps");
    assert!((rate * cycle - 1.0).abs() < 0.01, "{rate} {cycle}");
    let setting = at(&result, "configuration")
        .get("clients.users.think")
        .expect("the think time is recorded");
    assert_eq!(
        (at(setting, "value"), at(setting, "source")),
        (&Value::from("62500us"), &Value::from("--think-time-ms"))
    );
    let without = json("--concurrency 50 --think-time-ms 0");
    let busy = number(&without, "services.api.utilisation");
    assert!(
        busy > 0.999,
        "without think time all workers are busy: {busy}"
    );
}

#[test]
fn a_rate_makes_an_open_client() {
    let result = json("--rate 200/s");
    let sent = count(&result, "requests.intended");
    // Poisson arrivals over 60 s: mean 12,000, standard deviation 110.
    assert!((11_500..12_500).contains(&sent), "{sent}");
    assert_eq!(count(&result, "sessions.started"), sent);
    assert_eq!(count(&result, "sessions.completed"), sent);
    for same in ["200", "0.2k/s", "12k/m"] {
        assert_eq!(
            at(&json(&format!("--rate {same}")), "latency_ms"),
            at(&result, "latency_ms"),
            "{same}"
        );
    }
}

#[test]
fn a_budget_is_exact() {
    let counts = |line: &str| {
        let result = json(line);
        (
            count(&result, "requests.intended"),
            count(&result, "sessions.started"),
            at(&result, "ended_by").clone(),
        )
    };
    let budget = Value::from("budget");
    assert_eq!(
        counts("--concurrency 50 --num-requests 500"),
        (500, 50, budget.clone())
    );
    assert_eq!(
        counts("--concurrency 200 --think-time-ms 500 --num-requests 100 --warmup 0s"),
        (100, 100, budget.clone())
    );
    assert_eq!(
        counts("--rate 100 --num-requests 1 --warmup 0s"),
        (1, 1, budget)
    );
}

#[test]
fn a_horizon_ends_the_load_and_the_window() {
    let result = json(&format!("{MAIN} --horizon 20s"));
    assert_eq!(at(&result, "ended_by"), "horizon");
    assert_eq!(number(&result, "window.measured_s"), 18.0);
    let simulated = number(&result, "simulated_s");
    assert!((20.0..21.0).contains(&simulated), "{simulated}");
    let rows = at(&result, "series").as_array().expect("rows");
    let late = rows.iter().filter(|row| number(row, "start_s") > 20.0);
    assert!(
        late.map(|row| count(row, "requests.intended"))
            .all(|sent| sent == 0)
    );
}

#[test]
fn whichever_limit_comes_first_ends_the_load() {
    let ended = |line: &str| at(&json(line), "ended_by").clone();
    assert_eq!(
        ended(&format!("{MAIN} --num-requests 5000 --horizon 60s")),
        "budget"
    );
    assert_eq!(
        ended(&format!("{MAIN} --num-requests 50000 --horizon 60s")),
        "horizon"
    );
}

#[test]
fn a_bound_that_is_given_replaces_those_of_the_embedded_spec() {
    let bounds = |line: &str| {
        let result = json(line);
        let settings = at(&result, "configuration").as_object().expect("settings");
        let there = |key: &str| settings.contains_key(key);
        let ended_by = at(&result, "ended_by").as_str().map(str::to_owned);
        (
            there("run.requests"),
            there("run.horizon"),
            ended_by.expect("a word"),
            count(&result, "requests.intended"),
        )
    };
    let budget = |sent| (true, false, "budget".to_owned(), sent);
    assert_eq!(bounds("--num-requests 20000"), budget(20_000));
    assert_eq!(bounds("--set run.requests=6k --warmup 1s"), budget(6_000));
    for flag in ["--horizon 90s", "--set run.horizon=90s"] {
        let (requests, horizon, ended_by, sent) = bounds(flag);
        assert_eq!(
            (requests, horizon, ended_by.as_str()),
            (false, true, "horizon")
        );
        assert!(sent > 8_000, "{sent}");
    }
    let both = bounds("--num-requests 20000 --horizon 10s");
    assert_eq!((both.0, both.1, both.2.as_str()), (true, true, "horizon"));
    // A spec of the user's own keeps what it says.
    let spec = format!(
        "--spec {} --num-requests 300k",
        shipped("quickstart.yaml").display()
    );
    let (requests, horizon, ended_by, _) = bounds(&spec);
    assert_eq!(
        (requests, horizon, ended_by.as_str()),
        (true, true, "horizon")
    );
}

#[test]
fn a_load_that_is_empty_by_chance_is_inconclusive() {
    let case = tempfile::tempdir().expect("a folder");
    let path = case.path().join("quiet.yaml");
    let text = "blis: 1\nname: quiet\nrun: {horizon: 10s}\nclients: {a: {rate: 1/h, do: ask}}\n\
                actions: {ask: {path: [reply]}}\n";
    std::fs::write(&path, text).expect("a spec");
    let ran = words(&format!("run --spec {}", path.display()));
    assert_eq!(ran.code, Some(5), "{}", ran.stdout);
    assert!(ran.stdout.contains("INCONCLUSIVE"), "{}", ran.stdout);
}

#[test]
fn a_timeout_ends_requests_at_its_age() {
    let result = json(&format!("{MAIN} --timeout 5ms"));
    assert!(count(&result, "window.requests.timed_out") > 1000);
    assert_eq!(number(&result, "latency_ms.response.max"), 5.0);
    assert_eq!(
        count(&result, "latency_ms.response.censored"),
        count(&result, "window.requests.timed_out")
    );
}

#[test]
fn a_warmup_moves_the_start_of_the_window_and_nothing_else() {
    let (short, long) = (json(MAIN), json(&format!("{MAIN} --warmup 20s")));
    assert_eq!(number(&long, "window.warmup_s"), 20.0);
    assert_eq!(number(&long, "window.measured_s"), 40.0);
    assert_eq!(at(&long, "requests"), at(&short, "requests"));
    assert!(count(&long, "window.requests.intended") < count(&short, "window.requests.intended"));
}

#[test]
fn a_seed_decides_every_byte() {
    let run = |line: &str| words(&format!("run --json {line}")).stdout;
    let first = run(MAIN);
    assert_eq!(run(MAIN), first);
    let other = run(&format!("{MAIN} --seed 43"));
    assert_eq!(run(&format!("{MAIN} --seed 43")), other);
    let document = |text: &str| -> Value { serde_json::from_str(text).expect("a document") };
    let (first, other) = (document(&first), document(&other));
    assert_eq!((count(&first, "seed"), count(&other, "seed")), (42, 43));
    assert_ne!(at(&first, "latency_ms"), at(&other, "latency_ms"));
}

#[test]
fn the_report_is_the_same_every_time() {
    assert_eq!(words("run").stdout, words("run").stdout);
}

#[test]
fn a_spec_is_read_from_stdin() {
    let text = std::fs::read_to_string(shipped("mixed.yaml")).expect("the spec");
    let path = shipped("mixed.yaml");
    let from_file = json(&format!("--spec {}", path.display()));
    let ran = with_stdin("run --json --spec -", &text);
    assert_eq!(ran.json(), from_file);
    let report = with_stdin("run --spec -", &text).stdout;
    assert!(
        report.contains(
            "\nbounded by horizon 2m and a budget of 20000 requests, whichever comes first (stdin)\n"
        ),
        "{report}"
    );
}

#[test]
fn flags_override_a_spec_and_the_document_says_so() {
    let path = shipped("overload.yaml");
    let flags = "--num-requests 3k --horizon 12s --warmup 2s --timeout 300ms --seed 9";
    let result = json(&format!("--spec {} {flags}", path.display()));
    let setting = |key: &str| {
        let setting = at(&result, "configuration")
            .get(key)
            .unwrap_or_else(|| panic!("{key} is not recorded"));
        let text = |name| at(setting, name).as_str().expect("a text").to_owned();
        (text("value"), text("source"))
    };
    let expected = [
        ("seed", "9", "--seed"),
        ("run.requests", "3000", "--num-requests"),
        ("run.horizon", "12s", "--horizon"),
        ("run.warmup", "2s", "--warmup"),
        ("run.drain", "5s", "spec"),
        ("clients.burst.rate", "450/s", "spec"),
        ("clients.burst.timeout", "300ms", "--timeout"),
        ("clients.patient.concurrency", "20", "spec"),
        ("clients.patient.think", "200ms", "spec"),
        ("clients.patient.timeout", "300ms", "--timeout"),
    ];
    for (key, value, source) in expected {
        assert_eq!(setting(key), (value.to_owned(), source.to_owned()), "{key}");
    }
    assert_eq!(count(&result, "requests.intended"), 3000);
    assert_eq!(number(&result, "window.warmup_s"), 2.0);
    assert!(number(&result, "latency_ms.response.max") <= 300.0);
}

#[test]
fn defaults_are_recorded_as_such() {
    let spec = "blis: 1\nname: bare\nrun: {requests: 20}\nclients: {c: {rate: 10/s, do: a}}\n\
                actions: {a: {path: [{delay: 1ms}, reply]}}\n";
    let ran = with_stdin("run --json --spec -", spec);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let result = ran.json();
    let configuration = at(&result, "configuration");
    for (key, value) in [("seed", "1"), ("run.warmup", "0s"), ("run.drain", "30s")] {
        let setting = configuration.get(key).expect("it is recorded");
        assert_eq!(at(setting, "value"), value, "{key}");
        assert_eq!(at(setting, "source"), "default", "{key}");
    }
    assert_eq!(configuration.get("run.horizon"), None);
    assert_eq!(configuration.get("clients.c.timeout"), None);
    assert_eq!(result.get("verdict"), None, "nothing was promised");
}

#[test]
fn the_exit_code_is_the_verdict() {
    let judged = |line: &str| {
        let ran = words(&format!("run --json {line}"));
        let status = ran
            .json()
            .get("verdict")
            .map(|verdict| at(verdict, "status").clone());
        (ran.code, status)
    };
    let status = |name: &str| Some(Value::from(name));
    assert_eq!(judged(MAIN), (Some(0), status("PASS")));
    // Fewer samples than a p99 needs.
    assert_eq!(
        judged("--concurrency 50 --num-requests 600"),
        (Some(5), status("INCONCLUSIVE"))
    );
    // Twice what four workers of 10 ms can carry.
    assert_eq!(judged("--rate 800"), (Some(99), status("TRIP")));
    let unjudged = shipped("queue-groups.yaml");
    assert_eq!(
        judged(&format!("--spec {}", unjudged.display())),
        (Some(0), None)
    );
    let report = words("run --rate 800").stdout;
    assert!(
        report.contains("  verdict     TRIP\n              Action ask: "),
        "{report}"
    );
}

#[test]
fn help_lists_every_flag_and_the_version_is_that_of_the_crate() {
    let help = words("run --help");
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for flag in [
        "--spec <FILE>",
        "--concurrency <USERS>",
        "--think-time-ms <MS>",
        "--rate <RATE>",
        "--num-requests <COUNT>",
        "--horizon <TIME>",
        "--timeout <TIME>",
        "--seed <SEED>",
        "--set <PATH=VALUE>",
        "--warmup <TIME>",
        "--json",
        "--out <DIR>",
        "--force",
    ] {
        assert!(
            help.stdout.contains(flag),
            "{flag} is not in\n{}",
            help.stdout
        );
    }
    let check = words("check --help").stdout;
    for flag in [
        "[SPEC]",
        "--num-requests",
        "--horizon",
        "--timeout",
        "--seed",
        "--warmup",
    ] {
        assert!(check.contains(flag), "{flag} is not in\n{check}");
    }
    let all = words("--help").stdout;
    let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in [
        "run ",
        "check ",
        "compose ",
        "schema ",
        "Exit codes: 0 ",
        "130 interrupted",
    ] {
        assert!(all.contains(word), "{word} is not in\n{all}");
    }
    let version = blis(["--version"]);
    assert_eq!(
        version.stdout,
        format!("blis {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(version.code, Some(0));
}
