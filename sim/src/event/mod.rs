//! What happens during a run, as typed events: requests, sessions and visits.
//!
//! Users and worlds report every event to a [`Sink`] as it happens. Measurement, traces and tests are sinks;
//! none of them can change what happens.

mod details;
mod flight;
mod reason;
mod request;

pub use details::{Details, MOST_BYTES, MOST_HEADERS, Reply, ReplyHeaders};
pub use flight::FlightId;
pub use reason::Reason;
pub use request::{Outcome, Request, SessionEnd, UserId};

use crate::model::{ActionId, ClientId, ConsumerId, FanOutId, ServiceId, StreamId};
use crate::time::{Span, Time};

/// One event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A user intends a request.
    Intended {
        /// The request.
        request: &'a Request,
    },
    /// A request ended.
    Done {
        /// The request.
        request: &'a Request,
        /// The id under which it was in flight.
        flight: FlightId,
        /// When it was sent.
        sent: Time,
        /// How it ended.
        outcome: Outcome,
    },
    /// A request of a user ended, all its tries together. Only for clients with retries.
    Settled {
        /// The last try.
        request: &'a Request,
        /// When the first try was intended.
        first: Time,
        /// How much later than they were intended the tries were sent, together.
        lag: Span,
        /// How the last try ended; unresolved where another one should have followed and the run was over.
        outcome: Outcome,
    },
    /// The first reply to a request came after the request had ended without one.
    LateReply,
    /// A further reply came to a request that had one.
    DuplicateReply,
    /// A session started.
    SessionStarted {
        /// Whose session.
        client: ClientId,
    },
    /// A session ended.
    SessionEnded {
        /// Whose session.
        client: ClientId,
        /// How.
        end: SessionEnd,
    },
    /// No request is intended after this instant.
    LoadEnded,
    /// Something happened to a visit of a service.
    Visit {
        /// Where.
        service: ServiceId,
        /// The queue: a member's, or the one of the service.
        line: u32,
        /// The visitor, while it is there; numbers are used again.
        visitor: u32,
        /// The request on whose behalf the visit is, which may have ended.
        flight: FlightId,
        /// What happened.
        step: VisitStep,
    },
    /// A message was published to a stream.
    Publication {
        /// Where.
        stream: StreamId,
        /// Whether it was stored; otherwise it was a duplicate.
        stored: bool,
    },
    /// Something happened to a message of a consumer.
    Message {
        /// Whose.
        consumer: ConsumerId,
        /// The request that published it, which may have ended.
        flight: FlightId,
        /// What happened.
        step: MessageStep,
    },
    /// A message of a fan-out reaches a subscriber.
    Delivery {
        /// Of which fan-out.
        fan_out: FanOutId,
        /// When, which may lie ahead.
        at: Time,
        /// When it was emitted.
        emitted: Time,
        /// When the request that emitted it was intended.
        intended: Time,
    },
    /// Something was delivered that a request awaited, or might have.
    Awaited {
        /// Whose requests are delivered there.
        action: ActionId,
        /// What it was.
        received: Received,
    },
    /// All that will come of an emission has come.
    Emission {
        /// Of which fan-out.
        fan_out: FanOutId,
        /// How it went.
        emission: Emission,
    },
    /// Something else is known of a request that has not ended, or whose end is told next.
    Details {
        /// The id under which it is in flight, or was.
        flight: FlightId,
        /// What is known, beside what was told before.
        details: &'a Details,
    },
}

/// What a delivery is to the requests that await some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// One of those that were to come.
    Delivered {
        /// When its request was intended.
        intended: Time,
        /// When its request was sent.
        sent: Time,
        /// Whether it is the first of its request.
        is_first: bool,
        /// Whether it is the last that was to come.
        is_last: bool,
    },
    /// More than was to come: the subscriber had its share, or had this very message.
    Duplicate {
        /// When its request was intended.
        intended: Time,
    },
    /// Its request had been given up.
    Late {
        /// When its request was intended.
        intended: Time,
    },
    /// It is for no request that is known, or is not what is awaited.
    Unmatched,
}

/// The result of a message that was sent to many subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emission {
    /// When the request that emitted it was intended.
    pub intended: Time,
    /// When it was emitted.
    pub emitted: Time,
    /// To how many subscribers.
    pub subscribers: u32,
    /// How many of them it reached.
    pub delivered: u32,
    /// How many of them it reached in time.
    pub in_time: u32,
    /// The first delivery.
    pub first: Option<Time>,
    /// The last delivery.
    pub last: Option<Time>,
    /// Whether the run ended before all that could come had come.
    pub cut: bool,
}

