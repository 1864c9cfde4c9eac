//! The results of the shipped specs, and what must hold of any result.
//!
//! Two things are held apart. `tests/golden/figures.txt` holds the *figures* of each run by their canonical keys
//! ([`figures`]): a line that changes there is a changed result, which wants a line in the changelog.
//! `tests/golden/documents.txt` holds the SHA-256 of each document as a whole, which changes also where only a word, a
//! key or the version does. `BLIS_BLESS=1` writes both anew.

mod figures;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use blis_sim::result::{
    Interval, Latency, LatencyBlock, RequestCounts, Run, ServiceResult, SessionCounts,
};

use figures::Figures;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs beside those of the shipped specs as they are.
const COMBINATIONS: &[&str] = &[
    "--concurrency 50 --think-time-ms 500",
    "--concurrency 200 --think-time-ms 500 --num-requests 100 --warmup 0s",
    "--concurrency 1000 --think-time-ms 0 --timeout 1s --horizon 20s",
    "--rate 350/s --horizon 30s --seed 7",
    "--rate 800 --timeout 100ms",
    "--spec specs/mixed.yaml --num-requests 2k --warmup 1s --seed 18446744073709551615",
    "--spec specs/overload.yaml --timeout 30ms --horizon 10s",
    "--spec specs/branches.yaml --horizon 3s --warmup 500ms",
    "--rate 350/s --horizon 10s --replications 5",
    "--rate 300/s --horizon 20s --warmup auto --precision 10%",
];

/// The arguments of every run.
fn runs() -> Vec<String> {
    let entries = std::fs::read_dir(Path::new(ROOT).join("specs")).expect("the specs");
    let mut runs: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".yaml"))
        .map(|name| format!("--spec specs/{name}"))
        .collect();
    runs.sort();
    assert!(!runs.is_empty());
    runs.extend(COMBINATIONS.iter().map(|&flags| flags.to_owned()));
    runs
}

fn document(args: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(["run", "--json"])
        .args(args.split_whitespace())
        .current_dir(ROOT)
        .output()
        .expect("the binary can be run");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 5 | 99)),
        "{args}: {told}"
    );
    String::from_utf8(output.stdout).expect("a document")
}

/// The committed lines of a file, written anew first where that is asked for.
fn golden(name: &str, now: &str) -> String {
    let path = Path::new(ROOT).join("tests/golden").join(name);
    if std::env::var_os("BLIS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, now).expect("the golden results can be written");
    }
    std::fs::read_to_string(&path).expect("the golden results")
}

#[test]
fn documents_are_the_golden_ones() {
    let lines: Vec<String> = runs()
        .iter()
        .map(|args| format!("{}  {args}\n", blis_sim::spec::sha256(document(args))))
        .collect();
    let golden = golden("documents.txt", &lines.concat());
    let golden: Vec<&str> = golden.split_inclusive('\n').collect();
    let changed: Vec<&String> = lines
        .iter()
        .filter(|line| !golden.contains(&line.as_str()))
        .collect();
    assert!(
        changed.is_empty() && golden.len() == lines.len(),
        "documents changed (figures.txt tells whether figures did); where that is meant, run the tests with \
         BLIS_BLESS=1:\n{changed:#?}"
    );
}

#[test]
fn figures_are_the_golden_ones() {
    let now: Figures = runs()
        .into_iter()
        .map(|args| {
            let figures = figures::of(&document(&args));
            (args, figures)
        })
        .collect();
    let golden = figures::read(&golden("figures.txt", &figures::write(&now)));
    let differences = figures::differences(&golden, &now);
    assert!(
        differences.is_empty(),
        "figures changed; where that is meant, run the tests with BLIS_BLESS=1 and say why in the changelog:\n{}",
        differences.join("\n")
    );
}

#[test]
fn every_result_satisfies_the_identities() {
    for args in runs() {
        let run: Run = serde_json::from_str(&document(&args)).expect("a result");
        counts_balance(&run, &args);
        parts_make_the_whole(&run, &args);
        latencies_are_ordered(&run, &args);
        services_are_consistent(&run, &args);
        limits_were_kept(&run, &args);
    }
}

/// The outcomes of a block in a fixed order, `intended` first.
fn fields(requests: &RequestCounts) -> [u64; 8] {
    [
        requests.intended,
        requests.ok,
        requests.app_error,
        requests.rejected,
        requests.timed_out,
        requests.transport_error,
        requests.dropped,
        requests.unresolved,
    ]
}

fn ended(requests: &RequestCounts) -> u64 {
    fields(requests)[1..].iter().sum()
}

