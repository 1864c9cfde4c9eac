//! How often nominal 95 % intervals contain the exact figure, and that whether they are printed is known before the run.
//!
//! The stations have a mean service time of 10 ms, as the quickstart has, and a warm-up of a twentieth of the run, from
//! empty. A test of a few cells runs always; all of them take hours and are asked for:
//! `cargo test --locked --test statistics -- --ignored --nocapture coverage_of_every_cell`.

use blis_sim::replication::{Flow, in_order};
use blis_sim::result::Run;
use blis_sim::theory::MultiServer;

use crate::support::{document, replications, run, station_of, threads};

/// The figures that have an exact value.
const FIGURES: [&str; 3] = ["mean", "p95", "p99"];
/// The coverage of which a cell of few seeds must not fall short by more than chance.
const LEAST: f64 = 0.93;
/// How often chance alone may make such a cell look worse.
const CHANCE: f64 = 1e-3;

/// A station, the length of a run, how many replications and how many seeds.
#[derive(Debug, Clone, Copy)]
struct Cell {
    workers: u32,
    load: f64,
    horizon_s: u32,
    replications: u64,
    seeds: u64,
}

/// How many of the seeds printed an interval of each figure, and how many of these contain the exact one.
type Counts = [(u64, u64); 3];

impl Cell {
    /// Which figures are covered by the intervals of a seed; `None` where there is no interval.
    fn covered(self, seed: u64) -> [Option<bool>; 3] {
        // The arrivals are those of a service time of 1 ms.
        let mut model = station_of("10ms", self.workers, self.load / 10.0, self.horizon_s);
        model.seed = 1 + seed;
        let ended = match self.replications {
            1 => run(&model),
            many => document(&model, &replications(&model, many, 1)),
        };
        self.judge(&ended)
    }

    fn judge(self, run: &Run) -> [Option<bool>; 3] {
        let rate = f64::from(self.workers) * self.load * 100.0;
        let exact = MultiServer::new(u64::from(self.workers), rate, 0.01).unwrap();
        let response = &run.latency_ms.response;
        let contains = |interval: Option<[f64; 2]>, exact: f64| {
            interval.map(|[low, high]| (low..=high).contains(&(exact * 1e3)))
        };
        [
            contains(response.mean_ci95, exact.means.response),
            contains(response.p95_ci95, exact.response_quantile(0.95)),
            contains(response.p99_ci95, exact.response_quantile(0.99)),
        ]
    }

