//! Distributions of times in the documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::{Latencies, Times};
use crate::time::Span;

/// The three latencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// From intended to answered: the waiting time of the user, and the subject of objectives.
    pub response: LatencyBlock,
    /// From sent to answered.
    pub service: LatencyBlock,
    /// From intended to sent: how late the generator was.
    pub lag: LatencyBlock,
}

/// A distribution of times in milliseconds; figures are absent if it is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyBlock {
    /// Number of times: of `ok`, and of `timed_out` and `unresolved` with their age at the end.
    pub count: u64,
    /// Number of such ages.
    pub censored: u64,
    /// Exact mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Interval of the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_ci95: Option<[f64; 2]>,
    /// Exact minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Median, to three significant digits as the other quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// Interval of the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ci95: Option<[f64; 2]>,
    /// 90th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// Interval of the 90th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_ci95: Option<[f64; 2]>,
    /// 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// Interval of the 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ci95: Option<[f64; 2]>,
    /// 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// Interval of the 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ci95: Option<[f64; 2]>,
    /// 99.9th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999: Option<f64>,
    /// Interval of the 99.9th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999_ci95: Option<[f64; 2]>,
    /// Exact maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl LatencyBlock {
    /// Of these times, none of which is an age that was cut off.
    pub fn of(times: &Times) -> LatencyBlock {
        block(times, 0)
    }
}

/// The latencies that were measured.
pub(super) fn latency(latencies: &Latencies) -> Latency {
    let censored = latencies.censored();
    Latency {
        response: block(latencies.response(), censored),
        service: block(latencies.service(), censored),
        lag: block(&latencies.lag(), 0),
    }
}

/// A distribution of times, of which so many are ages that were cut off.
pub(super) fn block(times: &Times, censored: u64) -> LatencyBlock {
    let ms = |span: Option<Span>| span.map(Span::as_millis_f64);
    let quantile = |q| ms(times.quantile(q));
    LatencyBlock {
        count: times.count(),
        censored,
        mean: times.mean_nanos().map(|nanos| nanos / 1e6),
        min: ms(times.min()),
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
        p999: quantile(0.999),
        max: ms(times.max()),
        ..LatencyBlock::default()
    }
}
