//! Requests of observers to a server, over a separate connection and counted apart from the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::{Client, Event, RequestErrorKind};
use blis_sim::result::ObserverTraffic;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::target::Target;
use crate::target::access::Access;
use crate::target::connect_failure::ConnectFailure;
use crate::wire::connection::listening;
use crate::wire::denied::Denial;
use crate::wire::reply::nobody_there;
use crate::wire::told::count;

/// The name of the connection.
const NAME: &str = "blis observer";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long where the server has answered nothing so far, not a single question of one, two or more.
const PATIENCE_WITH_SILENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(50)];
/// How often it is looked how long the way to the server and back is.
const ROUND_TRIPS: usize = 5;
/// How long after one answer of many the next may come.
const QUIET: Duration = Duration::from_millis(300);

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody is there to answer.
    #[error("nobody answers")]
    NoResponders,
    /// It may not be asked.
    #[error("this user may not publish to {0}")]
    MayNotAsk(String),
    /// Answers may not be received.
    #[error("this user may not receive replies")]
    NoInbox,
    /// There was none in time.
    #[error("no reply in time")]
    Silence,
    /// The answer is an error.
    #[error("the server replied: {0}")]
    Error(String),
    /// It is not what was asked for.
    #[error("the reply could not be parsed")]
    Unclear,
}

/// What the questions cost.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Questions.
    pub requests: AtomicU64,
    /// Those without an answer.
    pub unanswered: AtomicU64,
    /// Bytes of subjects and payloads that were sent.
    pub sent: AtomicU64,
    /// Bytes of payloads that were received.
    pub received: AtomicU64,
}

impl Traffic {
    /// What there is so far.
    pub fn so_far(&self) -> ObserverTraffic {
        ObserverTraffic {
            requests: self.requests.load(Ordering::Relaxed),
            unanswered: self.unanswered.load(Ordering::Relaxed),
            bytes_sent: self.sent.load(Ordering::Relaxed),
            bytes_received: self.received.load(Ordering::Relaxed),
        }
    }

