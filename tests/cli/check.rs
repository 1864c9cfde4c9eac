//! `blis check`: the resolved model, the offered load, and warnings.

use crate::support::{shipped, with_stdin, words};

/// Two kinds of clients at two services, with figures that can be worked out by hand.
const BY_HAND: &str = "\
blis: 1
name: by-hand
run: {horizon: 10s}
clients:
  closed: {concurrency: 10, think: 90ms, do: ask}
  open: {rate: 60/s, session: {rounds: 2}, do: {ask: 2, tell: 1}}
actions:
  ask: {path: [{visit: api}, reply]}
  tell:
    path:
      - branch:
          - {weight: 3, path: [{visit: log}]}
          - {weight: 1, path: [{delay: 4ms}]}
      - reply
      - visit: log
services:
  api: {workers: 2, members: 2, time: 10ms}
  log: {workers: 1, time: {exponential: {mean: 4ms}}}
";

/// The cells of the row of a table that starts with this name.
fn row<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let offered = text
        .split_once("\noffered load\n")
        .expect("the offered load")
        .1;
    let line = offered
        .lines()
        .find(|line| line.split_whitespace().next() == Some(name))
        .unwrap_or_else(|| panic!("no row {name} in\n{text}"));
    line.split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[test]
fn the_offered_load_is_the_one_worked_out_by_hand() {
    let ran = with_stdin("check -", BY_HAND);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let text = &ran.stdout;
    // 10 users / (90 ms + 10 ms); 60 sessions of 2 rounds, of which 1/3 take 4 ms and 2/3 take 10 ms.
    assert_eq!(row(text, "closed"), ["closed", "at most 100.0", "10.00 ms"]);
    assert_eq!(row(text, "open"), ["open", "120.0", "8.000 ms"]);
    // api: 100 + 120 * 2/3 = 180 visits of 10 ms for 4 workers. 220 requests make 180 visits, so that 400 visits/s
    // carry 488.9 requests/s.
    assert_eq!(
        row(text, "api"),
        [
            "api",
            "180.0",
            "10.00 ms",
            "4",
            "45.0 %",
            "488.9 requests/s"
        ]
    );
    // log: 40 requests of 3/4 + 1 visits are 70 visits of 4 ms; 250 visits/s carry 785.7 requests/s.
    assert_eq!(
        row(text, "log"),
        [
            "log",
            "70.00",
            "4.000 ms",
            "1",
            "28.0 %",
            "785.7 requests/s"
        ]
    );
    assert!(text.contains("\nno closed form applies: "), "{text}");
}

#[test]
fn the_closed_form_is_the_one_of_the_textbook() {
    let text = "blis: 1\nname: mm1\nrun: {horizon: 10s}\nclients: {c: {rate: 50/s, do: a}}\n\
                actions: {a: {path: [{visit: s}, reply]}}\n\
                services: {s: {workers: 1, time: {exponential: {mean: 10ms}}}}\n";
    let ran = with_stdin("check -", text);
    // M/M/1 at a utilisation of one half: the response time is exponential with mean 20 ms.
    let expected = "\nM/M/1 at service s: 50.00 requests/s, mean response 20.00 ms, utilisation 50.0 %\n  \
                    response p50 13.86 ms, p95 59.91 ms, p99 92.10 ms\n";
    assert!(ran.stdout.ends_with(expected), "{}", ran.stdout);
}

#[test]
fn what_is_resolved_reads_back() {
    for name in [
        "quickstart",
        "mixed",
        "overload",
        "branches",
        "queue-groups",
        "distributions",
    ] {
        let path = shipped(&format!("{name}.yaml"));
        let first = words(&format!("check {}", path.display()));
        assert_eq!(first.code, Some(0), "{first:?}");
        let (resolved, _) = first
            .stdout
            .split_once("\noffered load\n")
            .expect("two parts");
        let again = with_stdin("check -", resolved);
        assert_eq!(
            (again.code, again.stdout),
            (Some(0), first.stdout.clone()),
            "{name}"
        );
    }
}

