//! The typed syntax of deliveries that requests await, and of what is promised of them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::spanned::Spanned;
use super::units::{Count, Duration, Share};

/// Deliveries that a request takes besides before it is done: what is published for it is measured until it has reached
/// those who subscribe to it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// What delivers them in the simulation: a fan-out or a consumer; unless given, the only fan-out that the request
    /// reaches, or without any the only consumer.
    pub from: Option<Spanned<Deliverer>>,
    /// How many subscriptions there are; 1 unless given.
    pub subscribers: Option<Spanned<Count>>,
    /// How many deliveries are to come for each request; one for each subscriber unless given.
    pub deliveries: Option<Spanned<Count>>,
    /// How many of them the request waits for; all unless given.
    pub until: Option<Spanned<Until>>,
}

/// What delivers in the simulation.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deliverer {
    /// The fan-out of this name: each message that reaches a subscriber.
    FanOut(Spanned<String>),
    /// The consumer of this name, as STREAM/NAME: each delivery of a message, further ones of the same message included.
    Consumer(Spanned<String>),
}

/// How many deliveries a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Until {
    /// So many.
    #[serde(rename = "$bare")]
    Count(Count),
    /// All that are to come.
    #[serde(rename = "all")]
    All,
    /// The first.
    #[serde(rename = "first")]
    First,
}

/// What is promised of the deliveries that requests await. Times count from the intended instant of the request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliverySlo {
    /// Limits on the time to the first delivery of each request.
    pub first: Option<Spanned<Quantiles>>,
    /// Limits on the time to each delivery.
    pub each: Option<Spanned<Quantiles>>,
    /// Limits on the time to the last delivery of each request.
    pub last: Option<Spanned<Quantiles>>,
    /// Limit on the share of the deliveries that do not come, or come after their request was given up.
    pub missing: Option<Spanned<Share>>,
}

/// The largest allowed values of quantiles of a time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// Limit on the median.
    pub p50: Option<Spanned<Duration>>,
    /// Limit on the 90th percentile.
    pub p90: Option<Spanned<Duration>>,
    /// Limit on the 95th percentile.
    pub p95: Option<Spanned<Duration>>,
    /// Limit on the 99th percentile.
    pub p99: Option<Spanned<Duration>>,
    /// Limit on the 99.9th percentile.
    pub p999: Option<Spanned<Duration>>,
}

impl Quantiles {
    /// The limits in ascending order of their quantiles, with their names.
    pub fn all(&self) -> [(&'static str, f64, &Option<Spanned<Duration>>); 5] {
        [
            ("p50", 0.5, &self.p50),
            ("p90", 0.9, &self.p90),
            ("p95", 0.95, &self.p95),
            ("p99", 0.99, &self.p99),
            ("p999", 0.999, &self.p999),
        ]
    }
}
