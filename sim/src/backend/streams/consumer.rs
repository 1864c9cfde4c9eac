//! Consumers: whose messages are delivered, to whom, and what becomes of a delivery.

use std::collections::VecDeque;

use super::Streams;
use super::batch::Gathering;
use super::message::{Message, Standing};
use crate::backend::walk::{Ending, Frame, Job, NONE, State};
use crate::backend::{Backend, Moment, Output};
use crate::engine::{Task, Timer};
use crate::event::{MessageStep, Sink};
use crate::model::{ConsumerId, Deliverer, Exhausted, Model, ServiceId};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};

/// A consumer.
#[derive(Debug, Clone)]
pub(super) struct ConsumerState {
    pub(super) id: ConsumerId,
    pub(super) service: ServiceId,
    pub(super) entry: u32,
    pub(super) path: u16,
    pub(super) max_ack_pending: u32,
    pub(super) ack_wait: Span,
    pub(super) max_deliver: u32,
    pub(super) exhausted: Exhausted,
    pub(super) nak_delay: Vec<Span>,
    pub(super) gathering: Option<Gathering>,
    pub(super) identity_key: Key,
    /// Messages that were never delivered.
    pub(super) pending: VecDeque<u32>,
    /// Messages that are to be delivered again now.
    pub(super) again: VecDeque<u32>,
    pub(super) ack_pending: u32,
    /// Open requests for messages, by member.
    pub(super) tokens: VecDeque<u32>,
    /// Requests of members that are gone.
    pub(super) parked: Vec<u32>,
    /// The messages whose `ack_wait` runs, by deadline.
    pub(super) first_out: u32,
    pub(super) last_out: u32,
    /// When the calendar calls for the first of these deadlines, or what was the first.
    pub(super) armed: Option<Time>,
    /// Whether its deliveries are handed out.
    pub(super) hands_out: bool,
}

/// More open requests than this are never used: this many messages are not worked on at once.
const MOST_TOKENS: usize = 4_000_000;

impl ConsumerState {
    pub(super) fn new(model: &Model, id: ConsumerId) -> ConsumerState {
        let consumer = &model.consumers[id.index()];
        let name = model.consumer_name(id);
        let key = |purpose| Key::new(model.seed, Kind::Consumer, &name, purpose);
        let service = &model.services[consumer.service.index()];
        // A spec whose consumers ask for more than memory holds is refused before.
        let prefetch = u64::from(consumer.prefetch);
        let asks = |workers: u64| workers.saturating_add(prefetch);
        // In turn, as long as a queue has any left to ask for.
        let tokens = (0..asks(service.most_workers_of_a_line())).flat_map(|round| {
            let lines = (0..).zip(service.workers_of_lines());
            lines.filter_map(move |(line, workers)| (round < asks(workers)).then_some(line))
        });
        ConsumerState {
            id,
            service: consumer.service,
            entry: consumer.entry,
            path: (model.actions.len() + id.index()) as u16,
            max_ack_pending: consumer.max_ack_pending.get(),
            ack_wait: consumer.ack_wait,
            max_deliver: consumer
                .max_deliver
                .map_or(u32::MAX, std::num::NonZeroU32::get),
            exhausted: consumer.exhausted.clone(),
            nak_delay: consumer.nak_delay.clone(),
            gathering: consumer
                .batch
                .as_ref()
                .map(|batch| Gathering::new(batch, key)),
            identity_key: key(Purpose::Request),
            pending: VecDeque::new(),
            again: VecDeque::new(),
            ack_pending: 0,
            tokens: tokens.take(MOST_TOKENS).collect(),
            parked: Vec::new(),
            first_out: NONE,
            last_out: NONE,
            armed: None,
            hands_out: model.is_awaited(Deliverer::Consumer(id)),
        }
    }
}

impl Streams {
    /// The message that is delivered next, out of its queue.
    fn next_message(&mut self, consumer: ConsumerId) -> Option<u32> {
        let state = &mut self.consumers[consumer.index()];
        while let Some(id) = state.again.pop_front() {
            let message = &mut self.messages[id];
            message.queued = false;
            if message.standing != Standing::Done {
                return Some(id);
            }
            if message.working == 0 {
                self.messages.remove(id);
            }
        }
        if state.ack_pending >= state.max_ack_pending {
            return None;
        }
        let id = state.pending.pop_front()?;
        state.ack_pending += 1;
        Some(id)
    }

