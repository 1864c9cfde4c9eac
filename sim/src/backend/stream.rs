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

use std::collections::VecDeque;

use super::frame::{Ending, Frame};
use super::{Backend, Delivered, Moment};
use crate::backend::job::{Hasher, Job, NONE, State};
use crate::dist::Dist;
use crate::engine::{Arena, FlightId, Task, Timer};
use crate::event::{Event, MessageStep, Sink};
use crate::model::{ConsumerId, Exhausted, Model, ServiceId, StreamId};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};

/// A stream, with the keys of its draws.
#[derive(Debug, Clone)]
pub(super) struct StreamState {
    append: Dist,
    append_key: Key,
    message_key: Key,
    window: Option<Duplicates>,
}

/// The ids of the messages that were stored within the duplicate window.
#[derive(Debug, Clone)]
struct Duplicates {
    window: Span,
    ids: std::collections::HashSet<u64, Hasher>,
    by_age: VecDeque<(Time, u64)>,
}

impl Duplicates {
    /// Whether the id is new within the window, and so is one from now on.
    fn is_new(&mut self, now: Time, id: u64) -> bool {
        while let Some(&(stored, old)) = self.by_age.front()
            && now.since(stored) > self.window
        {
            self.by_age.pop_front();
            self.ids.remove(&old);
        }
        let new = self.ids.insert(id);
        if new {
            self.by_age.push_back((now, id));
        }
        new
    }
}

impl StreamState {
    /// The id of a message, which is the same for every try of its request.
    fn message_id(&self, path: Key, ordinal: u32, identity: u64) -> u64 {
        let place = path.identity(u64::from(ordinal), 0);
        self.message_key.identity(identity, place)
    }
}

/// What the demands of a message are drawn from.
fn of_try(id: u64, attempt: u16) -> u64 {
    id ^ u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// How the work on deliveries that others hand in begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) entry: u32,
    pub(super) path: u16,
    pub(super) identity: u64,
    /// What it costs, where it is a batch.
    pub(super) cost: Option<Span>,
}

/// A message that is being published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published {
    flight: FlightId,
    /// The identity of the publishing request, which its retries share.
    identity: u64,
    /// The publication step.
    publication: u32,
    client: u16,
    attempt: u16,
    answered: bool,
    path: u16,
    intended: Time,
}

/// What a message is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
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
    flight: FlightId,
    identity: u64,
    stored: Time,
    first_delivered: Time,
    deadline: Time,
    intended: Time,
    /// Neighbours in the order of the deadlines.
    previous: u32,
    next: u32,
    /// Deliveries that are being worked on.
    working: u32,
    consumer: ConsumerId,
    client: u16,
    deliveries: u32,
    standing: Standing,
    /// Whether it stands in a queue for redelivery, or a timer runs that puts it there.
    queued: bool,
    answered: bool,
}

/// Messages that are worked on together.
#[derive(Debug, Clone, Default)]
pub(super) struct BatchState {
    pub(super) cost: Span,
    pub(super) member: u32,
    messages: Vec<u32>,
}

/// A consumer.
#[derive(Debug, Clone)]
pub(super) struct ConsumerState {
    id: ConsumerId,
    service: ServiceId,
    entry: u32,
    path: u16,
    max_ack_pending: u32,
    ack_wait: Span,
    max_deliver: u32,
    exhausted: Exhausted,
    nak_delay: Vec<Span>,
    gathering: Option<Gathering>,
    identity_key: Key,
    /// Messages that were never delivered.
    pending: VecDeque<u32>,
    /// Messages that are to be delivered again now.
    again: VecDeque<u32>,
    ack_pending: u32,
    /// Open requests for messages, by member.
    tokens: VecDeque<u32>,
    /// Requests of members that are gone.
    parked: Vec<u32>,
    /// The messages whose `ack_wait` runs, by deadline.
    first_out: u32,
    last_out: u32,
    /// When the calendar calls for the first of these deadlines, or what was the first.
    armed: Option<Time>,
}

