//! What servers and connections say beside replies: lost connections, deliveries that were too fast, messages of the server, and
//! who answers at all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use blis_sim::model::Model;

use crate::wire::responders::Responders;

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