    /// A question of this many bytes.
    pub fn ask(&self, bytes: usize) {
        count(&self.requests);
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// An answer of this many bytes.
    pub fn answer(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Whether a server answers at all.
#[derive(Debug, Default)]
struct Silence {
    /// Whether it has answered anything.
    is_broken: AtomicBool,
    /// The questions that it has not answered.
    lasts: AtomicUsize,
}

impl Silence {
    /// It has answered, or not.
    fn hear(&self, has_answered: bool) {
        match has_answered {
            true => self.is_broken.store(true, Ordering::Relaxed),
            false => {
                self.lasts.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many questions it has not answered, where it has answered none.
    fn length(&self) -> usize {
        match self.is_broken.load(Ordering::Relaxed) {
            true => 0,
            false => self.lasts.load(Ordering::Relaxed),
        }
    }

    /// How long the next answer may take.
    fn patience(&self) -> Duration {
        match self.length() {
            0 => PATIENCE,
            1 => PATIENCE_WITH_SILENCE[0],
            _ => PATIENCE_WITH_SILENCE[1],
        }
    }
}

/// Whoever asks.
#[derive(Clone)]
pub struct Asker {
    client: Client,
    access: Access,
    denials: watch::Receiver<Vec<Denial>>,
    silence: Arc<Silence>,
    /// What it cost.
    pub traffic: Arc<Traffic>,
}

impl Asker {
    /// Opens the connection.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn open(target: &Target, access: &Access) -> Result<Asker, ConnectFailure> {
        let (sender, denials) = watch::channel(Vec::new());
        let hear = move |event| {
            if let Event::ServerError(said) = event
                && let Some(denial) = Denial::parse(&said.to_string())
            {
                sender.send_if_modified(|known: &mut Vec<Denial>| {
                    let new = !known.contains(&denial);
                    if new {
                        known.push(denial);
                    }
                    new
                });
            }
        };
        Ok(Asker {
            client: listening(target, access, NAME, hear).await?,
            access: access.clone(),
            denials,
            silence: Arc::default(),
            traffic: Arc::default(),
        })
    }

    /// Whether the server has been asked something and has answered nothing at all.
    pub fn hears_nothing(&self) -> bool {
        self.silence.length() > 0
    }

    /// The subjects that replies come on, whatever connection they are for.
    pub fn inboxes(&self) -> String {
        let prefix = self.access.inbox_prefix.as_deref().unwrap_or("_INBOX");
        format!("{prefix}.*.*")
    }

    /// Asks the JetStream API.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask_api(&self, function: &str, payload: &str) -> Result<Value, Unanswered> {
        self.ask(&self.access.api(function), payload).await
    }

    /// Asks for one answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask(&self, subject: &str, payload: &str) -> Result<Value, Unanswered> {
        self.traffic.ask(subject.len() + payload.len());
        let answer = self.answer(subject, payload).await.and_then(|answer| {
            self.traffic.answer(answer.len());
            serde_json::from_slice(&answer).map_err(|_| Unanswered::Unclear)
        });
        if answer.is_err() {
            count(&self.traffic.unanswered);
        }
        answer
    }

    async fn answer(&self, subject: &str, payload: &str) -> Result<Bytes, Unanswered> {
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        let asked = Box::pin(self.client.request(subject.to_owned(), payload));
        let refused = Box::pin(self.refused(subject));
        let answer = timeout(self.silence.patience(), select(asked, refused)).await;
        let answer = match answer {
            Ok(Either::Left((Ok(message), _))) => Ok(message.payload),
            Ok(Either::Left((Err(why), _))) => Err(match why.kind() {
                RequestErrorKind::NoResponders => Unanswered::NoResponders,
                _ => Unanswered::Silence,
            }),
            Ok(Either::Right((why, _))) => Err(why),
            Err(_) => Err(Unanswered::Silence),
        };
        self.silence
            .hear(!matches!(answer, Err(Unanswered::Silence)));
        answer
    }

    /// The shortest time in which the server answers a question that is its own affair; `None` when it does not.
    pub async fn round_trip(&self) -> Option<Duration> {
        let mut best = None;
        for _ in 0..ROUND_TRIPS {
            // The server itself says that nobody subscribes there.
            let subject = self.client.new_inbox();
            self.traffic.ask(subject.len());
            let asked = Instant::now();
            if self.answer(&subject, "").await != Err(Unanswered::NoResponders) {
                return best;
            }
            let took = asked.elapsed();
            best = Some(best.map_or(took, |best: Duration| best.min(took)));
        }
        best
    }

    /// Waits for the server to refuse a question, for as long as it takes.
    async fn refused(&self, subject: &str) -> Unanswered {
        let why = |denial: &Denial| match denial {
            Denial::Publish(denied) if denied == subject => {
                Some(Unanswered::MayNotAsk(denied.clone()))
            }
            Denial::Subscribe(_) => Some(Unanswered::NoInbox),
            Denial::Publish(_) => None,
        };
        let mut denials = self.denials.clone();
        let waited = denials.wait_for(|known| known.iter().any(|denial| why(denial).is_some()));
        let known = waited.await.map(|known| known.clone());
        match known {
            Ok(known) => known.iter().find_map(why).unwrap_or(Unanswered::Silence),
            // The connection has ended, and the answer with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Asks for the answers of all who are there, until there is quiet; of nobody when nobody is there.
    ///
    /// # Errors
    /// Why it could not be asked.
    pub async fn ask_all(&self, subject: &str) -> Result<Vec<Value>, Unanswered> {
        self.traffic.ask(subject.len());
        let answers = self.answers(subject).await;
        if answers.as_ref().map_or(true, Vec::is_empty) {
            count(&self.traffic.unanswered);
        }
        answers
    }

    async fn answers(&self, subject: &str) -> Result<Vec<Value>, Unanswered> {
        // As deep as the inboxes of the load, so that whoever may receive replies may receive these.
        let inbox = format!("{}.all", self.client.new_inbox());
        let subscribed = self.client.subscribe(inbox.clone()).await;
        let mut replies = subscribed.map_err(|_| Unanswered::Silence)?;
        let asked = self
            .client
            .publish_with_reply(subject.to_owned(), inbox, Bytes::new());
        asked.await.map_err(|_| Unanswered::Silence)?;
        let mut refused = Box::pin(self.refused(subject));
        let mut answers = Vec::new();
        let end = Instant::now() + self.silence.patience();
        let mut until = end;
        loop {
            let message = match timeout_at(until, select(replies.next(), &mut refused)).await {
                Ok(Either::Left((Some(message), _))) => message,
                Ok(Either::Right((why, _))) => return Err(why),
                Ok(Either::Left((None, _))) | Err(_) => return Ok(answers),
            };
            if nobody_there(&message) {
                return Ok(answers);
            }
            self.traffic.answer(message.payload.len());
            answers.extend(serde_json::from_slice::<Value>(&message.payload));
            until = end.min(Instant::now() + QUIET);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_nothing_is_waited_for_less_and_less() {
        let silence = Silence::default();
        let mut waited = Vec::new();
        for _ in 0..4 {
            waited.push(silence.patience().as_millis());
            silence.hear(false);
        }
        assert_eq!(waited, [2000, 1000, 50, 50]);
        assert_eq!(silence.length(), 4);
        // Whoever has answered once is waited for, whatever comes later.
        silence.hear(true);
        silence.hear(false);
        assert_eq!((silence.length(), silence.patience()), (0, PATIENCE));
    }
}
