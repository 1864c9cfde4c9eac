//! `blis compare`: two runs, or two sets of runs.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, Runs, at, blis, number, words};

const SPEC: &str = "{blis: 1, name: shop, run: {horizon: 60s, warmup: 2s}, clients: {c: {rate: 300/s, do: {buy: 3, look: 1}}}, actions: \
                    {buy: {path: [{visit: s}, reply]}, look: {path: [{visit: s}, reply]}}, services: {s: {workers: 1, time: {exponential: \
                    {mean: 1500us}}}}}";

fn figures<'a>(found: &'a Value, of: &str) -> Vec<&'a Value> {
    let figures = at(found, of)["figures"].as_array().expect("figures");
    figures.iter().collect()
}

fn code(ran: &Ran) -> Option<i32> {
    ran.code
}

#[test]
fn a_run_is_no_different_from_itself() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "--record");
    let ran = words(&format!(
        "compare {one} {one} --json --tolerance p99=1%,throughput=1%"
    ));
    let found = ran.json();
    for group in ["total", "actions.buy", "actions.look"] {
        for figure in figures(&found, group) {
            assert_eq!(number(figure, "difference"), 0.0, "{figure}");
            assert_eq!(at(figure, "more_than_chance"), false);
        }
    }
    assert_eq!(
        number(&found, "actions.buy.distribution.wasserstein_ms"),
        0.0
    );
    // As far as a run of this length can be trusted, it is not within 1 % of itself run again.
    assert_eq!(code(&ran), Some(5), "{ran:?}");
    assert_eq!(at(&found, "verdict"), "INCONCLUSIVE");
    let open = at(&found, "tolerances").as_array().expect("tolerances");
    assert!(
        open.iter()
            .any(|one| one["times_longer"].as_f64() > Some(1.0))
    );
}

#[test]
fn what_is_slower_is_found_and_gates_a_build() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "--record");
    let again = runs.run("again", "--record --seed 2");
    let slower = runs.run(
        "slower",
        "--record --seed 3 --set services.s.time.exponential.mean=2ms",
    );
    let of = |other: &str, flags: &str| words(&format!("compare {one} {other} {flags}"));
    let found = of(&slower, "--json").json();
    let mean = figures(&found, "actions.buy")[1];
    assert_eq!(
        (at(mean, "name"), at(mean, "unit")),
        (&"mean".into(), &"ms".into())
    );
    // 1/(667 - 300) and 1/(500 - 300) seconds.
    assert!((0.5..1.3).contains(&number(mean, "difference")), "{mean}");
    assert_eq!(at(mean, "more_than_chance"), true);
    assert_eq!(
        at(&found, "actions.buy.distribution.more_than_chance"),
        true
    );
    assert!(found.get("verdict").is_none());
    let same = of(&again, "--json").json();
    for group in ["total", "actions.buy", "actions.look"] {
        for figure in figures(&same, group) {
            assert_ne!(figure["more_than_chance"], true, "{group} {figure}");
        }
    }
    for (other, tolerance, expected) in [
        (&slower, "mean=+20%", 99),
        (&slower, "mean=300%", 0),
        (&again, "mean=+40%,throughput=-10%", 0),
        (&again, "mean=0.1%", 5),
        (&slower, "throughput=-100%,errors=100%", 0),
    ] {
        let ran = of(other, &format!("--tolerance {tolerance}"));
        assert_eq!(code(&ran), Some(expected), "{tolerance}: {ran:?}");
    }
    let shown = of(&slower, "--tolerance mean=+20%").stdout;
    for said in [
        "baseline: ",
        "more than chance",
        "Kolmogorov-Smirnov",
        "mean of buy",
        "BEYOND",
        "TRIP: a difference is beyond its tolerance",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

/// Requests that fail at once are not fast.
#[test]
fn failures_are_no_improvement() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "");
    for (errors, name) in [("50%", "half"), ("100%", "all")] {
        let failing = runs.run(name, &format!("--set services.s.errors={errors}"));
        let ran = words(&format!("compare {one} {failing} --tolerance p99=+10%"));
        assert_eq!(code(&ran), Some(99), "{ran:?}");
        assert!(ran.stdout.contains("errors of buy"), "{ran:?}");
        assert!(ran.stdout.contains("app_error"), "{ran:?}");
    }
}

