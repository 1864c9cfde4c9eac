//! A run of a model in simulated time.
//!
//! A [`Simulation`] joins users and their requests to the simulated backend. Guarantees:
//! - Events happen in the order of their times, and those of one instant in the order in which they were
//!   scheduled. A timeout at `t` fires only when nothing else is left at `t`.
//! - The same model gives the same events, whatever machine it runs on and however the run is cut into pieces.
//! - In steady state an event allocates nothing.
//!
//! There are two ways to simulate, of which the model decides one when it is set up. The `general` way knows all that a
//! model can have. The `plain` way knows users without retries, services in the order of arrival, errors, full queues and
//! the network: it skips the questions that such a model never has to ask, and keeps one record where the other keeps two.
//! The events of a plain model are the same in either (`tests/invariants/ways.rs`). What both share, time and the end of a
//! run, is the `course`.

mod course;
mod deadlines;
mod general;
mod plain;

use crate::backend::RecordedVisits;
use crate::engine::LoadEnd;
use crate::event::Sink;
use crate::model::Model;
use crate::time::{Span, Time};
use crate::users::Script;

use course::Course;
use general::General;
use plain::Plain;

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to come.
    Running,
    /// The run is over.
    Finished,
}

/// A model that goes round without the clock moving.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "zero-time loop at {at}: more than {events} events without time advancing, mostly of {who}; give the users a think \
     time, the retries and naks a delay, or the path a service time"
)]
pub struct StandsStill {
    /// The instant, as time since the start.
    pub at: Span,
    /// How many events were counted there.
    pub events: u64,
    /// Whose events most of them are.
    pub who: String,
}

/// A run of a model in simulated time.
#[derive(Debug, Clone)]
pub struct Simulation<S>(Ways<S>);

#[derive(Debug, Clone)]
enum Ways<S> {
    General(Box<Course<General, S>>),
    Plain(Box<Course<Plain, S>>),
}

/// The same of either way.
macro_rules! either {
    ($ways:expr, $course:ident => $what:expr) => {
        match $ways {
            Ways::General($course) => $what,
            Ways::Plain($course) => $what,
        }
    };
}

impl<S: Sink> Simulation<S> {
    /// A run of this model that reports to this sink, at its start.
    pub fn new(model: &Model, sink: S) -> Simulation<S> {
        match Plain::new(model) {
            Some(plain) => Simulation(Ways::Plain(Box::new(Course::new(model, plain, sink)))),
            None => Simulation::in_the_general_way(model, sink),
        }
    }

    /// The same in the general way, whatever the model: what the plain way is held against.
    pub fn in_the_general_way(model: &Model, sink: S) -> Simulation<S> {
        Simulation::general(model, General::new(model), sink)
    }

    /// A run in which users send what this script says in the place of what they would.
    pub fn replaying(model: &Model, script: Script, sink: S) -> Simulation<S> {
        Simulation::general(model, General::replaying(model, script), sink)
    }

    /// The same with these visits in the place of what the model draws for them.
    pub fn following(
        model: &Model,
        script: Script,
        recorded: RecordedVisits,
        sink: S,
    ) -> Simulation<S> {
        let way = General::replaying(model, script).following(recorded);
        Simulation::general(model, way, sink)
    }

    fn general(model: &Model, way: General, sink: S) -> Simulation<S> {
        Simulation(Ways::General(Box::new(Course::new(model, way, sink))))
    }

    /// Whether it goes the plain way.
    pub fn is_plain(&self) -> bool {
        matches!(self.0, Ways::Plain(_))
    }

    /// The simulated time reached.
    pub fn now(&self) -> Time {
        either!(&self.0, course => course.now())
    }

    /// The events that have happened: arrivals, wake-ups, completions, hops and timeouts.
    pub fn events(&self) -> u64 {
        either!(&self.0, course => course.events())
    }

    /// How many requests were intended so far.
    pub fn intended(&self) -> u64 {
        either!(&self.0, course => course.intended())
    }

    /// How many sessions of open clients, and requests in flight or still being worked on without a client, there
    /// are: what takes memory beyond what the model itself says.
    pub fn present(&self) -> usize {
        either!(&self.0, course => course.present())
    }

    /// Why the load ended, once it has.
    pub fn load_end(&self) -> Option<LoadEnd> {
        either!(&self.0, course => course.load_end())
    }

    /// What the run was reported to.
    pub fn sink(&self) -> &S {
        either!(&self.0, course => course.sink())
    }

    /// Gives back the sink.
    pub fn into_sink(self) -> S {
        either!(self.0, course => course.into_sink())
    }

    /// Runs for about this many further events, or to the end.
    ///
    /// # Errors
    /// [`StandsStill`] when the model goes round at one instant without end.
    pub fn advance(&mut self, events: u64) -> Result<Progress, StandsStill> {
        either!(&mut self.0, course => course.advance(events))
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// [`StandsStill`] when the model goes round at one instant without end.
    pub fn run(&mut self) -> Result<(), StandsStill> {
        while self.advance(u64::MAX)? == Progress::Running {}
        Ok(())
    }

    /// Stops now: what is in flight is unresolved, what was measured stays.
    pub fn interrupt(&mut self) {
        either!(&mut self.0, course => course.interrupt());
    }
}