/// How a consumer gathers batches.
#[derive(Debug, Clone)]
struct Gathering {
    size: usize,
    linger: Option<Span>,
    per_batch: Dist,
    per_item: Dist,
    batch_key: Key,
    item_key: Key,
    messages: Vec<u32>,
    member: u32,
    closes_at: Time,
}

/// All streams, consumers and messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams {
    streams: Vec<StreamState>,
    consumers: Vec<ConsumerState>,
    published: Arena<Published>,
    messages: Arena<Message>,
}

impl Streams {
    pub(super) fn new(model: &Model) -> Streams {
        let streams = model.streams.iter().map(|stream| {
            let key = |purpose| Key::new(model.seed, Kind::Stream, &stream.name, purpose);
            StreamState {
                append: stream.append.clone(),
                append_key: key(Purpose::Append),
                message_key: key(Purpose::Message),
                window: stream.duplicate_window.map(|window| Duplicates {
                    window,
                    ids: std::collections::HashSet::default(),
                    by_age: VecDeque::new(),
                }),
            }
        });
        let consumers = (0u16..).zip(&model.consumers);
        Streams {
            streams: streams.collect(),
            consumers: consumers
                .map(|(id, _)| ConsumerState::new(model, ConsumerId(id)))
                .collect(),
            published: Arena::new(),
            messages: Arena::new(),
        }
    }

    /// Messages that are on their way, pending or worked on.
    pub(super) fn len(&self) -> usize {
        self.published.len() + self.messages.len()
    }

    /// Whether a consumer has no message that is pending, delivered or to be delivered again.
    pub(super) fn has_nothing_for(&self, consumer: ConsumerId) -> bool {
        let state = &self.consumers[consumer.index()];
        let gathered = state.gathering.as_ref();
        state.ack_pending == 0
            && state.pending.is_empty()
            && state.again.is_empty()
            && gathered.is_none_or(|batch| batch.messages.is_empty())
    }
}

impl ConsumerState {
    fn new(model: &Model, id: ConsumerId) -> ConsumerState {
        let consumer = &model.consumers[id.index()];
        let stream = &model.streams[consumer.stream.index()].name;
        let name = format!("{stream}/{}", consumer.name);
        let key = |purpose| Key::new(model.seed, Kind::Consumer, &name, purpose);
        let service = &model.services[consumer.service.index()];
        // A spec whose consumers ask for more than memory holds is refused before.
        let prefetch = u64::from(consumer.prefetch);
        let asks = |workers: u64| workers.saturating_add(prefetch);
        // In turn, as long as a line has any left to ask for.
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
            gathering: consumer.batch.as_ref().map(|batch| Gathering {
                size: batch.size.get() as usize,
                linger: batch.linger,
                per_batch: batch.per_batch.clone(),
                per_item: batch.per_item.clone(),
                batch_key: key(Purpose::Batch),
                item_key: key(Purpose::Item),
                messages: Vec::new(),
                member: 0,
                closes_at: Time::NEVER,
            }),
            identity_key: key(Purpose::Request),
            pending: VecDeque::new(),
            again: VecDeque::new(),
            ack_pending: 0,
            tokens: tokens.take(MOST_TOKENS).collect(),
            parked: Vec::new(),
            first_out: NONE,
            last_out: NONE,
            armed: None,
        }
    }
}

/// More open requests than this are never used: so many messages are not worked on at once.
const MOST_TOKENS: usize = 4_000_000;

impl Backend {
    /// The time until the message of a publication is stored.
    fn append_time(&self, id: u32, publication: u32) -> Span {
        let job = &self.jobs[id];
        let step = &self.program.publications[publication as usize];
        let stream = &self.streams.streams[step.stream.index()];
        let mut draw = stream
            .append_key
            .draw(job.identity, job.ordinal(step.ordinal));
        stream.append.sample_span(&mut draw)
    }

    fn published(&self, id: u32, publication: u32) -> Published {
        let job = &self.jobs[id];
        Published {
            flight: job.flight,
            identity: job.identity,
            publication,
            client: job.client,
            attempt: job.attempt,
            answered: job.answered,
            path: job.path,
            intended: self.intended(id),
        }
    }

