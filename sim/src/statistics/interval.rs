//! Confidence intervals of means and of ratios of means.

use super::student::student_quantile;

/// The level of every interval: the share of such intervals that contain the true value.
pub const LEVEL: f64 = 0.95;
/// The largest correlation of neighbours that widens an interval: more of it is not told from chance by a dozen batches.
const MOST_CORRELATED: f64 = 0.8;

/// Numbers that differ by no more than this share of themselves differ by rounding.
const ROUNDING: f64 = 1e-12;

/// The difference of two numbers, which is 0 where it is that of rounding.
pub fn difference(left: f64, right: f64) -> f64 {
    let difference = left - right;
    match difference.abs() <= ROUNDING * left.abs().max(right.abs()) {
        true => 0.0,
        false => difference,
    }
}

/// A figure, and how far it may be off to either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The figure.
    pub figure: f64,
    /// Half the width of the interval.
    pub half_width: f64,
}

impl Interval {
    /// The mean of independent observations and its t-interval: mean ± t(n−1) s / √n. `None` for fewer than two.
    pub fn of_mean(observations: &[f64]) -> Option<Interval> {
        let pairs: Vec<(f64, f64)> = observations.iter().map(|&value| (value, 1.0)).collect();
        Interval::of_ratio(&pairs)
    }

    /// The ratio of two means, Σ numerators / Σ denominators, over independent pairs of observations.
    ///
    /// The standard error is that of the residuals, numerator − ratio × denominator, over the sum of the denominators
    /// (Cochran 1977, ch. 6). Pairs need not be of equal weight. With denominators of 1 this is
    /// [`of_mean`](Self::of_mean). `None` for fewer than two pairs, or when the denominators sum to nothing.
    pub fn of_ratio(pairs: &[(f64, f64)]) -> Option<Interval> {
        Some(Residuals::of(pairs)?.interval(1.0))
    }

    /// The same over successive batches of one run, which may still be correlated with their neighbours: a positive
    /// correlation r of neighbours, up to 0.8, widens the variance by (1 + r) / (1 − r), what a first-order
    /// autoregressive course adds (as in N-Skart; Tafazzoli, Steiger and Wilson 2011).
    pub fn of_batches(pairs: &[(f64, f64)]) -> Option<Interval> {
        let residuals = Residuals::of(pairs)?;
        Some(residuals.interval(inflation(residuals.correlation())))
    }

    /// The variance of such a ratio as [`of_ratio`](Self::of_ratio) has it, or where the pairs are `chained`, successive
    /// ones of one run, as [`of_batches`](Self::of_batches) has it, with a correlation that is corrected for the (1 + 4 r) / n
    /// by which n pairs show too little of it (Kendall 1954).
    pub fn variance_of_ratio(pairs: &[(f64, f64)], chained: bool) -> Option<f64> {
        let residuals = Residuals::of(pairs)?;
        Some(match chained {
            true => {
                let correlation = residuals.correlation();
                let lacking = (1.0 + 4.0 * correlation) / pairs.len() as f64;
                residuals.variance(inflation(correlation + lacking))
            }
            false => residuals.variance(1.0),
        })
    }

    /// Lower and upper end.
    pub fn ends(self) -> [f64; 2] {
        [self.figure - self.half_width, self.figure + self.half_width]
    }

    /// Lower and upper end of a figure that cannot be negative, by the interval of its logarithm.
    ///
    /// Times and numbers of requests have a long tail to one side: a run that saw few long lines has both a small mean
    /// and a small spread. An interval of equal factors to either side misses the true value less often than one of equal distances.
    pub fn factor_ends(self) -> [f64; 2] {
        if self.half_width == 0.0 {
            return self.ends();
        }
        let factor = libm::exp(self.relative());
        [self.figure / factor, self.figure * factor]
    }

    /// Half the width as a share of the figure.
    pub fn relative(self) -> f64 {
        if self.half_width == 0.0 {
            return 0.0;
        }
        self.half_width / self.figure.abs()
    }
}

/// Over how many of these weights their sum is spread: as many as there are where they are equal, 1 where one of them is
/// all (Kish 1965). 0 where there are none.
pub fn spread_over(weights: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = weights.fold((0.0, 0.0), |(sum, squares), weight| {
        (sum + weight, squares + weight * weight)
    });
    if squares > 0.0 {
        sum * sum / squares
    } else {
        0.0
    }
}

/// What is left of each pair once the ratio is taken out.
struct Residuals {
    ratio: f64,
    denominators: f64,
    values: Vec<f64>,
}

impl Residuals {
    fn of(pairs: &[(f64, f64)]) -> Option<Residuals> {
        let (numerators, denominators) = pairs.iter().fold((0.0, 0.0), |(upper, lower), pair| {
            (upper + pair.0, lower + pair.1)
        });
        if pairs.len() < 2 || denominators <= 0.0 {
            return None;
        }
        let ratio = numerators / denominators;
        Some(Residuals {
            ratio,
            denominators,
            values: pairs
                .iter()
                .map(|(upper, lower)| difference(*upper, ratio * lower))
                .collect(),
        })
    }

    fn squares(&self) -> f64 {
        self.values.iter().map(|value| value * value).sum()
    }

