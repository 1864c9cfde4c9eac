//! Publication: how messages come into streams.

use std::collections::{HashSet, VecDeque};

use super::message::{Message, Standing};
use crate::backend::walk::{Hasher, NONE};
use crate::backend::{Backend, Moment};
use crate::dist::Dist;
use crate::engine::{Task, Timer};
use crate::event::{Event, FlightId, MessageStep, Sink};
use crate::model::{ConsumerId, Model, Stream, StreamId};
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
    ids: HashSet<u64, Hasher>,
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
    pub(super) fn new(model: &Model, stream: &Stream) -> StreamState {
        let key = |purpose| Key::new(model.seed, Kind::Stream, &stream.name, purpose);
        StreamState {
            append: stream.append.clone(),
            append_key: key(Purpose::Append),
            message_key: key(Purpose::Message),
            window: stream.duplicate_window.map(|window| Duplicates {
                window,
                ids: HashSet::default(),
                by_age: VecDeque::new(),
            }),
        }
    }

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

impl Backend {
    /// The time until the message of a publication is stored.
    fn append_time(&self, id: u32, publication: u32) -> Span {
        let job = &self.jobs[id];
        let step = &self.paths.program.publications[publication as usize];
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
            intended: self.jobs.intended(id),
        }
    }

    /// A job publishes a message; whether it waits until that is stored.
    pub(crate) fn publish<S: Sink>(
        &mut self,
        id: u32,
        publication: u32,
        m: &mut Moment<'_, S>,
    ) -> bool {
        if self.is_open() {
            return self.publish_outside(id, publication);
        }
        let append = self.append_time(id, publication);
        let step = &self.paths.program.publications[publication as usize];
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
    pub(crate) fn store_own<S: Sink>(&mut self, id: u32, publication: u32, m: &mut Moment<'_, S>) {
        let published = self.published(id, publication);
        self.store(published, m);
    }

    /// A message is stored that nobody waits for.
    pub(crate) fn stored<S: Sink>(&mut self, slot: u32, m: &mut Moment<'_, S>) {
        let published = self.streams.published[slot];
        self.streams.published.remove(slot);
        self.store(published, m);
    }

    fn store<S: Sink>(&mut self, published: Published, m: &mut Moment<'_, S>) {
        let step = &self.paths.program.publications[published.publication as usize];
        let stream = step.stream;
        let state = &mut self.streams.streams[stream.index()];
        let path = self.paths[published.path].place;
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
        for index in 0..self.paths.program.publications[published.publication as usize]
            .consumers
            .len()
        {
            let step = &self.paths.program.publications[published.publication as usize];
            self.add_message(message, step.consumers[index], m);
        }
    }

    /// A message is pending for a consumer.
    pub(super) fn add_message<S: Sink>(
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
        self.streams.note(id, MessageStep::Stored, m);
        self.deal(consumer, m);
    }

    /// Publishes a message that was given up to another stream.
    pub(super) fn publish_dead<S: Sink>(
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

    /// The id and the identity of the message of a publication.
    pub(crate) fn message_identity(
        &self,
        publication: u32,
        path: u16,
        identity: u64,
        attempt: u16,
    ) -> (u64, u64) {
        let step = &self.paths.program.publications[publication as usize];
        let stream = &self.streams.streams[step.stream.index()];
        let path = self.paths[path].place;
        let id = stream.message_id(path, step.ordinal, identity);
        (id, of_try(id, attempt))
    }
}
