//! The typed syntax of a spec: the contract of the language in types.
//!
//! Values are not checked against each other here; [`lower`](super::lower) does that. Every value that an error can
//! be about carries its place. Enums are externally tagged and unknown keys are refused; the two forms
//! without a word (a bare value, a mapping of names) are variants that the reader knows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backend::{
    Admission, ColdStart, ErrorBurst, Fair, FanOut, Outage, Priority, Shared, SlowDown,
    SlowerWhenBusy, Stream,
};
use super::defaults::{or_default, or_drain, or_seed};
use super::deliveries::{Await, DeliverySlo};
use super::distribution::{Distribution, Duration, Number};
use super::live::{Connections, Live, MaxInFlight, Payload, Variable};
use super::named::{Named, as_name};
use super::set::Assigned;
use super::shape::Shape;
use super::spanned::Spanned;
use super::steps::Step;
use super::units::{Count, Rate, Share, Size};

/// A workload spec for blis.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a spec", deny_unknown_fields)]
#[schemars(rename = "Spec")]
pub struct Spec {
    /// Version of the language: 1.
    pub blis: Spanned<Count>,
    /// Name of the workload.
    pub name: Spanned<String>,
    /// Seed of all random draws [default: 1].
    #[serde(serialize_with = "or_seed")]
    pub seed: Option<Spanned<Count>>,
    /// End of the load and measured window.
    #[serde(serialize_with = "or_default")]
    pub run: Option<Spanned<Run>>,
    /// Clients, which send requests, by name.
    pub clients: Spanned<Named<Client>>,
    /// Actions, the kinds of requests, by name.
    pub actions: Spanned<Named<Action>>,
    /// Services, which requests visit, by name.
    pub services: Option<Spanned<Named<Service>>>,
    /// Streams, which keep messages for their consumers, by name.
    pub streams: Option<Spanned<Named<Stream>>>,
    /// Fan-outs, which deliver a message to many subscribers, by name.
    pub fan_outs: Option<Spanned<Named<FanOut>>>,
    /// Network between clients and backend.
    pub network: Option<Network>,
    /// Connections of users to a real cluster [default: per_user].
    pub connections: Option<Spanned<Connections>>,
    /// Maximum requests in flight [default: unlimited].
    pub max_in_flight: Option<Spanned<MaxInFlight>>,
    /// Variables for subjects, headers and payloads sent to a real cluster, by name.
    pub variables: Option<Spanned<Named<Variable>>>,
    /// Fit that the model comes from, as `blis calibrate` writes it. Every result names it.
    pub provenance: Option<Spanned<Provenance>>,
    /// Values of `--set`; not part of the language.
    #[serde(skip)]
    #[schemars(skip)]
    pub set: Assigned,
}

/// Fit that a model comes from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`provenance`", deny_unknown_fields)]
#[schemars(rename = "Provenance")]
pub struct Provenance {
    /// Program that fitted it, with its version.
    pub by: Spanned<String>,
    /// Runs that it was fitted to, up to 64.
    pub runs: Spanned<Vec<Spanned<String>>>,
    /// Loads of these runs; beyond them the model extrapolates.
    pub loads: Option<Spanned<String>>,
    /// Goodness of the fit.
    pub fit: Option<Spanned<String>>,
}

/// End of the load and measured window. The limit that is reached first ends the load; at least one is needed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`run`", deny_unknown_fields)]
#[schemars(rename = "Run")]
pub struct Run {
    /// Maximum number of requests to send, including follow-ups.
    pub requests: Option<Spanned<Count>>,
    /// Time after which no request is sent.
    pub horizon: Option<Spanned<Duration>>,
    /// Start of the measured window, or `auto` to find it with a pilot run [default: 0s].
    #[serde(serialize_with = "or_default")]
    pub warmup: Option<Spanned<Warmup>>,
    /// Time after the end of the load in which requests in flight may finish [default: 30s].
    #[serde(serialize_with = "or_drain")]
    pub drain: Option<Spanned<Duration>>,
}

/// Start of the measured window.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a warm-up; write a time such as `5s`, or `auto`")]
#[schemars(rename = "Warmup")]
pub enum Warmup {
    /// At this time.
    #[serde(rename = "$bare")]
    At(Duration),
    /// Start of the steady state, found by a pilot run.
    #[serde(rename = "auto")]
    Auto,
}

impl Default for Warmup {
    fn default() -> Warmup {
        Warmup::At(Duration::default())
    }
}

