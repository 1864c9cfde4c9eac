//! How often the interval of the share over a limit, as verdicts show it, holds the exact share.

use blis_sim::replication::{Flow, in_order};

use crate::support::{model, run, threads};

/// The service time, in seconds.
const SERVICE: f64 = 0.004;
const SEEDS: u64 = 200;

/// Of these seeds, how many printed an interval, and how many of those hold the exact share: of M/M/1 at this load, over so many
/// times its exact 99th percentile, in a minute.
fn covered(load: f64, of_p99: f64) -> (u64, u64) {
    let rate = load / SERVICE;
    // The response time of M/M/1 is exponential (Kleinrock 1975, equation 5.20).
    let leaves = (1.0 - load) / SERVICE;
    let limit = of_p99 * f64::ln(100.0) / leaves;
    let exact = f64::exp(-leaves * limit);
    let text = format!(
        "{{blis: 1, name: shares, run: {{horizon: 60s, warmup: 5s}}, clients: {{feed: {{rate: {rate}/s, do: ask}}}}, \
         actions: {{ask: {{path: [{{visit: desk}}, reply], slo: {{p99: {}us}}}}}}, \
         services: {{desk: {{workers: 1, time: {{exponential: {{mean: 4ms}}}}}}}}}}",
        (limit * 1e6).round()
    );
    let mut counts = (0, 0);
    in_order(
        SEEDS,
        threads(2),
        |seed, _| {
            let mut model = model(&text);
            model.seed = 1 + seed;
            let verdict = run(&model).verdict.unwrap();
            let interval = verdict.signals[0].share_over_ci95;
            interval.map(|[low, high]| (low..=high).contains(&exact))
        },
        |_, holds| {
            counts.0 += u64::from(holds.is_some());
            counts.1 += u64::from(holds == Some(true));
            Flow::GoOn
        },
    );
    counts
}

#[test]
fn the_share_over_a_limit_is_held_by_its_interval_in_short_runs_of_busy_queues() {
    for (load, of_p99) in [(0.95, 1.03), (0.9, 1.03), (0.72, 1.03), (0.72, 0.8)] {
        let (printed, held) = covered(load, of_p99);
        println!("{load} {of_p99}: {held} of {printed}");
        assert!(printed >= SEEDS * 9 / 10, "{load}: {printed} printed");
        assert!(
            held * 100 >= printed * 93,
            "{load} {of_p99}: {held} of {printed}"
        );
    }
}
