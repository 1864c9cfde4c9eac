//! Connections to a server: how they are opened, and what comes back over them.
//!
//! Each connection has one inbox, a subscription with a wildcard: the last token of a reply's subject is the id of the
//! request, so that a reply to a request that was given up is known as a late one. What arrives is stamped where it is
//! received, before the driver looks at it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use blis_sim::engine::FlightId;
use blis_sim::model::{ActionId, SendKind};
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;

use crate::clock::time_of;
use crate::driver::Incoming;
use crate::reply::{self, Replies};
use crate::target::Target;

/// How many connections are opened at a time.
const AT_ONCE: usize = 16;
/// Messages that may wait to be written to a connection's socket.
const ROOM: usize = 8192;
/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most messages of the server that are kept.
const MOST_TOLD: usize = 10;

/// How a server lets one in. Nothing of it is ever written anywhere.
#[derive(Clone, Default)]
pub struct Access {
    /// User and password.
    pub user: Option<(String, String)>,
    /// A token.
    pub token: Option<String>,
    /// A file with a JWT and the seed of its key.
    pub creds: Option<PathBuf>,
    /// The seed of a key.
    pub nkey: Option<String>,
    /// A file with further certificates of authorities.
    pub ca: Option<PathBuf>,
    /// Files with the client's certificate and key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// What replies' subjects start with, instead of `_INBOX`.
    pub inbox_prefix: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access { .. }")
    }
}

impl Access {
    /// The options of a connection of this name.
    ///
    /// # Errors
    /// What is wrong with a file that is needed.
    async fn options(&self, name: &str) -> Result<ConnectOptions, ConnectFailure> {
        let mut options = ConnectOptions::new()
            .name(name)
            .client_capacity(ROOM)
            .subscription_capacity(1 << 20)
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(CONNECT_TIMEOUT))
            .ignore_discovered_servers()
            .retain_servers_order();
        if let Some((user, password)) = &self.user {
            options = options.user_and_password(user.clone(), password.clone());
        }
        if let Some(token) = &self.token {
            options = options.token(token.clone());
        }
        if let Some(seed) = &self.nkey {
            options = options.nkey(seed.clone());
        }
        if let Some(path) = &self.creds {
            options = options
                .credentials_file(path)
                .await
                .map_err(|why| ConnectFailure::File {
                    path: path.clone(),
                    why: why.to_string(),
                })?;
        }
        if let Some(path) = &self.ca {
            options = options.add_root_certificates(path.clone());
        }
        if let Some((certificate, key)) = &self.certificate {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        if let Some(prefix) = &self.inbox_prefix {
            options = options.custom_inbox_prefix(prefix);
        }
        Ok(options)
    }
}

/// Why a connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// Nobody answers there.
    #[error("no NATS server answers at {target}: {why}; start one there or name another --url")]
    Unreachable {
        /// `host:port`.
        target: String,
        /// What went wrong.
        why: String,
    },
    /// The server does not let one in.
    #[error(
        "the server at {target} refuses the connection: {why}; give --user and --password, --token, --creds or --nkey"
    )]
    Refused {
        /// `host:port`.
        target: String,
        /// What it says.
        why: String,
    },
    /// A file with credentials cannot be used.
    #[error("the credentials in {} cannot be used: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The inbox could not be opened.
    #[error("the inbox of a connection could not be opened: {0}")]
    Inbox(String),
}

/// What a server said on its own account, and what happened beside requests.
#[derive(Debug, Default)]
pub struct Told {
    /// Requests that nobody subscribes to.
    pub no_responders: AtomicU64,
    /// Replies that came from a stream that has the subject, instead of a service.
    pub captured: AtomicU64,
    /// Replies with the header of a service error.
    pub service_errors: AtomicU64,
    /// Replies that refused the request.
    pub rejected: AtomicU64,
    /// Publications that a stream refused.
    pub stream_errors: AtomicU64,
    /// Requests that were not sent because the connection had no room.
    pub no_room: AtomicU64,
    /// Requests that were not sent because the connection was down.
    pub disconnected: AtomicU64,
    /// Requests larger than the server takes.
    pub too_large: AtomicU64,
    /// Times that a connection was lost.
    pub lost: AtomicU64,
    /// Times that the client could not keep up with what came.
    pub slow_consumer: AtomicU64,
    messages: Mutex<Vec<String>>,
}