    /// Sees to it that the calendar calls for the first deadline, once.
    fn arm<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        let state = &mut self.consumers[consumer.index()];
        if state.armed.is_some() || state.first_out == NONE {
            return;
        }
        let at = self.messages[state.first_out].deadline;
        state.armed = Some(at);
        let timer = Timer::AckWait(u32::from(consumer.0));
        m.calendar.push(at, Task::Timer(timer));
    }

    /// The `ack_wait` of a message no longer runs.
    fn stop_waiting(&mut self, id: u32) {
        let Message {
            previous,
            next,
            consumer,
            ..
        } = self.messages[id];
        let state = &mut self.consumers[consumer.index()];
        match previous {
            NONE => state.first_out = next,
            _ => self.messages[previous].next = next,
        }
        match next {
            NONE => state.last_out = previous,
            _ => self.messages[next].previous = previous,
        }
    }

    /// Whether the `ack_wait` of some message is over.
    pub(crate) fn is_expiring(&self, consumer: u32, now: Time) -> bool {
        let first = self.consumers[consumer as usize].first_out;
        first != NONE && self.messages[first].deadline <= now
    }

    /// A message is delivered, for the first time or again; its `ack_wait` runs from now.
    fn deliver<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let message = &mut self.messages[id];
        let first = message.standing == Standing::Pending;
        let consumer = message.consumer;
        message.deliveries = message.deliveries.saturating_add(1);
        message.working += 1;
        message.standing = Standing::Out;
        if first {
            message.first_delivered = m.now;
        }
        let step = match first {
            true => MessageStep::Delivered {
                waited: m.now.since(message.stored),
            },
            false => MessageStep::Redelivered,
        };
        self.note(id, step, m);
        let state = &mut self.consumers[consumer.index()];
        let deadline = m.now + state.ack_wait;
        let previous = std::mem::replace(&mut state.last_out, id);
        let message = &mut self.messages[id];
        (message.deadline, message.previous, message.next) = (deadline, previous, NONE);
        match previous {
            NONE => state.first_out = id,
            _ => self.messages[previous].next = id,
        }
        self.arm(consumer, m);
    }
}

