//! Publications without a reply, between the connection accepting them and writing them.
//!
//! Their users continue at once, and that is their end time. Their outcome is known when the connection has written them;
//! those that are never known to be written have failed.

use std::collections::{BTreeMap, VecDeque};

use blis_sim::event::{Details, Event, FlightId, Outcome, Request, Sink};
use blis_sim::time::{Span, Time};

use crate::wire::reason::{Reason, Reasons};

/// That a request was sent over a connection.
pub fn over(connection: u32) -> Details {
    Details {
        connection: Some(connection),
        ..Details::default()
    }
}

/// Which message of which connection one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The connection.
    pub connection: u32,
    /// Among all that it was given, from 1.
    pub number: u64,
}

/// A publication of which is not known yet whether it was written.
#[derive(Debug, Clone, Copy)]
pub struct Publication {
    request: Request,
    flight: FlightId,
    sent: Time,
    done: Time,
    /// Of a client that tries again: when the first try was intended, and how much later all were sent.
    settled: Option<(Time, Span)>,
}

impl Publication {
    /// Tells of its end, at the instant that it has.
    fn tell<S: Sink>(&self, at: Time, outcome: Outcome, details: &Details, sink: &mut S) {
        let request = &self.request;
        let flight = self.flight;
        sink.record(at, Event::Details { flight, details });
        let done = Event::Done {
            request,
            flight,
            sent: self.sent,
            outcome,
        };
        sink.record(at, done);
        if let Some((first, lag)) = self.settled {
            let settled = Event::Settled {
                request,
                first,
                lag,
                outcome,
            };
            sink.record(at, settled);
        }
    }
}

/// A sink while a request is sent: it keeps to itself that the request ended well at once.
pub struct Aside<'a, S> {
    sink: &'a mut S,
    publication: Option<Publication>,
}

impl<S: Sink> Aside<'_, S> {
    /// Before this sink.
    pub fn before(sink: &mut S) -> Aside<'_, S> {
        Aside {
            sink,
            publication: None,
        }
    }

    /// The request that ended well at once, if it is to be known yet whether it was written; tells of it otherwise.
    pub fn publication(self, is_known: bool) -> Option<Publication> {
        let publication = self.publication?;
        if is_known {
            let details = &Details::default();
            publication.tell(publication.done, Outcome::Ok, details, self.sink);
            return None;
        }
        Some(publication)
    }
}

impl<S: Sink> Sink for Aside<'_, S> {
    fn advance(&mut self, now: Time) {
        self.sink.advance(now);
    }

    fn record(&mut self, at: Time, event: Event<'_>) {
        match (event, &mut self.publication) {
            (
                Event::Done {
                    request,
                    flight,
                    sent,
                    outcome: Outcome::Ok,
                },
                None,
            ) => {
                self.publication = Some(Publication {
                    request: *request,
                    flight,
                    sent,
                    done: at,
                    settled: None,
                });
            }
            (
                Event::Settled {
                    first,
                    lag,
                    outcome: Outcome::Ok,
                    ..
                },
                Some(publication),
            ) => publication.settled = Some((first, lag)),
            (event, _) => self.sink.record(at, event),
        }
    }
}

/// Those of which is not known yet whether they were written, by connection, in the order in which it took them.
#[derive(Debug, Default)]
pub struct Publications {
    taken: BTreeMap<u32, VecDeque<(u64, Publication)>>,
    /// The connection that is looked at next.
    next: u32,
}

impl Publications {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// One was taken.
    pub fn add(&mut self, place: Place, publication: Publication) {
        let of_connection = self.taken.entry(place.connection).or_default();
        of_connection.push_back((place.number, publication));
    }

    /// Tells of those that were written, over this many connections at most; the next time it is the turn of others.
    /// `written` says up to which of its messages a connection has written.
    pub fn look<S: Sink>(
        &mut self,
        most: usize,
        mut written: impl FnMut(u32) -> u64,
        sink: &mut S,
    ) {
        let after = self.taken.range(self.next..).map(|(at, _)| *at);
        let before = self.taken.range(..self.next).map(|(at, _)| *at);
        let turns: Vec<u32> = after.chain(before).take(most).collect();
        for connection in turns {
            self.next = connection.wrapping_add(1);
            let written = written(connection);
            let details = &over(connection);
            let Some(publications) = self.taken.get_mut(&connection) else {
                continue;
            };
            while let Some((number, publication)) = publications.front()
                && *number <= written
            {
                publication.tell(publication.done, Outcome::Ok, details, sink);
                publications.pop_front();
            }
            if publications.is_empty() {
                self.taken.remove(&connection);
            }
        }
    }

    /// Those that are left of a connection, or of all, have failed for this reason.
    pub fn fail<S: Sink>(
        &mut self,
        connection: Option<u32>,
        at: Time,
        why: Reason,
        reasons: &mut Reasons,
        sink: &mut S,
    ) {
        let failed = match connection {
            Some(connection) => self.taken.remove_entry(&connection).into_iter().collect(),
            None => std::mem::take(&mut self.taken),
        };
        for (connection, publications) in failed {
            let details = &Details {
                reason: Some(why),
                ..over(connection)
            };
            for (_, publication) in publications {
                reasons.count(Err(why));
                let at = at.max(publication.done);
                publication.tell(at, why.outcome(), details, sink);
            }
        }
    }
}
