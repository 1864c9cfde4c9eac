//! Replay of a record to a sink, as the driver told it of the events.
//!
//! A complete record gives the same figures as the run. In an incomplete one, requests in flight end as unresolved at the last
//! known time, and sessions end there; a missing entry is derived from the others, so that the books balance.

use std::collections::BTreeMap;
use std::io::Read;

use blis_sim::engine::LoadEnd;
use blis_sim::event::{
    Details, Event, FlightId, Outcome, Reply, ReplyHeaders, Request, SessionEnd, Sink, UserId,
};
use blis_sim::model::ClientId;
use blis_sim::time::Time;
use blis_sim::trace::Row;

use super::entry::{End, Entry, What};
use super::{Entries, JournalFailure};
use crate::wire::reason::Reasons;

/// What a record told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// The end of the run, or of what is known of it; the count is that of the intentions told.
    pub end: End,
    /// Whether the record is sealed: the run was completed.
    pub sealed: bool,
    /// Rows that the record has.
    pub rows: u64,
    /// Why they failed.
    pub reasons: Reasons,
    /// Requests that were intended and of whose end nothing is known.
    pub unknown: u64,
}

/// What names a request: client, user, number and try.
type Name = (ClientId, u64, u64, u16);

fn name(row: &Row) -> Name {
    (row.client, row.user, row.number, row.attempt)
}

struct Teller<'a, S> {
    sink: &'a mut S,
    latest: Time,
    /// Requests without an end, with the time at which they were sent.
    open: BTreeMap<Name, Row>,
    /// Requests of clients that try again, whose first try is known and whose last one has not ended.
    unsettled: BTreeMap<(ClientId, u64, u64), Row>,
    sessions: BTreeMap<ClientId, u64>,
    load_ended: bool,
    intended: u64,
    rows: u64,
    reasons: Reasons,
}

/// Tells a sink of all entries.
///
/// # Errors
/// Those of reading [`Entries`].
pub fn replay<R: Read, S: Sink>(
    entries: &mut Entries<R>,
    sink: &mut S,
) -> Result<Replayed, JournalFailure> {
    let mut teller = Teller {
        sink,
        latest: Time::ZERO,
        open: BTreeMap::new(),
        unsettled: BTreeMap::new(),
        sessions: BTreeMap::new(),
        load_ended: false,
        intended: 0,
        rows: 0,
        reasons: Reasons::default(),
    };
    let mut seal = None;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        teller.advance(entry.now);
        if let What::Intended(row) | What::Done(row) = entry.what {
            teller.may_try_again(&row, entries.retries(row.client));
        }
        match entry.what {
            What::Ended(end) => seal = Some(end),
            _ => teller.tell(&entry),
        }
    }
    let unknown = teller.finish();
    Ok(Replayed {
        end: End {
            by: seal.map_or(LoadEnd::Interrupted, |end| end.by),
            at: teller.latest,
            intended: teller.intended,
        },
        sealed: seal.is_some(),
        rows: teller.rows,
        reasons: teller.reasons,
        unknown,
    })
}

