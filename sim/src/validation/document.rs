//! The document of a validation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calibration::CalibrationResult;
use crate::compare::{OutcomeResult, ToleranceResult};
use crate::result::{SpecIdentity, schema_of, to_json};
use crate::verdict::Status;

use super::objectives::ObjectiveResult;

/// The document's schema identifier.
pub const VALIDATION_SCHEMA: &str = "blis.validation/1";

/// How far the predictions of a model are from what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationResult {
    /// Always `blis.validation/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// The model.
    pub spec: SpecIdentity,
    /// What was varied: `rate`, `concurrency`, or a key of the spec.
    pub parameter: String,
    /// Its unit: `1/s`, `ms`, `B`; empty for plain numbers.
    pub unit: String,
    /// The level of the intervals: 0.95. Each is for its figure alone.
    pub level: f64,
    /// How many errors were tested; `more_than_chance` is corrected for it (Holm 1979).
    pub tests: u64,
    /// How long each run was not measured at its start, in seconds, and how long it was measured.
    pub warmup_s: f64,
    /// See `warmup_s`.
    pub measured_s: f64,
    /// Each load, in ascending order.
    pub loads: Vec<LoadValidation>,
    /// How the model was fitted before it predicted anything; absent where it is that of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationResult>,
    /// The largest throughput; absent where the loads did not reach it in either world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityResult>,
    /// Up to which load each objective on p50, p95 and p99 is met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveResult>,
    /// How far off the model is, where, and what it probably misses, in sentences.
    pub findings: Vec<String>,
    /// Whether all was tolerated; absent where nothing was said of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Status>,
    /// What keeps the runs from being trusted, in sentences: no validation with them passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<String>,
    /// What is to be kept in mind, in sentences: of the doubles that were measured, how late they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether it was ended before all runs were made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// A load that was predicted and measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadValidation {
    /// The load, in the unit of what was varied.
    pub load: f64,
    /// How many live runs were made of it.
    pub measured_runs: u64,
    /// How many simulated ones, each with random numbers of its own.
    pub predicted_runs: u64,
    /// Of all requests.
    pub figures: Vec<ErrorResult>,
    /// By action, where there are several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, Vec<ErrorResult>>,
    /// How requests ended, as shares; the live runs are the baseline.
    pub outcomes: Vec<OutcomeResult>,
    /// The load at which the model predicts the measured p95; absent where it predicts that at none of these loads, or the lines are
    /// too short there for it to depend on the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equal_latency: Option<EqualLatencyResult>,
    /// How figures stand to what was tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerances: Vec<ToleranceResult>,
    /// What is to be kept in mind of its runs, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A figure in both worlds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorResult {
    /// `throughput`, or of the response times `mean`, `p50`, `p95` or `p99`.
    pub name: String,
    /// `1/s` or `ms`.
    pub unit: String,
    /// The mean of the live runs; absent where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_ci95: Option<[f64; 2]>,
    /// The standard deviation between the live runs as a share of their mean; absent where there is one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// The mean of the simulated runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted_ci95: Option<[f64; 2]>,
    /// What is predicted less what was measured, as a share of the latter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ci95: Option<[f64; 2]>,
    /// How probable so large an error is by chance, for itself alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, with all that was tested at all loads; absent where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// The largest throughput over the loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityResult {
    /// The load at which the most was measured.
    pub measured_at: f64,
    /// Requests answered `ok` per second.
    pub measured: f64,
    /// Whether that is all that the system carries: `false` where it carried each of the loads, and may carry more.
    pub is_measured_reached: bool,
    /// The standard deviation between the live runs there as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// The load at which the most is predicted.
    pub predicted_at: f64,
    /// Requests answered `ok` per second.
    pub predicted: f64,
    /// Whether that is all that the model carries.
    pub is_predicted_reached: bool,
    /// What is predicted less what was measured, as a share of the latter.
    pub error: f64,
    /// Its interval; absent where one of them was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ci95: Option<[f64; 2]>,
}

/// Loads of equal latency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EqualLatencyResult {
    /// The load at which the model predicts the p95 that was measured at this one, between the loads that were simulated.
    pub predicted_load: f64,
    /// That less this load, as a share of this load.
    pub error: f64,
}

impl ValidationResult {
    /// The document, pretty-printed with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        to_json(self)
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn validation_json_schema() -> String {
    schema_of::<ValidationResult>()
}
