//! What happened, as a segment holds it: one entry for each event of a run, in one unit of fixed size, behind units of text
//! where it has some.

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Event, Outcome, Reason, Received, ReplyHeaders, Request, SessionEnd};
use blis_sim::model::{ActionId, ClientId};
use blis_sim::spec::units::MAX_DURATION_NS;
use blis_sim::time::Time;
use blis_sim::trace::Row;

/// Bytes of a unit.
pub const SIZE: usize = 64;
/// The most bytes of text in a unit.
const TEXT: usize = SIZE - 2;

/// A unit as it is written.
pub type Bytes = [u8; SIZE];

/// What a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Text of the entry that comes next in the sequence.
    Text(Vec<u8>),
    /// An entry, whose text is in the units before it: this many values of headers.
    Entry(Entry, usize),
}

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How far time had come, which is not before the event.
    pub now: Time,
    /// What happened.
    pub what: What,
    /// Of a request that is done: those headers of its reply that the spec names.
    pub headers: ReplyHeaders,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A request was intended; the row has no other instant, and no outcome yet.
    Intended(Row),
    /// A request ended.
    Done(Row),
    /// The first reply to a request came after the request had ended without one.
    LateReply(Time),
    /// A further reply came to a request that had one.
    DuplicateReply(Time),
    /// The last try of a request ended: the row has the first try's intended time, and as the instant of sending how
    /// much later all tries were sent than they were intended.
    Settled(Row),
    /// Something was delivered that requests of an action awaited, or might have.
    Received(ActionId, Received, Time),
    /// A session started.
    SessionStarted(ClientId, Time),
    /// A session ended.
    SessionEnded(ClientId, SessionEnd, Time),
    /// No request is intended any more.
    LoadEnded(Time),
    /// The run was completed: the seal of a record.
    Ended(End),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Why no more was sent.
    pub by: LoadEnd,
    /// When, the drain included.
    pub at: Time,
    /// How many requests were intended.
    pub intended: u64,
}

/// Set in the second byte of requests that were intended within the measured window.
const IN_WINDOW: u8 = 1 << 7;
/// Where the number of values of headers stands in that byte, above the outcome.
const HEADERS: u32 = 3;
/// The outcome there.
const OUTCOME: u8 = (1 << HEADERS) - 1;
/// Set in the second byte of a delivery that is the first of its request, or the last that was to come.
const IS_FIRST: u8 = 1 << 2;
const IS_LAST: u8 = 1 << 3;
/// The kind of a unit of text.
const KIND_OF_TEXT: u8 = 9;
/// What stands for a reason, a connection or bytes of a reply that there are none of.
const NONE: u64 = u64::MAX;
const LOAD_ENDS: [LoadEnd; 5] = [
    LoadEnd::Horizon,
    LoadEnd::Budget,
    LoadEnd::Idle,
    LoadEnd::Interrupted,
    LoadEnd::Decided,
];

impl What {
    /// Whether the record of a run that has ended still has it: a row, or the seal.
    pub fn is_kept(&self) -> bool {
        matches!(self, What::Done(_) | What::Ended(_))
    }

    /// What an event of a live run is in a record; nothing where it is of a simulated backend.
    pub fn of(at: Time, event: Event<'_>, warmup: Time) -> Option<What> {
        Some(match event {
            Event::Intended { request } => {
                let at = request.intended;
                What::Intended(Row::of(request, at, at, Outcome::Unresolved, warmup))
            }
            Event::Done {
                request,
                sent,
                outcome,
                ..
            } => What::Done(Row::of(request, sent, at, outcome, warmup)),
            Event::Settled {
                request,
                first,
                lag,
                outcome,
            } => {
                let request = Request {
                    intended: first,
                    ..*request
                };
                What::Settled(Row::of(&request, first + lag, at, outcome, warmup))
            }
            Event::LateReply => What::LateReply(at),
            Event::DuplicateReply => What::DuplicateReply(at),
            Event::Awaited { action, received } => What::Received(action, received, at),
            Event::SessionStarted { client } => What::SessionStarted(client, at),
            Event::SessionEnded { client, end } => What::SessionEnded(client, end, at),
            Event::LoadEnded => What::LoadEnded(at),
            _ => return None,
        })
    }
}

/// The layout: kind, detail, client, action, attempt, then user, number, intended, sent, at and now, then the reason in one byte,
/// the connection in three and the bytes of the reply in four, each number in little-endian order. What an entry does not have
/// is 0; a reason, a connection or a reply that there is not has all bits set. A new kind of entry has its own number here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Fields {
    kind: u8,
    detail: u8,
    small: [u16; 3],
    large: [u64; 6],
    last: u64,
}

/// No connection, in three bytes.
const NO_CONNECTION: u64 = NONE >> 40;
/// No bytes, in four.
const NO_BYTES: u64 = NONE >> 32;

/// A number in this many bits, all of which are set where there is none.
fn present(value: u64, none: u64) -> Option<u32> {
    (value != none).then_some(value as u32)
}