fn sum<'a>(blocks: impl IntoIterator<Item = &'a RequestCounts>) -> [u64; 8] {
    let mut sums = [0; 8];
    for block in blocks {
        for (sum, field) in sums.iter_mut().zip(fields(block)) {
            *sum += field;
        }
    }
    sums
}

fn session_fields(sessions: &SessionCounts) -> [u64; 5] {
    [
        sessions.started,
        sessions.completed,
        sessions.cancelled,
        sessions.horizon_interrupted,
        sessions.budget_exhausted,
    ]
}

/// Every request ended exactly once, and so did every session.
fn counts_balance(run: &Run, args: &str) {
    let actions = run
        .actions
        .values()
        .flat_map(|a| [&a.requests, &a.window_requests]);
    let clients = run
        .clients
        .values()
        .flat_map(|c| [&c.requests, &c.window_requests]);
    let blocks = [&run.requests, &run.window.requests]
        .into_iter()
        .chain(actions)
        .chain(clients);
    for block in blocks {
        assert_eq!(block.intended, ended(block), "{args}: {block:?}");
    }
    for sessions in run
        .clients
        .values()
        .map(|client| &client.sessions)
        .chain([&run.sessions])
    {
        let [started, ends @ ..] = session_fields(sessions);
        assert_eq!(started, ends.iter().sum::<u64>(), "{args}: {sessions:?}");
    }
    let mut in_flight = 0;
    assert!(!run.series.is_empty(), "{args}");
    for row in &run.series {
        in_flight += row.requests.intended;
        assert_eq!(
            in_flight,
            ended(&row.requests) + row.in_flight,
            "{args}: {row:?}"
        );
        in_flight = row.in_flight;
    }
    assert_eq!(in_flight, 0, "{args}: nothing is in flight after the end");
}

/// Clients, actions and intervals each add up to the run.
fn parts_make_the_whole(run: &Run, args: &str) {
    let whole = fields(&run.requests);
    assert!(whole[0] > 0, "{args}");
    let in_series = sum(run.series.iter().map(|row| &row.requests));
    match &run.replications {
        None => assert_eq!(in_series, whole, "{args}"),
        // The series is of the first one.
        Some(replications) => {
            assert!(replications.count > 1 && in_series[0] < whole[0], "{args}");
            assert_eq!(replications.count, replications.each.len() as u64, "{args}");
        }
    }
    assert_eq!(
        sum(run.clients.values().map(|client| &client.requests)),
        whole,
        "{args}"
    );
    assert_eq!(
        sum(run.actions.values().map(|action| &action.requests)),
        whole,
        "{args}"
    );
    let window = fields(&run.window.requests);
    assert_eq!(
        sum(run.clients.values().map(|c| &c.window_requests)),
        window,
        "{args}"
    );
    assert_eq!(
        sum(run.actions.values().map(|a| &a.window_requests)),
        window,
        "{args}"
    );
    let mut sessions = [0; 5];
    for client in run.clients.values() {
        for (sum, field) in sessions.iter_mut().zip(session_fields(&client.sessions)) {
            *sum += field;
        }
    }
    assert_eq!(sessions, session_fields(&run.sessions), "{args}");
    if let Some(throughput) = run.throughput_rps {
        let clients: f64 = run
            .clients
            .values()
            .filter_map(|client| client.throughput_rps)
            .sum();
        let actions: f64 = run
            .actions
            .values()
            .filter_map(|action| action.throughput_rps)
            .sum();
        for parts in [clients, actions] {
            assert!(
                (parts - throughput).abs() <= 1e-9 * throughput,
                "{args}: {parts} {throughput}"
            );
        }
    }
    if run.replications.is_none() {
        course_is_gapless(&run.series, run.simulated_s.expect("a simulated run"), args);
    }
}

fn course_is_gapless(series: &[Interval], simulated: f64, args: &str) {
    let mut end = 0.0;
    for row in series {
        assert!(
            (row.start_s - end).abs() < 1e-9 * simulated,
            "{args}: {row:?} after {end}"
        );
        end = row.start_s + row.width_s;
    }
    assert!(
        (end - simulated).abs() < 1e-9 * simulated,
        "{args}: {end} of {simulated}"
    );
}

fn latencies_are_ordered(run: &Run, args: &str) {
    let check = |latency: &Latency, requests: &RequestCounts| {
        let censored = requests.timed_out + requests.unresolved;
        for block in [&latency.response, &latency.service] {
            assert_eq!(block.count, requests.ok + censored, "{args}");
            assert_eq!(block.censored, censored, "{args}");
        }
        for block in [&latency.response, &latency.service, &latency.lag] {
            is_ordered(block, args);
        }
        // In simulation nothing holds a request back.
        assert_eq!(latency.lag.max.unwrap_or(0.0), 0.0, "{args}");
        assert_eq!(latency.response, latency.service, "{args}");
    };
    check(&run.latency_ms, &run.window.requests);
    for action in run.actions.values() {
        check(&action.latency_ms, &action.window_requests);
    }
    for client in run.clients.values() {
        check(&client.latency_ms, &client.window_requests);
    }
    for service in run.services.values() {
        is_ordered(&service.wait_ms, args);
    }
}

