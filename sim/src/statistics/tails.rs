//! Intervals of quantiles, by way of the share beyond them.

use super::interval::Interval;

/// Observations of each section that must lie on either side of a quantile before it has an interval.
pub const MIN_BEYOND: u64 = 10;

/// One section of a run, seen from a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Observations.
    pub count: u64,
    /// Those of them above the threshold.
    pub above: u64,
}

/// How many of `count` observations lie beyond the quantile, on the side that has fewer.
pub fn beyond(count: u64, quantile: f64) -> f64 {
    count as f64 * quantile.min(1.0 - quantile)
}

/// How far the share below the quantile may be off on the logistic scale, by the sections of one run: the half-width of
/// the interval of ln(share / (1 − share)), with what neighbouring sections are correlated.
///
/// A quantile's own interval follows by asking the whole run's distribution for the quantiles at [`shares`] so far below
/// and above (Woodruff 1952). Compared with the spread of the sections' own quantiles this needs no exact distribution of
/// each, and no section's small sample biases the figure. On this scale a share never leaves 0 to 1, and the side of the
/// few observations is the longer. `None` where [`Interval::of_batches`] has none.
pub fn share_interval(sections: &[Section], quantile: f64) -> Option<f64> {
    let pairs: Vec<(f64, f64)> = sections
        .iter()
        .map(|section| (section.above as f64, section.count as f64))
        .collect();
    let off = Interval::of_batches(&pairs)?.half_width / (quantile * (1.0 - quantile));
    let count = sections.iter().map(|section| section.count).sum();
    Some(off.max(independent(count, quantile)))
}

/// The same if this many observations were independent, which is the least there is.
pub fn independent(count: u64, quantile: f64) -> f64 {
    const NORMAL: f64 = 1.959_963_984_540_054;
    NORMAL / libm::sqrt(count as f64 * quantile * (1.0 - quantile))
}

/// The shares so far below and above a quantile on the logistic scale.
pub fn shares(quantile: f64, off: f64) -> [f64; 2] {
    let odds = (1.0 - quantile) / quantile;
    [off, -off].map(|off| 1.0 / (1.0 + odds * libm::exp(off)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_with_fewer_observations_decides() {
        assert!((beyond(1000, 0.99) - 10.0).abs() < 1e-9);
        assert!((beyond(1000, 0.01) - 10.0).abs() < 1e-9);
        assert!((beyond(1000, 0.5) - 500.0).abs() < 1e-9);
    }

    #[test]
    fn sections_that_agree_are_as_good_as_independent_observations_and_no_better() {
        let same = [Section {
            count: 100,
            above: 5,
        }; 12];
        let least = independent(1200, 0.95);
        assert!((least - 1.96 / (1200.0f64 * 0.95 * 0.05).sqrt()).abs() < 1e-4);
        assert_eq!(share_interval(&same, 0.95), Some(least));
        let mut varied = same;
        varied[3].above = 90;
        assert!(share_interval(&varied, 0.95).is_some_and(|half| half > least));
        assert_eq!(share_interval(&same[..1], 0.95), None);
    }

    #[test]
    fn shares_stay_between_0_and_1() {
        let [low, high] = shares(0.99, 1.0);
        let odds = |share: f64| (share / (1.0 - share)).ln();
        assert!((odds(0.99) - odds(low) - 1.0).abs() < 1e-9);
        assert!((odds(high) - odds(0.99) - 1.0).abs() < 1e-9);
        let [low, high] = shares(0.999, 30.0);
        assert!(0.0 < low && low < 0.001 && high > 0.999 && high <= 1.0);
    }
}
