//! The model: a spec lowered to what an engine can run.
//!
//! Names have become indices, paths one flat program, percentages shares and distributions checked samplers. A [`Model`] is
//! always runnable: [`lower`](crate::spec::lower) has found all errors of the spec before. Nothing in it changes during a run,
//! and both worlds read the same one. A spec with actions that can only be sent, without a path, is lowered to a [`LiveModel`],
//! which no simulation takes.

mod deliveries;
mod live;
mod load_curve;
mod members;
mod paths;
pub mod rendered;
mod shape;
mod size;
mod template;
mod texts;

pub use deliveries::{Await, DOUBLES, Deliverer, DeliveryLimits, token};
pub use live::{
    Answer, By, Choice, Condition, Connections, DeliveredAt, InFlightPolicy, MEMBER, MaxInFlight,
    Payload, REQUEST_ID, SERVICE_TIME, SendKind, Sending, VISITS, Variable,
};
pub use load_curve::LoadCurve;
pub use members::{MemberKind, Members};
pub use paths::{LiveModel, NoPath, Path};
pub use shape::{Shape, Then};
pub use size::{SizeDraws, Sizes};
pub use template::{ENVIRONMENT, PLACES, Piece, Template};
pub use texts::{Looked, Texts};

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::Dist;
use crate::time::{Span, Time};

/// An index type for one kind of entity, so that a service's index cannot be used for a client.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// The position of this entity in the model's list.
            #[inline]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    )*};
}

ids! {
    /// Position of a client in [`Model::clients`].
    ClientId,
    /// Position of an action in [`Model::actions`].
    ActionId,
    /// Position of a service in [`Model::services`].
    ServiceId,
    /// Position of a stream in [`Model::streams`].
    StreamId,
    /// Position of a consumer in [`Model::consumers`].
    ConsumerId,
    /// Position of a fan-out in [`Model::fan_outs`].
    FanOutId,
    /// Position of a class of requests in [`Model::classes`].
    ClassId,
}

/// Everything a run needs to know, checked. Whatever has a name is in the order of the names.
///
/// `P` is what is known of the paths of actions. A model is simulated where each action has a [`Path`]; users, measurement
/// and the live world take a [`LiveModel`] as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Model<P = Path> {
    /// The spec's name.
    pub name: String,
    /// Seed of every draw.
    pub seed: u64,
    /// What ends the load, and what is measured of it.
    pub limits: Limits,
    /// Who sends requests; never empty.
    pub clients: Vec<Client>,
    /// What requests are; never empty.
    pub actions: Vec<Action<P>>,
    /// What requests visit.
    pub services: Vec<Service>,
    /// Where messages are kept until their consumers have worked on them.
    pub streams: Vec<Stream>,
    /// Who works on the messages of streams, stream by stream.
    pub consumers: Vec<Consumer>,
    /// Who else gets a message.
    pub fan_outs: Vec<FanOut>,
    /// The names of the classes of requests.
    pub classes: Vec<String>,
    /// Delay of each message between a client and the backend.
    pub one_way: Option<Dist>,
    /// The paths of all actions, one after another, and then those of all consumers.
    pub program: Vec<Step>,
    /// Over which connections users send to a real cluster.
    pub connections: Connections,
    /// How many requests may be in flight together.
    pub max_in_flight: Option<MaxInFlight>,
    /// Words of the spec's own for what is sent to a real cluster.
    pub variables: Vec<Variable>,
    /// Where it comes from, if it was fitted.
    pub fitted: Option<Fitted>,
}

/// Where a fitted model comes from, as its spec has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fitted {
    /// What fitted it.
    pub by: String,
    /// The runs that it was fitted to.
    pub runs: Vec<String>,
    /// Their loads; absent where the spec does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loads: Option<String>,
    /// How well it explains them; absent where the spec does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<String>,
}

/// What bounds a run. At least one of `requests` and `horizon` is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The budget: how many requests may be intended, first ones and follow-ups together.
    pub requests: Option<NonZeroU64>,
    /// No request is intended after this instant.
    pub horizon: Option<Time>,
    /// The measured window starts at this instant.
    pub warmup: Time,
    /// Whether that instant is to be found by a pilot run; until it is, it is 0.
    pub find_warmup: bool,
    /// How long after the end of the load requests in flight may still finish.
    pub drain: Span,
}

