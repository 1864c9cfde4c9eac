//! The bounded Pareto distribution.
//!
//! With X = min·exp(S), S has an exponential density cut off at ln(max / min). Everything is computed in S, where no
//! power of a large number occurs and a shape of 1 or 2 is no special case.

use super::{laplace, special_functions};
use crate::random::Draw;

/// A Pareto distribution with density proportional to x^(-shape - 1) from `min` to `max` and none elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Pareto {
    /// Smallest value, above 0.
    pub min: f64,
    /// Largest value, above `min`.
    pub max: f64,
    /// Exponent of the tail, above 0.
    pub shape: f64,
    /// ln(max / min).
    range: f64,
    /// P(X <= max) of the Pareto distribution without the bound.
    mass: f64,
}

impl Pareto {
    /// From checked parameters.
    pub fn new(min: f64, max: f64, shape: f64) -> Pareto {
        let range = libm::log(max / min);
        Pareto {
            min,
            max,
            shape,
            range,
            mass: -libm::expm1(-shape * range),
        }
    }

    /// With this mean instead of a smallest value, found by bisection between `smallest` and `max`; `None` when even
    /// `smallest` gives a larger mean.
    pub fn with_mean(mean: f64, max: f64, shape: f64, smallest: f64) -> Option<Pareto> {
        let below = |min: f64| Pareto::new(min, max, shape).mean() < mean;
        if !below(smallest) {
            return None;
        }
        let min = special_functions::bisect(smallest, max, |min| min >= max || !below(min));
        (min < max).then(|| Pareto::new(min, max, shape))
    }

    /// One draw, by inversion.
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        self.at(draw.unit())
    }

    /// The value below which the share `p` of the probability lies.
    pub fn at(&self, p: f64) -> f64 {
        let s = -libm::log1p(-p * self.mass) / self.shape;
        (self.min * libm::exp(s)).clamp(self.min, self.max)
    }

    /// P(X <= x).
    pub fn cdf(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        if x <= self.min {
            return 0.0;
        }
        if x >= self.max {
            return 1.0;
        }
        -libm::expm1(-self.shape * libm::log(x / self.min)) / self.mass
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.moment(1.0)
    }

    /// The variance.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        (self.moment(2.0) - mean * mean).max(0.0)
    }

    /// E[X^order] = min^order · shape · ∫ exp((order - shape) s) ds / mass over s from 0 to the range.
    fn moment(&self, order: f64) -> f64 {
        let y = (order - self.shape) * self.range;
        let mean_growth = if y == 0.0 { 1.0 } else { libm::expm1(y) / y };
        let scale = if order == 1.0 {
            self.min
        } else {
            self.min * self.min
        };
        scale * self.shape * self.range * mean_growth / self.mass
    }

    /// E[exp(-rate X)].
    pub fn laplace(&self, rate: f64) -> f64 {
        // Beyond this many multiples of 1 / shape less than 1e-17 of the probability is left.
        let end = self.range.min(40.0 / self.shape);
        let panels = (end * self.shape.max(1.0)).ceil().max(1.0);
        let integral = laplace::panels(0.0, end, panels as u32, |s| {
            libm::exp(-self.shape * s - rate * self.min * libm::exp(s))
        });
        self.shape * integral / self.mass
    }
}
