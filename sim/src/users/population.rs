//! What is fixed of a client while a run lasts: its keys, and how its draws are made.

use std::sync::Arc;

use crate::dist::Dist;
use crate::model::{self, ActionId, Arrival, Client, Model, OnFailure, Rounds, Shape, Source};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};

/// Numbers of sessions that each member of an open client has before the next member's begin.
const SESSIONS_PER_MEMBER: u32 = 40;
/// The nearest nanosecond to `nth` periods of `rate` per second, which is finite and above zero; up to 26 days it may be
/// the one beside it when two are nearly as near.
#[inline]
fn evenly_spaced(nth: u64, rate: f64) -> Span {
    // Up to here the product is exact, and the quotient has more digits than a nanosecond needs.
    const EXACT: u64 = (1 << f64::MANTISSA_DIGITS) / 1_000_000_000;
    match nth <= EXACT && nth as f64 <= rate * LONGEST_EXACT {
        true => Span::from_nanos_f64(nth as f64 * 1e9 / rate),
        false => evenly_spaced_far(nth, rate),
    }
}

/// This many seconds have fewer nanoseconds than a float can add a half to: 2^51 of them, 26 days.
const LONGEST_EXACT: f64 = 2_251_799.0;

/// The same in whole numbers, for any instant the clock has.
#[cold]
fn evenly_spaced_far(nth: u64, rate: f64) -> Span {
    // The rate is mantissa * 2^exponent exactly.
    let bits = rate.to_bits();
    let biased = (bits >> 52) as i32 & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = match biased {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, biased - 1075),
    };
    let nanos = u128::from(nth) * 1_000_000_000;
    let quotient = match u32::try_from(-exponent) {
        // The instant is beyond the clock when the shift is beyond 128 bits: nanos / mantissa < 2^64 otherwise.
        Ok(shift) if shift <= nanos.leading_zeros() => {
            let (dividend, divisor) = (nanos << shift, u128::from(mantissa));
            let rest = dividend % divisor;
            dividend / divisor + u128::from(rest >= divisor - rest)
        }
        Ok(_) => u128::MAX,
        Err(_) => 0,
    };
    Span::from_nanos(u64::try_from(quotient).unwrap_or(u64::MAX))
}

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
    pub(super) fn new<P>(model: &Model<P>, client: &Client) -> Population {
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
            Source::Open { arrival, shape, .. } => {
                (Arc::default(), shape.is_none() && arrival.has_rate())
            }
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

    /// How many arrivals stand in the spec, by recordings and bursts.
    pub(super) fn given_arrivals(&self) -> u64 {
        match &self.source {
            Source::Open { arrival, .. } => arrival.count().unwrap_or(0),
            Source::Closed { .. } => 0,
        }
    }

    /// Whether a user tries a request again that failed.
    #[inline]
    pub(super) fn retries(&self) -> bool {
        self.on_failure.retries > 0
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

    /// Whether arrivals are those of a stationary process, which has a rate and no shape.
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
    /// the operational time of a shape. [`Time::NEVER`] after the last one of a recording or a burst.
    pub(super) fn next_arrival(&self, member: u32, nth: u64, previous: Time) -> Time {
        match &self.source {
            Source::Closed { .. } => Time::NEVER,
            Source::Open {
                arrival: Arrival::Constant { rate },
                ..
            } => Time::ZERO + evenly_spaced(nth, *rate),
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
            Source::Open {
                arrival: Arrival::Burst { count, at },
                ..
            } => match nth <= *count {
                true => *at,
                false => Time::NEVER,
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest whole number to `nth` seconds divided by a whole rate, in whole numbers.
    fn exact(nth: u64, rate: u64) -> Span {
        let nanos = u128::from(nth) * 1_000_000_000;
        let nearest = (2 * nanos + u128::from(rate)) / (2 * u128::from(rate));
        Span::from_nanos(u64::try_from(nearest).unwrap_or(u64::MAX))
    }

    #[test]
    fn evenly_spaced_arrivals_are_exact_however_many_there_are() {
        for rate in [1, 3, 7, 10, 999, 1_000, 12_345, 99_999_989, 100_000_000] {
            for power in 0..64 {
                for nth in [
                    1u64 << power,
                    (1 << power) - 1,
                    (1 << power) + 1,
                    (1 << power) / 3,
                ] {
                    let nearest = exact(nth, rate);
                    let far = evenly_spaced_far(nth, rate as f64);
                    assert_eq!(far, nearest, "{nth} at {rate}/s");
                    let near = evenly_spaced(nth, rate as f64);
                    let off = near.as_nanos().abs_diff(nearest.as_nanos());
                    assert!(off <= 1, "{nth} at {rate}/s: {near} and {nearest}");
                }
            }
        }
        // Rates that are no whole numbers: one in eight seconds, and the float nearest to a fifth, which is larger.
        assert_eq!(
            evenly_spaced(1_000_000_001, 0.125),
            Span::from_secs(8_000_000_008)
        );
        let fifth = evenly_spaced(600_000_000, 0.2);
        assert_eq!(fifth, Span::from_nanos(3_000_000_000_000_000_000 - 167));
        assert_eq!(evenly_spaced(u64::MAX, 1e-9), Span::MAX);
    }

    #[test]
    fn evenly_spaced_arrivals_do_not_go_back() {
        // Where the two ways of reckoning meet.
        for rate in [0.3, 4.1, 80.0, 99.9, 12_345.6] {
            let by_count = (1u64 << 53) / 1_000_000_000;
            let by_time = (rate * LONGEST_EXACT) as u64;
            for around in [by_count, by_time] {
                let mut last = Span::ZERO;
                for nth in around.saturating_sub(1_000).max(1)..around + 1_000 {
                    let at = evenly_spaced(nth, rate);
                    assert!(at > last, "{nth} at {rate}/s");
                    last = at;
                }
            }
        }
    }
}
