//! The pilot run of `warmup: auto`, which finds the start of the steady state.

use super::run::{Halt, Watch, drive};
use super::{PILOT, seed_of};
use crate::event::{Event, Outcome, Sink};
use crate::model::{Model, Source};
use crate::simulation::Simulation;
use crate::statistics::Course;
use crate::time::Time;

/// What a pilot run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pilot {
    /// When the steady state begins; half of the load where none was found.
    pub warmup: Time,
    /// Why there is no steady state, where there is none.
    pub unsteady: Option<Unsteady>,
    /// Response times that the rule looked at.
    pub responses: u64,
}

/// Why there is no steady state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsteady {
    /// The rule found its point in the second half of what it looked at, or too little to look at.
    #[error("response times do not settle (MSER-5 on a pilot run)")]
    ResponseTimes,
    /// The arrival rate of a client changes without end.
    #[error("the arrival rate of client {client} never stops changing")]
    NeverLevel {
        /// Which client.
        client: String,
    },
    /// Load or services change until the horizon or beyond.
    #[error("{what} changes until {}, and the load ends at {}", .settles.since(Time::ZERO), .ends.since(Time::ZERO))]
    LevelTooLate {
        /// What changes.
        what: String,
        /// When it is level.
        settles: Time,
        /// The horizon.
        ends: Time,
    },
}

/// Runs a model once, with its own seed, and looks for the start of its steady state: MSER-5 over the response
/// times in the order in which they ended, up to the end of the load. The instant is rounded up to three digits.
///
/// There is none before the last configured change of the load is over: while a client's arrival rate follows its shape, or
/// a service that has just started warms up.
///
/// # Errors
/// [`Halt`], as for any run. A pilot that is told to stop gives what it has found so far.
pub fn find_warmup(model: &Model, watch: Watch<'_>) -> Result<Pilot, Halt> {
    let mut pilot = model.clone();
    pilot.seed = seed_of(model.seed, PILOT);
    let mut seen = Responses::default();
    let sink: &mut dyn Sink = &mut seen;
    drive(&mut Simulation::new(&pilot, sink), watch, |_| {})?;
    let (start, unsteady) = match settles(model) {
        Err(why) => (seen.course.middle(), Some(why)),
        Ok(from) => match seen.course.truncate(from.as_nanos()) {
            (start, true) => (start, None),
            (start, false) => (start, Some(Unsteady::ResponseTimes)),
        },
    };
    Ok(Pilot {
        warmup: Time::from_nanos(rounded_up(start)),
        unsteady,
        responses: seen.count,
    })
}

/// When the last configured change is over.
fn settles(model: &Model) -> Result<Time, Unsteady> {
    let mut last = (Time::ZERO, String::new());
    for client in &model.clients {
        let Source::Open {
            shape: Some(shape), ..
        } = &client.source
        else {
            continue;
        };
        let settles = shape.settles().ok_or_else(|| Unsteady::NeverLevel {
            client: client.name.clone(),
        })?;
        if settles > last.0 {
            last = (
                settles,
                format!("the arrival rate of client {}", client.name),
            );
        }
    }
    for service in &model.services {
        let warm = service.cold_start.map(|cold| Time::ZERO + cold.lasts);
        if let Some(warm) = warm.filter(|warm| *warm > last.0) {
            last = (warm, format!("the cold start of service {}", service.name));
        }
    }
    let (settles, what) = last;
    match model.limits.horizon {
        Some(ends) if settles >= ends => Err(Unsteady::LevelTooLate {
            what,
            settles,
            ends,
        }),
        _ => Ok(settles),
    }
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
