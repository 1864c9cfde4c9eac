//! Where slow requests spend their time at the answer of a search.

use blis_sim::explain::{self, QuantileExplained};
use blis_sim::model::Path;
use blis_sim::replication::Halt;
use blis_sim::search::Eyes;
use blis_sim::search::Found;
use blis_sim::search::length::Length;

use super::varied::Varied;
use crate::exit::Failure;

/// Follows the slow requests of one path of the trial at the answer; `None` where there is no answer, or no time.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run.
pub fn slow(
    varied: &Varied<Path>,
    found: &Found,
    eyes: Eyes<'_>,
) -> Result<Option<QuantileExplained>, Failure> {
    let Some(load) = found.ended.load() else {
        return Ok(None);
    };
    let mut trials = found.trials.iter().rev();
    let Some(trial) = trials.find(|trial| trial.load == load) else {
        return Ok(None);
    };
    if (eyes.time_is_up)() {
        return Ok(None);
    }
    let mut model = varied.model_at(load)?;
    Length::of_trial(trial).bound(&mut model);
    match explain::slow(&model, eyes.watch) {
        // At the ceiling one path may outgrow what others do not, and is not followed then.
        Err(Halt::Overgrown(_)) => Ok(None),
        slow => Ok(slow?),
    }
}
