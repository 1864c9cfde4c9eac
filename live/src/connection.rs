//! Connections to a server: how they are opened, and what arrives over them.
//!
//! Each connection has one inbox, a subscription with a wildcard: the last token of the subject of a reply is the id of the
//! request, so that a reply to a request that was given up is recognised as late. Arrivals are stamped where they are
//! received, before the driver sees them.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use async_nats::{Client, Event, Message, Subscriber};
use blis_sim::event::FlightId;
use blis_sim::model::{ActionId, Answer, Model, SendKind};
use blis_sim::runner::Epoch;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Semaphore;

pub use crate::access::Access;
use crate::clock::time_of;
pub use crate::connect_failure::ConnectFailure;
use crate::denied::{Denial, Denied, key};
use crate::driver::Incoming;
use crate::reply::{self, Replies};
use crate::responders::Responders;
use crate::target::Target;

/// How many connections are opened at a time.
const AT_ONCE: usize = 16;
/// How much is handed over at a time at most.
const BATCH: usize = 256;
/// The most messages of the server that are kept.
const MOST_TOLD: usize = 10;

/// What a server said on its own account, and what happened beside requests.
#[derive(Debug, Default)]
pub struct Told {
    /// Times that a connection was lost.
    pub lost: AtomicU64,
    /// Times that the client could not keep up with what came.
    pub slow_consumer: AtomicU64,
    /// Who answers at all.
    pub responders: Responders,
    messages: Mutex<Vec<String>>,
}

impl Told {
    /// Nothing told yet, of a model.
    pub fn new<P>(model: &Model<P>) -> Told {
        Told {
            responders: Responders::new(model),
            ..Told::default()
        }
    }

    /// A load begins: what was told before it is forgotten.
    pub fn begin(&self) {
        self.lost.store(0, Ordering::Relaxed);
        self.slow_consumer.store(0, Ordering::Relaxed);
        self.responders.forget();
        if let Ok(mut messages) = self.messages.lock() {
            messages.clear();
        }
    }

    /// What servers said, the first few times.
    pub fn messages(&self) -> Vec<String> {
        self.messages
            .lock()
            .map(|messages| messages.clone())
            .unwrap_or_default()
    }

    /// Adds what a server said.
    pub fn tell(&self, message: String) {
        if let Ok(mut messages) = self.messages.lock()
            && messages.len() < MOST_TOLD
            && !messages.contains(&message)
        {
            messages.push(message);
        }
    }
}

/// Counts one more.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

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
    incoming: &Sender<Vec<Incoming>>,
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
    incoming: Sender<Vec<Incoming>>,
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
                let heard = events.send(vec![Incoming::Lost { connection, at }]);
                if heard.is_ok() {
                    count(&hears.lost);
                }
            }
            Event::Connected if !state.swap(true, Ordering::Relaxed) => {
                refuses.forget();
                let _ = events.send(vec![Incoming::Restored { connection }]);
            }
            Event::SlowConsumer(_) => count(&hears.slow_consumer),
            Event::ServerError(error) => {
                let said = error.to_string();
                if let Some(Denial::Publish(subject)) = Denial::parse(&said) {
                    let subject = key(&subject);
                    refuses.add(subject);
                    let _ = events.send(vec![Incoming::Denied {
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
    let read = move |message: &Message| {
        let at = time_of(origin, Instant::now());
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
    tokio::spawn(hand_over(replies, incoming, read));
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
    incoming: Sender<Vec<Incoming>>,
    read: impl Fn(&Message) -> Option<Incoming>,
) {
    while let Some(message) = messages.next().await {
        let mut batch = Vec::new();
        let mut next = Some(message);
        while let Some(message) = next {
            batch.extend(read(&message));
            next = match batch.len() < BATCH {
                true => messages.next().now_or_never().flatten(),
                false => None,
            };
        }
        if incoming.send(batch).is_err() {
            return;
        }
    }
}

/// What the last token of the subject of a reply says: all that is needed to read the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyId {
    /// How the request was sent.
    pub kind: SendKind,
    /// What it asked for.
    pub action: ActionId,
    /// The request.
    pub flight: FlightId,
    /// The load that it belongs to.
    pub epoch: Epoch,
}

impl ReplyId {
    /// Writes the token.
    pub fn write(self, subject: &mut String) {
        let kind = match self.kind {
            SendKind::Jetstream | SendKind::KvPut => 'j',
            SendKind::KvCreate => 'c',
            SendKind::KvGet => 'k',
            SendKind::DirectGet => 'd',
            SendKind::Request | SendKind::Publish => 'r',
        };
        subject.push(kind);
        push_hex(self.action.0.into(), subject);
        subject.push('-');
        push_hex(self.flight.to_bits(), subject);
        subject.push('-');
        push_hex(self.epoch.number().into(), subject);
    }

    /// What the token of a reply says, whatever stands after it.
    pub(crate) fn read(token: &str) -> Option<ReplyId> {
        let (kind, rest) = token.split_at_checked(1)?;
        // After it may stand whose request it is.
        let mut parts = rest.splitn(4, '-');
        let (action, bits, epoch) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = match kind {
            "j" => SendKind::Jetstream,
            "c" => SendKind::KvCreate,
            "k" => SendKind::KvGet,
            "d" => SendKind::DirectGet,
            _ => SendKind::Request,
        };
        Some(ReplyId {
            kind,
            action: ActionId(u16::from_str_radix(action, 16).ok()?),
            flight: FlightId::from_bits(u64::from_str_radix(bits, 16).ok()?),
            epoch: Epoch::of(u32::from_str_radix(epoch, 16).ok()?),
        })
    }
}

/// Writes a number with hexadecimal digits, as often as there are requests.
pub fn push_hex(number: u64, out: &mut String) {
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (number >> (4 * place)) & 0xf;
        // Every one of them is a digit.
        out.push(char::from_digit(digit as u32, 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        let kinds = [
            SendKind::Request,
            SendKind::Jetstream,
            SendKind::KvCreate,
            SendKind::KvGet,
            SendKind::DirectGet,
        ];
        for bits in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            for kind in kinds {
                for (action, epoch) in [(0, 7), (17, 0), (u16::MAX, u32::MAX)] {
                    let id = ReplyId {
                        kind,
                        action: ActionId(action),
                        flight: FlightId::from_bits(bits),
                        epoch: Epoch::of(epoch),
                    };
                    let mut subject = String::new();
                    id.write(&mut subject);
                    assert_eq!(ReplyId::read(&subject), Some(id));
                }
            }
        }
        for odd in ["", "rxyz", "r1", "r1-", "r1-1", "r-1-0", "r10000-1-0", "é"] {
            assert_eq!(ReplyId::read(odd), None, "{odd}");
        }
    }
}
