//! What is fixed of a client while a run lasts: its keys, and how its draws are made.

use crate::dist::Dist;
use crate::model::{self, ActionId, Arrival, Client, Model, OnFailure, Rounds, Source};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};

/// A client with the keys of its draws.
#[derive(Debug, Clone)]
pub(super) struct Population {
    source: Source,
    /// The last action of the mix, and the cumulative shares of those before it.
    last: ActionId,
    others: Vec<(ActionId, f64)>,
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
        Population {
            source: client.source.clone(),
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

    /// The number of users of a closed client, 0 for an open one.
    pub(super) fn concurrency(&self) -> u32 {
        match &self.source {
            Source::Closed { concurrency, .. } => concurrency.get(),
            Source::Open { .. } => 0,
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

    /// When a closed user sends its first request: users are spread evenly over the mean think time.
    pub(super) fn first_request(&self, user: u32) -> Time {
        match &self.source {
            Source::Closed { concurrency, think } => {
                let mean = u128::from(Span::from_nanos_f64(think.mean()).as_nanos());
                let nanos = u128::from(user) * mean / u128::from(concurrency.get());
                Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            Source::Open { .. } => Time::NEVER,
        }
    }

    /// The instant of arrival number `nth` (from 1) of an open client, given the one before.
    pub(super) fn next_arrival(&self, nth: u64, previous: Time) -> Time {
        match &self.source {
            Source::Closed { .. } => Time::NEVER,
            Source::Open {
                arrival: Arrival::Constant { rate },
                ..
            } => Time::ZERO + Span::from_nanos_f64(nth as f64 * 1e9 / rate),
            Source::Open {
                arrival: Arrival::Renewal { interarrival },
                ..
            } => previous + interarrival.sample_span(&mut self.arrival.draw(0, nth)),
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
        match self.others.is_empty() {
            true => self.last,
            false => self.choose_among(user, number),
        }
    }

    fn choose_among(&self, user: u64, number: u64) -> ActionId {
        let unit = self.choice.draw(user, number).unit();
        let chosen = self.others.iter().find(|(_, upto)| unit < *upto);
        chosen.map_or(self.last, |(action, _)| *action)
    }
}
