//! Connections to a server: how they are opened, and what comes back over them.
//!
//! Each connection has one inbox, a subscription with a wildcard: the last token of a reply's subject is the id of the
//! request, so that a reply to a request that was given up is known as a late one. What arrives is stamped where it is
//! received, before the driver looks at it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use async_nats::{Client, Event, Message, StatusCode};
use blis_sim::engine::FlightId;
use blis_sim::event::Outcome;
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;

pub use crate::access::Access;
use crate::clock::time_of;
pub use crate::connect_failure::ConnectFailure;
use crate::denied::{Denial, Denied, key};
use crate::driver::Incoming;
use crate::identity::{REJECTED, SERVICE_ERROR, SERVICE_ERROR_CODE};
use crate::target::Target;

/// How many connections are opened at a time.
const AT_ONCE: usize = 16;
/// The most messages of the server that are kept.
const MOST_TOLD: usize = 10;

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
    /// Publications that the server does not permit.
    pub permission_denied: AtomicU64,
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

    fn tell(&self, message: String) {
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
    told: &Arc<Told>,
) -> Result<Vec<Connection>, ConnectFailure> {
    target.check_again()?;
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut opening = Vec::new();
    for connection in 0..number {
        let (target, access, incoming) = (target.clone(), access.clone(), incoming.clone());
        let (told, at_once) = (Arc::clone(told), Arc::clone(&at_once));
        opening.push(tokio::spawn(async move {
            let _place = at_once.acquire_owned().await;
            open_one(&target, &access, connection, origin, incoming, told).await
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

async fn open_one(
    target: &Target,
    access: &Access,
    connection: u32,
    origin: Instant,
    incoming: Sender<Incoming>,
    told: Arc<Told>,
) -> Result<Connection, ConnectFailure> {
    let up = Arc::new(AtomicBool::new(true));
    let options = access.options("blis").await?;
    let (events, state, hears) = (incoming.clone(), Arc::clone(&up), Arc::clone(&told));
    let denied = Arc::new(Denied::default());
    let refuses = Arc::clone(&denied);
    let options = options.event_callback(move |event| {
        let at = time_of(origin, Instant::now());
        match event {
            // A run that has ended hears of nothing.
            Event::Disconnected | Event::Closed if state.swap(false, Ordering::Relaxed) => {
                count(&hears.lost);
                let _ = events.send(Incoming::Lost { connection, at });
            }
            Event::Connected if !state.swap(true, Ordering::Relaxed) => {
                refuses.forget();
                let _ = events.send(Incoming::Restored);
            }
            Event::SlowConsumer(_) => count(&hears.slow_consumer),
            Event::ServerError(error) => {
                let said = error.to_string();
                if let Some(Denial::Publish(subject)) = Denial::parse(&said) {
                    let subject = key(&subject);
                    count(&hears.permission_denied);
                    refuses.add(subject);
                    let _ = events.send(Incoming::Denied {
                        connection,
                        subject,
                        at,
                    });
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
            let Some((flight, of_stream)) = message.subject.get(skip..).and_then(read_id) else {
                continue;
            };
            let outcome = outcome(&message, of_stream, &told);
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
    Ok(Connection {
        client,
        inbox,
        up,
        denied,
    })
}

/// The last token of the subject for the reply to a request, or for the acknowledgement of a stream.
pub fn write_id(flight: FlightId, of_stream: bool, subject: &mut String) {
    use std::fmt::Write as _;
    let kind = if of_stream { 'j' } else { 'r' };
    // Writing to a string does not fail.
    let _ = write!(subject, "{kind}{:x}", flight.to_bits());
}

fn read_id(token: &str) -> Option<(FlightId, bool)> {
    let (kind, bits) = token.split_at_checked(1)?;
    let bits = u64::from_str_radix(bits, 16).ok()?;
    Some((FlightId::from_bits(bits), kind == "j"))
}

/// How a request ended, by what came back.
fn outcome(message: &Message, of_stream: bool, told: &Told) -> Outcome {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        count(&told.no_responders);
        return Outcome::TransportError;
    }
    if of_stream {
        return of_acknowledgement(&message.payload, told);
    }
    let header = |name: &str| Some(message.headers.as_ref()?.get(name)?.as_str());
    if header(SERVICE_ERROR_CODE) == Some(REJECTED) {
        count(&told.rejected);
        return Outcome::Rejected;
    }
    if header(SERVICE_ERROR).is_some() || header(SERVICE_ERROR_CODE).is_some() {
        count(&told.service_errors);
        return Outcome::AppError;
    }
    if is_acknowledgement(&message.payload) {
        count(&told.captured);
        return Outcome::AppError;
    }
    Outcome::Ok
}

fn of_acknowledgement(payload: &[u8], told: &Told) -> Outcome {
    let read: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
    match read {
        Some(answer) if answer.get("stream").is_some() && answer.get("error").is_none() => {
            Outcome::Ok
        }
        answer => {
            count(&told.stream_errors);
            let error = answer
                .and_then(|answer| Some(answer.get("error")?.get("description")?.to_string()));
            told.tell(error.unwrap_or_else(|| {
                "the answer to a publication was no acknowledgement".to_owned()
            }));
            Outcome::AppError
        }
    }
}

/// Whether a reply is what a stream answers, which then has the subject that the request was sent to.
fn is_acknowledgement(payload: &[u8]) -> bool {
    // Most replies are told apart by their first bytes.
    if !payload.starts_with(b"{\"stream\"") {
        return false;
    }
    let read: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
    read.is_some_and(|answer| answer.get("stream").is_some() && answer.get("seq").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        for bits in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            for of_stream in [false, true] {
                let flight = FlightId::from_bits(bits);
                let mut subject = String::new();
                write_id(flight, of_stream, &mut subject);
                assert_eq!(read_id(&subject), Some((flight, of_stream)));
            }
        }
        assert_eq!(read_id(""), None);
        assert_eq!(read_id("rxyz"), None);
    }

    fn message(payload: &str, headers: &[(&str, &str)]) -> Message {
        let mut map = async_nats::HeaderMap::new();
        headers
            .iter()
            .for_each(|(name, value)| map.insert(*name, *value));
        Message {
            subject: "inbox.r0".into(),
            reply: None,
            payload: payload.to_owned().into(),
            headers: Some(map),
            status: None,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn what_comes_back_says_how_a_request_ended() {
        let told = Told::default();
        let ended = |payload: &str, headers: &[(&str, &str)], of_stream| {
            outcome(&message(payload, headers), of_stream, &told)
        };
        assert_eq!(ended("well", &[], false), Outcome::Ok);
        assert_eq!(
            ended(
                "",
                &[(SERVICE_ERROR_CODE, "500"), (SERVICE_ERROR, "no")],
                false
            ),
            Outcome::AppError
        );
        assert_eq!(
            ended("", &[(SERVICE_ERROR_CODE, REJECTED)], false),
            Outcome::Rejected
        );
        let acknowledgement = r#"{"stream":"ORDERS","seq":7}"#;
        assert_eq!(ended(acknowledgement, &[], true), Outcome::Ok);
        assert_eq!(ended(acknowledgement, &[], false), Outcome::AppError);
        let refused = r#"{"error":{"code":503,"description":"no"},"stream":"ORDERS","seq":0}"#;
        assert_eq!(ended(refused, &[], true), Outcome::AppError);
        let mut nobody = message("", &[]);
        nobody.status = Some(StatusCode::NO_RESPONDERS);
        assert_eq!(outcome(&nobody, false, &told), Outcome::TransportError);
        assert_eq!(told.captured.load(Ordering::Relaxed), 1);
        assert_eq!(told.messages(), ["\"no\""]);
    }

    #[test]
    fn access_does_not_show_itself() {
        let access = Access {
            token: Some("canary".to_owned()),
            ..Access::default()
        };
        assert!(!format!("{access:?}").contains("canary"));
    }
}
