//! What a connection was given and has not sent: bounded in bytes, and with the messages that never left.
//!
//! The client counts a message as sent when it moves it from its queue to a write buffer of about 64 KiB. Messages there or
//! in the buffers of the system count as sent, so the number that never left is a lower bound.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_nats::{Client, Statistics};

use crate::target::access::ROOM;

/// The bytes that may wait in the queue of a connection.
const BYTES: usize = 8 << 20;
/// The messages that may wait there, however large they are.
const LEAST: usize = 16;

/// How many messages of at most this many bytes may wait in the queue of a connection over which this many closed users send:
/// each of them may send at once.
pub fn room(largest: usize, users: u64) -> u64 {
    let by_bytes = (BYTES / largest.max(1)).clamp(LEAST, ROOM) as u64;
    by_bytes.max(users.min(ROOM as u64))
}

/// The queue of a connection.
#[derive(Debug)]
pub struct Outbox {
    statistics: Arc<Statistics>,
    /// The messages that it had sent before.
    before: u64,
    /// Those that it has taken since.
    taken: u64,
}

impl Outbox {
    /// That of a client, of which nobody else publishes anything.
    pub fn of(client: &Client) -> Outbox {
        Outbox::new(client.statistics())
    }

    fn new(statistics: Arc<Statistics>) -> Outbox {
        let before = statistics.out_messages.load(Ordering::Relaxed);
        Outbox {
            statistics,
            before,
            taken: 0,
        }
    }

    /// It has taken a message.
    pub fn took(&mut self) {
        self.taken += 1;
    }

    /// How many messages it has taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The messages that wait in it.
    pub fn waiting(&self) -> u64 {
        let sent = self.statistics.out_messages.load(Ordering::Relaxed) - self.before;
        // It may send one before it is known to have taken it.
        self.taken.saturating_sub(sent)
    }

    /// The messages that never left it: at least one where it could not write to the end what it had.
    pub fn never_left(&self, flushed: Flushed) -> u64 {
        match flushed {
            Flushed::NotInTime => self.waiting().max(self.taken.min(1)),
            Flushed::Yes | Flushed::IsDown => self.waiting(),
        }
    }
}

/// Whether a connection wrote what it had at the end of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// All of it.
    Yes,
    /// It took longer than it may.
    NotInTime,
    /// There is no connection.
    IsDown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_bytes_and_not_for_messages() {
        for (largest, users, expected) in [
            (0, 0, 8_192),
            (1, 0, 8_192),
            (1 << 10, 0, 8_192),
            ((1 << 10) + 1, 0, 8_184),
            (150_000, 0, 55),
            (1 << 19, 0, 16),
            (1 << 20, 0, 16),
            (usize::MAX, 0, 16),
            // Closed users who begin together lose nothing.
            (1 << 20, 100, 100),
            (1 << 20, u64::MAX, 8_192),
            (150_000, 20, 55),
        ] {
            assert_eq!(room(largest, users), expected, "{largest} {users}");
        }
    }

    #[test]
    fn what_waits_is_what_was_taken_and_not_sent() {
        let statistics = Arc::new(Statistics::default());
        let sends = |number: u64| statistics.out_messages.add(number, Ordering::Relaxed);
        // What the client sent before is none of the run's.
        sends(3);
        let mut outbox = Outbox::new(Arc::clone(&statistics));
        assert_eq!(outbox.waiting(), 0);
        assert_eq!(outbox.never_left(Flushed::NotInTime), 0);
        sends(1);
        assert_eq!(outbox.waiting(), 0);
        for _ in 0..5 {
            outbox.took();
        }
        assert_eq!(outbox.waiting(), 4);
        assert_eq!(outbox.never_left(Flushed::IsDown), 4);
        sends(4);
        assert_eq!(outbox.never_left(Flushed::Yes), 0);
        assert_eq!(outbox.never_left(Flushed::NotInTime), 1);
    }
}
