//! Clients: who sends requests, and what a user does next.

use std::num::NonZeroU32;

use super::arrival::Arrival;
use super::ids::{ActionId, ClassId};
use super::live::{Connections, MaxInFlight};
use super::shape::Shape;
use crate::dist::Dist;
use crate::time::Span;

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
