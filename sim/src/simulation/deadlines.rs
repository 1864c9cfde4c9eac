//! The deadlines of requests with one timeout.
//!
//! Timeouts of one length come due in the order in which they are set. So they stand in a ring, in which a request that is
//! done stays until it comes to the front, or until the ring is full: to set one and to forget one take amortised constant
//! time, and the ring is at most four times as long as the requests in flight are many, or 64.

use crate::event::FlightId;
use crate::time::{Span, Time};

/// The length of a ring to begin with: a power of two, like every length.
const SHORTEST: usize = 64;

/// The requests of one timeout by their deadlines; the first is in flight, others may be done.
#[derive(Debug, Clone)]
pub(super) struct Deadlines {
    timeout: Span,
    /// The earliest deadline, or [`Time::NEVER`].
    first: Time,
    ring: Vec<FlightId>,
    /// The places of the first and behind the last, counted on without end.
    head: usize,
    tail: usize,
}

impl Deadlines {
    pub(super) fn new(timeout: Span) -> Deadlines {
        Deadlines {
            timeout,
            first: Time::NEVER,
            ring: vec![FlightId::default(); SHORTEST],
            head: 0,
            tail: 0,
        }
    }

    pub(super) fn timeout(&self) -> Span {
        self.timeout
    }

    /// The earliest deadline, or [`Time::NEVER`].
    #[inline(always)]
    pub(super) fn first(&self) -> Time {
        self.first
    }

    /// Whose deadline is the earliest.
    pub(super) fn first_due(&self) -> Option<FlightId> {
        (self.head != self.tail).then(|| self.at(self.head))
    }

    #[inline(always)]
    fn at(&self, place: usize) -> FlightId {
        self.ring[place & (self.ring.len() - 1)]
    }

    /// Sets the timeout of a request that is sent now. Where there is no place for it, those are left out that
    /// `in_flight` does not know.
    #[inline(always)]
    pub(super) fn set(&mut self, now: Time, id: FlightId, in_flight: impl Fn(FlightId) -> bool) {
        if self.head == self.tail {
            self.first = now + self.timeout;
        } else if self.tail - self.head == self.ring.len() {
            self.make_room(in_flight);
        }
        let place = self.tail & (self.ring.len() - 1);
        self.ring[place] = id;
        self.tail += 1;
    }

    #[cold]
    fn make_room(&mut self, in_flight: impl Fn(FlightId) -> bool) {
        let kept = (self.head..self.tail).map(|place| self.at(place));
        let mut kept: Vec<FlightId> = kept.filter(|id| in_flight(*id)).collect();
        (self.head, self.tail) = (0, kept.len());
        let length = (2 * kept.len()).next_power_of_two().max(SHORTEST);
        kept.resize(length, FlightId::default());
        self.ring = kept;
    }

    /// A request is done. `sent` tells when a request was sent that is still in flight. Whether the earliest deadline is another
    /// one now.
    #[inline(always)]
    pub(super) fn forget(&mut self, id: FlightId, sent: impl Fn(FlightId) -> Option<Time>) -> bool {
        if self.at(self.head) != id {
            return false;
        }
        self.first = loop {
            self.head += 1;
            if self.head == self.tail {
                break Time::NEVER;
            }
            if let Some(sent) = sent(self.at(self.head)) {
                break sent + self.timeout;
            }
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::random::{Key, Kind, Purpose};

    #[test]
    fn the_first_deadline_is_that_of_the_oldest_request_in_flight() {
        let key = Key::new(5, Kind::Statistic, "deadlines", Purpose::Value);
        let timeout = Span::from_nanos(100);
        for most in [1, 3, 40, 1000] {
            let mut deadlines = Deadlines::new(timeout);
            let mut sent: BTreeMap<u64, Time> = BTreeMap::new();
            for step in 0..20_000u64 {
                let now = Time::from_nanos(step);
                let mut draw = key.draw(most, step);
                if (sent.len() as u64) < draw.below(most + 1) {
                    let id = FlightId::from_bits(step);
                    sent.insert(step, now);
                    deadlines.set(now, id, |id| sent.contains_key(&id.to_bits()));
                } else if !sent.is_empty() {
                    let nth = draw.below(sent.len() as u64) as usize;
                    let id = *sent.keys().nth(nth).expect("so many are in flight");
                    sent.remove(&id);
                    let first = deadlines.first();
                    let another = deadlines.forget(FlightId::from_bits(id), |id| {
                        sent.get(&id.to_bits()).copied()
                    });
                    assert_eq!(another, deadlines.first() != first);
                }
                let oldest = sent.first_key_value();
                let due = oldest.map_or(Time::NEVER, |(_, sent)| *sent + timeout);
                assert_eq!(deadlines.first(), due);
                let first = deadlines.first_due().map(FlightId::to_bits);
                assert_eq!(first, oldest.map(|(id, _)| *id));
                assert!(deadlines.ring.len() <= (4 * most as usize).max(SHORTEST));
            }
        }
    }
}
