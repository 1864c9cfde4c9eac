//! The document of a search for a ceiling.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{
    ActionResult, Latency, RequestCounts, Run, ServiceResult, SignalResult, SpecIdentity, Window,
};
use super::constraints::Bottleneck;
use super::messages::StreamResult;
use crate::explain::QuantileExplained;
use crate::search::Trial;
use crate::spec::Setting;
use crate::verdict::Status;

/// The document's schema identifier.
pub const CEILING_SCHEMA: &str = "blis.ceiling/1";

/// The largest load that keeps its objectives, or the least of a key that carries a load, and how that was found.
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
    /// The values that decided the search, by their keys in the spec, and where each came from.
    pub configuration: BTreeMap<String, Setting>,
    /// What was varied.
    pub varied: VariedResult,
    /// Whether the loads were searched; otherwise they were given as steps.
    pub searched: bool,
    /// How the search ended.
    pub ended: CeilingEnd,
    /// Whether it was interrupted: then this is what was known by then.
    pub interrupted: bool,
    /// Without an answer, the largest load that kept its objectives as far as the search came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Without an answer, the smallest load that missed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// The answer; absent when nothing passed, or the evidence does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerResult>,
    /// Why no more, at the upper bound; why nothing passed; or why there is no answer.
    pub next_limit: Vec<String>,
    /// Every trial, in the order in which they ran.
    pub trials: Vec<TrialResult>,
    /// What limits the system at the answer; absent where nothing is known of its inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// What a simulation of the same spec predicted before a live search; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<PredictionResult>,
    /// Ceilings for several limits of one objective; absent unless that was asked for. The answer is that of the loosest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<TiersResult>,
    /// Where the time of slow requests goes at the answer: those about the 99th percentile of one path, over all actions.
    /// Absent where nothing is known of the inside of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<QuantileExplained>,
    /// What would raise the ceiling, by how much, as simulated; the largest gain first. Those of a live search are gains over
    /// the ceiling that was predicted.
    pub remedies: Vec<RemedyResult>,
    /// Why none was simulated, in a sentence; absent where some were, or none was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_remedies: Option<String>,
}

/// What a simulation of the same spec predicted before a live search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionResult {
    /// The ceiling, in the unit of what was varied; absent where the simulation found none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// Its 95 % interval; absent where the time for it was up before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_ci95: Option<[f64; 2]>,
    /// The curve: every load that was simulated, the smallest first.
    pub trials: Vec<PredictedResult>,
    /// What limits the model at its ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// Where the time of slow requests goes in the model at its ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<QuantileExplained>,
}

/// What the model says of a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictedResult {
    /// The load, in the unit of what was varied.
    pub load: f64,
    /// Along how many sample paths it was simulated.
    pub paths: u64,
    /// How long each of them was measured, in seconds.
    pub measured_s: f64,
    /// Requests sent per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_rps: Option<f64>,
    /// Requests answered `ok` per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// The objectives, with what was measured of each.
    pub signals: Vec<SignalResult>,
    /// The share of the time that the workers of each service were busy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub utilisation: BTreeMap<String, f64>,
}

/// What a search varied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariedResult {
    /// `rate`, `concurrency`, or a key of the spec.
    pub parameter: String,
    /// The unit of its values: `1/s`, `ms`, `B`; empty for plain numbers.
    pub unit: String,
    /// Its value as the spec is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<f64>,
    /// The load at which a key was varied; absent where the load itself was.
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
    /// With an answer, and a load beyond it that missed its objectives.
    Ceiling,
    /// With a load that keeps its objectives at the end of the range.
    EndOfRange,
    /// With a load that keeps its objectives, beyond which the generator was the limit.
    GeneratorLimited,
    /// Nothing passed, and something missed its objectives.
    NonePassed,
    /// The evidence does not say.
    Undecided,
}