#[test]
fn flags_are_resolved_too() {
    let path = shipped("quickstart.yaml");
    let flags = "--seed 5 --num-requests 70 --horizon 9s --warmup 1s --timeout 2s";
    let text = words(&format!("check {} {flags}", path.display())).stdout;
    for line in [
        "seed: 5",
        "  requests: 70",
        "  horizon: 9s",
        "  warmup: 1s",
        "    timeout: 2s",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no {line:?} in\n{text}"
        );
    }
}

#[test]
fn more_than_the_workers_can_do_is_a_warning() {
    let spec = |clients: &str, queue: &str| {
        format!(
            "blis: 1\nname: over\nrun: {{horizon: 10s}}\nclients: {clients}\n\
             actions: {{a: {{path: [{{visit: s}}, reply]}}}}\nservices: {{s: {{workers: 2, time: 10ms{queue}}}}}\n"
        )
    };
    let warned = |spec: &str| {
        let ran = with_stdin("check - --allow-overload", spec);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.stdout.contains("warning"), "{}", ran.stdout);
        ran.stderr
    };
    let open = "{c: {rate: 300/s, do: a}}";
    let closed = "{c: {concurrency: 3, do: a}}";
    let start = "blis: warning: service s is offered 300.0 visits/s, 150.0 % of the capacity of its workers: ";
    let advice = "; give it 4 workers, or a mean service time below 6.667 ms (now 10.00 ms)";
    let end = "; its capacity is 200.0 visits/s";
    assert_eq!(
        warned(&spec(open, "")),
        format!("{start}its queue grows without bound{end}{advice}\n")
    );
    assert_eq!(
        warned(&spec(open, ", queue: {limit: 5}")),
        format!("{start}its queue fills and refuses what does not fit{end}{advice}\n")
    );
    assert_eq!(
        warned(&spec(closed, "")),
        format!(
            "{start}closed-loop users wait in its queue and offer no more than its capacity{end}\n"
        )
    );
    assert_eq!(warned(&spec("{c: {rate: 199/s, do: a}}", "")), "");
    // What barely fits does so without chance only.
    assert!(warned(&spec("{c: {rate: 200/s, do: a}}", "")).contains("100.0 %"));
    assert_eq!(
        warned(&spec("{c: {rate: 200/s, arrival: constant, do: a}}", "")),
        ""
    );
    // A burst is over at some time, whatever it offers until then.
    assert_eq!(
        warned(&spec("{c: {arrival: {burst: {count: 5k}}, do: a}}", "")),
        ""
    );
    // What is given by its median is easily taken for its mean.
    let skewed = spec("{c: {rate: 165/s, do: a}}", "")
        .replace("time: 10ms", "time: {lognormal: {median: 8ms, p95: 40ms}}");
    let told = warned(&skewed);
    assert!(
        told.contains("is offered 165.0 visits/s, 106.5 % of the capacity of its workers"),
        "{told}"
    );
    assert!(
        told.ends_with("(now 12.91 ms, median 8.000 ms)\n"),
        "{told}"
    );
}

#[test]
fn workers_that_slow_each_other_down_or_are_out_are_a_warning_too() {
    let spec = |rate: u32, service: &str| {
        format!(
            "blis: 1\nname: over\nrun: {{horizon: 60s}}\nclients: {{c: {{rate: {rate}/s, do: a}}}}\n\
             actions: {{a: {{path: [{{visit: s}}, reply]}}}}\nservices: {{s: {{{service}}}}}\n"
        )
    };
    let warned = |rate: u32, service: &str| {
        with_stdin("check - --allow-overload", &spec(rate, service)).stderr
    };
    // Four at work take 1.9 times as long; 57 of them carry 57 / 17.8 of what one does alone.
    let slow = "workers: 4, time: 10ms, slower_when_busy: {usl: {contention: 0.3, coherency: 0}}";
    assert_eq!(
        warned(320, slow),
        "blis: warning: service s is offered 320.0 visits/s, 152.0 % of the capacity of its workers: its queue grows without bound; its \
         capacity is 210.5 visits/s; give it 57 workers, or a mean service time below 6.579 ms (now 10.00 ms)\n"
    );
    assert_eq!(warned(210, slow), "");
    // No number of workers carries more than 3.33 times what one does.
    assert!(
        warned(340, slow)
            .ends_with("; give it a mean service time below 6.192 ms (now 10.00 ms)\n"),
        "{}",
        warned(340, slow)
    );
    let out = "workers: 1, time: 10ms, outages: [{from: 10s, to: 40s}]";
    assert_eq!(
        warned(60, out),
        "blis: warning: service s is offered 60.00 visits/s, 120.0 % of the capacity of its workers in the 50.0 % that outages and \
         slow-downs leave: its queue grows during them; its capacity is 50.00 visits/s; give it 2 workers, or a mean \
         service time below 8.333 ms (now 10.00 ms)\n"
    );
    assert_eq!(warned(49, out), "");
    let gone = "workers: 1, time: 10ms, outages: [{from: 0s, to: 60s}]";
    assert_eq!(
        warned(1, gone),
        "blis: warning: service s is down during the whole window: its queue grows without bound\n"
    );
}

