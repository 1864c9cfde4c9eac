//! Whether a quantile of a run is clearly below a limit, by the quantiles of its parts.
//!
//! The number of observations over a limit says nothing of how far below it the others are: none of ten thousand over 100 ms
//! is as much evidence where all are at 99 ms as where all are at 20 ms. The quantiles of successive parts tell the two apart
//! (batch quantiles; Seila 1982).

use super::interval::Interval;
use super::student::{SUREST, student_quantile};

/// A quantile that is not below the limit by this factor is not clearly below it.
const FACTOR: f64 = 2.0;
/// By how many times the half-width of an interval it has to be below: parts shorter than what a queue remembers are more
/// alike than runs are, and their quantiles have a long tail upwards.
const WIDENED: f64 = 2.0;
/// The fewest parts.
const LEAST: usize = 10;

/// Whether the quantile of a whole run is below a limit by a factor of two, and, as a logarithm, by twice the half-width of its
/// one-sided interval at the level 1 − `alpha` (at most 0.5), given the quantiles of at least 10 successive parts. All are above 0.
///
/// A queue exactly at its limit is taken for clearly below it in at most 1 % of runs that are 40 times as long as the queue
/// remembers, and in 10 % of those 6 times as long.
pub fn clearly_below(limit: f64, whole: f64, parts: &[f64], alpha: f64) -> bool {
    let distance = libm::log(limit / whole);
    if parts.len() < LEAST || distance < libm::log(FACTOR) {
        return false;
    }
    let logs = parts.iter().map(|part| (libm::log(*part), 1.0));
    let logs: Vec<(f64, f64)> = logs.collect();
    let level = (1.0 - alpha).min(SUREST);
    let quantile = student_quantile(parts.len() as u64 - 1, level);
    // Of the mean of the logarithms.
    let variance = Interval::variance_of_ratio(&logs, true);
    variance.is_some_and(|variance| distance > WIDENED * quantile * libm::sqrt(variance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_of_two_is_asked_for_even_where_nothing_varies() {
        assert!(clearly_below(100.0, 49.0, &[49.0; 20], 0.0125));
        assert!(!clearly_below(100.0, 51.0, &[51.0; 20], 0.0125));
        assert!(!clearly_below(100.0, 1.0, &[1.0; 9], 0.0125));
    }

    #[test]
    fn parts_that_differ_have_to_be_further_away() {
        // By hand: logarithms ±1 in turns, of 20 parts, correlate by −0.95, which widens nothing: s = √(20/19), t(19) at 0.975 is
        // 2.0930, so that twice the half-width is 2 × 2.0930 × √(1/19) = 0.9603.
        let parts: Vec<f64> = (0..20)
            .map(|at| libm::exp(f64::from(2 * (at % 2) - 1)))
            .collect();
        let far = |distance: f64| clearly_below(libm::exp(distance), 1.0, &parts, 0.025);
        assert!(far(0.9604) && !far(0.9602));
        // Neighbours that are alike tell less than neighbours that are not.
        let waves: Vec<f64> = (0..20)
            .map(|at| libm::exp(f64::from(2 * (at / 5 % 2) - 1)))
            .collect();
        assert!(!clearly_below(libm::exp(2.0), 1.0, &waves, 0.025));
        // A later look takes more.
        assert!(!clearly_below(libm::exp(0.9604), 1.0, &parts, 0.01));
    }
}
