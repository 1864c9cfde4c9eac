//! Jobs: requests inside the backend.
//!
//! A job begins when its request is sent and lasts until its path is done, which may be long after the
//! client got its reply or gave up.

use crate::engine::{Arena, FlightId};
use crate::model::{ActionId, ServiceId};
use crate::time::Time;

/// The job index that stands for "none".
pub(super) const NONE: u32 = u32::MAX;

/// All jobs.
pub(super) type Jobs = Arena<Job>;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Between stations: in the network or in a delay.
    Moving,
    /// In a station's line.
    Waiting,
    /// Held by a worker.
    Running,
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
    /// The next step of its path.
    pub(super) step: u32,
    /// Whose path it walks.
    pub(super) action: ActionId,
    /// The service it visits.
    pub(super) service: ServiceId,
    /// The line it waits in or is served from.
    pub(super) line: u32,
    /// Its neighbours in the line.
    pub(super) previous: u32,
    pub(super) next: u32,
    pub(super) attempt: u16,
    /// Which of its path's visits to the service this is.
    pub(super) visit: u32,
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
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_job_is_one_cache_line() {
        assert_eq!(size_of::<super::Job>(), 64);
    }
}