/// A first guess: what is given by its median has another mean.
const GUESS: &str = "\
blis: 1
name: guess
run: {horizon: 60s}
clients: {c: {rate: 165/s, do: a}}
actions: {a: {path: [{visit: s}, reply]}}
services: {s: {workers: 2, time: {lognormal: {median: 8ms, p95: 40ms}}}}
";

#[test]
fn a_load_that_is_too_much_for_certain_does_not_pass_a_check() {
    let stopped = with_stdin("check -", GUESS);
    assert_eq!(stopped.code, Some(2), "{stopped:?}");
    assert!(stopped.stdout.contains("offered load"), "{stopped:?}");
    assert_eq!(
        stopped.stderr,
        "blis: service s is offered 165.0 visits/s, 106.5 % of the capacity of its workers: its queue grows without bound; \
         its capacity is 154.9 visits/s; give it 3 workers, or a mean service time below 12.12 ms (now 12.91 ms, median \
         8.000 ms); otherwise offer less, or refuse the rest (`queue: {limit: 100}`, `admission`), or accept the overload \
         with --allow-overload\n"
    );
    let document = with_stdin("check - --format json", GUESS);
    assert_eq!(document.code, Some(2));
    let document: serde_json::Value = serde_json::from_str(&document.stdout).expect("JSON");
    assert_eq!(document["warnings"].as_array().map(Vec::len), Some(1));
    let allowed = with_stdin("check - --allow-overload", GUESS);
    assert_eq!(allowed.code, Some(0));
    assert!(
        allowed
            .stderr
            .starts_with("blis: warning: service s is offered 165.0"),
        "{allowed:?}"
    );
    // It can be run all the same, and the overload is the first line.
    let ran = with_stdin("run --spec -", GUESS);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("OVERLOAD"), "{}", ran.stdout);
    // An objective does not make it meant.
    let slo = GUESS.replace("reply]}", "reply], slo: {p95: 1s}}");
    assert_eq!(with_stdin("check -", &slo).code, Some(2));
    let window = with_stdin("check -", WINDOW);
    assert_eq!(window.code, Some(2));
    assert!(
        window.stderr.ends_with("raise it to 5 or more; otherwise offer less, or accept the overload with --allow-overload\n"),
        "{window:?}"
    );
}

/// What is refused, ends, changes or waits for somebody is a study of its own.
#[test]
fn a_load_that_is_bounded_or_not_always_the_same_passes_a_check() {
    for (was, is) in [
        ("rate: 165/s", "rate: 154/s"),
        ("rate: 165/s", "concurrency: 3"),
        ("rate: 165/s", "arrival: {burst: {count: 5k}}"),
        (
            "rate: 165/s",
            "rate: 165/s, shape: {ramp: {from: 0, to: 1, over: 30s}}",
        ),
        (
            "rate: 165/s",
            "rate: 100/s, shape: {spike: {at: 10s, for: 9s, factor: 2}}",
        ),
        ("workers: 2", "workers: 2, queue: {limit: 10}"),
        ("workers: 2", "workers: 2, admission: {rate: 150/s}"),
        ("workers: 2", "workers: 2, admission: {in_flight: 9}"),
        ("workers: 2", "workers: 3, outages: [{from: 1s, to: 50s}]"),
        (
            "do: a}}\nactions: {a: {path: [{visit: s}, reply]}}\nservices: {s: {",
            "do: a, timeout: 1s}}\nactions: {a: {path: [{visit: s}, reply]}}\nservices: {s: {on_timeout: leave, ",
        ),
    ] {
        let spec = GUESS.replace(was, is);
        assert_ne!(spec, GUESS, "{was}");
        let checked = with_stdin("check -", &spec);
        assert_eq!(checked.code, Some(0), "{is}: {checked:?}");
    }
    // Whoever gives up leaves its work behind, unless the service takes heed.
    let stays = GUESS.replace("do: a}", "do: a, timeout: 1s}");
    assert_eq!(with_stdin("check -", &stays).code, Some(2));
}

