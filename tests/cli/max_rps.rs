//! `blis max-rps`: what is varied, how it ends, and what is refused before anything runs.

use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::support::with_memory;
use crate::support::{Ran, at, number, with_stdin, words};

/// An open spec: two clients whose rates are 3 to 1, one worker of 1 ms.
const OPEN: &str = "{blis: 1, name: two, run: {requests: 10}, clients: {a: {rate: 30/s, do: ask}, b: {rate: 10/s, \
                    session: {rounds: 2}, do: ask}}, actions: {ask: {path: [{visit: s}, reply], slo: {p99: 20ms}}}, \
                    services: {s: {workers: 1, time: {exponential: {mean: 1ms}}}}}";

fn search(flags: &str, spec: &str) -> Ran {
    with_stdin(
        &format!("max-rps --spec - --warmup 1s --hold 20s {flags}"),
        spec,
    )
}

fn document(flags: &str, spec: &str) -> Value {
    let ran = search(&format!("--json {flags}"), spec);
    assert!(matches!(ran.code, Some(0 | 5 | 99)), "{ran:?}");
    ran.json()
}

#[test]
fn one_factor_varies_the_rates_of_all_open_clients() {
    let found = document("--steps 80,400,2k,3k", OPEN);
    let answer = at(&found, "answer");
    assert_eq!(at(answer, "parameter"), "rate");
    assert_eq!(number(answer, "value"), 400.0);
    assert_eq!(number(answer, "factor"), 10.0);
    // Sessions of two rounds count twice.
    assert_eq!(number(answer, "mean_rps"), 500.0);
    let rps = number(answer, "max_rps");
    assert!((480.0..520.0).contains(&rps), "{rps}");
    assert_eq!(
        (number(answer, "lower"), number(answer, "upper")),
        (400.0, 2000.0)
    );
    let trials = at(&found, "trials").as_array().expect("trials");
    // The first that trips is the last.
    assert_eq!(trials.len(), 3);
    assert_eq!(at(&trials[2], "verdict"), "TRIP");
    let clients = |trial: &Value| number(trial, "window.requests.intended");
    assert!(clients(&trials[1]) > 4.5 * clients(&trials[0]));
    let limits = at(&found, "next_limit").to_string();
    assert!(limits.contains("p99 of ask"), "{limits}");
    assert!(limits.contains("at 2,000/s"), "{limits}");
    assert!(limits.contains("service s"), "{limits}");
}

#[test]
fn how_a_ramp_ends_is_its_exit_code_and_its_answer() {
    for (steps, code, said) in [
        ("80,2k", 0, "ANSWER: max RPS = "),
        ("80,160", 0, "ANSWER: max RPS = ≥ "),
        (
            "2k,3k",
            99,
            "ANSWER: no load passed (workload=two, simulated); the objectives are missed at 2,000/s",
        ),
        // Too few requests for a p99.
        ("1", 5, "ANSWER: INCONCLUSIVE"),
    ] {
        let ran = search(&format!("--steps {steps}"), OPEN);
        assert_eq!(ran.code, Some(code), "{steps}\n{}", ran.stdout);
        assert!(ran.stdout.contains(said), "{steps}\n{}", ran.stdout);
    }
    let gone_on = document("--steps 80,2k,3k --no-stop-on-trip", OPEN);
    assert_eq!(at(&gone_on, "trials").as_array().map(Vec::len), Some(3));
}

/// Nobody waits for the consumer, so that a load which it cannot carry keeps the objectives of the reply.
#[test]
fn a_backlog_that_grows_at_the_answer_is_said() {
    let spec = OPEN
        .replace("[{visit: s}, reply]", "[{visit: s}, reply, {publish: log}]")
        .replace(
            "services: {",
            "streams: {log: {consumers: {w: {service: slow}}}}, services: {slow: {workers: 1, time: 5ms}, ",
        );
    let ran = search("--steps 80,400", &spec);
    let caution = "Caution: at this load backlogs grow, which no objective judges: log/w by ";
    assert!(ran.stdout.contains(caution), "{}", ran.stdout);
    let carried = search("--steps 40,80,120", &spec);
    assert!(!carried.stdout.contains("Caution: "), "{}", carried.stdout);
}

