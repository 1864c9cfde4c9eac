//! When there are enough replications.

use super::interval::Interval;

/// A wanted relative precision: every interval at most this share of its figure to either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// Half-width as a share of the figure, above 0 and below 1.
    pub target: f64,
}

impl Precision {
    /// Whether these intervals are narrow enough.
    ///
    /// For the figure to be within a share γ of the true value, its interval must be within γ / (1 + γ) of the figure
    /// (Law 2015, 9.4.1).
    pub fn reached(self, intervals: &[Interval]) -> bool {
        self.worst(intervals) <= self.target
    }

    /// The least precise of these intervals, as the share of the true value that its figure may be off: infinite
    /// where nothing can be said.
    pub fn worst(self, intervals: &[Interval]) -> f64 {
        let off = |interval: &Interval| {
            let relative = interval.relative();
            if relative < 1.0 {
                relative / (1.0 - relative)
            } else {
                f64::INFINITY
            }
        };
        intervals.iter().map(off).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_a_share_of_the_true_value() {
        let precision = Precision { target: 0.25 };
        let of = |half_width| Interval {
            figure: 10.0,
            half_width,
        };
        // 0.25 / 1.25 = 0.2 of the figure.
        assert!(precision.reached(&[of(1.99), of(0.0)]));
        assert!(!precision.reached(&[of(0.0), of(2.01)]));
        assert!(!precision.reached(&[of(10.0)]));
        assert!(!precision.reached(&[Interval {
            figure: 0.0,
            half_width: 1.0
        }]));
        assert!(precision.reached(&[Interval {
            figure: 0.0,
            half_width: 0.0
        }]));
    }
}