/// A client: a population of users that behave alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its name in the spec.
    pub name: String,
    /// Members of the cohort: each is its own client, and all are one in what is reported.
    pub population: NonZeroU32,
    /// How the requests of a member come about.
    pub source: Source,
    /// Which action a request is.
    pub mix: Mix,
    /// How long a user waits for a reply, from the instant of sending.
    pub timeout: Option<Span>,
    /// What happens after a request that did not end as `ok`.
    pub on_failure: OnFailure,
    /// The class of its requests, where their action has none.
    pub class: Option<ClassId>,
    /// How many of its requests may be in flight together.
    pub max_in_flight: Option<MaxInFlight>,
    /// Over which connections its users send to a real cluster, if not over those of all.
    pub connections: Option<Connections>,
}

impl<P> Model<P> {
    /// The name of a consumer with that of its stream, which only together are unique: `audit/indexer`.
    pub fn consumer_name(&self, id: ConsumerId) -> String {
        let consumer = &self.consumers[id.index()];
        let stream = &self.streams[consumer.stream.index()].name;
        format!("{stream}/{}", consumer.name)
    }

    /// The names of all consumers, each with that of its stream, in their order.
    pub fn consumer_names(&self) -> impl Iterator<Item = String> {
        let ids = (0u16..).map(ConsumerId).zip(&self.consumers);
        ids.map(|(id, _)| self.consumer_name(id))
    }

    /// Whether requests wait where as many are in flight as may be.
    pub fn holds_back(&self) -> bool {
        let own = self.clients.iter().map(|client| client.max_in_flight);
        let mut limits = own.chain([self.max_in_flight]).flatten();
        limits.any(MaxInFlight::delays)
    }
}

impl Client {
    /// Closed users of all members together; 0 for an open client.
    pub fn closed_users(&self) -> u64 {
        match &self.source {
            Source::Closed { concurrency, .. } => {
                u64::from(concurrency.get()) * u64::from(self.population.get())
            }
            Source::Open { .. } => 0,
        }
    }
}

/// Where a client's requests come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Closed: number of users, each with at most one request in flight.
    Closed {
        /// How many users each member of the client has.
        concurrency: NonZeroU32,
        /// The time between a completion and the user's next request.
        think: Dist,
    },
    /// Open: sessions start on a schedule that does not wait for anything.
    Open {
        /// When sessions start.
        arrival: Arrival,
        /// How the rate changes over time; `None` is the same rate throughout, and what recordings and bursts have.
        shape: Option<Shape>,
        /// What a session is; `None` is a single request.
        session: Option<Session>,
    },
}

/// The process by which an open client's sessions arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// The n-th arrival (from 1) at n times the period, exactly, without accumulated rounding.
    Constant {
        /// Arrivals per second.
        rate: f64,
    },
    /// Independent inter-arrival times: Poisson when they are exponential.
    Renewal {
        /// Time between two arrivals, in nanoseconds.
        interarrival: Dist,
    },
    /// At recorded instants.
    Recorded(Recording),
    /// All at one instant.
    Burst {
        /// How many sessions start; at least 1.
        count: u64,
        /// When they start.
        at: Time,
    },
}

/// Arrivals that were recorded, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// When sessions start, ascending.
    pub times: Arc<[Time]>,
    /// What the requests of each session are; empty when the client's mix decides.
    pub actions: Arc<[ActionId]>,
}

impl Recording {
    /// The last arrival.
    pub fn end(&self) -> Time {
        self.times.last().copied().unwrap_or(Time::ZERO)
    }

    /// Mean arrivals per second from the start to the horizon, or to the last arrival without one.
    pub fn rate(&self, horizon: Option<Time>) -> f64 {
        let end = horizon.unwrap_or(self.end());
        let count = self.times.partition_point(|&time| time <= end);
        count as f64 * 1e9 / end.as_nanos().max(1) as f64
    }
}

