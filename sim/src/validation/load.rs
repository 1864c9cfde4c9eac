//! The part of the document on one load: what was measured there, and what was predicted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compare::{OutcomeResult, ToleranceResult};

/// A load, predicted and measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadValidation {
    /// Load, in the unit of the varied quantity.
    pub load: f64,
    /// Number of live runs.
    pub measured_runs: u64,
    /// Number of simulated runs, with different random numbers.
    pub predicted_runs: u64,
    /// All requests.
    pub figures: Vec<ErrorResult>,
    /// By action, if there are several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, Vec<ErrorResult>>,
    /// Outcomes as shares; the live runs are the baseline.
    pub outcomes: Vec<OutcomeResult>,
    /// Load at which the model predicts the measured p95; absent if it predicts it at none of these loads, or if queues are too
    /// short there for the p95 to depend on the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equal_latency: Option<EqualLatencyResult>,
    /// Figures and their tolerances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerances: Vec<ToleranceResult>,
    /// Notes on its runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A figure, measured and predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorResult {
    /// `throughput`, or of the response times `mean`, `p50`, `p95` or `p99`.
    pub name: String,
    /// `1/s` or `ms`.
    pub unit: String,
    /// Mean of the live runs; absent if it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_ci95: Option<[f64; 2]>,
    /// Standard deviation between live runs as a share of their mean; absent with one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// Mean of the simulated runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted_ci95: Option<[f64; 2]>,
    /// (predicted - measured) / measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ci95: Option<[f64; 2]>,
    /// Probability of an error as large by chance, for this figure alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, corrected for all tests at all loads; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// Loads of equal latency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EqualLatencyResult {
    /// Load at which the model predicts the p95 that was measured at this load, between simulated loads.
    pub predicted_load: f64,
    /// (that load - this load) / this load.
    pub error: f64,
}
