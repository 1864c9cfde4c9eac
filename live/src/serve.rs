//! A double from its start to its end: the connection, the subscriptions, and the thread that plays the model.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::channel;
use std::time::Instant;

use blis_sim::model::Model;
use tokio::sync::mpsc::unbounded_channel;

use crate::clock::RealClock;
use crate::connection::{Access, ConnectFailure, plain};
use crate::double::part::{Unplayable, places, played, subjects};
use crate::double::{Double, Setup, Statement, Watch};
use crate::listen::Listener;
use crate::observe::{self, runtime};
use crate::peers::Roster;
use crate::saturation::Control;
use crate::target::Target;

/// Why a double does not play.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something of the spec cannot be played.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// No connection, or no threads.
    #[error(transparent)]
    Live(#[from] observe::Failure),
}

impl From<ConnectFailure> for Failure {
    fn from(failure: ConnectFailure) -> Failure {
        Failure::Live(failure.into())
    }
}

/// Plays services of a model's backend at a target until it shall stop: those that are named, or all. `ready` is called
/// with the subjects of the actions once it listens.
///
/// # Errors
/// What keeps it from listening.
pub fn serve(
    model: &Model,
    only: &[String],
    target: &Target,
    access: &Access,
    watch: Watch<'_>,
    ready: impl FnOnce(&[String]),
) -> Result<Statement, Failure> {
    let plays = played(model, only)?;
    let listened = subjects(model)?;
    let runtime = runtime()?;
    let client = runtime.block_on(plain(target, access, "blis serve"))?;
    let (sender, incoming) = channel();
    let (origin, open) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let inbox = client.new_inbox();
    // What is unlike in every inbox is unlike in every process.
    let own = inbox.rsplit('.').next().unwrap_or_default().to_owned();
    let services = model.services.iter().zip(&plays);
    let services = services.map(|(one, plays)| (one.name.clone(), places(one), *plays));
    let roster = Roster::new(own, services);
    let inbox = format!("{inbox}.");
    let shared = Arc::new(model.clone());
    let mut listener = Listener::new(client.clone(), sender, shared, origin, Arc::clone(&open));
    runtime.block_on(listener.listen_alone(&inbox, &roster))?;
    let (asks, mut asked) = unbounded_channel();
    let setup = Setup {
        outlet: client.clone(),
        roster,
        inbox,
        listener: asks,
        open,
        control: Some(Control::start().map_err(observe::Failure::Threads)?),
    };
    let clock = RealClock::new(origin, incoming);
    let double = Double::new(model, setup, clock)?;
    runtime.block_on(async {
        if let Some(first) = asked.recv().await {
            listener.set(&first).await?;
        }
        // The server knows of all subscriptions before anybody is told that the double listens.
        let flushed = client.flush().await;
        flushed.map_err(|why| ConnectFailure::Inbox(why.to_string()))
    })?;
    runtime.spawn(listener.follow(asked));
    let subjects: Vec<String> = listened.into_iter().map(|(subject, _)| subject).collect();
    ready(&subjects);
    let statement = double.play(watch);
    // Answers that are still in the queue are written out.
    let _ = runtime.block_on(client.flush());
    runtime.shutdown_background();
    Ok(statement)
}
