//! The document of a validation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::LoadValidation;
use super::objectives::ObjectiveResult;
use crate::calibration::CalibrationResult;
use crate::result::{SpecIdentity, schema_of, to_json};
use crate::verdict::Status;

/// The document's schema identifier.
pub const VALIDATION_SCHEMA: &str = "blis.validation/1";

/// Predictions of a model compared with live runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationResult {
    /// Always `blis.validation/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// Spec of the model.
    pub spec: SpecIdentity,
    /// Varied quantity: `rate`, `concurrency`, or a key of the spec.
    pub parameter: String,
    /// Its unit: `1/s`, `ms`, `B`; empty for plain numbers.
    pub unit: String,
    /// Level of the intervals: 0.95, for each figure alone.
    pub level: f64,
    /// Number of tested errors; `more_than_chance` is corrected for it (Holm 1979).
    pub tests: u64,
    /// Warm-up and measured length of each run, in seconds.
    pub warmup_s: f64,
    /// See `warmup_s`.
    pub measured_s: f64,
    /// Loads, in ascending order.
    pub loads: Vec<LoadValidation>,
    /// Fit of the model before its predictions; absent if the model of the spec is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationResult>,
    /// Largest throughput; absent if neither measurement nor prediction reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityResult>,
    /// Largest load at which each objective on p50, p95 and p99 is met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveResult>,
    /// Findings: errors of the model, and what it probably lacks.
    pub findings: Vec<String>,
    /// Verdict on the tolerances; absent without tolerances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Status>,
    /// Why runs are not valid; then the validation does not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<String>,
    /// Notes, including the timing error of measured doubles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether it ended before all runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// The largest throughput over the loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityResult {
    /// Load of the largest measured throughput.
    pub measured_at: f64,
    /// Requests answered `ok` per second.
    pub measured: f64,
    /// Whether that is the capacity of the system; `false` if it carried all loads and may carry more.
    pub is_measured_reached: bool,
    /// Standard deviation between live runs there, as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// Load of the largest predicted throughput.
    pub predicted_at: f64,
    /// Requests answered `ok` per second.
    pub predicted: f64,
    /// Whether that is the capacity of the model.
    pub is_predicted_reached: bool,
    /// (predicted - measured) / measured.
    pub error: f64,
    /// Its interval; absent if one of them was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ci95: Option<[f64; 2]>,
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
