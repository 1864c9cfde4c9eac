//! The consumers of a double: members request messages from their durable consumer, process them as the model says, and
//! acknowledge them or not.
//!
//! The server decides which message is delivered when, how often and to how many at a time. The model decides how many a
//! member requests (its workers and its prefetch), and the cost of a delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use async_nats::{HeaderMap, Subject};
use blis_sim::backend::{Delivered, Message, WorkEnd};
use blis_sim::event::FlightId;
use blis_sim::model::{
    ActionId, Batch, ClientId, Consumer, ConsumerId, Exhausted, Model, REQUEST_ID, SendKind,
};
use blis_sim::runner::Epoch;
use blis_sim::time::{Span, Time};
use bytes::Bytes;

use super::handed_out::message_text;
use super::messages::{Fetched, Heard, Outgoing, Outlet};
use super::{Asked, Double, request};
use crate::clock::Clock;
use crate::wire::identity::{Identity, MESSAGE};
use crate::wire::subjects::covers;

/// How long the server keeps a request for messages open.
const EXPIRES: Span = Span::from_nanos(30_000_000_000);
/// A request that the server has told nothing of for so long is gone, although the connection was not lost.
const FORGOTTEN: Span = Span::from_nanos(40_000_000_000);

/// A message that was delivered.
#[derive(Debug, Clone)]
struct Held {
    delivered: Delivered,
    /// Where it is acknowledged.
    ack: Subject,
    /// Who waits for an answer, where the path hands that on.
    reply: Option<Subject>,
    identity: Option<Identity>,
    came: Time,
}

/// What a member of a consumer's service does for that consumer.
#[derive(Debug, Clone, Default)]
struct Member {
    /// Deliveries, or batches, that it may work on further.
    free: u32,
    /// Messages that it has asked for.
    open: u32,
    asked_at: Time,
    /// The connection over which it has.
    connection: u64,
    /// Messages that will be worked on together.
    gathered: Vec<Held>,
    /// When they will be, full or not.
    closes_at: Option<Time>,
}

/// What is being worked on.
#[derive(Debug)]
struct InHand {
    consumer: usize,
    member: usize,
    flight: FlightId,
    messages: Vec<Held>,
}

/// All consumers of a process.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// By consumer and member.
    members: Vec<Vec<Member>>,
    in_hand: BTreeMap<u32, InHand>,
    tickets: u32,
    /// When the `ack_wait` of a last delivery is over whose message then goes elsewhere, and the work that it is part of.
    expiring: BTreeSet<(Time, u32)>,
}

impl Deliveries {
    pub(super) fn new(model: &Model) -> Deliveries {
        let members = model.consumers.iter().map(|consumer| {
            let lines = model.services[consumer.service.index()].workers_of_lines();
            let member = |workers: u64| Member {
                free: u32::try_from(workers)
                    .unwrap_or(u32::MAX)
                    .saturating_add(consumer.prefetch),
                ..Member::default()
            };
            lines.map(member).collect::<Vec<Member>>()
        });
        Deliveries {
            members: members.collect(),
            ..Deliveries::default()
        }
    }

    /// The n-th member of all, and whose it is.
    fn nth(&self, mut nth: usize) -> Option<(usize, usize)> {
        for (consumer, members) in self.members.iter().enumerate() {
            match nth.checked_sub(members.len()) {
                None => return Some((consumer, nth)),
                Some(rest) => nth = rest,
            }
        }
        None
    }

    /// When a batch is to be closed next, or a last delivery expires.
    pub(super) fn next(&self) -> Time {
        let members = self.members.iter().flatten();
        let closing = members.filter(|member| member.free > 0);
        let closes = closing.filter_map(|member| member.closes_at).min();
        let expires = self.expiring.first().map(|(at, _)| *at);
        let next = closes.into_iter().chain(expires).min();
        next.unwrap_or(Time::NEVER)
    }
}

/// The subject at which messages come in that a member has asked for.
pub fn pull_subject(inbox: &str, consumer: usize, member: usize) -> String {
    format!("{inbox}{consumer}.{member}")
}

/// Consumers and members of a model, each by its position: for each there is a subscription.
pub fn pullers(model: &Model) -> Vec<(usize, usize)> {
    let consumers = model.consumers.iter().enumerate();
    let members = consumers.flat_map(|(consumer, of)| {
        let lines = model.services[of.service.index()].lines();
        (0..lines as usize).map(move |member| (consumer, member))
    });
    members.collect()
}

