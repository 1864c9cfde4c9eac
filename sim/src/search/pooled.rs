//! The trials of a load, judged together.
//!
//! A load near the ceiling takes long to decide. When a trial of it says nothing, the next one of the same load is not
//! judged alone: what was counted in all of them is, and the [look](Look) at it is the next one.

use crate::measure::Measure;
use crate::model::Model;
use crate::search::judgement::{judged, parts_of_runs, settled};
use crate::search::{Judged, Look};
use crate::verdict::{Evidence, LiveEvidence, Status, evidence};

/// What was measured so far, by load.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    runs: Vec<(f64, Measure)>,
}

impl Pool {
    /// Judges what was measured at a load, together with what was measured there before.
    pub fn judged<P>(
        &self,
        model: &Model<P>,
        load: f64,
        measure: &Measure,
        live: &LiveEvidence,
        look: Look,
    ) -> Judged {
        self.with(load, measure, |whole, runs| {
            judged(&of(model, whole, live), &parts_of_runs(whole, runs), look)
        })
    }

    /// The class of a trial that is still running, together with those before at its load, which its rest cannot change any
    /// more; `None` while it can, given how many requests are still to come at most.
    pub fn settled<P>(
        &self,
        model: &Model<P>,
        load: f64,
        measure: &Measure,
        live: &LiveEvidence,
        (look, to_come): (Look, u64),
    ) -> Option<Status> {
        self.with(load, measure, |whole, runs| {
            let parts = parts_of_runs(whole, runs);
            settled(&of(model, whole, live), &parts, look, to_come)
        })
    }

    /// Keeps what was measured in a trial, for those after it at the same load.
    pub fn keep(&mut self, load: f64, measure: &Measure) {
        self.runs.push((load, measure.clone()));
    }

    fn before(&self, load: f64) -> impl Iterator<Item = &Measure> {
        let same = self.runs.iter().filter(move |(of, _)| *of == load);
        same.map(|(_, measure)| measure)
    }

    fn with<T>(
        &self,
        load: f64,
        measure: &Measure,
        then: impl FnOnce(&Measure, &[&Measure]) -> T,
    ) -> T {
        let mut runs: Vec<&Measure> = self.before(load).collect();
        if runs.is_empty() {
            return then(measure, &[measure]);
        }
        let mut whole = measure.clone();
        runs.iter().for_each(|run| whole.merge(run));
        runs.push(measure);
        then(&whole, &runs)
    }
}

/// The evidence of trials of a load. That there are objectives was found out before the search.
fn of<P>(model: &Model<P>, measure: &Measure, live: &LiveEvidence) -> Evidence {
    evidence(model, measure, false, live).unwrap_or_default()
}
