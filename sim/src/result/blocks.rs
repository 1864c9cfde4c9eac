//! The parts of the result document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::constraints::{Bottleneck, ConstraintResult};
use super::deliveries::DeliveryResult;
use super::identity::SpecIdentity;
use super::latency::{Latency, LatencyBlock};
use super::live::Live;
use super::manifest::Record;
use super::messages::{FanOutResult, StreamInterval, StreamResult};
use super::theory::Theory;
use crate::event::Outcome;
use crate::spec::Setting;
use crate::verdict::{Standing, Status};

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Always `blis.result/1`.
    pub schema: String,
    /// Version of blis that made it.
    pub blis_version: String,
    /// `simulated`, `live` or `replayed`.
    pub mode: String,
    /// Spec of the run.
    pub spec: SpecIdentity,
    /// Seed of all random draws.
    pub seed: u64,
    /// Values of the run by key of the spec, with the source of each.
    pub configuration: BTreeMap<String, Setting>,
    /// End of the load: `horizon`, `budget`, `idle` (no user had a request left), `interrupted`, or `decided` (a trial of a search ended early).
    pub ended_by: String,
    /// The measured window.
    pub window: Window,
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Tries after the first of a request; `requests` counts them, too.
    pub retries: u64,
    /// First replies that arrived after the client had given up.
    pub late_replies: u64,
    /// Replies to requests that already had a reply.
    #[serde(default)]
    pub duplicate_replies: u64,
    /// Sessions of the whole run.
    pub sessions: SessionCounts,
    /// Requests intended within the window, per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_rps: Option<f64>,
    /// Offered minus answered requests per second, without errors of the service and of the transport and without refusals:
    /// those that timed out, that `max_in_flight` dropped, and that still wait. Absent if answers keep up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub falling_behind_rps: Option<f64>,
    /// Requests answered `ok` within the window, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Its 95 % confidence interval, as all `_ci95` keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps_ci95: Option<[f64; 2]>,
    /// Latencies of the requests intended within the window.
    pub latency_ms: Latency,
    /// Source of the intervals, and reasons for absent ones.
    pub intervals: Intervals,
    /// Replications. Counts and simulated times are then sums over all of them; rates, means and quantiles are of all
    /// requests together. Absent for a single run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replications: Option<Replications>,
    /// By action.
    pub actions: BTreeMap<String, ActionResult>,
    /// By client.
    pub clients: BTreeMap<String, ClientResult>,
    /// By service.
    pub services: BTreeMap<String, ServiceResult>,
    /// By stream; absent without streams.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamResult>,
    /// By fan-out; absent without fan-outs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fan_outs: BTreeMap<String, FanOutResult>,
    /// Awaited deliveries by action; absent if none are awaited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deliveries: BTreeMap<String, DeliveryResult>,
    /// Bottleneck of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// All limits on requests per second, the tightest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<ConstraintResult>,
    /// Closed form for comparison with the simulation.
    pub theory: Theory,
    /// Figures over time; of replication 0 if there are several.
    pub series: Vec<Interval>,
    /// Verdict on the objectives; absent without objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictResult>,
    /// Events simulated: arrivals, wake-ups, completions, hops and timeouts. Absent for a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// Simulated time at the end of the run, including the drain. Absent for a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_s: Option<f64>,
    /// Data of a live run; absent for a simulated run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// Record of the requests on disk; absent if none is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// Parts of a result that this run does not measure; absent if it measures all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_measured: Vec<String>,
}

/// The measured window: from the end of the warm-up to the end of the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// When it starts.
    pub warmup_s: f64,
    /// How long it is.
    pub measured_s: f64,
    /// Requests intended within it.
    pub requests: RequestCounts,
    /// How the warm-up was found; absent if the spec or a flag gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_by: Option<FoundBy>,
}

/// The rule that found the end of the warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundBy {
    /// Always `mser-5`.
    pub rule: String,
    /// Whether there is a steady state: the rule found its start in the first half of the load of the pilot run, or of the
    /// part with constant arrival rates. Otherwise the warm-up is that half.
    pub steady_state: bool,
    /// Why there is none: response times do not settle, or the load changes until its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsteady: Option<String>,
    /// The seed of the pilot run.
    pub pilot_seed: u64,
    /// Number of response times of the pilot run that the rule used.
    pub pilot_responses: u64,
}

