//! Lowers distributions to checked samplers.

use std::fmt::Display;
use std::str::FromStr;

use super::{Findings, recordings};
use crate::dist::{Dist, DistError, Family};
use crate::spec::distribution::{
    Distribution, Empirical, Hyperexponential, Lognormal, Normal, Pareto, Phase, Shaped, Uniform,
};
use crate::spec::error::{Origin, SpecError};
use crate::spec::spanned::Spanned;
use crate::spec::units::{Duration, Number, Size, UnitError};

/// Most stages of an Erlang distribution.
const MAX_STAGES: u32 = 1_000_000;

/// A distribution of times, in nanoseconds.
pub fn time(written: &Spanned<Distribution<Duration>>, findings: &mut Findings) -> Dist {
    let dist = lower(written, findings);
    warn_of_rounding(&dist, written.origin, findings);
    dist
}

/// The largest share by which whole nanoseconds may change a mean without a word.
const ROUNDING: f64 = 0.001;
/// Means from here on are not looked at, in nanoseconds: no family is so steep that rounding changes them.
const LONG: f64 = 100.0;

/// Warns where draws of so few nanoseconds are asked for that rounding them to whole ones changes their mean.
pub fn warn_of_rounding(dist: &Dist, origin: Origin, findings: &mut Findings) {
    let mean = dist.mean();
    if dist.family() == Family::Constant || !(mean > 0.0 && mean < LONG) {
        return;
    }
    let rounded = dist.rounded_mean();
    let change = rounded / mean - 1.0;
    if change.abs() <= ROUNDING {
        return;
    }
    let how = if change < 0.0 { "below" } else { "above" };
    let message = format!(
        "times are rounded to whole nanoseconds: their mean is {rounded:.3} ns, {:.1} % {how} the given {mean} ns",
        change.abs() * 100.0
    );
    findings.warn(SpecError::about(origin, message).help(
        "multiply every time by 1000 and divide every rate by 1000: all shares stay the same",
    ));
}

/// A distribution of plain numbers.
pub fn number(written: &Spanned<Distribution<Number>>, findings: &mut Findings) -> Dist {
    lower(written, findings)
}

/// A distribution of sizes, in bytes.
pub fn size(written: &Spanned<Distribution<Size>>, findings: &mut Findings) -> Dist {
    lower(written, findings)
}

fn lower<Q: Copy + Into<f64> + Display + FromStr<Err = UnitError>>(
    written: &Spanned<Distribution<Q>>,
    findings: &mut Findings,
) -> Dist {
    let dist = match &written.value {
        Distribution::Empirical(empirical) => {
            return self::empirical(empirical, written.origin, findings);
        }
        _ => sampler(written),
    };
    dist.unwrap_or_else(|error| {
        findings.error(error);
        Dist::ZERO
    })
}