impl Backend {
    /// Deals messages to open requests as long as there are both.
    pub(super) fn deal<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        loop {
            let state = &self.streams.consumers[consumer.index()];
            let gathers = state
                .gathering
                .as_ref()
                .is_some_and(|batch| !batch.messages.is_empty());
            if !gathers && state.tokens.is_empty() {
                return;
            }
            if !gathers && !self.next_token_is_reachable(consumer) {
                continue;
            }
            let Some(message) = self.streams.next_message(consumer) else {
                return;
            };
            self.streams.deliver(message, m);
            self.hand_out_message(consumer, message, m.now);
            let state = &mut self.streams.consumers[consumer.index()];
            if state.gathering.is_some() {
                self.gather(consumer, message, m);
            } else if let Some(member) = state.tokens.pop_front() {
                self.begin_delivery(message, member, m);
            }
        }
    }

    /// Hands out that a message was delivered, where that is asked for.
    #[inline]
    fn hand_out_message(&mut self, consumer: ConsumerId, message: u32, at: Time) {
        if self.streams.consumers[consumer.index()].hands_out {
            let Message {
                flight, identity, ..
            } = self.streams.messages[message];
            self.outputs.push(Output::Delivery {
                by: Deliverer::Consumer(consumer),
                subscriber: 0,
                message: Some(identity),
                at,
                flight,
            });
        }
    }

    /// Whether the member of the first open request is there; the request of one that is gone is put aside.
    fn next_token_is_reachable(&mut self, consumer: ConsumerId) -> bool {
        let state = &mut self.streams.consumers[consumer.index()];
        let Some(&member) = state.tokens.front() else {
            return false;
        };
        let gone = self.visits.line_of(state.service, member).is_none();
        if gone {
            state.tokens.pop_front();
            state.parked.push(member);
        }
        !gone
    }

    /// A member may be back: the requests that were put aside are open again.
    pub(crate) fn member_is_back<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        let state = &mut self.streams.consumers[consumer.index()];
        let parked = std::mem::take(&mut state.parked);
        state.tokens.extend(parked);
        self.deal(consumer, m);
    }

    /// The calendar calls for the deadlines of a consumer.
    pub(crate) fn ack_wait_due<S: Sink>(&mut self, consumer: u32, m: &mut Moment<'_, S>) {
        let state = &mut self.streams.consumers[consumer as usize];
        state.armed = None;
        let consumer = state.id;
        while self.streams.is_expiring(u32::from(consumer.0), m.now) {
            let id = self.streams.consumers[consumer.index()].first_out;
            self.streams.stop_waiting(id);
            self.streams.note(id, MessageStep::Expired, m);
            self.deliver_again(id, Span::ZERO, m);
        }
        self.deal(consumer, m);
        self.streams.arm(consumer, m);
    }

    /// A message that is not acknowledged is to be delivered again, or is given up.
    fn deliver_again<S: Sink>(&mut self, id: u32, delay: Span, m: &mut Moment<'_, S>) {
        let message = &mut self.streams.messages[id];
        let state = &mut self.streams.consumers[message.consumer.index()];
        if message.deliveries >= state.max_deliver {
            return self.exhaust(id, m);
        }
        message.standing = Standing::Again;
        message.queued = true;
        if delay == Span::ZERO {
            state.again.push_back(id);
        } else {
            m.calendar
                .push(m.now + delay, Task::Timer(Timer::Redeliver(id)));
        }
    }

    /// The delay after a nak is over.
    pub(crate) fn redeliver_due<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let consumer = self.streams.messages[id].consumer;
        self.streams.consumers[consumer.index()].again.push_back(id);
        self.deal(consumer, m);
    }

    /// A message was delivered as often as may be.
    fn exhaust<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let message = &mut self.streams.messages[id];
        message.standing = Standing::Done;
        let step = MessageStep::Exhausted {
            age: m.now.since(message.stored),
            held: m.now.since(message.first_delivered),
        };
        self.streams.note(id, step, m);
        let message = self.streams.messages[id];
        let state = &mut self.streams.consumers[message.consumer.index()];
        state.ack_pending -= 1;
        if let Exhausted::Publish(stream, consumers) = state.exhausted.clone() {
            self.publish_dead(id, stream, &consumers, m);
        }
        self.streams.forget_if_done(id);
    }

    /// A delivery reaches its member and begins.
    fn begin_delivery<S: Sink>(&mut self, id: u32, member: u32, m: &mut Moment<'_, S>) {
        let message = self.streams.messages[id];
        let frame = Frame::Delivery {
            message: id,
            member,
        };
        self.begin(message, frame, message.answered, m);
    }

    pub(super) fn begin<S: Sink>(
        &mut self,
        message: Message,
        frame: Frame,
        answered: bool,
        m: &mut Moment<'_, S>,
    ) {
        let state = &self.streams.consumers[message.consumer.index()];
        let job = Job {
            flight: message.flight,
            identity: message.identity,
            // Nobody gives up a delivery but its stream.
            deadline: Time::NEVER,
            since: m.now,
            step: state.entry,
            line: NONE,
            previous: NONE,
            next: NONE,
            frame: NONE,
            path: state.path,
            client: message.client,
            service: state.service,
            attempt: u16::try_from(message.deliveries.saturating_sub(1)).unwrap_or(u16::MAX),
            visit: 0,
            state: State::Moving,
            answered,
        };
        let job = self.jobs.add_owing(frame, job, message.intended);
        m.calendar.push(m.now, Task::Arrived(job));
    }

    /// The work on a delivery has ended.
    pub(crate) fn delivery_ended<S: Sink>(
        &mut self,
        id: u32,
        member: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) {
        let consumer = self.streams.messages[id].consumer;
        self.settle_message(id, ending, m);
        let state = &mut self.streams.consumers[consumer.index()];
        state.tokens.push_back(member);
        self.deal(consumer, m);
    }

    /// One delivery of a message has been worked on.
    pub(super) fn settle_message<S: Sink>(
        &mut self,
        id: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) {
        let message = &mut self.streams.messages[id];
        message.working -= 1;
        let (standing, deliveries) = (message.standing, message.deliveries);
        let (age, held) = (
            m.now.since(message.stored),
            m.now.since(message.first_delivered),
        );
        match (ending, standing) {
            // The process is gone: the message waits for its `ack_wait`.
            (Ending::Lost, _) => {}
            (_, Standing::Done) => self.streams.note(id, MessageStep::Repeated, m),
            (Ending::Well | Ending::Declined(_), _) => {
                if standing == Standing::Out {
                    self.streams.stop_waiting(id);
                }
                let message = &mut self.streams.messages[id];
                message.standing = Standing::Done;
                let consumer = message.consumer;
                self.streams.consumers[consumer.index()].ack_pending -= 1;
                self.streams
                    .note(id, MessageStep::Acknowledged { age, held }, m);
            }
            (Ending::Failed(_) | Ending::GaveUp, Standing::Out) => {
                self.streams.note(id, MessageStep::Naked, m);
                self.streams.stop_waiting(id);
                let message = &self.streams.messages[id];
                let delays = &self.streams.consumers[message.consumer.index()].nak_delay;
                let nth = (deliveries as usize).min(delays.len());
                let delay = nth.checked_sub(1).map_or(Span::ZERO, |nth| delays[nth]);
                return self.deliver_again(id, delay, m);
            }
            (Ending::Failed(_) | Ending::GaveUp, _) => self.streams.note(id, MessageStep::Naked, m),
        }
        self.streams.forget_if_done(id);
    }
}
