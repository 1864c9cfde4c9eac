//! The health of the generator: its lag and its use of the machine, by interval.
//!
//! A separate thread reads gauges that the driver only writes, so that reading never delays sending. The number of rows is
//! bounded: when there are too many, neighbours are joined and intervals become twice as long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use blis_sim::measure::Times;
use blis_sim::time::{Span, Time};
use tokio::runtime::Handle;

use crate::clock::time_of;
use crate::generator::jitter::Control;
use crate::generator::machine::{self, Processors};
use crate::wire::told::Told;

/// The most rows, even.
const ROWS: usize = 120;
/// The length of an interval at first.
const FIRST_WIDTH: Duration = Duration::from_secs(1);
/// How often the runtime of the connections is asked to do something.
const PROBE: Duration = Duration::from_millis(50);

/// What the driver tells of itself while it runs.
#[derive(Debug, Default)]
pub struct Gauges {
    /// The largest lag since it was last looked at, in nanoseconds.
    lag: AtomicU64,
}

impl Gauges {
    /// A request was sent so late on the driver's own account.
    pub fn lagged(&self, lag: Span) {
        self.lag.fetch_max(lag.as_nanos(), Ordering::Relaxed);
    }
}

/// One interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthRow {
    /// Where it starts.
    pub start: Time,
    /// Where it ends.
    pub end: Time,
    /// The largest lag on the driver's own account.
    pub lag: Span,
    /// The latest that an idle thread was that keeps time.
    pub control: Span,
    /// The longest that the runtime of the connections took to begin with something.
    pub runtime: Span,
    /// Processor time of this process.
    pub process: Option<Span>,
    /// Ticks of the machine's processors.
    pub processors: Option<Processors>,
    /// Bytes of memory at the end.
    pub memory: Option<u64>,
    /// Deliveries that were dropped because they were not taken in time.
    pub dropped: u64,
}

impl HealthRow {
    /// Processors that this process kept busy, on average.
    pub fn process_cpus(&self) -> Option<f64> {
        let seconds = self.end.since(self.start).as_secs_f64();
        let used = self.process?.as_secs_f64();
        (seconds > 0.0).then(|| used / seconds)
    }

    /// The share of the machine's processors that were busy.
    pub fn machine_share(&self) -> Option<f64> {
        let Processors { busy, all } = self.processors?;
        (all > 0).then(|| busy as f64 / all as f64)
    }

    /// The row over this interval and the one after it.
    fn join(&self, after: &HealthRow) -> HealthRow {
        let both = |a: Option<Processors>, b: Option<Processors>| {
            Some(Processors {
                busy: a?.busy + b?.busy,
                all: a?.all + b?.all,
            })
        };
        HealthRow {
            start: self.start,
            end: after.end,
            lag: self.lag.max(after.lag),
            control: self.control.max(after.control),
            runtime: self.runtime.max(after.runtime),
            process: self.process.and_then(|mine| Some(mine + after.process?)),
            processors: both(self.processors, after.processors),
            memory: after.memory,
            dropped: self.dropped + after.dropped,
        }
    }
}

/// What was seen of the generator.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// By interval.
    pub rows: Vec<HealthRow>,
    /// How late an idle thread was that keeps time.
    pub control: Times,
    /// How long the runtime of the connections took to begin with something, each time that it was asked.
    pub scheduling: Times,
}

/// The thread that looks.
#[derive(Debug)]
pub struct Watcher {
    stop: Sender<()>,
    thread: JoinHandle<Seen>,
}

impl Watcher {
    /// Starts looking, on a clock whose zero is `origin`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        origin: Instant,
        gauges: Arc<Gauges>,
        told: Arc<Told>,
        runtime: Handle,
    ) -> std::io::Result<Watcher> {
        let control = Control::start()?;
        let (stop, stopped) = channel();
        let mut look = Look::new(origin, gauges, told);
        let thread = std::thread::Builder::new()
            .name("health".to_owned())
            .spawn(move || {
                let mut next = Instant::now() + look.width;
                while stopped.recv_timeout(PROBE) == Err(RecvTimeoutError::Timeout) {
                    look.probe(&runtime);
                    if Instant::now() >= next {
                        next += look.width;
                        look.row(control.take_largest());
                    }
                }
                look.row(control.take_largest());
                Seen {
                    control: control.times(),
                    scheduling: look.scheduling(),
                    rows: look.rows,
                }
            })?;
        Ok(Watcher { stop, thread })
    }

    /// Stops looking.
    pub fn stop(self) -> Seen {
        // The thread ends with the last of its senders, too.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_default()
    }
}

/// The state of the thread.
struct Look {
    origin: Instant,
    gauges: Arc<Gauges>,
    told: Arc<Told>,
    /// How long the runtime took to begin with something: the longest of the interval, and all of them.
    runtime: Arc<Mutex<(Span, Times)>>,
    width: Duration,
    rows: Vec<HealthRow>,
    start: Time,
    process: Option<Span>,
    processors: Option<Processors>,
    dropped: u64,
}