fn is_ordered(block: &LatencyBlock, args: &str) {
    let figures = [
        block.min, block.p50, block.p90, block.p95, block.p99, block.p999, block.max,
    ];
    let there: Vec<f64> = figures.into_iter().flatten().collect();
    if block.count == 0 {
        assert!(
            there.is_empty() && block.mean.is_none(),
            "{args}: {block:?}"
        );
        return;
    }
    assert_eq!(there.len(), figures.len(), "{args}: {block:?}");
    assert!(there.is_sorted(), "{args}: {block:?}");
    let (least, most) = (there[0], there[figures.len() - 1]);
    assert!(
        block
            .mean
            .is_some_and(|mean| (least..=most).contains(&mean)),
        "{args}: {block:?}"
    );
}

fn services_are_consistent(run: &Run, args: &str) {
    for (name, service) in &run.services {
        if let Some(utilisation) = service.utilisation {
            assert!(
                (0.0..=1.0).contains(&utilisation),
                "{args}: {name} {utilisation}"
            );
        }
        obeys_little(service, run.window.measured_s, &format!("{args}: {name}"));
    }
    let shares = run.series.iter().flat_map(|row| row.services.values());
    for share in shares {
        assert!(
            (0.0..=1.0).contains(&share.utilisation),
            "{args}: {share:?}"
        );
        assert!(share.mean_queue >= 0.0, "{args}: {share:?}");
    }
    if run.replications.is_some() {
        return;
    }
    for (name, service) in &run.services {
        let area = |of: &dyn Fn(&Interval) -> f64| -> f64 {
            run.series.iter().map(|row| of(row) * row.width_s).sum()
        };
        let within = service.utilisation.unwrap_or(0.0) * run.window.measured_s;
        let whole = area(&|row| row.services[name].utilisation);
        assert!(
            within <= whole * (1.0 + 1e-9) + 1e-9,
            "{args}: {name} {within} {whole}"
        );
    }
}

/// Little's law for the line (Little 1961), up to what waits at the edges of the window.
fn obeys_little(service: &ServiceResult, measured: f64, what: &str) {
    let (Some(queue), Some(wait)) = (service.mean_queue, service.wait_ms.mean) else {
        assert_eq!(service.wait_ms.count, 0, "{what}");
        return;
    };
    let waited = service.wait_ms.count as f64 * wait / 1e3;
    let edges =
        2.0 * service.max_queue.unwrap_or(0) as f64 * service.wait_ms.max.unwrap_or(0.0) / 1e3;
    let difference = queue * measured - waited;
    assert!(
        -edges - 1e-9 <= difference && difference <= edges + 1e-9,
        "{what}: a queue of {queue} over {measured} s, waits of {waited} s, edges {edges} s"
    );
}

/// What bounds the run bounded it, and the verdict is there when something was promised.
fn limits_were_kept(run: &Run, args: &str) {
    let value = |key: &str| {
        run.configuration
            .get(key)
            .map(|setting| setting.value.as_str())
    };
    let budget: Option<u64> = value("run.requests").map(|budget| budget.parse().expect("a count"));
    if let Some(budget) = budget {
        assert!(run.requests.intended <= budget, "{args}");
        assert_eq!(
            run.ended_by == "budget",
            run.requests.intended == budget,
            "{args}"
        );
    } else {
        assert_eq!(run.ended_by, "horizon", "{args}");
    }
    assert_eq!(
        run.sessions.budget_exhausted > 0,
        run.ended_by == "budget",
        "{args}"
    );
    let end = run.window.warmup_s + run.window.measured_s;
    assert!(run.simulated_s >= Some(end), "{args}");
    assert!(run.events >= Some(run.requests.intended), "{args}");
    let judged: BTreeMap<&str, bool> = [
        ("quickstart", true),
        ("mixed", true),
        ("overload", true),
        ("branches", false),
        ("queue-groups", false),
        ("distributions", false),
        ("shapes", true),
        ("recorded", true),
        ("streams", true),
        ("priorities", false),
        ("disturbances", false),
        ("chat-pipeline", true),
        ("uploads", true),
        ("broadcast", true),
    ]
    .into();
    let known = judged.get(run.spec.name.as_str());
    assert_eq!(known, Some(&run.verdict.is_some()), "{args}");
}
