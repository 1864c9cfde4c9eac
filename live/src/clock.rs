//! The clock of a live run: the current time, and waiting until a time or until something arrives.
//!
//! The real clock sleeps until shortly before the time and spins for the rest, because a sleep ends late by the wake-up time
//! of the system. Tests have their own clock, which does not wait.

use std::borrow::Borrow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use blis_sim::time::{Span, Time};

/// Time, and the arrival of what others send.
pub trait Clock<T> {
    /// Now, since the start of the run.
    fn now(&self) -> Time;

    /// Waits until `until` at the latest, or for what comes in before.
    fn wait(&mut self, until: Time) -> Option<T>;

    /// What has come in, without waiting.
    fn poll(&mut self) -> Option<T>;
}

/// How long before an instant sleeping ends and spinning begins.
const SPIN: Duration = Duration::from_micros(80);

/// The clock of the system, with a channel that others send into.
#[derive(Debug)]
pub struct RealClock<R> {
    origin: Instant,
    incoming: R,
}

impl<R> RealClock<R> {
    /// A clock that starts at `origin`, with its own channel or one that is lent to it.
    pub fn new(origin: Instant, incoming: R) -> RealClock<R> {
        RealClock { origin, incoming }
    }
}

/// A clock where what others send comes in batches, which hands it out one by one.
#[derive(Debug)]
pub struct OneByOne<C, T> {
    inner: C,
    /// What is left of the last batch.
    left: std::vec::IntoIter<T>,
}

impl<C, T> OneByOne<C, T> {
    /// Over a clock of batches.
    pub fn new(inner: C) -> OneByOne<C, T> {
        OneByOne {
            inner,
            left: Vec::new().into_iter(),
        }
    }
}

impl<T, C: Clock<Vec<T>>> Clock<T> for OneByOne<C, T> {
    fn now(&self) -> Time {
        self.inner.now()
    }

    fn wait(&mut self, until: Time) -> Option<T> {
        loop {
            let next = self.left.next();
            if next.is_some() {
                return next;
            }
            self.left = self.inner.wait(until)?.into_iter();
        }
    }

    fn poll(&mut self) -> Option<T> {
        loop {
            let next = self.left.next();
            if next.is_some() {
                return next;
            }
            self.left = self.inner.poll()?.into_iter();
        }
    }
}

/// The time of an instant on the clock that started at `origin`.
pub fn time_of(origin: Instant, instant: Instant) -> Time {
    let since = instant.saturating_duration_since(origin);
    Time::ZERO + Span::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

impl<T, R: Borrow<Receiver<T>>> Clock<T> for RealClock<R> {
    fn now(&self) -> Time {
        time_of(self.origin, Instant::now())
    }

    fn wait(&mut self, until: Time) -> Option<T> {
        let until = self.origin + Duration::from_nanos(until.as_nanos());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            if left > SPIN {
                match self.incoming.borrow().recv_timeout(left - SPIN) {
                    Ok(incoming) => return Some(incoming),
                    Err(RecvTimeoutError::Timeout) => {}
                    // Nobody sends any more: only the instant is waited for.
                    Err(RecvTimeoutError::Disconnected) => std::thread::sleep(left - SPIN),
                }
                continue;
            }
            match self.incoming.borrow().try_recv() {
                Ok(incoming) => return Some(incoming),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => std::hint::spin_loop(),
            }
        }
    }

    fn poll(&mut self) -> Option<T> {
        self.incoming.borrow().try_recv().ok()
    }
}
