//! Queues that are not served first-in, first-out.
//!
//! The smallest rank is served next, and among equals the first to arrive. Joining, being served and leaving from the middle
//! take time logarithmic in the length of the queue.

use std::cmp::Reverse;

use ordered_float::OrderedFloat;
use priority_queue::PriorityQueue;

use crate::backend::walk::Hasher;

/// The place of a job in a queue: the smaller, the sooner. A queue has ranks of one kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A class, a deadline, or an instant to which a class has been added.
    Whole(u64),
    /// A start tag of fair queueing.
    Tag(OrderedFloat<f64>),
}

/// A job's rank and its number among those that came.
pub(crate) type Place = (Rank, u64);

/// The place before all others.
pub(crate) const FIRST: Place = (Rank::Whole(0), 0);

/// A queue in the order of ranks.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranked {
    waiting: PriorityQueue<u32, Reverse<Place>, Hasher>,
    /// The jobs in service that may be preempted, the least urgent first.
    running: PriorityQueue<u32, Place, Hasher>,
    arrivals: u64,
    fair: FairClock,
}

impl Ranked {
    /// The place of a job of this rank that comes now.
    pub(super) fn place(&mut self, rank: Rank) -> Place {
        self.arrivals += 1;
        (rank, self.arrivals)
    }

    pub(super) fn join(&mut self, job: u32, place: Place) {
        self.waiting.push(job, Reverse(place));
    }

    /// Takes out the job that is served next.
    pub(super) fn take(&mut self) -> Option<u32> {
        let (job, Reverse((rank, _))) = self.waiting.pop()?;
        self.fair.taken_up(rank);
        Some(job)
    }

    /// Takes a job out, wherever it stands.
    pub(super) fn leave(&mut self, job: u32) {
        self.waiting.remove(&job);
    }

    /// A job never waited.
    pub(super) fn taken_at_once(&mut self, rank: Rank) {
        self.fair.taken_up(rank);
    }

    /// A job is in service from now on and may be preempted.
    pub(super) fn runs(&mut self, job: u32, place: Place) {
        self.running.push(job, place);
    }

    /// A job is no longer in service, or may no longer be preempted.
    pub(super) fn stops(&mut self, job: u32) {
        self.running.remove(&job);
    }

    /// The job in service that is the least urgent, the latest to come of equals, with its rank.
    pub(super) fn least_urgent(&self) -> Option<(u32, Rank)> {
        self.running.peek().map(|(job, (rank, _))| (*job, *rank))
    }

    pub(super) fn fair(&mut self) -> &mut FairClock {
        &mut self.fair
    }
}

/// The virtual time of start-time fair queueing (Goyal, Vin and Cheng 1996, equations 4 and 5).
///
/// A job's start tag is the larger of the virtual time and the finish tag of its client's job before; its finish tag
/// lies the cost of the job divided by the client's weight after it; and the virtual time is the start tag of the job
/// taken up last, and the largest finish tag when nobody is left: what a client took while nobody else wanted it is not
/// held against it. The cost is the mean service time of the visit: what a server can know beforehand.
///
/// The paper counts the finish tags of jobs that were served. Those of jobs that left the queue count here too, so that
/// nobody comes to an idle service with a debt.
#[derive(Debug, Clone, Default)]
pub(super) struct FairClock {
    now: f64,
    finish: Vec<f64>,
    largest: f64,
}

impl FairClock {
    /// Nobody waits and nobody is served.
    pub(super) fn fell_idle(&mut self) {
        self.now = self.largest;
    }

    /// The rank of a client's job of this cost.
    pub(super) fn tag(&mut self, client: usize, cost: f64, weight: f64) -> Rank {
        if self.finish.len() <= client {
            self.finish.resize(client + 1, 0.0);
        }
        let start = self.now.max(self.finish[client]);
        self.finish[client] = start + cost / weight;
        self.largest = self.largest.max(self.finish[client]);
        Rank::Tag(OrderedFloat(start))
    }

    fn taken_up(&mut self, rank: Rank) {
        if let Rank::Tag(OrderedFloat(start)) = rank {
            self.now = self.now.max(start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rank, Ranked};

    #[test]
    fn the_smallest_rank_is_taken_first_and_equals_in_the_order_of_their_coming() {
        let mut line = Ranked::default();
        for (job, rank) in [(7, 2), (3, 1), (9, 2), (4, 1), (5, 0), (6, 9)] {
            let place = line.place(Rank::Whole(rank));
            line.join(job, place);
        }
        line.leave(4);
        let order: Vec<u32> = std::iter::from_fn(|| line.take()).collect();
        assert_eq!(order, [5, 3, 7, 9, 6]);
    }

    #[test]
    fn fair_queueing_serves_clients_in_proportion_to_their_weights() {
        let mut line = Ranked::default();
        // Client 0 has brought 30 jobs before client 1, of three times the weight, brings its 30.
        for job in 0..60 {
            let client = job / 30;
            let rank = line.fair().tag(client, 10.0, [1.0, 3.0][client]);
            let place = line.place(rank);
            line.join(job as u32, place);
        }
        let first: Vec<u32> = (0..20).filter_map(|_| line.take()).collect();
        let of_one = first.iter().filter(|&&job| job >= 30).count();
        assert_eq!(of_one, 15, "{first:?}");
    }

    #[test]
    fn a_client_that_was_away_has_not_saved_up() {
        let mut line = Ranked::default();
        let bring = |line: &mut Ranked, job: u32, client: usize| {
            let rank = line.fair().tag(client, 10.0, 1.0);
            let place = line.place(rank);
            line.join(job, place);
        };
        for job in 0..100 {
            bring(&mut line, job, 0);
        }
        for _ in 0..50 {
            line.take();
        }
        for job in 100..104 {
            bring(&mut line, job, 1);
        }
        let next: Vec<u32> = (0..6).filter_map(|_| line.take()).collect();
        assert_eq!(
            next.iter().filter(|&&job| job >= 100).count(),
            3,
            "{next:?}"
        );
    }
}
