//! The checked constructors of [`Dist`].

use super::{Branches, Dist, DistError, Form, Normal, Pareto, Points, normal, special_functions};
use crate::time::Span;

/// The largest value, mean or scale: far beyond the end of the clock, and its square is still finite.
const LARGEST: f64 = 1e30;
/// The smallest positive mean or scale.
const SMALLEST: f64 = 1e-30;
/// The smallest coefficient of variation; below it a constant says the same.
const SMALLEST_CV: f64 = 1e-3;
/// The largest coefficient of variation.
const LARGEST_CV: f64 = 1e3;
/// The standard normal quantile of 0.95.
const Z_95: f64 = 1.644_853_626_951_472_7;
/// The standard normal quantile of 0.99.
const Z_99: f64 = 2.326_347_874_040_840_8;

impl Dist {
    /// Always `value` (at least 0).
    pub fn constant(value: f64) -> Result<Dist, DistError> {
        Ok(Dist(Form::Constant(not_negative("value", value)?)))
    }

    /// Exponential with this mean.
    pub fn exponential(mean: f64) -> Result<Dist, DistError> {
        Ok(Dist(Form::Exponential(positive("mean", mean)?)))
    }

    /// Continuous uniform between `min` and `max`.
    pub fn uniform(min: f64, max: f64) -> Result<Dist, DistError> {
        not_negative("min", min)?;
        not_negative("max", max)?;
        above(("max", max), ("min", min))?;
        Ok(Dist(Form::Uniform { min, max }))
    }

    /// Erlang: the sum of `shape` independent exponentials, with mean `mean` in total.
    pub fn erlang(shape: u32, mean: f64) -> Result<Dist, DistError> {
        within("shape", f64::from(shape), 1.0, 1e6, "from 1 to 1000000")?;
        positive("mean", mean)?;
        Ok(Dist(Form::Erlang {
            shape,
            scale: mean / f64::from(shape),
        }))
    }

    /// Gamma with this mean and coefficient of variation.
    pub fn gamma_mean_cv(mean: f64, cv: f64) -> Result<Dist, DistError> {
        positive("mean", mean)?;
        spread(cv)?;
        Ok(Dist(Form::Gamma {
            shape: 1.0 / (cv * cv),
            scale: mean * cv * cv,
        }))
    }

    /// Gamma with this shape and scale; its mean is their product.
    pub fn gamma(shape: f64, scale: f64) -> Result<Dist, DistError> {
        within("shape", shape, 1e-6, 1e6, "from 0.000001 to 1000000")?;
        Ok(Dist(Form::Gamma {
            shape,
            scale: positive("scale", scale)?,
        }))
    }

    /// Weibull with this mean and coefficient of variation. The shape is found numerically.
    pub fn weibull_mean_cv(mean: f64, cv: f64) -> Result<Dist, DistError> {
        positive("mean", mean)?;
        spread(cv)?;
        let shape = weibull_shape(cv);
        Ok(Dist(Form::Weibull {
            shape,
            scale: mean / libm::exp(libm::lgamma(1.0 + 1.0 / shape)),
        }))
    }

    /// Weibull with this shape and scale: P(X > x) = exp(-(x / scale)^shape).
    pub fn weibull(shape: f64, scale: f64) -> Result<Dist, DistError> {
        within("shape", shape, 0.05, 1e4, "from 0.05 to 10000")?;
        Ok(Dist(Form::Weibull {
            shape,
            scale: positive("scale", scale)?,
        }))
    }

    /// Lognormal with this mean and coefficient of variation.
    pub fn lognormal_mean_cv(mean: f64, cv: f64) -> Result<Dist, DistError> {
        positive("mean", mean)?;
        spread(cv)?;
        let variance = libm::log1p(cv * cv);
        Ok(Dist(Form::Lognormal {
            mu: libm::log(mean) - 0.5 * variance,
            sigma: variance.sqrt(),
        }))
    }

    /// Lognormal with this median and 95th percentile.
    pub fn lognormal_median_p95(median: f64, p95: f64) -> Result<Dist, DistError> {
        lognormal_by("p95", p95, Z_95, median, MOST_P95)
    }

    /// Lognormal with this median and 99th percentile.
    pub fn lognormal_median_p99(median: f64, p99: f64) -> Result<Dist, DistError> {
        lognormal_by("p99", p99, Z_99, median, MOST_P99)
    }

    /// Lognormal with this mean and 95th percentile, of the two that have them the less variable one.
    pub fn lognormal_mean_p95(mean: f64, p95: f64) -> Result<Dist, DistError> {
        lognormal_by_mean(("p95", p95), Z_95, mean, "of at most 3.86 times the mean")
    }

