//! Loads, one after another, in one world.
//!
//! A search for a ceiling, a validation and every measurement of several loads uses a [`Runner`] and knows no world. The
//! simulated one is here; the live one is a session over connections that stay open. Guarantees:
//! - Every load has its own [`Epoch`], and nothing of one load counts in another.
//! - Results have the same form in both worlds, and their books are closed.

use crate::engine::LoadEnd;
use crate::measure::Measure;
use crate::model::{Model, Path};
use crate::replication::{Finished, Halt, Outgrown, Watch, simulate, simulate_as_far};
use crate::time::Time;
use crate::verdict::LiveEvidence;

/// The number of a load among those of one runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(u32);

impl Epoch {
    /// That of the first load.
    pub const FIRST: Epoch = Epoch(0);

    /// That of the load after this one. Loads of one runner take longer than numbers last.
    pub fn next(self) -> Epoch {
        Epoch(self.0.wrapping_add(1))
    }

    /// Its number, from 0.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The epoch of a number that was read.
    pub fn of(number: u32) -> Epoch {
        Epoch(number)
    }
}

/// The result of a load.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Which load it was.
    pub epoch: Epoch,
    /// What was measured; its books are closed.
    pub measure: Measure,
    /// What ended the load.
    pub ended_by: LoadEnd,
    /// The end of the run, the drain included.
    pub ended_at: Time,
    /// How many requests were intended.
    pub intended: u64,
    /// Replies, acknowledgements and deliveries of earlier loads that came while this one ran, and count for none of it.
    pub late_of_earlier: u64,
    /// What a live world knows of itself; nothing in a simulated one.
    pub evidence: LiveEvidence,
}

impl Ran {
    /// The result of a load in the simulated world, which has no earlier loads and knows nothing of itself.
    pub(crate) fn simulated(epoch: Epoch, finished: Finished) -> Ran {
        Ran {
            epoch,
            ended_by: finished.ended_by,
            ended_at: Time::ZERO + finished.simulated,
            intended: finished.intended,
            measure: finished.measure,
            late_of_earlier: 0,
            evidence: LiveEvidence::default(),
        }
    }
}

/// A world in which loads run, one after another. `P` is what it needs to know of the paths of actions.
pub trait Runner<P = Path> {
    /// Why a load did not run to its end.
    type Error;

    /// Runs the load of a model within its limits, or until it is told to stop.
    ///
    /// # Errors
    /// Whatever keeps the world from running it; none of it is measured then.
    fn run(
        &mut self,
        model: &Model<P>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Ran, Self::Error>;
}

/// The simulated world.
#[derive(Debug, Clone)]
pub struct Simulated {
    next: Epoch,
    most_present: u64,
}

impl Simulated {
    /// A world in which this many requests may be present at a time: what memory has room for.
    pub fn new(most_present: u64) -> Simulated {
        Simulated {
            next: Epoch::FIRST,
            most_present,
        }
    }

    /// Runs a load as far as memory lasts: what came of it, and why it ended early where memory was the reason. That many
    /// requests are present says enough of a load, so that it counts as one that was decided.
    ///
    /// # Errors
    /// Any other [`Halt`].
    pub fn run_as_far(
        &mut self,
        model: &Model,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Ran, Option<Outgrown>), Halt> {
        let most_present = self.most_present;
        let (finished, outgrown) = simulate_as_far(model, Watch { stop, most_present })?;
        let mut ran = self.ran(finished);
        if outgrown.is_some() {
            ran.ended_by = LoadEnd::Decided;
        }
        Ok((ran, outgrown))
    }

    fn ran(&mut self, finished: Finished) -> Ran {
        let epoch = self.next;
        self.next = epoch.next();
        Ran::simulated(epoch, finished)
    }
}

impl Runner for Simulated {
    type Error = Halt;

    fn run(&mut self, model: &Model, stop: &(dyn Fn() -> bool + Sync)) -> Result<Ran, Halt> {
        let most_present = self.most_present;
        let finished = simulate(model, Watch { stop, most_present }, |_| ())?;
        Ok(self.ran(finished))
    }
}
