//! The messages between the thread of a double and the connection.

use std::sync::atomic::Ordering;

use async_nats::connection::State;
use async_nats::{HeaderMap, Subject};
use blis_sim::backend::{Call, Message};
use blis_sim::event::Outcome;
use blis_sim::model::ActionId;
use blis_sim::time::{Span, Time};
use bytes::Bytes;

use crate::double::peers::Announcement;
use crate::double::service_protocol::Question;
use crate::wire::identity::Identity;

/// Something that came in.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A request of an action.
    Request(Arrived),
    /// A visit that another process hands on.
    Visit(Called),
    /// What was handed on has come to its end.
    Returned(Returned),
    /// Something came of what a member has asked a stream for.
    Fetched(Fetched),
    /// Another process plays the same spec, or no longer does.
    Peer(Announcement, Time),
    /// Somebody asks for the services.
    Asked(Question),
}

/// A request that has arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// What is asked for.
    pub action: ActionId,
    /// The member that the server has chosen, where members have subscriptions of their own.
    pub member: Option<u32>,
    /// Who asks, as far as the header says.
    pub identity: Option<Identity>,
    /// Where the answer goes; nowhere for a publication.
    pub reply: Option<Subject>,
    /// When it arrived.
    pub at: Time,
}

/// A visit that has arrived.
#[derive(Debug, Clone)]
pub struct Called {
    /// Of which service, by its position.
    pub service: usize,
    /// The member that the server has chosen, where members have subscriptions of their own.
    pub member: Option<u32>,
    /// What is handed on; `None` when the message did not say.
    pub call: Option<Call>,
    /// Where the answer goes.
    pub reply: Option<Subject>,
    /// When it arrived.
    pub at: Time,
}

/// How something ended that others did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// Under which number it was handed on.
    pub ticket: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Who served it, and for how long, as far as the answer says.
    pub served: Option<(u32, Span)>,
    /// When that was known.
    pub at: Time,
}

/// The result of a member's request for messages.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The consumer, by its position.
    pub consumer: usize,
    /// The member, by its position.
    pub member: usize,
    /// A message; without one the request has ended.
    pub delivery: Option<Delivery>,
    /// How many messages did not come that were asked for.
    pub unfilled: u32,
    /// When it came.
    pub at: Time,
}

/// A message that a stream delivers.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its subject.
    pub subject: String,
    /// What its demands are drawn from, where a double has published it.
    pub message: Option<Message>,
    /// The request on whose behalf it is, as far as the header says.
    pub identity: Option<Identity>,
    /// Who waits for an answer, where the path hands that on.
    pub reply: Option<Subject>,
    /// Where it is acknowledged.
    pub ack: Subject,
    /// Its number within the stream.
    pub sequence: u64,
    /// Which delivery of it this is, from 1.
    pub number: u32,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub subject: Subject,
    /// Where an answer goes.
    pub reply: Option<Subject>,
    /// Its headers.
    pub headers: HeaderMap,
    /// What it carries.
    pub payload: Bytes,
}

impl Outgoing {
    /// A message without payload that wants no answer.
    pub fn bare(subject: Subject, headers: HeaderMap) -> Outgoing {
        Outgoing {
            subject,
            reply: None,
            headers,
            payload: Bytes::new(),
        }
    }
}

/// Where a double's messages go.
pub trait Outlet {
    /// Hands a message over without waiting; whether it was taken.
    fn publish(&mut self, message: Outgoing) -> bool;

    /// Which connection of all it has had is open; `None` while there is none.
    fn connection(&self) -> Option<u64>;
}

impl Outlet for async_nats::Client {
    fn publish(&mut self, message: Outgoing) -> bool {
        let Outgoing {
            subject,
            reply,
            headers,
            payload,
        } = message;
        let client: &async_nats::Client = self;
        let sent = match reply {
            Some(reply) => crate::wire::without_waiting::at_once(
                client.publish_with_reply_and_headers(subject, reply, headers, payload),
            ),
            None => crate::wire::without_waiting::at_once(
                client.publish_with_headers(subject, headers, payload),
            ),
        };
        matches!(sent, Some(Ok(())))
    }

    fn connection(&self) -> Option<u64> {
        let connected = self.connection_state() == State::Connected;
        connected.then(|| self.statistics().connects.load(Ordering::Relaxed))
    }
}
