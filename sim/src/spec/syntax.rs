//! The typed syntax of a spec, as it is written: the contract of the language in types.
//!
//! Nothing here has been checked against anything else; [`lower`](super::lower) does that. Every value that an
//! error could be about carries its place. Enums are externally tagged and unknown keys are refused; the two forms
//! that are not words (a bare value, a mapping of names) are variants that the reader knows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::backend::{
    Admission, Cache, ColdStart, ErrorBurst, Fair, FanOut, Outage, Parallel, Priority, Publish,
    Shared, SlowDown, SlowerWhenBusy, Stream, Visit,
};
use super::deliveries::{Await, DeliverySlo};
use super::distribution::{Distribution, Duration, Number};
use super::live::{Connections, Live, MaxInFlight, Payload, Variable};
use super::named::Named;
use super::set::Assigned;
use super::shape::Shape;
use super::spanned::Spanned;
use super::units::{Count, Rate, Share, Size};

/// A workload spec for blis.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Version of the language: 1.
    pub blis: Spanned<Count>,
    /// Name of the workload.
    pub name: Spanned<String>,
    /// Seed of every random draw; 1 unless given.
    pub seed: Option<Spanned<Count>>,
    /// What ends the load and what is measured of it.
    pub run: Option<Spanned<Run>>,
    /// Who sends requests, by name.
    pub clients: Spanned<Named<Client>>,
    /// What requests are, by name.
    pub actions: Spanned<Named<Action>>,
    /// What requests visit, by name.
    pub services: Option<Spanned<Named<Service>>>,
    /// Where messages are kept until their consumers have worked on them, by name.
    pub streams: Option<Spanned<Named<Stream>>>,
    /// Who else gets a message, by name.
    pub fan_outs: Option<Spanned<Named<FanOut>>>,
    /// The network between clients and backend.
    pub network: Option<Network>,
    /// Over which connections users send to a real cluster; per_user unless given.
    pub connections: Option<Spanned<Connections>>,
    /// How many requests may be in flight together; any number unless given.
    pub max_in_flight: Option<Spanned<MaxInFlight>>,
    /// Words of the spec's own for what is sent to a real cluster, by name.
    pub variables: Option<Spanned<Named<Variable>>>,
    /// Where a fitted model comes from, as `blis calibrate` writes it. Every result names it.
    pub provenance: Option<Spanned<Provenance>>,
    /// What `--set` put in; not part of the language.
    #[serde(skip)]
    #[schemars(skip)]
    pub set: Assigned,
}

/// Where a fitted model comes from.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// What fitted it: a program with its version.
    pub by: Spanned<String>,
    /// The runs that it was fitted to, up to 64.
    pub runs: Spanned<Vec<Spanned<String>>>,
    /// The loads of these runs; beyond them the model extrapolates.
    pub loads: Option<Spanned<String>>,
    /// How well it explains the runs.
    pub fit: Option<Spanned<String>>,
}

/// What ends the load and what is measured of it. The limit that comes first ends the load; at least one is needed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The budget: how many requests may be sent in all, first ones and follow-ups together.
    pub requests: Option<Spanned<Count>>,
    /// No request is sent after this time.
    pub horizon: Option<Spanned<Duration>>,
    /// The measured window starts at this time, or where a pilot run finds that it should; 0s unless given.
    pub warmup: Option<Spanned<Warmup>>,
    /// How long requests in flight may still finish after the end of the load; 30s unless given.
    pub drain: Option<Spanned<Duration>>,
}

/// When the measured window starts.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
pub enum Warmup {
    /// At this time.
    #[serde(rename = "$bare")]
    At(Duration),
    /// Where the steady state begins, found by a pilot run.
    #[serde(rename = "auto")]
    Auto,
}

/// A population of users that behave alike: closed with `concurrency`, open with `rate`, recorded arrivals or a burst.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// A cohort: so many clients alike, each as this describes it, which are one in the report; 1 unless given.
    pub population: Option<Spanned<Count>>,
    /// Closed: so many virtual users, each with at most one request in flight.
    pub concurrency: Option<Spanned<Count>>,
    /// Closed: time between a completion and the user's next request; none unless given.
    pub think: Option<Spanned<Distribution<Duration>>>,
    /// Open: sessions start at this rate.
    pub rate: Option<Spanned<Rate>>,
    /// Open: the arrival process; poisson unless given.
    pub arrival: Option<Spanned<Arrival>>,
    /// Open: how the rate changes over time, in factors of `rate`; constant unless given.
    pub shape: Option<Spanned<Shape>>,
    /// Open: what a session is; a single request unless given.
    pub session: Option<Spanned<Session>>,
    /// An action, or a weighted mix of actions. Needed, unless a recording names the action of each arrival.
    pub r#do: Option<Spanned<Do>>,
    /// How long a user waits for a reply, from the sending; for ever unless given.
    pub timeout: Option<Spanned<Duration>>,
    /// What happens after a request that failed.
    pub on_failure: Option<Spanned<OnFailure>>,
    /// The class of its requests at services that serve by priority, where their action has none.
    pub class: Option<Spanned<String>>,
    /// How many of its requests may be in flight together; any number unless given, within that of the run.
    pub max_in_flight: Option<Spanned<MaxInFlight>>,
    /// Over which connections its users send to a real cluster, apart from those of other clients; those of the run
    /// unless given.
    pub connections: Option<Spanned<Connections>>,
}

