//! The subscriptions that receive awaited deliveries.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Instant;

use async_nats::Message;
use blis_sim::model::{ActionId, By, DeliveredAt, Model};
use blis_sim::time::Time;
use blis_sim::users::mailbox::{Delivery, Key};

use crate::target::connect_failure::ConnectFailure;
use crate::wire::connection::{Connection, hand_over};
use crate::wire::event_loop::Tells;
use crate::wire::prepared::MESSAGE_ID;
use crate::wire::reply::{any_holds, key_of};
use crate::wire::transport::Incoming;

/// Subscribes to all that requests of a model await, each subscriber over one of the connections in turn. When this
/// returns, the servers know of them.
///
/// # Errors
/// [`ConnectFailure::Inbox`] when a connection was lost meanwhile.
pub async fn subscribe<P>(
    model: &Model<P>,
    connections: &[Connection],
    origin: Instant,
    incoming: &Tells,
) -> Result<(), ConnectFailure> {
    let lost = |why: &dyn ToString| ConnectFailure::Inbox(why.to_string());
    let mut subscribed = false;
    for (action, of) in (0u16..).map(ActionId).zip(&model.actions) {
        let delivery = of.sending.as_ref().and_then(|one| one.delivery.as_ref());
        let (Some(delivery), Some(awaited)) = (delivery, of.awaited) else {
            continue;
        };
        let subject = delivery.subject.wildcards();
        for (subscriber, connection) in
            (0..awaited.subscribers.get()).zip(connections.iter().cycle())
        {
            let opened = connection.client.subscribe(subject.clone()).await;
            let messages = opened.map_err(|why| lost(&why))?;
            let (incoming, of) = (incoming.clone(), delivery.clone());
            subscribed = true;
            let read = move |message: &Message, at: Time| {
                Some(Incoming::Delivered(Delivery {
                    action,
                    subscriber,
                    key: named(&of.by, message),
                    message: id_of(message),
                    fits: fits(&of, message),
                    at,
                }))
            };
            tokio::spawn(hand_over(messages, incoming, origin, read));
        }
    }
    if subscribed {
        for connection in connections {
            connection.client.flush().await.map_err(|why| lost(&why))?;
        }
    }
    Ok(())
}

/// Which request a delivery is for. One that does not say is for a request that there is not.
fn named(by: &By, message: &Message) -> Key {
    key_of(by, message).unwrap_or_else(|| Key::of(""))
}

/// Whether a message is what is awaited.
fn fits(of: &DeliveredAt, message: &Message) -> bool {
    of.when.is_empty() || any_holds(&of.when, message)
}

/// What tells one message from another, where it has its own id.
fn id_of(message: &Message) -> Option<u64> {
    let id = message.headers.as_ref()?.get(MESSAGE_ID)?;
    let mut hasher = DefaultHasher::new();
    (message.subject.as_str(), id.as_str()).hash(&mut hasher);
    Some(hasher.finish())
}
