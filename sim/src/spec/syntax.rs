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
    /// Version of the language: `1`.
    pub blis: Spanned<Count>,
    /// Name of the workload in reports: 1 to 100 bytes of visible characters (no control characters, none without
    /// width, none that change the direction of text).
    pub name: Spanned<String>,
    /// Seed of all random draws [default: 1].
    #[serde(serialize_with = "or_seed")]
    pub seed: Option<Spanned<Count>>,
    /// End of the load and measured window.
    #[serde(serialize_with = "or_default")]
    pub run: Option<Spanned<Run>>,
    /// Clients, which send requests, by name; at least one.
    pub clients: Spanned<Named<Client>>,
    /// Actions, the kinds of requests, by name; at least one.
    pub actions: Spanned<Named<Action>>,
    /// Services, which requests visit, by name.
    pub services: Option<Spanned<Named<Service>>>,
    /// Streams, which keep messages for their consumers, by name.
    pub streams: Option<Spanned<Named<Stream>>>,
    /// Fan-outs, which deliver a message to many subscribers, by name.
    pub fan_outs: Option<Spanned<Named<FanOut>>>,
    /// Network between clients and backend [default: no delay].
    pub network: Option<Network>,
    /// Connections of users to a real cluster [default: per_user].
    pub connections: Option<Spanned<Connections>>,
    /// Maximum requests in flight of all clients together [default: unlimited].
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

/// End of the load and measured window. Give `requests`, `horizon`, or both, here or as a flag: the one that is
/// reached first ends the load.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`run`", deny_unknown_fields)]
#[schemars(rename = "Run")]
pub struct Run {
    /// Budget: maximum number of requests of all clients together, first ones, follow-ups and retries; at least 1
    /// [default: unlimited].
    pub requests: Option<Spanned<Count>>,
    /// Time after which no request is intended; above 0 [default: unlimited].
    pub horizon: Option<Spanned<Duration>>,
    /// Start of the measured window: a time below the horizon, or `auto` [default: 0s].
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
    /// Start of the steady state, after every ramp, found by a pilot run.
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
    /// Cohort: number of equal copies of this client, reported as one; 1 to 10 million [default: 1].
    pub population: Option<Spanned<Count>>,
    /// Closed: number of users, 1 to 100 million; each has at most one request in flight.
    pub concurrency: Option<Spanned<Count>>,
    /// Closed: time from the end of a request to the user's next one [default: 0s].
    pub think: Option<Spanned<Distribution<Duration>>>,
    /// Open: mean rate at which sessions start, whatever the backend does; above 0.
    pub rate: Option<Spanned<Rate>>,
    /// Open: arrival process [default: poisson].
    pub arrival: Option<Spanned<Arrival>>,
    /// Open: change of the rate over time, in factors of `rate` [default: constant].
    pub shape: Option<Spanned<Shape>>,
    /// Open: requests of a session [default: a single request].
    pub session: Option<Spanned<Session>>,
    /// Action, or mix of actions with relative weights, such as `{read: 9, write: 1}`. Required, unless a recording
    /// names the action of each arrival.
    pub r#do: Option<Spanned<Do>>,
    /// Time that a user waits for the reply, from the sending; above 0 [default: unlimited].
    pub timeout: Option<Spanned<Duration>>,
    /// Connections over which its users send to a real cluster, apart from those of other clients [default: those
    /// of the run].
    pub connections: Option<Spanned<Connections>>,
    /// Maximum requests in flight of this client, at most that of the run [default: that of the run].
    pub max_in_flight: Option<Spanned<MaxInFlight>>,
    /// What follows a request that did not end as `ok`.
    pub on_failure: Option<Spanned<OnFailure>>,
}