/// The answer of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerResult {
    /// What was varied, as `varied.parameter` has it.
    pub parameter: String,
    /// The largest value of it that keeps the objectives; the least where more of it helps.
    pub value: f64,
    /// Its unit, as `varied.unit` has it.
    pub unit: String,
    /// The 95 % interval of the true one; absent where there is none, as with given steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_ci95: Option<[f64; 2]>,
    /// Requests answered `ok` per second there, as measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps_ci95: Option<[f64; 2]>,
    /// The smaller of the two bounds: the largest load that kept its objectives below all that missed them; where more helps,
    /// the largest value that missed them. Absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The larger of the two bounds: the smallest load that missed its objectives; where more helps, the least value that
    /// kept them. Absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// The values between which objectives that are kept by far are missed by far; absent where that is no cliff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliff: Option<[f64; 2]>,
    /// Whether the wanted precision was reached; absent where none was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precise: Option<bool>,
    /// By what the rate of every open client is multiplied; absent where something else was varied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// Mean requests per second of the open clients at the answer, sessions and shapes included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_rps: Option<f64>,
    /// The largest of their rates over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rps: Option<f64>,
    /// How many users each closed client has at the answer; absent where something else was varied.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, u64>,
}

/// One load that was tried, and what was measured there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialResult {
    /// The load, in the unit of what was varied.
    pub load: f64,
    /// Along how many sample paths it was simulated; 1 for a live trial.
    pub paths: u64,
    /// Requests sent per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_rps: Option<f64>,
    /// Requests answered `ok` per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// How it was judged.
    pub verdict: Status,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// How many more requests would probably decide it; absent where it is decided, or requests alone would not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_needed: Option<u64>,
    /// Why the generator was the limit, in sentences; absent where it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generator_limits: Vec<String>,
    /// What was counted against each objective.
    pub shares: Vec<ShareResult>,
    /// The objectives as a plain run is judged by them.
    pub signals: Vec<SignalResult>,
    /// The measured window.
    pub window: Window,
    /// Requests of the whole trial.
    pub requests: RequestCounts,
    /// Latencies of the requests of the window.
    pub latency_ms: Latency,
    /// By action.
    pub actions: BTreeMap<String, ActionResult>,
    /// By service; absent where their inside is not measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceResult>,
    /// By stream; absent where there is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamResult>,
    /// What the model says of this load, run for as long as the trial was; absent of simulated trials, and where there is no
    /// model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<PredictedResult>,
}

/// What was counted against one objective in a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShareResult {
    /// Whose objective it is: `Action ask`.
    pub of: String,
    /// Its short name: `p99`, `errors`.
    pub name: String,
    /// How many were judged.
    pub samples: u64,
    /// How many of them were over the limit.
    pub over: u64,
    /// The share that may be.
    pub allowed: f64,
    /// How many independent samples these are worth; absent where that could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_samples: Option<f64>,
}

/// Ceilings for several limits of one objective, from the same trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TiersResult {
    /// What is limited: `p99`, or `p99 of ask` where it is one action's.
    pub objective: String,
    /// The limits, the strictest first.
    pub limits: Vec<TierResult>,
    /// The geometric mean of their `max_rps`; absent where one of them is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geometric_mean_rps: Option<f64>,
}

/// The ceiling for one limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierResult {
    /// The limit, in milliseconds.
    pub limit_ms: f64,
    /// How the search for it ended.
    pub ended: CeilingEnd,
    /// The ceiling, in the unit of what was varied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_ci95: Option<[f64; 2]>,
    /// Requests answered `ok` per second there, as measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps: Option<f64>,
}

/// What would raise the ceiling, as simulated on the same random numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyResult {
    /// What is changed, in words.
    pub what: String,
    /// The change as keys of the spec with their values, as `--set` takes them.
    pub changes: BTreeMap<String, String>,
    /// Whether the user named it with `--what-if`.
    pub asked: bool,
    /// The ceiling with it, in the unit of what was varied; absent where it could not be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_ci95: Option<[f64; 2]>,
    /// By what share the ceiling rises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// Its 95 % interval, over pairs of the same random numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_ci95: Option<[f64; 2]>,
    /// Whether it brings anything: the interval of the gain lies above none.
    pub brings: bool,
    /// What limits the system with it.
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

    /// The objective that is the nearest to its limit, or the furthest beyond it.
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