impl Arrival {
    /// Whether it has a rate; recordings and bursts have instants instead.
    pub fn has_rate(&self) -> bool {
        match self {
            Arrival::Constant { .. } | Arrival::Renewal { .. } => true,
            Arrival::Recorded(_) | Arrival::Burst { .. } => false,
        }
    }

    /// How many arrivals it has in all; `None` where they do not end.
    pub fn count(&self) -> Option<u64> {
        match self {
            Arrival::Constant { .. } | Arrival::Renewal { .. } => None,
            Arrival::Recorded(recording) => Some(recording.times.len() as u64),
            Arrival::Burst { count, .. } => Some(*count),
        }
    }

    /// Mean arrivals per second from the start to the horizon: those of a stationary process at any time. Without a
    /// horizon, those of a recording up to its end, and those of a burst up to its instant, which counts as a second
    /// where it is earlier.
    pub fn mean_rate(&self, horizon: Option<Time>) -> f64 {
        match self {
            Arrival::Constant { .. } | Arrival::Renewal { .. } => self.rate(),
            Arrival::Recorded(recording) => recording.rate(horizon),
            Arrival::Burst { count, at } => {
                let end = horizon.unwrap_or(*at.max(&Time::from_nanos(1_000_000_000)));
                let arrived = if *at <= end { *count as f64 } else { 0.0 };
                arrived * 1e9 / end.as_nanos().max(1) as f64
            }
        }
    }

    /// Mean arrivals per second of a stationary process, or of all of a recording or a burst.
    pub fn rate(&self) -> f64 {
        match self {
            Arrival::Constant { rate } => *rate,
            Arrival::Renewal { interarrival } => 1e9 / interarrival.mean(),
            Arrival::Recorded(_) | Arrival::Burst { .. } => self.mean_rate(None),
        }
    }
}

/// A session of an open client: a number of rounds with think times between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// How many requests the session has.
    pub rounds: Rounds,
    /// The time between a completion and the session's next request.
    pub think: Dist,
}

/// The number of rounds of a session, at least 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Rounds {
    /// Always the same number.
    Constant(NonZeroU32),
    /// Each whole number from `min` to `max` equally likely.
    Uniform {
        /// Smallest number of rounds.
        min: NonZeroU32,
        /// Largest number of rounds.
        max: NonZeroU32,
    },
    /// A draw rounded to the nearest whole number, at least 1.
    Rounded(Dist),
}

/// A weighted choice of actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// The actions and their shares of the requests; the shares are positive and add up to 1.
    pub shares: Vec<(ActionId, f64)>,
}

/// What a user does when a request of its session ended as anything but `ok`.
#[derive(Debug, Clone, PartialEq)]
pub struct OnFailure {
    /// How often the same request is tried again before the session is cancelled.
    pub retries: u16,
    /// The time between a failure and the retry.
    pub backoff: Dist,
    /// Whether a closed user starts a new session after a cancelled one.
    pub respawn: bool,
}

/// An action: a kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct Action<P = Path> {
    /// Its name in the spec.
    pub name: String,
    /// What its requests do in the backend.
    pub path: P,
    /// Its objectives.
    pub slo: Slo,
    /// The class of its requests at services that serve by priority.
    pub class: Option<ClassId>,
    /// How long after its intended time a request is due, at services that serve by deadline; the client's timeout
    /// unless given.
    pub deadline: Option<Span>,
    /// What its requests take besides their replies before they are done.
    pub awaited: Option<Await>,
    /// How much its requests carry; `None` where the places of a text decide it.
    pub size: Option<Sizes>,
    /// How its requests are sent to a real cluster, where the spec says so.
    pub sending: Option<Sending>,
}

/// Service-level objectives of an action; a run is judged when there is at least one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slo {
    /// Limits on quantiles of the response time, ascending by quantile.
    pub quantiles: Vec<QuantileLimit>,
    /// Largest share of failed requests.
    pub errors: Option<f64>,
    /// The objectives of the deliveries that its requests await.
    pub deliveries: Option<Box<DeliveryLimits>>,
    /// The same of what users wait over all tries; without any of its own.
    pub overall: Option<Box<Slo>>,
}

