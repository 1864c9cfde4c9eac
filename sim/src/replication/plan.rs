//! The number of replications, and their result.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use super::length::{Length, Short};
use super::pool::{Flow, in_order};
use super::run::{Finished, Halt, Watch, simulate};
use super::seed_of;
use super::spread::Spread;
use crate::analysis::{Memory, memory_of};
use crate::engine::LoadEnd;
use crate::measure::{Measure, Of};
use crate::model::Model;
use crate::statistics::{Interval, Precision};

/// How many replications to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// This many, at least 1; with a precision the least there are.
    pub replications: u64,
    /// Add replications until this is reached.
    pub precision: Option<Precision>,
    /// The most there are then.
    pub most: u64,
    /// On this many threads.
    pub threads: NonZeroUsize,
}

/// The result of a wanted precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// What was wanted.
    pub target: f64,
    /// What was achieved: the least precise of the intervals of mean response and throughput of all requests.
    /// Infinite where there was none.
    pub achieved: f64,
}

impl Reached {
    /// Whether it was.
    pub fn is_reached(self) -> bool {
        self.achieved <= self.target
    }
}

/// Replications that have been merged.
#[derive(Debug, Clone)]
pub struct Replicated {
    /// All of them together; series and batches are those of replication 0, and so is what ended the load unless the
    /// replications were interrupted. Events and simulated time are sums.
    pub together: Finished,
    /// Each, in order.
    pub each: Vec<Spread>,
    /// The precision, if one was wanted.
    pub precision: Option<Reached>,
}

impl Replicated {
    /// The first replication.
    pub(super) fn first(seed: u64, finished: Finished) -> Replicated {
        Replicated {
            each: vec![Spread::of(seed, &finished.measure)],
            together: finished,
            precision: None,
        }
    }

    /// One more.
    pub(super) fn add(&mut self, seed: u64, finished: Finished) {
        self.each.push(Spread::of(seed, &finished.measure));
        self.together.measure.merge(&finished.measure);
        self.together.events += finished.events;
        self.together.simulated = self.together.simulated + finished.simulated;
    }

    /// The precision so far, which is none where the replications are too short for intervals.
    fn reached(&self, precision: Precision, length: &Result<(), Short>) -> Reached {
        let intervals = main_intervals(&self.together.measure, &self.each);
        let intervals = intervals.filter(|_| length.is_ok());
        Reached {
            target: precision.target,
            achieved: intervals.map_or(f64::INFINITY, |both| precision.worst(&both)),
        }
    }

    /// Whether this many replications are long enough for intervals of all requests.
    fn long_enough(&self, model: &Model, memory: &Memory) -> Result<(), Short> {
        let runs = self.each.len() as u64;
        let length = Length::of(model, memory, &self.together.measure, runs);
        length.mean(length.memory().of_all())
    }
}

/// The intervals of mean response and throughput of all requests.
fn main_intervals(measure: &Measure, each: &[Spread]) -> Option<[Interval; 2]> {
    let all = measure.positions(Of::Total);
    let response: Vec<_> = each.iter().map(|one| one.sums.response(&all)).collect();
    let throughput: Vec<_> = each.iter().map(|one| one.sums.throughput(&all)).collect();
    Some([
        Interval::of_ratio(&response)?,
        Interval::of_ratio(&throughput)?,
    ])
}

/// Runs replications of a model; `see` is told how many are done.
///
/// When they are told to stop, those that were completed are kept, and of none the one that was stopped; either is
/// marked as interrupted.
///
/// # Errors
/// The [`Halt`] of the first replication that has one.
pub fn replicate(
    model: &Model,
    plan: Plan,
    watch: Watch<'_>,
    mut see: impl FnMut(u64),
) -> Result<Replicated, Halt> {
    let least = plan.replications.max(1);
    let most = match plan.precision {
        Some(_) => plan.most.max(least),
        None => least,
    };
    let job = |number: u64, unwanted: &AtomicBool| {
        let mut replication = model.clone();
        replication.seed = seed_of(model.seed, number);
        let stop = || (watch.stop)() || unwanted.load(Ordering::Relaxed);
        let watch = Watch {
            stop: &stop,
            ..watch
        };
        let finished = simulate(&replication, watch, |_| {});
        (replication.seed, finished)
    };
    let mut so_far: Option<Replicated> = None;
    let mut halted = None;
    let mut memory = None;
    in_order(most, plan.threads, job, |number, (seed, finished)| {
        let finished = match finished {
            Ok(finished) => finished,
            Err(halt) => {
                halted = Some(halt);
                return Flow::Stop;
            }
        };
        let interrupted = finished.ended_by == LoadEnd::Interrupted;
        match &mut so_far {
            None => so_far = Some(Replicated::first(seed, finished)),
            Some(so_far) if interrupted => so_far.together.ended_by = LoadEnd::Interrupted,
            Some(so_far) => so_far.add(seed, finished),
        }
        see(number + 1);
        let Some(so_far) = &mut so_far else {
            return Flow::GoOn;
        };
        let mut enough = false;
        if let Some(precision) = plan.precision {
            let memory = memory.get_or_insert_with(|| memory_of(model));
            let length = so_far.long_enough(model, memory);
            let reached = so_far.reached(precision, &length);
            // Where each is too short, more of them are no remedy.
            enough = reached.is_reached() || length.is_err_and(|short| !short.helped_by_more());
            so_far.precision = Some(reached);
        }
        if interrupted || (enough && number + 1 >= least) {
            Flow::Stop
        } else {
            Flow::GoOn
        }
    });
    match (so_far, halted) {
        (_, Some(halt)) => Err(halt),
        (Some(replicated), None) => Ok(replicated),
        (None, None) => unreachable!("there is at least one replication, which ends or halts"),
    }
}
