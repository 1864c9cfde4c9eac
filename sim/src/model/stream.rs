//! Streams with their consumers, and fan-outs.

use std::num::NonZeroU32;

use super::ids::{ClassId, ConsumerId, ServiceId, StreamId};
use crate::dist::Dist;
use crate::time::Span;

/// A stream: a log of messages, each of which every consumer whose filter matches works on.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Its name in the spec.
    pub name: String,
    /// Time from a publication until the message is stored and acknowledged to its publisher.
    pub append: Dist,
    /// A message with the id of one that was stored no longer ago than this is acknowledged and not stored. The id is
    /// that of the request and of the publishing step: a retry of a request publishes under the same ids.
    pub duplicate_window: Option<Span>,
}

/// A consumer of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumer {
    /// Its name in the spec, unique within its stream.
    pub name: String,
    /// Whose messages it gets.
    pub stream: StreamId,
    /// Their subjects [default: all].
    pub filter: Vec<String>,
    /// Where the path of a delivery, or of a batch, starts in [`Model::program`](super::Model::program): a visit of its service that holds the
    /// worker, the steps meanwhile, the release, the end. The end is the acknowledgement, a failure is a nak.
    pub entry: u32,
    /// The service of that visit.
    pub service: ServiceId,
    /// Class of its work [default: that of the publishing client].
    pub class: Option<ClassId>,
    /// How many messages may be delivered and not yet acknowledged.
    pub max_ack_pending: NonZeroU32,
    /// How many deliveries, or batches, each member of the service asks for beyond its workers.
    pub prefetch: u32,
    /// A message that is not acknowledged in this time is delivered again, whatever became of the delivery before.
    pub ack_wait: Span,
    /// Maximum number of deliveries of a message [default: unlimited].
    pub max_deliver: Option<NonZeroU32>,
    /// What happens to a message that was delivered as often as may be.
    pub exhausted: Exhausted,
    /// Time from a nak to the next delivery, by the number of deliveries so far; the last entry stands for all further
    /// ones. Empty: at once.
    pub nak_delay: Vec<Span>,
    /// Messages are worked on together.
    pub batch: Option<Batch>,
    /// Largest allowed growth of the backlog, in messages per second.
    pub growth_limit: Option<f64>,
    /// Whether the backlog may not grow by more than chance explains.
    pub no_growth: bool,
}

impl Consumer {
    /// Whether it has objectives on its backlog.
    pub fn is_judged(&self) -> bool {
        self.growth_limit.is_some() || self.no_growth
    }
}

/// What happens to a message that was delivered as often as may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Exhausted {
    /// It is given up, and counted.
    Drop,
    /// It is counted and published to another stream, for these consumers of it.
    Publish(StreamId, Vec<ConsumerId>),
}

/// Messages that are worked on together: one visit, whose service time is the cost of the batch and of each message.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// How many messages at most; at most the consumer's `max_ack_pending`.
    pub size: NonZeroU32,
    /// How long after its first message a batch is closed, full or not; a batch that is closed only by its size unless
    /// given. A batch whose size is the largest count there is needs one.
    pub linger: Option<Span>,
    /// Cost of a batch.
    pub per_batch: Dist,
    /// Cost of each message in it.
    pub per_item: Dist,
}

/// A fan-out: a message to many subscribers.
#[derive(Debug, Clone, PartialEq)]
pub struct FanOut {
    /// Its name in the spec.
    pub name: String,
    /// How many subscribers; a draw is rounded to a whole number.
    pub subscribers: Dist,
    /// Time of a delivery on its way.
    pub delay: Dist,
    /// Time that the server spends on each delivery, one after another.
    pub each: Span,
    /// Share of deliveries that are lost.
    pub loss: f64,
    /// A delivery that comes later than this after the emission does not count towards the completion ratio.
    pub within: Option<Span>,
    /// The service that each delivery queues for, on the side of the subscribers.
    pub service: Option<ServiceId>,
}