/// Tokens let in less than the workers can do: nothing waits without end.
#[test]
fn what_admission_refuses_is_not_said_to_wait() {
    let check = |admission: &str| {
        let admitted = GUESS.replace("workers: 2", &format!("workers: 2, admission: {admission}"));
        with_stdin("check -", &admitted).stderr
    };
    assert_eq!(
        check("{rate: 50/s}"),
        "blis: warning: service s is offered 330.0 % of the capacity of admission.rate: the rest is rejected; \
         admission.rate lets 50.00 visits/s through; raise it above 165.0/s\n"
    );
    assert!(check("{in_flight: 9}").contains("of its workers: `admission` refuses the rest"));
    let more = check("{rate: 160/s}");
    assert!(
        more.contains("\nblis: service s is offered 165.0 visits/s"),
        "{more}"
    );
}

#[test]
fn members_of_unequal_speed_are_told_by_the_slowest() {
    let spec = GUESS.replace("rate: 165/s", "rate: 120/s").replace(
        "workers: 2, time: {lognormal: {median: 8ms, p95: 40ms}}",
        "members: [{workers: 1, speed: 0.5}, {workers: 2}], time: 10ms",
    );
    let checked = with_stdin("check -", &spec);
    assert_eq!(
        checked.stderr,
        "blis: service s is offered 120.0 visits/s, 120.0 % of its capacity, which the slowest of its randomly drawn members \
         sets: its queue grows without bound; its capacity is 100.0 visits/s; give it a mean service time below 8.333 ms \
         (now 10.00 ms); otherwise offer less, or refuse the rest (`queue: {limit: 100}`, `admission`), or accept the \
         overload with --allow-overload\n"
    );
    assert!(
        checked
            .stdout
            .contains("      - {count: 1, workers: 1, speed: 0.5}\n"),
        "{}",
        checked.stdout
    );
    assert!(
        checked
            .stdout
            .contains("the slowest is overloaded from 50.0 % of their total capacity on"),
        "{}",
        checked.stdout
    );
    let one = "whatif --spec - --set services.s.members[0].speed=1 --replications 5";
    let compared = with_stdin(one, &spec.replace("rate: 120/s", "rate: 60/s"));
    assert_eq!(compared.code, Some(0), "{compared:?}");
}

#[test]
fn a_run_of_a_backlog_that_grows_has_no_interval() {
    let ran = with_stdin("run --spec - --format json", WINDOW);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let consumer = &document["streams"]["q"]["consumers"]["c"];
    assert!(consumer["pending_mean"].is_number(), "{document}");
    assert!(consumer["pending_mean_ci95"].is_null(), "{consumer}");
    let absent = &document["intervals"]["absent"];
    let why = absent["streams.q.consumers.c.pending_mean"].as_str();
    assert!(
        why.is_some_and(|why| why.starts_with("unsteady: q/c is offered 1.33 times its capacity")),
        "{absent}"
    );
}

#[test]
fn a_budget_below_the_number_of_users_is_a_warning() {
    let path = shipped("quickstart.yaml");
    let check = |budget: u32| words(&format!("check {} --num-requests {budget}", path.display()));
    let warned = check(49);
    assert_eq!(warned.code, Some(0));
    assert!(
        warned
            .stderr
            .contains("--num-requests: the budget of 49 requests is smaller than the 50 users"),
        "{}",
        warned.stderr
    );
    assert_eq!(check(50).stderr, "");
    let text = "blis: 1\nname: few\nrun: {requests: 3}\nclients: {c: {concurrency: 5, do: a}}\n\
                actions: {a: {path: [{delay: 1s}, reply]}}\n";
    let warned = with_stdin("check -", text).stderr;
    assert!(warned.contains("[stdin:3:17]"), "{warned}");
    assert!(
        warned.contains("the budget of 3 requests is smaller than the 5 users"),
        "{warned}"
    );
}

