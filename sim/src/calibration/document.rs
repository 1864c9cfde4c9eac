//! The document of a calibration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::result::{SpecIdentity, schema_of, to_json};

/// The document's schema identifier.
pub const CALIBRATION_SCHEMA: &str = "blis.calibration/1";

/// A model fitted to runs, and what the runs tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationResult {
    /// Always `blis.calibration/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// The spec whose model was fitted.
    pub spec: SpecIdentity,
    /// The level of the intervals: 0.95. Each is for its number alone.
    pub level: f64,
    /// How well the fitted model explains all runs.
    pub goodness: GoodnessResult,
    /// The numbers that were fitted.
    pub numbers: Vec<NumberResult>,
    /// What was chosen: workers and families.
    pub choices: Vec<ChoiceResult>,
    /// What follows from the numbers: `capacity`, `unloaded_response`.
    pub follows: Vec<NumberResult>,
    /// The structures that were fitted finely, the best one first.
    pub explanations: Vec<ExplanationResult>,
    /// The runs, and how well each is explained.
    pub runs: Vec<RunCalibration>,
    /// Loads worth measuring next, the one that tells most first; only where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_loads: Vec<NextLoadResult>,
    /// What the model could have been fitted to, and whether it was.
    pub sources: Vec<SourceResult>,
    /// What the runs tell, what they do not, and what would, in sentences.
    pub findings: Vec<String>,
    /// What is to be kept in mind, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a model could be fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceResult {
    /// What it is: `response times`, `$SRV.STATS`, `headers of replies`, `consumers`.
    pub name: String,
    /// Whether the model was fitted to it.
    pub used: bool,
    /// What it says, in words.
    pub says: String,
}

/// How far what was measured is from what the fitted model has, beside chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoodnessResult {
    /// The sum of squared differences, each by its own chance: chi-square where the model is right.
    pub chi_square: f64,
    /// Its degrees of freedom: figures less fitted numbers.
    pub freedom: u64,
    /// How probable a sum as large is where the model is right.
    pub p: f64,
}

/// A number that was fitted, or that follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NumberResult {
    /// Its key in the spec, or what it is.
    pub name: String,
    /// Its unit: `ms`, `1/s`; empty for plain numbers.
    pub unit: String,
    /// The value of the best structure.
    pub value: f64,
    /// The interval over all structures that explain the runs as well.
    pub ci95: [f64; 2],
    /// Whether the runs tell it: half of the interval is at most half of the value, or of `network.one_way` at most 5 % of the shortest
    /// response.
    pub told: bool,
    /// Numbers with which the runs tell it together alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tied_to: Vec<String>,
}

/// Something that was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChoiceResult {
    /// What: `services.api.workers`, `services.api.time`.
    pub name: String,
    /// The choice of the best structure.
    pub value: String,
    /// All choices that were tried and explain the runs as well; `or more` where the largest that was tried is one of them.
    pub as_good: Vec<String>,
}

/// A structure with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplanationResult {
    /// What `--set` makes the spec it.
    pub set: Vec<String>,
    /// Its sum of squared differences, by its own chance where it is near the best one.
    pub chi_square: f64,
    /// The least one is best: the sum, the logarithm of the number of figures for each fitted number (Schwarz), and how much larger the
    /// logarithm of the determinant of the structure's covariance is than that of the best one.
    pub criterion: f64,
    /// Whether it explains the runs as well as the best one.
    pub as_good: bool,
}

/// A run, and how well it is explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunCalibration {
    /// Its directory.
    pub name: String,
    /// Requests per second that were intended within the window.
    pub offered_rps: f64,
    /// Users who wait for answers; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Requests of the window.
    pub requests: u64,
    /// The share of them that was not answered.
    pub failed: f64,
    /// How well it is explained.
    pub goodness: GoodnessResult,
    /// What was looked at.
    pub figures: Vec<FitResult>,
}

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FitResult {
    /// The action.
    pub action: String,
    /// `mean`, or a quantile: `p95`.
    pub name: String,
    /// What was measured, in milliseconds.
    pub measured_ms: f64,
    /// What the fitted model has.
    pub fitted_ms: f64,
    /// By how many standard deviations that is more than what was measured.
    pub off_sd: f64,
    /// What a model has that was fitted to the other runs alone; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_ms: Option<f64>,
    /// By how many standard deviations, those of the fit included, that is more than what was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_off_sd: Option<f64>,
}

/// A load that would tell more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NextLoadResult {
    /// Requests per second, or users where clients wait for answers.
    pub load: f64,
    /// The unit of the load: `1/s`; empty for users.
    pub unit: String,
    /// How far the two best structures are apart in a run there, as the root of the sum of squares; absent where no other
    /// structure explains the runs as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<f64>,
    /// The number that is told worst, and half of its interval as a share of it, with a run there.
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
