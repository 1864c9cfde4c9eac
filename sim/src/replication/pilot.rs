//! The pilot run of `warmup: auto`: where the steady state begins.

use super::run::{Halt, Watch, drive};
use super::{PILOT, seed_of};
use crate::event::{Event, Outcome, Sink};
use crate::model::Model;
use crate::simulation::Simulation;
use crate::statistics::Course;
use crate::time::Time;

/// What a pilot run found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pilot {
    /// When the steady state begins; half of the load where none was found.
    pub warmup: Time,
    /// Whether there is a steady state: the rule found its point in the first half of the load.
    pub steady: bool,
    /// Response times that the rule looked at.
    pub responses: u64,
}

/// Runs a model once, with a seed of its own, and looks for the start of its steady state: MSER-5 over the response
/// times in the order in which they ended, up to the end of the load. The instant is rounded up to three digits.
///
/// # Errors
/// [`Halt`], as for any run. A pilot that shall stop gives what it has found so far.
pub fn find_warmup(model: &Model, watch: Watch<'_>) -> Result<Pilot, Halt> {
    let mut pilot = model.clone();
    pilot.seed = seed_of(model.seed, PILOT);
    let mut simulation = Simulation::new(&pilot, Responses::default());
    drive(&mut simulation, watch, |_| {})?;
    let seen = simulation.into_sink();
    let (start, steady) = seen.course.truncate();
    Ok(Pilot {
        warmup: Time::from_nanos(rounded_up(start)),
        steady,
        responses: seen.count,
    })
}

/// The smallest number of three digits and zeros that is not below this one.
fn rounded_up(nanos: u64) -> u64 {
    let mut unit = 1u64;
    while nanos / unit >= 1000 {
        unit *= 10;
    }
    nanos.div_ceil(unit).saturating_mul(unit)
}

/// The response times of a run while its load lasts.
#[derive(Debug, Clone, Default)]
struct Responses {
    course: Course,
    count: u64,
    over: bool,
}

impl Sink for Responses {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, at: Time, event: Event<'_>) {
        match event {
            Event::Done {
                request,
                outcome: Outcome::Ok | Outcome::TimedOut,
                ..
            } if !self.over => {
                let response = at.since(request.intended);
                self.course.add(at.as_nanos(), response.as_nanos() as f64);
                self.count += 1;
            }
            Event::LoadEnded => self.over = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rounded_up_to_three_digits() {
        for (nanos, rounded) in [
            (0, 0),
            (999, 999),
            (1000, 1000),
            (1001, 1010),
            (123_456_789, 124_000_000),
            (999_000_001, 1_000_000_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(rounded_up(nanos), rounded, "{nanos}");
        }
    }
}
