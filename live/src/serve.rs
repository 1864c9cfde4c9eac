//! The double of a backend on NATS: subscriptions in queue groups, and the model that answers them.

use std::sync::mpsc::channel;
use std::time::Instant;

use blis_sim::model::{Model, REQUEST_ID};
use blis_sim::time::Span;
use futures_util::StreamExt as _;

use crate::clock::{RealClock, time_of};
use crate::connection::{Access, ConnectFailure, plain};
use crate::double::{Arrived, Double, Played, subjects};
use crate::identity::Identity;
use crate::observe::{Failure, runtime};
use crate::target::Target;

/// The queue group of doubles: several of one spec share the requests.
const GROUP: &str = "q";
/// How often the double looks whether to stop.
const LOOK: Span = Span::from_nanos(50_000_000);

/// Plays a model's backend at a target until it shall stop. `ready` is called once it listens.
///
/// # Errors
/// What keeps it from listening.
pub fn serve(
    model: &Model,
    target: &Target,
    access: &Access,
    stop: &dyn Fn() -> bool,
    ready: impl FnOnce(&[String]),
) -> Result<Played, Failure> {
    let runtime = runtime()?;
    let client = runtime.block_on(plain(target, access, "blis serve"))?;
    let (sender, incoming) = channel();
    let origin = Instant::now();
    let mut listening = Vec::new();
    for (subject, action) in subjects(model) {
        let subscribed =
            runtime.block_on(client.queue_subscribe(subject.clone(), GROUP.to_owned()));
        let mut requests = subscribed.map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
        let (sender, model) = (sender.clone(), model.clone());
        let sending = model.actions[action.index()].sending.as_ref();
        let request_id =
            sending.map_or(REQUEST_ID.to_owned(), |sending| sending.request_id.clone());
        runtime.spawn(async move {
            while let Some(message) = requests.next().await {
                let at = time_of(origin, Instant::now());
                let headers = message.headers.as_ref();
                let header = headers.and_then(|headers| headers.get(request_id.as_str()));
                let arrived = Arrived {
                    action,
                    identity: header.and_then(|header| Identity::parse(header.as_str(), &model)),
                    reply: message.reply,
                    at,
                };
                if sender.send(arrived).is_err() {
                    return;
                }
            }
        });
        listening.push(subject);
    }
    drop(sender);
    runtime
        .block_on(client.flush())
        .map_err(|why| ConnectFailure::Inbox(why.to_string()))?;
    ready(&listening);
    let clock = RealClock::new(origin, incoming);
    let played = Double::new(model, client.clone(), clock).play(stop, LOOK);
    // Answers that are still in the queue are written out.
    let _ = runtime.block_on(client.flush());
    runtime.shutdown_background();
    Ok(played)
}
