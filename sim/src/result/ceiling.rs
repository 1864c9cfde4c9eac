//! The document of a search for a ceiling.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{ActionResult, RequestCounts, Run, ServiceResult, SignalResult, Window};
use super::constraints::Bottleneck;
use super::identity::SpecIdentity;
use super::latency::Latency;
use super::messages::StreamResult;
use crate::explain::QuantileExplained;
use crate::search::Trial;
use crate::spec::Setting;
use crate::verdict::Status;

/// The document's schema identifier.
pub const CEILING_SCHEMA: &str = "blis.ceiling/1";

/// The largest load that meets its objectives, or the smallest value of a key that carries a load, and the search for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CeilingResult {
    /// Always `blis.ceiling/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// The world of the trials: `simulated` or `live`.
    pub mode: String,
    /// The spec that was searched.
    pub spec: SpecIdentity,
    /// The seed of every draw.
    pub seed: u64,
    /// Values of the search by key of the spec, with the source of each.
    pub configuration: BTreeMap<String, Setting>,
    /// What was varied.
    pub varied: VariedResult,
    /// Whether the loads were searched, not given as steps.
    pub searched: bool,
    /// How the search ended.
    pub ended: CeilingEnd,
    /// Whether it was interrupted; then this is the state at that time.
    pub interrupted: bool,
    /// Without an answer: largest load that met its objectives so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Without an answer: smallest load that missed them so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// Answer; absent if no load passed, or the trials do not decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerResult>,
    /// Why not more, at the upper bound; why no load passed; or why there is no answer.
    pub next_limit: Vec<String>,
    /// All trials, in order.
    pub trials: Vec<TrialResult>,
    /// Bottleneck at the answer; absent if the inside of the system is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// Prediction of a simulation of the same spec before a live search; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<PredictionResult>,
    /// Ceilings for several limits of one objective (--tiers); the answer is for the loosest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<TiersResult>,
    /// Where slow requests spend their time at the answer: requests near the 99th percentile of one path, over all actions.
    /// Absent if the inside of the system is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<QuantileExplained>,
    /// Simulated changes and their gains, the largest first. For a live search, gains are relative to the predicted
    /// ceiling.
    pub remedies: Vec<RemedyResult>,
    /// Why no change was simulated; absent if some were, or none was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_remedies: Option<String>,
}

/// Prediction of a simulation of the same spec before a live search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionResult {
    /// Ceiling, in the unit of the varied quantity; absent if the simulation found none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// Its 95 % interval; absent if its time ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_ci95: Option<[f64; 2]>,
    /// Curve: all simulated loads, the smallest first.
    pub trials: Vec<PredictedResult>,
    /// Bottleneck of the model at its ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// Where slow requests of the model spend their time at its ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<QuantileExplained>,
}

/// Prediction of the model for a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictedResult {
    /// Load, in the unit of the varied quantity.
    pub load: f64,
    /// Number of simulated sample paths.
    pub paths: u64,
    /// Measured length of each, in seconds.
    pub measured_s: f64,
    /// Requests sent per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_rps: Option<f64>,
    /// Requests answered `ok` per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Objectives with their figures.
    pub signals: Vec<SignalResult>,
    /// Share of time that the workers of each service were busy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub utilisation: BTreeMap<String, f64>,
}

/// The varied quantity of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariedResult {
    /// `rate`, `concurrency`, or a key of the spec.
    pub parameter: String,
    /// The unit of its values: `1/s`, `ms`, `B`; empty for plain numbers.
    pub unit: String,
    /// Its value in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<f64>,
    /// Load at which a key was varied; absent if the load itself was varied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<LoadResult>,
}

/// A load in the load parameter of a spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadResult {
    /// `rate` or `concurrency`.
    pub parameter: String,
    /// Requests or sessions per second, or users.
    pub value: f64,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CeilingEnd {
    /// With an answer, and a higher load that missed its objectives.
    Ceiling,
    /// The end of the range still meets its objectives.
    EndOfRange,
    /// A load met its objectives; above it the generator was the limit.
    GeneratorLimited,
    /// No load passed, and some missed their objectives.
    NonePassed,
    /// The trials do not decide.
    Undecided,
}

