//! The transport that sends to NATS.
//!
//! A request is handed to the queue of its connection, or is dropped where that is full: the driver never waits. The
//! intended instant is the driver's affair; here is the instant of sending.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use async_nats::{HeaderMap, PublishErrorKind};
use blis_sim::engine::FlightId;
use blis_sim::event::{Outcome, Request};
use blis_sim::model::{
    ActionId, Connections, Model, Payload, Piece, SendKind, Sending, Source, Template,
};
use blis_sim::time::Time;
use bytes::Bytes;

use crate::awaiting::{Awaiting, Delivery, Name, Tally};
use crate::connection::{Connection, write_id};
use crate::denied::key;
use crate::driver::{Sent, Transport};
use crate::reason::Reason;
use crate::text::Filler;

/// What a payload of a size is filled with.
const FILLING: u8 = b'x';
/// The header by which a stream knows a message again.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";

/// How many connections a model's users need.
pub fn connections_of(model: &Model) -> u32 {
    match model.connections {
        Connections::Pool(number) => number.get(),
        Connections::PerUser => {
            let users: u64 = model.clients.iter().map(places).sum();
            u32::try_from(users).unwrap_or(u32::MAX)
        }
    }
}

/// The connections of a client's own: one for each closed user, one for all sessions of an open client.
fn places(client: &blis_sim::model::Client) -> u64 {
    match client.source {
        Source::Closed { .. } => client.closed_users(),
        Source::Open { .. } => 1,
    }
}

/// How the requests of an action are sent, prepared.
struct Prepared {
    kind: SendKind,
    subject: Template,
    /// The one with the request's id first.
    headers: Vec<(String, Template)>,
    payload: Filled,
    /// What is found in deliveries of a request.
    awaited: Option<Template>,
}

enum Filled {
    Fixed(Bytes),
    Each(Template),
}

impl Prepared {
    fn new(sending: &Sending) -> Prepared {
        let payload = match &sending.payload {
            Payload::Size(bytes) => Filled::Fixed(Bytes::from(vec![FILLING; *bytes])),
            Payload::Text(text) => match text.fixed() {
                Some(text) => Filled::Fixed(Bytes::from(text.to_owned())),
                None => Filled::Each(text.clone()),
            },
        };
        let id = (sending.request_id.clone(), Template(vec![Piece::Id]));
        let awaited = sending.awaited.as_ref();
        Prepared {
            kind: sending.kind,
            subject: sending.subject.clone(),
            headers: [id].into_iter().chain(sending.headers.clone()).collect(),
            payload,
            awaited: awaited.map(|awaited| awaited.equals.clone()),
        }
    }
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

/// Sends to NATS.
pub struct Nats {
    model: Model,
    filler: Filler,
    awaiting: Awaiting,
    /// By action.
    prepared: Vec<Option<Prepared>>,
    connections: Vec<Connection>,
    /// The first connection of each client, where users have their own.
    first_of: Vec<usize>,
    /// The connection and the subject of each request in flight, by slot.
    sent: Vec<(u32, u64)>,
    sequence: u64,
    /// What sets the ids of messages apart from those of other runs.
    run: String,
    message_id: Template,
}

impl Nats {
    /// A transport over these connections.
    pub fn new(model: &Model, connections: Vec<Connection>, run: String) -> Nats {
        let mut first = 0;
        let first_of = model.clients.iter().map(|client| {
            let of_client = first;
            first += usize::try_from(places(client)).unwrap_or(usize::MAX);
            of_client
        });
        Nats {
            first_of: first_of.collect(),
            prepared: model
                .actions
                .iter()
                .map(|action| action.sending.as_ref().map(Prepared::new))
                .collect(),
            filler: Filler::new(model),
            awaiting: Awaiting::new(model),
            model: model.clone(),
            connections,
            sent: Vec::new(),
            sequence: 0,
            run,
            message_id: message_id(),
        }
    }

    /// What came of the deliveries that requests await, by action.
    pub fn awaited(&self) -> Vec<(ActionId, Tally)> {
        let tallies = self.awaiting.tallies();
        tallies.map(|(id, tally)| (id, tally.clone())).collect()
    }

    /// The connections.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// The connection that a user sends over.
    fn connection(&self, request: &Request) -> usize {
        let all = self.connections.len();
        let client = request.client.index();
        match (self.model.connections, &self.model.clients[client].source) {
            (Connections::PerUser, Source::Closed { .. }) => {
                self.first_of[client] + request.user_number as usize
            }
            (Connections::PerUser, Source::Open { .. }) => self.first_of[client],
            (Connections::Pool(_), _) => (request.user_number % all as u64) as usize,
        }
    }
}

impl Transport for Nats {
    fn send(&mut self, now: Time, flight: FlightId, request: &Request) -> Sent {
        let at = self.connection(request);
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
        let to = key(&subject);
        if connection.denied.holds(to) {
            return Sent::Done(Err(Reason::PermissionDenied));
        }
        if flight.slot() >= self.sent.len() {
            self.sent.resize(flight.slot() + 1, (u32::MAX, 0));
        }
        self.sent[flight.slot()] = (at as u32, to);
        let mut headers = HeaderMap::new();
        for (name, template) in &prepared.headers {
            headers.insert(name.as_str(), text(template));
        }
        let payload = match &prepared.payload {
            Filled::Fixed(bytes) => bytes.clone(),
            Filled::Each(template) => Bytes::from(text(template)),
        };
        let awaits = prepared.awaited.as_ref();
        let awaits = awaits.map(|template| Name::of(&text(template)));
        let client = &connection.client;
        let accepted = match prepared.kind {
            SendKind::Publish => at_once(client.publish_with_headers(subject, headers, payload)),
            SendKind::Request | SendKind::Jetstream => {
                let of_stream = prepared.kind == SendKind::Jetstream;
                if of_stream {
                    // A retry is the same message.
                    let id = text(&self.message_id);
                    headers.insert(MESSAGE_ID, format!("{}/{id}", self.run));
                }
                let mut reply = connection.inbox.clone();
                write_id(prepared.kind, request.action, flight, &mut reply);
                at_once(client.publish_with_reply_and_headers(subject, reply, headers, payload))
            }
        };
        match accepted {
            Some(Ok(())) => {
                if let Some(name) = awaits {
                    self.awaiting.sent(now, flight, request, name);
                    return Sent::Waiting;
                }
                match prepared.kind {
                    SendKind::Publish => Sent::Done(Ok(())),
                    SendKind::Request | SendKind::Jetstream => Sent::Waiting,
                }
            }
            Some(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Sent::Done(Err(Reason::PayloadTooLarge))
            }
            Some(Err(_)) => Sent::Done(Err(Reason::ConnectionDown)),
            None => Sent::Done(Err(Reason::ConnectionFull)),
        }
    }

    fn replied(&mut self, flight: FlightId, outcome: Outcome) -> bool {
        self.awaiting.replied(flight, outcome)
    }

    fn delivered(&mut self, delivery: &Delivery) -> Option<FlightId> {
        self.awaiting.delivered(delivery)
    }

    fn gave_up(&mut self, flight: FlightId) {
        self.awaiting.give_up(flight);
    }

    fn is_waiting(&self) -> bool {
        self.awaiting.is_waiting()
    }

    fn had(&self, connection: u32, flight: FlightId) -> bool {
        self.sent
            .get(flight.slot())
            .is_some_and(|(over, _)| *over == connection)
    }

    fn had_sent(&self, connection: u32, flight: FlightId, subject: u64) -> bool {
        self.sent.get(flight.slot()) == Some(&(connection, subject))
    }
}

/// The result of a future that is there without waiting.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
