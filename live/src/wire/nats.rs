//! The transport that sends to NATS.
//!
//! A request is handed to the queue of its connection, or dropped if the queue is full: the driver never waits. The driver
//! knows the intended time; the time of sending is taken here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use std::time::Duration;

use async_nats::message::OutboundMessage;
use async_nats::{HeaderMap, HeaderValue};
use blis_sim::event::{FlightId, Request};
use blis_sim::model::{Answer, Model, Path, SizeDraws, Template, rendered};
use blis_sim::runner::Epoch;
use blis_sim::time::Time;
use blis_sim::users::mailbox::Key;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::oneshot::{Receiver, channel};

use crate::wire::allotment::Allotment;
use crate::wire::batches::Batches;
use crate::wire::connection::Connection;
use crate::wire::denied::key;
use crate::wire::event_loop::EventLoop;
use crate::wire::outbox::{Flushed, Outbox, room};
use crate::wire::prepared::{
    Filled, MESSAGE_ID, NotSent, Prepared, To, filling, message_id, prepare,
};
use crate::wire::publications::Place;
use crate::wire::reason::Reason;
use crate::wire::rendering::Renderer;
use crate::wire::reply_id::ReplyId;
use crate::wire::sizes::{self, largest};
use crate::wire::text::Filler;
use crate::wire::told::Told;
use crate::wire::transport::{Sent, Transport};
use crate::wire::writing::Writing;

/// How long connections may take to write what they were given, after the run.
const FLUSH: Duration = Duration::from_secs(5);
/// What a load is sent over.
pub struct Over<'a> {
    /// Which load of its session it is.
    pub epoch: Epoch,
    /// What the subjects of the JetStream API start with.
    pub api: &'a str,
    /// The connections.
    pub connections: Vec<Connection>,
    /// What sets the ids of messages apart from those of other sessions.
    pub session: &'a str,
    /// Where it is told what happens beside requests.
    pub told: Arc<Told>,
    /// What runs the connections.
    pub event_loop: &'a EventLoop,
    /// How many requests earlier loads have sent.
    pub sequence: u64,
}

/// Sends to NATS.
pub struct Nats<'a> {
    epoch: Epoch,
    renders: Renderer,
    /// What names the request that was sent last in its deliveries.
    key: Option<(FlightId, Key)>,
    /// What payloads of a size are cut from.
    filling: Bytes,
    sizes: SizeDraws,
    /// By action.
    prepared: Vec<Option<Prepared>>,
    connections: Vec<Connection>,
    /// By connection.
    outboxes: Vec<Outbox>,
    /// By connection.
    writings: Vec<Writing>,
    /// By connection.
    batches: Vec<Batches>,
    /// The connections with something to be handed over.
    touched: Vec<usize>,
    /// How the flush at the end went, by connection.
    flushed: Vec<Flushed>,
    event_loop: &'a EventLoop,
    /// The messages that may wait in each of them.
    room: u64,
    allotment: Allotment,
    /// The connection and the subject of each request in flight, by slot.
    sent: Vec<(u32, u64)>,
    sequence: u64,
    /// What the subjects of the JetStream API start with.
    api: String,
    /// What sets the ids of messages apart from those of other runs.
    run: String,
    message_id: Template,
    told: Arc<Told>,
}