impl Slo {
    /// Whether it has objectives on single tries.
    pub fn judges_tries(&self) -> bool {
        !self.quantiles.is_empty() || self.errors.is_some()
    }
}

/// A limit on one quantile of the response time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileLimit {
    /// The quantile, between 0 and 1.
    pub quantile: f64,
    /// Its largest allowed value.
    pub limit: Span,
}

/// A step of a path. Targets are positions in [`Model::program`].
///
/// The paths of other actions that an action calls stand where they are called. A cache is a branch.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Wait for a worker of a service and be served.
    Visit(Visit),
    /// The worker of the innermost visit that holds one is let go.
    Release,
    /// Wait, without a worker.
    Delay(Dist),
    /// Answer the user with `ok`; the rest of the path goes on without it.
    Reply,
    /// Answer the user with a failure, unless it has an answer; the path ends, and every worker that it holds is let go.
    Fail(Failure),
    /// Go on at one of these positions: (cumulative share, target); the last share is 1.
    Branch(Vec<(f64, u32)>),
    /// Go several ways at once.
    Fork {
        /// Where the arms start; each ends with [`Step::End`]. No arm answers the user.
        arms: Vec<u32>,
        /// What the path waits for before it goes on with the next step.
        join: Join,
    },
    /// Append a message to a stream.
    Publish {
        /// The stream.
        stream: StreamId,
        /// The subject of the message, by which a real stream knows it.
        subject: String,
        /// Whether the path waits until the message is stored.
        acknowledged: bool,
        /// The consumers whose filters match its subject; ascending.
        consumers: Vec<ConsumerId>,
    },
    /// Send a message to all subscribers of a fan-out; the path goes on at once.
    Emit(FanOutId),
    /// Go on at another position.
    Jump(u32),
    /// The path, or the arm of a fork, is done.
    End,
}

/// A visit of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Which service.
    pub service: ServiceId,
    /// Its service time where it is not the service's own.
    pub time: Option<Dist>,
    /// Whether the worker is held, after the service time, until the matching [`Step::Release`].
    pub holds: bool,
}

/// What a path that goes several ways at once waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Until all arms are done; a failure of an arm is a failure of the path.
    All,
    /// Until one arm is done, which decides; the others go on for themselves.
    First,
    /// For nothing; what becomes of the arms does not concern the path.
    None,
}

/// How a path can fail on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The service answers with an error.
    AppError,
    /// Refused by admission.
    Rejected,
    /// Nobody answers, or the connection breaks.
    TransportError,
}

/// A service: members of a queue group, each with its workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name in the spec.
    pub name: String,
    /// Members of the queue group, with their workers and speeds.
    pub members: Members,
    /// How a request finds its member.
    pub dispatch: Dispatch,
    /// Service time of a visit, but for what the size of the request adds.
    pub time: Dist,
    /// Nanoseconds that each byte of a request adds to its service time.
    pub per_byte: Option<f64>,
    /// How many requests may wait in one queue; unlimited when absent. There is a queue per member, or one
    /// for the service when dispatch is shared.
    pub queue_limit: Option<u32>,
    /// Share of the visits that end in an error after their service time.
    pub errors: f64,
    /// What happens to work whose client has given up.
    pub on_timeout: OnTimeout,
    /// Who is served next.
    pub order: Order,
    /// How the service time grows with the number of busy workers of a queue; does not go with [`Order::Shared`].
    pub load: Option<LoadCurve>,
    /// How the service time falls to what it is after a start.
    pub cold_start: Option<ColdStart>,
    /// Who is let in.
    pub admission: Admission,
    /// When the service or a member of it is down; ascending, without overlap for any member.
    pub outages: Vec<Outage>,
    /// When it is slower; ascending, without overlap for any member.
    pub slow_downs: Vec<SlowDown>,
    /// When it makes more errors; ascending, without overlap.
    pub error_bursts: Vec<ErrorBurst>,
}

impl Service {
    /// Workers of all members together.
    pub fn servers(&self) -> u64 {
        self.members.workers()
    }

    /// How many queues there are, which deliveries of streams are asked for: one for each member, or one for all.
    pub fn lines(&self) -> u32 {
        match self.dispatch {
            Dispatch::Shared => 1,
            Dispatch::Random | Dispatch::LeastLoaded => self.members.count(),
        }
    }