#[test]
fn users_are_varied_in_their_mix() {
    let spec = "{blis: 1, name: mix, run: {horizon: 9s}, clients: {a: {concurrency: 30, think: 100ms, do: ask}, b: \
                {population: 2, concurrency: 5, think: 100ms, do: ask}}, actions: {ask: {path: [{visit: s}, reply], slo: \
                {p99: 20ms}}}, services: {s: {workers: 8, time: 1ms}}}";
    let found = document("--steps 4,80", spec);
    let answer = at(&found, "answer");
    assert_eq!(at(answer, "parameter"), "concurrency");
    assert_eq!(number(answer, "users.a"), 60.0);
    assert_eq!(number(answer, "users.b"), 20.0);
    // At least one of each: 3 of 4, and one member of five users.
    let few = document("--steps 4", spec);
    assert_eq!(number(&few, "answer.users.a"), 3.0);
    assert_eq!(number(&few, "answer.users.b"), 5.0);
}

#[test]
fn a_key_is_varied_at_a_load_and_shown_in_its_unit() {
    let workers = document(
        "--over services.s.workers --at 2500/s --steps 1,2,4,8",
        OPEN,
    );
    assert_eq!(at(&workers, "varied.at.parameter"), "rate");
    assert_eq!(number(&workers, "varied.at.value"), 2500.0);
    // 2,500 sessions are 3,125 requests per second, which four workers carry.
    assert_eq!(number(&workers, "answer.value"), 4.0);
    assert_eq!(
        (
            number(&workers, "answer.lower"),
            number(&workers, "answer.upper")
        ),
        (2.0, 4.0)
    );
    let time = search(
        "--over services.s.time.exponential.mean --at 100/s --steps 1ms,2ms,20ms",
        OPEN,
    );
    assert_eq!(time.code, Some(0), "{time:?}");
    assert!(
        time.stdout
            .contains("ANSWER: services.s.time.exponential.mean = 2 ms ("),
        "{}",
        time.stdout
    );
    let one = document("--over clients.b.rate --steps 10,100,3k", OPEN);
    assert_eq!(number(&one, "answer.value"), 100.0);
    let rps = number(&one, "answer.max_rps");
    assert!((210.0..250.0).contains(&rps), "{rps}");
}

#[test]
fn what_cannot_be_searched_is_refused_before_anything_runs() {
    for (flags, said) in [
        ("--steps 500,400", "not strictly ascending"),
        ("--steps 500,500", "given twice"),
        ("--steps 0,500", "zero"),
        ("--steps 500,,600", "empty entry"),
        ("--steps -5", "negative"),
        ("--steps many", "rate"),
        ("--steps 99999999999999999999", "too high a rate"),
        (
            "--over concurrency --steps 5",
            "no client has `concurrency`",
        ),
        ("--over services.s.workers --steps 1.5", "whole number"),
        (
            "--over services.s.dispatch --steps 1",
            "--over services.s.dispatch=1: `1` is not a dispatch",
        ),
        (
            "--over max_in_flight --steps 1",
            "--over max_in_flight=1: expected",
        ),
        (
            "--over services.s.workers --steps 1,99999999999999999999",
            "too large",
        ),
        ("--over clients.a.rate --search 1..9000M", "too high a rate"),
        ("--steps 1k,2k,1.5k", "1,500/s comes after 2,000/s"),
        ("--steps ,", "empty entry"),
        ("--over clients.a.do --steps 1", "not numeric"),
        ("--over services.s --steps 1", "several values"),
        (
            "--over services.x.workers --steps 1,2",
            "--over services.x.workers=",
        ),
        ("--over services.s.wrkers", "did you mean `workers`?"),
        (
            "--over services.x.workers",
            "did you mean `services.s.workers`?",
        ),
        ("--over network.one_way", "give a range in its unit"),
        ("--over clients.a.timeout", "give a range in its unit"),
        ("--over seed --steps 1,2", "the search sets it"),
        ("--over run.requests --steps 1,2", "the search sets it"),
        ("--over nonsense --steps 1,2", "nonsense"),
        ("--over connections.pool --steps 1,2", "changes nothing"),
        ("--over connections.pool --search 1..2", "changes nothing"),
        ("--at 400/s --steps 1,2", "--at fixes the load"),
        (
            "--over services.s.workers --set services.s.workers=4 --steps 1,2",
            "it is also set by --set",
        ),
        ("--slo aks:p99=1s --steps 1,2", "did you mean `ask`?"),
        ("--slo p98=1s --steps 1,2", "no limit `p98`"),
    ] {
        let ran = search(flags, OPEN);
        assert_eq!(ran.code, Some(2), "{flags}\n{ran:?}");
        assert!(ran.stderr.contains(said), "{flags}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{flags}");
    }
    let burst = OPEN.replace(
        "{rate: 30/s, do: ask}",
        "{arrival: {burst: {count: 5}}, do: ask}",
    );
    let ran = search("--over rate --steps 5", &burst);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("come in a burst"), "{ran:?}");
    let recorded = words("max-rps specs/recorded.yaml --over rate --steps 5");
    assert_eq!(recorded.code, Some(2));
    assert!(recorded.stderr.contains("were recorded"), "{recorded:?}");
}