/// The answer of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerResult {
    /// Varied quantity, as in `varied.parameter`.
    pub parameter: String,
    /// Largest value that meets the objectives; the smallest if more of it helps.
    pub value: f64,
    /// Its unit, as in `varied.unit`.
    pub unit: String,
    /// 95 % interval of the true value; absent with given steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_ci95: Option<[f64; 2]>,
    /// Measured requests answered `ok` per second there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps_ci95: Option<[f64; 2]>,
    /// Lower bound: the largest load that met its objectives below all that missed them; if more helps, the largest value
    /// that missed them. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Upper bound: the smallest load that missed its objectives; if more helps, the smallest value that met them. Absent
    /// if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// Values between which the objectives change from met by far to missed by far; absent without such a cliff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliff: Option<[f64; 2]>,
    /// Whether --precision was reached; absent without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precise: Option<bool>,
    /// Factor on the rate of every open client; absent if something else was varied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// Mean requests per second of the open clients at the answer, including sessions and shapes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_rps: Option<f64>,
    /// The largest of their rates over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rps: Option<f64>,
    /// Users of each closed client at the answer; absent if something else was varied.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, u64>,
    /// Consumers whose backlog grew at this load while no objective judges it: by how many messages per second.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub growing: BTreeMap<String, f64>,
}

/// A trial: one load and its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialResult {
    /// Load, in the unit of the varied quantity.
    pub load: f64,
    /// Number of simulated sample paths; 1 for a live trial.
    pub paths: u64,
    /// Requests sent per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_rps: Option<f64>,
    /// Requests answered `ok` per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Verdict.
    pub verdict: Status,
    /// Reasons, in sentences.
    pub reasons: Vec<String>,
    /// Number of further requests that would probably decide it; absent if it is decided, or requests alone do not decide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_needed: Option<u64>,
    /// Why the generator was the limit, in sentences; absent if it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generator_limits: Vec<String>,
    /// Counts for each objective.
    pub shares: Vec<ShareResult>,
    /// Objectives, judged as in a plain run.
    pub signals: Vec<SignalResult>,
    /// The measured window.
    pub window: Window,
    /// Requests of the whole trial.
    pub requests: RequestCounts,
    /// Latencies of the requests of the window.
    pub latency_ms: Latency,
    /// By action.
    pub actions: BTreeMap<String, ActionResult>,
    /// By service; absent if their inside is not measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceResult>,
    /// By stream; absent without streams.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamResult>,
    /// Prediction of the model for this load and the same length; absent for simulated trials, and without a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<PredictedResult>,
}

/// Counts for one objective in a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShareResult {
    /// Owner: `Action ask`.
    pub of: String,
    /// Short name: `p99`, `errors`.
    pub name: String,
    /// Number of samples.
    pub samples: u64,
    /// Number of them over the limit.
    pub over: u64,
    /// Share allowed over the limit.
    pub allowed: f64,
    /// Number of independent samples that they are worth; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_samples: Option<f64>,
}

/// Ceilings for several limits of one objective, from the same trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TiersResult {
    /// Objective: `p99`, or `p99 of ask` for one action.
    pub objective: String,
    /// The limits, the strictest first.
    pub limits: Vec<TierResult>,
    /// Geometric mean of their `max_rps`; absent if one of them is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geometric_mean_rps: Option<f64>,
}

/// The ceiling for one limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierResult {
    /// The limit, in milliseconds.
    pub limit_ms: f64,
    /// End of the search for it.
    pub ended: CeilingEnd,
    /// Ceiling, in the unit of the varied quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_ci95: Option<[f64; 2]>,
    /// Measured requests answered `ok` per second there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps: Option<f64>,
}

