//! The mean response that a correct model shows over a given number of requests.
//!
//! The steady state has closed forms; the time before it does not, and the slowest tools never
//! leave it. This is the same queue written for no speed at all (a binary heap and a queue), run a
//! few times, so that every run of every tool can be checked: against the exact value with the
//! spread found here when it is long enough, and against the mean found here when it is not. The
//! tests hold it to the closed forms.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::{Rng, SeedableRng};
use rand_distr::Exp1;
use rand_pcg::Pcg64;

use crate::case::{Case, Source, first_instant};
use crate::run::Job;
use crate::tally::Tally;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Arrive,
    Depart { arrived_ns: u64 },
}

/// Time, order of scheduling, user and kind; the first two decide.
type Entry = Reverse<(u64, u64, u32, Kind)>;

struct Queue {
    case: Case,
    random: Pcg64,
    calendar: BinaryHeap<Entry>,
    scheduled: u64,
    idle: u32,
    waiting: VecDeque<(u32, u64)>,
    tally: Tally,
}

impl Queue {
    fn new(job: &Job) -> Self {
        let mut queue = Self {
            case: job.case,
            random: Pcg64::seed_from_u64(job.seed),
            calendar: BinaryHeap::new(),
            scheduled: 0,
            idle: job.case.servers,
            waiting: VecDeque::new(),
            tally: Tally::new(job.warmup_s),
        };
        match job.case.source {
            Source::Closed { users, think_s } => {
                for user in 0..users {
                    let at = nanoseconds(first_instant(user, users, think_s));
                    queue.schedule(at, user, Kind::Arrive);
                }
            }
            Source::Open { rate_rps } => {
                let at = queue.exponential(1.0 / rate_rps);
                queue.schedule(at, 0, Kind::Arrive);
            }
        }
        queue
    }

    fn exponential(&mut self, mean_s: f64) -> u64 {
        let unit: f64 = self.random.sample(Exp1);
        nanoseconds(unit * mean_s)
    }

    fn schedule(&mut self, at: u64, user: u32, kind: Kind) {
        self.calendar
            .push(Reverse((at, self.scheduled, user, kind)));
        self.scheduled += 1;
    }

    fn serve(&mut self, now: u64, user: u32, arrived_ns: u64) {
        let end = now + self.exponential(self.case.service_s);
        self.schedule(end, user, Kind::Depart { arrived_ns });
    }

    fn arrive(&mut self, now: u64, user: u32) {
        if let Source::Open { rate_rps } = self.case.source {
            let next = now + self.exponential(1.0 / rate_rps);
            self.schedule(next, user, Kind::Arrive);
        }
        if self.idle > 0 {
            self.idle -= 1;
            self.serve(now, user, now);
        } else {
            self.waiting.push_back((user, now));
        }
    }

    fn depart(&mut self, now: u64, user: u32, arrived_ns: u64) {
        self.tally
            .record(arrived_ns as f64 * 1e-9, (now - arrived_ns) as f64 * 1e-9);
        match self.waiting.pop_front() {
            Some((next, since)) => self.serve(now, next, since),
            None => self.idle += 1,
        }
        if let Source::Closed { think_s, .. } = self.case.source {
            let next = now + self.exponential(think_s);
            self.schedule(next, user, Kind::Arrive);
        }
    }

    fn run(mut self, requests: u64) -> Tally {
        while self.tally.completed < requests {
            let Some(Reverse((now, _, user, kind))) = self.calendar.pop() else {
                break;
            };
            match kind {
                Kind::Arrive => self.arrive(now, user),
                Kind::Depart { arrived_ns } => self.depart(now, user, arrived_ns),
            }
        }
        self.tally
    }
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// The mean over several runs of one size, and how single runs spread around it.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Mean response time in seconds, averaged over the runs.
    pub mean_response_s: f64,
    /// Standard deviation of one run's mean, in seconds.
    pub deviation_s: f64,
}

/// Runs `job` with `runs` different seeds. `None` when fewer than two runs measured anything.
pub fn estimate(job: &Job, runs: u64) -> Option<Reference> {
    let means: Vec<f64> = (0..runs)
        .filter_map(|run| {
            let job = Job {
                seed: job.seed + run,
                ..*job
            };
            Queue::new(&job).run(job.requests).mean_response_s()
        })
        .collect();
    if means.len() < 2 {
        return None;
    }
    let count = means.len() as f64;
    let mean = means.iter().sum::<f64>() / count;
    let squares: f64 = means.iter().map(|each| (each - mean).powi(2)).sum();
    Some(Reference {
        mean_response_s: mean,
        deviation_s: (squares / (count - 1.0)).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(name: &str, requests: u64, runs: u64, steady: bool) -> (Case, Reference) {
        let case = Case::named(name).expect("the case exists");
        let job = Job {
            case,
            requests,
            seed: 7_000,
            warmup_s: if steady { case.warmup_s } else { 0.0 },
        };
        (case, estimate(&job, runs).expect("it measures"))
    }

    #[test]
    fn the_steady_state_has_the_exact_mean() {
        for (name, requests) in [
            ("A", 400_000),
            ("B1", 400_000),
            ("B2", 800_000),
            ("D", 800_000),
        ] {
            let runs = 16;
            let (case, found) = reference(name, requests, runs, true);
            let off = (found.mean_response_s - case.response_s).abs();
            let allowed = 4.0 * found.deviation_s / (runs as f64).sqrt();
            assert!(off <= allowed, "{name}: off by {off}, allowed {allowed}");
            assert!(
                allowed <= 0.02 * case.response_s,
                "{name}: too noisy to tell"
            );
        }
    }

    /// While B1 fills up, the k-th request in line finds its server at k/400 s and was sent at
    /// k * Z/N, so n <= N requests have the mean 24.5 s * n / 2N; later ones take 24.5 s each (a fluid limit, good
    /// to a few percent).
    #[test]
    fn the_transient_of_the_saturated_case_is_the_fluid_one() {
        for (requests, share) in [(5_000, 0.25), (40_000, 0.875)] {
            let (case, found) = reference("B1", requests, 8, false);
            let relative = found.mean_response_s / (share * case.response_s);
            assert!(
                (relative - 1.0).abs() < 0.03,
                "{requests} requests: {found:?}"
            );
        }
    }
}
