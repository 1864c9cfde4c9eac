//! Traces: one row per request, in the order in which requests end.
//!
//! [`Trace`] is a [`Sink`] that hands each row on as it comes and keeps nothing. Both worlds end a request with the
//! same event, so rows mean the same in either; who writes them where is not decided here.

use crate::event::{Details, Event, Outcome, Reason, Request, Sink};
use crate::model::{ActionId, ClientId, Model};
use crate::time::{Span, Time};

/// The identifier of the columns of [`Row`] and of their meaning, which is described in `docs/reference/trace.md`.
pub const SCHEMA: &str = "blis.trace/1";

/// One request, from its intention to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The client.
    pub client: ClientId,
    /// The user's number within the client, or the session's.
    pub user: u64,
    /// The request's number within the user, from 0; retries have the number of what they retry.
    pub number: u64,
    /// Which try this is, from 0.
    pub attempt: u16,
    /// The action.
    pub action: ActionId,
    /// When it should have been sent.
    pub intended: Time,
    /// When it was sent.
    pub sent: Time,
    /// When it ended.
    pub done: Time,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was intended within the measured window.
    pub in_window: bool,
    /// Why it failed, where that is known.
    pub reason: Option<Reason>,
    /// The connection that it was sent over, from 0; of live runs alone.
    pub connection: Option<u32>,
    /// The bytes of the payload of its reply; of live runs alone.
    pub reply_bytes: Option<u32>,
}

impl Row {
    /// Of the request that ends with this event, in a run whose window starts at `warmup`; `None` of any other event.
    #[inline]
    pub fn ended(at: Time, event: Event<'_>, warmup: Time) -> Option<Row> {
        match event {
            Event::Done {
                request,
                sent,
                outcome,
                ..
            } => Some(Row::of(request, sent, at, outcome, warmup)),
            _ => None,
        }
    }

    /// Of a request that was sent and ended so, in a run whose window starts at `warmup`.
    #[inline]
    pub fn of(request: &Request, sent: Time, done: Time, outcome: Outcome, warmup: Time) -> Row {
        Row {
            client: request.client,
            user: request.user_number,
            number: request.number,
            attempt: request.attempt,
            action: request.action,
            intended: request.intended,
            sent,
            done,
            outcome,
            // Nothing is intended after the load, at whose end the window ends.
            in_window: request.intended >= warmup,
            reason: None,
            connection: None,
            reply_bytes: None,
        }
    }

    /// The same with what else is known.
    pub fn with(self, details: &Details) -> Row {
        Row {
            reason: details.reason,
            connection: details.connection,
            reply_bytes: details.reply.as_ref().map(|reply| reply.bytes),
            ..self
        }
    }

    /// From intended to done.
    pub fn response(&self) -> Span {
        self.done.since(self.intended)
    }

    /// From sent to done.
    pub fn service(&self) -> Span {
        self.done.since(self.sent)
    }

    /// From intended to sent.
    pub fn lag(&self) -> Span {
        self.sent.since(self.intended)
    }
}

/// Hands a row for each request to a function, when the request ends.
#[derive(Debug, Clone)]
pub struct Trace<F> {
    warmup: Time,
    each: F,
}

impl<F: FnMut(&Row)> Trace<F> {
    /// A trace of runs of this model.
    pub fn new<P>(model: &Model<P>, each: F) -> Trace<F> {
        Trace {
            warmup: model.limits.warmup,
            each,
        }
    }
}

impl<F: FnMut(&Row)> Sink for Trace<F> {
    #[inline]
    fn advance(&mut self, _: Time) {}

    #[inline]
    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Some(row) = Row::ended(at, event, self.warmup) {
            (self.each)(&row);
        }
    }
}
