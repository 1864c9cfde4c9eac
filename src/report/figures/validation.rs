//! The plots of a validation.

use blis_sim::validation::{ErrorResult, LoadValidation, ValidationResult};

use super::ceiling::{at_load, load_axis};
use super::compare::shown;
use crate::ceiling::Unit;
use crate::report::number::percent;
use crate::report::plot::{Axis, Form, Mark, Plot, PlotRow, Quantity, Scale, Series, readable};

/// What was measured and what was predicted; errors that are more than chance and those that are not.
const MEASURED: usize = 2;
const PREDICTED: usize = 1;
const TOLD: usize = 2;
const CHANCE: usize = 6;
/// The figures over load, and those whose errors are shown.
const FIGURES: [(&str, &str); 5] = [
    ("throughput", "Throughput"),
    ("mean", "Mean response time"),
    ("p50", "p50"),
    ("p95", "p95"),
    ("p99", "p99"),
];

/// What was predicted and measured over load, and how far off that is.
pub fn validation(found: &ValidationResult) -> Vec<Plot> {
    let over_load = FIGURES.into_iter();
    let mut plots: Vec<Plot> = over_load
        .filter(|(name, _)| *name != "mean")
        .map(|(name, title)| figure(found, name, title))
        .collect();
    let errors = FIGURES.into_iter();
    plots.extend(errors.map(|(name, title)| error(found, name, title)));
    plots
}

fn of<'a>(load: &'a LoadValidation, name: &str) -> Option<&'a ErrorResult> {
    load.figures.iter().find(|figure| figure.name == name)
}

fn figure(found: &ValidationResult, name: &str, title: &str) -> Plot {
    let figures = || {
        let loads = found.loads.iter();
        loads.filter_map(move |load| Some((load.load, of(load, name)?)))
    };
    let measured =
        figures().filter_map(|(load, one)| at_load(load, one.measured, one.measured_ci95));
    let predicted =
        figures().filter_map(|(load, one)| at_load(load, one.predicted, one.predicted_ci95));
    let series = [
        Series {
            name: "measured".to_owned(),
            colour: MEASURED,
            mark: Mark::Marks,
            points: measured.collect(),
        },
        Series {
            name: "predicted".to_owned(),
            colour: PREDICTED,
            mark: Mark::Band,
            points: predicted.collect(),
        },
    ];
    let y = match name {
        "throughput" => Axis::new("requests/s", Quantity::Number(""), Scale::FromZero),
        _ => {
            let points = series.iter().flat_map(|one| &one.points);
            let scale = readable(points.map(|point| point.y));
            Axis::new("response time", Quantity::Millis, scale)
        }
    };
    Plot::curves(
        format!("{title} over {}", found.parameter),
        "What the model predicts, with its 95 % interval as a band, and what was measured, with 95 % intervals as bars.",
        [load_axis(&found.parameter, unit(found)), y],
        series,
    )
}

fn error(found: &ValidationResult, name: &str, title: &str) -> Plot {
    let rows = found.loads.iter().filter_map(|load| {
        let figure = of(load, name)?;
        let at = figure.error?;
        let spread = figure.spread.map_or(String::new(), |spread| {
            format!(", spread {}", percent(spread))
        });
        Some(PlotRow {
            name: unit(found).shown(load.load),
            shown: format!("{}{spread}", shown(at, figure.error_ci95)),
            colour: match figure.more_than_chance {
                Some(true) => TOLD,
                _ => CHANCE,
            },
            form: Form::Estimate {
                at,
                within: figure.error_ci95,
                beside: figure.spread.map(|spread| [-spread, spread]),
            },
        })
    });
    Plot::rows(
        format!("Error of the model: {}", title.to_lowercase()),
        "(predicted - measured) / measured at each load, with 95 % intervals; the pale bar is the standard deviation between the live runs, to either side.",
        Axis::new("error", Quantity::Share, Scale::FromZero),
        rows.collect(),
    )
    .coloured(&[(TOLD, "more than chance"), (CHANCE, "not told from chance")])
}

fn unit(found: &ValidationResult) -> Unit {
    Unit::named(&found.unit, &found.parameter)
}