impl Look {
    fn new(origin: Instant, gauges: Arc<Gauges>, told: Arc<Told>) -> Look {
        Look {
            origin,
            gauges,
            told,
            runtime: Arc::default(),
            width: FIRST_WIDTH,
            rows: Vec::new(),
            start: time_of(origin, Instant::now()),
            process: machine::process_time(),
            processors: machine::processors(),
            dropped: 0,
        }
    }

    /// Asks the runtime to begin with something, and has it note how long that took.
    fn probe(&self, runtime: &Handle) {
        let (asked, longest) = (Instant::now(), Arc::clone(&self.runtime));
        runtime.spawn(async move {
            let took = time_of(asked, Instant::now()).since(Time::ZERO);
            if let Ok(mut runtime) = longest.lock() {
                runtime.0 = took.max(runtime.0);
                runtime.1.record(took);
            }
        });
    }

    /// How long the runtime took, each time.
    fn scheduling(&self) -> Times {
        let runtime = self.runtime.lock();
        runtime.map(|took| took.1.clone()).unwrap_or_default()
    }

    /// Ends an interval.
    fn row(&mut self, control: Span) {
        let (process, processors) = (machine::process_time(), machine::processors());
        let end = time_of(self.origin, Instant::now());
        let dropped = self.told.slow_consumer.load(Ordering::Relaxed);
        let ticks = |now: Processors, before: Processors| Processors {
            busy: now.busy.saturating_sub(before.busy),
            all: now.all.saturating_sub(before.all),
        };
        let runtime = self
            .runtime
            .lock()
            .map(|mut took| std::mem::take(&mut took.0));
        self.rows.push(HealthRow {
            start: self.start,
            end,
            lag: Span::from_nanos(self.gauges.lag.swap(0, Ordering::Relaxed)),
            control,
            runtime: runtime.unwrap_or_default(),
            process: process.and_then(|now| Some(now - self.process?)),
            processors: processors.and_then(|now| Some(ticks(now, self.processors?))),
            memory: machine::memory(),
            dropped: dropped - self.dropped,
        });
        (self.start, self.process, self.processors) = (end, process, processors);
        self.dropped = dropped;
        if self.rows.len() >= ROWS {
            self.rows = joined(&self.rows);
            self.width *= 2;
        }
    }
}

/// Every two neighbours as one.
fn joined(rows: &[HealthRow]) -> Vec<HealthRow> {
    let pairs = rows.chunks(2).map(|pair| match pair {
        [one, after] => one.join(after),
        [one, ..] => *one,
        [] => unreachable!("chunks are never empty"),
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Span {
        Span::from_nanos(number * 1_000_000)
    }

    fn row(from: u64, lag: u64) -> HealthRow {
        HealthRow {
            start: Time::ZERO + ms(from),
            end: Time::ZERO + ms(from + 1000),
            lag: ms(lag),
            control: ms(1),
            runtime: ms(lag / 2),
            process: Some(ms(500)),
            processors: Some(Processors { busy: 30, all: 200 }),
            memory: Some(from),
            dropped: 2,
        }
    }

    #[test]
    fn joined_rows_say_the_same_of_twice_the_time() {
        let rows = [row(0, 5), row(1000, 9), row(2000, 1)];
        let joined = joined(&rows);
        assert_eq!(joined.len(), 2);
        let both = joined[0];
        assert_eq!((both.start, both.end), (rows[0].start, rows[1].end));
        assert_eq!((both.lag, both.runtime), (ms(9), ms(4)));
        assert_eq!(both.process_cpus(), Some(0.5));
        assert_eq!(both.machine_share(), Some(0.15));
        assert_eq!((both.memory, both.dropped), (Some(1000), 4));
        assert_eq!(joined[1], rows[2]);
    }

    #[test]
    fn what_the_system_does_not_say_is_absent() {
        let silent = HealthRow {
            process: None,
            processors: None,
            memory: None,
            ..row(0, 0)
        };
        assert_eq!(silent.process_cpus(), None);
        assert_eq!(row(0, 0).join(&silent).machine_share(), None);
    }

    #[test]
    fn rows_are_bounded_and_lose_nothing() {
        let (gauges, told) = (Arc::<Gauges>::default(), Arc::<Told>::default());
        let mut look = Look::new(Instant::now(), Arc::clone(&gauges), Arc::clone(&told));
        for number in 1..=1000 {
            gauges.lagged(ms(number));
            told.slow_consumer.fetch_add(1, Ordering::Relaxed);
            look.row(Span::ZERO);
            assert!(look.rows.len() < ROWS);
        }
        assert_eq!(look.rows.iter().map(|row| row.dropped).sum::<u64>(), 1000);
        let largest = look.rows.iter().map(|row| row.lag).max();
        assert_eq!(largest, Some(ms(1000)));
        for pair in look.rows.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
        }
    }
}
