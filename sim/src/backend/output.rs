//! The outputs of a backend besides its replies, in order.
//!
//! The caller takes them after every step and carries them out, in the simulation and in the double. A backend that runs
//! everything itself outputs only awaited deliveries.

use std::collections::VecDeque;

use super::Backend;
use super::outside::{Call, Message, WorkEnd};
use crate::event::FlightId;
use crate::model::{Deliverer, ServiceId, StreamId};
use crate::time::Time;

/// Something that leaves the backend, beside its replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A visit of a service whose member is elsewhere. The job waits.
    Visit {
        /// Who waits.
        job: u32,
        /// The request on whose behalf the visit is.
        flight: FlightId,
        /// Where to.
        service: ServiceId,
        /// What is handed on.
        call: Call,
    },
    /// A message for a stream.
    Publish {
        /// Who waits until it is stored, if anybody does.
        job: Option<u32>,
        /// The request on whose behalf it is published.
        flight: FlightId,
        /// The stream.
        stream: StreamId,
        /// Its subject.
        subject: String,
        /// The id by which the stream knows a retry, unlike for every request and every publishing step.
        id: u64,
        /// What its consumers need to know.
        message: Message,
    },
    /// The work that was handed in under this ticket has ended.
    Settled {
        /// Which.
        ticket: u32,
        /// How.
        end: WorkEnd,
    },
    /// A delivery of a fan-out or a consumer whose deliveries are handed out.
    Delivery {
        /// Of which.
        by: Deliverer,
        /// Its number among the subscribers.
        subscriber: u32,
        /// What names the message, where it may be delivered more than once.
        message: Option<u64>,
        /// When it reaches its subscriber, which may lie ahead.
        at: Time,
        /// The request on whose behalf it is.
        flight: FlightId,
    },
}

/// What was handed out and is not taken yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs(VecDeque<Output>);

impl Outputs {
    /// Hands something out.
    pub(super) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }
}

impl Backend {
    /// Whether something is handed out that is not taken yet.
    #[inline(always)]
    pub fn has_output(&self) -> bool {
        !self.outputs.0.is_empty()
    }

    /// Takes what was handed out first.
    pub fn take_output(&mut self) -> Option<Output> {
        self.outputs.0.pop_front()
    }
}