/// The process by which an open client's sessions arrive.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Evenly spaced.
    Constant,
    /// A Poisson process.
    Poisson,
    /// Independent gamma inter-arrival times.
    Gamma(Variation),
    /// Independent Weibull inter-arrival times.
    Weibull(Variation),
    /// As recorded in a file; without `rate`.
    Trace(Trace),
    /// All at once; without `rate`.
    Burst(Burst),
}

/// Sessions that all start at one instant.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// How many sessions start.
    pub count: Spanned<Count>,
    /// When they start; 0s, the start of the run, unless given.
    pub at: Option<Spanned<Duration>>,
}

/// Recorded arrivals: a file, or a file and how its times are read.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum Trace {
    /// This file, whose path is relative to the spec. Its times count from the start of the run.
    #[serde(rename = "$bare")]
    File(Spanned<String>),
    /// A file whose times are absolute, or in another unit than seconds.
    #[serde(rename = "$mapping")]
    As(TraceAs),
}

/// A file of recorded arrivals and how its times are read.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceAs {
    /// The file, whose path is relative to the spec.
    pub file: Spanned<String>,
    /// The recorded time at which the run starts: that of the first arrival, or a time as the file writes it; 0
    /// unless given.
    pub offset: Option<Spanned<Offset>>,
    /// The unit of times that are written without one; s unless given.
    pub unit: Option<Spanned<TimeUnit>>,
}

/// The recorded time at which a run starts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Offset {
    /// That of the first arrival.
    #[serde(rename = "first")]
    First,
    /// This time, as the file writes it.
    #[serde(rename = "$bare")]
    At(String),
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds.
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

    /// The unit of times that are written without one.
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

    /// How many digits after the point of it are whole nanoseconds.
    pub fn digits(self) -> usize {
        match self {
            TimeUnit::S => 9,
            TimeUnit::Ms => 6,
            TimeUnit::Us => 3,
            TimeUnit::Ns => 0,
        }
    }
}

/// How much inter-arrival times vary.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// Coefficient of variation: standard deviation divided by mean.
    pub cv: Spanned<Number>,
}

/// A session of an open client.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// How many requests the session has: a whole number, or a distribution (rounded, at least 1).
    pub rounds: Spanned<Distribution<Number>>,
    /// Time between a completion and the session's next request; none unless given.
    pub think: Option<Spanned<Distribution<Duration>>>,
}

/// What a request of a client is.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum Do {
    /// This action.
    #[serde(rename = "$bare")]
    Action(String),
    /// Actions with their weights.
    #[serde(rename = "$mapping")]
    Mix(Named<Spanned<Number>>),
}

/// What happens after a request that did not end well.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnFailure {
    /// Whether a closed user starts a new session after a cancelled one; true unless given.
    pub respawn: Option<Spanned<bool>>,
    /// Try the same request again before the session is cancelled.
    pub retry: Option<Spanned<Retry>>,
}

/// How a failed request is tried again.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often.
    pub times: Spanned<Count>,
    /// Time between a failure and the next try; none unless given.
    pub backoff: Option<Spanned<Distribution<Duration>>>,
}

/// A kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What the request does in the backend; without it the action can be sent to a real one (`live`), and not simulated.
    pub path: Option<Spanned<Vec<Spanned<Step>>>>,
    /// What is promised of it.
    pub slo: Option<Spanned<Slo>>,
    /// The class of its requests at services that serve by priority.
    pub class: Option<Spanned<String>>,
    /// How long after its intended instant a request is due, at services that serve by deadline; the client's timeout
    /// unless given.
    pub deadline: Option<Spanned<Duration>>,
    /// What it takes besides its reply before a request is done.
    pub r#await: Option<Spanned<Await>>,
    /// How a request is sent to a real cluster.
    pub live: Option<Spanned<Live>>,
    /// What a request carries to a real cluster; nothing unless given.
    pub payload: Option<Spanned<Payload>>,
}

