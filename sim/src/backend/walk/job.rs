//! Jobs: requests inside the backend.
//!
//! A job begins when its request is sent and lasts until its path is done, which may be long after the
//! client got its reply or gave up. The arms of a fork, the deliveries of a stream and the copies of a fan-out
//! that queue are jobs too.

use crate::event::FlightId;
use crate::model::ServiceId;
use crate::time::Time;

/// The job index that stands for "none".
pub(crate) const NONE: u32 = u32::MAX;

/// How queues find a job by its number: the same way in every run.
pub(crate) type Hasher = std::hash::BuildHasherDefault<rustc_hash::FxHasher>;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Between stations: in the network or in a delay.
    Moving,
    /// In a station's queue.
    Waiting,
    /// Held by a worker.
    Running,
    /// Waiting for the arms of a fork; [`Job::line`] is the join.
    Joining,
}

/// A request inside the backend: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Job {
    /// Where the reply goes.
    pub(crate) flight: FlightId,
    /// A hash of (client, user, number of the request): the key of its demands. Retries share it.
    pub(crate) identity: u64,
    /// When its client gives up.
    pub(crate) deadline: Time,
    /// Since when it waits or runs.
    pub(crate) since: Time,
    /// The next step of its path. While it visits a service, the one after the visit.
    pub(crate) step: u32,
    /// The queue it waits in or is served from.
    pub(crate) line: u32,
    /// Its neighbours in the queue.
    pub(crate) previous: u32,
    pub(crate) next: u32,
    /// What it owes when it ends, innermost first; [`NONE`] for a plain request.
    pub(crate) frame: u32,
    /// Whose path it walks: an action's, or, after all of these, a consumer's.
    pub(crate) path: u16,
    /// On whose behalf.
    pub(crate) client: u16,
    /// The service it visits.
    pub(crate) service: ServiceId,
    pub(crate) attempt: u16,
    /// Which of its path's visits to the service this is.
    pub(crate) visit: u16,
    pub(crate) state: State,
    /// Whether the client has its reply, or one is on its way: the client's timeout no longer matters.
    pub(crate) answered: bool,
}

impl Job {
    /// The ordinal of a draw of this job: unlike for every try, and for every `place` within one.
    #[inline]
    pub(crate) fn ordinal(&self, place: u32) -> u64 {
        ordinal(place, self.attempt)
    }

    /// The ordinal of the draws of its visit.
    #[inline]
    pub(crate) fn visit_ordinal(&self) -> u64 {
        self.ordinal(u32::from(self.visit))
    }
}

/// The ordinal of a draw of a try: unlike for every try, and for every `place` within one.
#[inline(always)]
pub(crate) fn ordinal(place: u32, attempt: u16) -> u64 {
    (u64::from(place) << 16) | u64::from(attempt)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_job_is_one_cache_line() {
        assert_eq!(size_of::<super::Job>(), 64);
    }
}