/// Arrival process of the sessions of an open client.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an arrival process", rename_all = "snake_case")]
#[schemars(rename = "Arrival")]
pub enum Arrival {
    /// Evenly spaced: arrival n at n / rate.
    Constant,
    /// A Poisson process.
    #[default]
    Poisson,
    /// Independent gamma inter-arrival times.
    Gamma(Variation),
    /// Independent Weibull inter-arrival times.
    Weibull(Variation),
    /// Times recorded in a file, instead of `rate`.
    Trace(Trace),
    /// Sessions that start at one instant, instead of `rate`.
    Burst(Burst),
}

/// Sessions that start at the same time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a burst", deny_unknown_fields)]
#[schemars(rename = "Burst")]
pub struct Burst {
    /// Number of sessions, 1 to 100 million.
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
    /// Number of requests in the session: a whole number, or a distribution. `uniform` is over whole numbers, both
    /// ends included; draws of others are rounded, and at least 1.
    pub rounds: Spanned<Distribution<Number>>,
    /// Time from the end of a request to the session's next one [default: 0s].
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

/// What follows a request that did not end as `ok`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`on_failure`", deny_unknown_fields)]
#[schemars(rename = "OnFailure")]
pub struct OnFailure {
    /// Closed: whether a user starts a new session, after its think time, when one was cancelled [default: true].
    pub respawn: Option<Spanned<bool>>,
    /// Further tries of the same request before the session is cancelled [default: none].
    pub retry: Option<Spanned<Retry>>,
}

/// Retries of a failed request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`retry`", deny_unknown_fields)]
#[schemars(rename = "Retry")]
pub struct Retry {
    /// Maximum number of further tries, 1 to 65,535.
    pub times: Spanned<Count>,
    /// Time from a failure to the next try [default: 0s].
    #[serde(serialize_with = "or_default")]
    pub backoff: Option<Spanned<Distribution<Duration>>>,
}

/// A kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an action", deny_unknown_fields)]
#[schemars(rename = "Action")]
pub struct Action {
    /// What a request does in the backend, in order. Without it, the action needs `live`: it can be sent to a real
    /// cluster, but not simulated.
    pub path: Option<Spanned<Vec<Spanned<Step>>>>,
    /// Class of its requests at services that serve by priority [default: that of the client].
    pub class: Option<Spanned<String>>,
    /// Time from its intended time at which a request is due, at services that serve by deadline [default: the
    /// timeout of the client].
    pub deadline: Option<Spanned<Duration>>,
    /// Deliveries that a request waits for besides its reply [default: none].
    pub r#await: Option<Spanned<Await>>,
    /// How a request is sent to a real cluster, and what its reply means [default: not sent].
    pub live: Option<Spanned<Live>>,
    /// Payload of a request [default: empty].
    pub payload: Option<Spanned<Payload>>,
    /// Objectives of the action [default: not judged].
    pub slo: Option<Spanned<Slo>>,
}

/// Objectives: the largest allowed response times at these quantiles, and the largest allowed share of errors. At
/// least one is given; times are above 0 and ascend with their quantiles.
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
    /// Limit on the share of failed requests. Without it, a failed request counts as over the limit of each
    /// quantile.
    pub errors: Option<Spanned<Share>>,
    /// Limits on the deliveries that its requests await.
    pub deliveries: Option<Spanned<DeliverySlo>>,
    /// Limits on what a user waits over all tries, from the first intended time to the end of the last try, and on
    /// the share of users' requests whose last try failed.
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
    /// Number of requests that each member handles at once, 1 to 10^9. Required, unless all of `members` have their
    /// own.
    pub workers: Option<Spanned<Count>>,
    /// Members of the queue group (instances, pods) [default: 1].
    pub members: Option<Spanned<Members>>,
    /// How a request finds its member, with two members or more [default: random].
    pub dispatch: Option<Spanned<Dispatch>>,
    /// Service time of a visit.
    pub time: Spanned<Distribution<Duration>>,
    /// Service time added to each visit by the size of the request [default: none].
    pub by_size: Option<Spanned<BySize>>,
    /// Queue of waiting requests [default: unlimited, `fifo`].
    #[serde(serialize_with = "or_default")]
    pub queue: Option<Spanned<Queue>>,
    /// Share of visits that end in `app_error`, after their service time [default: 0].
    #[serde(serialize_with = "or_default")]
    pub errors: Option<Spanned<Share>>,
    /// What happens to work whose client has given up; needs a client with a `timeout` [default: stay].
    #[serde(serialize_with = "or_default")]
    pub on_timeout: Option<Spanned<OnTimeout>>,
    /// Growth of service times with the number of busy workers of a member.
    pub slower_when_busy: Option<Spanned<SlowerWhenBusy>>,
    /// Longer service times after the start and after an outage.
    pub cold_start: Option<Spanned<ColdStart>>,
    /// Admission control [default: unlimited].
    pub admission: Option<Spanned<Admission>>,
    /// Times at which the service or a member is down.
    pub outages: Option<Spanned<Vec<Spanned<Outage>>>>,
    /// Times at which it is slower.
    pub slow_downs: Option<Spanned<Vec<Spanned<SlowDown>>>>,
    /// Times at which it makes more errors.
    pub error_bursts: Option<Spanned<Vec<Spanned<ErrorBurst>>>>,
}

