//! Changes that may raise the ceiling of a spec: those of the model, and those of the user.

use std::collections::BTreeMap;

use blis_sim::model::Path;
use blis_sim::result::RemedyResult;
use blis_sim::search::Eyes;
use blis_sim::search::remedies::{Candidate, Measured, Remedy, remedies};
use blis_sim::search::simulated::{Plan, Reached};
use blis_sim::search::{Change, Found};
use blis_sim::spec::Assignment;
use blis_sim::spec::error::shown;

use super::simulated::failure;
use super::varied::{Varied, as_simulated};
use crate::exit::Failure;

/// Refuses changes that a search cannot try: those of what is varied or of what the search sets, and those that change
/// nothing.
///
/// # Errors
/// [`Failure::Usage`] then, and those of [`Varied::changed_model_at`].
pub fn check(varied: &Varied<Path>, asked: &[Assignment]) -> Result<(), Failure> {
    let Some(load) = varied.written() else {
        return Ok(());
    };
    let plain = as_simulated(varied.changed_model_at(load, &[])?);
    for change in asked {
        let refused = |why: &str| {
            Failure::Usage(format!(
                "--what-if {}={}: {why}",
                shown(change.path()),
                shown(change.value())
            ))
        };
        if change.path() == varied.name() {
            return Err(refused("it is the varied key; name another key"));
        }
        if change.is_within(&["run"]) || change.is_within(&["seed"]) {
            return Err(refused("the search sets it; name a key of the workload"));
        }
        let changed = varied.changed_model_at(load, std::slice::from_ref(change));
        let changed = changed.map_err(|why| why.of_flag("--what-if", change.path()))?;
        if as_simulated(changed) == plain {
            return Err(refused("it changes nothing; give another value"));
        }
    }
    Ok(())
}

/// Why no change was simulated, in a sentence.
pub fn failed(why: &Failure) -> String {
    let why = why.to_string();
    let first = why.lines().next().unwrap_or_default();
    format!("the simulation failed: {first}")
}

/// Simulates what the user asks for, and every change that the model allows.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run.
pub fn run(
    varied: &Varied<Path>,
    asked: &[Assignment],
    found: &Found,
    plan: Plan,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(&str, Reached),
) -> Result<Vec<RemedyResult>, Failure> {
    let model = varied.as_written()?.model;
    let mut plan = plan;
    if !varied.is_key() {
        // A load that is carried only with a change may lie beyond where the ceiling without it was looked for.
        plan.wanted.range = None;
    }
    // What is varied is no remedy for itself.
    let changes = Change::all(&model).into_iter();
    let changes = changes.map(|change| (change, change.keys(&model)));
    let changes = changes.filter(|(_, keys)| !keys.contains_key(varied.name()));
    let candidates = changes.map(|(change, keys)| Candidate {
        what: change.words(&model),
        keys,
        asked: false,
        model_at: Box::new(move |load| {
            let mut changed = varied.model_at(load)?;
            change.make(&mut changed);
            Ok(changed)
        }),
    });
    let asked = asked.iter().map(|change| Candidate {
        what: format!("{}={}", change.path(), change.value()),
        keys: BTreeMap::from([(change.path().to_owned(), change.value().to_owned())]),
        asked: true,
        model_at: Box::new(move |load| varied.changed_model_at(load, std::slice::from_ref(change))),
    });
    // What was asked for comes first, in case that time runs out.
    let candidates: Vec<Candidate<'_, Failure>> = asked.chain(candidates).collect();
    let all = remedies(candidates, found, plan, eyes, see).map_err(failure)?;
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
        brings: of.is_some_and(Measured::brings),
        next: measured.and_then(|measured| measured.next),
    }
}
