//! What a search has an eye on while it goes on: whether to stop, and which objectives count.

use crate::replication::Watch;
use crate::verdict::Signal;

/// What is looked at while a search goes on.
#[derive(Clone, Copy)]
pub struct Eyes<'a> {
    /// Whether it is told to stop, and of its runs.
    pub watch: Watch<'a>,
    /// Whether its time is up.
    pub time_is_up: &'a (dyn Fn() -> bool + Sync),
}

/// Whether an objective is one that a search looks at.
pub type Counts<'a> = &'a (dyn Fn(&Signal) -> bool + Sync);