/// The members of a queue group: their number, 1 to 10^6, or a list of what each is like.
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
    /// Number of members in a row that are like this, 1 to 10^6; all together up to 10^6 [default: 1].
    pub count: Option<Spanned<Count>>,
    /// Number of requests that it handles at once, 1 to 10^9 [default: `workers` of the service].
    pub workers: Option<Spanned<Count>>,
    /// Divisor of its service times (of the service, a visit or a batch, with what `by_size` adds), 10^-6 to 10^6.
    /// What a worker is held for is not divided [default: 1].
    pub speed: Option<Spanned<Number>>,
}

/// Service time added by the size of a request: `time` for each `per` bytes of its payload.
/// `{time: 10ms, per: 1MiB}` is what 100 MiB/s take.
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
    /// A member drawn at random, busy or not, as NATS does with the members of a queue group on a server. Each
    /// member has a queue.
    #[default]
    Random,
    /// All members take requests from one queue, as with a pull consumer whose members ask for no more than their
    /// idle workers.
    Shared,
    /// The member with the fewest requests waiting or in service, the first of equals. Each member has a queue.
    LeastLoaded,
}

/// The queue of each member, or of the service when `dispatch` is `shared`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`queue`", deny_unknown_fields)]
#[schemars(rename = "Queue")]
pub struct Queue {
    /// Maximum number of waiting requests, those in service not counted, up to 2^32 - 1; `0` is a loss system. A
    /// request that finds the queue full is `rejected` [default: unlimited].
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
    /// Most urgent class first; first come, first served within a class.
    Priority(Priority),
    /// Earliest deadline first: the intended time plus the `deadline` of the action, or else the timeout of the
    /// client. Requests without one come last.
    Deadline,
    /// Start-time fair queueing between clients. The cost of a visit is its mean service time. A refused request
    /// costs nothing, and when a queue and its workers fall idle, no client owes anything.
    Fair(Fair),
    /// Processor sharing: all requests at once, at equal shares of the workers, and none faster than one worker.
    Shared(Shared),
}

/// What happens to work whose client has given up.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`on_timeout`", rename_all = "snake_case")]
#[schemars(rename = "OnTimeout")]
pub enum OnTimeout {
    /// Waiting work keeps its place and is served; running work continues.
    #[default]
    Stay,
    /// Waiting work leaves the queue; running work continues.
    Leave,
    /// Waiting work leaves the queue; running work stops and frees its worker.
    Abandon,
}

/// The network between clients and backend.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`network`", deny_unknown_fields)]
#[schemars(rename = "Network")]
pub struct Network {
    /// Delay of each message between a client and the backend: one on the way there, one on the way back.
    pub one_way: Spanned<Distribution<Duration>>,
}