impl Told {
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
}

/// Opens so many connections, some of them at a time.
///
/// # Errors
/// The first connection that cannot be opened.
pub async fn open(
    target: &Target,
    access: &Access,
    number: u32,
    origin: Instant,
    incoming: &Sender<Incoming>,
    replies: &Arc<Replies>,
    told: &Arc<Told>,
) -> Result<Vec<Connection>, ConnectFailure> {
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
    let options = access.options(name).await?;
    let opened = options.connect(target.servers.as_slice()).await;
    opened.map_err(|error| failure(target, &error))
}

fn failure(target: &Target, error: &async_nats::ConnectError) -> ConnectFailure {
    let target = target.names.join(", ");
    let why = error.to_string();
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            ConnectFailure::Refused { target, why }
        }
        _ => ConnectFailure::Unreachable { target, why },
    }
}

/// What a connection needs to tell of what comes back.
struct Hears {
    origin: Instant,
    incoming: Sender<Incoming>,
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
    let options = options.event_callback(move |event| {
        let at = time_of(origin, Instant::now());
        match event {
            // A run that has ended hears of nothing.
            Event::Disconnected | Event::Closed if state.swap(false, Ordering::Relaxed) => {
                count(&hears.lost);
                let _ = events.send(Incoming::Lost { connection, at });
            }
            Event::Connected if !state.swap(true, Ordering::Relaxed) => {
                let _ = events.send(Incoming::Restored);
            }
            Event::SlowConsumer(_) => count(&hears.slow_consumer),
            Event::ServerError(error) => hears.tell(error.to_string()),
            _ => {}
        }
        async {}
    });
    let opened = options.connect(target.servers.as_slice()).await;
    let client = opened.map_err(|error| failure(target, &error))?;
    let inbox = client.new_inbox();
    let subscribed = client.subscribe(format!("{inbox}.*")).await;
    let mut replies = subscribed.map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
    // The server knows of the inbox before the first request is sent.
    client
        .flush()
        .await
        .map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
    let inbox = format!("{inbox}.");
    let skip = inbox.len();
    tokio::spawn(async move {
        while let Some(message) = replies.next().await {
            let at = time_of(origin, Instant::now());
            let Some((kind, action, flight)) = message.subject.get(skip..).and_then(read_id) else {
                continue;
            };
            let outcome = match kind {
                SendKind::Jetstream => reply::of_stream(&message, &told),
                SendKind::Request | SendKind::Publish => reads.outcome(action, &message, &told),
            };
            if incoming
                .send(Incoming::Done {
                    flight,
                    outcome,
                    at,
                })
                .is_err()
            {
                return;
            }
        }
    });
    Ok(Connection { client, inbox, up })
}

/// The last token of the subject for the reply to a request of this kind and action: all that is needed to read it.
pub fn write_id(kind: SendKind, action: ActionId, flight: FlightId, subject: &mut String) {
    use std::fmt::Write as _;
    let kind = match kind {
        SendKind::Jetstream => 'j',
        SendKind::Request | SendKind::Publish => 'r',
    };
    // Writing to a string does not fail.
    let _ = write!(subject, "{kind}{:x}-{:x}", action.0, flight.to_bits());
}

fn read_id(token: &str) -> Option<(SendKind, ActionId, FlightId)> {
    let (kind, rest) = token.split_at_checked(1)?;
    let (action, bits) = rest.split_once('-')?;
    let kind = match kind {
        "j" => SendKind::Jetstream,
        _ => SendKind::Request,
    };
    let action = u16::from_str_radix(action, 16).ok()?;
    let bits = u64::from_str_radix(bits, 16).ok()?;
    Some((kind, ActionId(action), FlightId::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        for bits in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            for kind in [SendKind::Request, SendKind::Jetstream] {
                for action in [0, 17, u16::MAX] {
                    let flight = FlightId::from_bits(bits);
                    let mut subject = String::new();
                    write_id(kind, ActionId(action), flight, &mut subject);
                    assert_eq!(read_id(&subject), Some((kind, ActionId(action), flight)));
                }
            }
        }
        for odd in ["", "rxyz", "r1", "r1-", "r-1", "r10000-1", "é"] {
            assert_eq!(read_id(odd), None, "{odd}");
        }
    }
}
