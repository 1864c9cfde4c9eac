//! The findings of a validation: errors of the model, and what it probably lacks.

use super::curve::Curve;
use super::objectives::{MetUpTo, ObjectiveResult};
use super::{About, CapacityResult, ErrorResult, LoadValidation};
use crate::compare::OutcomeResult;

/// Figures that a sentence sums up.
const TOLD: [&str; 4] = ["throughput", "p50", "p95", "p99"];
/// A median that is off by no more than this share is none to look for a reason for.
const SMALL: f64 = 0.02;
/// A median that is so near is right.
const RIGHT: f64 = 0.05;
/// More failures than predicted by this share of all requests are worth a sentence.
const FAILED: f64 = 0.001;

/// What keeps runs from being trusted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust<'a> {
    /// All of it, in sentences.
    pub reservations: &'a [String],
    /// The loads at which something else was at work.
    pub disturbed: &'a [f64],
    /// Whether the generator was the limit of a run.
    pub is_limited: bool,
}

pub(super) fn findings(
    (loads, capacity, objectives): (
        &[LoadValidation],
        Option<&CapacityResult>,
        &[ObjectiveResult],
    ),
    curves: [&Curve; 2],
    trust: Trust<'_>,
    about: &About<'_>,
) -> Vec<String> {
    let full = curves.iter().filter_map(|curve| curve.full()).min();
    let below: Vec<&LoadValidation> = loads[..full.unwrap_or(loads.len()).min(loads.len())]
        .iter()
        .filter(|load| !trust.disturbed.contains(&load.load))
        .collect();
    let below = below.as_slice();
    let mut all = Vec::new();
    all.extend(how_far(below, full.is_some(), about));
    all.extend(capacity.map(at_the_top));
    all.extend(objectives.iter().map(|one| met_up_to(one, about)));
    if !loads.is_empty() && full.is_none() {
        all.push("The loads do not reach the capacity of the system, so its largest throughput is not known.".to_owned());
    }
    if !loads.is_empty() && curves[0].points.iter().all(|point| point.throughput == 0.0) {
        all.push("No request was answered in any live run.".to_owned());
        return all;
    }
    let before = all.len();
    all.extend(constant(below).or_else(|| growing(below, about)));
    // Where the generator was the limit it says nothing of the system.
    all.extend(capacity.filter(|_| !trust.is_limited).and_then(carried));
    all.extend(tail(below, about));
    all.extend(failures(loads, about));
    if all.len() == before && !loads.is_empty() {
        all.push(
            match differ(loads) {
                _ if !trust.reservations.is_empty() => {
                    "Whether the model lacks something is not known: not all runs are valid; the reasons are at the end."
                }
                None => "No difference exceeds chance; use more runs (--repeats) or longer runs (--hold).",
                Some(true) => "These figures do not show what the model lacks; compare the errors load by load.",
                Some(false) => "No difference is more than chance: these runs show nothing that the model lacks.",
            }
            .to_owned(),
        );
    }
    all
}

/// Up to which load an objective is met.
fn met_up_to(of: &ObjectiveResult, about: &About<'_>) -> String {
    let told = |met: &MetUpTo| {
        let load = (about.shown)(met.load);
        match (met.is_met, met.is_reached) {
            (true, true) if met.is_between => format!("up to {load}"),
            (true, true) => format!("at {load} and not at the next load"),
            (true, false) => format!("at all loads up to {load}"),
            (false, _) => format!("not even at {load}, the smallest load"),
        }
    };
    let error = of
        .error
        .map_or(String::new(), |error| format!(": {}", percent(error)));
    format!(
        "{} of {} within {}: predicted {}, measured {}{error}.",
        of.name,
        of.action,
        millis(of.limit_ms),
        told(&of.predicted),
        told(&of.measured),
    )
}

/// Which predictions are beyond the loads that the model was fitted to.
pub(super) fn extrapolated(
    loads: &[LoadValidation],
    fitted: &[f64],
    about: &About<'_>,
) -> Option<String> {
    let largest = fitted.iter().copied().fold(0.0, f64::max);
    let smallest = fitted.iter().copied().fold(f64::INFINITY, f64::min);
    let is_beyond = |load: f64| load > largest || load < smallest;
    let beyond = loads.iter().filter(|load| is_beyond(load.load));
    let beyond: Vec<String> = beyond.map(|load| (about.shown)(load.load)).collect();
    (!beyond.is_empty()).then(|| {
        format!(
            "The model was fitted to loads from {} to {}; predictions at {} extrapolate.",
            (about.shown)(smallest),
            (about.shown)(largest),
            beyond.join(", ")
        )
    })
}

