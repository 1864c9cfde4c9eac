//! Laplace-Stieltjes transforms.

use super::{Dist, Form, power};

/// The step of the trapezoidal rule. The integrands are analytic in a strip around the real axis and vanish at both
/// ends, where the rule converges geometrically (Trefethen and Weideman 2014).
const STEP: f64 = 1.0 / 128.0;

impl Dist {
    /// The Laplace-Stieltjes transform E[exp(-s X)], for `s` >= 0 in the reciprocal of the value's unit. In closed
    /// form but for Weibull, lognormal, Pareto and normal, which are integrated numerically to about twelve digits.
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
            Form::Pareto(pareto) => pareto.laplace(s),
            Form::Normal(normal) => normal.laplace(s),
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

/// The positive nodes of the Gauss-Legendre rule of twelve points on [-1, 1], with their weights.
const GAUSS_LEGENDRE: [(f64, f64); 6] = [
    (0.981_560_634_246_719_2, 0.047_175_336_386_511_83),
    (0.904_117_256_370_474_9, 0.106_939_325_995_318_43),
    (0.769_902_674_194_304_7, 0.160_078_328_543_346_23),
    (0.587_317_954_286_617_5, 0.203_167_426_723_065_92),
    (0.367_831_498_998_180_2, 0.233_492_536_538_354_8),
    (0.125_233_408_511_468_9, 0.249_147_045_813_402_8),
];

/// The integral over a bounded interval, cut into this many panels of equal length: for an integrand that is smooth over
/// the length of a panel and does not vanish at the ends.
pub fn panels(from: f64, to: f64, panels: u32, integrand: impl Fn(f64) -> f64) -> f64 {
    let half = 0.5 * (to - from) / f64::from(panels);
    let panel = |n: u32| {
        let middle = from + half * f64::from(2 * n + 1);
        GAUSS_LEGENDRE
            .iter()
            .map(|(node, weight)| {
                weight * (integrand(middle - half * node) + integrand(middle + half * node))
            })
            .sum::<f64>()
    };
    half * (0..panels).map(panel).sum::<f64>()
}
