//! Replications: the same document on any number of threads, the first one the plain run, and stopping rules.

use std::sync::atomic::{AtomicU64, Ordering};

use blis_sim::engine::LoadEnd;
use blis_sim::model::Model;
use blis_sim::replication::{Halt, Plan, Unsteady, Watch, find_warmup, replicate, seed_of};
use blis_sim::statistics::Precision;

use crate::support::{UNWATCHED, document, model, replications, run, station, threads};

fn plan(replications: u64, on: usize) -> Plan {
    Plan {
        replications,
        precision: None,
        most: 1000,
        threads: threads(on),
    }
}

#[test]
fn a_document_is_the_same_on_any_number_of_threads() {
    let model = station(2, 0.7, 2);
    let on = |number| {
        document(&model, &replications(&model, 9, number))
            .to_json()
            .unwrap()
    };
    let one = on(1);
    for number in [2, 4, 16] {
        assert!(one == on(number), "{number} threads");
    }
}

#[test]
fn a_precision_stops_at_the_same_replication_on_any_number_of_threads() {
    let model = station(1, 0.5, 2);
    let on = |number| {
        let precise = Plan {
            precision: Some(Precision { target: 0.02 }),
            ..plan(5, number)
        };
        replicate(&model, precise, UNWATCHED, |_| {}).unwrap()
    };
    let one = on(1);
    assert!(
        one.each.len() > 5 && one.each.len() < 200,
        "{}",
        one.each.len()
    );
    let reached = one.precision.unwrap();
    assert!(reached.is_reached() && reached.achieved > 0.0);
    let text = document(&model, &one).to_json().unwrap();
    for number in [2, 4] {
        assert!(
            document(&model, &on(number)).to_json().unwrap() == text,
            "{number} threads"
        );
    }
    // One replication before, it was not reached.
    let before = Plan {
        most: one.each.len() as u64 - 1,
        precision: Some(Precision { target: 0.02 }),
        ..plan(5, 2)
    };
    let before = replicate(&model, before, UNWATCHED, |_| {}).unwrap();
    assert_eq!(before.each.len(), one.each.len() - 1);
    assert!(!before.precision.unwrap().is_reached());
}

#[test]
fn each_replication_is_a_plain_run_of_its_seed() {
    let model = station(1, 0.6, 2);
    let together = document(&model, &replications(&model, 3, 2));
    let each = together.replications.as_ref().unwrap();
    assert_eq!(each.count, 3);
    let mut requests = 0;
    for (number, one) in (0u64..).zip(&each.each) {
        let plain = Model {
            seed: one.seed,
            ..model.clone()
        };
        let plain = run(&plain);
        assert_eq!(one.seed, seed_of(model.seed, number));
        let means = (one.response_mean_ms, plain.latency_ms.response.mean);
        assert!(
            matches!(means, (Some(mine), Some(its)) if (mine / its - 1.0).abs() < 1e-12),
            "{means:?}"
        );
        assert_eq!(one.throughput_rps, plain.throughput_rps);
        requests += plain.requests.intended;
    }
    assert_eq!(together.requests.intended, requests);
    assert_eq!(together.seed, run(&model).seed);
    assert_eq!(together.series, run(&model).series);
}

#[test]
fn pooled_figures_are_those_of_all_requests() {
    let model = station(1, 0.6, 2);
    let together = document(&model, &replications(&model, 4, 2));
    let runs: Vec<_> = (0..4)
        .map(|number| {
            run(&Model {
                seed: seed_of(model.seed, number),
                ..model.clone()
            })
        })
        .collect();
    let sum = |of: &dyn Fn(&blis_sim::result::Run) -> f64| runs.iter().map(of).sum::<f64>();
    let response = |run: &blis_sim::result::Run| run.latency_ms.response.clone();
    let count = sum(&|run| response(run).count as f64);
    let mean = sum(&|run| response(run).count as f64 * response(run).mean.unwrap()) / count;
    let close =
        |left: f64, right: f64| assert!((left / right - 1.0).abs() < 1e-9, "{left} {right}");
    close(together.latency_ms.response.mean.unwrap(), mean);
    close(
        together.window.measured_s,
        sum(&|run| run.window.measured_s),
    );
    let utilisation = sum(&|run| run.services["api"].utilisation.unwrap()) / 4.0;
    close(together.services["api"].utilisation.unwrap(), utilisation);
    let waits = |run: &blis_sim::result::Run| run.services["api"].wait_ms.clone();
    let visits = sum(&|run| waits(run).count as f64);
    let wait = sum(&|run| waits(run).count as f64 * waits(run).mean.unwrap()) / visits;
    close(together.services["api"].wait_ms.count as f64, visits);
    close(together.services["api"].wait_ms.mean.unwrap(), wait);
    let max = runs
        .iter()
        .map(|run| response(run).max.unwrap())
        .fold(0.0, f64::max);
    assert_eq!(together.latency_ms.response.max, Some(max));
    let longest = runs
        .iter()
        .filter_map(|run| run.services["api"].max_queue)
        .max();
    assert_eq!(together.services["api"].max_queue, longest);
}