/// Whether anything differs by more than chance; `None` where nothing could be tested.
fn differ(loads: &[LoadValidation]) -> Option<bool> {
    let marks = loads.iter().flat_map(|load| {
        let actions = load.actions.values().flatten();
        let figures = load.figures.iter().chain(actions);
        let outcomes = load.outcomes.iter().map(|one| one.more_than_chance);
        figures.map(|one| one.more_than_chance).chain(outcomes)
    });
    let tested: Vec<bool> = marks.flatten().collect();
    (!tested.is_empty()).then(|| tested.contains(&true))
}

fn figure<'a>(load: &'a LoadValidation, name: &str) -> Option<&'a ErrorResult> {
    load.figures.iter().find(|figure| figure.name == name)
}

fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

/// The largest errors below the ceiling.
fn how_far(below: &[&LoadValidation], is_below: bool, about: &About<'_>) -> Option<String> {
    let worst = |name: &&str| {
        let errors = below.iter().filter_map(|load| {
            let figure = figure(load, name)?;
            Some((
                figure.more_than_chance == Some(true),
                figure.error?,
                load.load,
            ))
        });
        // What is more than chance comes before what may be none.
        let (is_told, error, load) = errors.max_by(|one, other| {
            let by_size = one.1.abs().total_cmp(&other.1.abs());
            one.0.cmp(&other.0).then(by_size)
        })?;
        let chance = if is_told { "" } else { " (may be chance)" };
        Some(format!(
            "{name} {} at {}{chance}",
            percent(error),
            (about.shown)(load)
        ))
    };
    let worst: Vec<String> = TOLD.iter().filter_map(worst).collect();
    let largest = (about.shown)(below.last()?.load);
    (!worst.is_empty()).then(|| {
        format!(
            "Largest errors of the predictions{} up to {largest}: {}.",
            if is_below {
                " at loads within the capacity,"
            } else {
                ""
            },
            worst.join(", ")
        )
    })
}

fn at_the_top(capacity: &CapacityResult) -> String {
    let interval = capacity.error_ci95.map_or(String::new(), |[low, high]| {
        format!(" (95 %: {} to {})", percent(low), percent(high))
    });
    let spread = capacity.spread.map_or(String::new(), |spread| {
        format!(", where live runs differ by {:.1} %", spread * 100.0)
    });
    let least = |is_reached: bool| if is_reached { "" } else { "at least " };
    format!(
        "Largest throughput: predicted {}{:.1}/s, measured {}{:.1}/s: {}{interval}{spread}.",
        least(capacity.is_predicted_reached),
        capacity.predicted,
        least(capacity.is_measured_reached),
        capacity.measured,
        percent(capacity.error)
    )
}

/// How much longer the measured median of a load is than the predicted one, in milliseconds.
struct Lack {
    size: f64,
    /// Its interval.
    ends: [f64; 2],
    /// Whether it is more than chance, and not too little to look for.
    is_told: bool,
}

impl Lack {
    fn of(load: &LoadValidation) -> Option<Lack> {
        let p50 = figure(load, "p50")?;
        let (measured, error, [low, high]) = (p50.measured?, p50.error?, p50.error_ci95?);
        Some(Lack {
            size: -error * measured,
            ends: [-high * measured, -low * measured],
            is_told: p50.more_than_chance == Some(true) && error.abs() > SMALL,
        })
    }
}

/// Time that is missing, or too much, by the same at every load: each interval holds the mean of all, in which exact ones weigh more.
fn constant(below: &[&LoadValidation]) -> Option<String> {
    let lacks: Vec<Lack> = below.iter().filter_map(|load| Lack::of(load)).collect();
    if lacks.iter().filter(|lack| lack.is_told).count() < 2 {
        return None;
    }
    let weight = |lack: &Lack| (lack.ends[1] - lack.ends[0]).powi(-2);
    let weights: f64 = lacks.iter().map(weight).sum();
    let mean = lacks
        .iter()
        .map(|lack| weight(lack) * lack.size)
        .sum::<f64>()
        / weights;
    let holds = |lack: &Lack| lack.ends[0] <= mean && mean <= lack.ends[1];
    if !mean.is_finite() || !lacks.iter().all(holds) {
        return None;
    }
    Some(match mean > 0.0 {
        true => format!(
            "The median is about {} longer than predicted, by the same time at every load within the capacity: the \
             model lacks a constant, such as network delay ({} more of network.one_way) or work of the service.",
            millis(mean),
            millis(mean / 2.0)
        ),
        false => format!(
            "The median is about {} shorter than predicted, by the same time at every load within the capacity: service \
             times or network delays of the spec are too long.",
            millis(-mean)
        ),
    })
}

