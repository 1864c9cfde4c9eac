//! The model: a spec lowered to what an engine can run.
//!
//! Names have become indices, paths one flat program, percentages shares and distributions checked samplers.
//! A [`Model`] is always runnable: whatever could be wrong with a spec was found before it came to be, in
//! [`lower`](crate::spec::lower). Nothing in it changes during a run, and both worlds read the same one.

use std::num::{NonZeroU32, NonZeroU64};

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
}

/// Everything a run needs to know, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The spec's name.
    pub name: String,
    /// Seed of every draw.
    pub seed: u64,
    /// What ends the load, and what is measured of it.
    pub limits: Limits,
    /// Who sends requests; never empty.
    pub clients: Vec<Client>,
    /// What requests are; never empty.
    pub actions: Vec<Action>,
    /// What requests visit.
    pub services: Vec<Service>,
    /// Delay of each message between a client and the backend.
    pub one_way: Option<Dist>,
    /// The paths of all actions, one after the other.
    pub program: Vec<Step>,
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
    /// How its requests come about.
    pub source: Source,
    /// Which action a request is.
    pub mix: Mix,
    /// How long a user waits for a reply, from the instant of sending.
    pub timeout: Option<Span>,
    /// What happens after a request that did not end as `ok`.
    pub on_failure: OnFailure,
}

/// Where a client's requests come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Closed: so many virtual users, each with at most one request in flight.
    Closed {
        /// How many users.
        concurrency: NonZeroU32,
        /// The time between a completion and the user's next request.
        think: Dist,
    },
    /// Open: sessions start on a schedule that does not wait for anything.
    Open {
        /// When sessions start.
        arrival: Arrival,
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
}

impl Arrival {
    /// Mean arrivals per second.
    pub fn rate(&self) -> f64 {
        match self {
            Arrival::Constant { rate } => *rate,
            Arrival::Renewal { interarrival } => 1e9 / interarrival.mean(),
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
pub struct Action {
    /// Its name in the spec.
    pub name: String,
    /// Where its path starts in [`Model::program`].
    pub entry: u32,
    /// What is promised of it.
    pub slo: Slo,
}

/// Service-level objectives of an action; a run is judged when there is at least one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slo {
    /// Limits on quantiles of the response time, ascending by quantile.
    pub quantiles: Vec<QuantileLimit>,
    /// Largest share of failed requests.
    pub errors: Option<f64>,
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
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Wait for a worker of a service and be served.
    Visit(ServiceId),
    /// Wait, without a worker.
    Delay(Dist),
    /// Answer the user with `ok`; the rest of the path goes on without it.
    Reply,
    /// Answer the user with a failure; the path ends.
    Fail(Failure),
    /// Go on at one of these positions: (cumulative share, target); the last share is 1.
    Branch(Vec<(f64, u32)>),
    /// Go on at another position.
    Jump(u32),
    /// The path is done.
    End,
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
    /// Members of the queue group.
    pub members: NonZeroU32,
    /// Workers of each member: how many requests it serves at a time.
    pub workers: NonZeroU32,
    /// How a request finds its member.
    pub dispatch: Dispatch,
    /// Service time of a visit.
    pub time: Dist,
    /// How many requests may wait in one line; unlimited when absent. There is a line per member, or one
    /// for the service when dispatch is shared.
    pub queue_limit: Option<u32>,
    /// Share of the visits that end in an error after their service time.
    pub errors: f64,
    /// What becomes of work whose client has given up.
    pub on_timeout: OnTimeout,
}

impl Service {
    /// Workers of all members together.
    pub fn servers(&self) -> u64 {
        u64::from(self.members.get()) * u64::from(self.workers.get())
    }
}

/// How a request finds a member of the queue group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// A member drawn at random, busy or not, as NATS queue groups do.
    Random,
    /// All members take from one line, as pull consumers do.
    Shared,
    /// The member with the fewest requests present; the first of equals.
    LeastLoaded,
}

/// What becomes of work whose client has given up waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// It waits and runs as if nothing had happened.
    Stay,
    /// Waiting work leaves the line; running work goes on.
    Leave,
    /// Waiting work leaves the line and running work stops.
    Abandon,
}
