//! The document of a comparison.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tolerance::Standing;
use crate::result::SpecIdentity;
use crate::verdict::Status;

/// The document's schema identifier.
pub const COMPARE_SCHEMA: &str = "blis.compare/1";

/// How two runs, or two sets of runs, differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompareResult {
    /// Always `blis.compare/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// The level of the intervals: 0.95. Each is for its figure alone.
    pub level: f64,
    /// How probable it is at most that chance alone makes any difference `more_than_chance`: 0.05.
    pub alpha: f64,
    /// How many differences were tested; `more_than_chance` is corrected for it (Holm 1979).
    pub tests: u64,
    /// What is compared with.
    pub baseline: SideResult,
    /// What is compared.
    pub other: SideResult,
    /// Of all requests; absent where there is one action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<GroupResult>,
    /// By action, of those that both have.
    pub actions: BTreeMap<String, GroupResult>,
    /// The course of the first run of each side, in parts of equal length.
    pub course: Vec<CourseResult>,
    /// How figures stand to what was tolerated; absent where nothing was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerances: Vec<ToleranceResult>,
    /// Whether all was tolerated; absent where nothing was said of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Status>,
    /// What keeps the runs from being trusted, in sentences: no comparison of them passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<String>,
    /// What is to be kept in mind, in sentences.
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
    /// Its directory as it was named.
    pub name: String,
    /// `simulated`, `live` or `replayed`.
    pub mode: String,
    /// What was run.
    pub spec: SpecIdentity,
    /// Its seed.
    pub seed: u64,
    /// What ended its load.
    pub ended_by: String,
    /// How long its window is.
    pub measured_s: f64,
    /// Requests intended within the window.
    pub requests: u64,
    /// Whether there is a record of its requests, from which distributions are compared.
    pub recorded: bool,
}

/// How the requests of an action differ, or all requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupResult {
    /// `throughput`, and of the response times `mean`, `p50`, `p95` and `p99`.
    pub figures: Vec<FigureResult>,
    /// How requests ended, those ways that occur on either side, `ok` first.
    pub outcomes: Vec<OutcomeResult>,
    /// How far the response times of answered requests are apart; absent where a side has no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<DistributionResult>,
    /// How the requests differ that are in both; absent where a side has no record or several runs, or where they are not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairsResult>,
}

/// How requests differ that are in both runs: of the same client, with the same numbers, intended at the same instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairsResult {
    /// How many were answered `ok` in both.
    pub pairs: u64,
    /// How many were in the baseline alone.
    pub only_baseline: u64,
    /// How many were in the other side alone.
    pub only_other: u64,
    /// The mean of the other response time less that of the baseline.
    pub mean_ms: f64,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_ms_ci95: Option<[f64; 2]>,
    /// How probable so large a mean is by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, with all that is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// A figure of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FigureResult {
    /// Which.
    pub name: String,
    /// `1/s` or `ms`.
    pub unit: String,
    /// Of the baseline; absent where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Its interval, as all of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_ci95: Option<[f64; 2]>,
    /// Of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_ci95: Option<[f64; 2]>,
    /// The other side less the baseline, as a share of the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_ci95: Option<[f64; 2]>,
    /// How probable so large a difference is by chance, for itself alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, with all that is tested; absent where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
    /// Why its difference has no interval: the first run that gives none, and what that says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

/// How many requests of both sides ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeResult {
    /// `ok`, `app_error`, …
    pub outcome: String,
    /// Their share of the baseline's requests.
    pub baseline: f64,
    /// Their share of the other side's.
    pub other: f64,
    /// The other share less the baseline's.
    pub difference: f64,
    /// How probable so large a difference is by chance; absent where that cannot be told, and of `ok`, which is what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, with all that is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// How far two distributions are apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionResult {
    /// The largest difference of the shares of requests that are answered within a time.
    pub kolmogorov_smirnov: f64,
    /// By how many milliseconds response times have to be moved on average to become those of the other side.
    pub wasserstein_ms: f64,
    /// How probable so large a largest difference is by chance, found by dealing out blocks of time anew to both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether it is more than chance, with all that is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_chance: Option<bool>,
}

/// A part of the course of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CourseResult {
    /// When it starts, from the start of the load.
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

/// How a figure stands to what is tolerated of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToleranceResult {
    /// The action.
    pub of: String,
    /// The figure.
    pub figure: String,
    /// How far below the baseline it may be; absent for as far as it likes. Of `errors` a share of all requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// How far above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_ci95: Option<[f64; 2]>,
    /// How it stands.
    pub standing: Standing,
    /// How many times as long the runs would have to be to decide it, or how many times as many where there are several of each side;
    /// absent where it is decided, or where no length would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_longer: Option<f64>,
    /// Why nothing says how it stands: the first run that gives no interval, and what that says.
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
