//! Observers beside a load: of consumers of streams, of the server, and of the services under test.
//!
//! Guarantees:
//! - Observers have a separate connection; they send nothing over those of the load.
//! - Their requests are counted as their own traffic, not among the requests of the run.
//! - They change nothing on the server.
//! - What could not be observed is reported with its reason, and never fails a run that has started.

pub mod asking;
mod consumers;
mod monitor;
mod pages;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use blis_sim::model::Model;
use blis_sim::result;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::target::Monitor;
use asking::{Asker, Unanswered};
use consumers::{Levels, Samples, levels};
pub use monitor::Unread;
use monitor::Watched;
use services::{Course, Sent, Stats};

/// How far samples are apart to begin with.
const EVERY: Duration = Duration::from_secs(1);

/// What a user wants to have observed beside what the spec says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Streams.
    pub streams: &'a [String],
    /// The monitoring of a server.
    pub monitor: Option<&'a Monitor>,
}

/// Why observers that were asked for cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Unobservable {
    /// There is no such stream.
    #[error(
        "the stream {name} of --observe-stream cannot be observed: {why}; give one that this user may read"
    )]
    Stream {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The monitoring does not answer.
    #[error(transparent)]
    Monitor(#[from] Unread),
}

/// The messages pending and waiting for acknowledgement of all consumers of streams, now; those of which nobody says anything
/// are left out.
pub async fn backlogs(asker: &Asker, streams: &BTreeSet<String>) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for stream in streams {
        if let Ok(levels) = levels(asker, stream, 0.0).await {
            let backlogs = levels.into_iter();
            all.extend(backlogs.map(|(name, (_, at))| (name, at.pending + at.ack_pending)));
        }
    }
    all
}

/// Observers that have looked once and wait for the load to begin.
pub struct Observers {
    asker: Asker,
    streams: BTreeSet<String>,
    monitor: Option<Watched>,
    /// Why the monitoring that is wanted does not answer.
    unread: Option<String>,
    sent: Sent,
    services: Result<Stats, Unanswered>,
    /// The way to the server and back, where services are asked.
    round_trip: Option<Duration>,
    /// Why consumers could not be looked at, the last time.
    unseen: Option<Unanswered>,
    warmup: Duration,
}

impl Observers {
    /// Looks for the first time, before the load, at the streams of the spec and at what is wanted.
    ///
    /// # Errors
    /// What was wanted and cannot be observed.
    pub async fn prepare<P>(
        asker: Asker,
        model: &Model<P>,
        of_spec: BTreeSet<String>,
        wanted: &Wanted<'_>,
    ) -> Result<Observers, Unobservable> {
        let mut streams = of_spec;
        for name in wanted.streams {
            if let Err(why) = levels(&asker, name, 0.0).await {
                let (name, why) = (name.clone(), why.to_string());
                return Err(Unobservable::Stream { name, why });
            }
            streams.insert(name.clone());
        }
        let monitor = match wanted.monitor {
            Some(monitor) => Some(Watched::start(monitor, &asker.traffic).await?),
            None => None,
        };
        Ok(Observers::of(asker, model, streams, monitor).await)
    }

    /// As [`prepare`](Observers::prepare), once a load has run: what cannot be observed any more is said with its reason, and is no
    /// reason to end.
    pub async fn prepare_again<P>(
        asker: Asker,
        model: &Model<P>,
        streams: BTreeSet<String>,
        monitor: Option<&Monitor>,
    ) -> Observers {
        let watched = match monitor {
            Some(monitor) => Some(Watched::start(monitor, &asker.traffic).await),
            None => None,
        };
        let (watched, unread) = match watched {
            Some(Ok(watched)) => (Some(watched), None),
            Some(Err(why)) => (None, Some(why.to_string())),
            None => (None, None),
        };
        Observers {
            unread,
            ..Observers::of(asker, model, streams, watched).await
        }
    }

    /// Looks at services for the first time.
    async fn of<P>(
        asker: Asker,
        model: &Model<P>,
        streams: BTreeSet<String>,
        monitor: Option<Watched>,
    ) -> Observers {
        let sent = model.actions.iter();
        let sent = sent.filter_map(|action| {
            let subject = action.sending.as_ref()?.subject.wildcards();
            Some((subject, action.name.clone()))
        });
        let sent: Sent = sent.collect();
        let services = services::stats(&asker, &sent).await;
        let round_trip = match services.as_ref().is_ok_and(|found| !found.is_empty()) {
            true => asker.round_trip().await,
            false => None,
        };
        Observers {
            services,
            sent,
            round_trip,
            asker,
            streams,
            monitor,
            unread: None,
            unseen: None,
            warmup: Duration::from_nanos(model.limits.warmup.as_nanos()),
        }
    }

    /// Goes on looking until it is told to stop. The times of looks are since the start of the load, however late the first
    /// one comes.
    pub fn watch(self, start: Instant) -> Watching {
        let (stop, stopped) = oneshot::channel();
        let watching = tokio::spawn(self.run(start, stopped));
        Watching { stop, watching }
    }

