//! Predictions of a model compared with measurements at the same loads.
//!
//! Each load was simulated and measured several times, with the same warm-up and window. [`compare`](crate::compare) finds the
//! differences of the two sets of runs, with the measured ones as the baseline; here the loads are combined: the largest
//! throughput, loads of equal latency, and what the model probably lacks. A prediction is compared with the spread of the
//! measurement, the error that a second measurement would have.

mod curve;
mod document;
mod findings;
mod load;
mod objectives;

pub use document::{CapacityResult, VALIDATION_SCHEMA, ValidationResult, validation_json_schema};
pub use load::{EqualLatencyResult, ErrorResult, LoadValidation};
pub use objectives::{MetUpTo, Objective, ObjectiveResult};

use crate::calibration::CalibrationResult;
use crate::compare::{
    ALPHA, CompareResult, Compared, ERRORS, Estimate, FigureResult, GroupResult, SPREAD_RUNS,
    Standing, ToleranceResult, Tolerances, Unlike, censored, compare, failures_of_baseline,
    figure_of, generator_limits, mark_together, unlike_loads, verdict,
};
use crate::result::SpecIdentity;
use crate::statistics::LEVEL;
use crate::verdict::Status;
use curve::{Curve, Point};
use findings::Trust;

/// A load, and the runs of it.
#[derive(Debug, Clone)]
pub struct AtLoad {
    /// The load.
    pub load: f64,
    /// Live runs.
    pub measured: Vec<Compared>,
    /// Simulated runs.
    pub predicted: Vec<Compared>,
    /// What else may have made the load of live runs heavier than it is, in sentences: then none of them tells against the model.
    pub disturbed_by: Vec<String>,
}

/// What was validated.
pub struct About<'a> {
    /// The model.
    pub spec: SpecIdentity,
    /// What was varied, and its unit.
    pub parameter: &'a str,
    /// The name of its unit in documents.
    pub unit: &'a str,
    /// How a load is written for people.
    pub shown: &'a dyn Fn(f64) -> String,
    /// Whether users wait for answers, so that a system that is full shows in how little more of them send.
    pub is_closed: bool,
    /// How long runs were not measured at their start, and how long they were, in seconds.
    pub lengths_s: [f64; 2],
    /// How many runs there were to be of each load.
    pub repeats: u64,
    /// Limits up to which a load may go.
    pub objectives: &'a [Objective],
    /// Whether it was ended before all of them were made.
    pub interrupted: bool,
}

/// Puts the runs of all loads together and holds them against what is tolerated.
///
/// # Errors
/// Where the runs of a load are not of one workload.
pub fn validate(
    about: &About<'_>,
    mut loads: Vec<AtLoad>,
    tolerances: &Tolerances,
) -> Result<ValidationResult, Unlike> {
    loads.sort_by(|one, other| one.load.total_cmp(&other.load));
    let mut reservations = Vec::new();
    let loads = loads
        .into_iter()
        .map(|one| one.without_empty(about, &mut reservations));
    let loads: Vec<AtLoad> = loads.collect();
    let loads: Vec<&AtLoad> = loads
        .iter()
        .filter(|one| !one.measured.is_empty() && !one.predicted.is_empty())
        .collect();
    let found = loads
        .iter()
        .map(|one| compared(one, about, tolerances, &mut reservations));
    let mut found = found.collect::<Result<Vec<LoadValidation>, Unlike>>()?;
    let curve = |of: fn(&AtLoad) -> &[Compared]| {
        let points = loads.iter().map(|one| Point::of(one.load, of(one)));
        Curve::of(points.collect(), about.is_closed)
    };
    let curves = [curve(|one| &one.measured), curve(|one| &one.predicted)];
    for (load, point) in found.iter_mut().zip(&curves[0].points) {
        let predicted_load = curves[1].load_of_latency(point);
        load.equal_latency = predicted_load.map(|predicted_load| EqualLatencyResult {
            predicted_load,
            error: predicted_load / load.load - 1.0,
        });
    }
    let tests = mark(&mut found);
    let disturbed: Vec<f64> = loads
        .iter()
        .filter(|one| !one.disturbed_by.is_empty())
        .map(|one| one.load)
        .collect();
    let capacity = capacity(&loads, &found, [&curves[0], &curves[1]]);
    let objectives = objectives::met_up_to(&found, about.objectives);
    let findings = findings::findings(
        (&found, capacity.as_ref(), &objectives),
        [&curves[0], &curves[1]],
        Trust {
            reservations: &reservations,
            disturbed: &disturbed,
            is_limited: loads
                .iter()
                .flat_map(|one| &one.measured)
                .any(|run| !generator_limits(&run.run).is_empty()),
        },
        about,
    );
    Ok(ValidationResult {
        schema: VALIDATION_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        spec: about.spec.clone(),
        parameter: about.parameter.to_owned(),
        unit: about.unit.to_owned(),
        level: LEVEL,
        tests: tests as u64,
        warmup_s: about.lengths_s[0],
        measured_s: about.lengths_s[1],
        calibration: None,
        capacity,
        objectives,
        findings,
        notes: Vec::new(),
        verdict: (!tolerances.0.is_empty()).then(|| {
            let all = found.iter().flat_map(|load| load.tolerances.clone());
            let all: Vec<ToleranceResult> = all.collect();
            // Of nothing nothing was tolerated.
            verdict(&all, &reservations).unwrap_or(Status::Inconclusive)
        }),
        reservations,
        interrupted: about.interrupted,
        loads: found,
    })
}

