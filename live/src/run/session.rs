//! A session with a server: preflight and connections once, and the loads over them, one after another.
//!
//! *Open* runs the preflight, connects and takes the first samples of observers; *run* sends one load; *close* ends it.
//! Guarantees:
//! - An open session has sent nothing of any load.
//! - Each load has an [`Epoch`], which is in the subjects of its replies, in the ids of its requests and of its messages.
//!   Arrivals for a request of an earlier load are counted as such, and match nothing.
//! - A load has the actions of the session, and no more connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use blis_sim::event::Sink;
use blis_sim::measure::Measure;
use blis_sim::model::{Model, Path, Piece};
use blis_sim::runner::{Epoch, Ran, Runner};
use blis_sim::users::mailbox::Earlier;
use tokio::runtime::{Builder, Runtime};

use crate::clock::{OneByOne, time_of};
use crate::generator::driver::{Driver, LoadProgress, LoadWatch};
use crate::generator::health::{Gauges, Watcher};
use crate::generator::load_clock::LoadClock;
use crate::observers::asking::Asker;
use crate::observers::{Observers, Wanted, backlogs};
use crate::preflight;
use crate::preflight::limits::Limits;
use crate::preflight::ready;
use crate::run::failure::{RunFailure, Unlike};
use crate::run::observed::{Connected, Heard, Observed, evidence};
use crate::run::plan::sendable;
use crate::run::recent_ends::Recent;
use crate::target::access::Access;
use crate::target::connect_failure::ConnectFailure;
use crate::target::{Monitor, Target};
use crate::wire::allotment::Allotment;
use crate::wire::awaited_deliveries::subscribe;
use crate::wire::connection::{Connection, open};
use crate::wire::event_loop::{EventLoop, RunBy};
use crate::wire::nats::{Nats, Over};
use crate::wire::reply::Replies;
use crate::wire::responders::Silence;
use crate::wire::sizes;
use crate::wire::told::Told;
use crate::wire::transport::Incoming;

/// Threads that read from and write to connections, where the driver does not. The driver has one of its own.
const IO_THREADS: usize = 1;

/// Connections to a server, over which loads run.
pub struct Session {
    runtime: Arc<Runtime>,
    event_loop: EventLoop,
    api: String,
    asker: Asker,
    /// The streams that are observed, those of the spec and those that are wanted.
    streams: BTreeSet<String>,
    monitor: Option<Monitor>,
    /// Those that have looked once and wait for the first load.
    observers: Option<Observers>,
    /// Names and sendings of the actions, as they are sent.
    actions: Vec<(String, Option<blis_sim::model::Sending>)>,
    origin: Instant,
    incoming: Receiver<Vec<Incoming>>,
    connections: Vec<Connection>,
    told: Arc<Told>,
    connected: Connected,
    /// What sets the ids of messages apart from those of other sessions.
    inbox: String,
    next: Epoch,
    /// How many requests were sent so far.
    sequence: u64,
    /// The requests of earlier loads for which something may still be delivered.
    earlier: Earlier,
}

impl Session {
    /// Looks around at a server, and connects for the loads of a model. `warn` is handed what may make figures mean
    /// something else than they seem to.
    ///
    /// # Errors
    /// What is found to be in the way.
    pub fn open<P: Clone + Into<Option<Path>>>(
        model: &Model<P>,
        target: &Target,
        access: &Access,
        wanted: &Wanted<'_>,
        warn: &dyn Fn(&str),
    ) -> Result<Session, RunFailure> {
        sendable(model)?;
        let model = &ready::ready(model, access.api_root(), |name| std::env::var(name))?;
        let number = fits(model)?;
        let runtime = Arc::new(runtime()?);
        let asker = runtime.block_on(Asker::open(target, access))?;
        let found = runtime.block_on(preflight::look(model, &asker))?;
        found.warnings.iter().for_each(|warning| warn(warning));
        let mut streams = found.streams;
        streams.extend(promised(model));
        let prepared = Observers::prepare(asker.clone(), model, streams.clone(), wanted);
        let observers = runtime.block_on(prepared)?;
        // What is observed is waited for, too.
        streams.extend(wanted.streams.iter().cloned());
        let told = Arc::new(Told::new(model));
        let (sender, incoming) = channel();
        let origin = Instant::now();
        let replies = Arc::new(Replies::new(model));
        let mut event_loop =
            EventLoop::new(RunBy::of(model), &runtime).map_err(RunFailure::Threads)?;
        let tells = event_loop.tells(sender);
        let connections = event_loop.block_on(async {
            let opened = open(target, access, number, origin, &tells, &replies, &told).await?;
            subscribe(model, &opened, origin, &tells).await?;
            Ok::<_, ConnectFailure>(opened)
        })?;
        let first = connections.first();
        let info = first.map(|connection| connection.client.server_info());
        let (server, most) = info.map_or((String::new(), usize::MAX), |info| {
            (info.version, info.max_payload)
        });
        let inbox = first
            .map(|connection| connection.inbox.clone())
            .unwrap_or_default();
        sizes::check(model, &inbox, most)?;
        event_loop.keep().map_err(RunFailure::Threads)?;
        Ok(Session {
            runtime,
            event_loop,
            api: access.api_root().to_owned(),
            asker,
            streams,
            monitor: wanted.monitor.cloned(),
            observers: Some(observers),
            actions: actions(model),
            origin,
            incoming,
            connections,
            told,
            connected: Connected {
                connections: number,
                server,
            },
            inbox,
            next: Epoch::FIRST,
            sequence: 0,
            earlier: Earlier::default(),
        })
    }

