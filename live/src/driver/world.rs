//! What users send goes to the transport, and the wake-ups that they ask for wait for their time.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use blis_sim::engine::{FlightId, World};
use blis_sim::event::{Outcome, Request, Sink};
use blis_sim::time::{Span, Time};
use blis_sim::users::Wake;

use super::{Sent, Transport};
use crate::publications::Place;
use crate::reason::{Ending, Reason, Reasons, outcome_of};

/// How long it takes to find out that a connection is down: a user that sends again at once does so a few times a second,
/// and not as often as the machine can.
const NO_CONNECTION: Span = Span::from_nanos(100_000_000);

/// A wake-up that a user asked for. Of one instant they come in the order in which they were asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) at: Time,
    pub(super) order: u64,
    pub(super) wake: Wake,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The live world: a transport, and the wake-ups to come.
pub(super) struct Live<T> {
    pub(super) transport: T,
    pub(super) wakes: BinaryHeap<Reverse<Due>>,
    pub(super) asked: u64,
    /// Whether there may be no more requests in flight.
    pub(super) is_full: bool,
    /// Why requests failed so far.
    pub(super) reasons: Reasons,
    /// Where the request is that was just sent and waits for nothing.
    pub(super) taken: Option<Place>,
    /// Requests without a connection, with the instants at which that is found out.
    pub(super) unsent: VecDeque<(Time, FlightId)>,
}

impl<T> Live<T> {
    /// A request ends: its outcome.
    pub(super) fn ended(&mut self, ending: Ending) -> Outcome {
        self.reasons.count(ending);
        outcome_of(ending)
    }

    /// When somebody is to be woken next.
    pub(super) fn next_wake(&self) -> Time {
        self.wakes.peek().map_or(Time::NEVER, |due| due.0.at)
    }
}

impl<T: Transport> World for Live<T> {
    fn send<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        request: &Request,
        _deadline: Time,
        _sink: &mut S,
    ) -> Option<Outcome> {
        if self.is_full {
            return Some(self.ended(Err(Reason::OverInFlightLimit)));
        }
        match self.transport.send(now, flight, request) {
            Sent::Done(ending) => Some(self.ended(ending)),
            Sent::Taken(place) => {
                self.taken = Some(place);
                Some(Outcome::Ok)
            }
            Sent::Waiting => None,
            Sent::NoConnection => {
                self.unsent.push_back((now + NO_CONNECTION, flight));
                None
            }
        }
    }

    fn wake_at(&mut self, at: Time, wake: Wake) {
        if at < Time::NEVER {
            let order = self.asked;
            self.asked += 1;
            self.wakes.push(Reverse(Due { at, order, wake }));
        }
    }

    fn gave_up<S: Sink>(&mut self, _now: Time, flight: FlightId, _sink: &mut S) {
        self.transport.gave_up(flight);
    }
}
