//! What would raise the ceiling of a spec: changes that the model allows, and those that the user names.

use blis_sim::model::Path;
use blis_sim::result::RemedyResult;
use blis_sim::search::remedies::{Candidate, Remedy, remedies};
use blis_sim::search::simulated::{Eyes, Plan, Reached};
use blis_sim::search::{Change, Found};

use super::simulated::failure;
use super::varied::Varied;
use crate::exit::Failure;

/// Simulates every change.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run.
pub fn run(
    varied: &Varied<Path>,
    found: &Found,
    plan: Plan,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(&str, Reached),
) -> Result<Vec<RemedyResult>, Failure> {
    let model = varied.as_written()?.model;
    // What is varied is no remedy for itself.
    let changes = Change::all(&model).into_iter();
    let changes = changes.filter(|change| !change.keys(&model).contains_key(varied.name()));
    let candidates = changes.map(|change| Candidate {
        what: change.words(&model),
        keys: change.keys(&model),
        asked: false,
        model_at: Box::new(move |load| {
            let mut changed = varied.model_at(load)?;
            change.make(&mut changed);
            Ok(changed)
        }),
    });
    let all = remedies(candidates.collect(), found, plan, eyes, see).map_err(failure)?;
    Ok(all.into_iter().map(result).collect())
}

fn result(remedy: Remedy) -> RemedyResult {
    let Remedy {
        what,
        keys,
        asked,
        measured,
    } = remedy;
    let of = measured.as_ref();
    RemedyResult {
        what,
        changes: keys,
        asked,
        ceiling: of.map(|measured| measured.ceiling),
        ceiling_ci95: of.and_then(|measured| measured.interval),
        gain: of.map(|measured| measured.gain),
        gain_ci95: of.and_then(|measured| measured.gain_interval),
        brings: of.is_some_and(blis_sim::search::remedies::Measured::brings),
        next: measured.and_then(|measured| measured.next),
    }
}
