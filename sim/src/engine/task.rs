//! What the calendar of a simulated run holds.

use crate::event::UserId;
use crate::users::{ProcessId, Wake};

/// An entry of the calendar: eight bytes, so that an entry with its time has sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// An open client's next arrival.
    Arrival(ProcessId),
    /// A user's next request.
    User(UserId),
    /// A worker has served a job to the end.
    Served(u32),
    /// A job arrives at the next step of its path.
    Arrived(u32),
    /// A reply reaches its client.
    Delivered(u32),
    /// A delivery that the backend has handed out reaches its subscriber. The number is that of whoever drives the backend.
    Delivery(u32),
    /// Something that only some backends have.
    Timer(Timer),
}

impl Task {
    /// Waking whoever wants to be.
    #[inline(always)]
    pub fn of(wake: Wake) -> Task {
        match wake {
            Wake::Arrival(process) => Task::Arrival(process),
            Wake::User(user) => Task::User(user),
        }
    }
}

/// What a backend has the calendar call it for, beside its jobs. The number is the backend's own.
///
/// A timer may come to nothing, when what it was set for has been called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// A worker would be done with a job that can be stopped before.
    Completion(u32),
    /// The first of those that share a line's workers would be done.
    Share(u32),
    /// The first `ack_wait` of a consumer would be over.
    AckWait(u32),
    /// The delay after a nak is over.
    Redeliver(u32),
    /// The batch that a consumer gathers has waited long enough.
    Linger(u32),
    /// A message is stored that nobody waits for.
    Stored(u32),
    /// The last delivery of an emission.
    Emitted(u32),
    /// An outage begins or ends.
    Outage(u32),
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_task_has_eight_bytes() {
        assert_eq!(size_of::<super::Task>(), 8);
    }
}
