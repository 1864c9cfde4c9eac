//! The document of an explanation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::before_reply::before_reply;
use super::sink::{Band, StationSums, Sums};
use crate::model::Model;
use crate::time::Span;

/// The document's schema identifier.
pub const SCHEMA: &str = "blis.explain/1";

/// Where the requests of a run spent their time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// Always `blis.explain/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// Name of the spec.
    pub name: String,
    /// SHA-256 of its resolved text, with defaults and flags.
    pub resolved_sha256: String,
    /// Seed of all random draws.
    pub seed: u64,
    /// Whether the repeated run has the totals of the result.
    pub reproduced: bool,
    /// Differences from the result, and whether another version of blis made it.
    pub differences: Vec<String>,
    /// By quantile of the response time, ascending.
    pub quantiles: Vec<QuantileExplained>,
}

/// Where requests near one quantile of the response time spent their time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuantileExplained {
    /// The quantile, between 0 and 1.
    pub quantile: f64,
    /// Its value, to three significant digits.
    pub quantile_ms: f64,
    /// The explained requests.
    pub band: ExplainedBand,
    /// Their response times, the sum of `lag`, all `services` and `elsewhere`.
    pub response: TimeShare,
    /// From intended to sent.
    pub lag: TimeShare,
    /// Time at services, by service; services without time are left out.
    pub services: BTreeMap<String, StationTime>,
    /// Other time after sending.
    pub elsewhere: TimeShare,
    /// Kind of that time: `network`, `delay` or `network and delay`.
    pub elsewhere_is: String,
}

/// The requests near a quantile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedBand {
    /// Quantile at its start.
    pub from_quantile: f64,
    /// Quantile at its end.
    pub to_quantile: f64,
    /// Shortest response time in it.
    pub from_ms: f64,
    /// Longest response time in it.
    pub to_ms: f64,
    /// Number of requests: `ok`, and `timed_out` and `unresolved` with their age at the end.
    pub requests: u64,
    /// Number of them that were not answered.
    pub censored: u64,
    /// Number of them by action; actions without requests are left out.
    pub actions: BTreeMap<String, u64>,
}

/// Time at one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StationTime {
    /// Waiting in the queue.
    pub waiting: TimeShare,
    /// Served by a worker.
    pub service: TimeShare,
    /// Holding a worker during other steps.
    pub held: TimeShare,
}

/// A part of the time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeShare {
    /// Total over all requests of the band, exact.
    pub sum_ns: u128,
    /// Mean per request of the band.
    pub mean_ms: f64,
    /// Share of the response times.
    pub share: f64,
}

/// A quantile with the band about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The quantile.
    pub quantile: f64,
    /// Where its band starts and ends, as quantiles.
    pub band: (f64, f64),
    /// Its value.
    pub value: Span,
}

/// The explanation of one quantile.
pub fn quantile(model: &Model, target: Target, band: Band, sums: &Sums) -> QuantileExplained {
    let part = |sum: u128| TimeShare {
        sum_ns: sum,
        mean_ms: ratio(sum, u128::from(sums.requests)) / 1e6,
        share: ratio(sum, sums.response),
    };
    let station = |sums: &StationSums| StationTime {
        waiting: part(sums.waiting),
        service: part(sums.service),
        held: part(sums.held),
    };
    let services = model.services.iter().zip(&sums.stations);
    let services = services.filter(|(_, sums)| sums.total() > 0);
    let actions = model.actions.iter().zip(&sums.by_action);
    let actions = actions.filter(|(_, requests)| **requests > 0);
    QuantileExplained {
        quantile: target.quantile,
        quantile_ms: target.value.as_millis_f64(),
        band: ExplainedBand {
            from_quantile: target.band.0,
            to_quantile: target.band.1,
            from_ms: band.from.as_millis_f64(),
            to_ms: band.to.as_millis_f64(),
            requests: sums.requests,
            censored: sums.censored,
            actions: actions
                .map(|(action, requests)| (action.name.clone(), *requests))
                .collect(),
        },
        response: part(sums.response),
        lag: part(sums.lag),
        services: services
            .map(|(service, sums)| (service.name.clone(), station(sums)))
            .collect(),
        elsewhere: part(sums.elsewhere),
        elsewhere_is: elsewhere(model).to_owned(),
    }
}

/// A quotient; zero when there is nothing to divide by.
fn ratio(sum: u128, by: u128) -> f64 {
    if by == 0 {
        return 0.0;
    }
    sum as f64 / by as f64
}

/// What time that is no visit can be.
fn elsewhere(model: &Model) -> &'static str {
    let delays = model
        .actions
        .iter()
        .any(|action| before_reply(model, action).delays);
    match (&model.one_way, delays) {
        (Some(_), true) => "network and delay",
        (Some(_), false) => "network",
        (None, _) => "delay",
    }
}

/// The document of an explanation.
pub fn document(
    model: &Model,
    resolved_sha256: String,
    reproduced: bool,
    differences: Vec<String>,
    quantiles: Vec<QuantileExplained>,
) -> Explanation {
    Explanation {
        schema: SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        name: model.name.clone(),
        resolved_sha256,
        seed: model.seed,
        reproduced,
        differences,
        quantiles,
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn json_schema() -> String {
    crate::result::schema_of::<Explanation>()
}

impl Explanation {
    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        crate::result::to_json(self)
    }
}
