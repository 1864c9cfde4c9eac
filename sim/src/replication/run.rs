//! One run from start to end, with checks for its stop conditions.

use crate::engine::LoadEnd;
use crate::event::Sink;
use crate::measure::{Imbalance, Measure};
use crate::model::Model;
use crate::simulation::{Progress, Simulation, StandsStill};
use crate::time::{Span, Time};

/// Events between two looks around: a few milliseconds' worth.
const STRIDE: u64 = 1 << 16;

/// What is looked at while a run goes on.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Whether the run is told to stop and keep what it has.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// How many requests may be waiting or in flight together.
    pub most_present: u64,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("most_present", &self.most_present)
            .finish_non_exhaustive()
    }
}

/// That more requests are present than there is memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "after {:.3} s of simulated time {present} requests are waiting, and more do not fit into memory: the load exceeds \
     the capacity of the services; lower it, limit the queues (`queue: {{limit: ...}}`), or let work leave them after a \
     timeout (`on_timeout: leave`)",
    at.as_secs_f64()
)]
pub struct Outgrown {
    /// The instant, as time since the start.
    pub at: Span,
    /// Requests present.
    pub present: u64,
}

/// Why a run was not completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The model goes round without the clock moving.
    #[error(transparent)]
    StandsStill(#[from] StandsStill),
    /// More requests are present than there is memory for.
    #[error(transparent)]
    Overgrown(#[from] Outgrown),
    /// The books do not balance.
    #[error(transparent)]
    Books(#[from] Imbalance),
}

impl Outgrown {
    /// What is present of a simulation now.
    pub fn of<S: Sink>(simulation: &Simulation<S>) -> Outgrown {
        Outgrown {
            at: simulation.now().since(Time::ZERO),
            present: simulation.present() as u64,
        }
    }
}

/// A run that was completed, or was stopped.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What was measured.
    pub measure: Measure,
    /// What ended the load.
    pub ended_by: LoadEnd,
    /// Requests intended.
    pub intended: u64,
    /// Events simulated.
    pub events: u64,
    /// The simulated time at the end, the drain included.
    pub simulated: Span,
}

/// Runs a simulation to its end, or until it is told to stop; `see` is shown it every few milliseconds.
///
/// # Errors
/// [`Halt`], but never for the books.
pub(crate) fn drive<S: Sink>(
    simulation: &mut Simulation<S>,
    watch: Watch<'_>,
    mut see: impl FnMut(&Simulation<S>),
) -> Result<(), Halt> {
    while simulation.advance(STRIDE)? == Progress::Running {
        let present = simulation.present() as u64;
        if (watch.stop)() {
            simulation.interrupt();
        } else if present > watch.most_present {
            return Err(Halt::Overgrown(Outgrown::of(simulation)));
        } else {
            see(simulation);
        }
    }
    Ok(())
}

/// Runs a model and measures it; `see` is shown the run every few milliseconds.
///
/// # Errors
/// [`Halt`].
pub fn simulate(
    model: &Model,
    watch: Watch<'_>,
    see: impl FnMut(&Simulation<Measure>),
) -> Result<Finished, Halt> {
    let mut simulation = Simulation::new(model, Measure::new(model));
    drive(&mut simulation, watch, see)?;
    finished(simulation)
}

/// Runs a model as far as there is memory for it: what was measured by then, and why it was not completed where memory
/// was the reason.
///
/// # Errors
/// Any other [`Halt`].
pub fn simulate_as_far(
    model: &Model,
    watch: Watch<'_>,
) -> Result<(Finished, Option<Outgrown>), Halt> {
    let mut simulation = Simulation::new(model, Measure::new(model));
    let outgrown = match drive(&mut simulation, watch, |_| ()) {
        Ok(()) => None,
        Err(Halt::Overgrown(outgrown)) => {
            simulation.interrupt();
            Some(outgrown)
        }
        Err(halt) => return Err(halt),
    };
    Ok((finished(simulation)?, outgrown))
}

/// The result of a simulation that has ended.
///
/// # Errors
/// [`Halt::Books`].
pub(crate) fn finished(simulation: Simulation<Measure>) -> Result<Finished, Halt> {
    let (events, intended) = (simulation.events(), simulation.intended());
    let ended_by = simulation.load_end().unwrap_or(LoadEnd::Idle);
    let simulated = simulation.now().since(Time::ZERO);
    let mut measure = simulation.into_sink();
    measure.finish(intended)?;
    Ok(Finished {
        measure,
        ended_by,
        intended,
        events,
        simulated,
    })
}
