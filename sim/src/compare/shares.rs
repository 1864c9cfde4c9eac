//! Shares of requests that ended in one way, on both sides.

use super::sides::{Compared, part};
use crate::event::Outcome;
use crate::result::{Interval, RequestCounts};
use crate::statistics::Interval as Bounds;

/// Requests of a kind, both sides together, below which their share is not tested.
const LEAST_TESTED: f64 = 5.0;

/// How many of a side's requests ended so, and of how many.
pub(super) fn ended(
    side: &[Compared],
    action: Option<&str>,
    which: impl Fn(Outcome) -> bool,
) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for run in side {
        let Some((counts, ..)) = part(&run.run, action) else {
            continue;
        };
        let of_kind = Outcome::ALL.into_iter().filter(|outcome| which(*outcome));
        sums[0] += of_kind
            .map(|outcome| counts.ended(outcome) as f64)
            .sum::<f64>();
        sums[1] += counts.intended as f64;
    }
    sums
}

/// One count as a share of another, 0 of none.
pub(super) fn share([number, of]: [f64; 2]) -> f64 {
    if of > 0.0 { number / of } else { 0.0 }
}

/// A difference of two shares, and its standard error where both were the same; `None` where too few ended so.
pub(super) fn shares([one, other]: [[f64; 2]; 2], effects: [f64; 2]) -> (f64, Option<f64>) {
    let together = share([one[0] + other[0], one[1] + other[1]]);
    let scarce = (one[0] + other[0]).min(one[1] + other[1] - one[0] - other[0]);
    let each = effects[0] / one[1] + effects[1] / other[1];
    let error = libm::sqrt(together * (1.0 - together) * each);
    let is_told = scarce >= LEAST_TESTED && error.is_finite();
    (share(other) - share(one), is_told.then_some(error))
}

/// By what the variance of a share is larger than it would be if requests failed each on its own: failures come together, as in an
/// outage. From the course of the runs, at least 1.
pub(super) fn effect(side: &[Compared]) -> f64 {
    let mut pairs = Vec::new();
    for run in side {
        let from = run.run.window.warmup_s;
        let within = |interval: &&Interval| interval.start_s >= from;
        let failed = |counts: &RequestCounts| {
            let failed = Outcome::ALL.into_iter().filter(|one| *one != Outcome::Ok);
            failed.map(|one| counts.ended(one) as f64).sum::<f64>()
        };
        let course = run.run.series.iter().filter(within);
        pairs.extend(course.map(|interval| {
            let failed = failed(&interval.requests);
            (failed, failed + interval.requests.ok as f64)
        }));
    }
    pairs.retain(|(_, all)| *all > 0.0);
    let sums = pairs.iter().fold([0.0, 0.0], |sums, (failed, all)| {
        [sums[0] + failed, sums[1] + all]
    });
    let share = sums[0] / sums[1];
    let alone = share * (1.0 - share) / sums[1];
    match Bounds::variance_of_ratio(&pairs, true) {
        Some(variance) if alone > 0.0 => (variance / alone).max(1.0),
        _ => 1.0,
    }
}
