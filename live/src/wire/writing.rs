//! How much of its messages a connection is known to have written.
//!
//! The client reports when it has written everything from its queue. It is asked on demand, one question at a time, and nobody
//! waits for the answer. Data handed to the system counts as written, and so may the last 64 KiB (or 17 messages) before it if
//! the system accepts nothing.

use std::time::Duration;

use tokio::sync::oneshot::{Receiver, error::TryRecvError};
use tokio::time::timeout;

use crate::wire::outbox::Flushed;

/// What is known of a connection that was given nothing yet.
#[derive(Default)]
pub struct Writing {
    written: u64,
    /// The question that is open, and how many messages it is about.
    asked: Option<(u64, Receiver<bool>)>,
}

impl Writing {
    /// How many of this many messages are known to be written. Asks for more, unless a question is open.
    pub fn look(&mut self, taken: u64, ask: impl FnOnce() -> Receiver<bool>) -> u64 {
        self.hear();
        if self.asked.is_none() && self.written < taken {
            self.asked = Some((taken, ask()));
        }
        self.written
    }

    /// What is lost with a connection is not written.
    pub fn lost(&mut self) {
        self.asked = None;
    }

    /// Waits until this many are written, or so long, by the answer to a question about them all.
    pub async fn finish(&mut self, taken: u64, answer: Receiver<bool>, most: Duration) -> Flushed {
        self.hear();
        // An open question is about less.
        match timeout(most, answer).await {
            Ok(Ok(true)) => {
                self.written = taken;
                Flushed::Yes
            }
            Ok(Ok(false) | Err(_)) => Flushed::IsDown,
            Err(_) => Flushed::NotInTime,
        }
    }

    fn hear(&mut self) {
        let Some((taken, answer)) = &mut self.asked else {
            return;
        };
        match answer.try_recv() {
            Ok(true) => self.written = self.written.max(*taken),
            Ok(false) | Err(TryRecvError::Closed) => {}
            Err(TryRecvError::Empty) => return,
        }
        self.asked = None;
    }
}
