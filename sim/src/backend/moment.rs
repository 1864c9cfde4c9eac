//! A time at which something happens in a backend.

use crate::engine::{Calendar, Task};
use crate::event::{Event, FlightId, Sink, VisitStep};
use crate::model::ServiceId;
use crate::time::Time;

/// A time at which something happens: when, what is to come of it, and who hears of it.
pub(crate) struct Moment<'a, S> {
    pub(crate) now: Time,
    pub(crate) calendar: &'a mut Calendar<Task>,
    pub(crate) sink: &'a mut S,
}

impl<S: Sink> Moment<'_, S> {
    /// Reports what happened to a visit.
    pub(crate) fn record(
        &mut self,
        visitor: u32,
        flight: FlightId,
        service: ServiceId,
        line: u32,
        step: VisitStep,
    ) {
        let event = Event::Visit {
            service,
            line,
            visitor,
            flight,
            step,
        };
        self.sink.record(self.now, event);
    }
}

/// Does what seldom happens, out of the way of what happens all the time: that has its values in registers, and only here they
/// become a [`Moment`].
#[cold]
#[inline(never)]
pub(crate) fn seldom<S: Sink, R>(
    now: Time,
    calendar: &mut Calendar<Task>,
    sink: &mut S,
    what: impl FnOnce(&mut Moment<'_, S>) -> R,
) -> R {
    what(&mut Moment {
        now,
        calendar,
        sink,
    })
}
