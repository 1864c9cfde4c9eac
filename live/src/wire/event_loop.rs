//! Who runs the connections of a load: a thread of its own, or the driver while it waits.
//!
//! A thread of its own lets the driver send what is due whatever comes meanwhile. Where users send again as soon as they are
//! answered, nothing is due but what an arrival makes due; then the driver runs the connections itself, and no request and
//! no reply is handed from one thread to another.
//!
//! Guarantees:
//! - Connections are run at all times, also between loads: they answer their servers and take what comes.
//! - Whatever is told wakes the driver, whoever runs the connections.
//! - A driver that is always late still reads and writes each time that it would wait.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use blis_sim::model::{Answer, Client, Model, Source};
use blis_sim::time::{Span, Time};
use futures_util::task::AtomicWaker;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{unconstrained, yield_now};
use tokio::time::{Sleep, sleep_until};

use crate::clock::{Clock, RealClock, time_of};
use crate::wire::transport::Incoming;
use crate::wire::without_waiting::at_once;

/// How long before an instant sleeping ends, since the runtime sleeps for whole milliseconds.
const COARSE: Duration = Duration::from_millis(2);

/// Who runs connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunBy {
    /// A thread of its own.
    Thread,
    /// The driver, while it waits.
    Driver,
}

impl RunBy {
    /// Who should, for the loads of a model.
    pub fn of<P>(model: &Model<P>) -> RunBy {
        let nothing_is_due = model.clients.iter().all(sends_again_at_once);
        let sent = model.clients.iter().flat_map(|client| &client.mix.shares);
        let mut actions = sent.map(|(id, _)| &model.actions[id.index()]);
        // What ends when it is sent is never waited for, and deliveries come without being asked for.
        let each_has_a_reply = actions.all(|action| {
            let sending = action.sending.as_ref();
            let answer = sending.map(|sending| sending.kind.answer());
            action.awaited.is_none() && answer.is_none_or(|answer| answer != Answer::Nothing)
        });
        match nothing_is_due && each_has_a_reply {
            true => RunBy::Driver,
            false => RunBy::Thread,
        }
    }
}

fn sends_again_at_once(client: &Client) -> bool {
    let thinks = match &client.source {
        Source::Closed { think, .. } => Span::from_nanos_f64(think.mean()) > Span::ZERO,
        Source::Open { .. } => return false,
    };
    !thinks && client.on_failure.retries == 0
}

/// Where the driver is told what happened.
#[derive(Debug, Clone)]
pub struct Tells {
    to: Sender<Vec<Incoming>>,
    wakes: Arc<AtomicWaker>,
}

impl Tells {
    /// Tells it; false when nobody listens any more.
    pub fn tell(&self, batch: Vec<Incoming>) -> bool {
        let told = self.to.send(batch).is_ok();
        self.wakes.wake();
        told
    }
}

/// What runs connections.
#[derive(Debug)]
pub struct EventLoop {
    by: RunBy,
    runtime: Arc<Runtime>,
    wakes: Arc<AtomicWaker>,
    keeper: Option<Keeper>,
}

/// The thread that runs connections while no driver does.
#[derive(Debug)]
struct Keeper {
    /// Dropped to stop it.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.take();
        // It does nothing that could panic but run connections.
        self.thread.take().map(JoinHandle::join);
    }
}

