//! The subscriptions of a double, and the path of their messages to the thread of the double.
//!
//! Messages are stamped where they are received. Subscriptions in the queue group come and go with the members that the
//! process runs; one that ends is drained, so that no message already sent by the server is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use async_nats::{Client, Message, Subscriber};
use blis_sim::event::Outcome;
use blis_sim::model::Model;
use blis_sim::time::{Span, Time};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use crate::clock::time_of;
use crate::double::consumers::{pull_subject, pullers};
use crate::double::entrances::{GROUP, Listening, Purpose, peers_subject};
use crate::double::handed_out::{instance_id, parse_call, parse_message};
use crate::double::messages::{Arrived, Called, Delivery, Fetched, Heard, Returned};
use crate::double::peers::{Announcement, Roster};
use crate::double::service_protocol::{Question, Verb};
use crate::os_error::unnumbered;
use crate::target::connect_failure::ConnectFailure;
use crate::wire::identity::{
    Identity, MEMBER, MESSAGE, REJECTED, REPLY_TO, SERVICE_ERROR_CODE, SERVICE_TIME, UNREACHABLE,
    VISIT,
};
use crate::wire::message::{acknowledged, header};
use crate::wire::reply::nobody_there;

/// Listens for a double.
#[derive(Debug)]
pub struct Listener {
    client: Client,
    sender: Sender<Heard>,
    model: Arc<Model>,
    origin: Instant,
    open: Arc<AtomicUsize>,
    subscriptions: BTreeMap<Listening, oneshot::Sender<()>>,
}

fn failed(why: impl std::fmt::Display) -> ConnectFailure {
    ConnectFailure::Inbox(unnumbered(&why))
}

impl Listener {
    /// One that listens to nothing yet, and counts in `open` how many subscriptions in the queue group there are.
    pub fn new(
        client: Client,
        sender: Sender<Heard>,
        model: Arc<Model>,
        origin: Instant,
        open: Arc<AtomicUsize>,
    ) -> Listener {
        Listener {
            client,
            sender,
            model,
            origin,
            open,
            subscriptions: BTreeMap::new(),
        }
    }

    /// Listens to what is wanted, and no longer to anything else.
    ///
    /// # Errors
    /// When the connection does not take a subscription.
    pub async fn set(&mut self, wanted: &BTreeSet<Listening>) -> Result<(), ConnectFailure> {
        // Dropping the sender ends a subscription.
        self.subscriptions
            .retain(|listening, _| wanted.contains(listening));
        for listening in wanted {
            if self.subscriptions.contains_key(listening) {
                continue;
            }
            let subscribed = self
                .client
                .queue_subscribe(listening.subject.clone(), GROUP.to_owned())
                .await;
            let (stop, stopped) = oneshot::channel();
            self.forward(subscribed.map_err(failed)?, listening.clone(), stopped);
            self.subscriptions.insert(listening.clone(), stop);
        }
        Ok(())
    }

    /// Listens to what is wanted whenever that changes.
    pub async fn follow(mut self, mut wanted: UnboundedReceiver<BTreeSet<Listening>>) {
        while let Some(wanted) = wanted.recv().await {
            // A connection that takes nothing is gone, which the double notices by itself.
            let _ = self.set(&wanted).await;
        }
    }