/// A consumer whose window lets fewer messages through than its workers could work on.
const WINDOW: &str = "\
blis: 1
name: window
run: {horizon: 60s, drain: 0s}
clients: {c: {rate: 40/s, arrival: constant, do: a}}
actions: {a: {path: [{publish: q}, reply]}}
services: {w: {workers: 8, time: 100ms}}
streams: {q: {consumers: {c: {service: w, max_ack_pending: 3}}}}
";

#[test]
fn the_window_that_binds_is_named_with_what_it_lets_through() {
    let checked = with_stdin("check - --allow-overload", WINDOW);
    assert_eq!(checked.code, Some(0));
    let sentence = "max_ack_pending of q/c limits the system: 3 messages of 100.0 ms each let 30.00 requests/s through";
    assert!(checked.stdout.contains(sentence), "{}", checked.stdout);
    assert_eq!(
        checked.stderr,
        "blis: warning: consumer q/c is offered 133.3 % of the capacity of max_ack_pending: its backlog grows \
         without bound; max_ack_pending lets 30.00 messages/s through; raise it to 5 or more\n"
    );
    let ran = with_stdin("run --spec -", WINDOW);
    let in_use = format!("{sentence}, 99.9 % in use");
    assert!(ran.stdout.contains(&in_use), "{}", ran.stdout);
    let document = with_stdin("check - --format json", WINDOW).stdout;
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let first = &document["bottleneck"];
    assert_eq!(first["limit"], "max_ack_pending");
    assert_eq!(first["consumer"], "q/c");
    assert_eq!(
        (first["places"].as_f64(), first["capacity_rps"].as_f64()),
        (Some(3.0), Some(30.0))
    );
    let kinds: Vec<&str> = document["constraints"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["limit"].as_str())
        .collect();
    assert_eq!(kinds, ["max_ack_pending", "workers"]);
}

#[test]
fn a_limit_of_requests_in_flight_is_told_by_a_check() {
    let spec = "\
blis: 1
name: delay
run: {horizon: 2s, drain: 1s}
clients: {c: {rate: 20/s, arrival: constant, do: a, timeout: 10s}}
actions: {a: {path: [{visit: s}, reply], live: {request: svc}}}
services: {s: {workers: 100, time: 1s}}
max_in_flight: {limit: 10, policy: delay}
";
    let checked = with_stdin("check -", spec);
    let is_row = |line: &&str| line.trim_start().starts_with("max_in_flight  ");
    let row = checked.stdout.lines().find(is_row);
    let row = row.filter(|row| row.contains("10.00 requests/s") && row.contains("200.0 %"));
    assert!(row.is_some(), "{}", checked.stdout);
    assert!(
        checked
            .stderr
            .contains("the run is offered 200.0 % of the capacity of max_in_flight"),
        "{}",
        checked.stderr
    );
}

#[test]
fn a_limit_of_requests_in_flight_is_told_of_the_client_that_has_it() {
    let spec = "{blis: 1, name: x, run: {horizon: 10s}, services: {s: {workers: 100, time: 1s}}, actions: {a: {path: [{visit: s}, \
                reply]}}, clients: {alpha: {concurrency: 1, do: a}, zeta: {rate: 20/s, do: a, max_in_flight: {limit: 1}}}}";
    let told = with_stdin("check -", spec);
    assert_eq!(told.code, Some(0), "{told:?}");
    let said = "client zeta is offered 2000 % of the capacity of max_in_flight: the rest is dropped or sent late; max_in_flight lets \
                1.000 requests/s through; raise it to 21 or more";
    let words: String = told.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(said) || words.contains(&said.replace("2000 %", "2000.0 %")),
        "{words}"
    );
}

#[test]
fn a_limit_of_the_run_that_binds_as_soon_as_workers_is_named_beside_them() {
    let spec = "{blis: 1, name: x, run: {horizon: 10s}, services: {s: {workers: 10, time: 100ms}}, actions: {a: {path: [{visit: s}, \
                reply]}}, clients: {c: {rate: 20/s, do: a}}, max_in_flight: {limit: 10}}";
    let told = with_stdin("check - --format json", spec);
    let document: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
    let tied = document
        .pointer("/bottleneck/tied_with")
        .expect("what ties");
    assert_eq!(*tied, serde_json::json!(["max_in_flight"]), "{document}");
}

