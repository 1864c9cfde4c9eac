//! Jobs: requests inside the backend.
//!
//! A job begins when its request is sent and lasts until its path is done, which may be long after the
//! client got its reply or gave up. The arms of a fork, the deliveries of a stream and the copies of a fan-out
//! that queue are jobs too.

use crate::engine::{Arena, FlightId};
use crate::model::ServiceId;
use crate::time::Time;

/// The job index that stands for "none".
pub(super) const NONE: u32 = u32::MAX;

/// All jobs.
pub(super) type Jobs = Arena<Job>;

/// How queues find a job by its number: the same way in every run.
pub(super) type Hasher = std::hash::BuildHasherDefault<rustc_hash::FxHasher>;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Between stations: in the network or in a delay.
    Moving,
    /// In a station's line.
    Waiting,
    /// Held by a worker.
    Running,
    /// Waiting for the arms of a fork; [`Job::line`] is the join.
    Joining,
}

/// A request inside the backend: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Job {
    /// Where the reply goes.
    pub(super) flight: FlightId,
    /// A hash of (client, user, number of the request): the key of its demands. Retries share it.
    pub(super) identity: u64,
    /// When its client gives up.
    pub(super) deadline: Time,
    /// Since when it waits or runs.
    pub(super) since: Time,
    /// The next step of its path. While it visits a service, the one after the visit.
    pub(super) step: u32,
    /// The line it waits in or is served from.
    pub(super) line: u32,
    /// Its neighbours in the line.
    pub(super) previous: u32,
    pub(super) next: u32,
    /// What it owes when it ends, innermost first; [`NONE`] for a plain request.
    pub(super) frame: u32,
    /// Whose path it walks: an action's, or, after all of these, a consumer's.
    pub(super) path: u16,
    /// On whose behalf.
    pub(super) client: u16,
    /// The service it visits.
    pub(super) service: ServiceId,
    pub(super) attempt: u16,
    /// Which of its path's visits to the service this is.
    pub(super) visit: u16,
    pub(super) state: State,
    /// Whether the client has its reply, or one is on its way: the client's timeout no longer matters.
    pub(super) answered: bool,
}

impl Job {
    /// The ordinal of a draw of this job: unlike for every try, and for every `place` within one.
    #[inline]
    pub(super) fn ordinal(&self, place: u32) -> u64 {
        (u64::from(place) << 16) | u64::from(self.attempt)
    }

    /// The ordinal of the draws of its visit.
    #[inline]
    pub(super) fn visit_ordinal(&self) -> u64 {
        self.ordinal(u32::from(self.visit))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_job_is_one_cache_line() {
        assert_eq!(size_of::<super::Job>(), 64);
    }
}
