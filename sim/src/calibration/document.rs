//! The document of a calibration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::result::{SpecIdentity, schema_of, to_json};

/// The document's schema identifier.
pub const CALIBRATION_SCHEMA: &str = "blis.calibration/1";

/// A model fitted to runs, and what the runs determine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationResult {
    /// Always `blis.calibration/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// Fitted spec.
    pub spec: SpecIdentity,
    /// Level of the intervals: 0.95, for each number alone.
    pub level: f64,
    /// Goodness of fit over all runs.
    pub goodness: GoodnessResult,
    /// Fitted numbers.
    pub numbers: Vec<NumberResult>,
    /// Choices: workers and families.
    pub choices: Vec<ChoiceResult>,
    /// Derived numbers: `capacity`, `unloaded_response`.
    pub follows: Vec<NumberResult>,
    /// Structures that were fitted in full, the best first.
    pub explanations: Vec<ExplanationResult>,
    /// Runs with their fitted figures.
    pub runs: Vec<RunCalibration>,
    /// Loads worth measuring next, the most useful first; only with --plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_loads: Vec<NextLoadResult>,
    /// Available sources of data, and whether they were used.
    pub sources: Vec<SourceResult>,
    /// Findings: what the runs determine, what they do not, and what would.
    pub findings: Vec<String>,
    /// Notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A source of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceResult {
    /// Name: `response times`, `$SRV.STATS`, `headers of replies`, `consumers`.
    pub name: String,
    /// Whether it was used.
    pub used: bool,
    /// Its content, in words.
    pub says: String,
}

/// Goodness of fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoodnessResult {
    /// Sum of squared differences in standard deviations: chi-square if the model is right.
    pub chi_square: f64,
    /// Degrees of freedom: figures minus fitted numbers.
    pub freedom: u64,
    /// Probability of a sum as large if the model is right.
    pub p: f64,
}

/// A fitted or derived number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NumberResult {
    /// Key in the spec, or name.
    pub name: String,
    /// Its unit: `ms`, `1/s`; empty for plain numbers.
    pub unit: String,
    /// The value of the best structure.
    pub value: f64,
    /// Interval over all equally good structures.
    pub ci95: [f64; 2],
    /// Whether the runs determine it: half-width at most half of the value, or for `network.one_way` at most 5 % of the
    /// shortest response time.
    pub told: bool,
    /// Numbers with which the runs determine it only together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tied_to: Vec<String>,
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChoiceResult {
    /// Name: `services.api.workers`, `services.api.time`.
    pub name: String,
    /// The choice of the best structure.
    pub value: String,
    /// All equally good choices; with `or more` if the largest tried is one of them.
    pub as_good: Vec<String>,
}

/// A structure with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplanationResult {
    /// The `--set` values that make it.
    pub set: Vec<String>,
    /// Sum of squared differences in standard deviations, its own if it is near the best.
    pub chi_square: f64,
    /// Criterion, smallest is best: the sum, plus the logarithm of the number of figures for each fitted number (Schwarz), plus
    /// the log-determinant of the covariance relative to the best structure.
    pub criterion: f64,
    /// Whether it is as good as the best one.
    pub as_good: bool,
}

/// A run and its fitted figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunCalibration {
    /// Its directory.
    pub name: String,
    /// Intended requests per second of the window.
    pub offered_rps: f64,
    /// Closed-loop users; absent without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Requests of the window.
    pub requests: u64,
    /// Share of them that was not answered.
    pub failed: f64,
    /// Goodness of fit of this run.
    pub goodness: GoodnessResult,
    /// Figures.
    pub figures: Vec<FitResult>,
}

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FitResult {
    /// The action.
    pub action: String,
    /// `mean`, or a quantile: `p95`.
    pub name: String,
    /// Measured value, in milliseconds.
    pub measured_ms: f64,
    /// Fitted value.
    pub fitted_ms: f64,
    /// (fitted - measured) in standard deviations.
    pub off_sd: f64,
    /// Value of a model fitted to the other runs; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_ms: Option<f64>,
    /// Its difference from the measured value in standard deviations, including those of the fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_off_sd: Option<f64>,
}

/// A load worth measuring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NextLoadResult {
    /// Requests per second, or users of closed clients.
    pub load: f64,
    /// The unit of the load: `1/s`; empty for users.
    pub unit: String,
    /// Distance of the two best structures in a run there, in standard deviations (root of the sum of squares); absent if no
    /// other structure is equally good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<f64>,
    /// The least certain number after a run there, and its relative half-width.
    pub worst: String,
    /// See `worst`.
    pub half_width: f64,
}

impl CalibrationResult {
    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        to_json(self)
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn calibration_json_schema() -> String {
    schema_of::<CalibrationResult>()
}