/// A client, whose users behave alike: closed with `concurrency`; open with `rate`, recorded arrivals or a burst.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a client", deny_unknown_fields)]
#[schemars(rename = "Client")]
pub struct Client {
    /// Class of its requests at services that serve by priority, for actions without one.
    pub class: Option<Spanned<String>>,
    /// Cohort: number of equal copies of this client, reported as one [default: 1].
    pub population: Option<Spanned<Count>>,
    /// Closed: number of users, each with at most one request in flight.
    pub concurrency: Option<Spanned<Count>>,
    /// Closed: time between a reply and the user's next request [default: 0s].
    pub think: Option<Spanned<Distribution<Duration>>>,
    /// Open: rate at which sessions start.
    pub rate: Option<Spanned<Rate>>,
    /// Open: arrival process [default: poisson].
    pub arrival: Option<Spanned<Arrival>>,
    /// Open: change of the rate over time, in factors of `rate` [default: constant].
    pub shape: Option<Spanned<Shape>>,
    /// Open: requests of a session [default: a single request].
    pub session: Option<Spanned<Session>>,
    /// Action, or weighted mix of actions. Required, unless a recording names the action of each arrival.
    pub r#do: Option<Spanned<Do>>,
    /// Time that a user waits for a reply after sending [default: unlimited].
    pub timeout: Option<Spanned<Duration>>,
    /// Separate connections of its users to a real cluster [default: those of the run].
    pub connections: Option<Spanned<Connections>>,
    /// Maximum requests in flight of this client, within that of the run [default: unlimited].
    pub max_in_flight: Option<Spanned<MaxInFlight>>,
    /// Behaviour after a failed request.
    pub on_failure: Option<Spanned<OnFailure>>,
}

/// Arrival process of the sessions of an open client.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an arrival process", rename_all = "snake_case")]
#[schemars(rename = "Arrival")]
pub enum Arrival {
    /// Evenly spaced.
    Constant,
    /// A Poisson process.
    #[default]
    Poisson,
    /// Independent gamma inter-arrival times.
    Gamma(Variation),
    /// Independent Weibull inter-arrival times.
    Weibull(Variation),
    /// Times recorded in a file; without `rate`.
    Trace(Trace),
    /// All at one time; without `rate`.
    Burst(Burst),
}

/// Sessions that start at the same time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a burst", deny_unknown_fields)]
#[schemars(rename = "Burst")]
pub struct Burst {
    /// Number of sessions.
    pub count: Spanned<Count>,
    /// Start time [default: 0s, the start of the run].
    #[serde(serialize_with = "or_default")]
    pub at: Option<Spanned<Duration>>,
}

/// Recorded arrivals: a file, or a file and the format of its times.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "recorded arrivals; write `trace: arrivals.csv`, or `trace: {file: arrivals.csv, offset: first}` where times are absolute"
)]
#[schemars(rename = "Trace")]
pub enum Trace {
    /// Path of the file, relative to the spec. Its times count from the start of the run.
    #[serde(rename = "$bare")]
    File(Spanned<String>),
    /// A file with absolute times, or times in another unit than seconds.
    #[serde(rename = "$mapping")]
    As(TraceAs),
}

/// A file of recorded arrivals and the format of its times.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "recorded arrivals", deny_unknown_fields)]
#[schemars(rename = "TraceAs")]
pub struct TraceAs {
    /// Path of the file, relative to the spec.
    pub file: Spanned<String>,
    /// Recorded time at which the run starts: `first` for the first arrival, or a time as the file writes it [default: 0].
    pub offset: Option<Spanned<Offset>>,
    /// Unit of times without a unit [default: s].
    #[serde(serialize_with = "or_default")]
    pub unit: Option<Spanned<TimeUnit>>,
}

/// The recorded time at which a run starts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an offset; write `first`, or a time as the file writes it")]
#[schemars(rename = "Offset")]
pub enum Offset {
    /// The time of the first arrival.
    #[serde(rename = "first")]
    First,
    /// This time, as the file writes it.
    #[serde(rename = "$bare")]
    At(String),
}

/// A unit of time.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a unit of time", rename_all = "snake_case")]
#[schemars(rename = "TimeUnit")]
pub enum TimeUnit {
    /// Seconds.
    #[default]
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl Trace {
    /// The path of the file.
    pub fn file(&self) -> &Spanned<String> {
        match self {
            Trace::File(file) => file,
            Trace::As(trace) => &trace.file,
        }
    }

    /// The recorded time at which the run starts, where that is not 0.
    pub fn offset(&self) -> Option<&Spanned<Offset>> {
        match self {
            Trace::File(_) => None,
            Trace::As(trace) => trace.offset.as_ref(),
        }
    }

    /// The unit of times without a unit.
    pub fn unit(&self) -> TimeUnit {
        match self {
            Trace::As(TraceAs {
                unit: Some(unit), ..
            }) => unit.value,
            Trace::File(_) | Trace::As(_) => TimeUnit::S,
        }
    }
}

impl TimeUnit {
    /// How a spec writes it.
    pub fn word(self) -> &'static str {
        match self {
            TimeUnit::S => "s",
            TimeUnit::Ms => "ms",
            TimeUnit::Us => "us",
            TimeUnit::Ns => "ns",
        }
    }