#[test]
fn every_trial_is_kept_as_a_run_and_as_a_row() {
    let home = tempfile::tempdir().expect("a directory");
    let (out, csv) = (home.path().join("found"), home.path().join("rows.csv"));
    let flags = format!(
        "--steps 80,2k --out {} --csv {}",
        out.display(),
        csv.display()
    );
    let ran = search(&flags, OPEN);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let document: Value = serde_json::from_str(&read("ceiling.json")).expect("a document");
    assert_eq!(at(&document, "schema"), "blis.ceiling/1");
    assert!(read("report.md").contains("ANSWER: max RPS ="));
    let rows = read("trials.csv");
    assert_eq!(rows, std::fs::read_to_string(&csv).expect("rows"));
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    let columns = rows[0].split(',').count();
    assert!(rows[1].starts_with("1,80,1/s,1,"), "{rows:?}");
    assert_eq!(rows[1].split(',').count(), columns);
    assert!(
        rows[2].contains(",TRIP,false,,\"Action ask: p99"),
        "{rows:?}"
    );
    // Each trial is a run that can be shown and repeated.
    let trial = out.join("trials/002");
    let shown = words(&format!("report {}", trial.display()));
    assert!(shown.stdout.contains("verdict     TRIP"), "{shown:?}");
    let again = words(&format!("run --json {}", trial.join("spec.yaml").display())).json();
    assert_eq!(
        number(&again, "throughput_rps"),
        number(&document["trials"][1], "throughput_rps")
    );
    let explained = words(&format!("explain {}", trial.display()));
    assert_eq!(explained.code, Some(2), "{explained:?}");
    assert!(
        explained.stderr.contains("holds a trial of a search"),
        "{explained:?}"
    );
    let whole = words(&format!("report {}", out.display()));
    assert_eq!(
        (whole.code, &whole.stdout),
        (Some(0), &ran.stdout),
        "{whole:?}"
    );
    // What is there is not replaced unasked, and nothing runs for it.
    let taken = search(&flags, OPEN);
    assert_eq!(taken.code, Some(2), "{taken:?}");
    assert!(
        taken.stderr.contains("overwrite it with --force"),
        "{taken:?}"
    );
    let replaced = search(&format!("--force --steps 80 --out {}", out.display()), OPEN);
    assert_eq!(replaced.code, Some(0), "{replaced:?}");
    assert!(!out.join("trials/002").exists());
    let foreign = home.path().join("mine");
    std::fs::create_dir(&foreign).expect("a folder");
    std::fs::write(foreign.join("notes.txt"), "mine").expect("a file");
    let kept = search(
        &format!("--force --steps 80 --out {}", foreign.display()),
        OPEN,
    );
    assert_eq!(kept.code, Some(2), "{kept:?}");
    assert!(kept.stderr.contains("not from a search"), "{kept:?}");
}

#[test]
fn the_bounds_of_a_run_bound_no_trial_which_is_said_once() {
    let ran = search("--steps 80,160", OPEN);
    assert_eq!(
        ran.stderr
            .matches("run.requests of the spec does not apply to trials")
            .count(),
        1
    );
    // A spec without any is searched as well, and one without objectives is not.
    let unbounded = OPEN.replace("run: {requests: 10}, ", "");
    assert_eq!(search("--steps 80", &unbounded).code, Some(0));
    let aimless = OPEN.replace(", slo: {p99: 20ms}", "");
    let refused = search("--steps 80", &aimless);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("give one with --slo"),
        "{refused:?}"
    );
    let given = search("--steps 80 --slo p99=20ms", &aimless);
    assert_eq!(given.code, Some(0), "{given:?}");
}

