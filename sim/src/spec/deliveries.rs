//! The typed syntax of awaited deliveries and their objectives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spanned::Spanned;
use super::units::{Count, Duration, Share};

/// Deliveries that a request waits for besides its reply: messages published for it are measured until they reach their
/// subscribers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`await`", deny_unknown_fields)]
#[schemars(rename = "Await")]
pub struct Await {
    /// What delivers in the simulation. The path may reach it itself, or at a consumer of what it publishes
    /// [default: the only fan-out that the path reaches, or else the only consumer].
    pub from: Option<Spanned<Deliverer>>,
    /// Number of subscriptions, up to 100,000; in a live run over the connections in turn [default: 1].
    pub subscribers: Option<Spanned<Count>>,
    /// Number of deliveries expected for each request, up to 1 million [default: one per subscriber].
    pub deliveries: Option<Spanned<Count>>,
    /// Number of them that the request waits for; the others are measured too [default: all].
    pub until: Option<Spanned<Until>>,
}

/// What delivers in the simulation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "what delivers", rename_all = "snake_case")]
#[schemars(rename = "Deliverer")]
pub enum Deliverer {
    /// The fan-out of this name: each message that reaches a subscriber.
    FanOut(Spanned<String>),
    /// The consumer of this name, as STREAM/NAME: each delivery of a message, further ones of the same message included.
    Consumer(Spanned<String>),
}

/// Number of deliveries that a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`until`; write `all`, `first`, or a number of deliveries")]
#[schemars(rename = "Until")]
pub enum Until {
    /// This number.
    #[serde(rename = "$bare")]
    Count(Count),
    /// All expected deliveries.
    #[serde(rename = "all")]
    All,
    /// The first.
    #[serde(rename = "first")]
    First,
}

/// Objectives of awaited deliveries. Times count from the intended time of the request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "the `deliveries` of an `slo`", deny_unknown_fields)]
#[schemars(rename = "DeliverySlo")]
pub struct DeliverySlo {
    /// Limits on the time to the first delivery of each request.
    pub first: Option<Spanned<Quantiles>>,
    /// Limits on the time to each delivery.
    pub each: Option<Spanned<Quantiles>>,
    /// Limits on the time to the last delivery of each request.
    pub last: Option<Spanned<Quantiles>>,
    /// Limit on the share of deliveries that do not arrive before their request is given up. Without it, each of
    /// them counts as over the limits of the times.
    pub missing: Option<Spanned<Share>>,
}

/// The largest allowed values of quantiles of a time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "limits on quantiles", deny_unknown_fields)]
#[schemars(rename = "Quantiles")]
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
