//! Batches: messages that are worked on together.

use super::Streams;
use crate::backend::walk::{Ending, Frame};
use crate::backend::{Backend, Moment};
use crate::dist::Dist;
use crate::engine::{Task, Timer};
use crate::event::Sink;
use crate::model::{Batch, ConsumerId};
use crate::random::{Key, Purpose};
use crate::time::{Span, Time};

/// Messages that are worked on together.
#[derive(Debug, Clone, Default)]
pub(super) struct BatchState {
    pub(super) cost: Span,
    pub(super) member: u32,
    pub(super) messages: Vec<u32>,
}

/// How a consumer gathers batches.
#[derive(Debug, Clone)]
pub(super) struct Gathering {
    pub(super) size: usize,
    pub(super) linger: Option<Span>,
    pub(super) per_batch: Dist,
    pub(super) per_item: Dist,
    pub(super) batch_key: Key,
    pub(super) item_key: Key,
    pub(super) messages: Vec<u32>,
    pub(super) member: u32,
    pub(super) closes_at: Time,
}

impl Gathering {
    /// Of a batch of the consumer whose keys these are.
    pub(super) fn new(batch: &Batch, key: impl Fn(Purpose) -> Key) -> Gathering {
        Gathering {
            size: batch.size.get() as usize,
            linger: batch.linger,
            per_batch: batch.per_batch.clone(),
            per_item: batch.per_item.clone(),
            batch_key: key(Purpose::Batch),
            item_key: key(Purpose::Item),
            messages: Vec::new(),
            member: 0,
            closes_at: Time::NEVER,
        }
    }

    /// What a batch of these deliveries costs: of each, what its draws are made from, and which it is of its message.
    pub(super) fn cost(&self, deliveries: impl Iterator<Item = (u64, u32)>) -> Span {
        let mut deliveries = deliveries.peekable();
        let fixed = deliveries.peek().map(|&(identity, delivery)| {
            let mut draw = self.batch_key.draw(identity, u64::from(delivery));
            self.per_batch.sample_span(&mut draw)
        });
        deliveries.fold(fixed.unwrap_or_default(), |cost, (identity, delivery)| {
            let mut draw = self.item_key.draw(identity, u64::from(delivery));
            cost + self.per_item.sample_span(&mut draw)
        })
    }
}

impl Streams {
    /// Whether a batch is gathered that has waited long enough.
    pub(crate) fn is_lingering(&self, consumer: u32, now: Time) -> bool {
        let gathering = self.consumers[consumer as usize].gathering.as_ref();
        gathering.is_some_and(|batch| !batch.messages.is_empty() && batch.closes_at == now)
    }
}

impl Backend {
    /// A message joins the batch that its consumer gathers.
    pub(super) fn gather<S: Sink>(&mut self, consumer: ConsumerId, id: u32, m: &mut Moment<'_, S>) {
        let state = &mut self.streams.consumers[consumer.index()];
        let Some(batch) = &mut state.gathering else {
            return;
        };
        if batch.messages.is_empty() {
            batch.member = state.tokens.pop_front().unwrap_or(0);
            batch.closes_at = Time::NEVER;
            if let Some(linger) = batch.linger {
                batch.closes_at = m.now + linger;
                let timer = Timer::Linger(u32::from(consumer.0));
                m.calendar.push(batch.closes_at, Task::Timer(timer));
            }
        }
        batch.messages.push(id);
        if batch.messages.len() >= batch.size {
            self.close_batch(consumer, m);
        }
    }

    /// The batch that a consumer gathers has waited long enough.
    pub(crate) fn linger_due<S: Sink>(&mut self, consumer: u32, m: &mut Moment<'_, S>) {
        let consumer = self.streams.consumers[consumer as usize].id;
        self.close_batch(consumer, m);
        self.deal(consumer, m);
    }

    /// A batch goes to its member.
    fn close_batch<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        let slot = self.streams.batches.take(BatchState::default);
        let state = &mut self.streams.consumers[consumer.index()];
        let Some(gathering) = &mut state.gathering else {
            return;
        };
        let batch = &mut self.streams.batches[slot];
        std::mem::swap(&mut batch.messages, &mut gathering.messages);
        batch.member = gathering.member;
        gathering.closes_at = Time::NEVER;
        let deliveries = batch.messages.iter().map(|id| {
            let message = &self.streams.messages[*id];
            (message.identity, message.deliveries)
        });
        batch.cost = gathering.cost(deliveries);
        let message = self.streams.messages[batch.messages[0]];
        self.begin(message, Frame::Batch { batch: slot }, true, m);
    }

    /// The work on a batch has ended.
    pub(crate) fn batch_ended<S: Sink>(
        &mut self,
        slot: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) {
        let mut messages = std::mem::take(&mut self.streams.batches[slot].messages);
        let member = self.streams.batches[slot].member;
        let consumer = self.streams.messages[messages[0]].consumer;
        for &id in &messages {
            self.settle_message(id, ending, m);
        }
        messages.clear();
        self.streams.batches[slot].messages = messages;
        self.streams.batches.remove(slot);
        let state = &mut self.streams.consumers[consumer.index()];
        state.tokens.push_back(member);
        self.deal(consumer, m);
    }
}