impl<'a> Nats<'a> {
    /// A transport for the load of a model.
    pub fn new<P: Clone + Into<Option<Path>>>(model: &Model<P>, over: Over<'a>) -> Nats<'a> {
        let Over {
            epoch,
            api,
            connections,
            session,
            told,
            event_loop,
            sequence,
        } = over;
        let run = match epoch {
            Epoch::FIRST => session.to_owned(),
            later => format!("{session}/{}", later.number()),
        };
        let allotment = Allotment::new(model);
        let prepared = prepare(model, api);
        let outboxes = connections.iter().map(|one| Outbox::of(&one.client));
        let writings = connections.iter().map(|_| Writing::default());
        let batches = connections
            .iter()
            .map(|one| Batches::new(&one.client, &told, event_loop));
        Nats {
            filling: filling(model, &prepared),
            prepared,
            outboxes: outboxes.collect(),
            writings: writings.collect(),
            batches: batches.collect(),
            touched: Vec::new(),
            flushed: Vec::new(),
            event_loop,
            room: room(largest(model, &run), allotment.most_users(model)),
            allotment,
            sizes: SizeDraws::new(model),
            epoch,
            renders: Renderer::new(Filler::new(epoch, model)),
            key: None,
            connections,
            sent: Vec::new(),
            sequence,
            api: api.to_owned(),
            run,
            message_id: message_id(),
            told,
        }
    }

    /// How many requests were sent over the connections so far, those of earlier loads included.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The messages that never left connections, at least, once they were flushed.
    pub fn never_left(&self) -> u64 {
        let outboxes = self.outboxes.iter().zip(&self.flushed);
        outboxes
            .map(|(outbox, flushed)| outbox.never_left(*flushed))
            .sum()
    }
}

impl Transport for Nats<'_> {
    fn send(&mut self, now: Time, flight: FlightId, request: &Request) -> Sent {
        let at = self.allotment.of(request);
        let (Some(connection), Some(prepared)) = (
            self.connections.get(at),
            self.prepared[request.action.index()].as_ref(),
        ) else {
            // Whoever starts a run has seen to it that every action can be sent.
            return Sent::Done(Err(Reason::ConnectionFull));
        };
        if !connection.up.load(Ordering::Relaxed) {
            return Sent::NoConnection;
        }
        self.sequence += 1;
        let (renders, sequence) = (&mut self.renders, self.sequence);
        let (subject, to) = match &prepared.subject {
            To::Always(subject, to) => (subject.clone(), *to),
            To::Each(template) => {
                let text = renders.text(template, request, sequence);
                if let Some(flaw) = rendered::flaw_of(prepared.kind, text, &self.api) {
                    self.told
                        .tell(format!("not sent: the subject {text:?} {flaw}"));
                    return Sent::Done(Err(Reason::NotSendable));
                }
                let to = key(text);
                (renders.subject(), to)
            }
        };
        let (filler, buffer) = renders.parts();
        let headers = prepared.headers(buffer, |template, out| {
            filler.write(template, request, sequence, out);
        });
        let mut headers = match headers {
            Ok(headers) => headers,
            Err(NotSent(why)) => {
                self.told.tell(format!("not sent: {why}"));
                return Sent::Done(Err(Reason::NotSendable));
            }
        };
        if connection.denied.holds(to) {
            return Sent::Done(Err(Reason::PermissionDenied));
        }
        let outbox = &mut self.outboxes[at];
        if outbox.waiting() >= self.room {
            return Sent::Done(Err(Reason::ConnectionFull));
        }
        if flight.slot() >= self.sent.len() {
            self.sent.resize(flight.slot() + 1, (u32::MAX, 0));
        }
        self.sent[flight.slot()] = (at as u32, to);
        let payload = match &prepared.payload {
            Filled::Text(bytes) => bytes.clone(),
            Filled::Size(bytes) => self.filling.slice(..*bytes),
            Filled::Drawn => {
                let size = self.sizes.of(request) as usize;
                self.filling.slice(..size.min(self.filling.len()))
            }
            Filled::Each(template) => {
                renders.text(template, request, sequence);
                renders.bytes()
            }
        };
        let awaits = prepared.awaited.as_ref();
        let awaits = awaits.map(|template| Key::of(renders.text(template, request, sequence)));
        let answer = prepared.kind.answer();
        if answer == Answer::Acknowledgement {
            // A retry is the same message.
            let id = renders.text(&self.message_id, request, sequence);
            if let Ok(id) = format!("{}/{id}", self.run).parse::<HeaderValue>() {
                headers
                    .get_or_insert_with(HeaderMap::new)
                    .insert(MESSAGE_ID, id);
            }
        }
        let reply = (answer != Answer::Nothing).then(|| {
            let id = ReplyId {
                kind: prepared.kind,
                action: request.action,
                flight,
                epoch: self.epoch,
            };
            let names = prepared.reply_names_it.then_some(request);
            renders.reply(&connection.inbox, id, names)
        });
        let batch = &mut self.batches[at];
        let bytes = payload.len() + headers.as_ref().map_or(0, sizes::of_headers);
        if !batch.takes(now, bytes) {
            return Sent::Done(Err(Reason::PayloadTooLarge));
        }
        let is_first = batch.add(OutboundMessage {
            subject,
            reply,
            payload,
            headers,
        });
        if is_first {
            self.touched.push(at);
        }
        outbox.took();
        let is_awaited = awaits.is_some();
        self.key = awaits.map(|key| (flight, key));
        match answer {
            // Its deliveries say more of it than that it was written.
            Answer::Nothing if is_awaited => Sent::Awaits(at as u32),
            Answer::Nothing => Sent::Taken(Place {
                connection: at as u32,
                number: outbox.taken(),
            }),
            Answer::Reply | Answer::Acknowledgement | Answer::Stored => Sent::Waiting(at as u32),
        }
    }

    fn hand_over(&mut self) {
        if self.touched.is_empty() {
            return;
        }
        let Nats {
            touched,
            batches,
            event_loop,
            ..
        } = self;
        event_loop.hand(async {
            for at in touched.drain(..) {
                batches[at].hand_over().await;
            }
        });
    }

    fn key(&mut self, flight: FlightId) -> Option<Key> {
        let (of, key) = self.key.take()?;
        (of == flight).then_some(key)
    }

    fn had(&self, connection: u32, flight: FlightId) -> bool {
        self.sent
            .get(flight.slot())
            .is_some_and(|(over, _)| *over == connection)
    }

    fn had_sent(&self, connection: u32, flight: FlightId, subject: u64) -> bool {
        self.sent.get(flight.slot()) == Some(&(connection, subject))
    }

    fn written(&mut self, connection: u32) -> u64 {
        let at = connection as usize;
        let (Some(outbox), Some(writing), Some(connection)) = (
            self.outboxes.get(at),
            self.writings.get_mut(at),
            self.connections.get(at),
        ) else {
            return 0;
        };
        if !connection.up.load(Ordering::Relaxed) {
            writing.lost();
        }
        let batches = &mut self.batches[at];
        writing.look(outbox.taken(), || ask(self.event_loop, batches))
    }

    fn flush(&mut self) {
        let connections = self.connections.iter().zip(&self.outboxes);
        let ways = self.writings.iter_mut().zip(&mut self.batches);
        let flushes = connections
            .zip(ways)
            .map(|((connection, outbox), (writing, batches))| {
                let answer = ask(self.event_loop, batches);
                async move {
                    match connection.up.load(Ordering::Relaxed) {
                        true => writing.finish(outbox.taken(), answer, FLUSH).await,
                        false => Flushed::IsDown,
                    }
                }
            });
        self.flushed = self.event_loop.block_on(join_all(flushes));
    }
}

/// Asks whether all that a connection was given is written.
fn ask(event_loop: &EventLoop, batches: &mut Batches) -> Receiver<bool> {
    let asked = event_loop.hand(batches.ask());
    // Where it cannot be asked there is no answer.
    asked.unwrap_or_else(|| channel().1)
}
