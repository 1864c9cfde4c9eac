//! The report of `blis validate`.

use blis_sim::compare::SPREAD_RUNS;
use blis_sim::validation::{ErrorResult, LoadValidation, ValidationResult};
use blis_sim::verdict::Status;

use super::calibration::fitted;
use super::difference::{between, held, named, signed, told, written};
use super::number::{millis, percent, significant};
use super::parts::{Block, Report, Section};
use super::table::Table;
use super::{figures, provenance};
use crate::ceiling::Unit;

/// How far the predictions of a model are from what was measured.
pub fn validation(found: &ValidationResult) -> Report {
    let unit = Unit::named(&found.unit, &found.parameter);
    let mut sections = vec![
        Section::of([Block::Lines(vec![head(found)])]),
        Section::of([Block::Lines(found.findings.clone())]),
        Section::plots(figures::validation(found)).headed("Predicted and measured"),
    ];
    sections.extend(found.calibration.as_ref().map(fitted));
    sections.extend([errors(found, unit, "all requests", |load| {
        Some(&load.figures)
    })]);
    let names: Vec<&String> = match found.loads.first() {
        Some(load) => load.actions.keys().collect(),
        None => Vec::new(),
    };
    sections.extend(
        names
            .iter()
            .map(|name| errors(found, unit, name, |load| load.actions.get(*name))),
    );
    sections.push(Section::of([Block::Lines(equal_latency(found, unit))]));
    sections.push(tolerances(found, unit));
    sections.push(Section::of([Block::Notes(notes(found, unit))]));
    sections.push(provenance::of_validation(found));
    Report {
        title: "Validation".to_owned(),
        sections,
    }
}

fn head(found: &ValidationResult) -> String {
    let runs = found.loads.iter().map(|load| load.measured_runs).max();
    format!(
        "{}, predicted and measured over {}: {} loads, up to {} live runs each, {} window after {} warm-up{}",
        found.spec.name,
        found.parameter,
        found.loads.len(),
        runs.unwrap_or(0),
        millis(found.measured_s * 1e3),
        millis(found.warmup_s * 1e3),
        if found.interrupted {
            "; INTERRUPTED"
        } else {
            ""
        }
    )
}

/// The figures of a group of requests by load.
fn errors<'a>(
    found: &'a ValidationResult,
    unit: Unit,
    name: &str,
    of: impl Fn(&'a LoadValidation) -> Option<&'a Vec<ErrorResult>>,
) -> Section {
    let mut table = Table::new(&[
        name,
        "",
        "measured",
        "spread",
        "predicted",
        "error",
        "95 %",
        "more than chance",
    ]);
    for load in &found.loads {
        let figures = of(load).into_iter().flatten();
        for (at, figure) in figures.enumerate() {
            let shown = match at {
                0 => unit.shown(load.load),
                _ => String::new(),
            };
            table.row(row(shown, figure));
        }
    }
    Section::of([Block::Table(table)])
}

fn row(load: String, figure: &ErrorResult) -> [String; 8] {
    [
        load,
        named(&figure.name, &figure.unit),
        written(figure.measured, figure.measured_ci95, &figure.unit),
        figure.spread.map_or("-".to_owned(), percent),
        written(figure.predicted, figure.predicted_ci95, &figure.unit),
        figure.error.map_or("-".to_owned(), signed),
        between(figure.error_ci95),
        told(figure.more_than_chance),
    ]
}

/// Where the model has the p95 that was measured.
fn equal_latency(found: &ValidationResult, unit: Unit) -> Vec<String> {
    let lines = found.loads.iter().filter_map(|load| {
        let equal = load.equal_latency.as_ref()?;
        Some(format!(
            "The p95 measured at {} is predicted at {}: load {}",
            unit.shown(load.load),
            between_loads(unit, equal.predicted_load),
            signed(equal.error)
        ))
    });
    lines.collect()
}

/// A load between those that were tried, which may be no whole number where these are.
fn between_loads(unit: Unit, load: f64) -> String {
    match unit {
        Unit::Whole => significant(load),
        _ => unit.shown(load),
    }
}

fn tolerances(found: &ValidationResult, unit: Unit) -> Section {
    let Some(verdict) = found.verdict else {
        return Section::empty();
    };
    let several = found
        .loads
        .iter()
        .all(|load| load.measured_runs >= SPREAD_RUNS as u64);
    let rows = found.loads.iter().flat_map(|load| {
        let shown = unit.shown(load.load);
        let all = load.tolerances.iter();
        all.map(move |one| (format!("{shown}: {} of {}", one.figure, one.of), one))
    });
    let mut section = held(rows, several, verdict);
    if verdict == Status::Inconclusive
        && let Some(why) = found.reservations.first()
    {
        section
            .blocks
            .push(Block::Lines(vec![format!("not all runs are valid: {why}")]));
    }
    section
}

fn notes(found: &ValidationResult, unit: Unit) -> Vec<String> {
    let what = format!(
        "`spread` is the standard deviation between live runs; `error` is (predicted - measured) / measured; 95 % intervals hold for each figure alone; `more than chance` is corrected for {} simultaneous tests",
        found.tests
    );
    let few = found
        .loads
        .iter()
        .any(|load| load.measured_runs < SPREAD_RUNS as u64);
    let few = few.then(|| {
        format!(
            "intervals of fewer than {SPREAD_RUNS} live runs do not include the variation between runs; raise --repeats"
        )
    });
    let of_loads = found.loads.iter().flat_map(|load| {
        let shown = unit.shown(load.load);
        let notes = load.notes.iter();
        notes.map(move |note| format!("{shown}: {note}"))
    });
    [what]
        .into_iter()
        .chain(few)
        .chain(of_loads)
        .chain(found.notes.iter().cloned())
        .chain(found.reservations.iter().cloned())
        .collect()
}