impl<S: Sink> Teller<'_, S> {
    fn advance(&mut self, now: Time) {
        if now > self.latest {
            self.latest = now;
            self.sink.advance(now);
        }
    }

    fn tell(&mut self, entry: &Entry) {
        match entry.what {
            What::Intended(row) => {
                self.intend(&row);
                // The driver intends and sends at one instant.
                let sent = entry.now.max(row.intended);
                self.open.insert(name(&row), Row { sent, ..row });
            }
            What::Done(row) => {
                if self.open.remove(&name(&row)).is_none() {
                    self.intend(&row);
                }
                self.rows += 1;
                self.reasons.count(row.reason.map_or(Ok(()), Err));
                self.detail(&row, &entry.headers);
                self.end(&row);
            }
            What::LateReply(at) => self.sink.record(at, Event::LateReply),
            What::DuplicateReply(at) => self.sink.record(at, Event::DuplicateReply),
            What::Settled(row) => self.settle(&row),
            What::Received(action, received, at) => {
                self.sink.record(at, Event::Awaited { action, received });
            }
            What::SessionStarted(client, at) => self.start_session(client, at),
            What::SessionEnded(client, end, at) => {
                if self.sessions.get(&client).copied().unwrap_or(0) == 0 {
                    self.start_session(client, at);
                }
                self.end_session(client, end, at);
            }
            What::LoadEnded(at) => self.end_load(at),
            What::Ended(_) => {}
        }
    }

    /// Ends what has no end; how many requests have none.
    fn finish(&mut self) -> u64 {
        let at = self.latest;
        if !self.load_ended {
            self.end_load(at);
        }
        let open = std::mem::take(&mut self.open);
        for row in open.values() {
            self.end(&Row {
                done: at,
                outcome: Outcome::Unresolved,
                ..*row
            });
        }
        // Unresolved as it was, or cut off with what follows missing.
        for row in std::mem::take(&mut self.unsettled).into_values() {
            self.tell_settled(&Row {
                sent: row.intended,
                done: at,
                outcome: Outcome::Unresolved,
                ..row
            });
        }
        for (client, number) in std::mem::take(&mut self.sessions) {
            for _ in 0..number {
                self.end_session(client, SessionEnd::HorizonInterrupted, at);
            }
        }
        open.len() as u64
    }

    /// Remembers the first try of a request that may be tried again, unless its intention was told before.
    fn may_try_again(&mut self, row: &Row, retries: bool) {
        if retries && row.attempt == 0 && !self.open.contains_key(&name(row)) {
            self.unsettled
                .insert((row.client, row.user, row.number), *row);
        }
    }

    /// The last try of a request ended. Where its first one is missing it is left out: nobody knows how long it took.
    fn settle(&mut self, row: &Row) {
        let known = self.unsettled.remove(&(row.client, row.user, row.number));
        if known.is_some() {
            self.tell_settled(row);
        }
    }

    fn tell_settled(&mut self, row: &Row) {
        let event = Event::Settled {
            request: &request(row),
            first: row.intended,
            lag: row.sent.since(row.intended),
            outcome: row.outcome,
        };
        self.sink.record(row.done, event);
    }

    fn intend(&mut self, row: &Row) {
        self.intended += 1;
        let request = request(row);
        self.sink
            .record(row.intended, Event::Intended { request: &request });
    }

    fn detail(&mut self, row: &Row, headers: &ReplyHeaders) {
        let reply = row.reply_bytes.map(|bytes| Reply {
            bytes,
            headers: headers.clone(),
        });
        let details = &Details {
            reason: row.reason,
            connection: row.connection,
            reply,
        };
        let flight = FlightId::from_bits(0);
        self.sink
            .record(row.done, Event::Details { flight, details });
    }

    fn end(&mut self, row: &Row) {
        self.sink.record(
            row.done,
            Event::Done {
                request: &request(row),
                flight: FlightId::from_bits(0),
                sent: row.sent,
                outcome: row.outcome,
            },
        );
    }

    fn end_load(&mut self, at: Time) {
        self.load_ended = true;
        self.sink.record(at, Event::LoadEnded);
    }

    fn start_session(&mut self, client: ClientId, at: Time) {
        *self.sessions.entry(client).or_default() += 1;
        self.sink.record(at, Event::SessionStarted { client });
    }

    fn end_session(&mut self, client: ClientId, end: SessionEnd, at: Time) {
        let open = self.sessions.entry(client).or_default();
        *open = open.saturating_sub(1);
        self.sink.record(at, Event::SessionEnded { client, end });
    }
}

fn request(row: &Row) -> Request {
    Request {
        user: UserId::default(),
        client: row.client,
        action: row.action,
        attempt: row.attempt,
        user_number: row.user,
        number: row.number,
        intended: row.intended,
    }
}

#[cfg(test)]
mod tests;