impl EventLoop {
    /// That of a session; `shared` has a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(by: RunBy, shared: &Arc<Runtime>) -> std::io::Result<EventLoop> {
        let runtime = match by {
            RunBy::Thread => Arc::clone(shared),
            RunBy::Driver => Arc::new(Builder::new_current_thread().enable_all().build()?),
        };
        Ok(EventLoop {
            by,
            runtime,
            wakes: Arc::default(),
            keeper: None,
        })
    }

    /// Who runs the connections.
    pub fn by(&self) -> RunBy {
        self.by
    }

    /// Where what happens on the connections is told.
    pub fn tells(&self, to: Sender<Vec<Incoming>>) -> Tells {
        Tells {
            to,
            wakes: Arc::clone(&self.wakes),
        }
    }

    /// The runtime of the connections, to begin something on.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Runs connections until something is done.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Hands something over that needs no waiting; `None` where it would.
    pub fn hand<T>(&self, handing: impl Future<Output = T>) -> Option<T> {
        match self.by {
            RunBy::Thread => at_once(handing),
            // On the runtime itself what is woken by it needs no call of the system.
            RunBy::Driver => Some(self.runtime.block_on(unconstrained(handing))),
        }
    }

    /// No driver runs the connections for now.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn keep(&mut self) -> std::io::Result<()> {
        if self.by == RunBy::Thread || self.keeper.is_some() {
            return Ok(());
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = Arc::clone(&self.runtime);
        let thread = std::thread::Builder::new()
            .name("connections".to_owned())
            .spawn(move || {
                // That the sender is gone says it, too.
                let _ = runtime.block_on(stopped);
            })?;
        self.keeper = Some(Keeper {
            stop: Some(stop),
            thread: Some(thread),
        });
        Ok(())
    }

    /// A driver runs them from now on.
    pub fn take_over(&mut self) {
        self.keeper = None;
    }

    /// Lets go of the connections, without waiting for them.
    pub fn close(self) {
        drop(self.keeper);
        if let Ok(runtime) = Arc::try_unwrap(self.runtime) {
            runtime.shutdown_background();
        }
    }

    /// The clock of a driver, which runs the connections while it waits if nobody else does.
    pub fn clock<'a>(
        &'a self,
        origin: Instant,
        incoming: &'a Receiver<Vec<Incoming>>,
    ) -> LoopClock<'a> {
        match self.by {
            RunBy::Thread => LoopClock::Thread(RealClock::new(origin, incoming)),
            RunBy::Driver => LoopClock::Driver(Running {
                origin,
                incoming,
                event_loop: self,
                alarm: None,
            }),
        }
    }
}

/// The clock of a driver.
pub enum LoopClock<'a> {
    /// A thread of its own runs the connections.
    Thread(RealClock<&'a Receiver<Vec<Incoming>>>),
    /// The driver runs them while it waits.
    Driver(Running<'a>),
}

impl Clock<Vec<Incoming>> for LoopClock<'_> {
    fn now(&self) -> Time {
        match self {
            LoopClock::Thread(clock) => clock.now(),
            LoopClock::Driver(running) => time_of(running.origin, Instant::now()),
        }
    }

    fn wait(&mut self, until: Time) -> Option<Vec<Incoming>> {
        match self {
            LoopClock::Thread(clock) => clock.wait(until),
            LoopClock::Driver(running) => running.wait(until),
        }
    }

    fn poll(&mut self) -> Option<Vec<Incoming>> {
        match self {
            LoopClock::Thread(clock) => clock.poll(),
            LoopClock::Driver(running) => running.incoming.try_recv().ok(),
        }
    }
}

/// A driver that runs connections while it waits.
pub struct Running<'a> {
    origin: Instant,
    incoming: &'a Receiver<Vec<Incoming>>,
    event_loop: &'a EventLoop,
    /// When it is woken at the latest: an instant that is too early costs one look, setting it anew for each wait more.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Running<'_> {
    fn wait(&mut self, until: Time) -> Option<Vec<Incoming>> {
        let until = self.origin + Duration::from_nanos(until.as_nanos());
        let Running {
            incoming,
            event_loop,
            alarm,
            ..
        } = self;
        event_loop.block_on(async {
            loop {
                let left = until.saturating_duration_since(Instant::now());
                let come = match left > COARSE {
                    true => arrival(incoming, &event_loop.wakes, alarm, until - COARSE).await,
                    false => {
                        // Everything that is ready has its turn.
                        yield_now().await;
                        incoming.try_recv().ok()
                    }
                };
                if come.is_some() || left.is_zero() {
                    return come;
                }
            }
        })
    }
}

