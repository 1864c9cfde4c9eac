//! What a connection is known to have written, of what it was given.
//!
//! The client tells when it has written all that it had taken out of its queue. It is asked when somebody wants to know, one
//! question at a time, and nobody waits for the answer. What it has handed to the system counts as written, and so may the last
//! 64 KiB (or 17 messages) before it, when the system takes nothing.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_nats::Client;
use tokio::time::timeout;

use crate::outbox::Flushed;

/// Whether the client could tell that it has written.
type Answer = Pin<Box<dyn Future<Output = bool> + Send>>;

/// What is known of a connection.
pub struct Writing {
    client: Client,
    written: u64,
    /// The question that is open, and how many messages it is about.
    asked: Option<(u64, Answer)>,
}

impl Writing {
    /// That of a client that was given nothing yet.
    pub fn of(client: &Client) -> Writing {
        Writing {
            client: client.clone(),
            written: 0,
            asked: None,
        }
    }

    /// How many of so many messages are known to be written. Asks for more, unless a question is open.
    pub fn look(&mut self, taken: u64) -> u64 {
        self.hear();
        if self.asked.is_none() && self.written < taken {
            self.asked = Some((taken, self.ask()));
            // The question is put when it is looked at.
            self.hear();
        }
        self.written
    }

    /// What is lost with a connection is not written.
    pub fn lost(&mut self) {
        self.asked = None;
    }

    /// Waits until so many are written, or so long.
    pub async fn finish(&mut self, taken: u64, most: Duration) -> Flushed {
        self.hear();
        // An open question is about less.
        let (ask, written) = (self.ask(), &mut self.written);
        match timeout(most, ask).await {
            Ok(true) => {
                *written = taken;
                Flushed::Yes
            }
            Ok(false) => Flushed::IsDown,
            Err(_) => Flushed::NotInTime,
        }
    }

    fn ask(&self) -> Answer {
        let client = self.client.clone();
        Box::pin(async move { client.flush().await.is_ok() })
    }

    fn hear(&mut self) {
        let Some((taken, answer)) = &mut self.asked else {
            return;
        };
        match answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(true) => self.written = self.written.max(*taken),
            Poll::Ready(false) => {}
            Poll::Pending => return,
        }
        self.asked = None;
    }
}