#[test]
fn a_limit_that_drops_makes_an_overload_no_mistake() {
    let spec = |policy: &str| {
        format!(
            "{{blis: 1, name: x, run: {{horizon: 10s}}, services: {{s: {{workers: 1, time: 100ms}}}}, actions: {{a: {{path: [{{visit: \
             s}}, reply]}}}}, clients: {{c: {{rate: 20/s, do: a}}}}, max_in_flight: {{limit: 5, policy: {policy}}}}}"
        )
    };
    assert_eq!(with_stdin("check -", &spec("drop")).code, Some(0));
    assert_eq!(with_stdin("check -", &spec("delay")).code, Some(2));
}

#[test]
fn a_client_may_not_have_more_in_flight_than_the_run() {
    let spec = "{blis: 1, name: x, run: {horizon: 10s}, services: {s: {workers: 1, time: 1ms}}, actions: {a: {path: [{visit: s}, \
                reply]}}, clients: {c: {rate: 20/s, do: a, max_in_flight: {limit: 6}}}, max_in_flight: {limit: 5}}";
    let told = with_stdin("check -", spec);
    assert_eq!(told.code, Some(2));
    let words: String = told.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("`max_in_flight` of the client is 6, but that of the run is 5"),
        "{words}"
    );
}

#[test]
fn a_request_whose_path_answers_nobody_is_a_warning() {
    let spec = |live: &str, path: &str| {
        format!(
            "{{blis: 1, name: x, run: {{horizon: 10s}}, services: {{s: {{workers: 1, time: 1ms}}}}, actions: {{a: {{path: [{path}], live: \
             {live}}}}}, clients: {{c: {{rate: 20/s, do: a}}}}}}"
        )
    };
    let told = |live: &str, path: &str| with_stdin("check -", &spec(live, path)).stderr;
    let warned = told("{request: a.b}", "{visit: s}");
    assert!(warned.contains("its path has no `reply`"), "{warned}");
    assert_eq!(told("{publish: a.b}", "{visit: s}"), "");
    assert_eq!(told("{request: a.b}", "{visit: s}, reply"), "");
}

#[test]
fn no_closed_form_is_that_of_a_model_with_a_limit_of_requests_in_flight() {
    let theory = |client: &str, run: &str| {
        let spec = format!(
            "{{blis: 1, name: x, run: {{horizon: 10s}}, services: {{s: {{workers: 2, time: {{exponential: {{mean: 12ms}}}}}}}}, actions: {{a: \
             {{path: [{{visit: s}}, reply]}}}}, clients: {{c: {{{client}, do: a}}}}{run}}}"
        );
        let told = with_stdin("check - --format json", &spec);
        let document: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
        document["theory"]["not_applicable"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(theory("rate: 90/s", ""), None);
    let of_run = theory("rate: 90/s", ", max_in_flight: {limit: 50}");
    assert!(of_run.is_some_and(|why| why.ends_with("requests in flight are limited")));
    let of_client = theory("concurrency: 5, max_in_flight: {limit: 4}", "");
    assert!(
        of_client.is_some_and(|why| why.ends_with("client c has a limit of requests in flight"))
    );
    // Five users never have more than five.
    assert_eq!(
        theory("concurrency: 5", ", max_in_flight: {limit: 5}"),
        None
    );
}

#[test]
fn no_limit_is_called_unmissable_where_requests_wait_for_room() {
    let spec = |more: &str| {
        format!(
            "{{blis: 1, name: x, run: {{horizon: 10s}}, services: {{s: {{workers: 1, time: 1ms}}}}, actions: {{a: {{path: [{{visit: s}}, \
             reply], slo: {{p99: 2s}}}}}}, clients: {{c: {{rate: 20/s, do: a, timeout: 1s}}}}{more}}}"
        )
    };
    let told = |more: &str| with_stdin("check -", &spec(more)).stderr;
    assert_ne!(told(""), "");
    assert_eq!(told(", max_in_flight: {limit: 5, policy: delay}"), "");
}
