//! The syntax of distributions and of the quantities they are over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spanned::Spanned;
pub use super::units::{Duration, Number};

/// A distribution by named parameters, or a bare value for a constant.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a distribution; write a value such as `10ms`, or a distribution such as `{exponential: {mean: 10ms}}`",
    rename_all = "snake_case"
)]
#[schemars(rename = "DistributionOf{Q}")]
pub enum Distribution<Q> {
    /// A bare value: always the same.
    #[serde(rename = "$bare")]
    Bare(Spanned<Q>),
    /// Always the same value.
    #[serde(rename(serialize = "$bare", deserialize = "constant"))]
    Constant(Spanned<Q>),
    /// Every value of an interval equally likely.
    Uniform(Uniform<Q>),
    /// Exponential.
    Exponential(Exponential<Q>),
    /// The sum of `k` exponential stages.
    Erlang(Erlang<Q>),
    /// Gamma, by mean and cv or by shape and scale.
    Gamma(Shaped<Q>),
    /// Weibull, by mean and cv or by shape and scale.
    Weibull(Shaped<Q>),
    /// Lognormal, by mean and cv, by mean or median and p95 or p99, or by median and sigma.
    Lognormal(Lognormal<Q>),
    /// A mixture of exponentials, by mean and cv or by its branches.
    Hyperexponential(Hyperexponential<Q>),
    /// Pareto up to `max`, from `min` or by mean.
    Pareto(Pareto<Q>),
    /// Normal, truncated at 0 or at `min` and `max`.
    Normal(Normal<Q>),
    /// Given values, such as measured ones: each equally likely, or by weight.
    Empirical(Empirical<Q>),
}

impl<Q: Default> Default for Distribution<Q> {
    fn default() -> Distribution<Q> {
        Distribution::Bare(Spanned::default())
    }
}

/// Parameters of a uniform distribution.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a uniform distribution", deny_unknown_fields)]
#[schemars(rename = "UniformOf{Q}")]
pub struct Uniform<Q> {
    /// Smallest value.
    pub min: Spanned<Q>,
    /// Largest value, above `min`.
    pub max: Spanned<Q>,
}

/// Parameters of an exponential distribution.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an exponential distribution", deny_unknown_fields)]
#[schemars(rename = "ExponentialOf{Q}")]
pub struct Exponential<Q> {
    /// Mean.
    pub mean: Spanned<Q>,
}

/// Parameters of an Erlang distribution.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an Erlang distribution", deny_unknown_fields)]
#[schemars(rename = "ErlangOf{Q}")]
pub struct Erlang<Q> {
    /// Number of stages, 1 to 1,000,000.
    pub k: Spanned<super::units::Count>,
    /// Mean of the whole.
    pub mean: Spanned<Q>,
}

/// Parameters of a gamma or a Weibull distribution: mean and cv, or shape and scale.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a gamma or Weibull distribution", deny_unknown_fields)]
#[schemars(rename = "ShapedOf{Q}")]
pub struct Shaped<Q> {
    /// Mean.
    pub mean: Option<Spanned<Q>>,
    /// Coefficient of variation (standard deviation divided by mean), 0.001 to 1,000.
    pub cv: Option<Spanned<Number>>,
    /// Shape parameter, 10^-6 to 10^6 for gamma, 0.05 to 10^4 for Weibull.
    pub shape: Option<Spanned<Number>>,
    /// Scale parameter.
    pub scale: Option<Spanned<Q>>,
}

/// Parameters of a lognormal distribution: mean and cv, mean or median and p95 or p99, or median and sigma.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a lognormal distribution", deny_unknown_fields)]
#[schemars(rename = "LognormalOf{Q}")]
pub struct Lognormal<Q> {
    /// Mean.
    pub mean: Option<Spanned<Q>>,
    /// Coefficient of variation (standard deviation divided by mean), 0.001 to 1,000.
    pub cv: Option<Spanned<Number>>,
    /// Median.
    pub median: Option<Spanned<Q>>,
    /// 95th percentile, above `median` and `mean`; with `mean` up to 3.86 times it, and of two lognormals that fit the less variable one.
    pub p95: Option<Spanned<Q>>,
    /// 99th percentile, above `median` and `mean`; with `mean` up to 14.9 times it, and of two lognormals that fit the less variable one.
    pub p99: Option<Spanned<Q>>,
    /// Standard deviation of the logarithm, 0.001 to 3.717.
    pub sigma: Option<Spanned<Number>>,
}

/// Parameters of a hyperexponential distribution: mean and cv (two branches with balanced means), or branches.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a hyperexponential distribution", deny_unknown_fields)]
#[schemars(rename = "HyperexponentialOf{Q}")]
pub struct Hyperexponential<Q> {
    /// Mean, with `cv` of two branches with balanced means.
    pub mean: Option<Spanned<Q>>,
    /// Coefficient of variation, 1 to 1,000.
    pub cv: Option<Spanned<Number>>,
    /// The exponentials of the mixture.
    pub branches: Option<Spanned<Vec<Phase<Q>>>>,
}

/// One exponential of a mixture.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a branch of a hyperexponential distribution",
    deny_unknown_fields
)]
#[schemars(rename = "PhaseOf{Q}")]
pub struct Phase<Q> {
    /// Weight, relative to the others.
    pub weight: Spanned<Number>,
    /// Its mean.
    pub mean: Spanned<Q>,
}

/// Parameters of a bounded Pareto distribution: min, max and shape, or mean, max and shape.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a Pareto distribution", deny_unknown_fields)]
#[schemars(rename = "ParetoOf{Q}")]
pub struct Pareto<Q> {
    /// Smallest value.
    pub min: Option<Spanned<Q>>,
    /// Mean.
    pub mean: Option<Spanned<Q>>,
    /// Largest value: no draw is above it.
    pub max: Spanned<Q>,
    /// Exponent of the tail, 0.05 to 100: the smaller, the heavier.
    pub shape: Spanned<Number>,
}

/// Parameters of a normal distribution. The truncation to `min` and `max` leaves at least 1 % of the probability.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a normal distribution", deny_unknown_fields)]
#[schemars(rename = "NormalOf{Q}")]
pub struct Normal<Q> {
    /// Mean before the truncation.
    pub mean: Spanned<Q>,
    /// Standard deviation before the truncation.
    pub sd: Spanned<Q>,
    /// Smallest value [default: 0].
    pub min: Option<Spanned<Q>>,
    /// Largest value [default: unbounded].
    pub max: Option<Spanned<Q>>,
}

/// Given values: `values` in the spec, or a `file`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an empirical distribution", deny_unknown_fields)]
#[schemars(rename = "EmpiricalOf{Q}")]
pub struct Empirical<Q> {
    /// The values.
    pub values: Option<Spanned<Vec<Spanned<Q>>>>,
    /// Weights of the values, one for each [default: equal].
    pub weights: Option<Spanned<Vec<Spanned<Number>>>>,
    /// File with the values, relative to the spec.
    pub file: Option<Spanned<String>>,
}
