//! The trials of a load, judged together.
//!
//! A load near the ceiling takes long to decide. When a trial of it says nothing, the next one of the same load is not
//! judged alone: what was counted in both is, and looks at it go on where those at the first one ended. Once a load is decided
//! what was counted is forgotten: a trial that confirms it has to say the same by itself.

use crate::measure::Measure;
use crate::model::Model;
use crate::search::judgement::{judged, settled};
use crate::search::{Judged, Look};
use crate::verdict::{Evidence, LiveEvidence, Status, evidence, parts_of_runs};

/// What was measured so far at loads that are not decided.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    open: Vec<Open>,
}

/// A load that is not decided.
#[derive(Debug, Clone)]
struct Open {
    load: f64,
    runs: Vec<Measure>,
    /// How often it was looked at them.
    looks: u32,
}

impl Pool {
    /// Judges what was measured in a trial of a load, together with what was measured there before. It was looked at this trial
    /// so often, this time included.
    pub fn judged<P>(
        &self,
        model: &Model<P>,
        load: f64,
        measure: &Measure,
        live: &LiveEvidence,
        looks: u32,
    ) -> Judged {
        let look = self.look(load, looks);
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
        (looks, to_come): (u32, u64),
    ) -> Option<Status> {
        let look = self.look(load, looks);
        self.with(load, measure, |whole, runs| {
            let parts = parts_of_runs(whole, runs);
            settled(&of(model, whole, live), &parts, look, to_come)
        })
    }

    /// Takes how a trial was judged at which it was looked so often. One that did not decide its load is kept for those after
    /// it, unless the generator was its limit.
    pub fn take(&mut self, load: f64, measure: &Measure, judged: &Judged, looks: u32) {
        match judged.status {
            Status::Pass | Status::Trip => self.open.retain(|open| open.load != load),
            Status::Inconclusive if judged.generator_limits.is_empty() => {
                self.keep(load, measure, looks);
            }
            Status::Inconclusive => {}
        }
    }

    fn keep(&mut self, load: f64, measure: &Measure, looks: u32) {
        let at = self.open.iter().position(|open| open.load == load);
        let at = at.unwrap_or_else(|| {
            self.open.push(Open {
                load,
                runs: Vec::new(),
                looks: 0,
            });
            self.open.len() - 1
        });
        let open = &mut self.open[at];
        open.runs.push(measure.clone());
        open.looks = open.looks.saturating_add(looks);
    }

    fn of(&self, load: f64) -> Option<&Open> {
        self.open.iter().find(|open| open.load == load)
    }

    /// The look of this number at a trial of a load, after those at the ones before.
    fn look(&self, load: f64, number: u32) -> Look {
        let before = self.of(load).map_or(0, |open| open.looks);
        (1..before.saturating_add(number)).fold(Look::FIRST, |look, _| look.next())
    }

    fn with<T>(
        &self,
        load: f64,
        measure: &Measure,
        then: impl FnOnce(&Measure, &[&Measure]) -> T,
    ) -> T {
        let Some(open) = self.of(load) else {
            return then(measure, &[measure]);
        };
        let mut whole = measure.clone();
        open.runs.iter().for_each(|run| whole.merge(run));
        let runs: Vec<&Measure> = open.runs.iter().chain([measure]).collect();
        then(&whole, &runs)
    }
}

/// The evidence of trials of a load. That there are objectives was found out before the search.
fn of<P>(model: &Model<P>, measure: &Measure, live: &LiveEvidence) -> Evidence {
    evidence(model, measure, false, live).unwrap_or_default()
}