    /// The workers of each queue.
    pub fn workers_of_lines(&self) -> impl Iterator<Item = u64> {
        let shared = self.dispatch == Dispatch::Shared;
        let one = shared.then(|| self.servers());
        let each = (!shared).then(|| self.members.each());
        let each = each.into_iter().flatten();
        one.into_iter()
            .chain(each.map(|member| u64::from(member.workers.get())))
    }

    /// The workers of the queue that has the fewest.
    pub fn fewest_workers_of_a_line(&self) -> u64 {
        match self.dispatch {
            Dispatch::Shared => self.servers(),
            _ => u64::from(self.members.fewest_workers().get()),
        }
    }

    /// The workers of the queue that has the most.
    pub fn most_workers_of_a_line(&self) -> u64 {
        match self.dispatch {
            Dispatch::Shared => self.servers(),
            _ => u64::from(self.members.most_workers().get()),
        }
    }

    /// Whether all queues have as many workers and service times are those of the service.
    pub fn is_even(&self) -> bool {
        self.members.are_plain() || (self.lines() == 1 && self.members.have_no_speed())
    }

    /// The mean of what the speeds of members multiply service times by.
    pub fn slowness(&self) -> f64 {
        match self.dispatch {
            Dispatch::Random => self.members.slowness_of_equal_shares(),
            Dispatch::Shared | Dispatch::LeastLoaded => self.members.slowness_of_fair_shares(),
        }
    }
}

/// How a request finds a member of the queue group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// A member drawn at random, busy or not, as NATS queue groups do.
    Random,
    /// All members take from one queue, as pull consumers do.
    Shared,
    /// The member with the fewest requests present; the first of equals.
    LeastLoaded,
}

/// What happens to work whose client has given up waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// It waits and runs as if nothing had happened.
    Stay,
    /// Waiting work leaves the queue; running work goes on.
    Leave,
    /// Waiting work leaves the queue and running work stops.
    Abandon,
}

/// Who is served next.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Order {
    /// Who came first.
    #[default]
    Fifo,
    /// The most urgent class first; within a class, who came first.
    Priority {
        /// The rank of each class, by [`ClassId`]; 0 is the most urgent. Requests of no class come last.
        ranks: Vec<u16>,
        /// Waiting time that raises a request by one rank [default: unlimited].
        ageing: Option<Span>,
        /// Whether a request stops a less urgent one, which goes on later from where it was.
        preemptive: bool,
    },
    /// Whose deadline is the earliest; those without one last.
    Deadline,
    /// Start-time fair queueing between clients, each with its weight, by [`ClientId`].
    Fair {
        /// The clients' weights, positive.
        weights: Vec<f64>,
    },
    /// Processor sharing: all that are let in are served at once, each at an equal share of the workers and none faster
    /// than one worker.
    Shared {
        /// How many are served at once by a member; the others wait, first-in, first-out. Never below the workers.
        limit: Option<NonZeroU32>,
    },
}

/// After the start of a run and after an outage, service times have a factor that falls linearly to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColdStart {
    /// The factor at the start, above 1.
    pub factor: f64,
    /// How long it takes to fall to 1.
    pub lasts: Span,
}

/// Admission control of a service; other visits are `rejected`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Admission {
    /// A bucket of tokens, full at the start, of which every visit takes one.
    pub tokens: Option<TokenBucket>,
    /// How many may wait or be served at the whole service.
    pub in_flight: Option<NonZeroU32>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenBucket {
    /// Time in which a token comes; above zero.
    pub period: Span,
    /// How many tokens the bucket holds.
    pub burst: NonZeroU32,
}

/// A time in which a service or one member of it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub to: Time,
    /// Number of the member, from 0 [default: all]. Only if members have their own queues.
    pub member: Option<u32>,
    /// What being down means.
    pub down: Down,
}

/// What being down means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Down {
    /// The process is gone: what waits or runs there is lost as a transport error, other members get what would have
    /// come to it, and when there is none, requests end as transport errors. Messages of streams are not lost.
    Gone,
    /// The process hangs: what runs is finished, nothing else is taken up until the end of the outage.
    Hung,
}