impl ValidationResult {
    /// Something that became known afterwards keeps the runs from being trusted: nothing passes, and nothing tells against the model.
    pub fn distrust(&mut self, why: &str) {
        self.reservations.push(why.to_owned());
        if self.verdict.is_some() {
            self.verdict = Some(Status::Inconclusive);
        }
    }
}

/// A fit before the predictions.
pub struct Fit<'a> {
    /// What was found.
    pub calibration: &'a CalibrationResult,
    /// The loads that it was fitted to.
    pub loads: &'a [f64],
    /// The runs that had to be left out of it, and why, in sentences.
    pub left_out: &'a [String],
}

impl ValidationResult {
    /// The model was fitted before it predicted anything.
    pub fn fitted(&mut self, about: &About<'_>, fit: &Fit<'_>) {
        let extrapolated = findings::extrapolated(&self.loads, fit.loads, about);
        self.findings.splice(0..0, extrapolated);
        self.notes.extend(fit.left_out.iter().cloned());
        self.calibration = Some(fit.calibration.clone());
    }
}

impl AtLoad {
    /// Without the runs in which nothing was intended, of which there is nothing to compare; says what is missing.
    fn without_empty(mut self, about: &About<'_>, reservations: &mut Vec<String>) -> AtLoad {
        let shown = (about.shown)(self.load);
        let is_empty = |run: &Compared| run.run.window.requests.intended == 0;
        for (runs, world) in [
            (&mut self.measured, "live"),
            (&mut self.predicted, "simulated"),
        ] {
            if runs.iter().any(is_empty) {
                reservations.push(format!(
                    "{shown}: a {world} run has no request in its window; lengthen the runs (--hold)"
                ));
                runs.retain(|run| !is_empty(run));
            }
        }
        let missing = about.repeats.saturating_sub(self.measured.len() as u64);
        if missing > 0 {
            reservations.push(format!(
                "{shown}: {} of {} live runs can be compared",
                self.measured.len(),
                about.repeats
            ));
        }
        let mut disturbances = self.disturbed_by.clone();
        disturbances.sort();
        disturbances.dedup();
        reservations.extend(disturbances.iter().map(|why| format!("{shown}: {why}")));
        self
    }
}

/// How both worlds compare at a load, and what keeps its runs from being trusted.
fn compared(
    one: &AtLoad,
    about: &About<'_>,
    tolerances: &Tolerances,
    reservations: &mut Vec<String>,
) -> Result<LoadValidation, Unlike> {
    let mut found = compare([&one.measured, &one.predicted], tolerances)?;
    let sides = [one.measured.as_slice(), one.predicted.as_slice()];
    let more_fail = failures_of_baseline(&found, tolerances, sides);
    found.tolerances = tolerated(found.tolerances, more_fail);
    // That users who wait for answers offer another load is what is compared.
    let unlike = unlike_loads(sides).filter(|_| !about.is_closed);
    found.notes = unlike.into_iter().chain(censored(sides)).collect();
    if !one.disturbed_by.is_empty() {
        let beyond = found.tolerances.iter_mut();
        beyond
            .filter(|one| one.standing == Standing::Beyond)
            .for_each(|one| one.standing = Standing::Undecided);
    }
    let shown = (about.shown)(one.load);
    let of_load = found.reservations.iter();
    reservations.extend(of_load.map(|why| format!("{shown}: {why}")));
    Ok(at_load(one, found))
}

/// How a load stands to what is tolerated. Times and throughput are told from the measurement; that more requests fail than the model says is
/// told from the prediction, and that fewer do is told where it is more than is tolerated.
fn tolerated(
    measured: Vec<ToleranceResult>,
    more_fail: Vec<ToleranceResult>,
) -> Vec<ToleranceResult> {
    let told = |one: &ToleranceResult| one.figure != ERRORS || one.standing == Standing::Beyond;
    let figures = measured.into_iter().filter(told);
    figures.chain(more_fail).collect()
}

