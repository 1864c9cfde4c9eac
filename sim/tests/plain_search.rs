//! The plain search, given trials that are simulated and as long as live ones: what it finds is near the ceiling.

#![allow(clippy::unwrap_used)]

use blis_sim::model::{Limits, Model};
use blis_sim::replication::seed_of;
use blis_sim::runner::{Runner, Simulated};
use blis_sim::search::{Bracket, Direction, Ended, Pool, Range, Wanted};
use blis_sim::spec;
use blis_sim::time::{Span, Time};

/// Forty workers, 20 ms each: 2000/s. The p90 of the response times is over 80 ms from 1981/s on, as `blis max-rps` finds with
/// `--precision 0.1%`.
const SPEC: &str = "{blis: 1, name: one, seed: SEED, run: {horizon: 60s}, clients: {c: {rate: LOAD/s, do: ask}}, \
                    actions: {ask: {path: [{visit: desk}, reply], slo: {p90: 80ms}}}, \
                    services: {desk: {workers: 40, time: {gamma: {mean: 20ms, cv: 0.2}}}}}";
const CEILING: f64 = 1981.0;
/// Seconds: of the warm-up, of a first trial, and of all trials.
const WARMUP: f64 = 2.0;
const HOLD: f64 = 15.0;
const ALL: f64 = 240.0;

fn model(load: f64, seed: u64, number: u64, hold: f64) -> Model {
    let text = SPEC.replace("LOAD", &load.to_string());
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
fn found(seed: u64, predicted: f64) -> (f64, f64) {
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
        longest: 2,
        predicted: Some(predicted),
    })
    .unwrap();
    let (mut pool, mut taken, mut number) = (Pool::default(), 0.0, 0);
    while let Some(ask) = bracket.next_trial() {
        let hold = HOLD * f64::from(ask.times_longer);
        if taken + WARMUP + hold > ALL {
            break;
        }
        taken += WARMUP + hold;
        let model = model(ask.load, seed, number, hold);
        number += 1;
        let ran = Simulated::new(u64::MAX).run(&model, &|| false).unwrap();
        let judged = pool.judged(&model, ask.load, &ran.measure, &ran.evidence, 1);
        pool.take(ask.load, &ran.measure, &judged, 1);
        bracket.tried(ask.load, &judged);
    }
    match bracket.ended() {
        Ended::Ceiling(ceiling) => (ceiling.load, taken),
        other => panic!("{other:?}"),
    }
}

#[test]
fn four_minutes_of_trials_come_within_five_percent_of_the_ceiling() {
    for seed in 1..=8 {
        // The prediction is not quite right, which moves the loads that can be asked for.
        let predicted = CEILING * (1.0 + 0.004 * (seed as f64 - 4.5));
        let (load, taken) = found(seed, predicted);
        let error = load / CEILING - 1.0;
        assert!((-0.05..0.02).contains(&error), "{seed}: {error}");
        assert!(taken <= ALL);
    }
}