    fn forward(
        &self,
        mut requests: Subscriber,
        listening: Listening,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let (sender, model) = (self.sender.clone(), Arc::clone(&self.model));
        let (origin, open) = (self.origin, Arc::clone(&self.open));
        open.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let hear = |message: Message| {
                let at = time_of(origin, Instant::now());
                let _ = sender.send(heard(message, &listening, &model, at));
            };
            while let Either::Left((Some(message), _)) = select(requests.next(), &mut stopped).await
            {
                hear(message);
            }
            let _ = requests.drain().await;
            while let Some(message) = requests.next().await {
                hear(message);
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Listens to what is for this process alone: answers to what it handed on, at its inbox, messages that it
    /// asked streams for, what other processes tell, and questions for its services.
    ///
    /// # Errors
    /// When the connection does not take a subscription.
    pub async fn listen_alone(
        &self,
        inbox: &str,
        pulls: &str,
        roster: &Roster,
    ) -> Result<(), ConnectFailure> {
        let skip = inbox.len();
        self.pass_on(format!("{inbox}>"), move |message, at| {
            returned(&message, skip, at).map(Heard::Returned)
        })
        .await?;
        self.pass_on(peers_subject(&self.model.name), |message, at| {
            Some(Heard::Peer(Announcement::parse(&message.payload)?, at))
        })
        .await?;
        for (consumer, member) in pullers(&self.model) {
            let model = Arc::clone(&self.model);
            let subject = pull_subject(pulls, consumer, member);
            self.pass_on(subject, move |message, at| {
                let came = fetched(message, &model)?;
                Some(Heard::Fetched(Fetched {
                    consumer,
                    member,
                    at,
                    ..came
                }))
            })
            .await?;
        }
        let names = self.model.services.iter().map(|service| &service.name);
        for verb in Verb::ALL {
            let all = format!("$SRV.{}", verb.token());
            self.pass_on(all.clone(), question(verb, None)).await?;
            for (service, name) in names.clone().enumerate() {
                if roster.plays(service) {
                    let id = instance_id(roster.own(), service);
                    let asked = question(verb, Some(service));
                    self.pass_on(format!("{all}.{name}"), asked.clone()).await?;
                    self.pass_on(format!("{all}.{name}.{id}"), asked).await?;
                }
            }
        }
        Ok(())
    }

    /// Passes on what is made of the messages of a subject.
    async fn pass_on(
        &self,
        subject: String,
        read: impl Fn(Message, Time) -> Option<Heard> + Send + 'static,
    ) -> Result<(), ConnectFailure> {
        let subscribed = self.client.subscribe(subject).await;
        let mut messages = subscribed.map_err(failed)?;
        let (sender, origin) = (self.sender.clone(), self.origin);
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let at = time_of(origin, Instant::now());
                if let Some(heard) = read(message, at)
                    && sender.send(heard).is_err()
                {
                    return;
                }
            }
        });
        Ok(())
    }
}

fn question(
    verb: Verb,
    service: Option<usize>,
) -> impl Fn(Message, Time) -> Option<Heard> + Clone + Send + 'static {
    move |message, _| {
        Some(Heard::Asked(Question {
            verb,
            service,
            reply: message.reply?,
        }))
    }
}

/// What a message of the queue group asks for.
fn heard(message: Message, listening: &Listening, model: &Model, at: Time) -> Heard {
    let member = listening.member;
    match listening.purpose {
        Purpose::Action(action) => Heard::Request(Arrived {
            action,
            member,
            identity: Identity::of_request(&message, model),
            reply: message.reply,
            at,
        }),
        Purpose::Visit(service) => Heard::Visit(Called {
            service,
            member,
            call: header(&message, VISIT).and_then(parse_call),
            reply: message.reply,
            at,
        }),
    }
}

/// What an answer at the inbox says: its subject ends with the kind and the ticket of what was asked.
fn returned(message: &Message, skip: usize, at: Time) -> Option<Returned> {
    let (kind, ticket) = message.subject.get(skip..)?.split_at_checked(1)?;
    let ticket = u64::from_str_radix(ticket, 16).ok()?;
    let outcome = match kind {
        _ if nobody_there(message) => Outcome::TransportError,
        "v" => match header(message, SERVICE_ERROR_CODE) {
            None => Outcome::Ok,
            Some(REJECTED) => Outcome::Rejected,
            Some(UNREACHABLE) => Outcome::TransportError,
            Some(_) => Outcome::AppError,
        },
        "p" => match acknowledged(&message.payload) {
            Ok(()) => Outcome::Ok,
            Err(_) => Outcome::AppError,
        },
        _ => return None,
    };
    let member = header(message, MEMBER).and_then(|text| text.parse().ok());
    let time = header(message, SERVICE_TIME).and_then(|text| text.parse().ok());
    Some(Returned {
        ticket,
        outcome,
        served: member.zip(time.map(Span::from_nanos)),
        at,
    })
}

/// The result of a request for messages: a message, or the end of the request, which says how many did not come.
fn fetched(message: Message, model: &Model) -> Option<Fetched> {
    let unfilled = header(&message, "Nats-Pending-Messages").and_then(|text| text.parse().ok());
    let mut came = Fetched {
        consumer: 0,
        member: 0,
        delivery: None,
        unfilled: unfilled.unwrap_or(0),
        at: Time::ZERO,
    };
    if message.status.is_some() {
        // A request that the server refuses is repeated once it counts as forgotten, and not at once.
        return unfilled.map(|_| came);
    }
    let ack = message.reply.clone()?;
    let tokens: Vec<&str> = ack.split('.').collect();
    // With a domain there are the domain and the account before the stream.
    let numbers = tokens.get(if tokens.len() > 9 { 6.. } else { 4.. })?;
    came.unfilled = 0;
    came.delivery = Some(Delivery {
        message: header(&message, MESSAGE).and_then(parse_message),
        identity: Identity::found(message.headers.as_ref(), model),
        reply: header(&message, REPLY_TO).map(|text| text.to_owned().into()),
        number: numbers.first()?.parse().ok()?,
        sequence: numbers.get(1)?.parse().ok()?,
        subject: message.subject.to_string(),
        ack,
    });
    Some(came)
}