    /// What it is connected to.
    pub fn connected(&self) -> &Connected {
        &self.connected
    }

    /// Runs one load, of which `also` sees every event too.
    ///
    /// # Errors
    /// [`RunFailure::Unlike`] when it is none of this session, and what else keeps it from being sent.
    pub fn run_load<S: Sink, P: Clone + Into<Option<Path>>>(
        &mut self,
        model: &Model<P>,
        also: S,
        warn: &dyn Fn(&str),
        watch: LoadWatch<'_, Heard>,
    ) -> Result<Observed<S>, RunFailure> {
        let model = &ready::ready(model, &self.api, |name| std::env::var(name))?;
        self.check(model)?;
        let epoch = self.next;
        let observers = self.look_first(model);
        self.next = epoch.next();
        self.told.begin();
        self.event_loop.take_over();
        let nats = Nats::new(
            model,
            Over {
                epoch,
                api: &self.api,
                connections: self.connections.clone(),
                session: &self.inbox,
                told: Arc::clone(&self.told),
                event_loop: &self.event_loop,
                sequence: self.sequence,
            },
        );
        let heard = (Measure::new(model), Recent::default());
        // What was lost in an earlier load is not told again.
        let connections = (0u32..).zip(&self.connections);
        let down = connections.filter(|(_, one)| !one.up.load(Ordering::Relaxed));
        let down: Vec<u32> = down.map(|(number, _)| number).collect();
        // The load, whoever looks on and the generator's own health have one zero.
        let start = Instant::now();
        let watching = self
            .runtime
            .block_on(async { observers.watch(start.into()) });
        let clock = OneByOne::new(self.event_loop.clock(self.origin, &self.incoming));
        let clock = LoadClock::new(clock, time_of(self.origin, start));
        let gauges = Arc::new(Gauges::default());
        let (told, handle) = (Arc::clone(&self.told), self.event_loop.handle().clone());
        let watcher = Watcher::start(start, Arc::clone(&gauges), told, handle);
        let watcher = watcher.map_err(RunFailure::Threads)?;
        let driver = Driver::new(epoch, model, nats, clock, (heard, also), gauges)
            .after(std::mem::take(&mut self.earlier))
            .without(down);
        let mut silence = Silence::new(model);
        let told = Arc::clone(&self.told);
        let mut show = |reached: LoadProgress, (heard, _): &mut (Heard, S)| {
            let warnings = silence.look(&told.responders);
            warnings.iter().for_each(|warning| warn(warning));
            (watch.show)(reached, heard);
        };
        let watch = LoadWatch {
            stop: watch.stop,
            enough: watch.enough,
            show: &mut show,
        };
        let (transport, ((measure, _), also), mut ended) = driver.run(watch);
        // A run may end before it is looked at.
        let warnings = silence.look(&self.told.responders);
        warnings.iter().for_each(|warning| warn(warning));
        let seen = watcher.stop();
        let never_left = transport.never_left();
        let sequence = transport.sequence();
        drop(transport);
        self.sequence = sequence;
        self.event_loop.keep().map_err(RunFailure::Threads)?;
        self.earlier = std::mem::take(&mut ended.earlier);
        let observers = self.runtime.block_on(watching.finish(ended.lost));
        Ok(Observed {
            epoch,
            late_of_earlier: ended.late_of_earlier,
            measure,
            also,
            ended,
            told: Arc::clone(&self.told),
            connected: self.connected.clone(),
            never_left,
            seen,
            observers,
        })
    }