    async fn run(
        mut self,
        start: Instant,
        mut stopped: oneshot::Receiver<Stop>,
    ) -> result::Observers {
        let mut samples = Samples::default();
        let mut course = Course::default();
        let found = self
            .services
            .as_ref()
            .ok()
            .filter(|found| !found.is_empty());
        if let Some(found) = found {
            course.add(0.0, true, found.clone());
        }
        let has_services = found.is_some();
        let mut is_warming_up = has_services && !self.warmup.is_zero();
        let warmed_up = sleep_until(start + self.warmup);
        tokio::pin!(warmed_up);
        let mut ticks = interval_at(start, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let stop = loop {
            tokio::select! {
                biased;
                stop = &mut stopped => break stop.unwrap_or(Stop::AtOnce),
                () = &mut warmed_up, if is_warming_up => {
                    is_warming_up = false;
                    self.ask_services(start, true, &mut course).await;
                }
                _ = ticks.tick() => {
                    self.look(start, &mut samples).await;
                    if has_services && course.wants() {
                        self.ask_services(start, false, &mut course).await;
                    }
                }
            }
        };
        self.finish(start, samples, course, stop).await
    }

    /// What services say now; nothing where they cannot be asked.
    async fn ask_services(&self, start: Instant, is_kept: bool, course: &mut Course) {
        let at_s = start.elapsed().as_secs_f64();
        if let Ok(said) = services::stats(&self.asker, &self.sent).await {
            course.add(at_s, is_kept, said);
        }
    }

    async fn look(&mut self, start: Instant, samples: &mut Samples) {
        match samples.wants() {
            true => {
                let (round, _) = self.round(start).await;
                samples.add(round);
            }
            false => samples.skip(),
        }
        if let Some(watched) = &mut self.monitor {
            watched.look(&self.asker.traffic).await;
        }
    }

    /// All consumers as they are now, and whether every stream answered; those of one that does not are left out.
    async fn round(&mut self, start: Instant) -> (Levels, bool) {
        let (mut round, mut answered) = (Levels::new(), true);
        for stream in &self.streams {
            let at_s = start.elapsed().as_secs_f64();
            match levels(&self.asker, stream, at_s).await {
                Ok(levels) => round.extend(levels),
                Err(why) => {
                    answered &= matches!(why, Unanswered::Error(_));
                    self.unseen = Some(why);
                }
            }
        }
        (round, answered)
    }

    async fn finish(
        mut self,
        start: Instant,
        samples: Samples,
        course: Course,
        stop: Stop,
    ) -> result::Observers {
        let once_more = stop == Stop::AfterALook;
        let last = match once_more {
            true => Some(self.round(start).await),
            false => None,
        };
        let services = self.services_over(start, course, once_more).await;
        let consumers = samples.finish(last);
        let mut absent = BTreeMap::new();
        if consumers.is_empty() {
            absent.insert("consumers".to_owned(), self.no_consumers());
        }
        if self.monitor.is_none() {
            let none = || "no --monitor URL was given".to_owned();
            absent.insert("server".to_owned(), self.unread.take().unwrap_or_else(none));
        }
        let services = services.unwrap_or_else(|why| {
            absent.insert("services".to_owned(), why);
            BTreeMap::new()
        });
        let traffic = &self.asker.traffic;
        let server = match self.monitor {
            Some(watched) if once_more => Some(watched.finish(traffic).await),
            Some(watched) => Some(watched.observed()),
            None => None,
        };
        result::Observers {
            consumers,
            server,
            services,
            server_round_trip_ms: self.round_trip.map(|took| took.as_secs_f64() * 1e3),
            traffic: traffic.so_far(),
            absent,
        }
    }

    /// What services did over the run, or why that is not known.
    async fn services_over(
        &self,
        start: Instant,
        mut course: Course,
        once_more: bool,
    ) -> Result<BTreeMap<String, result::ObservedService>, String> {
        if !once_more {
            return Err("the connection was lost".to_owned());
        }
        let unasked = |why: &Unanswered| format!("$SRV.STATS failed: {why}");
        let before = self.services.as_ref().map_err(unasked)?;
        let at_s = start.elapsed().as_secs_f64();
        let after = services::stats(&self.asker, &self.sent).await;
        let after = after.map_err(|why| unasked(&why))?;
        course.add(at_s, true, after.clone());
        let observed = services::observed(before, &after, course);
        match observed.is_empty() {
            true => Err("no service of the actions answers $SRV.STATS".to_owned()),
            false => Ok(observed),
        }
    }

    /// Why there are no consumers.
    fn no_consumers(&self) -> String {
        match &self.unseen {
            Some(why) => format!("consumers could not be listed: {why}"),
            None if self.streams.is_empty() => {
                "no `live` action publishes to a stream; give one with --observe-stream".to_owned()
            }
            None => "no consumer of the streams was found".to_owned(),
        }
    }
}

/// How observers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    AfterALook,
    AtOnce,
}

/// Observers while the load runs.
pub struct Watching {
    stop: oneshot::Sender<Stop>,
    watching: JoinHandle<result::Observers>,
}

impl Watching {
    /// What they saw. They look once more, unless the connections were lost.
    pub async fn finish(self, lost: bool) -> Option<result::Observers> {
        let stop = match lost {
            true => Stop::AtOnce,
            false => Stop::AfterALook,
        };
        // Whoever does not listen any more has ended.
        let _ = self.stop.send(stop);
        self.watching.await.ok()
    }
}
