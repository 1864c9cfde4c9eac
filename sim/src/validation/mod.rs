//! How far the predictions of a model are from what was measured at the same loads.
//!
//! Each load was simulated several times and measured several times, with the same warm-up and window. What differs there is what
//! [`compare`](crate::compare) says of two sets of runs, the measured ones being the baseline; here the loads are put together:
//! the largest throughput, loads of equal latency, and what the model probably misses. A prediction is held against the spread
//! of the measurement, which is what a second measurement would have been off by.

mod curve;
mod document;
mod findings;

pub use document::{
    CapacityResult, EqualLatencyResult, ErrorResult, LoadValidation, VALIDATION_SCHEMA,
    ValidationResult, validation_json_schema,
};

use crate::compare::{
    ALPHA, CompareResult, Compared, ERRORS, Estimate, FigureResult, GroupResult, ToleranceResult,
    Tolerances, Unlike, compare, figure_of, mark_together, verdict,
};
use crate::result::SpecIdentity;
use crate::statistics::LEVEL;
use crate::verdict::Status;
use curve::{Curve, Point};

/// A load, and the runs of it.
#[derive(Debug, Clone)]
pub struct AtLoad {
    /// The load.
    pub load: f64,
    /// Live runs.
    pub measured: Vec<Compared>,
    /// Simulated runs.
    pub predicted: Vec<Compared>,
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
    /// How long runs were not measured at their start, and how long they were, in seconds.
    pub lengths_s: [f64; 2],
    /// How many runs there were to be of each load.
    pub repeats: u64,
    /// Whether it was ended before all of them were made.
    pub interrupted: bool,
}

/// Puts the runs of all loads together and holds them against what is tolerated.
///
/// # Errors
/// Where the runs of a load are not of one workload.
pub fn validate(
    about: &About<'_>,
    loads: Vec<AtLoad>,
    tolerances: &Tolerances,
) -> Result<ValidationResult, Unlike> {
    let mut reservations = Vec::new();
    let mut all = Vec::new();
    for one in loads {
        let shown = (about.shown)(one.load);
        let AtLoad {
            load,
            measured,
            predicted,
        } = one.without_empty(&shown, &mut reservations);
        let missing = about.repeats.saturating_sub(measured.len() as u64);
        if missing > 0 {
            reservations.push(format!(
                "{missing} of {} live runs at {shown} are missing",
                about.repeats
            ));
        }
        if measured.is_empty() || predicted.is_empty() {
            continue;
        }
        let mut found = compare([&measured, &predicted], tolerances)?;
        let swapped = compare([&predicted, &measured], tolerances)?;
        found.tolerances = tolerated(found.tolerances, swapped.tolerances);
        let of_load = found.reservations.iter();
        reservations.extend(of_load.map(|one| format!("{shown}: {one}")));
        let points = [&measured, &predicted].map(|runs| Point::of(load, runs));
        all.push((at_load(load, [&measured, &predicted], found), points));
    }
    all.sort_by(|one, other| one.0.load.total_cmp(&other.0.load));
    let (mut loads, points): (Vec<LoadValidation>, Vec<[Point; 2]>) = all.into_iter().unzip();
    let [measured, predicted] =
        [0, 1].map(|world| Curve::of(points.iter().map(|of| of[world]).collect()));
    for (load, point) in loads.iter_mut().zip(&measured.points) {
        load.equal_latency =
            predicted
                .load_of_latency(point.p95)
                .map(|predicted_load| EqualLatencyResult {
                    predicted_load,
                    error: predicted_load / load.load - 1.0,
                });
    }
    let tests = mark(&mut loads);
    let capacity = capacity(&loads, [&measured, &predicted]);
    let findings = findings::findings(&loads, capacity.as_ref(), [&measured, &predicted], about);
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
        capacity,
        findings,
        verdict: (!tolerances.0.is_empty()).then(|| {
            let all = loads.iter().flat_map(|load| load.tolerances.clone());
            let all: Vec<ToleranceResult> = all.collect();
            // Of nothing nothing was tolerated.
            verdict(&all, &reservations).unwrap_or(Status::Inconclusive)
        }),
        reservations,
        interrupted: about.interrupted,
        loads,
    })
}

impl AtLoad {
    /// Without the runs in which nothing was intended, of which there is nothing to compare.
    fn without_empty(mut self, shown: &str, reservations: &mut Vec<String>) -> AtLoad {
        let before = self.measured.len();
        self.measured
            .retain(|run| run.run.window.requests.intended > 0);
        if self.measured.len() < before {
            reservations.push(format!(
                "no request was intended within the measured window of a live run at {shown}: lengthen the runs (--hold)"
            ));
        }
        self.predicted
            .retain(|run| run.run.window.requests.intended > 0);
        self
    }
}

/// How a load stands to what is tolerated. That more requests fail than the model says is what errors are about, so these are told from
/// the prediction, and all else from the measurement.
fn tolerated(
    measured: Vec<ToleranceResult>,
    predicted: Vec<ToleranceResult>,
) -> Vec<ToleranceResult> {
    let is_of_errors = |one: &ToleranceResult| one.figure == ERRORS;
    let figures = measured.into_iter().filter(|one| !is_of_errors(one));
    figures
        .chain(predicted.into_iter().filter(is_of_errors))
        .collect()
}

fn at_load(load: f64, runs: [&[Compared]; 2], found: CompareResult) -> LoadValidation {
    let CompareResult {
        total,
        actions,
        tolerances,
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
            .map(|figure| error_of(figure, runs[0], action))
            .collect()
    };
    LoadValidation {
        load,
        measured_runs: runs[0].len() as u64,
        predicted_runs: runs[1].len() as u64,
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
    for load in loads {
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
fn capacity(loads: &[LoadValidation], curves: [&Curve; 2]) -> Option<CapacityResult> {
    curves.iter().find(|curve| curve.full().is_some())?;
    let [measured_at, predicted_at] = curves.map(Curve::most);
    let throughput = |at: Option<usize>| loads.get(at?)?.figures.iter().find(is_throughput);
    let (measured, predicted) = (throughput(measured_at)?, throughput(predicted_at)?);
    let own = Estimate::of(
        measured.measured?,
        measured.measured_ci95,
        loads[measured_at?].measured_runs,
    );
    let other = Estimate::of(
        predicted.predicted?,
        predicted.predicted_ci95,
        loads[predicted_at?].predicted_runs,
    );
    let difference = own.difference(&other)?;
    Some(CapacityResult {
        measured_at: loads[measured_at?].load,
        measured: own.figure,
        spread: measured.spread,
        predicted_at: loads[predicted_at?].load,
        predicted: other.figure,
        error: difference.relative,
        error_ci95: difference.interval,
    })
}

fn is_throughput(figure: &&ErrorResult) -> bool {
    figure.name == "throughput"
}