/// A change that may raise the ceiling, simulated on the same random numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyResult {
    /// The change, in words.
    pub what: String,
    /// The change as keys of the spec with their values, as `--set` takes them.
    pub changes: BTreeMap<String, String>,
    /// Whether it came from `--what-if`.
    pub asked: bool,
    /// Ceiling with it, in the unit of the varied quantity; absent if it was not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_ci95: Option<[f64; 2]>,
    /// Relative rise of the ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// Its 95 % interval, over pairs of the same random numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_ci95: Option<[f64; 2]>,
    /// Whether it helps: the interval of the gain is above 0.
    pub brings: bool,
    /// Bottleneck with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl TrialResult {
    /// A trial with the result of its run.
    pub fn of(trial: &Trial, run: &Run) -> TrialResult {
        let window = &run.window.requests;
        let sent = window.intended - window.dropped;
        let judged = &trial.judged;
        TrialResult {
            load: trial.load,
            paths: trial.paths,
            achieved_rps: (run.window.measured_s > 0.0)
                .then(|| sent as f64 / run.window.measured_s),
            throughput_rps: run.throughput_rps,
            verdict: judged.status,
            reasons: judged.reasons.clone(),
            more_needed: judged.more_needed,
            generator_limits: judged.generator_limits.clone(),
            shares: judged
                .shares
                .iter()
                .map(|share| ShareResult {
                    of: share.of.clone(),
                    name: share.name.clone(),
                    samples: share.samples,
                    over: share.over,
                    allowed: share.allowed,
                    effective_samples: share.effective,
                })
                .collect(),
            signals: run
                .verdict
                .as_ref()
                .map_or_else(Vec::new, |verdict| verdict.signals.clone()),
            window: run.window.clone(),
            requests: run.requests,
            latency_ms: run.latency_ms.clone(),
            actions: run.actions.clone(),
            services: run.services.clone(),
            streams: run.streams.clone(),
            predicted: None,
        }
    }

    /// Which of these trials stands for a load: where there are several of it the last one that passed or tripped, or else the
    /// last.
    pub fn at(trials: &[TrialResult], load: f64) -> Option<usize> {
        let decided =
            |trial: &TrialResult| trial.load == load && trial.verdict != Status::Inconclusive;
        let decided = trials.iter().rposition(decided);
        decided.or_else(|| trials.iter().rposition(|trial| trial.load == load))
    }

    /// What the model says, from a trial of it.
    pub fn as_predicted(self) -> PredictedResult {
        let services = self.services.into_iter();
        let busy = services.filter_map(|(name, service)| Some((name, service.utilisation?)));
        PredictedResult {
            load: self.load,
            paths: self.paths,
            measured_s: self.window.measured_s / self.paths.max(1) as f64,
            achieved_rps: self.achieved_rps,
            throughput_rps: self.throughput_rps,
            signals: self.signals,
            utilisation: busy.collect(),
        }
    }

    /// The objective nearest to its limit, or furthest beyond it.
    pub fn tightest(&self) -> Option<&SignalResult> {
        let share = |signal: &SignalResult| match (signal.measured, signal.limit) {
            (Some(measured), limit) if limit > 0.0 => measured / limit,
            _ => 0.0,
        };
        let signals = self.signals.iter();
        signals.max_by(|one, other| share(one).total_cmp(&share(other)))
    }

    /// The share of the requests sent that failed.
    pub fn error_share(&self) -> Option<f64> {
        let counts = &self.window.requests;
        let sent = counts.intended - counts.dropped;
        (sent > 0).then(|| (sent - counts.ok) as f64 / sent as f64)
    }
}

impl CeilingResult {
    /// Whether something else than the load is varied.
    pub fn is_of_a_key(&self) -> bool {
        self.varied.at.is_some()
    }

    /// The trial that stands for a load, as [`TrialResult::at`] chooses it.
    pub fn trial_at(&self, load: f64) -> Option<&TrialResult> {
        TrialResult::at(&self.trials, load).map(|at| &self.trials[at])
    }

    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        super::to_json(self)
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn ceiling_json_schema() -> String {
    super::schema_of::<CeilingResult>()
}
