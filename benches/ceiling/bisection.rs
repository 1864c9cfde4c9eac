//! The plain way: doubling, then halving, with trials of one fixed length that are judged by their figures.

use std::num::NonZeroUsize;

use blis_sim::replication::{Flow, in_order};
use blis_sim::runner::{Runner, Simulated};
use blis_sim::search::length::{Given, Length};
use blis_sim::verdict::{Status, evidence, judge};

use super::models::Case;

/// Lengths that are tried: so many times that of a path of the search.
const TIMES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// The answer of a bisection, and the requests that it simulated.
fn bisect(case: &Case, seed: u64, precision: f64, length: (f64, Length)) -> (f64, u64) {
    let mut requests = 0;
    let mut passes = |load: f64| {
        let mut model = case.model(load, seed);
        let (at, of) = length;
        let own = match case.is_rate {
            true => of.for_load(load / at),
            false => of,
        };
        own.bound(&mut model);
        let ran = Simulated::new(10_000_000).run(&model, &|| false);
        let ran = ran.unwrap_or_else(|why| panic!("{}: {why}", case.name));
        requests += ran.intended;
        let evidence = evidence(&model, &ran.measure, false, &ran.evidence);
        judge(&evidence.expect("an objective")).status != Status::Trip
    };
    let (mut low, mut high) = (case.start, case.start);
    while passes(high) {
        (low, high) = (high, 2.0 * high);
    }
    while low == high {
        match passes(low / 2.0) {
            true => low /= 2.0,
            false => (low, high) = (low / 2.0, low / 2.0),
        }
    }
    while high / low > 1.0 + precision {
        let middle = (low * high).sqrt();
        match passes(middle) {
            true => low = middle,
            false => high = middle,
        }
    }
    ((low * high).sqrt(), requests)
}

/// Prints the shortest bisection whose error is no larger, and its requests as a multiple of the search's.
pub fn beside(case: &Case, seeds: u64, precision: f64, rms: f64, requests: f64) {
    let exact = case.exact.load();
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let of = Length::of_main(&case.model(exact, 1), Given::default());
    for times in TIMES {
        let length = Length {
            measured: of.measured * times,
            ..of
        };
        let (mut squares, mut simulated) = (0.0, 0.0);
        let job = |seed: u64, _: &_| bisect(case, seed + 1, precision, (exact, length));
        in_order(seeds, threads, job, |_, (answer, requests)| {
            squares += (answer / exact - 1.0).powi(2);
            simulated += requests as f64;
            Flow::GoOn
        });
        let error = (squares / seeds as f64).sqrt();
        let simulated = simulated / seeds as f64;
        if error <= rms || times == TIMES[TIMES.len() - 1] {
            println!(
                "  bisection: {times} times a path, RMS {:.3} %, {:.2} M requests, {:.2} times those of the search",
                100.0 * error,
                simulated / 1e6,
                simulated / requests
            );
            return;
        }
    }
}