/// Service-level objectives: the largest allowed values of quantiles of the response time, and of the share of errors.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    /// Limits on what users wait, and on how often they fail, over all tries of a request.
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

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Wait for a worker of a service and be served.
    Visit(Spanned<Visit>),
    /// Wait, without a worker.
    Delay(Spanned<Distribution<Duration>>),
    /// Answer the user; the rest of the path goes on without it.
    Reply,
    /// Go one of several ways, by weight.
    Branch(Vec<Arm>),
    /// Go several ways at once.
    Parallel(Spanned<Parallel>),
    /// Take what a cache holds, or fetch it.
    Cache(Spanned<Cache>),
    /// Take the path of another action.
    Call(Spanned<String>),
    /// Publish a message to a stream.
    Publish(Spanned<Publish>),
    /// Send a message to all subscribers of a fan-out.
    Emit(Spanned<String>),
    /// Answer the user with a failure; the path ends.
    Fail(Failure),
}

/// One way of a branch.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// How often this way is taken, relative to the others.
    pub weight: Spanned<Number>,
    /// What the request does on it; may be empty.
    pub path: Vec<Spanned<Step>>,
}

/// How a path can fail on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The service answers with an error.
    AppError,
    /// Refused by admission.
    Rejected,
    /// Nobody answers, or the connection breaks.
    TransportError,
}

/// A service: members of a queue group, each with its workers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How many requests each member serves at a time. Needed, unless all of `members` have their own.
    pub workers: Option<Spanned<Count>>,
    /// Members of the queue group; 1 unless given.
    pub members: Option<Spanned<Members>>,
    /// How a request finds its member; random unless given, as NATS queue groups do.
    pub dispatch: Option<Spanned<Dispatch>>,
    /// Service time of a visit.
    pub time: Spanned<Distribution<Duration>>,
    /// What the size of a request adds to its service time; nothing unless given.
    pub by_size: Option<Spanned<BySize>>,
    /// The waiting line.
    pub queue: Option<Spanned<Queue>>,
    /// Share of the visits that end in an error after their service time; none unless given.
    pub errors: Option<Spanned<Share>>,
    /// What becomes of work whose client has given up; stay unless given.
    pub on_timeout: Option<Spanned<OnTimeout>>,
    /// How service times grow with the number of busy workers of a member.
    pub slower_when_busy: Option<Spanned<SlowerWhenBusy>>,
    /// Longer service times after a start.
    pub cold_start: Option<Spanned<ColdStart>>,
    /// Who is let in.
    pub admission: Option<Spanned<Admission>>,
    /// When the service or a member of it is down.
    pub outages: Option<Spanned<Vec<Spanned<Outage>>>>,
    /// When it is slower.
    pub slow_downs: Option<Spanned<Vec<Spanned<SlowDown>>>>,
    /// When it makes more errors.
    pub error_bursts: Option<Spanned<Vec<Spanned<ErrorBurst>>>>,
}

/// The members of a queue group: how many, or what each is like.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum Members {
    /// So many that are alike.
    #[serde(rename = "$bare")]
    Alike(Spanned<Count>),
    /// Members that differ, in their order.
    #[serde(rename = "$list")]
    Each(Vec<Spanned<Member>>),
}

/// A member of a queue group, or several that are alike.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// How many members are like this; 1 unless given.
    pub count: Option<Spanned<Count>>,
    /// How many requests it serves at a time; the `workers` of the service unless given.
    pub workers: Option<Spanned<Count>>,
    /// What service times are divided by; 1 unless given.
    pub speed: Option<Spanned<Number>>,
}

/// What the size of a request adds to its service time: so much time for so many bytes of its payload.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BySize {
    /// The time.
    pub time: Spanned<Duration>,
    /// The bytes.
    pub per: Spanned<Size>,
}

/// How a request finds a member of a queue group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dispatch {
    /// A member drawn at random, busy or not.
    Random,
    /// All members take from one line.
    Shared,
    /// The member with the fewest requests present.
    LeastLoaded,
}

/// The waiting line of each member, or of the service when dispatch is shared.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// How many requests may wait; unlimited unless given.
    pub limit: Option<Spanned<Count>>,
    /// Who is served next; fifo unless given.
    pub order: Option<Spanned<Order>>,
}

/// Who is served next.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Who came first.
    Fifo,
    /// The most urgent class.
    Priority(Priority),
    /// Whose deadline is the earliest.
    Deadline,
    /// Each client in its turn.
    Fair(Fair),
    /// All at once, at equal shares of the workers.
    Shared(Shared),
}

/// What becomes of work whose client has given up waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// It waits and runs as if nothing had happened.
    Stay,
    /// Waiting work leaves the line; running work goes on.
    Leave,
    /// Waiting work leaves the line and running work stops.
    Abandon,
}

/// The network between clients and backend.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Delay of each message, in each direction.
    pub one_way: Spanned<Distribution<Duration>>,
}
