//! How often nominal 95 % intervals contain the exact figure.

use blis_sim::replication::{Flow, in_order};
use blis_sim::result::Run;
use blis_sim::theory::MultiServer;

use crate::support::{document, replications, run, station, threads};

/// How many seeds.
const SEEDS: u64 = 200;
/// The figures that have an exact value.
const FIGURES: [&str; 6] = ["response", "utilisation", "wait", "p50", "p95", "p99"];
/// How many of [`FIGURES`] are means. Those must be covered by 90 to 99 % of their intervals.
const MEANS: usize = 3;

/// Which of [`FIGURES`] are covered by the intervals of a document; `None` where there is no interval.
fn covered(run: &Run, exact: &MultiServer) -> [Option<bool>; 6] {
    let response = &run.latency_ms.response;
    let api = &run.services["api"];
    let contains = |interval: Option<[f64; 2]>, exact: f64| {
        interval.map(|[low, high]| (low..=high).contains(&exact))
    };
    [
        contains(response.mean_ci95, exact.means.response * 1e3),
        contains(api.utilisation_ci95, exact.means.utilisation),
        contains(api.wait_ms.mean_ci95, exact.means.wait * 1e3),
        contains(response.p50_ci95, exact.response_quantile(0.5) * 1e3),
        contains(response.p95_ci95, exact.response_quantile(0.95) * 1e3),
        contains(response.p99_ci95, exact.response_quantile(0.99) * 1e3),
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

/// Every figure has an interval for at least so many seeds, unless it is `None`, and is covered as often as it should
/// be. Quantiles far out come in clusters, so that theirs may miss a little more often.
fn check(what: &str, counts: [(u64, u64); 6], least: [Option<u64>; 6]) {
    for (index, (there, covered)) in counts.into_iter().enumerate() {
        let name = FIGURES[index];
        let Some(least) = least[index] else { continue };
        assert!(
            there >= least,
            "{what}: {name} has an interval {there} times"
        );
        let (low, high) = if index < MEANS {
            (0.9, 0.99)
        } else {
            (0.88, 1.0)
        };
        let share = covered as f64 / there as f64;
        assert!(
            (low..=high).contains(&share),
            "{what}: {name} is covered {covered} of {there} times"
        );
    }
}

fn batch_means(workers: u32, load: f64, horizon_s: u32, p99: Option<u64>) {
    let model = station(workers, load, horizon_s);
    let counts = count(workers, load, |seed| {
        let mut model = model.clone();
        model.seed = 1 + seed;
        run(&model)
    });
    let usually = Some(SEEDS * 9 / 10);
    let least = [usually, usually, usually, usually, usually, p99];
    check(&format!("M/M/{workers} at {load}"), counts, least);
}

#[test]
fn batches_of_m_m_1() {
    // Nearly 10,000 requests in the window are too few for a p99 by ten sections.
    batch_means(1, 0.5, 20, None);
    batch_means(1, 0.8, 100, Some(160));
    batch_means(1, 0.9, 400, Some(160));
}

#[test]
fn batches_of_m_m_4() {
    batch_means(4, 0.5, 10, Some(180));
    batch_means(4, 0.8, 30, Some(180));
    batch_means(4, 0.9, 100, Some(160));
}

fn over_replications(workers: u32, load: f64, horizon_s: u32, number: u64) {
    let model = station(workers, load, horizon_s);
    let counts = count(workers, load, |seed| {
        let mut model = model.clone();
        model.seed = 1 + seed;
        document(&model, &replications(&model, number, 1))
    });
    check(
        &format!("M/M/{workers} at {load}, {number} replications"),
        counts,
        [Some(SEEDS); 6],
    );
}

#[test]
fn replications_of_m_m_1() {
    over_replications(1, 0.5, 5, 20);
    over_replications(1, 0.8, 15, 15);
    over_replications(1, 0.9, 40, 10);
}

#[test]
fn replications_of_m_m_4() {
    over_replications(4, 0.5, 2, 20);
    over_replications(4, 0.8, 6, 15);
    over_replications(4, 0.9, 12, 10);
}