/// Reason, connection and bytes of the reply.
fn last(row: &Row) -> u64 {
    let reason = row.reason.map_or(0xff, |reason| reason as u64);
    let known =
        |value: Option<u32>, none: u64| value.map_or(none, |value| u64::from(value).min(none));
    let connection = known(row.connection, NO_CONNECTION);
    reason | connection << 8 | known(row.reply_bytes, NO_BYTES) << 32
}

impl Fields {
    fn of_row(kind: u8, row: &Row) -> Fields {
        let window = if row.in_window { IN_WINDOW } else { 0 };
        let [intended, sent, done] = [row.intended, row.sent, row.done].map(Time::as_nanos);
        Fields {
            kind,
            detail: row.outcome as u8 | window,
            last: last(row),
            small: [row.client.0, row.action.0, row.attempt],
            large: [row.user, row.number, intended, sent, done, 0],
        }
    }

    fn row(&self) -> Option<Row> {
        let [client, action, attempt] = self.small;
        let [user, number, intended, sent, done, _] = self.large;
        let [intended, sent, done] = [intended, sent, done].map(Time::from_nanos);
        Some(Row {
            client: ClientId(client),
            user,
            number,
            attempt,
            action: ActionId(action),
            intended,
            sent,
            done,
            outcome: *Outcome::ALL.get(usize::from(self.detail & OUTCOME))?,
            in_window: self.detail & IN_WINDOW != 0,
            reason: match self.last & 0xff {
                0xff => None,
                reason => Some(*Reason::ALL.get(reason as usize)?),
            },
            connection: present(self.last >> 8 & NO_CONNECTION, NO_CONNECTION),
            reply_bytes: present(self.last >> 32, NO_BYTES),
        })
    }

    fn at(kind: u8, at: Time) -> Fields {
        let mut fields = Fields {
            kind,
            ..Fields::default()
        };
        fields.large[4] = at.as_nanos();
        fields
    }

    fn received(action: ActionId, received: Received, at: Time) -> Fields {
        let mut fields = Fields::at(10, at);
        fields.small[1] = action.0;
        let (detail, intended, sent) = match received {
            Received::Delivered {
                intended,
                sent,
                is_first,
                is_last,
            } => {
                let first = if is_first { IS_FIRST } else { 0 };
                let last = if is_last { IS_LAST } else { 0 };
                (first | last, intended, sent)
            }
            Received::Duplicate { intended } => (1, intended, Time::ZERO),
            Received::Late { intended } => (2, intended, Time::ZERO),
            Received::Unmatched => (3, Time::ZERO, Time::ZERO),
        };
        fields.detail = detail;
        (fields.large[2], fields.large[3]) = (intended.as_nanos(), sent.as_nanos());
        fields
    }

    fn what_was_received(&self) -> Option<Received> {
        let [intended, sent] = [self.large[2], self.large[3]].map(Time::from_nanos);
        let flags = self.detail & (IS_FIRST | IS_LAST);
        Some(match self.detail {
            1 => Received::Duplicate { intended },
            2 => Received::Late { intended },
            3 => Received::Unmatched,
            detail if detail == flags => Received::Delivered {
                intended,
                sent,
                is_first: flags & IS_FIRST != 0,
                is_last: flags & IS_LAST != 0,
            },
            _ => return None,
        })
    }

    fn of(what: &What) -> Fields {
        let position = |found: Option<usize>| found.and_then(|at| u8::try_from(at).ok());
        match what {
            What::Intended(row) => Fields::of_row(0, row),
            What::Done(row) => Fields::of_row(1, row),
            What::Settled(row) => Fields::of_row(8, row),
            What::LateReply(at) => Fields::at(2, *at),
            What::DuplicateReply(at) => Fields::at(7, *at),
            What::Received(action, received, at) => Fields::received(*action, *received, *at),
            What::SessionStarted(client, at) => Fields {
                small: [client.0, 0, 0],
                ..Fields::at(3, *at)
            },
            What::SessionEnded(client, end, at) => Fields {
                detail: position(SessionEnd::ALL.iter().position(|one| one == end)).unwrap_or(0),
                small: [client.0, 0, 0],
                ..Fields::at(4, *at)
            },
            What::LoadEnded(at) => Fields::at(5, *at),
            What::Ended(end) => {
                let mut fields = Fields::at(6, end.at);
                let by = LOAD_ENDS.iter().position(|one| *one == end.by);
                fields.detail = position(by).unwrap_or(0);
                fields.large[1] = end.intended;
                fields
            }
        }
    }

    fn what(&self) -> Option<What> {
        let (client, at) = (ClientId(self.small[0]), Time::from_nanos(self.large[4]));
        let detail = usize::from(self.detail);
        Some(match self.kind {
            0 => What::Intended(self.row()?),
            1 => What::Done(self.row()?),
            2 => What::LateReply(at),
            3 => What::SessionStarted(client, at),
            4 => What::SessionEnded(client, *SessionEnd::ALL.get(detail)?, at),
            5 => What::LoadEnded(at),
            6 => What::Ended(End {
                by: *LOAD_ENDS.get(detail)?,
                at,
                intended: self.large[1],
            }),
            7 => What::DuplicateReply(at),
            8 => What::Settled(self.row()?),
            10 => What::Received(ActionId(self.small[1]), self.what_was_received()?, at),
            _ => return None,
        })
    }
}