/// Source of the intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intervals {
    /// The level: 0.95.
    pub level: f64,
    /// `batch_means` within a single run, or `replications`.
    pub method: IntervalMethod,
    /// Number of batches or replications; 0 if a single run was too short for batches.
    pub samples: u64,
    /// Caution that applies to every interval, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
    /// Figures without an interval, by path in this document, with the reason: a word or two, a colon and a sentence.
    pub absent: BTreeMap<String, String>,
}

impl Intervals {
    /// The word for the reason why the figure at this place has no interval, if it has none.
    pub fn absence(&self, figure: &str) -> Option<&str> {
        let why = self.reason(figure)?;
        Some(why.split_once(':').map_or(why, |(word, _)| word))
    }

    /// The whole reason: a word or two, a colon and a sentence.
    pub fn reason(&self, figure: &str) -> Option<&str> {
        let group = || {
            let (block, name) = figure.rsplit_once('.')?;
            let is_quantile = name.starts_with('p');
            let of_all = self.absent.get(&format!("{block} quantiles"));
            of_all.filter(|_| is_quantile)
        };
        self.absent.get(figure).or_else(group).map(String::as_str)
    }
}

/// Method of the intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// From batches of one run.
    BatchMeans,
    /// From independent replications.
    Replications,
}

/// Several replications.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replications {
    /// How many.
    pub count: u64,
    /// Result of --precision; absent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<PrecisionResult>,
    /// Each, in order; the first is the plain run.
    pub each: Vec<Replication>,
}

/// Result of --precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionResult {
    /// Target: largest relative error of mean response and throughput.
    pub target: f64,
    /// Achieved relative error; absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achieved: Option<f64>,
    /// Whether the target was reached.
    pub reached: bool,
}

/// One replication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replication {
    /// Its seed; a plain run with it gives this replication.
    pub seed: u64,
    /// Answered `ok` within its window, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Mean response time of its window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_mean_ms: Option<f64>,
}

/// Requests and how they ended: `intended` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestCounts {
    /// Requests that users intended.
    pub intended: u64,
    /// Answered.
    pub ok: u64,
    /// The service replied with an error.
    pub app_error: u64,
    /// Refused by a full queue or by admission.
    pub rejected: u64,
    /// The client gave up waiting.
    pub timed_out: u64,
    /// There was no responder, or the connection broke.
    pub transport_error: u64,
    /// The generator did not send it.
    pub dropped: u64,
    /// Still in flight when the drain ended.
    pub unresolved: u64,
}

impl RequestCounts {
    /// How many ended so.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Ok => self.ok,
            Outcome::AppError => self.app_error,
            Outcome::Rejected => self.rejected,
            Outcome::TimedOut => self.timed_out,
            Outcome::TransportError => self.transport_error,
            Outcome::Dropped => self.dropped,
            Outcome::Unresolved => self.unresolved,
        }
    }
}

/// Sessions and how they ended: `started` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionCounts {
    /// Sessions whose first request was intended.
    pub started: u64,
    /// Its last round was answered.
    pub completed: u64,
    /// A request failed, including all retries.
    pub cancelled: u64,
    /// Its next request would be after the horizon, or a request was unresolved.
    pub horizon_interrupted: u64,
    /// The budget was used up before its next request.
    pub budget_exhausted: u64,
}

/// Figures of an action, over all clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionResult {
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests intended within the window.
    pub window_requests: RequestCounts,
    /// Answered `ok` within the window, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Its 95 % confidence interval, as all `_ci95` keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps_ci95: Option<[f64; 2]>,
    /// Latencies of the requests intended within the window.
    pub latency_ms: Latency,
    /// Times over all tries; absent without retries and without an `overall` objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<OverallResult>,
}

/// Requests as users see them: all tries of a request together. They end as the last try ends, or as `unresolved` if another
/// try was to follow when the run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverallResult {
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests whose first try was intended within the window.
    pub window_requests: RequestCounts,
    /// Mean number of tries of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_mean: Option<f64>,
    /// From the intended time of the first try to the end of the last one.
    pub response_ms: LatencyBlock,
}