#[test]
fn flags_that_contradict_one_another_are_refused() {
    for (flags, said) in [
        (
            "--steps 80 --cooldown 5s",
            "--cooldown applies only to live trials",
        ),
        (
            "--steps 80 --user me",
            "--user applies only to a live search",
        ),
        (
            "--steps 80 --observe-stream orders",
            "--observe-stream applies only to a live search",
        ),
        (
            "--monitor http://127.0.0.1:8222",
            "--monitor applies only to a live search",
        ),
        ("--steps 80 --search 1..5", "cannot be used with"),
        ("--no-stop-on-trip", "--steps"),
        ("--steps 80 --hold 0s", "--hold is zero"),
        ("--time-limit 0s", "--time-limit is zero"),
        ("--longest-trial 0s", "--longest-trial is zero"),
    ] {
        let ran = with_stdin(&format!("max-rps --spec - {flags}"), OPEN);
        assert_eq!(ran.code, Some(2), "{flags}\n{ran:?}");
        assert!(ran.stderr.contains(said), "{flags}\n{}", ran.stderr);
    }
}

#[test]
fn a_search_finds_the_ceiling_of_a_known_queue_within_its_precision() {
    // M/M/1 at 1,000/s: the p99 of the response is ln 100 / (mu - lambda), 20 ms at 769.7/s.
    let spec = "{blis: 1, name: mm1, run: {horizon: 60s}, clients: {a: {rate: 100/s, do: ask}}, actions: {ask: {path: [{visit: \
                s}, reply], slo: {p99: 20ms}}}, services: {s: {workers: 1, time: {exponential: {mean: 1ms}}}}}";
    let ran = with_stdin("max-rps --spec - --json --precision 10%", spec);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let answer = ran.json()["answer"].clone();
    let value = number(&answer, "value");
    assert!((value / 769.7 - 1.0).abs() < 0.1, "{value}");
    let [low, high] = ["0", "1"].map(|end| {
        let end: usize = end.parse().expect("an index");
        answer["value_ci95"][end].as_f64().expect("an end")
    });
    assert!(low <= value * 1.0001 && value <= high, "{answer}");
    assert!(
        number(&answer, "lower") < number(&answer, "upper"),
        "{answer}"
    );
    // The other way round: the least number of workers.
    let ran = with_stdin(
        "max-rps --spec - --json --precision 10% --over services.s.workers --at 2500/s --search 1..64",
        spec,
    );
    let found = ran.json();
    assert_eq!(number(&found, "answer.value"), 3.0, "{found:#}");
    assert_eq!(at(&found, "ended"), "ceiling");
}

