//! The truncated normal distribution.

use super::{laplace, special_functions, ziggurat};
use crate::random::Draw;

/// The least share of the probability that the bounds may leave: a draw is repeated until it lies between them, so
/// this bounds how often, and keeps the figures below free of cancellation.
pub const LEAST_MASS: f64 = 0.01;

/// How many standard deviations from the mean the density is integrated; beyond, less than 1e-18 is left.
const REACH: f64 = 9.0;

/// A normal variable on the condition that it lies between two bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Normal {
    /// Mean before the truncation.
    pub mean: f64,
    /// Standard deviation before the truncation.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value; infinite without an upper bound.
    pub max: f64,
    /// P(X < min) of the normal variable without bounds.
    below: f64,
    /// The probability that lies between the bounds.
    mass: f64,
}

impl Normal {
    /// From checked parameters; `None` when less than [`LEAST_MASS`] of the probability lies between the bounds.
    pub fn new(mean: f64, sd: f64, min: f64, max: f64) -> Option<Normal> {
        let (from, to) = ((min - mean) / sd, (max - mean) / sd);
        let below = special_functions::normal_cdf(from);
        // The tail on the side of the interval, where the difference of two small numbers is accurate.
        let mass = match from > 0.0 {
            true => special_functions::normal_cdf(-from) - special_functions::normal_cdf(-to),
            false => special_functions::normal_cdf(to) - below,
        };
        (mass >= LEAST_MASS).then_some(Normal {
            mean,
            sd,
            min,
            max,
            below,
            mass,
        })
    }

    /// One draw: normal draws until one lies between the bounds.
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        loop {
            let value = self.mean + self.sd * ziggurat::normal(draw);
            if (self.min..=self.max).contains(&value) {
                return value;
            }
        }
    }

    /// P(X <= x).
    pub fn cdf(&self, x: f64) -> f64 {
        if x <= self.min {
            return 0.0;
        }
        if x >= self.max {
            return 1.0;
        }
        let upto = special_functions::normal_cdf((x - self.mean) / self.sd);
        // The clamp keeps a NaN.
        ((upto - self.below) / self.mass).clamp(0.0, 1.0)
    }

    /// The smallest x with P(X <= x) >= `p`, for 0 <= p < 1.
    pub fn quantile(&self, p: f64) -> f64 {
        special_functions::bisect(self.min, self.max.min(f64::MAX), |x| self.cdf(x) >= p)
    }

    /// The bounds in standard deviations from the mean.
    fn bounds(&self) -> (f64, f64) {
        (
            (self.min - self.mean) / self.sd,
            (self.max - self.mean) / self.sd,
        )
    }

    /// The mean after the truncation (Johnson, Kotz and Balakrishnan 1994, 13.10.1).
    pub fn truncated_mean(&self) -> f64 {
        let (from, to) = self.bounds();
        let shift = (density(from) - density(to)) / self.mass;
        self.mean + self.sd * shift
    }

    /// The variance after the truncation (Johnson, Kotz and Balakrishnan 1994, 13.10.1).
    pub fn variance(&self) -> f64 {
        let (from, to) = self.bounds();
        let shift = (density(from) - density(to)) / self.mass;
        // An infinite bound has no density, which outweighs it.
        let weighted = |z: f64| if z.is_finite() { z * density(z) } else { 0.0 };
        let spread = 1.0 + (weighted(from) - weighted(to)) / self.mass - shift * shift;
        self.sd * self.sd * spread.max(0.0)
    }

    /// E[exp(-rate X)].
    pub fn laplace(&self, rate: f64) -> f64 {
        let (from, to) = self.bounds();
        let (from, to) = (from.max(-REACH), to.min(REACH));
        let panels = (2.0 * (to - from)).ceil().max(1.0);
        let integral = laplace::panels(from, to, panels as u32, |z| {
            density(z) * libm::exp(-rate * (self.mean + self.sd * z))
        });
        integral / self.mass
    }
}

/// The standard normal density.
fn density(z: f64) -> f64 {
    let scale = 1.0 / (2.0 * std::f64::consts::PI).sqrt();
    scale * libm::exp(-0.5 * z * z)
}