fn size(batch: Option<&Batch>) -> usize {
    batch.map_or(1, |batch| batch.size.get() as usize)
}

impl<C: Clock<Heard>, O: Outlet> Double<C, O> {
    fn consumer(&self, consumer: usize) -> &Consumer {
        &self.model.consumers[consumer]
    }

    /// Every member that is played here asks for what it may work on.
    pub(super) fn pull_all(&mut self) {
        let mut all = 0..;
        while let Some((consumer, member)) = all.next().and_then(|nth| self.deliveries.nth(nth)) {
            self.pull(consumer, member);
        }
    }

    /// Gives back what members have gathered and not begun to work on, so that others have it at once.
    pub(super) fn give_back(&mut self) {
        let members = self.deliveries.members.iter_mut().flatten();
        let gathered: Vec<Held> = members
            .flat_map(|member| {
                member.closes_at = None;
                std::mem::take(&mut member.gathered)
            })
            .collect();
        for held in gathered {
            self.tell_stream(held.ack, "-NAK");
        }
    }

    /// Requests that the server must have forgotten are asked for again.
    pub(super) fn pull_forgotten(&mut self, now: Time) {
        let connection = self.setup.outlet.connection();
        let mut all = 0..;
        while let Some((consumer, member)) = all.next().and_then(|nth| self.deliveries.nth(nth)) {
            let of = &mut self.deliveries.members[consumer][member];
            let lost = connection.is_some_and(|connection| connection != of.connection);
            let forgotten = of.open > 0 && now >= of.asked_at + FORGOTTEN;
            if forgotten {
                of.open = 0;
            }
            if lost || forgotten {
                self.pull(consumer, member);
            }
        }
    }

    fn pull(&mut self, consumer: usize, member: usize) {
        let of = self.consumer(consumer);
        let (service, size) = (of.service.index(), size(of.batch.as_ref()) as u32);
        let batches = of.batch.is_some();
        let places = self.setup.roster.places(service);
        let here = places.get(member).or(places.first());
        if self.leaving.is_some() || !here.copied().unwrap_or(false) {
            return;
        }
        // What is asked for while there is no connection would be asked for twice once there is one.
        let Some(connection) = self.setup.outlet.connection() else {
            return;
        };
        let of = &mut self.deliveries.members[consumer][member];
        if of.connection != connection {
            // What was open went with the connection.
            (of.connection, of.open) = (connection, 0);
        }
        let wanted = match batches {
            true if of.free == 0 => 0,
            true => size.saturating_sub(of.gathered.len() as u32),
            false => of.free,
        };
        let number = wanted.saturating_sub(of.open);
        if number == 0 {
            return;
        }
        of.open += number;
        of.asked_at = self.reached.max(of.asked_at);
        let consumer_of = self.consumer(consumer);
        let stream = &self.model.streams[consumer_of.stream.index()].name;
        let name = &consumer_of.name;
        let subject = format!("{}.CONSUMER.MSG.NEXT.{stream}.{name}", self.setup.api);
        let reply = pull_subject(&self.setup.pulls, consumer, member);
        let payload = format!("{{\"batch\":{number},\"expires\":{}}}", EXPIRES.as_nanos());
        self.publish(Outgoing {
            subject: Subject::from(subject),
            reply: Some(Subject::from(reply)),
            headers: HeaderMap::new(),
            payload: Bytes::from(payload),
        });
    }

