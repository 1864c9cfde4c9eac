//! The document of a comparison.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tolerance::Standing;
use crate::result::SpecIdentity;
use crate::verdict::Status;

/// The document's schema identifier.
pub const COMPARE_SCHEMA: &str = "blis.compare/1";

/// The difference of two runs, or of two sets of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompareResult {
    /// Always `blis.compare/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// Level of the intervals: 0.95, for each figure alone.
    pub level: f64,
    /// Largest probability that chance alone makes any difference `more_than_chance`: 0.05.
    pub alpha: f64,
    /// Number of tested differences; `more_than_chance` is corrected for it (Holm 1979).
    pub tests: u64,
    /// Baseline.
    pub baseline: SideResult,
    /// Other side.
    pub other: SideResult,
    /// All requests; absent with a single action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<GroupResult>,
    /// By action, for actions of both sides.
    pub actions: BTreeMap<String, GroupResult>,
    /// The first run of each side over time, in parts of equal length.
    pub course: Vec<CourseResult>,
    /// Figures and their tolerances; absent without tolerances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerances: Vec<ToleranceResult>,
    /// Verdict on the tolerances; absent without tolerances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Status>,
    /// Why the runs are not valid; then the comparison does not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<String>,
    /// Notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One of the two sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideResult {
    /// Its runs.
    pub runs: Vec<ComparedRun>,
}

/// A run that is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedRun {
    /// Its directory, as given.
    pub name: String,
    /// `simulated`, `live` or `replayed`.
    pub mode: String,
    /// Identity of the spec.
    pub spec: SpecIdentity,
    /// Its seed.
    pub seed: u64,
    /// End of its load.
    pub ended_by: String,
    /// Length of its window.
    pub measured_s: f64,
    /// Requests intended within the window.
    pub requests: u64,
    /// Whether it has a record of requests, to compare distributions.
    pub recorded: bool,
}

/// The differences of an action, or of all requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupResult {
    /// `throughput`, and of the response times `mean`, `p50`, `p95` and `p99`.
    pub figures: Vec<FigureResult>,
    /// Outcomes that occur on either side, `ok` first.
    pub outcomes: Vec<OutcomeResult>,
    /// Distance of the response times of answered requests; absent if a side has no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<DistributionResult>,
    /// Differences of requests that are in both; absent if a side has no record or several runs, or if requests differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairsResult>,
}

/// Differences of requests in both runs: of the same client, with the same numbers and intended time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairsResult {
    /// Requests answered `ok` in both.
    pub pairs: u64,
    /// Requests answered `ok` only in the baseline.
    pub only_baseline: u64,
    /// Requests answered `ok` only in the other side.
    pub only_other: u64,
    /// Mean of the other response time minus that of the baseline.
    pub mean_ms: f64,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_ms_ci95: Option<[f64; 2]>,
    /// Probability of a mean as large by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, corrected for all tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// A figure of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FigureResult {
    /// Name.
    pub name: String,
    /// `1/s` or `ms`.
    pub unit: String,
    /// Value of the baseline; absent if it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Its 95 % confidence interval, as all `_ci95` keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_ci95: Option<[f64; 2]>,
    /// Value of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_ci95: Option<[f64; 2]>,
    /// (other - baseline) / baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_ci95: Option<[f64; 2]>,
    /// Probability of a difference as large by chance, for this figure alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, corrected for all tests; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
    /// Why its difference has no interval: the first run without one, and its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

/// The share of an outcome on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeResult {
    /// `ok`, `app_error`, …
    pub outcome: String,
    /// Share of the requests of the baseline.
    pub baseline: f64,
    /// Share of the requests of the other side.
    pub other: f64,
    /// Other share minus baseline share.
    pub difference: f64,
    /// Probability of a difference as large by chance; absent if it is not known, and for `ok`, which is the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, corrected for all tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// The distance of two distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionResult {
    /// Kolmogorov-Smirnov distance: largest difference of the shares of requests answered within a time.
    pub kolmogorov_smirnov: f64,
    /// Wasserstein distance: mean shift in milliseconds between the two distributions.
    pub wasserstein_ms: f64,
    /// Probability of a distance as large by chance, from permutations of blocks of time between both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, corrected for all tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// A part of both sides over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CourseResult {
    /// Start, from the start of the load.
    pub start_s: f64,
    /// How long it is.
    pub width_s: f64,
    /// Answered `ok` per second, of the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_rps: Option<f64>,
    /// The same of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_rps: Option<f64>,
    /// Mean response time of what was answered, of the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_mean_ms: Option<f64>,
    /// The same of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_mean_ms: Option<f64>,
}

/// A figure and its tolerance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToleranceResult {
    /// The action.
    pub of: String,
    /// The figure.
    pub figure: String,
    /// Largest tolerated fall below the baseline; absent if not limited. For `errors`, a share of all requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Largest tolerated rise above the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_ci95: Option<[f64; 2]>,
    /// Standing.
    pub standing: Standing,
    /// Factor on the length of the runs, or on their number if each side has several, that would decide it; absent if it is
    /// decided, or if no length would decide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_longer: Option<f64>,
    /// Why it is undecided: the first run without an interval, and its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl CompareResult {
    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        crate::result::to_json(self)
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn compare_json_schema() -> String {
    crate::result::schema_of::<CompareResult>()
}