    /// Whether every connection is up, as far as is known.
    pub fn is_up(&self) -> bool {
        let mut connections = self.connections.iter();
        connections.all(|one| one.up.load(Ordering::Relaxed))
    }

    /// The backlogs of the consumers that are observed, now; those of which nobody says anything are left out.
    pub fn backlogs(&self) -> BTreeMap<String, u64> {
        self.runtime.block_on(backlogs(&self.asker, &self.streams))
    }

    /// Lets go of the connections, without waiting for them.
    pub fn close(self) {
        drop(self.connections);
        self.event_loop.close();
        if let Ok(runtime) = Arc::try_unwrap(self.runtime) {
            runtime.shutdown_background();
        }
    }

    /// The observers of the next load, who have looked once.
    fn look_first<P>(&mut self, model: &Model<P>) -> Observers {
        if let Some(observers) = self.observers.take() {
            return observers;
        }
        let streams = self.streams.clone();
        let monitor = self.monitor.as_ref();
        let prepared = Observers::prepare_again(self.asker.clone(), model, streams, monitor);
        self.runtime.block_on(prepared)
    }

    /// Whether a load is one of this session.
    fn check<P>(&self, model: &Model<P>) -> Result<(), Unlike> {
        if actions(model) != self.actions {
            return Err(Unlike::Actions);
        }
        let (needed, open) = (Allotment::new(model).number(), self.connected.connections);
        if needed > open {
            return Err(Unlike::Connections { needed, open });
        }
        let names_all = |equals: &[Piece]| {
            let mut pieces = equals.iter();
            pieces.any(|piece| matches!(piece, Piece::Id | Piece::Uuid | Piece::Sequence))
        };
        let mut awaited = model.actions.iter().filter(|action| {
            let sending = action.sending.as_ref();
            let delivery = sending.and_then(|sending| sending.delivery.as_ref());
            delivery.is_some_and(|delivery| !names_all(&delivery.equals.0))
        });
        match awaited.next() {
            Some(action) if self.next != Epoch::FIRST => {
                Err(Unlike::SameNames(action.name.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The next load comes after this many of other sessions: what is drawn for it was drawn for none of them.
    pub fn come_after(&mut self, loads: u64) {
        self.next = Epoch::of(u32::try_from(loads).unwrap_or(u32::MAX));
    }
}

impl<P: Clone + Into<Option<Path>>> Runner<P> for Session {
    type Error = RunFailure;

    fn run(
        &mut self,
        model: &Model<P>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Ran, RunFailure> {
        let watch = LoadWatch {
            stop,
            enough: &|| false,
            show: &mut |_, _| (),
        };
        let mut observed = self.run_load(model, None::<Measure>, &|_| (), watch)?;
        let ended = &observed.ended;
        observed.measure.finish(ended.intended)?;
        Ok(Ran {
            epoch: observed.epoch,
            ended_by: ended.by,
            ended_at: ended.at,
            intended: ended.intended,
            late_of_earlier: observed.late_of_earlier,
            evidence: evidence(model, &observed),
            measure: observed.measure,
        })
    }
}

fn actions<P>(model: &Model<P>) -> Vec<(String, Option<blis_sim::model::Sending>)> {
    let actions = model.actions.iter();
    actions
        .map(|action| (action.name.clone(), action.sending.clone()))
        .collect()
}

/// The streams whose consumers the model makes a promise of.
fn promised<P>(model: &Model<P>) -> impl Iterator<Item = String> {
    let consumers = model.consumers.iter();
    let promised = consumers.filter(|consumer| consumer.is_judged());
    promised.map(|consumer| model.streams[consumer.stream.index()].name.clone())
}

/// How many connections a model takes.
pub fn connections_of<P>(model: &Model<P>) -> u32 {
    Allotment::new(model).number()
}

/// How many connections a model takes, if this process may open this many.
///
/// # Errors
/// What the system has too little of.
pub fn fits<P>(model: &Model<P>) -> Result<u32, RunFailure> {
    let number = connections_of(model);
    Limits::of_process().allow(number)?;
    Ok(number)
}

/// The runtime of connections.
///
/// # Errors
/// [`RunFailure::Threads`] when the system gives none.
pub fn runtime() -> Result<Runtime, RunFailure> {
    Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .enable_all()
        .build()
        .map_err(RunFailure::Threads)
}
