//! Distributions of non-negative quantities.

use crate::random::Draw;
use crate::time::Span;

/// A distribution. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Dist {
    /// Always the same value.
    Constant(f64),
    /// Exponential with this mean.
    Exponential(f64),
}

impl Dist {
    /// One draw.
    #[inline]
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        match self {
            Dist::Constant(value) => *value,
            Dist::Exponential(mean) => -mean * libm::log(draw.open_unit()),
        }
    }

    /// One draw as a time.
    #[inline]
    pub fn sample_span(&self, draw: &mut Draw) -> Span {
        Span::from_nanos_f64(self.sample(draw))
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        match self {
            Dist::Constant(value) => *value,
            Dist::Exponential(mean) => *mean,
        }
    }
}
