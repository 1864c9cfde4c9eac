//! The transport that sends to NATS.
//!
//! A request is handed to the queue of its connection, or is dropped where that has no room: the driver never waits. The
//! intended instant is the driver's affair; here is the instant of sending.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_nats::{HeaderMap, HeaderName, HeaderValue, PublishErrorKind};
use blis_sim::event::{FlightId, Request};
use blis_sim::model::{
    Answer, Model, Path, Payload, Piece, SendKind, Sending, SizeDraws, Template, rendered,
};
use blis_sim::runner::Epoch;
use blis_sim::time::Time;
use blis_sim::users::mailbox::Key;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::runtime::Handle;

use crate::allotment::Allotment;
use crate::connection::{Connection, ReplyId, Told};
use crate::denied::key;
use crate::driver::{Sent, Transport};
use crate::outbox::{Flushed, Outbox, room};
use crate::publications::Place;
use crate::reason::Reason;
use crate::sizes::largest;
use crate::text::Filler;
use crate::writing::Writing;

/// How long connections may take to write what they were given, after the run.
const FLUSH: Duration = Duration::from_secs(5);
/// What a payload of a size is filled with.
const FILLING: u8 = b'x';
/// The header by which a stream knows a message again.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";
/// The header by which a message is stored only if the last one of its subject has this number.
pub const LAST_OF_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence";
/// The number of the last one where there is none.
pub const FIRST: &str = "0";

/// How the requests of an action are sent, prepared.
struct Prepared {
    kind: SendKind,
    subject: Template,
    /// The one with the request's id first.
    headers: Vec<(HeaderName, Template)>,
    payload: Filled,
    /// What is found in deliveries of a request.
    awaited: Option<Template>,
}

enum Filled {
    Text(Bytes),
    /// Always as many bytes.
    Size(usize),
    /// As many bytes as the request is drawn.
    Drawn,
    Each(Template),
}

impl Prepared {
    /// `None` where a header cannot have its name, which the reading of the spec has seen to.
    fn new(sending: &Sending) -> Option<Prepared> {
        let payload = match &sending.payload {
            Payload::Size(bytes) => Filled::Size(*bytes),
            Payload::Drawn { .. } => Filled::Drawn,
            Payload::Text(text) => match text.fixed() {
                Some(text) => Filled::Text(Bytes::from(text.to_owned())),
                None => Filled::Each(text.clone()),
            },
        };
        let id = (sending.request_id.clone(), Template(vec![Piece::Id]));
        let delivery = sending.delivery.as_ref();
        let headers = [id].into_iter().chain(sending.headers.clone());
        let headers = headers.map(|(name, template)| Some((name.parse().ok()?, template)));
        Some(Prepared {
            kind: sending.kind,
            subject: sending.subject.clone(),
            headers: headers.collect::<Option<_>>()?,
            payload,
            awaited: delivery.map(|delivery| delivery.equals.clone()),
        })
    }

    /// The headers of a request, unless one of them is not sent.
    fn headers(&self, text: impl Fn(&Template) -> String) -> Result<HeaderMap, NotSent> {
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let value = text(template);
            let flaw = rendered::header_flaw(name.as_ref(), &value);
            let value = value.parse::<HeaderValue>();
            let (None, Ok(value)) = (flaw, value) else {
                let flaw = flaw.unwrap_or(rendered::Flaw::SeveralLines);
                return Err(NotSent(format!(
                    "the header {} {flaw}",
                    name.as_ref() as &str
                )));
            };
            headers.insert(name.clone(), value);
        }
        if self.kind == SendKind::KvCreate {
            headers.insert(LAST_OF_SUBJECT, FIRST);
        }
        Ok(headers)
    }
}

/// Why a request is not sent, to be told.
struct NotSent(String);

/// How the actions are sent that some client sends, by action.
fn prepare<P>(model: &Model<P>) -> Vec<Option<Prepared>> {
    let mut prepared: Vec<Option<Prepared>> = model.actions.iter().map(|_| None).collect();
    let shares = model.clients.iter().flat_map(|client| &client.mix.shares);
    for (id, _) in shares {
        let place = &mut prepared[id.index()];
        if place.is_none() {
            let sending = model.actions[id.index()].sending.as_ref();
            *place = sending.and_then(Prepared::new);
        }
    }
    prepared
}

/// The bytes that payloads are cut from: as many as the largest that some client sends.
fn filling<P>(model: &Model<P>, prepared: &[Option<Prepared>]) -> Bytes {
    let sent = model.actions.iter().zip(prepared);
    let sent = sent.filter_map(|(action, prepared)| prepared.as_ref().and(action.sending.as_ref()));
    let largest = sent.map(|sending| match sending.payload {
        Payload::Size(bytes) | Payload::Drawn { most: bytes } => bytes,
        Payload::Text(_) => 0,
    });
    Bytes::from(vec![FILLING; largest.max().unwrap_or(0)])
}

/// Client, user and number: by which a stream knows a message again, also when it is tried again.
pub fn message_id() -> Template {
    let slash = || Piece::Text("/".to_owned());
    Template(vec![
        Piece::Client,
        slash(),
        Piece::User,
        slash(),
        Piece::Number,
    ])
}

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
    /// The runtime of the connections.
    pub runtime: Handle,
    /// How many requests earlier loads have sent.
    pub sequence: u64,
}