/// Times that are off to one side at every load, and not by the same.
fn growing(below: &[&LoadValidation], about: &About<'_>) -> Option<String> {
    let lacks: Vec<(f64, Lack)> = below
        .iter()
        .filter_map(|load| Some((load.load, Lack::of(load)?)))
        .collect();
    let told: Vec<String> = lacks
        .iter()
        .filter(|(_, lack)| lack.is_told)
        .map(|(load, _)| (about.shown)(*load))
        .collect();
    let sign = lacks.first()?.1.size.signum();
    if told.is_empty() || lacks.iter().any(|(_, lack)| lack.size * sign < 0.0) {
        return None;
    }
    let (longer, times, workers) = match sign > 0.0 {
        true => ("longer", "short", "many"),
        false => ("shorter", "long", "few"),
    };
    Some(format!(
        "The median is {longer} than predicted at every load within the capacity, by more than chance at {}: service \
         times of the spec are too {times}, or its workers too {workers}.",
        told.join(", ")
    ))
}

/// Milliseconds as the spec reads them.
fn millis(of: f64) -> String {
    match of >= 1.0 {
        true => format!("{of:.1}ms"),
        false => format!("{:.0}us", (of * 1e3).max(1.0)),
    }
}

/// A system that carries more or less than its model.
fn carried(capacity: &CapacityResult) -> Option<String> {
    let [low, high] = match (capacity.is_measured_reached, capacity.is_predicted_reached) {
        (true, true) => capacity.error_ci95?,
        // What is not reached is more.
        (true, false) => [capacity.error, f64::INFINITY],
        (false, _) => [f64::NEG_INFINITY, capacity.error],
    };
    if low > 0.0 {
        return Some(
            "The capacity of the system is below that of the model: it may have fewer workers than the spec, or \
             services that slow down when busy, wait for one another, or share the machine with the generator."
                .to_owned(),
        );
    }
    (high < 0.0).then(|| {
        "The capacity of the system is above that of the model: its service times are shorter than in the spec, or it \
         has more workers."
            .to_owned()
    })
}

/// A tail that is longer than predicted above a median that is right.
fn tail(below: &[&LoadValidation], about: &About<'_>) -> Option<String> {
    let is_tail = |load: &&&LoadValidation| {
        let (Some(p50), Some(p99)) = (figure(load, "p50"), figure(load, "p99")) else {
            return false;
        };
        p50.error.is_some_and(|error| error.abs() <= RIGHT)
            && p99.more_than_chance == Some(true)
            && p99.error < Some(-2.0 * RIGHT)
    };
    let loads: Vec<String> = below
        .iter()
        .filter(is_tail)
        .map(|load| (about.shown)(load.load))
        .collect();
    (!loads.is_empty()).then(|| {
        format!(
            "At {} the median is right but the p99 is longer than predicted: the machine or the service has pauses that \
             the model lacks (outages, slow_downs), or service times have a longer tail than in the spec.",
            loads.join(", ")
        )
    })
}

/// Requests that fail and should not, and those that should and do not.
fn failures(loads: &[LoadValidation], about: &About<'_>) -> Vec<String> {
    let of = |sign: f64| {
        let told = |load: &LoadValidation| {
            let failed = load.outcomes.iter().filter(|one| one.outcome != "ok");
            // What is predicted less what was measured.
            let size = |one: &OutcomeResult| -sign * one.difference;
            let worst = failed.max_by(|one, other| size(one).total_cmp(&size(other)))?;
            (size(worst) > FAILED && worst.more_than_chance != Some(false)).then(|| {
                format!(
                    "{:.1} % of the requests at {} ({}; {:.1} % predicted)",
                    worst.baseline * 100.0,
                    (about.shown)(load.load),
                    worst.outcome,
                    worst.other * 100.0
                )
            })
        };
        loads.iter().filter_map(told).collect::<Vec<String>>()
    };
    let sentences = [("More", of(1.0)), ("Fewer", of(-1.0))];
    let sentences = sentences.into_iter().filter(|(_, all)| !all.is_empty());
    sentences
        .map(|(which, all)| {
            format!(
                "{which} requests failed than predicted: {}.",
                all.join(", ")
            )
        })
        .collect()
}
