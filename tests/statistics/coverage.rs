//! How often nominal 95 % intervals contain the exact figure.

use blis_sim::replication::{Flow, in_order};
use blis_sim::result::Run;
use blis_sim::theory::MultiServer;

use crate::support::{document, replications, run, station, threads};

/// How many seeds.
const SEEDS: u64 = 200;
/// How often, of [`SEEDS`], an interval may contain the exact figure: 90 to 99 %.
const COVERED: std::ops::RangeInclusive<u64> = 180..=198;

/// The figures that have an exact value.
const FIGURES: [&str; 6] = ["response", "p50", "p95", "p99", "utilisation", "wait"];

/// Which of [`FIGURES`] are covered by the intervals of a document; `None` where there is no interval.
fn covered(run: &Run, exact: &MultiServer) -> [Option<bool>; 6] {
    let response = &run.latency_ms.response;
    let api = &run.services["api"];
    let contains = |interval: Option<[f64; 2]>, exact: f64| {
        interval.map(|[low, high]| (low..=high).contains(&exact))
    };
    [
        contains(response.mean_ci95, exact.means.response * 1e3),
        contains(response.p50_ci95, exact.response_quantile(0.5) * 1e3),
        contains(response.p95_ci95, exact.response_quantile(0.95) * 1e3),
        contains(response.p99_ci95, exact.response_quantile(0.99) * 1e3),
        contains(api.utilisation_ci95, exact.means.utilisation),
        contains(api.wait_ms.mean_ci95, exact.means.wait * 1e3),
    ]
}

/// Counts, over all seeds, how often each figure has an interval and how often that contains the exact one.
fn count(workers: u32, load: f64, one: impl Fn(u64) -> Run + Sync) -> [(u64, u64); 6] {
    let rate = f64::from(workers) * load * 1000.0;
    let exact = MultiServer::new(u64::from(workers), rate, 1e-3).unwrap();
    let mut counts = [(0, 0); 6];
    in_order(
        SEEDS,
        threads(2),
        |seed, _| covered(&one(seed), &exact),
        |_, covered| {
            for (count, covered) in counts.iter_mut().zip(covered) {
                count.0 += u64::from(covered.is_some());
                count.1 += u64::from(covered == Some(true));
            }
            Flow::GoOn
        },
    );
    counts
}

fn check(what: &str, counts: [(u64, u64); 6]) {
    for (figure, (there, covered)) in FIGURES.into_iter().zip(counts) {
        println!("{what}: {figure} {covered} of {there}");
    }
}

fn batch_means(workers: u32, load: f64, horizon_s: u32) {
    let model = station(workers, load, horizon_s);
    let counts = count(workers, load, |seed| {
        let mut model = model.clone();
        model.seed = 1 + seed;
        run(&model)
    });
    check(&format!("batches {workers} {load}"), counts);
}

fn over_replications(workers: u32, load: f64, horizon_s: u32, number: u64) {
    let model = station(workers, load, horizon_s);
    let counts = count(workers, load, |seed| {
        let mut model = model.clone();
        model.seed = 1 + seed;
        document(&model, &replications(&model, number, 1))
    });
    check(&format!("replications {workers} {load}"), counts);
}

#[test]
fn batches() {
    batch_means(1, 0.5, 20);
    batch_means(1, 0.8, 100);
    batch_means(1, 0.9, 400);
    batch_means(4, 0.5, 10);
    batch_means(4, 0.8, 30);
    batch_means(4, 0.9, 100);
    batch_means(1, 0.9, 100);
    batch_means(1, 0.9, 40);
}

#[test]
fn replicated() {
    over_replications(1, 0.5, 5, 10);
    over_replications(1, 0.8, 20, 10);
    over_replications(1, 0.9, 60, 10);
    over_replications(4, 0.5, 5, 10);
    over_replications(4, 0.8, 10, 10);
    over_replications(4, 0.9, 20, 10);
}
