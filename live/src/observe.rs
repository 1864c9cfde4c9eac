//! A live run from its start to its end: preflight, connections, the driver, and what is left to tell.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use blis_sim::event::Sink;
use blis_sim::measure::Measure;
use blis_sim::model::{Model, Payload};
use tokio::runtime::{Builder, Runtime};

use crate::clock::RealClock;
use crate::connection::{Access, ConnectFailure, Told, open};
use crate::driver::{Driver, Ended, Watch};
use crate::journal;
use crate::nats::{Nats, connections_of};
use crate::plan::{Unsendable, sendable};
use crate::target::Target;

/// Threads that read from and write to connections. The driver has one of its own.
const IO_THREADS: usize = 2;
/// Files that are open beside connections.
const OTHER_FILES: u64 = 64;
/// How long a connection may take to write what it was given, after the run.
const FLUSH: Duration = Duration::from_secs(5);
/// Bytes that headers take of what a server accepts, at most about.
const HEADERS: usize = 1024;

/// Why a live run did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something of the model cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectFailure),
    /// More connections than the system allows.
    #[error(
        "{needed} connections are needed and this process may open {allowed} files: raise the limit (ulimit -n) or give \
         the spec `connections: {{pool: {}}}`", allowed.saturating_sub(OTHER_FILES).max(1)
    )]
    Files {
        /// Connections.
        needed: u32,
        /// What the system allows.
        allowed: u64,
    },
    /// A payload that the server does not take.
    #[error(
        "action {action} sends {bytes} bytes and the server takes {most} with the headers: make the payload smaller, or \
         raise max_payload of the server"
    )]
    Payload {
        /// The action.
        action: String,
        /// Of its payload.
        bytes: usize,
        /// What the server takes.
        most: usize,
    },
    /// What is to be kept of the run cannot be.
    #[error(transparent)]
    Record(#[from] journal::Failure),
    /// The system gives no threads.
    #[error("the threads of a live run could not be started: {0}")]
    Threads(std::io::Error),
}

/// What a run is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// How many connections there are.
    pub connections: u32,
    /// The version of the server.
    pub server: String,
}

/// What a live run measured.
#[derive(Debug)]
pub struct Observed<S> {
    /// As a simulation.
    pub measure: Measure,
    /// The sink that saw the same events.
    pub also: S,
    /// How it ended.
    pub ended: Ended,
    /// What servers and connections told.
    pub told: Arc<Told>,
    /// What it was connected to.
    pub connected: Connected,
}

/// Runs a model against a target. Before the first request is sent `begin` gives a sink that sees every event too.
///
/// # Errors
/// What is found before the first request is sent.
pub fn observe<S: Sink>(
    model: &Model,
    target: &Target,
    access: &Access,
    begin: impl FnOnce(&Connected) -> Result<S, journal::Failure>,
    watch: Watch<'_>,
) -> Result<Observed<S>, Failure> {
    sendable(model)?;
    let number = connections_of(model);
    if let Some(allowed) = most_files()
        && u64::from(number) + OTHER_FILES > allowed
    {
        return Err(Failure::Files {
            needed: number,
            allowed,
        });
    }
    let runtime = runtime()?;
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
    check_payloads(model, most)?;
    let run = opened
        .first()
        .map(|connection| connection.inbox.clone())
        .unwrap_or_default();
    let connected = Connected {
        connections: number,
        server,
    };
    let also = begin(&connected)?;
    let nats = Nats::new(model, opened, run, Arc::clone(&told));
    let clock = Started::new(RealClock::new(origin, incoming));
    let driver = Driver::new(model, nats, clock, (Measure::new(model), also));
    let (transport, (measure, also), ended) = driver.run(watch);
    // What was taken by a connection and needs no answer may still wait to be written.
    if !ended.lost {
        runtime.block_on(async {
            for connection in transport.connections() {
                let _ = tokio::time::timeout(FLUSH, connection.client.flush()).await;
            }
        });
    }
    drop(transport);
    runtime.shutdown_background();
    Ok(Observed {
        measure,
        also,
        ended,
        told,
        connected,
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

fn check_payloads(model: &Model, most: usize) -> Result<(), Failure> {
    for action in &model.actions {
        let Some(sending) = &action.sending else {
            continue;
        };
        let bytes = match &sending.payload {
            Payload::Size(bytes) => *bytes,
            Payload::Text(text) => text.fixed().map_or(0, str::len),
        };
        if bytes > 0 && bytes.saturating_add(HEADERS) > most {
            return Err(Failure::Payload {
                action: action.name.clone(),
                bytes,
                most,
            });
        }
    }
    Ok(())
}

/// How many files this process may open, where the system says.
fn most_files() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
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
