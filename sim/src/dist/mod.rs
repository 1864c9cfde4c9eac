//! Distributions of non-negative quantities: times in nanoseconds, or plain numbers.
//!
//! A [`Dist`] can only be made by a constructor that checks its parameters, so whatever holds one may rely on
//! finite, non-negative draws and finite moments. Sampling is a pure function of the [`Draw`] it is given: every
//! transcendental function comes from `libm`, the rest is exact or correctly rounded arithmetic, so the same draw
//! gives the same bits on every platform. The moments, the distribution function, the quantiles and the Laplace
//! transform are those of the distribution that is sampled, which is how the tests and the theory check it.

mod cdf;
mod constructors;
mod description;
mod empirical;
mod error;
mod gamma;
mod hyperexponential;
mod laplace;
mod moments;
mod normal;
mod pareto;
mod phases;
pub(crate) mod special_functions;
mod ziggurat;

pub use description::Unit;
use empirical::Points;
pub use error::DistError;
use hyperexponential::Branches;
use normal::Normal;
use pareto::Pareto;
pub use phases::Phases;

use crate::random::Draw;
use crate::time::Span;

/// A distribution of a non-negative quantity. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Dist(Form);

/// The families and their parameters, all checked.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// Always the same value.
    Constant(f64),
    /// Exponential with this mean.
    Exponential(f64),
    /// Continuous uniform on [min, max).
    Uniform { min: f64, max: f64 },
    /// Sum of `shape` independent exponentials of mean `scale`.
    Erlang { shape: u32, scale: f64 },
    /// Gamma.
    Gamma { shape: f64, scale: f64 },
    /// Weibull.
    Weibull { shape: f64, scale: f64 },
    /// The exponential of a normal variable with mean `mu` and standard deviation `sigma`.
    Lognormal { mu: f64, sigma: f64 },
    /// Weighted mixture of exponentials.
    Hyperexponential(Box<Branches>),
    /// Pareto between two bounds.
    Pareto(Box<Pareto>),
    /// Normal between two bounds.
    Normal(Box<Normal>),
    /// Given values with given probabilities.
    Empirical(Box<Points>),
}

/// The family a distribution belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Always the same value.
    Constant,
    /// Exponential.
    Exponential,
    /// Continuous uniform.
    Uniform,
    /// Erlang.
    Erlang,
    /// Gamma.
    Gamma,
    /// Weibull.
    Weibull,
    /// Lognormal.
    Lognormal,
    /// Mixture of exponentials.
    Hyperexponential,
    /// Pareto between two bounds.
    Pareto,
    /// Normal between two bounds.
    Normal,
    /// Given values.
    Empirical,
}

impl Family {
    /// The family's name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Family::Constant => "constant",
            Family::Exponential => "exponential",
            Family::Uniform => "uniform",
            Family::Erlang => "erlang",
            Family::Gamma => "gamma",
            Family::Weibull => "weibull",
            Family::Lognormal => "lognormal",
            Family::Hyperexponential => "hyperexponential",
            Family::Pareto => "pareto",
            Family::Normal => "normal",
            Family::Empirical => "empirical",
        }
    }
}

impl Dist {
    /// Always 0.
    pub const ZERO: Dist = Dist(Form::Constant(0.0));

    /// One draw: finite and not negative.
    #[inline]
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        match &self.0 {
            Form::Constant(value) => *value,
            Form::Exponential(mean) => mean * ziggurat::exponential(draw),
            other => other.sample(draw),
        }
    }

    /// One draw as a time, rounded to the nearest nanosecond.
    #[inline]
    pub fn sample_span(&self, draw: &mut Draw) -> Span {
        Span::from_nanos_f64(self.sample(draw))
    }

    /// The family it belongs to.
    pub fn family(&self) -> Family {
        match &self.0 {
            Form::Constant(_) => Family::Constant,
            Form::Exponential(_) => Family::Exponential,
            Form::Uniform { .. } => Family::Uniform,
            Form::Erlang { .. } => Family::Erlang,
            Form::Gamma { .. } => Family::Gamma,
            Form::Weibull { .. } => Family::Weibull,
            Form::Lognormal { .. } => Family::Lognormal,
            Form::Hyperexponential(_) => Family::Hyperexponential,
            Form::Pareto(_) => Family::Pareto,
            Form::Normal(_) => Family::Normal,
            Form::Empirical(_) => Family::Empirical,
        }
    }
}

impl Form {
    /// One draw from any family. Out of line, so that the caller's code stays small where a family is drawn in
    /// a few instructions.
    #[inline(never)]
    fn sample(&self, draw: &mut Draw) -> f64 {
        match self {
            Form::Constant(value) => *value,
            Form::Exponential(mean) => mean * ziggurat::exponential(draw),
            Form::Uniform { min, max } => min + (max - min) * draw.unit(),
            Form::Erlang { shape, scale } => scale * gamma::erlang(*shape, draw),
            Form::Gamma { shape, scale } => scale * gamma::gamma(*shape, draw),
            Form::Weibull { shape, scale } => {
                scale * power(ziggurat::exponential(draw), 1.0 / shape)
            }
            Form::Lognormal { mu, sigma } => libm::exp(mu + sigma * ziggurat::normal(draw)),
            Form::Hyperexponential(branches) => branches.sample(draw),
            Form::Pareto(pareto) => pareto.sample(draw),
            Form::Normal(normal) => normal.sample(draw),
            Form::Empirical(points) => points.sample(draw),
        }
    }
}

/// `base` to the power of `exponent`, for `base >= 0` and `exponent > 0`. Faster than `libm::pow`, and within a
/// relative 1e-14 of it in the range of the samplers.
fn power(base: f64, exponent: f64) -> f64 {
    libm::exp(exponent * libm::log(base))
}
