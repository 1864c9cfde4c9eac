//! What the model of a spec says of a ceiling that is searched live: where its trials are best spent.

use std::time::{Duration, Instant};

use blis_sim::model::Path;
use blis_sim::search::length::Given;
use blis_sim::search::roots::Wanted;
use blis_sim::search::simulated::{Failed, Plan, search};
use blis_sim::search::{Axis, Direction, Ended};

use super::own::Own;
use super::simulated::eyes;
use super::unit::{self, Unit};
use super::varied::{Parameter, Varied};
use crate::cli::TrialArgs;
use crate::exit::Failure;
use crate::simulate;

/// The half-width of its interval as a share of it: nearer than a live trial comes.
const PRECISION: f64 = 0.01;
/// The most sample paths of a load.
const MOST_PATHS: u64 = 1024;
/// How long a prediction may take: about as long as a trial.
const LONGEST: Duration = Duration::from_secs(30);

/// The ceiling that the simulation of a spec finds; `None` where it does not say what the backend does, where something else
/// than the load is varied, or where the simulation has no answer.
///
/// # Errors
/// Those of [`Varied::model_at`].
pub fn predict(
    varied: &Varied<Option<Path>>,
    args: &TrialArgs,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<f64>, Failure> {
    let (Parameter::Own(own), Some(start)) = (varied.parameter(), varied.written()) else {
        return Ok(None);
    };
    let Ok(written) = varied.model_at(start)?.simulable() else {
        return Ok(None);
    };
    let range = args.search.as_deref();
    let range = range.map(|text| unit::range("--search", text, varied.unit()));
    let plan = Plan {
        axis: Axis {
            direction: Direction::Rising,
            whole: varied.unit() == Unit::Whole,
        },
        wanted: Wanted {
            start,
            range: range.transpose()?,
            precision: PRECISION,
            most_paths: MOST_PATHS,
        },
        length: Given::default(),
        is_load: true,
        is_rate: *own == Own::Rate,
        threads: simulate::threads(&written, args.threads),
    };
    let began = Instant::now();
    let time_is_up = || began.elapsed() >= LONGEST;
    let model_at = |load| {
        let model = varied.model_at(load)?.simulable();
        model.map_err(|why| Failure::Usage(why.to_string()))
    };
    match search(&model_at, plan, eyes(stop, &time_is_up), &mut |_| ()) {
        Ok(found) => Ok(match found.ended {
            Ended::Ceiling(ceiling) => Some(ceiling.load),
            // When its time is up, what is in the middle of what it knows is near enough.
            Ended::AtLeast(..) | Ended::NonePassed | Ended::Undecided(_) => {
                let bounds = found.lower.zip(found.upper);
                bounds.map(|(lower, upper)| (lower * upper).sqrt())
            }
        }),
        Err(Failed::Model(why)) => Err(why),
        // Whatever keeps the simulation from an answer keeps nobody from looking.
        Err(Failed::Halt(_)) => Ok(None),
    }
}
