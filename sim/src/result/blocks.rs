//! The parts of the result document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::constraints::{Bottleneck, ConstraintResult};
use super::deliveries::DeliveryResult;
use super::live::Live;
use super::manifest::Record;
use super::messages::{FanOutResult, StreamInterval, StreamResult};
use crate::event::Outcome;
use crate::model::Fitted;
use crate::spec::Setting;
use crate::verdict::{Standing, Status};

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Always `blis.result/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// `simulated`, `live` or `replayed`.
    pub mode: String,
    /// The spec that was run.
    pub spec: SpecIdentity,
    /// The seed of every draw.
    pub seed: u64,
    /// The values that decided the run, by their keys in the spec, and where each came from.
    pub configuration: BTreeMap<String, Setting>,
    /// What ended the load: `horizon`, `budget`, `idle` (nobody had anything left to send), `interrupted`, or `decided` (a trial of a search ended early).
    pub ended_by: String,
    /// The measured window.
    pub window: Window,
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests that were tries after the first; they are counted in `requests` too.
    pub retries: u64,
    /// First replies that came after their requests had ended without one: their clients had given up.
    pub late_replies: u64,
    /// Replies to requests that had one before.
    #[serde(default)]
    pub duplicate_replies: u64,
    /// Sessions of the whole run.
    pub sessions: SessionCounts,
    /// Requests intended within the window, per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_rps: Option<f64>,
    /// By how many requests per second the answers fall behind what is offered, errors of the service and of the transport
    /// aside; absent where they keep up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub falling_behind_rps: Option<f64>,
    /// Requests answered `ok` within the window, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Its 95 % confidence interval, as all of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps_ci95: Option<[f64; 2]>,
    /// Latencies of the requests intended within the window.
    pub latency_ms: Latency,
    /// Where the intervals come from, and why some are absent.
    pub intervals: Intervals,
    /// What there is to say of several replications: then counts and simulated times are sums over all of them, and
    /// rates, means and quantiles those of all their requests together. Absent for a single run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replications: Option<Replications>,
    /// By action.
    pub actions: BTreeMap<String, ActionResult>,
    /// By client.
    pub clients: BTreeMap<String, ClientResult>,
    /// By service.
    pub services: BTreeMap<String, ServiceResult>,
    /// By stream; absent when there is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamResult>,
    /// By fan-out; absent when there is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fan_outs: BTreeMap<String, FanOutResult>,
    /// Deliveries that requests await, by action; absent where none do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deliveries: BTreeMap<String, DeliveryResult>,
    /// What limits the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// Everything that limits how many requests per second there can be, the tightest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<ConstraintResult>,
    /// The closed form beside the simulation.
    pub theory: Theory,
    /// The course of the run; of replication 0 where there are several.
    pub series: Vec<Interval>,
    /// Whether promises were kept; absent when none were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictResult>,
    /// Events simulated: arrivals, wake-ups, completions, hops and timeouts. Absent for a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// The simulated time at the end of the run, the drain included. Absent for a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_s: Option<f64>,
    /// What only a live run has; absent for a simulated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// What is on disk of the run, request by request; absent when nothing was to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// Parts of a result that this run does not measure; absent where it measures all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_measured: Vec<String>,
}

/// Which spec was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpecIdentity {
    /// The name it gives itself.
    pub name: String,
    /// SHA-256 of its text, before flags.
    pub sha256: String,
    /// SHA-256 of its text with defaults and flags in place, which is what was run.
    pub resolved_sha256: String,
    /// SHA-256 of each file that the resolved spec refers to, by its path there; absent when there is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Where the model comes from; absent where it was not fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<Fitted>,
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
    /// How the warm-up was found; absent where the spec or a flag gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_by: Option<FoundBy>,
}

/// The rule that found the end of the warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundBy {
    /// Always `mser-5`.
    pub rule: String,
    /// Whether there is a steady state: the rule found its start in the first half of the pilot's load, or of what is
    /// left of it once the arrival rates are level. Otherwise the warm-up is that half.
    pub steady_state: bool,
    /// Why there is none: response times do not settle, or the spec changes the load until its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsteady: Option<String>,
    /// The seed of the pilot run.
    pub pilot_seed: u64,
    /// Response times of the pilot run that the rule looked at.
    pub pilot_responses: u64,
}

/// Where the intervals come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intervals {
    /// The level: 0.95.
    pub level: f64,
    /// `batch_means` within a single run, or `replications`.
    pub method: IntervalMethod,
    /// How many batches or replications; 0 where a single run was too short for batches.
    pub samples: u64,
    /// What is to be kept in mind with every interval, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
    /// Figures that have no interval, by their place in this document, and why: a word, a colon and a sentence.
    pub absent: BTreeMap<String, String>,
}

impl Intervals {
    /// In a word why the figure at this place has no interval, if it has none.
    pub fn absence(&self, figure: &str) -> Option<&str> {
        let why = self.reason(figure)?;
        Some(why.split_once(':').map_or(why, |(word, _)| word))
    }

    /// The same in full: a word, a colon and a sentence.
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

/// How intervals are made.
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
    /// What came of the wanted precision; absent where none was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<PrecisionResult>,
    /// Each, in order; the first is the plain run.
    pub each: Vec<Replication>,
}

/// What came of a wanted precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionResult {
    /// By how large a share of the true value mean response and throughput may be off.
    pub target: f64,
    /// By how large a share they may be off now; absent where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achieved: Option<f64>,
    /// Whether that is enough.
    pub reached: bool,
}

/// One replication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replication {
    /// Its seed: a plain run with it is this replication.
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
    /// The service answered with an error.
    pub app_error: u64,
    /// Refused by a full queue or by admission.
    pub rejected: u64,
    /// The client gave up waiting.
    pub timed_out: u64,
    /// Nobody there to answer, or the connection broke.
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
    /// A request of it failed for good.
    pub cancelled: u64,
    /// Its next request would fall after the horizon, or a request of it was unresolved.
    pub horizon_interrupted: u64,
    /// The budget was used up before its next request.
    pub budget_exhausted: u64,
}

/// The three latencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Intended to done: what the user waits, and what objectives are about.
    pub response: LatencyBlock,
    /// Sent to done.
    pub service: LatencyBlock,
    /// Intended to sent: how late the generator was.
    pub lag: LatencyBlock,
}

/// One distribution of times, in milliseconds; figures are absent when it is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyBlock {
    /// How many times it holds: `ok`, and `timed_out` and `unresolved` at the age they had reached.
    pub count: u64,
    /// How many of them are such ages.
    pub censored: u64,
    /// Exact mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Interval of the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_ci95: Option<[f64; 2]>,
    /// Exact minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Median, to three significant digits as the other quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// Interval of the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ci95: Option<[f64; 2]>,
    /// 90th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// Interval of the 90th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_ci95: Option<[f64; 2]>,
    /// 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// Interval of the 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ci95: Option<[f64; 2]>,
    /// 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// Interval of the 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ci95: Option<[f64; 2]>,
    /// 99.9th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999: Option<f64>,
    /// Interval of the 99.9th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999_ci95: Option<[f64; 2]>,
    /// Exact maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// What was measured of an action, over all clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionResult {
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests intended within the window.
    pub window_requests: RequestCounts,
    /// Answered `ok` within the window, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps: Option<f64>,
    /// Its 95 % confidence interval, as all of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps_ci95: Option<[f64; 2]>,
    /// Latencies of the requests intended within the window.
    pub latency_ms: Latency,
    /// What users waited over all tries; absent where no client tries again and no `overall` objective is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<OverallResult>,
}

/// Requests as users see them: all tries of one together, which end as its last try ends, or as `unresolved` where another
/// try should have followed and the run was over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverallResult {
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests whose first try was intended within the window.
    pub window_requests: RequestCounts,
    /// Mean number of tries of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_mean: Option<f64>,
    /// From the intended instant of the first try to the end of the last one.
    pub response_ms: LatencyBlock,
}

/// What was measured of a client, over all actions.
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
    /// Its 95 % confidence interval, as all of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_rps_ci95: Option<[f64; 2]>,
    /// Latencies of the requests intended within the window.
    pub latency_ms: Latency,
}

/// What was measured of a service within the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceResult {
    /// Workers of all members.
    pub workers: u64,
    /// Visits that it took in.
    pub visits: u64,
    /// Visits that a full line refused.
    pub rejected: u64,
    /// Visits that ended in an error: an injected one, or one of what they held a worker for.
    pub errors: u64,
    /// Visits that left the line because their clients had given up.
    pub left: u64,
    /// Visits that were stopped while they ran because their clients had given up.
    pub abandoned: u64,
    /// Share of the workers' time that they were busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation_ci95: Option<[f64; 2]>,
    /// Mean number of requests in its lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue_ci95: Option<[f64; 2]>,
    /// The most requests that were in its lines together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queue: Option<u64>,
    /// Time in the line of the visits that came within the window, those that did not have to wait included;
    /// censored are those that left the line, or were still in it when the run ended.
    pub wait_ms: LatencyBlock,
}

/// What queueing theory says of the same model in steady state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Theory {
    /// The closed form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<Exactly>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// Balanced job bounds of a closed network of single workers, which hold beside the closed form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_bounds: Option<BalancedBounds>,
    /// Where there is none: the asymptotic bounds of a closed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<TheoryBounds>,
    /// Where there is none: an approximation of an open model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximation: Option<Approximately>,
}

/// Limits that the steady state of a closed model keeps to, whatever its distributions are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TheoryBounds {
    /// The most requests per second that can end as `ok`.
    pub throughput_at_most_rps: f64,
    /// The least mean response time; absent where requests can fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_at_least_ms: Option<f64>,
    /// N*: the number of users from which on some must wait.
    pub saturation_users: f64,
}

/// Balanced job bounds of a closed network: the least and the largest value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalancedBounds {
    /// Requests that end as `ok` per second.
    pub throughput_rps: [f64; 2],
    /// Mean response time; absent where requests can fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_ms: Option<[f64; 2]>,
}

/// A figure near the steady state of an open model, not an exact one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approximately {
    /// What it is an approximation of.
    pub form: String,
    /// Mean response time.
    pub response_ms: f64,
    /// An upper bound on the mean response time, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_at_most_ms: Option<f64>,
}

/// The figures of a closed form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exactly {
    /// In Kendall's notation for a single service.
    pub form: String,
    /// The service it is of, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Requests that end as `ok` per second.
    pub throughput_rps: f64,
    /// Mean response time.
    pub response_ms: f64,
    /// Utilisation of the one service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
    /// Mean number of requests that wait at the one service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue: Option<f64>,
    /// Median, 95th and 99th percentile of the response time, where the form has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_p50_p95_p99_ms: Option<[f64; 3]>,
    /// Mean response time by class of requests, the most urgent first, where the service has priorities; by action
    /// where visits of different lengths share it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_response_ms: Vec<ExactClass>,
    /// By service, where there are several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ExactService>,
}

/// A class of requests at a service with priorities, or an action whose visits share it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExactClass {
    /// Its name, or `no class` for the requests without one; `action` and its name for an action.
    pub class: String,
    /// Mean response time.
    pub response_ms: f64,
}

/// The figures of one service of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExactService {
    /// Share of its workers that is busy.
    pub utilisation: f64,
    /// Mean number of requests that wait.
    pub mean_queue: f64,
    /// Mean wait of a visit.
    pub wait_ms: f64,
}

/// One interval of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// When it starts.
    pub start_s: f64,
    /// How long it is: the last one ends with the run, and is a tenth longer at most where the rest was too short to be
    /// an interval of its own.
    pub width_s: f64,
    /// Requests whose intended instants lie in it, whenever they were sent, and ends that fell in it.
    pub requests: RequestCounts,
    /// Requests in flight at its end: intended, whether sent by then or not, and not ended.
    pub in_flight: u64,
    /// Mean response time of the ends that fell in it.
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
    /// By stream; absent when there is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamInterval>,
}

/// What was measured of a service in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceInterval {
    /// Share of the workers' time that they were busy.
    pub utilisation: f64,
    /// Mean number of requests in its lines.
    pub mean_queue: f64,
}

/// Whether objectives were met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictResult {
    /// The answer.
    pub status: Status,
    /// Why, in sentences; empty for a pass.
    pub reasons: Vec<String>,
    /// How many more requests would decide an inconclusive one, all of them in time. Absent otherwise, and where requests
    /// alone would not decide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_needed: Option<u64>,
    /// Every gated signal.
    pub signals: Vec<SignalResult>,
}

/// How one signal stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignalResult {
    /// Whose: `Action ask`, `Consumer audit/indexer`, `Action say, last delivery`.
    pub of: String,
    /// Which: `p99`, `errors`, `missing`, `backlog growth`, `growth`.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// The limit: milliseconds for a quantile, a share for errors and missing deliveries, messages per second for
    /// the growth of a backlog: 0 of `growth`, which is a test.
    pub limit: f64,
    /// What was measured, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// On how many samples it rests; messages of `growth`.
    pub samples: u64,
    /// How many the point rule takes.
    pub needed: u64,
    /// Requests that failed, or deliveries that are missing, and count as over the limit. Absent where a limit of their own
    /// judges them, and for the growth of a backlog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Other requests that were over the limit of a quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<u64>,
    /// How many may be over the limit, failed ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<u64>,
    /// The share of the samples that is over the limit, failed ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_over: Option<f64>,
    /// Its 95 % interval (Clopper and Pearson), as of requests that are independent of one another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_over_ci95: Option<[f64; 2]>,
    /// How many more requests would decide it, all of them in time; of a signal that leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_needed: Option<u64>,
    /// How it stands, in a sentence.
    #[serde(default)]
    pub summary: String,
}