    /// A job publishes a message; whether it waits until that is stored.
    pub(super) fn publish<S: Sink>(
        &mut self,
        id: u32,
        publication: u32,
        m: &mut Moment<'_, S>,
    ) -> bool {
        if self.is_open() {
            return self.publish_outside(id, publication);
        }
        let append = self.append_time(id, publication);
        let step = &self.program.publications[publication as usize];
        let (acknowledged, store) = (step.acknowledged, step.store);
        if append == Span::ZERO {
            let published = self.published(id, publication);
            self.store(published, m);
            return false;
        }
        if acknowledged {
            self.jobs[id].step = store;
            m.calendar.push(m.now + append, Task::Arrived(id));
            return true;
        }
        let published = self.published(id, publication);
        let slot = self.streams.published.insert(published);
        m.calendar
            .push(m.now + append, Task::Timer(Timer::Stored(slot)));
        false
    }

    /// The message of a job is stored that has waited for it.
    pub(super) fn store_own<S: Sink>(&mut self, id: u32, publication: u32, m: &mut Moment<'_, S>) {
        let published = self.published(id, publication);
        self.store(published, m);
    }

    /// A message is stored that nobody waits for.
    pub(super) fn stored<S: Sink>(&mut self, slot: u32, m: &mut Moment<'_, S>) {
        let published = self.streams.published[slot];
        self.streams.published.remove(slot);
        self.store(published, m);
    }

    fn store<S: Sink>(&mut self, published: Published, m: &mut Moment<'_, S>) {
        let step = &self.program.publications[published.publication as usize];
        let stream = step.stream;
        let state = &mut self.streams.streams[stream.index()];
        let path = self.paths[usize::from(published.path)].place;
        let id = state.message_id(path, step.ordinal, published.identity);
        let stored = state
            .window
            .as_mut()
            .is_none_or(|window| window.is_new(m.now, id));
        m.sink.record(m.now, Event::Publication { stream, stored });
        if !stored {
            return;
        }
        // A retry publishes another message with other demands, though under the same id.
        let identity = of_try(id, published.attempt);
        let message = Message {
            flight: published.flight,
            identity,
            stored: m.now,
            first_delivered: m.now,
            deadline: Time::NEVER,
            intended: published.intended,
            previous: NONE,
            next: NONE,
            working: 0,
            consumer: ConsumerId(0),
            client: published.client,
            deliveries: 0,
            standing: Standing::Pending,
            queued: false,
            answered: published.answered,
        };
        for index in 0..self.program.publications[published.publication as usize]
            .consumers
            .len()
        {
            let step = &self.program.publications[published.publication as usize];
            self.add_message(message, step.consumers[index], m);
        }
    }

    /// A message is pending for a consumer.
    fn add_message<S: Sink>(
        &mut self,
        message: Message,
        consumer: ConsumerId,
        m: &mut Moment<'_, S>,
    ) {
        let state = &mut self.streams.consumers[consumer.index()];
        let identity = state.identity_key.identity(message.identity, 0);
        let id = self.streams.messages.insert(Message {
            consumer,
            identity,
            ..message
        });
        state.pending.push_back(id);
        self.note(id, MessageStep::Stored, m);
        self.deal(consumer, m);
    }

    fn note<S: Sink>(&self, message: u32, step: MessageStep, m: &mut Moment<'_, S>) {
        let message = &self.streams.messages[message];
        let event = Event::Message {
            consumer: message.consumer,
            flight: message.flight,
            step,
        };
        m.sink.record(m.now, event);
    }

