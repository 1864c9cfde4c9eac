//! What a trial is judged by in parts is what its verdict counts as a whole.

#![allow(clippy::unwrap_used)]

use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::runner::{Runner, Simulated};
use blis_sim::search::{Look, Pool, judged};
use blis_sim::spec;
use blis_sim::verdict::{
    Evidence, LiveEvidence, Parts, Status, evidence, parts_of_paths, parts_of_run, parts_of_runs,
};

/// Every kind of objective that is counted: of tries, over all tries, of deliveries, with and without one for failures.
const ALL: &str = "
blis: 1
name: all
run: {horizon: 12s, warmup: 2s}
seed: SEED
clients:
  asking: {rate: 200/s, do: {ask: 3, tell: 1}, on_failure: {retry: {times: 2, backoff: 5ms}}}
  telling: {rate: 100/s, timeout: 1s, do: {tell: 1, say: 2}}
actions:
  ask:
    path: [{visit: desk}, reply]
    slo: {p50: 20ms, p99: 60ms, errors: 1%, overall: {p90: 40ms, errors: 0.1%}}
  tell: {path: [{visit: desk}, reply], slo: {p95: 30ms}}
  say:
    path: [{emit: hall}, reply]
    await: {from: {fan_out: hall}, deliveries: 3, until: all}
    slo: {p99: 100ms, deliveries: {first: {p95: 20ms}, each: {p90: 40ms}, last: {p95: 60ms}, missing: 1%}}
services:
  desk: {workers: 3, time: {exponential: {mean: 8ms}}, errors: 0.5%}
fan_outs:
  hall: {subscribers: 3, delay: {exponential: {mean: 10ms}}, loss: 0.5%}
";

fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:#?}"));
    lowered.model
}

fn run(model: &Model) -> Measure {
    let ran = Simulated::new(u64::MAX).run(model, &|| false).unwrap();
    ran.measure
}

/// Runs with these seeds, and what was measured in all of them together.
fn runs(seeds: std::ops::Range<u64>) -> (Vec<(Model, Measure)>, Measure) {
    let of_seed = |seed: u64| {
        let model = model(&ALL.replace("SEED", &seed.to_string()));
        let measure = run(&model);
        (model, measure)
    };
    let runs: Vec<(Model, Measure)> = seeds.map(of_seed).collect();
    let mut whole = runs[0].1.clone();
    runs[1..].iter().for_each(|(_, run)| whole.merge(run));
    (runs, whole)
}

fn told(model: &Model, measure: &Measure) -> Evidence {
    evidence(model, measure, false, &Default::default()).unwrap()
}

fn agree(evidence: &Evidence, parts: &[Parts], number: std::ops::RangeInclusive<usize>) {
    assert_eq!(evidence.signals.len(), parts.len());
    for (signal, parts) in evidence.signals.iter().zip(parts) {
        let counted = signal.counted().unwrap();
        let sum = |of: fn(&blis_sim::statistics::Section) -> u64| -> u64 {
            parts.at_limit.iter().map(of).sum()
        };
        let name = format!("{} {}", signal.of, signal.name());
        assert!(number.contains(&parts.at_limit.len()), "{name}");
        assert_eq!(sum(|part| part.count), counted.samples, "{name}");
        assert_eq!(sum(|part| part.above), counted.over(), "{name}");
        for lower in &parts.lower {
            assert_eq!(lower.len(), parts.at_limit.len(), "{name}");
        }
    }
}

#[test]
fn the_parts_of_every_objective_are_together_what_its_verdict_counts() {
    let model = model(&ALL.replace("SEED", "7"));
    let measure = run(&model);
    let evidence = told(&model, &measure);
    let names: Vec<String> = evidence
        .signals
        .iter()
        .map(|signal| signal.name())
        .collect();
    assert_eq!(
        names,
        [
            "p50", "p99", "errors", "p90", "errors", "p99", "p95", "p90", "p95", "missing", "p95"
        ]
    );
    agree(&evidence, &parts_of_run(&measure), 10..=21);
}

#[test]
fn sample_paths_are_parts_of_their_own() {
    let (paths, whole) = runs(0..12);
    let evidence = told(&paths[0].0, &whole);
    let each: Vec<&Measure> = paths.iter().map(|(_, measure)| measure).collect();
    let parts = parts_of_paths(&whole, &each);
    agree(&evidence, &parts, 12..=12);
    let judged = judged(&evidence, &parts, Look::FIRST);
    assert_eq!(judged.shares.len(), parts.len());
    for share in &judged.shares {
        let worth = share.effective.unwrap();
        assert!(1.0 < worth && worth <= share.samples as f64, "{share:?}");
    }
}