    /// The correlation of neighbours, 0 where nothing varies.
    fn correlation(&self) -> f64 {
        correlation_of_neighbours(&self.values)
    }

    /// The variance of the sum of the residuals.
    fn variance_of_sum(&self, inflation: f64) -> f64 {
        let n = self.values.len() as f64;
        inflation * self.squares() * n / (n - 1.0)
    }

    fn variance(&self, inflation: f64) -> f64 {
        self.variance_of_sum(inflation) / (self.denominators * self.denominators)
    }

    fn interval(&self, inflation: f64) -> Interval {
        let quantile = student_quantile(self.values.len() as u64 - 1, 0.5 + LEVEL / 2.0);
        Interval {
            figure: self.ratio,
            half_width: quantile * libm::sqrt(self.variance_of_sum(inflation)) / self.denominators,
        }
    }
}

/// How much neighbours correlate in a series of differences from its mean; 0 where nothing varies.
pub fn correlation_of_neighbours(off: &[f64]) -> f64 {
    let squares: f64 = off.iter().map(|value| value * value).sum();
    if squares == 0.0 {
        return 0.0;
    }
    let products: f64 = off.windows(2).map(|two| two[0] * two[1]).sum();
    products / squares
}

/// What a correlation of neighbours widens the variance by.
fn inflation(correlation: f64) -> f64 {
    let correlation = correlation.clamp(0.0, MOST_CORRELATED);
    (1.0 + correlation) / (1.0 - correlation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!(
            (left - right).abs() < 1e-9 * right.abs().max(1.0),
            "{left} is not {right}"
        );
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_textbook() {
        // Mean 3, variance 2.5, t(4) = 2.7764451052.
        let interval = Interval::of_mean(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five observations");
        close(interval.figure, 3.0);
        close(interval.half_width, 2.776_445_105_197_8 * 0.5f64.sqrt());
        assert_eq!(Interval::of_mean(&[1.0]), None);
        assert_eq!(Interval::of_mean(&[]), None);
        let constant = Interval::of_mean(&[7.0; 9]).expect("nine observations");
        assert_eq!((constant.ends(), constant.relative()), ([7.0, 7.0], 0.0));
        // Neither the sum of nine nor its ninth is exact.
        let inexact = Interval::of_mean(&[0.1; 9]).expect("nine observations");
        assert_eq!(inexact.half_width, 0.0);
    }

    #[test]
    fn the_interval_of_a_ratio_weighs_by_the_denominator() {
        // Ratio 16/8 = 2, residuals -1, 1, 0, squares 2, over 3 pairs; t(2) = 4.3026527299.
        let pairs = [(1.0, 1.0), (5.0, 2.0), (10.0, 5.0)];
        let interval = Interval::of_ratio(&pairs).expect("three pairs");
        close(interval.figure, 2.0);
        close(
            interval.half_width,
            4.302_652_729_911_3 * 3.0f64.sqrt() / 8.0,
        );
        assert_eq!(Interval::of_ratio(&[(0.0, 0.0), (0.0, 0.0)]), None);
    }

    #[test]
    fn correlated_batches_widen_the_interval() {
        let pairs = |values: &[f64]| -> Vec<(f64, f64)> {
            values.iter().map(|&value| (value, 1.0)).collect()
        };
        // Residuals 1, 1, -1, -1, 1, 1, -1, -1: neighbours have products 1, -1, 1, -1, 1, -1, 1 and correlate by 1/8.
        let waves = pairs(&[2.0, 2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
        let plain = Interval::of_ratio(&waves).expect("eight pairs");
        let wide = Interval::of_batches(&waves).expect("eight pairs");
        close(wide.half_width / plain.half_width, (9.0f64 / 7.0).sqrt());
        // Neighbours that go against each other do not narrow it.
        let saw = pairs(&[2.0, 0.0, 2.0, 0.0, 2.0, 0.0]);
        assert_eq!(Interval::of_batches(&saw), Interval::of_ratio(&saw));
        // However much they correlate, there is an interval: a slope has a correlation of 0.85, of which 0.8 counts.
        let slope: Vec<f64> = (0..20).map(f64::from).collect();
        let plain = Interval::of_ratio(&pairs(&slope)).expect("twenty pairs");
        let wide = Interval::of_batches(&pairs(&slope)).expect("twenty pairs");
        close(wide.half_width / plain.half_width, 3.0);
    }

    #[test]
    fn ends_by_factors_stay_positive() {
        let interval = Interval {
            figure: 2.0,
            half_width: 4.0,
        };
        let [low, high] = interval.factor_ends();
        close(low, 2.0 * (-2.0f64).exp());
        close(high, 2.0 * 2.0f64.exp());
        let nothing = Interval {
            figure: 0.0,
            half_width: 0.0,
        };
        assert_eq!(nothing.factor_ends(), [0.0, 0.0]);
    }

    #[test]
    fn weights_are_spread_over_as_many_as_are_equal() {
        close(spread_over([3.0; 12].into_iter()), 12.0);
        close(spread_over([0.0, 7.0, 0.0].into_iter()), 1.0);
        close(spread_over([1.0, 1.0, 0.0, 0.0].into_iter()), 2.0);
        assert_eq!(spread_over([0.0; 4].into_iter()), 0.0);
    }
}