/// What comes until an instant.
async fn arrival(
    incoming: &Receiver<Vec<Incoming>>,
    wakes: &AtomicWaker,
    alarm: &mut Option<Pin<Box<Sleep>>>,
    until: Instant,
) -> Option<Vec<Incoming>> {
    let until = tokio::time::Instant::from_std(until);
    let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
    if alarm.is_elapsed() || alarm.deadline() > until {
        alarm.as_mut().reset(until);
    }
    poll_fn(|context| {
        wakes.register(context.waker());
        if let Ok(batch) = incoming.try_recv() {
            return Poll::Ready(Some(batch));
        }
        alarm.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn by(client: &str, live: &str) -> RunBy {
        let spec = format!(
            "{{blis: 1, name: a, run: {{requests: 9, horizon: 1s}}, clients: {{c: {{{client}, do: ask}}}}, \
             actions: {{ask: {{path: [reply], live: {{{live}}}}}}}}}"
        );
        let spec = blis_sim::spec::read(&spec).expect("it reads");
        RunBy::of(&blis_sim::spec::lower(&spec).expect("it lowers").model)
    }

    #[test]
    fn the_driver_runs_connections_where_nothing_but_a_reply_makes_anything_due() {
        for client in [
            "concurrency: 9",
            "concurrency: 9, timeout: 1s",
            "concurrency: 9, think: 0s",
        ] {
            assert_eq!(by(client, "request: a"), RunBy::Driver, "{client}");
        }
        for (client, live) in [
            ("concurrency: 9, think: 1ms", "request: a"),
            ("rate: 9/s", "request: a"),
            ("concurrency: 9", "publish: a"),
            (
                "concurrency: 9, on_failure: {retry: {times: 1, backoff: 1ms}}",
                "request: a",
            ),
        ] {
            assert_eq!(by(client, live), RunBy::Thread, "{client}, {live}");
        }
    }

    /// An event loop that the driver runs.
    fn of_driver() -> EventLoop {
        let shared = Builder::new_current_thread().build().expect("a runtime");
        EventLoop::new(RunBy::Driver, &Arc::new(shared)).expect("an event loop")
    }

    fn told(connection: u32) -> Vec<Incoming> {
        vec![Incoming::Restored { connection }]
    }

    #[test]
    fn a_driver_that_waits_is_woken_by_what_comes_and_by_the_instant() {
        let event_loop = of_driver();
        let (sender, incoming) = channel();
        let tells = event_loop.tells(sender);
        let origin = Instant::now();
        let mut clock = event_loop.clock(origin, &incoming);
        // A task of the loop, which runs while the driver waits alone.
        event_loop.handle().spawn(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            tells.tell(told(1));
            tells.tell(told(2));
        });
        let far = Time::ZERO + Span::from_secs(60);
        assert_eq!(clock.wait(far), Some(told(1)));
        assert!(clock.now() < far);
        assert_eq!(clock.poll(), Some(told(2)));
        assert_eq!(clock.poll(), None);
        // An instant after a nearer one, and one before what the alarm is set to.
        for millis in [3, 1, 20] {
            let until = clock.now() + Span::from_nanos(millis * 1_000_000);
            assert_eq!(clock.wait(until), None);
            assert!(clock.now() >= until);
        }
    }

    #[test]
    fn a_driver_that_is_late_runs_the_connections_all_the_same() {
        let event_loop = of_driver();
        let (sender, incoming) = channel();
        let tells = event_loop.tells(sender);
        let mut clock = event_loop.clock(Instant::now(), &incoming);
        event_loop.handle().spawn(async move {
            for connection in 0.. {
                tells.tell(told(connection));
                yield_now().await;
            }
        });
        let seen = (0..100).filter(|_| clock.wait(Time::ZERO).is_some());
        assert!(seen.count() > 50);
    }

    #[test]
    fn connections_are_run_between_loads_too() {
        let mut event_loop = of_driver();
        let (sender, incoming) = channel();
        let tells = event_loop.tells(sender);
        for turn in 0..3 {
            event_loop.keep().expect("a thread");
            let tells = tells.clone();
            event_loop.handle().spawn(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                tells.tell(told(turn));
            });
            let come = incoming.recv_timeout(Duration::from_secs(60));
            assert_eq!(come, Ok(told(turn)));
            event_loop.take_over();
        }
        event_loop.close();
        assert!(incoming.try_recv().is_err());
    }
}