    /// The same with its 99th percentile.
    pub fn lognormal_mean_p99(mean: f64, p99: f64) -> Result<Dist, DistError> {
        lognormal_by_mean(("p99", p99), Z_99, mean, "of at most 14.9 times the mean")
    }

    /// Lognormal with this median and standard deviation of the logarithm.
    pub fn lognormal_median_sigma(median: f64, sigma: f64) -> Result<Dist, DistError> {
        positive("median", median)?;
        within(
            "sigma",
            sigma,
            SMALLEST_CV,
            LARGEST_SIGMA,
            "from 0.001 to 3.717",
        )?;
        Ok(Dist(Form::Lognormal {
            mu: libm::log(median),
            sigma,
        }))
    }

    /// Two-branch mixture of exponentials with this mean and coefficient of variation (at least 1), each branch
    /// contributing half of the mean ("balanced means", Tijms 1986).
    pub fn hyperexponential_mean_cv(mean: f64, cv: f64) -> Result<Dist, DistError> {
        positive("mean", mean)?;
        within("cv", cv, 1.0, LARGEST_CV, "from 1 to 1000")?;
        Ok(Dist(Form::Hyperexponential(Box::new(Branches::balanced(
            mean,
            cv * cv,
        )))))
    }

    /// Mixture of exponentials from (weight, mean) pairs; the weights are relative to their sum.
    pub fn hyperexponential(branches: &[(f64, f64)]) -> Result<Dist, DistError> {
        non_empty("branches", branches)?;
        let total = weights(branches.iter().map(|&(weight, _)| weight))?;
        for &(_, mean) in branches {
            positive("mean", mean)?;
        }
        Ok(Dist(Form::Hyperexponential(Box::new(Branches::new(
            branches, total,
        )))))
    }

    /// Pareto between `min` and `max`: P(X > x) falls as x^-shape until it is cut off at `max`.
    pub fn pareto(min: f64, max: f64, shape: f64) -> Result<Dist, DistError> {
        positive("min", min)?;
        positive("max", max)?;
        above(("max", max), ("min", min))?;
        tail(shape)?;
        Ok(Dist(Form::Pareto(Box::new(Pareto::new(min, max, shape)))))
    }

    /// Pareto up to `max` with this mean. The smallest value is found numerically.
    pub fn pareto_mean(mean: f64, max: f64, shape: f64) -> Result<Dist, DistError> {
        positive("mean", mean)?;
        positive("max", max)?;
        above(("max", max), ("mean", mean))?;
        tail(shape)?;
        match Pareto::with_mean(mean, max, shape, SMALLEST) {
            Some(pareto) => Ok(Dist(Form::Pareto(Box::new(pareto)))),
            None => Err(DistError::OutOfRange {
                parameter: "mean",
                found: mean,
                accepted: "that a smallest value above 0 and below `max` can give",
            }),
        }
    }

    /// Normal with this mean and standard deviation, on the condition that the value lies between `min` and `max`
    /// (which is not bounded where there is none). Mean and standard deviation are those before the truncation; at
    /// least 1 % of the probability must lie between the bounds.
    pub fn normal(mean: f64, sd: f64, min: f64, max: Option<f64>) -> Result<Dist, DistError> {
        not_negative("mean", mean)?;
        positive("sd", sd)?;
        let min = not_negative("min", min)?;
        if let Some(max) = max {
            positive("max", max)?;
            above(("max", max), ("min", min))?;
        }
        match Normal::new(mean, sd, min, max.unwrap_or(f64::INFINITY)) {
            Some(normal) => Ok(Dist(Form::Normal(Box::new(normal)))),
            None => Err(DistError::HardlyAnything {
                share: normal::LEAST_MASS * 100.0,
            }),
        }
    }

    /// Each of the given values (in any order, at least 0), all equally likely: the distribution of a measured
    /// sample.
    pub fn empirical(values: &[f64]) -> Result<Dist, DistError> {
        non_empty("values", values)?;
        for &value in values {
            not_negative("value", value)?;
        }
        Ok(Dist(Form::Empirical(Box::new(Points::equally_likely(
            values,
        )))))
    }

    /// Each of the given values with a probability proportional to its weight, from (value, weight) pairs in any
    /// order.
    pub fn empirical_weighted(points: &[(f64, f64)]) -> Result<Dist, DistError> {
        non_empty("points", points)?;
        for &(value, _) in points {
            not_negative("value", value)?;
        }
        weights(points.iter().map(|&(_, weight)| weight))?;
        Ok(Dist(Form::Empirical(Box::new(Points::weighted(points)))))
    }
}

impl From<Span> for Dist {
    /// Always this length of time.
    fn from(span: Span) -> Dist {
        Dist(Form::Constant(span.as_nanos() as f64))
    }
}

