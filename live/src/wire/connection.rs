//! Connections to a server: how they are opened, and what arrives over them.
//!
//! Each connection has one inbox, a subscription with a wildcard: the last token of the subject of a reply is the id of the
//! request, so that a reply to a request that was given up is recognised as late. Arrivals are stamped where they are
//! received, before the driver sees them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_nats::{Client, Event, Message, Subscriber};
use blis_sim::model::Answer;
use blis_sim::time::Time;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Semaphore;

use crate::clock::time_of;
use crate::target::Target;
use crate::target::access::Access;
use crate::target::connect_failure::ConnectFailure;
use crate::wire::denied::{Denial, Denied, key};
use crate::wire::event_loop::Tells;
use crate::wire::reply::{self, Replies};
use crate::wire::reply_id::ReplyId;
use crate::wire::told::{Told, count};
use crate::wire::transport::Incoming;

/// How many connections are opened at a time.
const AT_ONCE: usize = 16;
/// How much is handed over at a time at most.
const BATCH: usize = 256;

/// A connection with its inbox.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// What replies' subjects start with, the dot before the id included.
    pub inbox: String,
    /// Whether it is up.
    pub up: Arc<AtomicBool>,
    /// What the server does not let it publish to.
    pub denied: Arc<Denied>,
}

/// Opens this many connections, some of them at a time.
///
/// # Errors
/// The first connection that cannot be opened.
pub async fn open(
    target: &Target,
    access: &Access,
    number: u32,
    origin: Instant,
    incoming: &Tells,
    replies: &Arc<Replies>,
    told: &Arc<Told>,
) -> Result<Vec<Connection>, ConnectFailure> {
    target.check_again()?;
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut opening = Vec::new();
    for connection in 0..number {
        let (target, access, incoming) = (target.clone(), access.clone(), incoming.clone());
        let (replies, told) = (Arc::clone(replies), Arc::clone(told));
        let at_once = Arc::clone(&at_once);
        opening.push(tokio::spawn(async move {
            let _place = at_once.acquire_owned().await;
            let hears = Hears {
                origin,
                incoming,
                replies,
                told,
            };
            open_one(&target, &access, connection, hears).await
        }));
    }
    let mut connections = Vec::new();
    for one in opening {
        let opened = one
            .await
            .map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
        connections.push(opened?);
    }
    Ok(connections)
}

/// A connection without an inbox, for who subscribes to subjects of its own.
///
/// # Errors
/// Why it cannot be opened.
pub async fn plain(target: &Target, access: &Access, name: &str) -> Result<Client, ConnectFailure> {
    listening(target, access, name, |_| {}).await
}

/// The same for who hears what happens to it.
///
/// # Errors
/// Why it cannot be opened.
pub async fn listening(
    target: &Target,
    access: &Access,
    name: &str,
    hear: impl Fn(Event) + Send + Sync + 'static,
) -> Result<Client, ConnectFailure> {
    target.check_again()?;
    let options = access.options(name).await?;
    let options = options.event_callback(move |event| {
        hear(event);
        async {}
    });
    let opened = options.connect(target.servers.as_slice()).await;
    opened.map_err(|error| ConnectFailure::of(target, &error))
}

/// What a connection needs to tell of what comes back.
struct Hears {
    origin: Instant,
    incoming: Tells,
    replies: Arc<Replies>,
    told: Arc<Told>,
}

async fn open_one(
    target: &Target,
    access: &Access,
    connection: u32,
    hears: Hears,
) -> Result<Connection, ConnectFailure> {
    let Hears {
        origin,
        incoming,
        replies: reads,
        told,
    } = hears;
    let up = Arc::new(AtomicBool::new(true));
    let options = access.options("blis").await?;
    let (events, state, hears) = (incoming.clone(), Arc::clone(&up), Arc::clone(&told));
    let denied = Arc::new(Denied::default());
    let refuses = Arc::clone(&denied);
    let options = options.event_callback(move |event| {
        let at = time_of(origin, Instant::now());
        match event {
            // A run that has ended hears of nothing, and loses nothing by closing its connections.
            Event::Disconnected | Event::Closed if state.swap(false, Ordering::Relaxed) => {
                let heard = events.tell(vec![Incoming::Lost { connection, at }]);
                if heard {
                    count(&hears.lost);
                }
            }
            Event::Connected if !state.swap(true, Ordering::Relaxed) => {
                refuses.forget();
                events.tell(vec![Incoming::Restored { connection }]);
            }
            Event::SlowConsumer(_) => count(&hears.slow_consumer),
            Event::ServerError(error) => {
                let said = error.to_string();
                if let Some(Denial::Publish(subject)) = Denial::parse(&said) {
                    let subject = key(&subject);
                    refuses.add(subject);
                    events.tell(vec![Incoming::Denied {
                        connection,
                        subject,
                        at,
                    }]);
                }
                hears.tell(said);
            }
            _ => {}
        }
        async {}
    });
    let opened = options.connect(target.servers.as_slice()).await;
    let client = opened.map_err(|error| ConnectFailure::of(target, &error))?;
    let inbox = client.new_inbox();
    let subscribed = client.subscribe(format!("{inbox}.*")).await;
    let replies = subscribed.map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
    // The server knows of the inbox before the first request is sent.
    client
        .flush()
        .await
        .map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
    let inbox = format!("{inbox}.");
    let skip = inbox.len();
    let read = move |message: &Message, at: Time| {
        let ReplyId {
            kind,
            action,
            flight,
            epoch,
        } = message.subject.get(skip..).and_then(ReplyId::read)?;
        let ending = match kind.answer() {
            Answer::Acknowledgement => reply::of_stream(kind, message, &told),
            Answer::Stored => reads.of_stored(kind, action, message, &told),
            Answer::Reply | Answer::Nothing => reads.ending(action, message),
        };
        told.responders.heard(action, ending);
        Some(Incoming::Done {
            flight,
            epoch,
            ending,
            reply: reads.told(action, message),
            at,
        })
    };
    tokio::spawn(hand_over(replies, incoming, origin, read));
    Ok(Connection {
        client,
        inbox,
        up,
        denied,
    })
}

/// Hands over what is read of messages until nobody takes it any more: together what came together, so that whoever takes
/// it is woken once.
pub async fn hand_over(
    mut messages: Subscriber,
    incoming: Tells,
    origin: Instant,
    read: impl Fn(&Message, Time) -> Option<Incoming>,
) {
    while let Some(message) = messages.next().await {
        let mut batch = Vec::new();
        // The client hands over and this reads on one thread, in turns: all of it had come by now.
        let at = time_of(origin, Instant::now());
        let mut next = Some(message);
        while let Some(message) = next {
            batch.extend(read(&message, at));
            next = match batch.len() < BATCH {
                true => messages.next().now_or_never().flatten(),
                false => None,
            };
        }
        if !incoming.tell(batch) {
            return;
        }
    }
}