    /// Number of decimals that are whole nanoseconds.
    pub fn digits(self) -> usize {
        match self {
            TimeUnit::S => 9,
            TimeUnit::Ms => 6,
            TimeUnit::Us => 3,
            TimeUnit::Ns => 0,
        }
    }
}

/// Variation of inter-arrival times.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "an arrival process with a coefficient of variation",
    deny_unknown_fields
)]
#[schemars(rename = "Variation")]
pub struct Variation {
    /// Coefficient of variation: standard deviation divided by mean.
    pub cv: Spanned<Number>,
}

/// A session of an open client.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`session`", deny_unknown_fields)]
#[schemars(rename = "Session")]
pub struct Session {
    /// Number of requests of the session: a whole number, or a distribution (rounded, at least 1).
    pub rounds: Spanned<Distribution<Number>>,
    /// Time between a reply and the session's next request [default: 0s].
    #[serde(serialize_with = "or_default")]
    pub think: Option<Spanned<Distribution<Duration>>>,
}

/// The action of a client's requests.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "an action or a weighted mix of actions; write `do: ask` or `do: {ask: 9, tell: 1}`"
)]
#[schemars(rename = "Do")]
pub enum Do {
    /// This action.
    #[serde(rename = "$bare", serialize_with = "as_name")]
    Action(String),
    /// Actions with their weights.
    #[serde(rename = "$mapping")]
    Mix(Named<Spanned<Number>>),
}

/// Behaviour after a failed request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`on_failure`", deny_unknown_fields)]
#[schemars(rename = "OnFailure")]
pub struct OnFailure {
    /// Whether a closed-loop user starts a new session after a cancelled one [default: true].
    pub respawn: Option<Spanned<bool>>,
    /// Retries before the session is cancelled.
    pub retry: Option<Spanned<Retry>>,
}

/// Retries of a failed request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`retry`", deny_unknown_fields)]
#[schemars(rename = "Retry")]
pub struct Retry {
    /// Maximum number of retries.
    pub times: Spanned<Count>,
    /// Time between a failure and the next try [default: 0s].
    #[serde(serialize_with = "or_default")]
    pub backoff: Option<Spanned<Distribution<Duration>>>,
}

/// A kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an action", deny_unknown_fields)]
#[schemars(rename = "Action")]
pub struct Action {
    /// Work of the request in the backend. Without it the action cannot be simulated, only sent to a real cluster (`live`).
    pub path: Option<Spanned<Vec<Spanned<Step>>>>,
    /// Class of its requests at services that serve by priority.
    pub class: Option<Spanned<String>>,
    /// Deadline of a request after its intended time, at services that serve by deadline [default: the timeout of the
    /// client].
    pub deadline: Option<Spanned<Duration>>,
    /// Deliveries that a request waits for, besides its reply.
    pub r#await: Option<Spanned<Await>>,
    /// Sending of a request to a real cluster.
    pub live: Option<Spanned<Live>>,
    /// Payload of a request to a real cluster [default: empty].
    pub payload: Option<Spanned<Payload>>,
    /// Objectives of the action.
    pub slo: Option<Spanned<Slo>>,
}

/// Service-level objectives: the largest allowed values of quantiles of the response time, and of the share of errors.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`slo`", deny_unknown_fields)]
#[schemars(rename = "Slo")]
pub struct Slo {
    /// Limit on the median.
    pub p50: Option<Spanned<Duration>>,
    /// Limit on the 90th percentile.
    pub p90: Option<Spanned<Duration>>,
    /// Limit on the 95th percentile.
    pub p95: Option<Spanned<Duration>>,
    /// Limit on the 99th percentile.
    pub p99: Option<Spanned<Duration>>,
    /// Limit on the 99.9th percentile.
    pub p999: Option<Spanned<Duration>>,
    /// Limit on the share of failed requests.
    pub errors: Option<Spanned<Share>>,
    /// Limits on the deliveries that its requests await.
    pub deliveries: Option<Spanned<DeliverySlo>>,
    /// Limits on response times and failures of users, over all tries of a request.
    pub overall: Option<Box<Spanned<Slo>>>,
}

