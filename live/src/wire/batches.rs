//! Messages handed to a connection in batches: what the driver sends at one time wakes the threads of the connection once and is
//! written together, which saves work of the server and of the load.
//!
//! Messages and questions of one connection keep their order.

use std::sync::Arc;

use async_nats::Client;
use async_nats::client::traits::Publisher as _;
use async_nats::message::OutboundMessage;
use blis_sim::time::{Span, Time};
use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::wire::event_loop::{EventLoop, RunBy};
use crate::wire::told::Told;

/// How often it is looked up how much the server takes, which may be another one by now.
const LOOK: Span = Span::from_nanos(100_000_000);

/// What a connection is given.
enum Given {
    /// Messages to be sent.
    Messages(Vec<OutboundMessage>),
    /// Whether all that it was given before is written.
    IsWritten(oneshot::Sender<bool>),
}

/// How a connection is given something.
enum Way {
    /// Through a task on the thread that runs it.
    Passed(UnboundedSender<Given>),
    /// At once: the driver runs it.
    AtOnce,
}

/// What waits to be handed to a connection.
pub struct Batches {
    client: Client,
    waiting: Vec<OutboundMessage>,
    way: Way,
    told: Arc<Told>,
    /// The bytes that the server takes, and when that was looked up.
    most: usize,
    looked: Time,
}

impl Batches {
    /// Those of a client, of which nobody else publishes anything. What goes wrong is told.
    pub fn new(client: &Client, told: &Arc<Told>, event_loop: &EventLoop) -> Batches {
        let way = match event_loop.by() {
            RunBy::Thread => {
                let (given, takes) = unbounded_channel();
                let passes = pass_on(client.clone(), takes, Arc::clone(told));
                event_loop.handle().spawn(passes);
                Way::Passed(given)
            }
            RunBy::Driver => Way::AtOnce,
        };
        Batches {
            most: client.server_info().max_payload,
            client: client.clone(),
            waiting: Vec::new(),
            way,
            told: Arc::clone(told),
            looked: Time::ZERO,
        }
    }

    /// Whether the server takes a message of this many bytes, headers included.
    pub fn takes(&mut self, now: Time, bytes: usize) -> bool {
        if now >= self.looked + LOOK {
            self.looked = now;
            self.most = self.client.server_info().max_payload;
        }
        bytes <= self.most
    }

    /// One more message. Whether it is the first of a batch.
    pub fn add(&mut self, message: OutboundMessage) -> bool {
        self.waiting.push(message);
        self.waiting.len() == 1
    }

    /// Hands over what waits, by whichever way there is.
    pub async fn hand_over(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        match &self.way {
            Way::Passed(given) => {
                let room = Vec::with_capacity(self.waiting.len());
                let batch = std::mem::replace(&mut self.waiting, room);
                // A connection that is gone for good is down, which is told when something is sent over it.
                let _ = given.send(Given::Messages(batch));
            }
            Way::AtOnce => publish(&self.client, self.waiting.drain(..), &self.told).await,
        }
    }

    /// Asks whether all that was handed over is written. Gone is the answer with the connection.
    pub async fn ask(&mut self) -> oneshot::Receiver<bool> {
        self.hand_over().await;
        let (tells, answer) = oneshot::channel();
        match &self.way {
            Way::Passed(given) => {
                // Without anybody who takes it there is no answer.
                let _ = given.send(Given::IsWritten(tells));
            }
            Way::AtOnce => put(&self.client, tells),
        }
        answer
    }
}

/// Gives a client what it is given, in order, until there is no more.
async fn pass_on(client: Client, mut given: UnboundedReceiver<Given>, told: Arc<Told>) {
    while let Some(next) = given.recv().await {
        match next {
            Given::Messages(batch) => publish(&client, batch, &told).await,
            Given::IsWritten(tells) => put(&client, tells),
        }
    }
}

async fn publish(client: &Client, batch: impl IntoIterator<Item = OutboundMessage>, told: &Told) {
    for message in batch {
        // Whoever added it has seen to it that it can be sent, but for what changed meanwhile.
        if let Err(why) = client.publish_message(message).await {
            told.tell(format!("not sent: {why}"));
        }
    }
}

/// Puts the question whether everything is written, which is answered some time later.
fn put(client: &Client, tells: oneshot::Sender<bool>) {
    let client = client.clone();
    let mut flush = Box::pin(async move { client.flush().await.is_ok() });
    // The question is put when it is looked at.
    match (&mut flush).now_or_never() {
        Some(written) => drop(tells.send(written)),
        None => drop(tokio::spawn(async move { tells.send(flush.await) })),
    }
}
