//! Services: members of queue groups with their workers and queues, and what disturbs them.

use std::num::NonZeroU32;

use super::load_curve::LoadCurve;
use super::members::Members;
use crate::dist::Dist;
use crate::time::{Span, Time};

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
        /// The rank of each class, by [`ClassId`](super::ClassId); 0 is the most urgent. Requests of no class come last.
        ranks: Vec<u16>,
        /// Waiting time that raises a request by one rank [default: unlimited].
        ageing: Option<Span>,
        /// Whether a request stops a less urgent one, which goes on later from where it was.
        preemptive: bool,
    },
    /// Whose deadline is the earliest; those without one last.
    Deadline,
    /// Start-time fair queueing between clients, each with its weight, by [`ClientId`](super::ClientId).
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
