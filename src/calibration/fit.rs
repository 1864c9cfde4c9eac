//! One fit from start to end: the starting point, the search, and the conclusion.
//!
//! All commands that fit a model use it, so that a fit of the same runs is the same.

use std::time::Instant;

use blis_sim::analysis::{Constraints, constraints};
use blis_sim::calibration::explain::{Explained, Explanations, Question, explain};
use blis_sim::calibration::structure::Structure;
use blis_sim::calibration::{CalibrationResult, findings};
use blis_sim::model::{Model, Path};
use blis_sim::result::SpecIdentity;

use super::conclusion::{Conclusion, conclude, provenance};
use super::errors::error_share;
use super::recordings::Recording;
use super::start::{Fixed, Start, start};
use super::world::{World, spec_with};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::memory;
use crate::provenance::identity;
use crate::report::number::runs_in_words;
use crate::simulate::threads;
use crate::workload::Variations;

/// Sample paths that the model's figures are the mean of, and about how many requests they have together.
const PATHS: u64 = 4;
const FEWEST_PATHS: u64 = 2;
const REQUESTS: u64 = 2_000_000;

/// What is fitted to which runs.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    /// The spec whose model is fitted.
    pub variations: &'a Variations<Path>,
    /// The runs.
    pub runs: &'a [Recording],
    /// What is not fitted.
    pub fixed: Fixed<'a>,
    /// How many threads simulate; all cores where this is not given.
    pub threads: Option<u64>,
    /// Whether loads to measure next are wanted.
    pub plans: bool,
    /// Whether the number of members comes from what instances said.
    pub has_members: bool,
    /// Whether to stop.
    pub interrupt: &'a Interrupt,
    /// When the fit has to be done, where it has to.
    pub deadline: Option<Instant>,
    /// Is told what is done.
    pub say: &'a dyn Fn(&str),
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit {
    /// What was found, and how sure it is.
    pub document: CalibrationResult,
    /// The values that make the spec the fitted one, as `--set` takes them.
    pub assignments: Vec<String>,
}

impl Fitting<'_> {
    /// Fits the model; `None` where it was interrupted.
    ///
    /// # Errors
    /// Those of [`start`] and [`Variations`]; [`Failure::Usage`] where the model cannot be simulated at any of its numbers, or not beside
    /// those that were fitted.
    pub fn fit(&self) -> Result<Option<Fit>, Failure> {
        let (workload, _) = self.variations.workload(&self.variations.spec(&[])?)?;
        let Start {
            structure,
            point,
            free,
        } = self.start(&workload.model)?;
        let (interrupt, deadline) = (self.interrupt, self.deadline);
        let is_late = move || deadline.is_some_and(|deadline| Instant::now() > deadline);
        let stop = move || interrupt.asked() || is_late();
        let threads = threads(&workload.model, self.threads);
        let world = World {
            variations: self.variations,
            runs: self.runs,
            seed: workload.model.seed,
            most_present: memory::most_requests() / threads.get() as u64,
            stop: &stop,
        };
        let simulated =
            |structure: &Structure, point: &[f64], path: u64| world.figures(structure, point, path);
        let measured: Vec<Vec<f64>> = self.runs.iter().map(|run| run.figures.clone()).collect();
        let requests: u64 = self.runs.iter().map(|run| run.requests).sum();
        let question = Question {
            measured: &measured,
            world: &simulated,
            paths: (REQUESTS / requests.max(1)).clamp(FEWEST_PATHS, PATHS),
            threads,
            stop: &stop,
        };
        (self.say)(&begun(&structure, requests, self.runs.len()));
        let found = explain(question, (structure, point), &free);
        if stop() {
            return self.stopped();
        }
        let found = found.ok_or_else(nothing_found)?;
        let best = found.all.first().ok_or_else(nothing_found)?;
        (self.say)("computing intervals, leaving each run out once");
        let document = self.document((world, question), (&found, best), identity(&workload));
        if stop() {
            return self.stopped();
        }
        let document = document.ok_or_else(no_intervals)?;
        Ok(Some(self.fitted(&workload.model, best, document)))
    }

    /// What was found, and how sure it is; `None` where a simulation beside the fitted numbers is not possible.
    fn document(
        &self,
        (world, question): (World<'_>, Question<'_>),
        (found, best): (&Explanations, &Explained),
        spec: SpecIdentity,
    ) -> Option<CalibrationResult> {
        let capacity = |model: &Model| {
            let binding = self.busiest(model);
            binding.binding().map(|one| one.capacity())
        };
        let unloaded_ms = |model: &Model| Some(self.busiest(model).offered.unloaded_response * 1e3);
        let conclusion = Conclusion {
            world,
            question,
            found,
            best,
            capacity: &capacity,
            unloaded_ms: &unloaded_ms,
            plans: self.plans,
            has_members: self.has_members,
        };
        conclude(&conclusion, spec)
    }

    /// The fitted model, with its share of errors, which needs no simulation.
    fn fitted(&self, model: &Model, best: &Explained, mut document: CalibrationResult) -> Fit {
        let mut assignments = best.structure.rounded(&best.fitted.point);
        if let Some(share) = error_share(model, self.runs, self.fixed) {
            assignments.push(share.assignment());
            document.notes.extend(share.note());
            document.numbers.push(share.number());
        }
        assignments.push(provenance(&document));
        document.findings = findings(&document);
        Fit {
            document,
            assignments,
        }
    }

    /// The result of a fit that was stopped.
    fn stopped(&self) -> Result<Option<Fit>, Failure> {
        match self.interrupt.asked() {
            true => Ok(None),
            false => Err(Failure::Overgrown(
                "the fit did not finish within its share of --time-limit; allow more time, give fewer loads, or keep \
                 known values (--fix)"
                    .to_owned(),
            )),
        }
    }

    /// Where the fit starts, which is simulated once so that what keeps it from that is told as it is.
    fn start(&self, model: &Model) -> Result<Start, Failure> {
        let takes = |set: &str| {
            let spec = spec_with(self.variations, &[set.to_owned()]);
            spec.and_then(|spec| self.variations.model(&spec)).is_ok()
        };
        let start = start(model, self.runs, self.fixed, &takes)?;
        let set = start.structure.assignments(&start.point);
        self.variations.model(&spec_with(self.variations, &set)?)?;
        Ok(start)
    }

    /// The constraints of a model with the users of the largest load, and so with the mix of their actions.
    fn busiest(&self, model: &Model) -> Constraints {
        let mut model = model.clone();
        let largest = self
            .runs
            .iter()
            .max_by(|one, other| one.load().total_cmp(&other.load()));
        if let Some(run) = largest {
            model.clients.clone_from(&run.clients);
            model.limits = run.limits;
        }
        constraints(&model)
    }
}

/// What is said when a fit begins.
fn begun(structure: &Structure, requests: u64, runs: usize) -> String {
    let names = structure.parameters().into_iter().map(|one| one.name);
    format!(
        "fitting {} to {} with {requests} requests",
        names.collect::<Vec<_>>().join(", "),
        runs_in_words(runs)
    )
}

fn nothing_found() -> Failure {
    Failure::Usage(
        "no numbers were found with which the model can be simulated; start from a spec nearer to the measurement (--spec)"
            .to_owned(),
    )
}

fn no_intervals() -> Failure {
    Failure::Usage(
        "the fitted model cannot be simulated near its numbers, so they have no intervals; start from a spec nearer to the \
         measurement (--spec)"
            .to_owned(),
    )
}