/// Half of an outage, an action that is gone, and nothing at all are no reason to pass; too few requests are none either.
#[test]
fn a_gate_is_not_passed_for_want_of_evidence() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "");
    let gate = |baseline: &str, other: &str, tolerance: &str| {
        words(&format!(
            "compare {baseline} {other} --tolerance {tolerance}"
        ))
        .code
    };
    let outage = SPEC.replace(
        "{workers: 1,",
        "{workers: 1, outages: [{from: 10s, to: 25s}],",
    );
    std::fs::write(runs.path("outage.yaml"), outage).expect("a spec");
    let (spec, outage) = (runs.path("outage.yaml"), runs.path("outage"));
    let ran = words(&format!("run {spec} --out {outage}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_ne!(gate(&one, &outage, "p50=30%"), Some(0));
    let failing = runs.run("failing", "--set services.s.errors=100%");
    assert_eq!(gate(&failing, &failing, "errors=1%"), Some(5));
    assert_eq!(gate(&one, &failing, "throughput=+10%"), Some(99));
    let short = runs.run("short", "--warmup 0s --horizon 300ms");
    assert_eq!(gate(&short, &short, "errors=0.5%"), Some(5));
    let single = SPEC.replace("{buy: 3, look: 1}", "buy");
    let single = single.replace(", look: {path: [{visit: s}, reply]}", "");
    std::fs::write(runs.path("single.yaml"), single).expect("a spec");
    let (spec, single) = (runs.path("single.yaml"), runs.path("single"));
    let ran = words(&format!("run {spec} --out {single}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(gate(&one, &single, "throughput=300%"), Some(5));
    // What takes no time is as fast as itself.
    let at_once = "{blis: 1, name: z, run: {horizon: 60s}, clients: {c: {rate: 100/s, do: a}}, actions: {a: {path: [reply]}}}";
    std::fs::write(runs.path("z.yaml"), at_once).expect("a spec");
    let (spec, at_once) = (runs.path("z.yaml"), runs.path("z"));
    assert_eq!(words(&format!("run {spec} --out {at_once}")).code, Some(0));
    assert_ne!(gate(&at_once, &at_once, "p99=10%"), Some(99));
}

#[test]
fn several_runs_of_a_side_count_by_their_spread() {
    let runs = Runs::of(SPEC);
    let each = |name: &str, seed: u32, more: &str| {
        runs.run(&format!("{name}{seed}"), &format!("--seed {seed} {more}"))
    };
    let slow = "--set services.s.time.exponential.mean=2ms";
    let [base, other] = [("base", 10, ""), ("slow", 20, slow)].map(|(name, from, more)| {
        let all = (from..from + 4).map(|seed| each(name, seed, more));
        all.collect::<Vec<String>>().join(" ")
    });
    let ran = words(&format!("compare {base} --against {other} --json"));
    let found = ran.json();
    assert_eq!(
        at(&found, "baseline.runs").as_array().map(Vec::len),
        Some(4)
    );
    let mean = figures(&found, "total")[1];
    assert_eq!(at(mean, "more_than_chance"), true, "{mean}");
    // Without records there are no distributions, which is said.
    assert!(at(&found, "actions.buy").get("distribution").is_none());
    assert!(
        at(&found, "notes").to_string().contains("--record"),
        "{found}"
    );
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "");
    let missing = runs.path("missing");
    let renamed = SPEC.replace("buy", "sell").replace("look", "browse");
    std::fs::write(runs.path("other.yaml"), renamed).expect("a spec");
    let spec = runs.path("other.yaml");
    let other = runs.path("other");
    assert_eq!(words(&format!("run {spec} --out {other}")).code, Some(0));
    for (line, said) in [
        (one.clone(), "needs two runs"),
        (format!("{one} {one} {one}"), "needs two runs"),
        (format!("{one} {missing}"), "no run can be read there"),
        (format!("{one} {spec}"), "takes a run directory"),
        (format!("{one} {other}"), "no action in common"),
        (
            format!("{one} {other} --against {one}"),
            "have different actions",
        ),
        (
            format!("{one} {one} --tolerance p98=1%"),
            "there is no figure `p98`",
        ),
        (
            format!("{one} {one} --tolerance p99=1"),
            "not a share of p99",
        ),
        (format!("{one} {one} --against {one}"), "are the same run"),
    ] {
        let ran = words(&format!("compare {line}"));
        assert_eq!(ran.code, Some(2), "{line}: {ran:?}");
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    // A run that is far too short says why nothing can be told.
    let few = runs.run("few", "--warmup 57s --horizon 57200ms");
    let ran = words(&format!("compare {one} {few} --tolerance p95=10%"));
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("undecided: "), "{ran:?}");
    assert!(ran.stdout.contains("few: "), "{ran:?}");
    // A run without a request in its window measured nothing.
    let empty = runs.run("empty", "--warmup 59.999999s");
    let ran = blis([Path::new("compare"), Path::new(&one), Path::new(&empty)]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no request in its window"), "{ran:?}");
}

#[test]
fn requests_that_are_the_same_in_both_runs_are_compared_one_by_one() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "--record");
    // The same requests with the same demands, of which each takes a tenth longer.
    let slower = runs.run(
        "slower",
        "--record --set services.s.time.exponential.mean=1650us",
    );
    let found = words(&format!("compare {one} {slower} --json")).json();
    for action in ["buy", "look"] {
        let pairs = at(&found, &format!("actions.{action}.pairs")).clone();
        let all = found["baseline"]["runs"][0]["requests"]
            .as_f64()
            .expect("a number");
        assert!(number(&pairs, "pairs") > 0.2 * all, "{pairs}");
        assert_eq!(
            (
                number(&pairs, "only_baseline"),
                number(&pairs, "only_other")
            ),
            (0.0, 0.0)
        );
        assert_eq!(at(&pairs, "more_than_chance"), true);
        let mean = number(&pairs, "mean_ms");
        let ends = pairs["mean_ms_ci95"].as_array().expect("an interval");
        let width = ends[1].as_f64().unwrap_or(0.0) - ends[0].as_f64().unwrap_or(0.0);
        // The difference of the means is the same; its interval is wider, because it takes the runs for independent.
        let mean_of = |side: &str| {
            let figures = figures(&found, &format!("actions.{action}"));
            let figure = figures
                .into_iter()
                .find(|one| at(one, "name") == "mean")
                .expect("a mean")
                .clone();
            (number(&figure, side), figure)
        };
        let ((baseline, figure), (other, _)) = (mean_of("baseline"), mean_of("other"));
        assert!(
            (other - baseline - mean).abs() < 0.01 * mean,
            "{mean} {baseline} {other}"
        );
        let ends_of_both = figure["difference_ci95"].as_array().expect("an interval");
        let of_both =
            ends_of_both[1].as_f64().unwrap_or(0.0) - ends_of_both[0].as_f64().unwrap_or(0.0);
        assert!(width < 0.7 * of_both * baseline, "{width} {of_both}");
    }
    let text = words(&format!("compare {one} {slower}")).stdout;
    assert!(
        text.contains("requests are in both: their response time in the other is"),
        "{text}"
    );
    // Another seed has other requests.
    let another = runs.run("another", "--record --seed 2");
    let found = words(&format!("compare {one} {another} --json")).json();
    assert_eq!(at(&found, "actions.buy").get("pairs"), None);
}
