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

/// How far the share below a threshold may be off, by the sections of one run: the half-width of the interval of the
/// share, with what neighbouring sections are correlated.
///
/// A quantile's own interval follows by asking the whole run's distribution for the quantiles that far below and
/// above (Woodruff 1952). Compared with the spread of the sections' own quantiles this needs no exact distribution of
/// each, and no section's small sample biases the figure. `None` where [`Interval::of_batches`] has none.
pub fn share_interval(sections: &[Section]) -> Option<f64> {
    let pairs: Vec<(f64, f64)> = sections
        .iter()
        .map(|section| (section.above as f64, section.count as f64))
        .collect();
    Interval::of_batches(&pairs).map(|interval| interval.half_width)
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
    fn shares_that_do_not_vary_have_no_width() {
        let same = [Section {
            count: 100,
            above: 5,
        }; 12];
        assert_eq!(share_interval(&same), Some(0.0));
        let mut varied = same;
        varied[3].above = 9;
        assert!(share_interval(&varied).is_some_and(|half| half > 0.0));
        assert_eq!(share_interval(&same[..1]), None);
    }
}