/// Figures of a client, over all actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientResult {
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests intended within the window.
    pub window_requests: RequestCounts,
    /// Sessions of the whole run.
    pub sessions: SessionCounts,
    /// Answered `ok` within the window, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Its 95 % confidence interval, as all `_ci95` keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps_ci95: Option<[f64; 2]>,
    /// Latencies of the requests intended within the window.
    pub latency_ms: Latency,
}

/// Figures of a service within the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceResult {
    /// Workers of all members.
    pub workers: u64,
    /// Visits that it accepted.
    pub visits: u64,
    /// Visits that a full queue refused.
    pub rejected: u64,
    /// Visits that ended in an error: an injected one, or one of the steps during which they held a worker.
    pub errors: u64,
    /// Visits that left the queue because their clients had given up.
    pub left: u64,
    /// Visits that were stopped while running because their clients had given up.
    pub abandoned: u64,
    /// Share of time that the workers were busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation_ci95: Option<[f64; 2]>,
    /// Mean number of requests in its queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue_ci95: Option<[f64; 2]>,
    /// Maximum number of requests in its queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queue: Option<u64>,
    /// Waiting time of the visits that arrived within the window, including those that did not wait; censored are those
    /// that left the queue, or were in it when the run ended.
    pub wait_ms: LatencyBlock,
}

/// One interval of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// When it starts.
    pub start_s: f64,
    /// Length. The last one ends with the run, and is at most a tenth longer if the rest was too short for a separate
    /// interval.
    pub width_s: f64,
    /// Requests with intended times in it, and requests that ended in it.
    pub requests: RequestCounts,
    /// Requests in flight at its end: intended, sent or not, and not ended.
    pub in_flight: u64,
    /// Mean response time of the requests that ended in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_mean_ms: Option<f64>,
    /// Their median, to two significant digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_p50_ms: Option<f64>,
    /// Their 99th percentile, to two significant digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_p99_ms: Option<f64>,
    /// By service.
    pub services: BTreeMap<String, ServiceInterval>,
    /// By stream; absent without streams.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamInterval>,
}

/// Figures of a service in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceInterval {
    /// Share of time that the workers were busy.
    pub utilisation: f64,
    /// Mean number of requests in its queues.
    pub mean_queue: f64,
}

/// Verdict on the objectives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictResult {
    /// The answer.
    pub status: Status,
    /// Reasons; empty for a pass.
    pub reasons: Vec<String>,
    /// Number of further requests, all in time, that would decide an inconclusive verdict. Absent otherwise, and if requests
    /// alone do not decide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_needed: Option<u64>,
    /// All objectives with their figures.
    pub signals: Vec<SignalResult>,
}

/// An objective with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignalResult {
    /// Owner: `Action ask`, `Consumer audit/indexer`, `Action say, last delivery`.
    pub of: String,
    /// Name: `p99`, `errors`, `missing`, `backlog growth`, `growth`.
    pub name: String,
    /// Standing.
    pub standing: Standing,
    /// Limit: milliseconds for a quantile, a share for errors and missing deliveries, messages per second for the growth
    /// of a backlog; 0 for `growth`, which is a test.
    pub limit: f64,
    /// Measured value, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Number of samples; messages for `growth`.
    pub samples: u64,
    /// Number of samples needed.
    pub needed: u64,
    /// Failed requests, or missing deliveries, which count as over the limit. Absent if a separate limit judges them, and
    /// for the growth of a backlog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Other requests over the limit of a quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<u64>,
    /// Number allowed over the limit, including failed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<u64>,
    /// Share of samples over the limit, including failed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_over: Option<f64>,
    /// Its 95 % interval (Clopper and Pearson), for as many requests as these are worth independent ones; absent where the parts of
    /// the run do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_over_ci95: Option<[f64; 2]>,
    /// Number of further requests, all in time, that would decide it; only if it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_needed: Option<u64>,
    /// Standing, in a sentence.
    #[serde(default)]
    pub summary: String,
}
