//! The plots of a comparison of runs.

use blis_sim::compare::{CompareResult, CourseResult, GroupResult};
use blis_sim::result::{LatencyBlock, Run};

use super::quantiles::{distribution, quantiles};
use crate::report::difference::{between, signed};
use crate::report::plot::{Axis, Form, Plot, PlotRow, Quantity, Scale, Series, readable};

/// The two sides, and differences that are more than chance and those that are not.
const BASELINE: usize = 1;
const OTHER: usize = 2;
const TOLD: usize = 2;
const CHANCE: usize = 6;
/// Most actions with plots of their own.
const MOST: usize = 4;
/// Most runs of a side that are drawn.
const RUNS: usize = 3;

/// The runs of both sides, the baseline first.
pub type Sides<'a> = [Vec<&'a Run>; 2];

/// The distributions of both sides, and how far they are apart.
pub fn compare(found: &CompareResult, sides: &Sides<'_>) -> Vec<Plot> {
    let mut plots = Vec::new();
    if let Some(group) = &found.total {
        plots.push(differences("all requests", group));
        plots.push(distributions("all requests", sides, |run| {
            Some(&run.latency_ms.response)
        }));
    }
    for (name, group) in found.actions.iter().take(MOST) {
        plots.push(differences(name, group));
        plots.push(distributions(name, sides, |run| {
            run.actions
                .get(name)
                .map(|action| &action.latency_ms.response)
        }));
    }
    plots
}

/// The differences with their intervals.
fn differences(name: &str, group: &GroupResult) -> Plot {
    let rows = group.figures.iter().filter_map(|figure| {
        let at = figure.difference?;
        Some(PlotRow {
            name: figure.name.clone(),
            shown: shown(at, figure.difference_ci95),
            colour: match figure.more_than_chance {
                Some(true) => TOLD,
                _ => CHANCE,
            },
            form: Form::Estimate {
                at,
                within: figure.difference_ci95,
                beside: None,
            },
        })
    });
    Plot::rows(
        format!("Differences: {name}"),
        "By how much the other side differs from the baseline, as a share of it, with 95 % intervals; at 0 they are the same.",
        Axis::new("difference", Quantity::Share, Scale::FromZero),
        rows.collect(),
    )
    .coloured(&[(TOLD, "more than chance"), (CHANCE, "not told from chance")])
}

/// A difference with its interval.
pub fn shown(at: f64, within: Option<[f64; 2]>) -> String {
    match within {
        None => signed(at),
        Some(_) => format!("{} ({})", signed(at), between(within)),
    }
}

/// The quantiles of every run of both sides.
fn distributions<'a>(
    name: &str,
    sides: &Sides<'a>,
    of: impl Fn(&'a Run) -> Option<&'a LatencyBlock>,
) -> Plot {
    let mut each = Vec::new();
    for ((side, colour), runs) in [("baseline", BASELINE), ("other", OTHER)]
        .into_iter()
        .zip(sides)
    {
        for (at, run) in runs.iter().take(RUNS).enumerate() {
            let name = match runs.len() {
                1 => side.to_owned(),
                _ => format!("{side} {}", at + 1),
            };
            each.extend(of(run).map(|block| distribution(name, colour, block)));
        }
    }
    quantiles(
        &format!("Response time by percentile: {name}"),
        "The share of the requests that had a response time of at most this, in the runs of both sides; bars are 95 % intervals.",
        "response time",
        each,
        None,
    )
}

/// The courses of both sides.
pub fn courses(course: &[CourseResult]) -> Vec<Plot> {
    let over = |of: fn(&CourseResult) -> Option<f64>| {
        let parts = course.iter();
        parts.map(move |part| (part.start_s + part.width_s / 2.0, of(part)))
    };
    let rates = [
        Series::line("baseline", BASELINE, over(|part| part.baseline_rps)),
        Series::line("other", OTHER, over(|part| part.other_rps)),
    ];
    let means = [
        Series::line("baseline", BASELINE, over(|part| part.baseline_mean_ms)),
        Series::line("other", OTHER, over(|part| part.other_mean_ms)),
    ];
    let values = means.iter().flat_map(|one| &one.points);
    let scale = readable(values.map(|point| point.y));
    vec![
        Plot::curves(
            "Answered over time",
            "Requests answered ok per second of the first run of each side.",
            [
                Axis::time(),
                Axis::new("requests/s", Quantity::Number(""), Scale::FromZero),
            ],
            rates,
        ),
        Plot::curves(
            "Mean response time over time",
            "Mean response time of what was answered, of the first run of each side.",
            [
                Axis::time(),
                Axis::new("response time", Quantity::Millis, scale),
            ],
            means,
        ),
    ]
}