impl Slo {
    /// The limits on quantiles, ascending, with their names.
    pub fn quantiles(&self) -> [(&'static str, f64, &Option<Spanned<Duration>>); 5] {
        [
            ("p50", 0.5, &self.p50),
            ("p90", 0.9, &self.p90),
            ("p95", 0.95, &self.p95),
            ("p99", 0.99, &self.p99),
            ("p999", 0.999, &self.p999),
        ]
    }
}

/// A service: members of a queue group, each with its workers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a service", deny_unknown_fields)]
#[schemars(rename = "Service")]
pub struct Service {
    /// Number of requests that each member serves at a time. Required, unless all of `members` have their own.
    pub workers: Option<Spanned<Count>>,
    /// Members of the queue group [default: 1].
    pub members: Option<Spanned<Members>>,
    /// Choice of the member for a request [default: random, as NATS queue groups do].
    pub dispatch: Option<Spanned<Dispatch>>,
    /// Service time of a visit.
    pub time: Spanned<Distribution<Duration>>,
    /// Service time added by the size of a request [default: none].
    pub by_size: Option<Spanned<BySize>>,
    /// Queue of waiting requests.
    #[serde(serialize_with = "or_default")]
    pub queue: Option<Spanned<Queue>>,
    /// Share of visits that end in an error after their service time [default: 0].
    #[serde(serialize_with = "or_default")]
    pub errors: Option<Spanned<Share>>,
    /// What happens to work whose client has given up [default: stay].
    #[serde(serialize_with = "or_default")]
    pub on_timeout: Option<Spanned<OnTimeout>>,
    /// Growth of service times with the number of busy workers of a member.
    pub slower_when_busy: Option<Spanned<SlowerWhenBusy>>,
    /// Longer service times after a start.
    pub cold_start: Option<Spanned<ColdStart>>,
    /// Admission control.
    pub admission: Option<Spanned<Admission>>,
    /// Times at which the service or a member is down.
    pub outages: Option<Spanned<Vec<Spanned<Outage>>>>,
    /// Times at which it is slower.
    pub slow_downs: Option<Spanned<Vec<Spanned<SlowDown>>>>,
    /// Times at which it makes more errors.
    pub error_bursts: Option<Spanned<Vec<Spanned<ErrorBurst>>>>,
}

/// The members of a queue group: their number, or a list.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a number of members or a list of them; write `members: 4`, or a list such as `[{workers: 1, speed: 0.5}, {workers: 2}]`"
)]
#[schemars(rename = "Members")]
pub enum Members {
    /// Number of equal members.
    #[serde(rename = "$bare")]
    Alike(Spanned<Count>),
    /// Members that differ, in order.
    #[serde(rename = "$list")]
    Each(Vec<Spanned<Member>>),
}

/// A member of a queue group, or several equal ones.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a member", deny_unknown_fields)]
#[schemars(rename = "Member")]
pub struct Member {
    /// Number of members like this [default: 1].
    pub count: Option<Spanned<Count>>,
    /// Number of requests that it serves at a time [default: `workers` of the service].
    pub workers: Option<Spanned<Count>>,
    /// Divisor of service times [default: 1].
    pub speed: Option<Spanned<Number>>,
}

/// Service time added by the size of a request: `time` for each `per` bytes of its payload.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`by_size`", deny_unknown_fields)]
#[schemars(rename = "BySize")]
pub struct BySize {
    /// The time.
    pub time: Spanned<Duration>,
    /// The bytes.
    pub per: Spanned<Size>,
}

/// Choice of the member of a queue group for a request.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a dispatch", rename_all = "snake_case")]
#[schemars(rename = "Dispatch")]
pub enum Dispatch {
    /// A member drawn at random, busy or not.
    #[default]
    Random,
    /// All members take requests from one queue.
    Shared,
    /// The member with the fewest requests present.
    LeastLoaded,
}

/// The queue of each member, or of the service when dispatch is shared.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`queue`", deny_unknown_fields)]
#[schemars(rename = "Queue")]
pub struct Queue {
    /// Maximum number of waiting requests [default: unlimited].
    pub limit: Option<Spanned<Count>>,
    /// Order of service [default: fifo].
    #[serde(serialize_with = "or_default")]
    pub order: Option<Spanned<Order>>,
}

/// Order of service.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a queue order", rename_all = "snake_case")]
#[schemars(rename = "Order")]
pub enum Order {
    /// First come, first served.
    #[default]
    Fifo,
    /// Most urgent class first.
    Priority(Priority),
    /// Earliest deadline first.
    Deadline,
    /// Fair among clients.
    Fair(Fair),
    /// All requests at once, with equal shares of the workers.
    Shared(Shared),
}

/// What happens to work whose client has given up.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`on_timeout`", rename_all = "snake_case")]
#[schemars(rename = "OnTimeout")]
pub enum OnTimeout {
    /// It continues to wait and run.
    #[default]
    Stay,
    /// Waiting work leaves the queue; running work continues.
    Leave,
    /// Waiting work leaves the queue; running work stops.
    Abandon,
}

/// The network between clients and backend.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`network`", deny_unknown_fields)]
#[schemars(rename = "Network")]
pub struct Network {
    /// Delay of each message, in each direction.
    pub one_way: Spanned<Distribution<Duration>>,
}