#[cfg(test)]
mod tests {
    use async_nats::StatusCode;

    use super::*;
    use crate::wire::message::message;
    use blis_sim::model::REQUEST_ID;

    #[test]
    fn what_streams_deliver_says_which_delivery_it_is() {
        let text = "blis: 1\nname: x\nrun: {requests: 1}\nclients: {users: {rate: 1/s, do: ask}}\nactions: {ask: {path: \
                    [{visit: api}, reply]}}\nservices: {api: {workers: 1, time: 1ms}}\n";
        let read = blis_sim::spec::read(text).expect("a spec");
        let model = blis_sim::spec::lower(&read).expect("a model").model;
        let come = |ack: &str, headers: &[(&str, &str)]| {
            let mut message = message("orders.created", headers, "");
            message.reply = Some(ack.into());
            fetched(message, &model)
        };
        let headers = [
            (MESSAGE, "ff/0/1"),
            (REQUEST_ID, "users/1/2/0"),
            (REPLY_TO, "box.r1"),
        ];
        for ack in [
            "$JS.ACK.orders.biller.3.41.7.1700000000.0",
            "$JS.ACK.hub.account.orders.biller.3.41.7.1700000000.0.x",
        ] {
            let delivery = come(ack, &headers).and_then(|came| came.delivery);
            let delivery = delivery.expect("a delivery");
            assert_eq!((delivery.number, delivery.sequence), (3, 41));
            assert_eq!(delivery.message.map(|message| message.identity), Some(255));
            assert_eq!(delivery.identity.map(|identity| identity.number), Some(2));
            assert_eq!(delivery.reply.as_deref(), Some("box.r1"));
        }
        let mut ended = message("pull.0.0", &[("Nats-Pending-Messages", "5")], "");
        ended.status = Some(StatusCode::TIMEOUT);
        let came = fetched(ended.clone(), &model).expect("an end");
        assert_eq!((came.unfilled, came.delivery.is_none()), (5, true));
        ended.headers = None;
        assert!(
            fetched(ended, &model).is_none(),
            "a refusal is not asked again at once"
        );
    }

    #[test]
    fn answers_say_how_what_was_handed_on_ended() {
        let read = |subject: &str, headers: &[(&str, &str)], payload: &str| {
            returned(&message(subject, headers, payload), 4, Time::ZERO)
        };
        let served = [(MEMBER, "2"), (SERVICE_TIME, "5000")];
        assert_eq!(
            read("box.v1f", &served, ""),
            Some(Returned {
                ticket: 31,
                outcome: Outcome::Ok,
                served: Some((2, Span::from_nanos(5000))),
                at: Time::ZERO,
            })
        );
        let outcome =
            |code| read("box.v1", &[(SERVICE_ERROR_CODE, code)], "").map(|one| one.outcome);
        assert_eq!(outcome("500"), Some(Outcome::AppError));
        assert_eq!(outcome(REJECTED), Some(Outcome::Rejected));
        assert_eq!(outcome(UNREACHABLE), Some(Outcome::TransportError));
        let stored = |payload| read("box.p1", &[], payload).map(|one| one.outcome);
        assert_eq!(stored(r#"{"stream":"orders","seq":3}"#), Some(Outcome::Ok));
        assert_eq!(
            stored(r#"{"error":{"code":503},"stream":"orders","seq":0}"#),
            Some(Outcome::AppError)
        );
        let mut nobody = message("box.v1", &[], "");
        nobody.status = Some(StatusCode::NO_RESPONDERS);
        let nobody = returned(&nobody, 4, Time::ZERO).map(|one| one.outcome);
        assert_eq!(nobody, Some(Outcome::TransportError));
        // Who answers with that status and a body, or an error of a service, is there.
        for (headers, payload, outcome) in [
            (&served[..], "busy", Outcome::Ok),
            (&[(SERVICE_ERROR_CODE, "500")], "busy", Outcome::AppError),
        ] {
            let mut somebody = message("box.v1", headers, payload);
            somebody.status = Some(StatusCode::NO_RESPONDERS);
            let somebody = returned(&somebody, 4, Time::ZERO).map(|one| one.outcome);
            assert_eq!(somebody, Some(outcome));
        }
        assert_eq!(read("box.x1", &[], ""), None);
        assert_eq!(read("box.vz", &[], ""), None);
        assert_eq!(read("box", &[], ""), None);
    }
}
