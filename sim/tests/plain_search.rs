//! The plain search, given trials that are simulated and as long as live ones: what it finds is near the ceiling.

#![allow(clippy::unwrap_used)]

use blis_sim::model::{Limits, Model};
use blis_sim::replication::seed_of;
use blis_sim::runner::{Runner, Simulated};
use blis_sim::search::{Bracket, Direction, Ended, Pool, Range, Wanted};
use blis_sim::spec;
use blis_sim::time::{Span, Time};

/// A system that is searched.
struct Case {
    slo: &'static str,
    desk: &'static str,
    /// Where its ceiling is, as `blis max-rps` finds with `--precision 0.1%`.
    ceiling: f64,
    /// Seconds of all trials, and how many times as long as a first one the longest is.
    all: f64,
    longest: u32,
}

/// Forty workers, 20 ms each: 2000/s.
const WORKERS: Case = Case {
    slo: "p90: 80ms",
    desk: "workers: 40, time: {gamma: {mean: 20ms, cv: 0.2}}",
    ceiling: 1981.0,
    all: 240.0,
    longest: 2,
};
/// Four members of one worker each, 4 ms: 1000/s. A queue of its own before each remembers four times as long.
const MEMBERS: Case = Case {
    slo: "p90: 100ms",
    desk: "members: 4, workers: 1, time: {gamma: {mean: 4ms, cv: 0.2}}",
    ceiling: 951.4,
    all: 480.0,
    longest: 4,
};
/// Seconds: of the warm-up, and of a first trial.
const WARMUP: f64 = 2.0;
const HOLD: f64 = 15.0;
/// How often a live trial is looked at.
const LOOKS: u32 = 3;

fn model(case: &Case, load: f64, seed: u64, number: u64, hold: f64) -> Model {
    let Case { slo, desk, .. } = case;
    let text = format!(
        "{{blis: 1, name: one, seed: SEED, run: {{horizon: 60s}}, clients: {{c: {{rate: {load}/s, do: ask}}}}, actions: {{ask: \
         {{path: [{{visit: desk}}, reply], slo: {{{slo}}}}}}}, services: {{desk: {{{desk}}}}}}}"
    );
    let spec = spec::read(&text.replace("SEED", &seed.to_string())).unwrap();
    let mut model = spec::lower(&spec).unwrap().model;
    let after = |seconds: f64| Time::ZERO + Span::from_nanos_f64(seconds * 1e9);
    model.seed = seed_of(seed, number);
    model.limits = Limits {
        requests: None,
        horizon: Some(after(WARMUP + hold)),
        warmup: after(WARMUP),
        ..model.limits
    };
    model
}

/// The answer, and how many seconds it took.
fn found(case: &Case, seed: u64, predicted: f64) -> (f64, f64) {
    let range = Range {
        from: 10.0,
        to: 1e6,
        whole: false,
        direction: Direction::Rising,
    };
    let mut bracket = Bracket::new(Wanted {
        range,
        precision: 0.03,
        confirm: 2,
        most_trials: 40,
        longest: case.longest,
        predicted: Some(predicted),
    })
    .unwrap();
    let (mut pool, mut taken, mut number) = (Pool::default(), 0.0, 0);
    while let Some(ask) = bracket.next_trial() {
        let hold = HOLD * f64::from(ask.times_longer);
        if taken + WARMUP + hold > case.all {
            break;
        }
        taken += WARMUP + hold;
        let model = model(case, ask.load, seed, number, hold);
        number += 1;
        let ran = Simulated::new(u64::MAX).run(&model, &|| false).unwrap();
        let judged = pool.judged(&model, ask.load, &ran.measure, &ran.evidence, LOOKS);
        pool.take(ask.load, &ran.measure, &judged, LOOKS);
        bracket.tried(ask.load, &judged);
    }
    match bracket.ended() {
        Ended::Ceiling(ceiling) => (ceiling.load, taken),
        other => panic!("{other:?}"),
    }
}

/// Holds where the answers for these seeds are at most 5 % below the ceiling.
fn comes_near(case: &Case, seeds: std::ops::RangeInclusive<u64>) {
    for seed in seeds {
        // The prediction is not quite right, which moves the loads that can be asked for.
        let predicted = case.ceiling * (1.0 + 0.004 * (seed as f64 - 4.5));
        let (load, taken) = found(case, seed, predicted);
        let error = load / case.ceiling - 1.0;
        assert!((-0.05..0.02).contains(&error), "{seed}: {error}");
        assert!(taken <= case.all);
    }
}

#[test]
fn four_minutes_of_trials_come_within_five_percent_of_the_ceiling() {
    comes_near(&WORKERS, 1..=8);
}

#[test]
fn eight_minutes_do_where_queues_remember_for_long() {
    comes_near(&MEMBERS, 1..=8);
}
