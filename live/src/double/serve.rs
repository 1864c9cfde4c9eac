//! A double from start to end: the connection, the subscriptions, and the thread that runs the model.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use async_nats::Client;
use blis_sim::model::{LiveModel, Model};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use crate::clock::RealClock;
use crate::double::entrances::{Unplayable, places, playable, played, subjects};
use crate::double::listen::Listener;
use crate::double::peers::Roster;
use crate::double::state::{DoubleWatch, Statement};
use crate::double::streams::{self, Made};
use crate::double::{Double, PATIENCE, Setup};
use crate::generator::jitter::Control;
use crate::observers::asking::Asker;
use crate::os_error::unnumbered;
use crate::preflight;
use crate::run::failure;
use crate::run::session::runtime;
use crate::target::Target;
use crate::target::access::Access;
use crate::target::connect_failure::ConnectFailure;
use crate::wire::connection::plain;

/// How long the server may take for what is left to do at the end: it may be gone.
const AT_END: Duration = Duration::from_secs(5);

/// How long a double may take from its interruption to its end, where the server does not answer: for its farewell, the
/// replies that are still in the queue, and its streams.
pub const LONGEST_END: Duration = Duration::from_nanos(PATIENCE.as_nanos())
    .saturating_add(AT_END)
    .saturating_add(AT_END);

/// Why a double does not play.
#[derive(Debug, thiserror::Error)]
pub enum ServeFailure {
    /// Something of the spec cannot be played.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// No connection, or no threads.
    #[error(transparent)]
    Live(#[from] failure::RunFailure),
    /// The streams of the spec are not there.
    #[error(transparent)]
    Streams(#[from] streams::StreamFailure),
}

impl From<ConnectFailure> for ServeFailure {
    fn from(failure: ConnectFailure) -> ServeFailure {
        ServeFailure::Live(failure.into())
    }
}

/// Plays services of a model's backend at a target until it is told to stop: those that are named, or all. `ready` is called
/// with the subjects of the actions once it listens.
///
/// # Errors
/// What keeps it from listening.
pub fn serve(
    model: &LiveModel,
    only: &[String],
    target: &Target,
    access: &Access,
    watch: DoubleWatch<'_>,
    ready: impl FnOnce(&[String]),
) -> Result<Served, ServeFailure> {
    let model = &playable(model)?;
    let plays = played(model, only)?;
    let listened = subjects(model)?;
    let runtime = runtime()?;
    let client = runtime.block_on(plain(target, access, "blis serve"))?;
    runtime.block_on(async {
        let subjects: Vec<String> = listened
            .iter()
            .map(|(subject, _)| subject.clone())
            .collect();
        let asker = Asker::open(target, access).await?;
        preflight::may_listen(&asker, &subjects).await?;
        Ok::<_, failure::RunFailure>(())
    })?;
    let (inbox, api) = (client.new_inbox(), access.api_root());
    // What is unlike in every inbox is unlike in every process.
    let own = inbox.rsplit('.').next().unwrap_or_default().to_owned();
    let services = model.services.iter().zip(&plays);
    let services = services.map(|(one, plays)| (one.name.clone(), places(one), *plays));
    let mut roster = Roster::new(own.clone(), services);
    if !model.streams.is_empty() {
        roster.join(runtime.block_on(streams::provide(&client, api, model, &roster))?);
    }
    let run = roster.run().to_owned();
    let session = Session {
        client: client.clone(),
        runtime: &runtime,
        model,
        roster,
        inbox,
        api: api.to_owned(),
        subjects: listened.into_iter().map(|(subject, _)| subject).collect(),
    };
    let played = session.play(watch, ready);
    // Who did not come to play does not know who else does: it removes only what it has made itself.
    let last = match &played {
        Ok(statement) => statement.alone,
        Err(_) => run == own,
    };
    let removed = match last && !run.is_empty() {
        true => runtime.block_on(in_time(streams::remove(&client, api, &run), &run)),
        false => Ok(()),
    };
    runtime.shutdown_background();
    Ok(Served {
        statement: played?,
        removed: removed.map_err(ServeFailure::from),
    })
}

/// The result of a double.
#[derive(Debug)]
pub struct Served {
    /// What it did.
    pub statement: Statement,
    /// Whether the streams that it had to remove are removed.
    pub removed: Result<(), ServeFailure>,
}

/// Removes streams, unless the server takes too long.
async fn in_time(
    removal: impl Future<Output = Result<Vec<String>, streams::StreamFailure>>,
    run: &str,
) -> Result<(), streams::StreamFailure> {
    match timeout(AT_END, removal).await {
        Ok(removed) => removed.map(drop),
        Err(_) => Err(streams::StreamFailure::Remains(run.to_owned())),
    }
}

/// A process that is connected, and whose streams are there.
struct Session<'a> {
    client: Client,
    runtime: &'a Runtime,
    model: &'a Model,
    roster: Roster,
    inbox: String,
    api: String,
    subjects: Vec<String>,
}

impl Session<'_> {
    fn play(
        self,
        watch: DoubleWatch<'_>,
        ready: impl FnOnce(&[String]),
    ) -> Result<Statement, ServeFailure> {
        let Session {
            client,
            runtime,
            model,
            roster,
            inbox,
            api,
            subjects,
        } = self;
        let (sender, incoming) = channel();
        let (origin, open) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
        let (pulls, inbox) = (format!("{}.", client.new_inbox()), format!("{inbox}."));
        let shared = Arc::new(model.clone());
        let mut listener = Listener::new(client.clone(), sender, shared, origin, Arc::clone(&open));
        runtime.block_on(listener.listen_alone(&inbox, &pulls, &roster))?;
        let (asks, mut asked) = unbounded_channel();
        let setup = Setup {
            outlet: client.clone(),
            roster,
            inbox,
            pulls,
            api,
            listener: asks,
            open,
            control: Some(Control::start().map_err(failure::RunFailure::Threads)?),
        };
        let double = Double::new(model, setup, RealClock::new(origin, incoming))?;
        runtime.block_on(async {
            if let Some(first) = asked.recv().await {
                listener.set(&first).await?;
            }
            // The server knows of all subscriptions before anybody is told that the double listens.
            let flushed = client.flush().await;
            flushed.map_err(|why| ConnectFailure::Inbox(unnumbered(&why)))
        })?;
        runtime.spawn(listener.follow(asked));
        ready(&subjects);
        let statement = double.play(watch);
        // Answers that are still in the queue are written out, as long as there is a server to take them.
        let _ = runtime.block_on(async { timeout(AT_END, client.flush()).await });
        Ok(statement)
    }
}

/// The streams that doubles have made at a target, run by run.
///
/// # Errors
/// When there is no connection, or the server does not tell.
pub fn made(target: &Target, access: &Access) -> Result<Vec<Made>, ServeFailure> {
    let runtime = runtime()?;
    let client = runtime.block_on(plain(target, access, "blis cleanup"))?;
    Ok(runtime.block_on(streams::made(&client, access.api_root()))?)
}

/// Removes the streams of a run that is over, and gives their names.
///
/// # Errors
/// When there is no connection, the run is not over, or the server does not do it.
pub fn clean_up(target: &Target, access: &Access, run: &str) -> Result<Vec<String>, ServeFailure> {
    let runtime = runtime()?;
    let client = runtime.block_on(plain(target, access, "blis cleanup"))?;
    Ok(runtime.block_on(streams::clean_up(&client, access.api_root(), run))?)
}
