//! What is fixed of a client while a run lasts: its keys, and how its draws are made.

use std::sync::Arc;

use crate::dist::Dist;
use crate::model::{self, ActionId, Arrival, Client, Model, OnFailure, Rounds, Shape, Source};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};

/// Numbers of sessions that each member of an open client has before the next member's begin.
const SESSIONS_PER_MEMBER: u32 = 40;

/// A client with the keys of its draws.
#[derive(Debug, Clone)]
pub(super) struct Population {
    source: Source,
    members: u32,
    /// Whether arrivals are those of a stationary process.
    stationary: bool,
    /// Whether every request is of the action `last`.
    sole_action: bool,
    /// The last action of the mix, and the cumulative shares of those before it.
    last: ActionId,
    others: Vec<(ActionId, f64)>,
    /// The actions of a recording by the number of the session; empty when the mix decides.
    recorded_actions: Arc<[ActionId]>,
    pub(super) on_failure: OnFailure,
    single_shot: bool,
    arrival: Key,
    think: Key,
    choice: Key,
    rounds: Key,
    backoff: Key,
}

/// The number of rounds that stands for "without end": a closed user's session.
pub(super) const ENDLESS: u32 = u32::MAX;

impl Population {
    pub(super) fn new(model: &Model, client: &Client) -> Population {
        let key = |purpose| Key::new(model.seed, Kind::Client, &client.name, purpose);
        // Cumulative shares: one comparison per candidate when a choice is drawn.
        let mut total = 0.0;
        let mut others: Vec<(ActionId, f64)> = Vec::with_capacity(client.mix.shares.len());
        for &(action, share) in &client.mix.shares {
            total += share;
            others.push((action, total));
        }
        // A model's mix is never empty.
        let last = others.pop().map_or(ActionId(0), |(action, _)| action);
        let (recorded_actions, stationary) = match &client.source {
            Source::Open {
                arrival: Arrival::Recorded(recording),
                ..
            } => (recording.actions.clone(), false),
            Source::Open { shape, .. } => (Arc::default(), shape.is_none()),
            Source::Closed { .. } => (Arc::default(), true),
        };
        Population {
            source: client.source.clone(),
            members: client.population.get(),
            stationary,
            sole_action: others.is_empty() && recorded_actions.is_empty(),
            recorded_actions,
            last,
            others,
            on_failure: client.on_failure.clone(),
            single_shot: matches!(client.source, Source::Open { session: None, .. })
                && client.on_failure.retries == 0,
            arrival: key(Purpose::Arrival),
            think: key(Purpose::Think),
            choice: key(Purpose::Choice),
            rounds: key(Purpose::Rounds),
            backoff: key(Purpose::Backoff),
        }
    }

    /// The number of users of all members of a closed client, 0 for an open one.
    pub(super) fn closed_users(&self) -> u64 {
        match &self.source {
            Source::Closed { concurrency, .. } => {
                u64::from(concurrency.get()) * u64::from(self.members)
            }
            Source::Open { .. } => 0,
        }
    }

    /// The number of arrival processes: one for each member of an open client.
    pub(super) fn processes(&self) -> u32 {
        match &self.source {
            Source::Closed { .. } => 0,
            Source::Open { .. } => self.members,
        }
    }

    /// How many arrivals were recorded.
    pub(super) fn recorded_arrivals(&self) -> u64 {
        match &self.source {
            Source::Open {
                arrival: Arrival::Recorded(recording),
                ..
            } => recording.times.len() as u64,
            _ => 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.source, Source::Closed { .. })
    }

    /// Whether a session is one request that is not tried again.
    #[inline]
    pub(super) fn is_single_shot(&self) -> bool {
        self.single_shot
    }