#[test]
fn an_interruption_keeps_the_replications_that_are_done() {
    let model = station(1, 0.5, 600);
    let looks = AtomicU64::new(0);
    // A replication of 600,000 events looks around about nine times.
    let stop = || looks.fetch_add(1, Ordering::Relaxed) >= 31;
    let watch = Watch {
        stop: &stop,
        ..UNWATCHED
    };
    let interrupted = replicate(&model, plan(10, 1), watch, |_| {}).unwrap();
    assert_eq!(interrupted.together.ended_by, LoadEnd::Interrupted);
    assert_eq!(interrupted.each.len(), 3);
    let whole = replications(&model, 3, 1);
    assert_eq!(interrupted.each, whole.each);
}

#[test]
fn an_interruption_of_the_first_replication_keeps_what_it_has() {
    let model = station(1, 0.5, 600);
    let watch = Watch {
        stop: &|| true,
        ..UNWATCHED
    };
    let interrupted = replicate(&model, plan(10, 2), watch, |_| {}).unwrap();
    assert_eq!(interrupted.together.ended_by, LoadEnd::Interrupted);
    assert_eq!(interrupted.each.len(), 1);
    assert!(interrupted.together.measure.total().requests().intended > 1000);
}

#[test]
fn a_replication_that_outgrows_its_memory_is_an_error() {
    let model = station(1, 1.5, 600);
    let watch = Watch {
        most_present: 1000,
        ..UNWATCHED
    };
    let halted = replicate(&model, plan(4, 2), watch, |_| {}).unwrap_err();
    assert!(matches!(halted, Halt::Overgrown(outgrown) if outgrown.present > 1000));
}

/// 2,000 requests at once, which 1,000 per second leave behind at the 500 that come on top after four seconds.
const BURST: &str = "
blis: 1
name: burst
run: {horizon: 60s, warmup: auto}
clients:
  crowd: {concurrency: 2000, do: once, on_failure: {respawn: false}}
  feed: {rate: 500/s, do: ask}
actions:
  once: {path: [{visit: api}, {fail: app_error}]}
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 1, time: {exponential: {mean: 1ms}}}
";

#[test]
fn the_pilot_finds_where_a_transient_ends() {
    let burst = model(BURST);
    assert!(burst.limits.find_warmup);
    let found = find_warmup(&burst, UNWATCHED).unwrap();
    let start = found.warmup.as_secs_f64();
    assert!(
        found.unsteady.is_none() && (3.5..6.0).contains(&start),
        "{found:?}"
    );
    assert!(found.responses > 29_000);
}

#[test]
fn the_pilot_finds_nothing_to_cut_off_a_steady_state() {
    let steady = find_warmup(&station(1, 0.5, 20), UNWATCHED).unwrap();
    assert!(
        steady.unsteady.is_none() && steady.warmup.as_secs_f64() < 2.0,
        "{steady:?}"
    );
}

#[test]
fn the_pilot_finds_no_steady_state_where_the_line_grows() {
    let overloaded = find_warmup(&station(1, 1.3, 20), UNWATCHED).unwrap();
    assert_eq!(overloaded.unsteady, Some(Unsteady::ResponseTimes));
    let half = overloaded.warmup.as_secs_f64();
    assert!((9.0..=11.0).contains(&half), "{overloaded:?}");
}

/// A service at half of its capacity once the load is there, under this shape of the arrival rate.
fn shaped(shape: &str, horizon: &str) -> Model {
    model(&format!(
        "blis: 1
name: shaped
run: {{horizon: {horizon}, warmup: auto}}
clients: {{c: {{rate: 50/s, {shape}, do: ask}}}}
actions: {{ask: {{path: [{{visit: api}}, reply]}}}}
services: {{api: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}}}}}
"
    ))
}

#[test]
fn no_warm_up_ends_inside_a_ramp() {
    // The response times of a ramp to half of the capacity hardly change, so that the rule alone would cut nothing.
    let found = find_warmup(
        &shaped("shape: {ramp: {from: 0.6, over: 300s}}", "600s"),
        UNWATCHED,
    )
    .unwrap();
    assert_eq!(found.unsteady, None, "{found:?}");
    assert!(
        (300.0..320.0).contains(&found.warmup.as_secs_f64()),
        "{found:?}"
    );
}

#[test]
fn a_ramp_that_fills_the_run_and_a_cycle_have_no_steady_state() {
    let ramp = find_warmup(&shaped("shape: {ramp: {over: 300s}}", "300s"), UNWATCHED).unwrap();
    let why = ramp.unsteady.expect("no steady state").to_string();
    assert_eq!(
        why,
        "the arrival rate of client c changes until 5m, and the load ends at 5m"
    );
    let warmup = ramp.warmup.as_secs_f64();
    assert!((100.0..250.0).contains(&warmup), "{warmup}");
    let cycle = "shape: {diurnal: {low: 0.5, peak_at: 30s, period: 60s}}";
    let cycle = find_warmup(&shaped(cycle, "300s"), UNWATCHED).unwrap();
    let why = cycle.unsteady.expect("no steady state").to_string();
    assert_eq!(why, "the arrival rate of client c never stops changing");
}