#[test]
fn a_trial_of_which_the_generator_was_the_limit_is_no_part_of_the_next() {
    let model = queue("40/s", 1, "30s");
    let measure = run(&model);
    // Of live open clients every evidence says that lag is the generator's own, whether there was any or not.
    let live = LiveEvidence {
        generator_lagged: true,
        ..LiveEvidence::default()
    };
    let samples = |late: &[&str]| {
        let mut pool = Pool::default();
        let mut judged = pool.judged(&model, 40.0, &measure, &live, 1);
        assert_eq!(judged.status, Status::Inconclusive);
        judged.generator_limits = late.iter().map(|late| (*late).to_owned()).collect();
        pool.take(40.0, &measure, &judged, 1);
        let next = pool.judged(&model, 40.0, &measure, &live, 1);
        next.shares[0].samples / judged.shares[0].samples
    };
    assert_eq!(
        (samples(&[]), samples(&["The generator was late."])),
        (2, 1)
    );
}

#[test]
fn runs_of_one_load_are_judged_by_the_batches_of_all_of_them() {
    let (runs, whole) = runs(1..4);
    let each: Vec<&Measure> = runs.iter().map(|(_, measure)| measure).collect();
    let parts = parts_of_runs(&whole, &each);
    agree(&told(&runs[0].0, &whole), &parts, 30..=63);
    assert!(parts.iter().all(|part| part.chained));
    assert_eq!(
        parts_of_runs(&runs[0].1, &each[..1]),
        parts_of_run(&runs[0].1)
    );
}

/// An M/M/1 queue of 100/s that carries 54/s with a p99 of 100 ms.
fn queue(rate: &str, seed: u64, horizon: &str) -> Model {
    model(&format!(
        "{{blis: 1, name: one, run: {{horizon: {horizon}, warmup: 5s}}, seed: {seed}, clients: {{c: {{rate: {rate}, do: ask}}}}, \
         actions: {{ask: {{path: [{{visit: desk}}, reply], slo: {{p99: 100ms}}}}}}, \
         services: {{desk: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}}}}}}}"
    ))
}

#[test]
fn trials_that_say_nothing_alone_say_something_together() {
    let mut pool = Pool::default();
    let (mut decided, mut samples) = (None, 0);
    for seed in 1..=8 {
        let model = queue("40/s", seed, "30s");
        let measure = run(&model);
        let alone = Pool::default().judged(&model, 40.0, &measure, &Default::default(), 1);
        assert_eq!(alone.status, Status::Inconclusive, "{:?}", alone.reasons);
        // What was measured at another load is none of this one's.
        let elsewhere = pool.judged(&model, 39.0, &measure, &Default::default(), 1);
        assert_eq!(elsewhere, alone);
        let together = pool.judged(&model, 40.0, &measure, &Default::default(), 1);
        samples += alone.shares[0].samples;
        assert_eq!(together.shares[0].samples, samples);
        pool.take(40.0, &measure, &together, 1);
        if together.status != Status::Inconclusive {
            decided = Some((seed, together.status));
            break;
        }
    }
    let (after, status) = decided.expect("it is decided");
    assert!(status == Status::Pass && after > 1, "{after} {status:?}");
    // What is decided is confirmed by a trial that says the same by itself.
    let model = queue("40/s", 9, "30s");
    let measure = run(&model);
    let again = pool.judged(&model, 40.0, &measure, &Default::default(), 1);
    let alone = Pool::default().judged(&model, 40.0, &measure, &Default::default(), 1);
    assert_eq!(again, alone);
}

/// At the limit itself either answer is wrong. Over all looks at a load, with the earlier trials of it, that is as seldom as
/// stated.
#[test]
fn trials_that_are_judged_together_are_not_wrong_more_often() {
    let limit = 100.0 - 100f64.ln() / 0.1;
    let rate = format!("{limit}/s");
    let searches = 200;
    let wrong = |search: u64| {
        let mut pool = Pool::default();
        (0..3).any(|trial| {
            let model = queue(&rate, 3 * search + trial, "30s");
            let measure = run(&model);
            let judged = pool.judged(&model, limit, &measure, &Default::default(), 1);
            pool.take(limit, &measure, &judged, 1);
            judged.status != Status::Inconclusive
        })
    };
    let wrong = (0..searches).filter(|search| wrong(*search)).count();
    assert!(
        wrong as f64 <= 0.08 * searches as f64,
        "{wrong} of {searches}"
    );
}

#[test]
fn a_light_load_passes_though_nothing_fails_and_a_heavy_one_trips() {
    let at = |rate: &str| {
        let model = queue(rate, 3, "200s");
        let measure = run(&model);
        judged(
            &told(&model, &measure),
            &parts_of_run(&measure),
            Look::FIRST,
        )
    };
    // The p99 of the response times is 4.6 / (100/s - rate): 100 ms at 54/s.
    let light = at("20/s");
    assert_eq!((light.status, light.reasons), (Status::Pass, Vec::new()));
    let heavy = at("75/s");
    assert_eq!(heavy.status, Status::Trip, "{:?}", heavy.reasons);
    assert_eq!(heavy.more_needed, None);
    let near = at("54/s");
    assert_eq!(near.status, Status::Inconclusive, "{:?}", near.reasons);
}