/// The sigma of a lognormal with the largest coefficient of variation: sqrt(ln(1 + 1000²)), rounded up.
const LARGEST_SIGMA: f64 = 3.717;

/// The largest percentiles, as multiples of the median: sigma is then as large as with the largest coefficient of
/// variation.
const MOST_P95: (f64, &str) = (450.0, "of at most 450 times the median");
const MOST_P99: (f64, &str) = (5600.0, "of at most 5600 times the median");

/// Lognormal with this median and a percentile, which is `z` standard deviations from the mean of the logarithm.
fn lognormal_by(
    parameter: &'static str,
    found: f64,
    z: f64,
    median: f64,
    (most, accepted): (f64, &'static str),
) -> Result<Dist, DistError> {
    positive("median", median)?;
    positive(parameter, found)?;
    above((parameter, found), ("median", median))?;
    if found > most * median {
        return Err(DistError::OutOfRange {
            parameter,
            found,
            accepted,
        });
    }
    Ok(Dist(Form::Lognormal {
        mu: libm::log(median),
        sigma: libm::log(found / median) / z,
    }))
}

/// Lognormal with this mean m and percentile x, `z` standard deviations from the mean of the logarithm: ln(x / m) = zσ − σ²/2,
/// of whose roots the one up to z is taken.
fn lognormal_by_mean(
    (parameter, found): (&'static str, f64),
    z: f64,
    mean: f64,
    accepted: &'static str,
) -> Result<Dist, DistError> {
    positive("mean", mean)?;
    positive(parameter, found)?;
    above((parameter, found), ("mean", mean))?;
    let twice = 2.0 * libm::log(found / mean);
    let root = z * z - twice;
    if root < 0.0 {
        return Err(DistError::OutOfRange {
            parameter,
            found,
            accepted,
        });
    }
    // z − √root, without the cancellation.
    let sigma = twice / (z + libm::sqrt(root));
    Ok(Dist(Form::Lognormal {
        mu: libm::log(mean) - sigma * sigma / 2.0,
        sigma,
    }))
}

fn within(
    parameter: &'static str,
    found: f64,
    smallest: f64,
    largest: f64,
    accepted: &'static str,
) -> Result<f64, DistError> {
    // A NaN is in no range.
    if (smallest..=largest).contains(&found) {
        return Ok(found);
    }
    Err(DistError::OutOfRange {
        parameter,
        found,
        accepted,
    })
}

fn positive(parameter: &'static str, found: f64) -> Result<f64, DistError> {
    within(
        parameter,
        found,
        SMALLEST,
        LARGEST,
        "above 0 and at most 1e30",
    )
}

fn not_negative(parameter: &'static str, found: f64) -> Result<f64, DistError> {
    // Adding 0 turns a negative zero into the ordinary one.
    within(parameter, found, 0.0, LARGEST, "from 0 to 1e30").map(|value| value + 0.0)
}

/// A tail exponent.
fn tail(shape: f64) -> Result<f64, DistError> {
    within("shape", shape, 0.05, 100.0, "from 0.05 to 100")
}

fn spread(cv: f64) -> Result<f64, DistError> {
    within("cv", cv, SMALLEST_CV, LARGEST_CV, "from 0.001 to 1000")
}

fn above(upper: (&'static str, f64), lower: (&'static str, f64)) -> Result<(), DistError> {
    if upper.1 > lower.1 {
        return Ok(());
    }
    Err(DistError::NotAbove {
        upper_name: upper.0,
        upper: upper.1,
        lower_name: lower.0,
        lower: lower.1,
    })
}

fn non_empty<T>(parameter: &'static str, list: &[T]) -> Result<(), DistError> {
    if list.is_empty() {
        Err(DistError::Empty { parameter })
    } else {
        Ok(())
    }
}

/// Checks weights and gives their sum, which is positive.
fn weights(weights: impl Iterator<Item = f64>) -> Result<f64, DistError> {
    let mut total = 0.0;
    for weight in weights {
        total += not_negative("weight", weight)?;
    }
    if total > 0.0 {
        Ok(total)
    } else {
        Err(DistError::NoWeight)
    }
}

/// The shape of the Weibull distribution with this coefficient of variation.
///
/// With t = 1 / shape, cv² + 1 = Γ(1 + 2t) / Γ(1 + t)², which increases in t; bisection on its logarithm.
fn weibull_shape(cv: f64) -> f64 {
    let target = libm::log1p(cv * cv);
    let excess = |t: f64| libm::lgamma(1.0 + 2.0 * t) - 2.0 * libm::lgamma(1.0 + t) - target;
    1.0 / special_functions::bisect(1e-4, 20.0, |t| excess(t) >= 0.0)
}
