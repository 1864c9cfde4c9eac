//! A live run from its start to its end: preflight, connections, the driver, and what is left to tell.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use blis_sim::measure::Measure;
use blis_sim::model::Model;
use tokio::runtime::{Builder, Runtime};

use crate::clock::RealClock;
use crate::connection::{Access, ConnectFailure, Told, open};
use crate::driver::{Driver, Ended, Watch};
use crate::environment::{self, Missing};
use crate::limits::{Limits, TooMany};
use crate::nats::{Nats, connections_of};
use crate::observers::asking::Asker;
use crate::observers::{Observers, Unobservable, Wanted};
use crate::plan::{Unsendable, sendable};
use crate::preflight::{self, Obstacle};
use crate::sizes::{self, TooLarge};
use crate::target::Target;

/// Threads that read from and write to connections. The driver has one of its own.
const IO_THREADS: usize = 2;
/// How long a connection may take to write what it was given, after the run.
const FLUSH: Duration = Duration::from_secs(5);

/// Why a live run did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something of the model cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectFailure),
    /// A variable of the environment is not what a text needs.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// More connections than the system allows.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A message that the server does not take.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Something on the server is in the way.
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    /// What should be observed cannot be.
    #[error(transparent)]
    Unobservable(#[from] Unobservable),
    /// The system gives no threads.
    #[error("the threads of a live run could not be started: {0}")]
    Threads(std::io::Error),
}

/// What a live run measured.
#[derive(Debug)]
pub struct Observed {
    /// As a simulation.
    pub measure: Measure,
    /// How it ended.
    pub ended: Ended,
    /// What servers and connections told.
    pub told: Arc<Told>,
    /// How many connections there were.
    pub connections: u32,
    /// The version of the server.
    pub server: String,
    /// What the observers saw; `None` when they did not come to their end.
    pub observers: Option<blis_sim::result::Observers>,
}

/// Runs a model against a target. What was found out before the load, and may make its figures mean something else than
/// they seem to, is handed to `warn`.
///
/// # Errors
/// What is found before the first request is sent.
pub fn observe(
    model: &Model,
    target: &Target,
    access: &Access,
    wanted: &Wanted<'_>,
    warn: &dyn Fn(&str),
    watch: Watch<'_>,
) -> Result<Observed, Failure> {
    sendable(model)?;
    let model = &environment::filled(model, |name| std::env::var(name).ok())?;
    let number = connections_of(model);
    Limits::of_process().allow(number)?;
    let runtime = runtime()?;
    let asker = runtime.block_on(Asker::open(target, access))?;
    let found = runtime.block_on(preflight::look(model, &asker))?;
    found.warnings.iter().for_each(|warning| warn(warning));
    let observers = Observers::prepare(asker, model, found.streams, wanted);
    let observers = runtime.block_on(observers)?;
    let told = Arc::new(Told::default());
    let (sender, incoming) = channel();
    // The clock of the run starts when it is connected; until then nothing is sent.
    let origin = Instant::now();
    let opened = runtime.block_on(open(target, access, number, origin, &sender, &told))?;
    drop(sender);
    let info = opened
        .first()
        .map(|connection| connection.client.server_info());
    let (server, most) = info.map_or((String::new(), usize::MAX), |info| {
        (info.version, info.max_payload)
    });
    let run = opened
        .first()
        .map(|connection| connection.inbox.clone())
        .unwrap_or_default();
    sizes::check(model, &run, most)?;
    let nats = Nats::new(model, opened, run, Arc::clone(&told));
    let watching = runtime.block_on(async { observers.watch() });
    let clock = Started::new(RealClock::new(origin, incoming));
    let driver = Driver::new(model, nats, clock, Measure::new(model));
    let (transport, measure, ended) = driver.run(watch);
    // What was taken by a connection and needs no answer may still wait to be written.
    if !ended.lost {
        runtime.block_on(async {
            for connection in transport.connections() {
                let _ = tokio::time::timeout(FLUSH, connection.client.flush()).await;
            }
        });
    }
    drop(transport);
    let observers = runtime.block_on(watching.finish(ended.lost));
    runtime.shutdown_background();
    Ok(Observed {
        measure,
        ended,
        told,
        connections: number,
        server,
        observers,
    })
}

/// The runtime of connections.
///
/// # Errors
/// [`Failure::Threads`] when the system gives none.
pub fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .enable_all()
        .build()
        .map_err(Failure::Threads)
}

/// Counts that are not zero, by what they count.
pub fn remarks(told: &Told) -> Vec<(&'static str, u64)> {
    let counts = [
        ("no_responders", &told.no_responders),
        ("captured_by_a_stream", &told.captured),
        ("service_errors", &told.service_errors),
        ("rejected", &told.rejected),
        ("stream_errors", &told.stream_errors),
        ("connection_full", &told.no_room),
        ("connection_down", &told.disconnected),
        ("payload_too_large", &told.too_large),
        ("permission_denied", &told.permission_denied),
        ("connections_lost", &told.lost),
        ("slow_consumer", &told.slow_consumer),
    ];
    let counts = counts
        .into_iter()
        .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)));
    counts.filter(|(_, number)| *number > 0).collect()
}

use started::Started;

mod started {
    //! A clock whose zero is the start of the driver, over one that has been running since before the connections.

    use blis_sim::time::{Span, Time};

    use crate::clock::Clock;
    use crate::driver::Incoming;

    pub struct Started<C> {
        inner: C,
        since: Span,
    }

    impl<C: Clock<Incoming>> Started<C> {
        pub fn new(inner: C) -> Started<C> {
            let since = inner.now().since(Time::ZERO);
            Started { inner, since }
        }

        fn ours(&self, at: Time) -> Time {
            Time::ZERO + at.since((Time::ZERO + self.since).min(at))
        }

        fn of_ours(&self, incoming: Incoming) -> Incoming {
            match incoming {
                Incoming::Done {
                    flight,
                    outcome,
                    at,
                } => Incoming::Done {
                    flight,
                    outcome,
                    at: self.ours(at),
                },
                Incoming::Lost { connection, at } => Incoming::Lost {
                    connection,
                    at: self.ours(at),
                },
                Incoming::Denied {
                    connection,
                    subject,
                    at,
                } => Incoming::Denied {
                    connection,
                    subject,
                    at: self.ours(at),
                },
                Incoming::Restored => Incoming::Restored,
            }
        }
    }

    impl<C: Clock<Incoming>> Clock<Incoming> for Started<C> {
        fn now(&self) -> Time {
            self.ours(self.inner.now())
        }

        fn wait(&mut self, until: Time) -> Option<Incoming> {
            let incoming = self.inner.wait(until + self.since)?;
            Some(self.of_ours(incoming))
        }

        fn poll(&mut self) -> Option<Incoming> {
            let incoming = self.inner.poll()?;
            Some(self.of_ours(incoming))
        }
    }
}
