//! Requests of users go to the transport, and their wake-ups wait in a calendar.
//!
//! The calendar is that of the simulation: entries of one time keep the order in which they were added.

use blis_sim::engine::{Calendar, World};
use blis_sim::event::{Details, Event, FlightId, Outcome, Request, Sink};
use blis_sim::time::{Span, Time};
use blis_sim::users::Wake;
use blis_sim::users::mailbox::Key;

use crate::wire::publications::{Place, over};
use crate::wire::reason::{Ending, Reason, Reasons, outcome_of};
use crate::wire::transport::{Sent, Transport};

/// How long it takes to find out that a connection is down: a user that sends again at once does so a few times a second,
/// and not as often as the machine can.
const NO_CONNECTION: Span = Span::from_nanos(100_000_000);

/// What the driver is to do at an instant. Of one instant it is done in the order in which it was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    /// A user wants to be woken, as of `due`.
    Wake {
        /// When it should happen.
        due: Time,
        /// Who asked.
        wake: Wake,
    },
    /// It is found out that a request has no connection.
    Unsent(FlightId),
}

/// The live world: a transport, and what is to be done later.
pub(super) struct Live<T> {
    pub(super) transport: T,
    pub(super) timers: Calendar<Timer>,
    /// The instant of the last timer taken, before which none can be set.
    pub(super) taken: Time,
    /// Why requests failed so far.
    pub(super) reasons: Reasons,
    /// Where the request is that was just sent and waits for nothing.
    pub(super) granted: Option<Place>,
}

impl<T> Live<T> {
    /// A request ends so: counts and tells why.
    pub(super) fn count<S: Sink>(
        &mut self,
        at: Time,
        flight: FlightId,
        ending: Ending,
        sink: &mut S,
    ) {
        self.reasons.count(ending);
        if let Err(reason) = ending {
            let details = &Details::failed(reason);
            sink.record(at, Event::Details { flight, details });
        }
    }

    /// Sets a timer. What should have happened before is due at once.
    fn set(&mut self, at: Time, timer: Timer) {
        self.timers.push(at.max(self.taken), timer);
    }

    /// Takes the next timer, if it is due.
    pub(super) fn take_due(&mut self, now: Time) -> Option<(Time, Timer)> {
        if self.timers.next_time() > now {
            return None;
        }
        let (at, timer) = self.timers.take()?;
        self.taken = at;
        Some((at, timer))
    }
}

impl<T: Transport> World for Live<T> {
    fn send<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        request: &Request,
        _deadline: Time,
        sink: &mut S,
    ) -> Option<Outcome> {
        match self.transport.send(now, flight, request) {
            Sent::Done(ending) => {
                self.count(now, flight, ending, sink);
                Some(outcome_of(ending))
            }
            Sent::Taken(place) => {
                self.granted = Some(place);
                Some(Outcome::Ok)
            }
            Sent::Waiting(connection) => {
                let details = &over(connection);
                sink.record(now, Event::Details { flight, details });
                None
            }
            Sent::Awaits(connection) => {
                let details = &over(connection);
                sink.record(now, Event::Details { flight, details });
                Some(Outcome::Ok)
            }
            Sent::NoConnection => {
                self.set(now + NO_CONNECTION, Timer::Unsent(flight));
                None
            }
        }
    }

    fn wake_at(&mut self, at: Time, wake: Wake) {
        self.set(at, Timer::Wake { due: at, wake });
    }

    fn gave_up<S: Sink>(&mut self, _now: Time, _flight: FlightId, _sink: &mut S) {}
    fn key(&mut self, flight: FlightId) -> Option<Key> {
        self.transport.key(flight)
    }

    fn dropped(&mut self, _request: &Request) {
        self.reasons.count(Err(Reason::OverInFlightLimit));
    }
}