    /// Deals messages to open requests as long as there are both.
    fn deal<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
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
            let Some(message) = self.next_message(consumer) else {
                return;
            };
            self.deliver(message, m);
            let state = &mut self.streams.consumers[consumer.index()];
            if state.gathering.is_some() {
                self.gather(consumer, message, m);
            } else if let Some(member) = state.tokens.pop_front() {
                self.begin_delivery(message, member, m);
            }
        }
    }

    /// The id and the identity of the message of a publication.
    pub(super) fn message_identity(
        &self,
        publication: u32,
        path: u16,
        identity: u64,
        attempt: u16,
    ) -> (u64, u64) {
        let step = &self.program.publications[publication as usize];
        let stream = &self.streams.streams[step.stream.index()];
        let path = self.paths[usize::from(path)].place;
        let id = stream.message_id(path, step.ordinal, identity);
        (id, of_try(id, attempt))
    }

    /// How the work on deliveries that others hand in begins; `None` when there are none.
    pub(super) fn delivery_of(
        &self,
        consumer: ConsumerId,
        deliveries: &[Delivered],
    ) -> Option<Begun> {
        let state = &self.streams.consumers[consumer.index()];
        let identity = |one: &Delivered| state.identity_key.identity(one.message.identity, 0);
        let first = deliveries.first()?;
        let cost = state.gathering.as_ref().map(|batch| {
            let draw = |key: Key, one| key.draw(identity(one), u64::from(one.delivery));
            let fixed = batch
                .per_batch
                .sample_span(&mut draw(batch.batch_key, first));
            deliveries.iter().fold(fixed, |cost, one| {
                cost + batch.per_item.sample_span(&mut draw(batch.item_key, one))
            })
        });
        Some(Begun {
            entry: state.entry,
            path: state.path,
            identity: identity(first),
            cost,
        })
    }

    /// Whether the member of the first open request is there; the request of one that is gone is put aside.
    fn next_token_is_reachable(&mut self, consumer: ConsumerId) -> bool {
        let state = &mut self.streams.consumers[consumer.index()];
        let Some(&member) = state.tokens.front() else {
            return false;
        };
        let first = self.stations[state.service.index()].first_line;
        let gone = self.lines[(first + member) as usize].gone;
        if gone {
            state.tokens.pop_front();
            state.parked.push(member);
        }
        !gone
    }

    /// A member may be back: the requests that were put aside are open again.
    pub(super) fn member_is_back<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        let state = &mut self.streams.consumers[consumer.index()];
        let parked = std::mem::take(&mut state.parked);
        state.tokens.extend(parked);
        self.deal(consumer, m);
    }

    /// The message that is delivered next, out of its queue.
    fn next_message(&mut self, consumer: ConsumerId) -> Option<u32> {
        let state = &mut self.streams.consumers[consumer.index()];
        while let Some(id) = state.again.pop_front() {
            let message = &mut self.streams.messages[id];
            message.queued = false;
            if message.standing != Standing::Done {
                return Some(id);
            }
            if message.working == 0 {
                self.streams.messages.remove(id);
            }
        }
        if state.ack_pending >= state.max_ack_pending {
            return None;
        }
        let id = state.pending.pop_front()?;
        state.ack_pending += 1;
        Some(id)
    }

    /// A message is delivered, for the first time or again; its `ack_wait` runs from now.
    fn deliver<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let message = &mut self.streams.messages[id];
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
        let state = &mut self.streams.consumers[consumer.index()];
        let deadline = m.now + state.ack_wait;
        let previous = std::mem::replace(&mut state.last_out, id);
        let message = &mut self.streams.messages[id];
        (message.deadline, message.previous, message.next) = (deadline, previous, NONE);
        match previous {
            NONE => state.first_out = id,
            _ => self.streams.messages[previous].next = id,
        }
        self.arm(consumer, m);
    }

    /// Sees to it that the calendar calls for the first deadline, once.
    fn arm<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        let state = &mut self.streams.consumers[consumer.index()];
        if state.armed.is_some() || state.first_out == NONE {
            return;
        }
        let at = self.streams.messages[state.first_out].deadline;
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
        } = self.streams.messages[id];
        let state = &mut self.streams.consumers[consumer.index()];
        match previous {
            NONE => state.first_out = next,
            _ => self.streams.messages[previous].next = next,
        }
        match next {
            NONE => state.last_out = previous,
            _ => self.streams.messages[next].previous = previous,
        }
    }

    /// Whether the `ack_wait` of some message is over.
    pub(super) fn is_expiring(&self, consumer: u32, now: Time) -> bool {
        let first = self.streams.consumers[consumer as usize].first_out;
        first != NONE && self.streams.messages[first].deadline <= now
    }

    /// The calendar calls for the deadlines of a consumer.
    pub(super) fn ack_wait_due<S: Sink>(&mut self, consumer: u32, m: &mut Moment<'_, S>) {
        let state = &mut self.streams.consumers[consumer as usize];
        state.armed = None;
        let consumer = state.id;
        while self.is_expiring(u32::from(consumer.0), m.now) {
            let id = self.streams.consumers[consumer.index()].first_out;
            self.stop_waiting(id);
            self.note(id, MessageStep::Expired, m);
            self.deliver_again(id, Span::ZERO, m);
        }
        self.deal(consumer, m);
        self.arm(consumer, m);
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
    pub(super) fn redeliver_due<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let consumer = self.streams.messages[id].consumer;
        self.streams.consumers[consumer.index()].again.push_back(id);
        self.deal(consumer, m);
    }

    /// The position of a consumer's path.
    pub(super) fn path_of_consumer(&self, consumer: u32) -> Option<u16> {
        let consumers = &self.streams.consumers;
        consumers.get(consumer as usize).map(|state| state.path)
    }

    /// The position of the path of a message's consumer.
    pub(super) fn path_of_message(&self, message: u32) -> Option<u16> {
        let message = self.streams.messages.get(message)?;
        self.path_of_consumer(u32::from(message.consumer.0))
    }

    /// Whether a message that a timer was set for is done.
    pub(super) fn is_settled(&self, message: u32) -> bool {
        self.streams.messages[message].standing == Standing::Done
    }

    /// Forgets a message that a timer was set for and that is done.
    pub(super) fn forget_settled(&mut self, id: u32) {
        let message = &mut self.streams.messages[id];
        message.queued = false;
        if message.working == 0 {
            self.streams.messages.remove(id);
        }
    }

    /// A message was delivered as often as may be.
    fn exhaust<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let message = &mut self.streams.messages[id];
        message.standing = Standing::Done;
        let step = MessageStep::Exhausted {
            age: m.now.since(message.stored),
            held: m.now.since(message.first_delivered),
        };
        self.note(id, step, m);
        let message = self.streams.messages[id];
        let state = &mut self.streams.consumers[message.consumer.index()];
        state.ack_pending -= 1;
        if let Exhausted::Publish(stream, consumers) = state.exhausted.clone() {
            self.publish_dead(id, stream, &consumers, m);
        }
        self.forget_if_done(id);
    }

    /// Publishes a message that was given up to another stream.
    fn publish_dead<S: Sink>(
        &mut self,
        id: u32,
        stream: StreamId,
        consumers: &[ConsumerId],
        m: &mut Moment<'_, S>,
    ) {
        let stored = true;
        m.sink.record(m.now, Event::Publication { stream, stored });
        let dead = Message {
            stored: m.now,
            first_delivered: m.now,
            deliveries: 0,
            working: 0,
            standing: Standing::Pending,
            queued: false,
            ..self.streams.messages[id]
        };
        for &consumer in consumers {
            self.add_message(dead, consumer, m);
        }
    }

    fn forget_if_done(&mut self, id: u32) {
        let message = &self.streams.messages[id];
        if message.standing == Standing::Done && message.working == 0 && !message.queued {
            self.streams.messages.remove(id);
        }
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

    fn begin<S: Sink>(
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
            frame: self.frames.insert(frame),
            path: state.path,
            client: message.client,
            service: state.service,
            attempt: u16::try_from(message.deliveries.saturating_sub(1)).unwrap_or(u16::MAX),
            visit: 0,
            state: State::Moving,
            answered,
        };
        let job = self.add_job(job, message.intended);
        m.calendar.push(m.now, Task::Arrived(job));
    }

    /// A message joins the batch that its consumer gathers.
    fn gather<S: Sink>(&mut self, consumer: ConsumerId, id: u32, m: &mut Moment<'_, S>) {
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

    /// Whether a batch is gathered that has waited long enough.
    pub(super) fn is_lingering(&self, consumer: u32, now: Time) -> bool {
        let gathering = self.streams.consumers[consumer as usize].gathering.as_ref();
        gathering.is_some_and(|batch| !batch.messages.is_empty() && batch.closes_at == now)
    }

    /// The batch that a consumer gathers has waited long enough.
    pub(super) fn linger_due<S: Sink>(&mut self, consumer: u32, m: &mut Moment<'_, S>) {
        let consumer = self.streams.consumers[consumer as usize].id;
        self.close_batch(consumer, m);
        self.deal(consumer, m);
    }

    /// A batch goes to its member.
    fn close_batch<S: Sink>(&mut self, consumer: ConsumerId, m: &mut Moment<'_, S>) {
        let slot = self.batches.take(BatchState::default);
        let state = &mut self.streams.consumers[consumer.index()];
        let Some(gathering) = &mut state.gathering else {
            return;
        };
        let batch = &mut self.batches[slot];
        std::mem::swap(&mut batch.messages, &mut gathering.messages);
        batch.member = gathering.member;
        gathering.closes_at = Time::NEVER;
        let key = |key: Key, id: u32| {
            let message = &self.streams.messages[id];
            key.draw(message.identity, u64::from(message.deliveries))
        };
        let first = batch.messages[0];
        let mut cost = gathering
            .per_batch
            .sample_span(&mut key(gathering.batch_key, first));
        for &id in &batch.messages {
            cost = cost
                + gathering
                    .per_item
                    .sample_span(&mut key(gathering.item_key, id));
        }
        batch.cost = cost;
        let message = self.streams.messages[first];
        self.begin(message, Frame::Batch { batch: slot }, true, m);
    }

    /// The work on a delivery has ended.
    pub(super) fn delivery_ended<S: Sink>(
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

    /// The work on a batch has ended.
    pub(super) fn batch_ended<S: Sink>(
        &mut self,
        slot: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) {
        let mut messages = std::mem::take(&mut self.batches[slot].messages);
        let member = self.batches[slot].member;
        let consumer = self.streams.messages[messages[0]].consumer;
        for &id in &messages {
            self.settle_message(id, ending, m);
        }
        messages.clear();
        self.batches[slot].messages = messages;
        self.batches.remove(slot);
        let state = &mut self.streams.consumers[consumer.index()];
        state.tokens.push_back(member);
        self.deal(consumer, m);
    }

    /// One delivery of a message has been worked on.
    fn settle_message<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
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
            (_, Standing::Done) => self.note(id, MessageStep::Repeated, m),
            (Ending::Well | Ending::Declined(_), _) => {
                if standing == Standing::Out {
                    self.stop_waiting(id);
                }
                let message = &mut self.streams.messages[id];
                message.standing = Standing::Done;
                let consumer = message.consumer;
                self.streams.consumers[consumer.index()].ack_pending -= 1;
                self.note(id, MessageStep::Acknowledged { age, held }, m);
            }
            (Ending::Failed(_) | Ending::GaveUp, Standing::Out) => {
                self.note(id, MessageStep::Naked, m);
                self.stop_waiting(id);
                let message = &self.streams.messages[id];
                let delays = &self.streams.consumers[message.consumer.index()].nak_delay;
                let nth = (deliveries as usize).min(delays.len());
                let delay = nth.checked_sub(1).map_or(Span::ZERO, |nth| delays[nth]);
                return self.deliver_again(id, delay, m);
            }
            (Ending::Failed(_) | Ending::GaveUp, _) => self.note(id, MessageStep::Naked, m),
        }
        self.forget_if_done(id);
    }

    /// Reports the messages that are not done when the run ends.
    pub(super) fn cut_messages<S: Sink>(&mut self, m: &mut Moment<'_, S>) {
        for id in self.streams.messages.taken() {
            let message = self.streams.messages[id];
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
