//! Processor sharing: all who are let in are served at once, at equal shares of the workers.
//!
//! With `n` in service at `c` workers each is served at the rate `min(1, c / n)`. The service that each has had is
//! the same function of time for all of them, so that it is kept once: a job ends when that attained service has
//! grown by its demand since it came (virtual time; Kleinrock 1967 for the model). An arrival or a departure changes
//! the rate and nothing else, and costs time logarithmic in the number in service.
//!
//! Attained service is kept in units of 2^-24 ns. Ends are whole nanoseconds, rounded up, so that a departure may take
//! from those who stay what is left of one.

use std::cmp::Reverse;

use priority_queue::PriorityQueue;

use crate::backend::walk::Hasher;
use crate::time::{Span, Time};

const FRACTION: u32 = 24;

/// Those in service at one queue.
#[derive(Debug, Clone)]
pub(super) struct Sharing {
    workers: u64,
    /// By the attained service at which they end, and the order in which they came.
    present: PriorityQueue<u32, Reverse<(u128, u64)>, Hasher>,
    arrivals: u64,
    attained: u128,
    /// The instant up to which `attained` is right.
    upto: Time,
    /// The next time at which the calendar calls.
    called_at: Time,
}

impl Sharing {
    pub(super) fn new(workers: u32) -> Sharing {
        Sharing {
            workers: u64::from(workers),
            present: PriorityQueue::default(),
            arrivals: 0,
            attained: 0,
            upto: Time::ZERO,
            called_at: Time::NEVER,
        }
    }

    /// How many workers are busy.
    pub(super) fn busy(&self) -> u64 {
        self.workers.min(self.present.len() as u64)
    }

    fn advance(&mut self, now: Time) {
        let elapsed = u128::from(now.since(self.upto).as_nanos());
        self.upto = now;
        if !self.present.is_empty() {
            let served = (elapsed << FRACTION) * u128::from(self.busy());
            self.attained += served / self.present.len() as u128;
        }
    }

    /// A job with this demand comes.
    pub(super) fn enter(&mut self, now: Time, job: u32, demand: Span) {
        self.advance(now);
        let end = self.attained + (u128::from(demand.as_nanos()) << FRACTION);
        self.arrivals += 1;
        self.present.push(job, Reverse((end, self.arrivals)));
    }

    /// A job goes before its end.
    pub(super) fn leave(&mut self, now: Time, job: u32) {
        self.advance(now);
        self.present.remove(&job);
    }

    /// A job that has had its demand by now.
    pub(super) fn take_done(&mut self, now: Time) -> Option<u32> {
        self.advance(now);
        let (_, Reverse((end, _))) = self.present.peek()?;
        if *end > self.attained {
            return None;
        }
        self.present.pop().map(|(job, _)| job)
    }

    /// Whether a call at `now` is the one that is waited for, and not one that was called off.
    pub(super) fn is_called(&self, now: Time) -> bool {
        self.called_at == now
    }

    /// The call has come.
    pub(super) fn answered(&mut self) {
        self.called_at = Time::NEVER;
    }

    /// When the calendar is to call, if it does not do so early enough already.
    pub(super) fn next_call(&mut self) -> Option<Time> {
        let (_, Reverse((end, _))) = self.present.peek()?;
        let missing = end.saturating_sub(self.attained);
        let rate = u128::from(self.busy()) << FRACTION;
        let wait = (missing * self.present.len() as u128).div_ceil(rate);
        let at = self.upto + Span::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX));
        if at >= self.called_at {
            return None;
        }
        self.called_at = at;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::Sharing;
    use crate::time::{Span, Time};

    /// The ends of jobs with these arrivals and demands, when the calendar calls as it is told.
    fn ends(workers: u32, jobs: &[(u64, u64)]) -> Vec<(u32, u64)> {
        let mut sharing = Sharing::new(workers);
        let (mut ended, mut calls, mut next) = (Vec::new(), Vec::new(), 0);
        loop {
            let arrival = jobs.get(next).map_or(u64::MAX, |job| job.0);
            calls.sort_unstable();
            let call = calls.first().copied().unwrap_or(u64::MAX);
            let now = arrival.min(call);
            if now == u64::MAX {
                return ended;
            }
            let at = Time::from_nanos(now);
            if call <= arrival {
                calls.remove(0);
                if sharing.is_called(at) {
                    sharing.answered();
                    while let Some(job) = sharing.take_done(at) {
                        ended.push((job, now));
                    }
                }
            } else {
                sharing.enter(at, next as u32, Span::from_nanos(jobs[next].1));
                next += 1;
            }
            if let Some(call) = sharing.next_call() {
                calls.push(call.as_nanos());
            }
        }
    }

    #[test]
    fn two_share_one_worker_evenly() {
        // Alone to 100, both at half speed until the second has had its 50, then alone again.
        assert_eq!(ends(1, &[(0, 300), (100, 50)]), [(1, 200), (0, 350)]);
    }

    #[test]
    fn nobody_is_faster_than_a_worker() {
        assert_eq!(ends(4, &[(0, 300), (0, 100)]), [(1, 100), (0, 300)]);
        assert_eq!(
            ends(2, &[(0, 90), (0, 90), (0, 90)]),
            [(0, 135), (1, 135), (2, 135)]
        );
    }

    #[test]
    fn equal_jobs_end_in_the_order_in_which_they_came() {
        let jobs: Vec<(u64, u64)> = (0..50).map(|_| (7, 11)).collect();
        let order: Vec<u32> = ends(3, &jobs).iter().map(|end| end.0).collect();
        assert_eq!(order, (0..50).collect::<Vec<u32>>());
    }

    #[test]
    fn what_is_served_is_what_was_demanded() {
        // One worker that is never idle: the last end is the sum of the demands.
        let jobs: Vec<(u64, u64)> = (0..1000u64).map(|n| (n, 1 + n * 7919 % 1000)).collect();
        let total: u64 = jobs.iter().map(|job| job.1).sum();
        let last = ends(1, &jobs).last().map_or(0, |end| end.1);
        // Each end is rounded up to a whole nanosecond.
        assert!(last.abs_diff(total) <= 10, "{last} {total}");
    }

    #[test]
    fn a_job_without_demand_ends_at_once() {
        assert_eq!(ends(1, &[(5, 100), (9, 0)]), [(1, 9), (0, 105)]);
    }
}
