//! Exact statements about a share that was counted: this many of this many.
//!
//! Counts are real numbers, because of observations that depend on one another only an effective number counts, which is
//! seldom whole.

use super::LEVEL;
use super::beta::{beta_quantile, beta_regularised};

/// P(X >= `hits`) where each of `trials` hits with the probability `share`: how likely this many hits are, or more, by
/// chance. With whole numbers the upper tail of the binomial distribution, by the beta function (DLMF 8.17.5).
pub fn binomial_tail(trials: f64, hits: f64, share: f64) -> f64 {
    if hits <= 0.0 {
        return 1.0;
    }
    if hits > trials {
        return 0.0;
    }
    beta_regularised(hits, trials - hits + 1.0, share)
}

/// The interval of the share at the level [`LEVEL`] when `hits` of `trials` hit (Clopper and Pearson 1934): it holds the
/// true share with at least that probability. `None` without trials.
pub fn share_bounds(trials: f64, hits: f64) -> Option<[f64; 2]> {
    if trials.is_nan() || trials <= 0.0 {
        return None;
    }
    let hits = hits.clamp(0.0, trials);
    let beyond = (1.0 - LEVEL) / 2.0;
    let low = match hits {
        0.0 => 0.0,
        hits => beta_quantile(hits, trials - hits + 1.0, beyond),
    };
    let high = match trials - hits {
        0.0 => 1.0,
        misses => beta_quantile(hits + 1.0, misses, 1.0 - beyond),
    };
    Some([low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (trials, hits, share, P(X >= hits)), summed term by term with 40 digits.
    const TAILS: &[(f64, f64, f64, f64)] = &[
        (10.0, 10.0, 0.05, 9.765_625_000_000_005e-14),
        (300.0, 1.0, 0.01, 0.950_959_105_928_714_1),
        (300.0, 120.0, 0.01, 3.7874488699991252e-155),
        (500.0, 9.0, 0.01, 0.067_110_159_913_704_71),
        (500.0, 10.0, 0.01, 0.031102106648487925),
        (100.0, 4.0, 0.01, 0.018374036444649658),
        (20.0, 3.0, 0.05, 0.075_483_673_788_496_35),
        (20.0, 4.0, 0.05, 0.015901526019763565),
        (972.0, 21.0, 0.01, 0.0010630661177800477),
        (5000.0, 80.0, 0.0125, 0.018018818857138164),
    ];

    /// (trials, hits, lower bound, upper bound): roots of sums of terms with 40 digits; those of 11,021 trials by
    /// scipy.stats.binomtest(...).proportion_ci(method="exact").
    const BOUNDS: &[(f64, f64, f64, f64)] = &[
        (10.0, 10.0, 0.691_502_892_181_239_2, 1.0),
        (10.0, 0.0, 0.0, 0.30849710781876082),
        (1.0, 1.0, 0.025, 1.0),
        (1.0, 0.0, 0.0, 0.975),
        (
            300.0,
            1.0,
            8.438_913_231_780_044e-5,
            0.018_431_252_048_067_89,
        ),
        (
            1000.0,
            11.0,
            0.005_503_594_192_313_587,
            0.019596628222016514,
        ),
        (999.0, 999.0, 0.996_314_237_134_260_6, 1.0),
        (11021.0, 5513.0, 0.490_847_594_393_021_4, 0.5096059650514716),
        (
            1000000.0,
            100.0,
            8.136_470_874_160_142e-5,
            1.2162547857124547e-4,
        ),
        (1000000.0, 0.0, 0.0, 3.688_872_650_206_489e-6),
    ];

    #[test]
    fn tails_are_the_sums_of_their_terms() {
        for &(trials, hits, share, exact) in TAILS {
            let found = binomial_tail(trials, hits, share);
            assert!(
                (found - exact).abs() <= 1e-10 * exact,
                "{hits} of {trials} at {share}: {found:e} is not {exact:e}"
            );
        }
        assert_eq!(binomial_tail(10.0, 0.0, 0.0), 1.0);
        assert_eq!(binomial_tail(10.0, 1.0, 0.0), 0.0);
        assert_eq!(binomial_tail(10.0, 11.0, 0.5), 0.0);
        assert_eq!(binomial_tail(10.0, 10.0, 1.0), 1.0);
    }

    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        for &(trials, hits, low, high) in BOUNDS {
            let Some([found_low, found_high]) = share_bounds(trials, hits) else {
                panic!("there are bounds");
            };
            for (found, exact) in [(found_low, low), (found_high, high)] {
                assert!(
                    (found - exact).abs() <= 1e-9 * exact,
                    "{hits} of {trials}: {found} is not {exact}"
                );
            }
        }
        assert_eq!(share_bounds(0.0, 0.0), None);
        assert_eq!(share_bounds(f64::NAN, 0.0), None);
    }

    #[test]
    fn parts_of_a_trial_lie_between_whole_ones() {
        let width = |trials: f64| share_bounds(trials, trials / 10.0).map(|[low, high]| high - low);
        assert!(width(40.0) > width(40.5) && width(40.5) > width(41.0));
        let tail = |trials| binomial_tail(trials, 3.0, 0.01);
        assert!(tail(100.0) < tail(100.5) && tail(100.5) < tail(101.0));
    }
}
