//! Moments and bounds.

use super::{Dist, Form};

impl Dist {
    /// The mean.
    pub fn mean(&self) -> f64 {
        match &self.0 {
            Form::Constant(value) => *value,
            Form::Exponential(mean) => *mean,
            Form::Uniform { min, max } => 0.5 * (min + max),
            Form::Erlang { shape, scale } => f64::from(*shape) * scale,
            Form::Gamma { shape, scale } => shape * scale,
            Form::Weibull { shape, scale } => scale * libm::exp(libm::lgamma(1.0 + 1.0 / shape)),
            Form::Lognormal { mu, sigma } => libm::exp(mu + 0.5 * sigma * sigma),
            Form::Hyperexponential(branches) => branches.sum(|mean| mean),
            Form::Pareto(pareto) => pareto.mean(),
            Form::Normal(normal) => normal.truncated_mean(),
            Form::Empirical(points) => points.sum(|value| value),
        }
    }

    /// The variance, in the square of the value's unit.
    pub fn variance(&self) -> f64 {
        match &self.0 {
            Form::Uniform { min, max } => (max - min) * (max - min) / 12.0,
            Form::Hyperexponential(branches) => {
                let mean = self.mean();
                2.0 * branches.sum(|branch| branch * branch) - mean * mean
            }
            Form::Pareto(pareto) => pareto.variance(),
            Form::Normal(normal) => normal.variance(),
            Form::Empirical(points) => {
                let mean = self.mean();
                points.sum(|value| (value - mean) * (value - mean))
            }
            _ => self.mean() * self.mean() * self.scv(),
        }
    }

    /// The squared coefficient of variation: the variance over the square of the mean. 0 for a mean of 0.
    pub fn scv(&self) -> f64 {
        match &self.0 {
            Form::Constant(_) => 0.0,
            Form::Exponential(_) => 1.0,
            Form::Erlang { shape, .. } => 1.0 / f64::from(*shape),
            Form::Gamma { shape, .. } => 1.0 / shape,
            Form::Weibull { shape, .. } => {
                libm::expm1(libm::lgamma(1.0 + 2.0 / shape) - 2.0 * libm::lgamma(1.0 + 1.0 / shape))
            }
            Form::Lognormal { sigma, .. } => libm::expm1(sigma * sigma),
            Form::Uniform { .. }
            | Form::Hyperexponential(_)
            | Form::Pareto(_)
            | Form::Normal(_)
            | Form::Empirical(_) => {
                let mean = self.mean();
                if mean > 0.0 {
                    self.variance() / mean / mean
                } else {
                    0.0
                }
            }
        }
    }

    /// Whether every draw is 0.
    pub fn is_zero(&self) -> bool {
        self.upper_bound() == Some(0.0)
    }

    /// The value that no draw exceeds, if there is one.
    pub fn upper_bound(&self) -> Option<f64> {
        match &self.0 {
            Form::Constant(value) => Some(*value),
            Form::Uniform { max, .. } => Some(*max),
            Form::Pareto(pareto) => Some(pareto.max),
            Form::Normal(normal) => Some(normal.max).filter(|max| max.is_finite()),
            Form::Empirical(points) => Some(points.range().1),
            _ => None,
        }
    }
}