    /// Something came of what a member has asked for.
    pub(super) fn fetched(&mut self, fetched: Fetched) {
        let at = self.come_to(fetched.at);
        let (consumer, member) = (fetched.consumer, fetched.member);
        let Some(delivery) = fetched.delivery else {
            let of = &mut self.deliveries.members[consumer][member];
            of.open = of.open.saturating_sub(fetched.unfilled);
            return self.pull(consumer, member);
        };
        // What another spec's double has published is somebody else's message.
        let clients = self.model.clients.len();
        let own = delivery
            .message
            .filter(|message| usize::from(message.client) < clients);
        let message = own.or_else(|| {
            // A user has sent it to the stream.
            let action = self.action_at(consumer, &delivery.subject)?;
            let identity = delivery.identity.as_ref()?;
            self.backend.message_of(&request(identity, action, at))
        });
        let held = Held {
            delivered: Delivered {
                // Somebody else's message has demands of its own.
                message: message.unwrap_or(Message {
                    identity: delivery.sequence,
                    client: 0,
                    answered: true,
                }),
                delivery: delivery.number,
            },
            ack: delivery.ack,
            reply: delivery.reply,
            identity: delivery.identity,
            came: at,
        };
        if self.leaving.is_some() {
            // Others shall have it at once.
            return self.tell_stream(held.ack, "-NAK");
        }
        self.played.fetched += 1;
        let batch = self.consumer(consumer).batch.clone();
        let of = &mut self.deliveries.members[consumer][member];
        of.open = of.open.saturating_sub(1);
        of.gathered.push(held);
        if of.gathered.len() == 1 {
            let linger = batch.as_ref().and_then(|batch| batch.linger);
            of.closes_at = linger.map(|linger| at + linger);
        }
        self.close(consumer, member, at);
    }

    /// The action whose requests come to a consumer's stream at a subject.
    fn action_at(&self, consumer: usize, subject: &str) -> Option<ActionId> {
        let stream = self.consumer(consumer).stream;
        let mut actions = (0u16..).map(ActionId).zip(&self.model.actions);
        let (id, _) = actions.find(|(id, action)| {
            action.sending.as_ref().is_some_and(|sending| {
                sending.kind == SendKind::Jetstream && covers(&sending.subject.wildcards(), subject)
            }) && self.model.begins_with_stream(*id) == Some(stream)
        })?;
        Some(id)
    }

    /// Closes the batches that have waited long enough, and gives up the messages whose last delivery has.
    pub(super) fn close_due(&mut self, now: Time) {
        if self.deliveries.next() > now {
            return;
        }
        while let Some((_, ticket)) = self
            .deliveries
            .expiring
            .first()
            .filter(|(at, _)| *at <= now)
        {
            let ticket = *ticket;
            self.deliveries.expiring.pop_first();
            self.expire(ticket, now);
        }
        let mut all = 0..;
        while let Some((consumer, member)) = all.next().and_then(|nth| self.deliveries.nth(nth)) {
            self.close(consumer, member, now);
        }
    }

    /// Begins the work on what a member has gathered, if it is enough or has waited long enough and a worker is free.
    fn close(&mut self, consumer: usize, member: usize, now: Time) {
        let size = size(self.consumer(consumer).batch.as_ref());
        let of = &mut self.deliveries.members[consumer][member];
        let due = of.closes_at.is_some_and(|at| at <= now);
        if of.free == 0 || of.gathered.is_empty() || !(due || of.gathered.len() >= size) {
            return;
        }
        of.free -= 1;
        let number = of.gathered.len().min(size);
        let messages: Vec<Held> = of.gathered.drain(..number).collect();
        // What is left has waited since now, at least.
        let linger = self.model.consumers[consumer]
            .batch
            .as_ref()
            .and_then(|batch| batch.linger);
        let of = &mut self.deliveries.members[consumer][member];
        of.closes_at = linger
            .filter(|_| !of.gathered.is_empty())
            .map(|linger| now + linger);
        self.work(consumer, member, messages, now);
        self.pull(consumer, member);
    }

    fn work(&mut self, consumer: usize, member: usize, messages: Vec<Held>, now: Time) {
        let at = self.come_to(now);
        let Some(first) = messages.first() else {
            return;
        };
        let client = usize::from(first.delivered.message.client).min(self.model.clients.len() - 1);
        let identity = first.identity.unwrap_or(Identity {
            client: ClientId(client as u16),
            user: u64::MAX,
            number: self.played.fetched,
            attempt: 0,
            epoch: Epoch::FIRST,
        });
        let asked = Asked {
            reply: first.reply.clone(),
            identity: first.identity,
            at,
            is_work: true,
            ..Asked::default()
        };
        let delivered: Vec<Delivered> = messages.iter().map(|held| held.delivered).collect();
        let flight = self.admit(request(&identity, ActionId(0), at), asked);
        let ticket = self.deliveries.tickets;
        self.deliveries.tickets = ticket.wrapping_add(1);
        let (most, ack_wait) = self.last_of(consumer);
        let last = messages
            .iter()
            .filter(|held| held.delivered.delivery >= most);
        let expiring = last.map(|held| (held.came + ack_wait, ticket));
        self.deliveries.expiring.extend(expiring);
        let in_hand = InHand {
            consumer,
            member,
            flight,
            messages,
        };
        self.deliveries.in_hand.insert(ticket, in_hand);
        let Double {
            backend,
            calendar,
            record,
            ..
        } = self;
        let id = ConsumerId(consumer as u16);
        let reply = backend.work(
            at,
            id,
            member as u32,
            ticket,
            flight,
            &delivered,
            calendar,
            record,
        );
        self.after(reply);
    }