impl Entry {
    /// What no run can have written after time had come as far as `before`. A checksum does not tell, because whoever
    /// forges an entry computes it too.
    pub fn impossible(&self, before: Time) -> Option<&'static str> {
        let too_late = |at: Time| at.as_nanos() as f64 > MAX_DURATION_NS;
        let at_most_now = |times: &[Time]| times.iter().all(|&at| at <= self.now);
        if let What::Done(row) = &self.what
            && row.reason.is_some_and(|why| why.outcome() != row.outcome)
        {
            return Some("it has a reason that its outcome does not have");
        }
        let known = match &self.what {
            What::Intended(row) => at_most_now(&[row.intended]),
            What::Done(row) => {
                at_most_now(&[row.intended, row.sent, row.done]) && row.intended <= row.done
            }
            // Its instant of sending is a length of time.
            What::Settled(row) => {
                at_most_now(&[row.intended, row.done])
                    && row.intended <= row.done
                    && !too_late(row.sent)
            }
            What::Received(_, received, at) => {
                let before = match received {
                    Received::Delivered { intended, sent, .. } => [*intended, *sent],
                    Received::Duplicate { intended } => [*intended, Time::ZERO],
                    // What came before its request was sent is late, too.
                    Received::Late { .. } | Received::Unmatched => [Time::ZERO; 2],
                };
                at_most_now(&[*at]) && before.iter().all(|before| before <= at)
            }
            What::LateReply(at)
            | What::DuplicateReply(at)
            | What::SessionStarted(_, at)
            | What::SessionEnded(_, _, at)
            | What::LoadEnded(at) => at_most_now(&[*at]),
            What::Ended(end) => at_most_now(&[end.at]),
        };
        if too_late(self.now) {
            Some("it has a time that no run reaches")
        } else if self.now < before {
            Some("it goes back in time")
        } else if !known {
            Some("it has a time of what had not come yet")
        } else {
            None
        }
    }

    /// An event without text.
    pub fn bare(now: Time, what: What) -> Entry {
        Entry {
            now,
            what,
            headers: ReplyHeaders::default(),
        }
    }

    /// As it is written: its text, then itself.
    pub fn encode(&self) -> impl Iterator<Item = Bytes> {
        let text = self.headers.packed().chunks(TEXT).map(|part| {
            let mut bytes = [0; SIZE];
            (bytes[0], bytes[1]) = (KIND_OF_TEXT, part.len() as u8);
            bytes[2..2 + part.len()].copy_from_slice(part);
            bytes
        });
        text.chain([self.head()])
    }

    /// How many units that is.
    pub fn units(&self) -> usize {
        self.headers.packed().len().div_ceil(TEXT) + 1
    }

    fn head(&self) -> Bytes {
        let mut fields = Fields::of(&self.what);
        fields.large[5] = self.now.as_nanos();
        if let What::Done(_) = self.what {
            fields.detail |= (self.headers.number() as u8) << HEADERS;
        }
        let mut bytes = [0; SIZE];
        (bytes[0], bytes[1]) = (fields.kind, fields.detail);
        for (place, small) in bytes[2..8].chunks_exact_mut(2).zip(fields.small) {
            place.copy_from_slice(&small.to_le_bytes());
        }
        let large = fields.large.into_iter().chain([fields.last]);
        for (place, large) in bytes[8..].chunks_exact_mut(8).zip(large) {
            place.copy_from_slice(&large.to_le_bytes());
        }
        bytes
    }
}

/// Whether a unit is text.
pub fn is_text(unit: &Bytes) -> bool {
    unit[0] == KIND_OF_TEXT
}

impl Unit {
    /// What was written; nothing where it is of no kind that is known. An entry has no text yet.
    pub fn decode(bytes: &Bytes) -> Option<Unit> {
        if is_text(bytes) {
            let text = bytes[2..].get(..usize::from(bytes[1]))?;
            return Some(Unit::Text(text.to_vec()));
        }
        let mut fields = Fields {
            kind: bytes[0],
            detail: bytes[1],
            ..Fields::default()
        };
        for (small, place) in fields.small.iter_mut().zip(bytes[2..8].chunks_exact(2)) {
            *small = u16::from_le_bytes(place.try_into().ok()?);
        }
        let large = fields.large.iter_mut().chain([&mut fields.last]);
        for (large, place) in large.zip(bytes[8..].chunks_exact(8)) {
            *large = u64::from_le_bytes(place.try_into().ok()?);
        }
        let what = fields.what()?;
        let headers = match what {
            What::Done(_) => usize::from((fields.detail & !IN_WINDOW) >> HEADERS),
            _ => 0,
        };
        let now = Time::from_nanos(fields.large[5]);
        Some(Unit::Entry(Entry::bare(now, what), headers))
    }
}
