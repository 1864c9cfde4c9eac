//! Laplace-Stieltjes transforms.

use super::{Dist, Form, power};

/// The step of the trapezoidal rule. The integrands are analytic in a strip around the real axis and vanish at both
/// ends, where the rule converges geometrically (Trefethen and Weideman 2014).
const STEP: f64 = 1.0 / 128.0;

impl Dist {
    /// The Laplace-Stieltjes transform E[exp(-s X)], for `s` >= 0 in the reciprocal of the value's unit. In closed
    /// form but for Weibull and lognormal, which are integrated numerically to about twelve digits.
    pub fn laplace(&self, s: f64) -> f64 {
        match &self.0 {
            Form::Constant(value) => libm::exp(-s * value),
            Form::Exponential(mean) => 1.0 / (1.0 + s * mean),
            Form::Uniform { min, max } => libm::exp(-s * min) * mean_decay(s * (max - min)),
            Form::Erlang { shape, scale } => libm::exp(-f64::from(*shape) * libm::log1p(s * scale)),
            Form::Gamma { shape, scale } => libm::exp(-shape * libm::log1p(s * scale)),
            Form::Weibull { shape, scale } => weibull(s * scale, *shape),
            Form::Lognormal { mu, sigma } => lognormal(s, *mu, *sigma),
            Form::Hyperexponential(branches) => branches.sum(|mean| 1.0 / (1.0 + s * mean)),
            Form::Empirical(points) => points.sum(|value| libm::exp(-s * value)),
        }
    }
}

/// (1 - exp(-y)) / y: the mean of exp(-y u) over u from 0 to 1.
fn mean_decay(y: f64) -> f64 {
    if y == 0.0 { 1.0 } else { -libm::expm1(-y) / y }
}

/// The transform of a Weibull variable of scale 1: with X = Y^(1 / shape), Y exponential, and Y = exp(w), the integral
/// of exp(w - e^w - s e^(w / shape)).
fn weibull(s: f64, shape: f64) -> f64 {
    trapezoid(-40.0, 4.0, |w| {
        let y = libm::exp(w);
        y * libm::exp(-y - s * power(y, 1.0 / shape))
    })
}

/// The transform of a lognormal variable: the integral over the standard normal density.
fn lognormal(s: f64, mu: f64, sigma: f64) -> f64 {
    let scale = 1.0 / (2.0 * std::f64::consts::PI).sqrt();
    scale
        * trapezoid(-9.0, 9.0, |z| {
            libm::exp(-0.5 * z * z - s * libm::exp(mu + sigma * z))
        })
}

fn trapezoid(from: f64, to: f64, integrand: impl Fn(f64) -> f64) -> f64 {
    let steps = ((to - from) / STEP) as u64;
    // The integrands vanish at both ends, so the ends' weight of one half makes no difference.
    STEP * (0..=steps)
        .map(|n| integrand(from + STEP * n as f64))
        .sum::<f64>()
}