#[test]
fn ranges_that_are_none_are_refused() {
    for (range, said) in [
        ("5", "is not a range"),
        ("9..5", "inverted"),
        ("5..5", "empty"),
        ("0..5", "zero"),
        ("-1..5", "negative"),
        ("1ms..5ms", "a rate"),
    ] {
        let ran = with_stdin(&format!("max-rps --spec - --search {range}"), OPEN);
        assert_eq!(ran.code, Some(2), "{range}\n{ran:?}");
        assert!(ran.stderr.contains(said), "{range}\n{}", ran.stderr);
    }
    let nothing = "max-rps --spec - --over clients.a.connections.count --search 1..2";
    let ran = with_stdin(nothing, OPEN);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn a_search_says_why_its_lower_end_trips_and_that_nothing_could_be_compared() {
    let ran = with_stdin(
        "max-rps --spec - --search 2k..3k --precision 10% --longest-trial 20s",
        OPEN,
    );
    assert_eq!(ran.code, Some(99), "{ran:?}");
    for said in [
        "ANSWER: no load passed (workload=two, simulated); the objectives are missed at 2,000/s",
        "Next limit: p99 of ask",
        "changes were not simulated: no ceiling was found to compare a change with",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
}

/// Where hardly anything is busy no less load helps.
#[test]
fn objectives_that_no_load_keeps_are_said_to_be_that() {
    for slo in ["p95=1us", "p95=1us,errors=1%"] {
        let ran = with_stdin(
            &format!("max-rps --spec - --slo {slo} --precision 5%"),
            OPEN,
        );
        assert_eq!(ran.code, Some(99), "{ran:?}");
        assert!(ran.stdout.contains("ANSWER: no load passed"), "{ran:?}");
    }
    let ran = with_stdin("max-rps --spec - --json --slo p50=1us", OPEN);
    assert_eq!(ran.code, Some(99), "{ran:?}");
    let found = ran.json();
    assert_eq!(at(&found, "ended"), "none_passed");
    let trials = at(&found, "trials").as_array().expect("trials");
    let least = trials.iter().map(|trial| number(trial, "load"));
    let least = least.fold(f64::INFINITY, f64::min);
    // The services carry 1000 a second.
    assert!((0.1..2.0).contains(&least), "{least}");
    assert!(trials.len() <= 15, "{}", trials.len());
}

#[test]
fn remedies_are_simulated_and_ranked_by_what_they_bring() {
    let spec = OPEN.replace(
        "services: {s:",
        "services: {spare: {workers: 9, time: 1us}, s:",
    );
    let spec = spec.replace("{visit: s}", "{visit: spare}, {visit: s}");
    let flags = "--precision 10% --what-if services.s.time=2ms --what-if services.s.workers=3";
    let ran = with_stdin(&format!("max-rps --spec - --json {flags}"), &spec);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let found = ran.json();
    let remedies = at(&found, "remedies").as_array().expect("remedies");
    let of = |what: &str| {
        let mut all = remedies.iter();
        let found = all.find(|one| at(one, "what").as_str().is_some_and(|of| of.contains(what)));
        found.unwrap_or_else(|| panic!("{what}: {remedies:?}"))
    };
    // Two workers carry more than twice what one does below the same limit.
    let worker = of("one more worker of service s");
    assert!(number(worker, "gain") > 0.8, "{worker}");
    assert_eq!(at(worker, "brings"), true);
    assert_eq!(
        at(worker, "changes"),
        &serde_json::json!({"services.s.workers": "2"})
    );
    let asked = of("services.s.workers=3");
    assert!(number(asked, "gain") > number(worker, "gain"), "{asked}");
    assert_eq!(at(asked, "asked"), true);
    let slower = of("services.s.time=2ms");
    assert!(number(slower, "gain") < -0.2, "{slower}");
    assert_eq!(at(of("one more worker of service spare"), "brings"), false);
    let gains: Vec<f64> = remedies.iter().map(|one| number(one, "gain")).collect();
    assert!(gains.is_sorted_by(|one, next| one >= next), "{gains:?}");
}

#[test]
fn what_cannot_be_tried_is_refused() {
    for (change, said) in [
        ("services.s.workers=1", "it changes nothing"),
        ("actions.ask.live.request=my.other", "it changes nothing"),
        ("run.horizon=9s", "the search sets it"),
        ("services.t.workers=2", "--what-if services.t.workers=2: "),
    ] {
        let ran = search(&format!("--what-if {change}"), OPEN);
        assert_eq!(ran.code, Some(2), "{change}: {ran:?}");
        assert!(ran.stderr.contains(said), "{change}: {}", ran.stderr);
    }
    let ran = search(
        "--over services.s.workers --what-if services.s.workers=2",
        OPEN,
    );
    assert!(ran.stderr.contains("it is the varied key"), "{ran:?}");
}

#[test]
fn where_the_time_of_slow_requests_goes_stands_beside_the_answer() {
    let ran = with_stdin("max-rps --spec - --json --precision 10%", OPEN);
    let found = ran.json();
    let slow = at(&found, "slow");
    assert_eq!(number(slow, "quantile"), 0.99);
    let service = at(slow, "services.s");
    let parts =
        ["waiting", "service", "held"].map(|part| number(service, &format!("{part}.share")));
    assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{parts:?}");
    // Requests that take twenty times as long as their service wait for most of it.
    assert!(parts[0] > 0.7, "{parts:?}");
    let ran = with_stdin("max-rps --spec - --precision 10%", OPEN);
    assert!(
        ran.stdout.contains("time of slow requests (p99, "),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("% waiting for s, "), "{ran:?}");
}

#[test]
fn several_limits_are_answered_from_the_same_trials() {
    let tiers = "max-rps --spec - --json --precision 10% --tiers p99=6ms,10ms,20ms";
    let ran = with_stdin(tiers, OPEN);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let found = ran.json();
    let limits = at(&found, "tiers.limits").as_array().expect("limits");
    let of = |key: &str| -> Vec<f64> { limits.iter().map(|one| number(one, key)).collect() };
    let values = of("value");
    assert!(
        values.is_sorted() && values[0] * 1.2 < values[2],
        "{values:?}"
    );
    let mean = of("max_rps").iter().map(|rps| rps.ln()).sum::<f64>() / 3.0;
    let stated = number(&found, "tiers.geometric_mean_rps");
    assert!((stated / mean.exp() - 1.0).abs() < 1e-9, "{stated}");
    // What else there is is of the loosest.
    assert_eq!(number(&found, "answer.value"), values[2]);
    let trials = at(&found, "trials").as_array().expect("trials");
    let alone = |limit: &str| {
        let ran = with_stdin(
            &format!("max-rps --spec - --json --precision 10% --slo p99={limit}"),
            OPEN,
        );
        at(&ran.json(), "trials").as_array().expect("trials").len()
    };
    let apart: usize = ["6ms", "10ms", "20ms"].map(alone).iter().sum();
    assert!(
        trials.len() < apart,
        "{} trials, and {apart} apart",
        trials.len()
    );
}

#[test]
fn tiers_that_are_none_are_refused() {
    for (flags, said) in [
        ("--tiers p99=6ms,3ms", "not strictly ascending"),
        ("--tiers p98=6ms", "`p98` is not a quantile"),
        (
            "--tiers buy:p99=6ms",
            "there is no action `buy`; the actions are",
        ),
        ("--tiers p99=6ms --steps 1,2", "cannot be used with"),
    ] {
        let ran = search(flags, OPEN);
        assert_eq!(ran.code, Some(2), "{flags}: {ran:?}");
        assert!(ran.stderr.contains(said), "{flags}: {}", ran.stderr);
    }
}

/// A load whose backlog outgrows memory misses its objectives, and what is known of other loads stays.
#[cfg(target_os = "linux")]
#[test]
fn a_load_that_outgrows_memory_is_a_trip() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("two.yaml");
    std::fs::write(&path, OPEN).expect("a spec");
    let found = |flags: &str| {
        let flags = format!("max-rps --json --quiet --spec '{}' {flags}", path.display());
        let ran = with_memory(400_000, &flags);
        assert!(matches!(ran.code, Some(0 | 99)), "{ran:?}");
        ran.json()
    };
    let outgrown = |trial: &Value| {
        assert_eq!(at(trial, "verdict"), "TRIP", "{trial:#}");
        let reasons = at(trial, "reasons").to_string();
        let said = "more do not fit into memory: this load exceeds the capacity of the services.";
        assert!(reasons.contains(said), "{reasons}");
    };
    // Within the warm-up, of which nothing is measured, too.
    let steps = "--steps 80,2M,3M --warmup 1s --hold 20s --no-stop-on-trip";
    let ramp = found(steps);
    let trials = at(&ramp, "trials").as_array().expect("trials");
    assert_eq!(trials.len(), 3);
    assert_eq!(at(&trials[0], "verdict"), "PASS");
    trials[1..].iter().for_each(outgrown);
    assert_eq!(number(&ramp, "answer.value"), 80.0);
    assert_eq!(number(&ramp, "answer.upper"), 2e6);
    let searched = found("--search 1M..4M --warmup 1s --hold 20s");
    assert_eq!(at(&searched, "ended"), "none_passed", "{searched:#}");
    let trials = at(&searched, "trials").as_array().expect("trials");
    trials.iter().for_each(outgrown);
}

#[test]
fn a_dry_run_says_what_bounds_the_time() {
    let unbounded = "real time is not limited; limit it with --time-limit";
    for (flags, said) in [
        (
            "--search 80..2k",
            vec![
                "until it is decided; limit it with --longest-trial",
                unbounded,
            ],
        ),
        (
            "--search 80..2k --longest-trial 40s --time-limit 5m",
            vec![
                "until it is decided, at most 40s",
                "at most 5m of real time",
            ],
        ),
        (
            "--hold 20s",
            vec!["each trial  20s window, simulated time", unbounded],
        ),
        (
            "--steps 80,2k --warmup 1s --hold 20s --time-limit 30s",
            vec![
                "each trial  1s warm-up, 20s window, simulated time",
                "at most 30s of real time",
            ],
        ),
    ] {
        let ran = with_stdin(&format!("max-rps --spec - --dry-run {flags}"), OPEN);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{flags}");
        for part in said {
            assert!(ran.stdout.contains(part), "{flags}: {}", ran.stdout);
        }
    }
}