    /// When a closed user sends its first request: the users of each member are spread evenly over the mean think time.
    pub(super) fn first_request(&self, user: u64) -> Time {
        match &self.source {
            Source::Closed { concurrency, think } => {
                let user = user % u64::from(concurrency.get());
                let mean = u128::from(Span::from_nanos_f64(think.mean()).as_nanos());
                let nanos = u128::from(user) * mean / u128::from(concurrency.get());
                Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            Source::Open { .. } => Time::NEVER,
        }
    }

    /// Whether arrivals are those of a stationary process, neither shaped nor recorded.
    #[inline]
    pub(super) fn is_stationary(&self) -> bool {
        self.stationary
    }

    /// The number of a member's session, unique within the client. It does not depend on how many members there are.
    #[inline]
    pub(super) fn session_number(member: u32, nth: u64) -> u64 {
        (u64::from(member) << SESSIONS_PER_MEMBER) + nth
    }

    /// The instant of arrival number `nth` (from 1) of a member's process, given the one before: on the clock, or in
    /// the operational time of a shape. [`Time::NEVER`] after the last one of a recording.
    pub(super) fn next_arrival(&self, member: u32, nth: u64, previous: Time) -> Time {
        match &self.source {
            Source::Closed { .. } => Time::NEVER,
            Source::Open {
                arrival: Arrival::Constant { rate },
                ..
            } => Time::ZERO + Span::from_nanos_f64(nth as f64 * 1e9 / rate),
            Source::Open {
                arrival: Arrival::Renewal { interarrival },
                ..
            } => {
                let mut draw = self.arrival.draw(u64::from(member), nth);
                previous + interarrival.sample_span(&mut draw)
            }
            Source::Open {
                arrival: Arrival::Recorded(recording),
                ..
            } => {
                let at = usize::try_from(nth - 1).ok();
                let time = at.and_then(|at| recording.times.get(at));
                time.copied().unwrap_or(Time::NEVER)
            }
        }
    }

    /// How the rate changes over time.
    pub(super) fn shape(&self) -> Option<&Shape> {
        match &self.source {
            Source::Open { shape, .. } => shape.as_ref(),
            Source::Closed { .. } => None,
        }
    }

    /// How many rounds the session of this user has.
    #[inline]
    pub(super) fn rounds(&self, user: u64) -> u32 {
        match &self.source {
            Source::Closed { .. } => ENDLESS,
            Source::Open { session: None, .. } => 1,
            Source::Open {
                session: Some(session),
                ..
            } => self.draw_rounds(&session.rounds, user),
        }
    }

    fn draw_rounds(&self, rounds: &Rounds, user: u64) -> u32 {
        let mut draw = self.rounds.draw(user, 0);
        match rounds {
            Rounds::Constant(rounds) => rounds.get(),
            Rounds::Uniform { min, max } => {
                let width = u64::from(max.get() - min.get()) + 1;
                // Below 2^32 because `max` is.
                min.get() + draw.below(width) as u32
            }
            Rounds::Rounded(dist) => {
                // A float-to-integer cast saturates; one less keeps the number apart from ENDLESS.
                ((dist.sample(&mut draw) + 0.5) as u32).clamp(1, ENDLESS - 1)
            }
        }
    }

    /// The time a user thinks after its request `number`.
    #[inline]
    pub(super) fn think(&self, user: u64, number: u64) -> Span {
        let think: &Dist = match &self.source {
            Source::Closed { think, .. } => think,
            Source::Open {
                session: Some(model::Session { think, .. }),
                ..
            } => think,
            Source::Open { session: None, .. } => return Span::ZERO,
        };
        think.sample_span(&mut self.think.draw(user, number))
    }

    /// The time a user waits before it tries its request `number` again.
    pub(super) fn backoff(&self, user: u64, number: u64, attempt: u16) -> Span {
        let identity = self.backoff.identity(user, number);
        let mut draw = self.backoff.draw(identity, u64::from(attempt));
        self.on_failure.backoff.sample_span(&mut draw)
    }

    /// The action of a user's request `number`.
    #[inline]
    pub(super) fn choose(&self, user: u64, number: u64) -> ActionId {
        match self.sole_action {
            true => self.last,
            false => self.choose_among(user, number),
        }
    }

    fn choose_among(&self, user: u64, number: u64) -> ActionId {
        if !self.recorded_actions.is_empty() {
            let session = usize::try_from(user).ok();
            let recorded = session.and_then(|session| self.recorded_actions.get(session));
            return recorded.copied().unwrap_or(self.last);
        }
        let unit = self.choice.draw(user, number).unit();
        let chosen = self.others.iter().find(|(_, upto)| unit < *upto);
        chosen.map_or(self.last, |(action, _)| *action)
    }
}
