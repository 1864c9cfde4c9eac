//! The seam between the driver of a run and what carries its requests: what the driver asks of a transport, and what connections
//! tell the driver.

use blis_sim::event::{FlightId, Reply, Request};
use blis_sim::runner::Epoch;
use blis_sim::time::Time;
use blis_sim::users::mailbox::{Delivery, Key};

use crate::wire::publications::Place;
use crate::wire::reason::Ending;

/// Where requests are sent.
pub trait Transport {
    /// Takes a request over, without waiting.
    fn send(&mut self, now: Time, flight: FlightId, request: &Request) -> Sent;

    /// Nothing more is sent right now: what was taken over is on its way.
    fn hand_over(&mut self);

    /// What names a request that was just sent in its deliveries; `None` where it was not sent, or awaits none.
    fn key(&mut self, flight: FlightId) -> Option<Key>;

    /// A connection was lost: which requests it had.
    fn had(&self, connection: u32, flight: FlightId) -> bool;

    /// A subject was refused on a connection: which requests were sent to it there.
    fn had_sent(&self, connection: u32, flight: FlightId, subject: u64) -> bool;

    /// Up to which of its messages a connection is known to have written, without waiting.
    fn written(&mut self, connection: u32) -> u64;

    /// Waits at the end of a run until connections have written what they can.
    fn flush(&mut self);
}

/// What happened to a request that was handed to a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is done at once.
    Done(Ending),
    /// It is done at once, and has ended well if its connection writes it.
    Taken(Place),
    /// It is on its way over this connection: its end is told as [`Incoming::Done`] under the same id.
    Waiting(u32),
    /// It is on its way over this connection, and waits for deliveries alone.
    Awaits(u32),
    /// The connection that it would be sent over is down.
    NoConnection,
}

/// What the connections tell the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A request ended.
    Done {
        /// Which.
        flight: FlightId,
        /// The load that it belongs to.
        epoch: Epoch,
        /// How.
        ending: Ending,
        /// What the reply was like.
        reply: Reply,
        /// When that was known.
        at: Time,
    },
    /// Something that requests may await was delivered.
    Delivered(Delivery),
    /// A connection was lost, and with it the answers to what was sent over it.
    Lost {
        /// Which.
        connection: u32,
        /// When.
        at: Time,
    },
    /// The server refused a subject on a connection, and with it what was sent there.
    Denied {
        /// Which connection.
        connection: u32,
        /// Which subject, by its [`key`](crate::wire::denied::key).
        subject: u64,
        /// When.
        at: Time,
    },
    /// A connection is there again.
    Restored {
        /// Which.
        connection: u32,
    },
}
