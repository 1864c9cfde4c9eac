//! Streams and their consumers: messages are stored, delivered, worked on, and acknowledged or delivered again.
//!
//! Guarantees, per consumer:
//! - A message is pending from its storing to its first delivery, and waits to be acknowledged from then until it is
//!   acknowledged or given up. The number that waits never exceeds `max_ack_pending`.
//! - Messages are delivered in the order in which they were stored; those that are delivered again come before those that
//!   never were. A delivery needs an open request of a member (a *token*): one for each of its workers and, with
//!   `prefetch`, for as many more. Requests are served in turn.
//! - A message whose `ack_wait` runs out is delivered again even while the delivery before is being worked on. The first
//!   acknowledgement counts; work that goes on after it is counted as repeated.

mod batch;
mod consumer;
mod message;
mod publish;

use super::Moment;
use super::outside::Delivered;
use super::visits::Dealt;
use crate::engine::Arena;
use crate::event::{Event, MessageStep, Sink};
use crate::model::{ConsumerId, Model, ServiceId};
use crate::time::Span;
use batch::BatchState;
use consumer::ConsumerState;
use message::{Message, Standing};
use publish::{Published, StreamState};

/// How the work on deliveries that others hand in begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) entry: u32,
    pub(crate) path: u16,
    pub(crate) identity: u64,
    /// What it costs, where it is a batch.
    pub(crate) cost: Option<Span>,
}

/// All streams, consumers and messages.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    streams: Vec<StreamState>,
    consumers: Vec<ConsumerState>,
    /// The consumers that work at each service.
    at_services: Vec<Vec<ConsumerId>>,
    published: Arena<Published>,
    messages: Arena<Message>,
    batches: Arena<BatchState>,
}

impl Streams {
    pub(crate) fn new(model: &Model) -> Streams {
        let streams = model.streams.iter();
        let consumers = || (0u16..).zip(&model.consumers);
        let mut at_services = vec![Vec::new(); model.services.len()];
        for (id, consumer) in consumers() {
            at_services[consumer.service.index()].push(ConsumerId(id));
        }
        Streams {
            streams: streams
                .map(|stream| StreamState::new(model, stream))
                .collect(),
            consumers: consumers()
                .map(|(id, _)| ConsumerState::new(model, ConsumerId(id)))
                .collect(),
            at_services,
            published: Arena::new(),
            messages: Arena::new(),
            batches: Arena::new(),
        }
    }

    /// Messages that are on their way, pending or worked on.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.published.len() + self.messages.len()
    }

    /// The consumers that work at a service.
    pub(crate) fn at(&self, service: ServiceId) -> &[ConsumerId] {
        &self.at_services[service.index()]
    }

    /// Whether a consumer has no message that is pending, delivered or to be delivered again.
    pub(crate) fn has_nothing_for(&self, consumer: ConsumerId) -> bool {
        let state = &self.consumers[consumer.index()];
        let gathered = state.gathering.as_ref();
        state.ack_pending == 0
            && state.pending.is_empty()
            && state.again.is_empty()
            && gathered.is_none_or(|batch| batch.messages.is_empty())
    }

    /// To whom a batch goes, and what it costs.
    pub(crate) fn batch(&self, batch: u32) -> Dealt {
        let BatchState { member, cost, .. } = self.batches[batch];
        Dealt {
            member,
            cost: Some(cost),
        }
    }

    /// How the work on deliveries that others hand in begins; `None` when there are none.
    pub(crate) fn delivery_of(
        &self,
        consumer: ConsumerId,
        deliveries: &[Delivered],
    ) -> Option<Begun> {
        let state = &self.consumers[consumer.index()];
        let identity = |one: &Delivered| state.identity_key.identity(one.message.identity, 0);
        let first = deliveries.first()?;
        let each = deliveries.iter().map(|one| (identity(one), one.delivery));
        let cost = state.gathering.as_ref().map(|batch| batch.cost(each));
        Some(Begun {
            entry: state.entry,
            path: state.path,
            identity: identity(first),
            cost,
        })
    }

    fn note<S: Sink>(&self, message: u32, step: MessageStep, m: &mut Moment<'_, S>) {
        let message = &self.messages[message];
        let event = Event::Message {
            consumer: message.consumer,
            flight: message.flight,
            step,
        };
        m.sink.record(m.now, event);
    }

    /// The position of a consumer's path.
    pub(crate) fn path_of_consumer(&self, consumer: u32) -> Option<u16> {
        let consumers = &self.consumers;
        consumers.get(consumer as usize).map(|state| state.path)
    }

    /// The position of the path of a message's consumer.
    pub(crate) fn path_of_message(&self, message: u32) -> Option<u16> {
        let message = self.messages.get(message)?;
        self.path_of_consumer(u32::from(message.consumer.0))
    }

    /// Whether a message that a timer was set for is done.
    pub(crate) fn is_settled(&self, message: u32) -> bool {
        self.messages[message].standing == Standing::Done
    }

    /// Forgets a message that a timer was set for and that is done.
    pub(crate) fn forget_settled(&mut self, id: u32) {
        let message = &mut self.messages[id];
        message.queued = false;
        if message.working == 0 {
            self.messages.remove(id);
        }
    }

    fn forget_if_done(&mut self, id: u32) {
        let message = &self.messages[id];
        if message.standing == Standing::Done && message.working == 0 && !message.queued {
            self.messages.remove(id);
        }
    }

    /// Reports the messages that are not done when the run ends.
    pub(crate) fn cut_messages<S: Sink>(&mut self, m: &mut Moment<'_, S>) {
        for id in self.messages.taken() {
            let message = self.messages[id];
            let step = match message.standing {
                Standing::Pending => MessageStep::CutPending {
                    waited: m.now.since(message.stored),
                },
                Standing::Out | Standing::Again => MessageStep::CutDelivered {
                    age: m.now.since(message.stored),
                    held: m.now.since(message.first_delivered),
                },
                Standing::Done => continue,
            };
            self.note(id, step, m);
        }
    }
}