    fn count(self) -> Counts {
        let mut counts = [(0, 0); 3];
        in_order(
            self.seeds,
            threads(2),
            |seed, _| self.covered(seed),
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

    /// Every seed prints the intervals that are wanted and no other, and no figure is covered less often than chance
    /// allows.
    fn check(self, printed: [bool; 3]) -> Counts {
        let counts = self.count();
        let least = least_of(self.seeds, LEAST, CHANCE);
        for (index, (there, covered)) in counts.into_iter().enumerate() {
            let name = FIGURES[index];
            let wanted = if printed[index] { self.seeds } else { 0 };
            assert_eq!(there, wanted, "{self:?}: intervals of {name}");
            assert!(
                !printed[index] || covered >= least,
                "{self:?}: {name} is covered {covered} of {there} times, not {least}"
            );
        }
        counts
    }
}

/// The least number of hits in so many trials that chance falls below no more often than `chance`.
fn least_of(trials: u64, share: f64, chance: f64) -> u64 {
    // From all hits downwards: the chance of none is too small for a float.
    let (mut least_hits, mut term) = (0.0, share.powi(trials as i32));
    for hits in (0..=trials).rev() {
        least_hits += term;
        if least_hits >= 1.0 - chance {
            return hits;
        }
        term *= hits as f64 / (trials - hits + 1) as f64 * (1.0 - share) / share;
    }
    0
}

#[test]
fn the_slack_of_chance_is_that_of_the_binomial_distribution() {
    // R: qbinom(0.001, 100, 0.93), qbinom(0.001, 400, 0.93), qbinom(0.05, 10, 0.5).
    assert_eq!(least_of(100, 0.93, 1e-3), 84);
    assert_eq!(least_of(400, 0.93, 1e-3), 355);
    assert_eq!(least_of(10, 0.5, 0.05), 2);
}

const fn cell(workers: u32, load: f64, horizon_s: u32, replications: u64, seeds: u64) -> Cell {
    Cell {
        workers,
        load,
        horizon_s,
        replications,
        seeds,
    }
}

/// Cells that a test has time for, and of which figures they print intervals: never by chance, and never where they would
/// cover too seldom.
const SOME: [(Cell, [bool; 3]); 11] = [
    (cell(1, 0.8, 60, 1, 100), [false, false, false]),
    (cell(1, 0.9, 60, 1, 100), [false, false, false]),
    (cell(1, 0.9, 600, 1, 100), [true, false, false]),
    (cell(1, 0.8, 600, 1, 100), [true, true, false]),
    (cell(1, 0.95, 600, 1, 100), [false, false, false]),
    (cell(4, 0.8, 60, 1, 100), [true, false, false]),
    (cell(4, 0.9, 60, 1, 100), [false, false, false]),
    (cell(1, 0.8, 60, 10, 100), [true, true, false]),
    (cell(1, 0.9, 60, 10, 100), [false, false, false]),
    (cell(4, 0.8, 60, 10, 100), [true, true, true]),
    (cell(4, 0.9, 60, 10, 100), [true, true, false]),
];

#[test]
fn coverage_of_some_cells() {
    let (mut there, mut covered) = (0, 0);
    for (cell, printed) in SOME {
        for (printed, hits) in cell.check(printed) {
            there += printed;
            covered += hits;
        }
    }
    // The figures of a run go together: a cell of three counts as one and a half.
    let share = covered as f64 / there as f64;
    let slack = 3.0 * (0.95f64 * 0.05 / (there as f64 / 2.0)).sqrt();
    assert!((share - 0.95).abs() < slack, "{covered} of {there}");
}

/// Prints a table, in Markdown. `BLIS_COVERAGE=SECONDS,REPLICATIONS,SEEDS` asks for the cells of one length.
#[test]
#[ignore = "hours; prints the table of docs/explanation/accuracy.md"]
fn coverage_of_every_cell() {
    let asked = std::env::var("BLIS_COVERAGE").ok();
    let asked: Vec<(u32, u64, u64)> = match &asked {
        Some(text) => {
            let parts: Vec<u64> = text.split(',').map(|part| part.parse().unwrap()).collect();
            vec![(parts[0] as u32, parts[1], parts[2])]
        }
        None => [60, 600, 6000]
            .into_iter()
            .flat_map(|horizon| [(horizon, 1, 400), (horizon, 10, 400)])
            .collect(),
    };
    println!("| workers | utilisation | run | replications | seeds | mean | p95 | p99 |");
    println!("|---|---|---|---|---|---|---|---|");
    let (mut there, mut covered) = (0, 0);
    for (horizon, replications, seeds) in asked {
        for workers in [1, 4] {
            for load in [0.8, 0.9, 0.95] {
                let counts = cell(workers, load, horizon, replications, seeds).count();
                let shown = counts.map(|(printed, hits)| match printed {
                    0 => "none".to_owned(),
                    _ => format!("{:.1} %", 100.0 * hits as f64 / printed as f64),
                });
                println!(
                    "| {workers} | {load} | {horizon} s | {replications} | {seeds} | {} |",
                    shown.join(" | ")
                );
                for (index, (printed, hits)) in counts.into_iter().enumerate() {
                    there += printed;
                    covered += hits;
                    let name = FIGURES[index];
                    assert!(
                        printed == 0 || printed == seeds,
                        "{name} is printed by chance"
                    );
                    let must = (horizon == 600 && index == 0) || horizon == 6000;
                    assert!(printed > 0 || load > 0.9 || !must, "{name} is not printed");
                    assert!(seeds < 400 || 10 * hits >= 9 * printed, "{name}: {hits}");
                }
            }
        }
    }
    println!("pooled: {covered} of {there}");
}
