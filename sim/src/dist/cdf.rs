//! Distribution functions and quantiles.

use super::{Dist, Form, power, special_functions};

impl Dist {
    /// P(X <= x). NaN for a NaN.
    pub fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 {
            return 0.0;
        }
        match &self.0 {
            Form::Constant(value) => step(x, *value),
            Form::Exponential(mean) => -libm::expm1(-x / mean),
            Form::Uniform { min, max } => ((x - min) / (max - min)).clamp(0.0, 1.0),
            Form::Erlang { shape, scale } => {
                special_functions::gamma_p(f64::from(*shape), x / scale)
            }
            Form::Gamma { shape, scale } => special_functions::gamma_p(*shape, x / scale),
            Form::Weibull { shape, scale } => -libm::expm1(-power(x / scale, *shape)),
            Form::Lognormal { mu, sigma } => {
                special_functions::normal_cdf((libm::log(x) - mu) / sigma)
            }
            // The probabilities may add up to more than 1 by a rounding error.
            Form::Hyperexponential(branches) => {
                branches.sum(|mean| -libm::expm1(-x / mean)).min(1.0)
            }
            Form::Pareto(pareto) => pareto.cdf(x),
            Form::Normal(normal) => normal.cdf(x),
            Form::Empirical(points) => points.cdf(x),
        }
    }

    /// The mean of a draw that is rounded to the nearest whole number, as [`sample_span`](Dist::sample_span) does.
    ///
    /// It is the sum of P(X >= k - 1/2) over the whole numbers k from 1 on. What that differs by from the mean, which is
    /// the integral of P(X > x), is reckoned unit by unit (Simpson's rule) up to where a distribution is smooth over one.
    pub fn rounded_mean(&self) -> f64 {
        /// Units that are looked at.
        const UNITS: u32 = 256;
        /// Parts of a unit, even.
        const PARTS: u32 = 16;
        let above = |x: f64| 1.0 - self.cdf(x);
        let mut change = 0.0;
        for unit in 0..UNITS {
            let from = f64::from(unit);
            let sum: f64 = (0..=PARTS)
                .map(|part| {
                    let weight = match part {
                        0 | PARTS => 1.0,
                        odd if odd % 2 == 1 => 4.0,
                        _ => 2.0,
                    };
                    weight * above(from + f64::from(part) / f64::from(PARTS))
                })
                .sum();
            change += above(from + 0.5) - sum / f64::from(3 * PARTS);
            if above(from + 1.0) < 1e-9 {
                break;
            }
        }
        self.mean() + change
    }

    /// The smallest x with P(X <= x) >= p: the quantile `p`, for `p` from 0 to 1. Infinite for 1 where nothing
    /// bounds the values; NaN for a `p` outside that range.
    pub fn quantile(&self, p: f64) -> f64 {
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        if p == 1.0 {
            return self.upper_bound().unwrap_or(f64::INFINITY);
        }
        match &self.0 {
            Form::Constant(value) => *value,
            Form::Exponential(mean) => -mean * libm::log1p(-p),
            Form::Uniform { min, max } => min + (max - min) * p,
            Form::Weibull { shape, scale } => scale * power(-libm::log1p(-p), 1.0 / shape),
            Form::Lognormal { mu, sigma } => {
                libm::exp(mu + sigma * special_functions::normal_quantile(p))
            }
            Form::Pareto(pareto) => pareto.at(p),
            Form::Normal(normal) => normal.quantile(p),
            Form::Empirical(points) => points.quantile(p),
            Form::Erlang { .. } | Form::Gamma { .. } | Form::Hyperexponential(_) => {
                special_functions::bisect(0.0, f64::MAX, |x| self.cdf(x) >= p)
            }
        }
    }
}

/// The distribution function of a constant.
fn step(x: f64, value: f64) -> f64 {
    if x.is_nan() {
        x
    } else if x >= value {
        1.0
    } else {
        0.0
    }
}