    /// Which delivery of a consumer is the last whose message then goes elsewhere, and how long it may take.
    fn last_of(&self, consumer: usize) -> (u32, Span) {
        let of = self.consumer(consumer);
        let goes_elsewhere = matches!(of.exhausted, Exhausted::Publish(..));
        let most = of.max_deliver.filter(|_| goes_elsewhere);
        (most.map_or(u32::MAX, NonZeroU32::get), of.ack_wait)
    }

    /// The messages of a work whose last `ack_wait` is over go elsewhere; the work goes on for nobody.
    fn expire(&mut self, ticket: u32, now: Time) {
        let Some(in_hand) = self.deliveries.in_hand.get_mut(&ticket) else {
            return;
        };
        let consumer = in_hand.consumer;
        let messages = std::mem::take(&mut in_hand.messages);
        let (most, ack_wait) = self.last_of(consumer);
        let (over, rest): (Vec<Held>, Vec<Held>) = messages
            .into_iter()
            .partition(|held| held.delivered.delivery >= most && held.came + ack_wait <= now);
        if let Some(in_hand) = self.deliveries.in_hand.get_mut(&ticket) {
            in_hand.messages = rest;
        }
        for held in over {
            self.refuse(consumer, held);
        }
    }

    /// Work has ended: the stream is told, and the member is free for more.
    pub(super) fn settled(&mut self, ticket: u32, end: WorkEnd) {
        let Some(in_hand) = self.deliveries.in_hand.remove(&ticket) else {
            return;
        };
        let InHand {
            consumer,
            member,
            flight,
            messages,
        } = in_hand;
        for held in messages {
            match end {
                WorkEnd::Acknowledged => self.tell_stream(held.ack, "+ACK"),
                WorkEnd::Naked => self.refuse(consumer, held),
                // The message waits for its `ack_wait`.
                WorkEnd::Lost => {}
            }
        }
        self.in_flight.remove(flight);
        self.deliveries.members[consumer][member].free += 1;
        self.freed.push((consumer, member));
    }

    /// Members that have become free ask for more.
    pub(super) fn go_for_more(&mut self) {
        while let Some((consumer, member)) = self.freed.pop() {
            self.close(consumer, member, self.reached);
            self.pull(consumer, member);
        }
    }

    /// A delivery failed: it is delivered again after a while, or given up.
    fn refuse(&mut self, consumer: usize, held: Held) {
        let of = &self.model.consumers[consumer];
        let delivery = held.delivered.delivery;
        if of.max_deliver.is_none_or(|most| delivery < most.get()) {
            let nth = (delivery as usize).min(of.nak_delay.len());
            let delay = nth
                .checked_sub(1)
                .map_or(Span::ZERO, |nth| of.nak_delay[nth]);
            let text = match delay {
                Span::ZERO => "-NAK".to_owned(),
                delay => format!("-NAK {{\"delay\":{}}}", delay.as_nanos()),
            };
            return self.tell_stream(held.ack, &text);
        }
        if let Exhausted::Publish(stream, _) = of.exhausted {
            let subject = self.model.streams[stream.index()].name.clone();
            let id = ConsumerId(consumer as u16);
            let dead = self.backend.dead(id, held.delivered.message);
            let mut headers = HeaderMap::new();
            headers.insert(MESSAGE, message_text(&dead));
            if let Some(identity) = held.identity {
                headers.insert(REQUEST_ID, identity.header(&self.model));
            }
            self.publish(Outgoing::bare(Subject::from(subject), headers));
        }
        self.tell_stream(held.ack, "+TERM");
    }

    fn tell_stream(&mut self, ack: Subject, text: &str) {
        self.publish(Outgoing {
            subject: ack,
            reply: None,
            headers: HeaderMap::new(),
            payload: Bytes::from(text.to_owned()),
        });
    }
}