/// A time in which service times are longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowDown {
    /// When it begins: for work taken up from this instant on.
    pub from: Time,
    /// When it is over: for work taken up before this instant.
    pub to: Time,
    /// Number of the member, from 0 [default: all].
    pub member: Option<u32>,
    /// The factor of the service time, positive.
    pub factor: f64,
}

/// A time in which the share of errors is another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorBurst {
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub to: Time,
    /// The share of the visits that end in an error.
    pub share: f64,
}

/// A stream: a log of messages, each of which every consumer whose filter matches works on.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Its name in the spec.
    pub name: String,
    /// Time from a publication until the message is stored and acknowledged to its publisher.
    pub append: Dist,
    /// A message with the id of one that was stored no longer ago than this is acknowledged and not stored. The id is
    /// that of the request and of the publishing step: a retry of a request publishes under the same ids.
    pub duplicate_window: Option<Span>,
}

/// A consumer of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumer {
    /// Its name in the spec, unique within its stream.
    pub name: String,
    /// Whose messages it gets.
    pub stream: StreamId,
    /// Their subjects [default: all].
    pub filter: Vec<String>,
    /// Where the path of a delivery, or of a batch, starts in [`Model::program`]: a visit of its service that holds the
    /// worker, the steps meanwhile, the release, the end. The end is the acknowledgement, a failure is a nak.
    pub entry: u32,
    /// The service of that visit.
    pub service: ServiceId,
    /// Class of its work [default: that of the publishing client].
    pub class: Option<ClassId>,
    /// How many messages may be delivered and not yet acknowledged.
    pub max_ack_pending: NonZeroU32,
    /// How many deliveries, or batches, each member of the service asks for beyond its workers.
    pub prefetch: u32,
    /// A message that is not acknowledged in this time is delivered again, whatever became of the delivery before.
    pub ack_wait: Span,
    /// Maximum number of deliveries of a message [default: unlimited].
    pub max_deliver: Option<NonZeroU32>,
    /// What happens to a message that was delivered as often as may be.
    pub exhausted: Exhausted,
    /// Time from a nak to the next delivery, by the number of deliveries so far; the last entry stands for all further
    /// ones. Empty: at once.
    pub nak_delay: Vec<Span>,
    /// Messages are worked on together.
    pub batch: Option<Batch>,
    /// Largest allowed growth of the backlog, in messages per second.
    pub growth_limit: Option<f64>,
    /// Whether the backlog may not grow by more than chance explains.
    pub no_growth: bool,
}

impl Consumer {
    /// Whether it has objectives on its backlog.
    pub fn is_judged(&self) -> bool {
        self.growth_limit.is_some() || self.no_growth
    }
}

/// What happens to a message that was delivered as often as may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Exhausted {
    /// It is given up, and counted.
    Drop,
    /// It is counted and published to another stream, for these consumers of it.
    Publish(StreamId, Vec<ConsumerId>),
}

/// Messages that are worked on together: one visit, whose service time is the cost of the batch and of each message.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// How many messages at most; at most the consumer's `max_ack_pending`.
    pub size: NonZeroU32,
    /// How long after its first message a batch is closed, full or not; a batch that is closed only by its size unless
    /// given. A batch whose size is the largest count there is needs one.
    pub linger: Option<Span>,
    /// Cost of a batch.
    pub per_batch: Dist,
    /// Cost of each message in it.
    pub per_item: Dist,
}

/// A fan-out: a message to many subscribers.
#[derive(Debug, Clone, PartialEq)]
pub struct FanOut {
    /// Its name in the spec.
    pub name: String,
    /// How many subscribers; a draw is rounded to a whole number.
    pub subscribers: Dist,
    /// Time of a delivery on its way.
    pub delay: Dist,
    /// Time that the server spends on each delivery, one after another.
    pub each: Span,
    /// Share of deliveries that are lost.
    pub loss: f64,
    /// A delivery that comes later than this after the emission does not count towards the completion ratio.
    pub within: Option<Span>,
    /// The service that each delivery queues for, on the side of the subscribers.
    pub service: Option<ServiceId>,
}