/// Sends to NATS.
pub struct Nats {
    epoch: Epoch,
    filler: Filler,
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
    /// How the flush at the end went, by connection.
    flushed: Vec<Flushed>,
    runtime: Handle,
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

impl Nats {
    /// A transport for the load of a model.
    pub fn new<P: Clone + Into<Option<Path>>>(model: &Model<P>, over: Over<'_>) -> Nats {
        let Over {
            epoch,
            api,
            connections,
            session,
            told,
            runtime,
            sequence,
        } = over;
        let run = match epoch {
            Epoch::FIRST => session.to_owned(),
            later => format!("{session}/{}", later.number()),
        };
        let allotment = Allotment::new(model);
        let prepared = prepare(model);
        let outboxes = connections.iter().map(|one| Outbox::of(&one.client));
        let writings = connections.iter().map(|one| Writing::of(&one.client));
        Nats {
            filling: filling(model, &prepared),
            prepared,
            outboxes: outboxes.collect(),
            writings: writings.collect(),
            flushed: Vec::new(),
            runtime,
            room: room(largest(model, &run), allotment.most_users(model)),
            allotment,
            sizes: SizeDraws::new(model),
            epoch,
            filler: Filler::new(epoch, model),
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

impl Transport for Nats {
    fn send(&mut self, _now: Time, flight: FlightId, request: &Request) -> Sent {
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
        let text = |template: &Template| self.filler.text(template, request, self.sequence);
        let subject = text(&prepared.subject);
        let judged = match rendered::flaw_of(prepared.kind, &subject, &self.api) {
            Some(flaw) => Err(NotSent(format!("the subject {subject:?} {flaw}"))),
            None => prepared.headers(text),
        };
        let mut headers = match judged {
            Ok(headers) => headers,
            Err(NotSent(why)) => {
                self.told.tell(format!("not sent: {why}"));
                return Sent::Done(Err(Reason::NotSendable));
            }
        };
        let to = key(&subject);
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
            Filled::Each(template) => Bytes::from(text(template)),
        };
        let awaits = prepared.awaited.as_ref();
        let awaits = awaits.map(|template| Key::of(&text(template)));
        let client = &connection.client;
        let answer = prepared.kind.answer();
        let accepted = match answer {
            Answer::Nothing => at_once(client.publish_with_headers(subject, headers, payload)),
            Answer::Reply | Answer::Acknowledgement | Answer::Stored => {
                if answer == Answer::Acknowledgement {
                    // A retry is the same message.
                    let id = format!("{}/{}", self.run, text(&self.message_id));
                    if let Ok(id) = id.parse::<HeaderValue>() {
                        headers.insert(MESSAGE_ID, id);
                    }
                }
                let mut reply = connection.inbox.clone();
                let id = ReplyId {
                    kind: prepared.kind,
                    action: request.action,
                    flight,
                    epoch: self.epoch,
                };
                id.write(&mut reply);
                at_once(client.publish_with_reply_and_headers(subject, reply, headers, payload))
            }
        };
        match accepted {
            Some(Ok(())) => {
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
                    Answer::Reply | Answer::Acknowledgement | Answer::Stored => {
                        Sent::Waiting(at as u32)
                    }
                }
            }
            Some(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Sent::Done(Err(Reason::PayloadTooLarge))
            }
            Some(Err(error)) if error.kind() == PublishErrorKind::InvalidSubject => {
                Sent::Done(Err(Reason::NotSendable))
            }
            Some(Err(_)) => Sent::Done(Err(Reason::ConnectionDown)),
            None => Sent::Done(Err(Reason::ConnectionFull)),
        }
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
        writing.look(outbox.taken())
    }

    fn flush(&mut self) {
        let connections = self.connections.iter().zip(&self.outboxes);
        let each = connections.zip(&mut self.writings);
        let flushes = each.map(|((connection, outbox), writing)| async move {
            match connection.up.load(Ordering::Relaxed) {
                true => writing.finish(outbox.taken(), FLUSH).await,
                false => Flushed::IsDown,
            }
        });
        self.flushed = self.runtime.block_on(join_all(flushes));
    }
}

/// The result of a future that is there without waiting.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(clients: &str, more: &str) -> Model {
        let mut spec = format!(
            "blis: 1\nname: a\nrun: {{requests: 9, horizon: 1s}}\nclients: {{{clients}}}\nactions:\n  small: {{path: [reply], live: \
             {{request: a}}, payload: {{size: 10B}}}}\n  text: {{path: [reply], live: {{request: a}}, payload: {{text: \
             hello}}}}\n  drawn: {{path: [reply], live: {{request: a}}, payload: {{size: {{uniform: {{min: 1B, max: 50B}}}}}}}}\n"
        );
        for number in 0..300 {
            spec += &format!(
                "  unused-{number}: {{path: [reply], live: {{request: a}}, payload: {{size: 1MB}}}}\n"
            );
        }
        spec += more;
        let spec = blis_sim::spec::read(&spec).expect("it reads");
        blis_sim::spec::lower(&spec).expect("it lowers").model
    }

    #[test]
    fn payloads_are_cut_from_one_that_is_as_large_as_what_is_sent() {
        let of = |does: &str, largest: usize, number: usize| {
            let model = model(&format!("c: {{concurrency: 1, do: {does}}}"), "");
            let prepared = prepare(&model);
            assert_eq!(prepared.iter().flatten().count(), number, "{does}");
            assert_eq!(filling(&model, &prepared).len(), largest, "{does}");
        };
        of("small", 10, 1);
        of("text", 0, 1);
        of("{small: 1, drawn: 1}", 50, 2);
        of("{unused-7: 1, small: 1, unused-250: 1}", 1_000_000, 3);
    }
}
