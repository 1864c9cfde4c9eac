//! What the calendar of a simulated run holds.

use crate::event::UserId;
use crate::users::ProcessId;

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
}
