//! How often the interval of a fitted number holds the true one, and the set of workers and families the true ones.
//!
//! `cargo bench --bench fit_coverage -- --seeds 200` fits the network delay, the mean and the coefficient of variation of one service of four
//! workers to pairs of runs, at 30 % and at 84 % of its capacity, and prints the table. With `--search` the workers and the family are
//! fitted as well, from a wrong start, which takes several times as long.

#![allow(missing_docs, reason = "a bench has no public items to document")]

#[path = "../../sim/tests/calibration/known.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod known;

use std::time::Instant;

use blis_sim::dist::Family;
use known::{ALL, CAPACITY, CV, Fit, MEAN, NUMBERS, ONE_WAY, WORKERS, holds, with_fit};

/// Offered requests per second.
const LOADS: [f64; 2] = [150.0, 420.0];
/// The first seed; the tests use those from 1000 on.
const FIRST: u64 = 5000;

/// How often something was held, of how many.
#[derive(Default)]
struct Count {
    held: u64,
    of: u64,
}

impl Count {
    fn add(&mut self, is_held: bool) {
        self.held += u64::from(is_held);
        self.of += 1;
    }

    fn share(&self) -> String {
        match self.of {
            0 => "none".to_owned(),
            of => format!("{:.1} %", 100.0 * self.held as f64 / of as f64),
        }
    }
}

/// A row of the table.
struct Row {
    name: &'static str,
    count: Count,
    /// Half of each interval, as a share of the true value.
    halves: Vec<f64>,
}

impl Row {
    fn new(name: &'static str) -> Row {
        Row {
            name,
            count: Count::default(),
            halves: Vec::new(),
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let seeds: u64 = match args.iter().position(|arg| arg == "--seeds") {
        Some(at) => args[at + 1].parse().expect("--seeds takes a number"),
        None => 20,
    };
    let free = match args.iter().any(|arg| arg == "--search") {
        true => ALL,
        false => NUMBERS,
    };
    let truth = [
        (ONE_WAY, 1e6),
        (MEAN, 8e6),
        (CV, 0.6),
        ("capacity", CAPACITY),
    ];
    let mut rows: Vec<Row> = truth.iter().map(|(name, _)| Row::new(name)).collect();
    let mut sets = [("workers", Count::default()), ("family", Count::default())];
    let mut wrong = 0;
    let begun = Instant::now();
    for seed in FIRST..FIRST + seeds {
        with_fit(&LOADS, seed, &[], free, |_, _, fit| {
            for (row, truth) in rows.iter_mut().zip(truth) {
                add(row, &fit, truth);
            }
            sets[0].1.add(fit.workers().contains(&WORKERS));
            let mut families = fit.found.as_good();
            let is_held =
                families.any(|one| one.structure.services[0].family == Some(Family::Gamma));
            sets[1].1.add(is_held);
            wrong += u64::from(fit.p() < 0.01);
        });
    }
    println!("| number | told | held | half of the interval, median |");
    println!("|---|---|---|---|");
    let mut pooled = Count::default();
    for row in &mut rows {
        row.halves.sort_by(f64::total_cmp);
        let middle = row.halves.get(row.halves.len() / 2);
        let middle = middle.map_or("none".to_owned(), |half| format!("{:.1} %", half * 100.0));
        println!(
            "| {} | {} of {seeds} | {} | {middle} |",
            row.name,
            row.count.of,
            row.count.share()
        );
        pooled.held += row.count.held;
        pooled.of += row.count.of;
    }
    for (name, count) in sets.iter().filter(|_| free.workers) {
        println!("| {name} | {seeds} of {seeds} | {} | |", count.share());
    }
    println!(
        "\npooled: {} of {} intervals, {}; goodness of fit below 1 %: {wrong} of {seeds}; {:.0} s",
        pooled.held,
        pooled.of,
        pooled.share(),
        begun.elapsed().as_secs_f64()
    );
}

/// Counts an interval of a number that is told.
fn add(row: &mut Row, fit: &Fit, (name, truth): (&str, f64)) {
    let known = match name {
        "capacity" => Some(&fit.capacity),
        // An exponential family has no coefficient of variation.
        _ => fit.numbers.iter().find(|one| one.name == name),
    };
    if let Some(known) = known.filter(|known| known.is_told()) {
        row.count.add(holds(known, truth));
        let [low, high] = known.interval;
        row.halves.push((high - low) / 2.0 / truth);
    }
}