fn at_load(of: &AtLoad, found: CompareResult) -> LoadValidation {
    let CompareResult {
        total,
        actions,
        tolerances,
        notes,
        ..
    } = found;
    let (whole, actions) = match total {
        Some(total) => (Some((total, None)), actions),
        // One action is all requests; where not all actions are in both worlds, there is no whole.
        None if actions.len() == 1 => {
            let only = actions.into_iter().next();
            (
                only.map(|(name, group)| (group, Some(name))),
                Default::default(),
            )
        }
        None => (None, actions),
    };
    let errors = |group: &GroupResult, action: Option<&str>| -> Vec<ErrorResult> {
        let figures = group.figures.iter();
        figures
            .map(|figure| error_of(figure, &of.measured, action))
            .collect()
    };
    LoadValidation {
        load: of.load,
        measured_runs: of.measured.len() as u64,
        predicted_runs: of.predicted.len() as u64,
        figures: whole
            .as_ref()
            .map(|(group, name)| errors(group, name.as_deref()))
            .unwrap_or_default(),
        actions: actions
            .iter()
            .map(|(name, group)| (name.clone(), errors(group, Some(name))))
            .collect(),
        outcomes: whole.map(|(group, _)| group.outcomes).unwrap_or_default(),
        equal_latency: None,
        tolerances,
        notes,
    }
}

fn error_of(figure: &FigureResult, measured: &[Compared], action: Option<&str>) -> ErrorResult {
    let runs = measured.iter();
    let of_runs: Option<Vec<f64>> = runs
        .map(|run| Some(figure_of(&run.run, action, &figure.name)?.figure))
        .collect();
    ErrorResult {
        name: figure.name.clone(),
        unit: figure.unit.clone(),
        measured: figure.baseline,
        measured_ci95: figure.baseline_ci95,
        spread: of_runs.and_then(|figures| spread(&figures)),
        predicted: figure.other,
        predicted_ci95: figure.other_ci95,
        error: figure.difference,
        error_ci95: figure.difference_ci95,
        p: figure.p,
        more_than_chance: None,
    }
}

/// Says of every error that was tested whether it is more than chance, all loads together. How many that were.
fn mark(loads: &mut [LoadValidation]) -> usize {
    let mut tested: Vec<(f64, &mut Option<bool>)> = Vec::new();
    // What changes from one live run to the next is in no interval of fewer.
    let are_told = |load: &&mut LoadValidation| load.measured_runs >= SPREAD_RUNS as u64;
    for load in loads.iter_mut() {
        for outcome in &mut load.outcomes {
            outcome.more_than_chance = None;
        }
    }
    for load in loads.iter_mut().filter(are_told) {
        let of_actions = load.actions.values_mut().flatten();
        for figure in load.figures.iter_mut().chain(of_actions) {
            tested.extend(figure.p.map(|p| (p, &mut figure.more_than_chance)));
        }
        for outcome in &mut load.outcomes {
            tested.extend(outcome.p.map(|p| (p, &mut outcome.more_than_chance)));
        }
    }
    mark_together(&mut tested, ALPHA)
}

/// The standard deviation as a share of the mean; `None` of fewer than two.
fn spread(figures: &[f64]) -> Option<f64> {
    let number = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / number;
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    (figures.len() > 1 && mean > 0.0).then(|| libm::sqrt(squares / (number - 1.0)) / mean)
}

/// The largest throughput in both worlds, where the loads reach it in one of them.
fn capacity(
    loads: &[&AtLoad],
    found: &[LoadValidation],
    curves: [&Curve; 2],
) -> Option<CapacityResult> {
    let are_full = curves.map(|curve| curve.full().is_some());
    if are_full == [false, false] {
        return None;
    }
    let [measured_at, predicted_at] = [curves[0].most()?, curves[1].most()?];
    let throughput = |runs: &[Compared]| {
        let of_runs = runs
            .iter()
            .map(|run| figure_of(&run.run, None, "throughput"));
        Estimate::of_runs(&of_runs.collect::<Option<Vec<Estimate>>>()?)
    };
    let measured = throughput(&loads[measured_at].measured)?;
    let predicted = throughput(&loads[predicted_at].predicted)?;
    let difference = measured.difference(&predicted)?;
    let figures = found[measured_at].figures.iter();
    Some(CapacityResult {
        measured_at: loads[measured_at].load,
        measured: measured.figure,
        is_measured_reached: are_full[0],
        spread: figures
            .filter(is_throughput)
            .find_map(|figure| figure.spread),
        predicted_at: loads[predicted_at].load,
        predicted: predicted.figure,
        is_predicted_reached: are_full[1],
        error: difference.relative,
        // Of what is not reached only a bound is known.
        error_ci95: difference.interval.filter(|_| are_full == [true, true]),
    })
}

fn is_throughput(figure: &&ErrorResult) -> bool {
    figure.name == "throughput"
}
