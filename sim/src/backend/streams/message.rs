//! Messages as their consumers see them.

use crate::event::FlightId;
use crate::model::ConsumerId;
use crate::time::Time;

/// What a message is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Stored and not yet delivered.
    Pending,
    /// Delivered; its `ack_wait` runs.
    Out,
    /// To be delivered again, now or after a delay.
    Again,
    /// Acknowledged or given up.
    Done,
}

/// A message as one consumer sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) flight: FlightId,
    pub(super) identity: u64,
    pub(super) stored: Time,
    pub(super) first_delivered: Time,
    pub(super) deadline: Time,
    pub(super) intended: Time,
    /// Neighbours in the order of the deadlines.
    pub(super) previous: u32,
    pub(super) next: u32,
    /// Deliveries that are being worked on.
    pub(super) working: u32,
    pub(super) consumer: ConsumerId,
    pub(super) client: u16,
    pub(super) deliveries: u32,
    pub(super) standing: Standing,
    /// Whether it stands in a queue for redelivery, or a timer runs that puts it there.
    pub(super) queued: bool,
    pub(super) answered: bool,
}