/// The parameters of a distribution by name, to find the place of the one at fault.
type Parameters<'a> = &'a [(&'static str, Origin)];

fn sampler<Q: Copy + Into<f64> + Display>(
    written: &Spanned<Distribution<Q>>,
) -> Result<Dist, SpecError> {
    let whole = written.origin;
    match &written.value {
        Distribution::Bare(value) | Distribution::Constant(value) => placed(
            Dist::constant(value.value.into()),
            whole,
            &[("value", value.origin)],
        ),
        Distribution::Uniform(uniform) => self::uniform(uniform, whole),
        Distribution::Exponential(exponential) => {
            let mean = positive("mean", &exponential.mean)?;
            placed(
                Dist::exponential(mean),
                whole,
                &[("mean", exponential.mean.origin)],
            )
        }
        Distribution::Erlang(erlang) => {
            let mean = positive("mean", &erlang.mean)?;
            let Some(k) = u32::try_from(erlang.k.value.0)
                .ok()
                .filter(|k| (1..=MAX_STAGES).contains(k))
            else {
                let error = erlang.k.error(format!(
                    "an Erlang distribution cannot have {} stages",
                    erlang.k.value
                ));
                return Err(error.help(format!("`k` is a whole number from 1 to {MAX_STAGES}")));
            };
            let places = [("shape", erlang.k.origin), ("mean", erlang.mean.origin)];
            placed(Dist::erlang(k, mean), whole, &places)
        }
        Distribution::Gamma(shaped) => {
            self::shaped(shaped, "gamma", whole, Dist::gamma_mean_cv, Dist::gamma)
        }
        Distribution::Weibull(shaped) => self::shaped(
            shaped,
            "weibull",
            whole,
            Dist::weibull_mean_cv,
            Dist::weibull,
        ),
        Distribution::Lognormal(lognormal) => self::lognormal(lognormal, whole),
        Distribution::Hyperexponential(mixture) => hyperexponential(mixture, whole),
        Distribution::Pareto(pareto) => self::pareto(pareto, whole),
        Distribution::Normal(normal) => self::normal(normal, whole),
        Distribution::Empirical(_) => Ok(Dist::ZERO),
    }
}

/// The value of a parameter that must be above zero.
fn positive<Q: Copy + Into<f64> + Display>(
    name: &str,
    parameter: &Spanned<Q>,
) -> Result<f64, SpecError> {
    let value: f64 = parameter.value.into();
    if value > 0.0 {
        return Ok(value);
    }
    let error = parameter.error(format!("`{name}` is {}", parameter.value));
    Err(error.help(format!(
        "give a `{name}` above zero, or the constant `0s` for no time"
    )))
}

/// The sampler, or what is wrong with its parameters at the place of the one at fault.
pub fn placed(
    result: Result<Dist, DistError>,
    whole: Origin,
    parameters: Parameters<'_>,
) -> Result<Dist, SpecError> {
    result.map_err(|error| {
        let named = parameters
            .iter()
            .find(|(name, _)| *name == error.parameter());
        let origin = named.map_or(whole, |(_, origin)| *origin);
        // The message of a distribution says what was found and then, after a semicolon, what is accepted.
        let message = error.to_string();
        let (found, accepted) = message
            .split_once("; ")
            .unwrap_or((message.as_str(), "give other parameters"));
        let placed = SpecError::about(origin, found).help(accepted);
        match error {
            DistError::Empty { .. } | DistError::NoWeight => placed.absence(),
            _ => placed,
        }
    })
}

fn uniform<Q: Copy + Into<f64> + Display>(
    uniform: &Uniform<Q>,
    whole: Origin,
) -> Result<Dist, SpecError> {
    let (min, max) = (uniform.min.value.into(), uniform.max.value.into());
    if max <= min {
        let error = uniform.max.error(format!(
            "`max` ({}) is not above `min` ({})",
            uniform.max.value, uniform.min.value
        ));
        return Err(error.help("give a larger `max`, or a constant"));
    }
    placed(
        Dist::uniform(min, max),
        whole,
        &[("min", uniform.min.origin), ("max", uniform.max.origin)],
    )
}

fn shaped<Q: Copy + Into<f64> + Display>(
    shaped: &Shaped<Q>,
    family: &str,
    whole: Origin,
    by_mean: fn(f64, f64) -> Result<Dist, DistError>,
    by_shape: fn(f64, f64) -> Result<Dist, DistError>,
) -> Result<Dist, SpecError> {
    match (&shaped.mean, &shaped.cv, &shaped.shape, &shaped.scale) {
        (Some(mean), Some(cv), None, None) => {
            let value = positive("mean", mean)?;
            placed(
                by_mean(value, cv.value.0),
                whole,
                &[("mean", mean.origin), ("cv", cv.origin)],
            )
        }
        (None, None, Some(shape), Some(scale)) => {
            let value = positive("scale", scale)?;
            placed(
                by_shape(shape.value.0, value),
                whole,
                &[("shape", shape.origin), ("scale", scale.origin)],
            )
        }
        _ => {
            let error = SpecError::about(
                whole,
                format!("these parameters do not make a {family} distribution"),
            );
            Err(error
                .help("give either `mean` and `cv`, or `shape` and `scale`")
                .absence())
        }
    }
}

fn lognormal<Q: Copy + Into<f64> + Display>(
    lognormal: &Lognormal<Q>,
    whole: Origin,
) -> Result<Dist, SpecError> {
    let Lognormal {
        mean,
        cv,
        median,
        p95,
        p99,
        sigma,
    } = lognormal;
    match (mean, cv, median, p95, p99, sigma) {
        (Some(mean), Some(cv), None, None, None, None) => {
            let value = positive("mean", mean)?;
            placed(
                Dist::lognormal_mean_cv(value, cv.value.0),
                whole,
                &[("mean", mean.origin), ("cv", cv.origin)],
            )
        }
        (None, None, Some(median), Some(p95), None, None) => {
            let by = Dist::lognormal_median_p95;
            lognormal_of(("median", median), ("p95", p95), by, whole)
        }
        (None, None, Some(median), None, Some(p99), None) => {
            let by = Dist::lognormal_median_p99;
            lognormal_of(("median", median), ("p99", p99), by, whole)
        }
        (Some(mean), None, None, Some(p95), None, None) => lognormal_of(
            ("mean", mean),
            ("p95", p95),
            Dist::lognormal_mean_p95,
            whole,
        ),
        (Some(mean), None, None, None, Some(p99), None) => lognormal_of(
            ("mean", mean),
            ("p99", p99),
            Dist::lognormal_mean_p99,
            whole,
        ),
        (None, None, Some(median), None, None, Some(sigma)) => {
            let value = positive("median", median)?;
            let places = [("median", median.origin), ("sigma", sigma.origin)];
            placed(
                Dist::lognormal_median_sigma(value, sigma.value.0),
                whole,
                &places,
            )
        }
        _ => {
            let error = SpecError::about(
                whole,
                "these parameters do not make a lognormal distribution",
            );
            Err(error
                .help("give `mean` and one of `cv`, `p95` and `p99`, or `median` and one of `p95`, `p99` and `sigma`")
                .absence())
        }
    }
}

/// Lognormal by its median or mean and a percentile above it.
fn lognormal_of<Q: Copy + Into<f64> + Display>(
    (what, base): (&'static str, &Spanned<Q>),
    (name, percentile): (&'static str, &Spanned<Q>),
    constructor: fn(f64, f64) -> Result<Dist, DistError>,
    whole: Origin,
) -> Result<Dist, SpecError> {
    let value = positive(what, base)?;
    if percentile.value.into() <= value {
        let message = format!(
            "`{name}` ({}) is not above `{what}` ({})",
            percentile.value, base.value
        );
        let help = format!("give a `{name}` above the {what}");
        return Err(percentile.error(message).help(help));
    }
    let places = [(what, base.origin), (name, percentile.origin)];
    placed(constructor(value, percentile.value.into()), whole, &places)
}

fn hyperexponential<Q: Copy + Into<f64> + Display>(
    mixture: &Hyperexponential<Q>,
    whole: Origin,
) -> Result<Dist, SpecError> {
    match (&mixture.mean, &mixture.cv, &mixture.branches) {
        (Some(mean), Some(cv), None) => {
            let value = positive("mean", mean)?;
            let places = [("mean", mean.origin), ("cv", cv.origin)];
            placed(
                Dist::hyperexponential_mean_cv(value, cv.value.0),
                whole,
                &places,
            )
        }
        (None, None, Some(branches)) => {
            let pairs = branches
                .value
                .iter()
                .map(phase)
                .collect::<Result<Vec<_>, _>>()?;
            placed(Dist::hyperexponential(&pairs), branches.origin, &[])
        }
        _ => {
            let error = SpecError::about(
                whole,
                "these parameters do not make a hyperexponential distribution",
            );
            Err(error
                .help("give either `mean` and `cv`, or `branches`")
                .absence())
        }
    }
}

fn phase<Q: Copy + Into<f64> + Display>(phase: &Phase<Q>) -> Result<(f64, f64), SpecError> {
    let weight = super::numbers::weight(&phase.weight, "a branch")?;
    Ok((weight, positive("mean", &phase.mean)?))
}

/// `max`, which must be above another parameter.
fn above<Q: Copy + Into<f64> + Display>(
    max: &Spanned<Q>,
    name: &str,
    lower: &Spanned<Q>,
) -> Result<(), SpecError> {
    if max.value.into() > lower.value.into() {
        return Ok(());
    }
    let error = max.error(format!(
        "`max` ({}) is not above `{name}` ({})",
        max.value, lower.value
    ));
    Err(error.help(format!("give a `max` above `{name}`")))
}

fn pareto<Q: Copy + Into<f64> + Display>(
    pareto: &Pareto<Q>,
    whole: Origin,
) -> Result<Dist, SpecError> {
    type Constructor = fn(f64, f64, f64) -> Result<Dist, DistError>;
    let (name, lower, by): (_, _, Constructor) = match (&pareto.min, &pareto.mean) {
        (Some(min), None) => ("min", min, Dist::pareto),
        (None, Some(mean)) => ("mean", mean, Dist::pareto_mean),
        _ => {
            let error =
                SpecError::about(whole, "these parameters do not make a Pareto distribution");
            return Err(error
                .help("give `max`, `shape`, and either `min` or `mean`")
                .absence());
        }
    };
    let value = positive(name, lower)?;
    above(&pareto.max, name, lower)?;
    let places = [
        (name, lower.origin),
        ("max", pareto.max.origin),
        ("shape", pareto.shape.origin),
    ];
    placed(
        by(value, pareto.max.value.into(), pareto.shape.value.0),
        whole,
        &places,
    )
}

fn normal<Q: Copy + Into<f64> + Display>(
    normal: &Normal<Q>,
    whole: Origin,
) -> Result<Dist, SpecError> {
    let sd = positive("sd", &normal.sd)?;
    if let (Some(max), Some(min)) = (&normal.max, &normal.min) {
        above(max, "min", min)?;
    }
    if let Some(max) = &normal.max {
        positive("max", max)?;
    }
    let min = normal.min.as_ref().map_or(0.0, |min| min.value.into());
    let max = normal.max.as_ref().map(|max| max.value.into());
    placed(
        Dist::normal(normal.mean.value.into(), sd, min, max),
        whole,
        &[("mean", normal.mean.origin), ("sd", normal.sd.origin)],
    )
}

fn empirical<Q: Copy + Into<f64> + Display + FromStr<Err = UnitError>>(
    empirical: &Empirical<Q>,
    whole: Origin,
    findings: &mut Findings,
) -> Dist {
    let dist = match (&empirical.values, &empirical.weights, &empirical.file) {
        (Some(values), None, None) => {
            let listed: Vec<f64> = values
                .value
                .iter()
                .map(|value| value.value.into())
                .collect();
            placed(
                Dist::empirical(&listed),
                whole,
                &[("values", values.origin)],
            )
        }
        (Some(values), Some(weights), None) => weighted(values, weights),
        (None, None, Some(file)) => match recordings::values::<Q>(file, findings) {
            Some(values) => placed(Dist::empirical(&values), whole, &[("values", file.origin)]),
            None => return Dist::ZERO,
        },
        _ => {
            let error = SpecError::about(
                whole,
                "these parameters do not make an empirical distribution",
            );
            Err(error
                .help("give either `values` and perhaps `weights`, or `file`")
                .absence())
        }
    };
    dist.unwrap_or_else(|error| {
        findings.error(error);
        Dist::ZERO
    })
}

/// Values, each as often as its weight says.
fn weighted<Q: Copy + Into<f64>>(
    values: &Spanned<Vec<Spanned<Q>>>,
    weights: &Spanned<Vec<Spanned<Number>>>,
) -> Result<Dist, SpecError> {
    let (given, needed) = (weights.value.len(), values.value.len());
    if given != needed {
        let message = format!("`values` has {needed} entries and `weights` has {given}");
        return Err(weights
            .error(message)
            .help("give a weight for each value, in the same order")
            .absence());
    }
    let pairs = values.value.iter().zip(&weights.value);
    let pairs = pairs.map(|(value, weight)| {
        let weight = super::numbers::weight(weight, "a value")?;
        Ok((value.value.into(), weight))
    });
    let pairs = pairs.collect::<Result<Vec<(f64, f64)>, SpecError>>()?;
    let places = [("points", values.origin), ("values", values.origin)];
    placed(Dist::empirical_weighted(&pairs), values.origin, &places)
}