/// What can happen to a message of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageStep {
    /// It was stored: it is pending.
    Stored,
    /// It was delivered for the first time: it is no longer pending, but waits to be acknowledged.
    Delivered {
        /// How long it was pending.
        waited: Span,
    },
    /// It was delivered again.
    Redelivered,
    /// Its `ack_wait` ran out.
    Expired,
    /// Work on it failed.
    Naked,
    /// It was acknowledged.
    Acknowledged {
        /// Time since it was stored.
        age: Span,
        /// Time since its first delivery.
        held: Span,
    },
    /// A delivery of it was worked on although another one had been acknowledged, or it had been given up.
    Repeated,
    /// It was delivered as often as may be, and is given up.
    Exhausted {
        /// Time since it was stored.
        age: Span,
        /// Time since its first delivery.
        held: Span,
    },
    /// It was still pending when the run ended.
    CutPending {
        /// How long it was pending.
        waited: Span,
    },
    /// It was delivered and not acknowledged when the run ended.
    CutDelivered {
        /// Time since it was stored.
        age: Span,
        /// Time since its first delivery.
        held: Span,
    },
}

/// What can happen to a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitStep {
    /// It joined the queue.
    Joined,
    /// It found an idle worker and never was in the queue.
    TakenAtOnce,
    /// A worker took it up from the queue.
    Started {
        /// How long it waited.
        waited: Span,
    },
    /// Its own service time is over; the worker is held until it completes.
    Held {
        /// How long the worker was busy with it.
        served: Span,
    },
    /// A more urgent visit took its worker; it is in the queue again.
    Preempted {
        /// How long the worker was busy with it since it was taken up.
        served: Span,
    },
    /// It was served to the end.
    Completed {
        /// How long the worker was busy with it, or held, since it was taken up.
        served: Span,
        /// Whether it ended in an error: an injected one, or one of what it held the worker for.
        error: bool,
    },
    /// The queue was full, or admission refused it; it never joined.
    Rejected,
    /// The service, or every member of it, was down; it never joined.
    Unreachable,
    /// It left the queue because its client had given up.
    Left {
        /// How long it waited.
        waited: Span,
    },
    /// It was stopped while it ran because its client had given up.
    Abandoned {
        /// How long the worker was busy with it.
        served: Span,
    },
    /// It was lost while it waited, because the service went down.
    LostWaiting {
        /// How long it waited.
        waited: Span,
    },
    /// It was lost while it ran, because the service went down, or one that waited for it.
    LostRunning {
        /// How long the worker was busy with it, or held.
        served: Span,
    },
    /// One more worker is busy, at a service that is shared by all who are served.
    WorkerBusy,
    /// One worker fewer is busy, at a service that is shared by all who are served.
    WorkerIdle,
    /// It was still waiting when the run ended.
    CutWaiting {
        /// How long it waited.
        waited: Span,
    },
    /// It was still running when the run ended.
    CutRunning {
        /// How long the worker was busy with it.
        served: Span,
    },
}

/// Where events go.
pub trait Sink {
    /// Time moves to `now`: every event before it has been recorded. Called at least once per instant.
    fn advance(&mut self, now: Time);

    /// An event happened at `at`.
    fn record(&mut self, at: Time, event: Event<'_>);
}

/// A sink that is lent.
impl<S: Sink + ?Sized> Sink for &mut S {
    #[inline]
    fn advance(&mut self, now: Time) {
        (**self).advance(now);
    }

    #[inline]
    fn record(&mut self, at: Time, event: Event<'_>) {
        (**self).record(at, event);
    }
}

/// Two sinks that see the same events.
impl<A: Sink, B: Sink> Sink for (A, B) {
    #[inline]
    fn advance(&mut self, now: Time) {
        self.0.advance(now);
        self.1.advance(now);
    }

    #[inline]
    fn record(&mut self, at: Time, event: Event<'_>) {
        self.0.record(at, event);
        self.1.record(at, event);
    }
}

/// A sink that may not be there.
impl<S: Sink> Sink for Option<S> {
    #[inline]
    fn advance(&mut self, now: Time) {
        if let Some(sink) = self {
            sink.advance(now);
        }
    }

    #[inline]
    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Some(sink) = self {
            sink.record(at, event);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn events_know_the_model_and_time_and_none_of_those_that_report_them() {
        let sources = [
            include_str!("mod.rs"),
            include_str!("flight.rs"),
            include_str!("request.rs"),
        ];
        for line in sources.iter().flat_map(|source| source.lines()) {
            let Some(path) = line.strip_prefix("use crate::") else {
                continue;
            };
            let known = ["model", "time"];
            assert!(known.iter().any(|one| path.starts_with(one)), "{line}");
        }
    }
}
