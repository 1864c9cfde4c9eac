//! Jobs on several threads, their results taken in order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whether further results are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// They are.
    GoOn,
    /// They are not: running jobs are told to stop, and what they give is dropped.
    Stop,
}

/// Runs the jobs 0, 1, 2 and so on, fewer than `most`, on this many threads, and hands their results to `take` in this
/// order on the calling thread. A job is also told where to look whether its result is still wanted.
///
/// At most twice as many results as threads are being made or waiting at a time.
pub fn in_order<R: Send>(
    most: u64,
    threads: NonZeroUsize,
    job: impl Fn(u64, &AtomicBool) -> R + Sync,
    mut take: impl FnMut(u64, R) -> Flow,
) {
    let desk = Desk {
        state: Mutex::new(State {
            next: 0,
            taken: 0,
            closed: false,
            done: BTreeMap::new(),
        }),
        changed: Condvar::new(),
        unwanted: AtomicBool::new(false),
        most,
        ahead: 2 * threads.get() as u64,
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                let _closing = CloseOnPanic(&desk);
                while let Some(number) = desk.next() {
                    desk.put(number, job(number, &desk.unwanted));
                }
            });
        }
        // A panic of `take` must not leave the threads waiting.
        let _closing = CloseOnPanic(&desk);
        while let Some((number, result)) = desk.take() {
            if take(number, result) == Flow::Stop {
                break;
            }
        }
        desk.close();
    });
}

/// What the threads share.
struct Desk<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    unwanted: AtomicBool,
    most: u64,
    ahead: u64,
}

struct State<R> {
    /// The next job to be started.
    next: u64,
    /// How many results were taken.
    taken: u64,
    closed: bool,
    done: BTreeMap<u64, R>,
}

impl<R> Desk<R> {
    /// A thread that panicked left nothing half-written here.
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, once it is not too far ahead; `None` when there is none.
    fn next(&self) -> Option<u64> {
        let mut state = self
            .changed
            .wait_while(self.lock(), |state| {
                !state.closed && state.next < self.most && state.next >= state.taken + self.ahead
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.next >= self.most {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    fn put(&self, number: u64, result: R) {
        self.lock().done.insert(number, result);
        self.changed.notify_all();
    }

    /// The next result in order; `None` when there is none.
    fn take(&self) -> Option<(u64, R)> {
        let mut state = self
            .changed
            .wait_while(self.lock(), |state| {
                !state.closed && state.taken < self.most && !state.done.contains_key(&state.taken)
            })
            .unwrap_or_else(PoisonError::into_inner);
        let number = state.taken;
        let result = state.done.remove(&number)?;
        state.taken += 1;
        self.changed.notify_all();
        Some((number, result))
    }

    fn close(&self) {
        self.unwanted.store(true, Ordering::Relaxed);
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Lets the other threads end when one panics; the scope then passes the panic on.
struct CloseOnPanic<'a, R>(&'a Desk<R>);

impl<R> Drop for CloseOnPanic<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).expect("a number of threads")
    }

    #[test]
    fn results_come_in_order_whoever_is_first() {
        for number in [1, 2, 4, 7] {
            let mut taken = Vec::new();
            let job = |number: u64, _: &AtomicBool| {
                // The earlier a job of a group of four, the longer it takes.
                (0..(4 - number % 4) * 1000)
                    .fold(number, |sum, n| sum ^ std::hint::black_box(n * n));
                number * number
            };
            in_order(50, threads(number), job, |number, result| {
                taken.push((number, result));
                Flow::GoOn
            });
            assert_eq!(taken, (0..50).map(|n| (n, n * n)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_more_than_twice_the_threads_are_ahead() {
        let taken = Mutex::new(0);
        let job = |number: u64, _: &AtomicBool| {
            let taken: u64 = *taken.lock().expect("no panic");
            assert!(
                number < taken + 1 + 6,
                "job {number} after {taken} were taken"
            );
        };
        in_order(200, threads(3), job, |number, ()| {
            *taken.lock().expect("no panic") = number + 1;
            Flow::GoOn
        });
        assert_eq!(*taken.lock().expect("no panic"), 200);
    }

    #[test]
    fn jobs_that_are_no_longer_wanted_are_told() {
        let job = |number: u64, unwanted: &AtomicBool| {
            while number > 2 && !unwanted.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            number
        };
        let mut taken = Vec::new();
        in_order(u64::MAX, threads(4), job, |number, _| {
            taken.push(number);
            if number == 2 { Flow::Stop } else { Flow::GoOn }
        });
        assert_eq!(taken, [0, 1, 2]);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_job_is_passed_on() {
        let job = |number: u64, _: &AtomicBool| assert!(number < 3, "on purpose");
        in_order(10, threads(2), job, |_, ()| Flow::GoOn);
    }
}
