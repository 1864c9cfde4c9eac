//! What happens during a run, as typed events: requests, sessions and visits.
//!
//! Users and worlds report every event to a [`Sink`] as it happens. Measurement, traces and tests are sinks;
//! none of them can change what happens.

mod request;

pub use request::{Outcome, Request, SessionEnd, UserId};

use crate::model::{ClientId, ServiceId};
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
        /// When it was sent.
        sent: Time,
        /// How it ended.
        outcome: Outcome,
    },
    /// A reply came after its client had given up.
    LateReply,
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
        /// The waiting line: a member's, or the one of the service.
        line: u32,
        /// The visitor, while it is there; numbers are used again.
        visitor: u32,
        /// What happened.
        step: VisitStep,
    },
}

/// What can happen to a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitStep {
    /// It joined the line.
    Joined,
    /// It found an idle worker and never was in the line.
    TakenAtOnce,
    /// A worker took it up from the line.
    Started {
        /// How long it waited.
        waited: Span,
    },
    /// It was served to the end.
    Completed {
        /// How long the worker was busy with it.
        served: Span,
        /// Whether it ended in an injected error.
        error: bool,
    },
    /// The line was full; it never joined.
    Rejected,
    /// It left the line because its client had given up.
    Left {
        /// How long it waited.
        waited: Span,
    },
    /// It was stopped while it ran because its client had given up.
    Abandoned {
        /// How long the worker was busy with it.
        served: Span,
    },
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
