//! The plots of a search for a ceiling.

use std::collections::BTreeSet;

use blis_sim::result::{CeilingResult, PredictedResult, SignalResult, TrialResult};
use blis_sim::verdict::Status;

use super::waterfall;
use crate::ceiling::Unit;
use crate::report::difference::signed;
use crate::report::plot::{
    Axis, Form, Mark, On, Plot, PlotRow, Point, Quantity, Reference, Scale, Series, readable,
};

/// Most objectives and services with a plot or a line of their own.
const MOST: usize = 4;
/// What was measured, what the model says, and how trials were judged.
const MEASURED: usize = 1;
const MODEL: usize = 4;
const PASSED: usize = 3;
const MISSED: usize = 2;
const OPEN: usize = 5;

/// Response times, throughput, errors and utilisation over load, and the trials in their order.
pub fn ceiling(found: &CeilingResult) -> Vec<Plot> {
    let mut plots = objectives(found);
    plots.push(throughput(found));
    plots.push(failures(found));
    plots.push(utilisation(found));
    plots.push(search(found));
    plots
}

/// The axis of what was varied.
pub fn load_axis(parameter: &str, unit: Unit) -> Axis {
    let quantity = match unit {
        Unit::Milliseconds => Quantity::Millis,
        Unit::PerSecond => Quantity::Number("1/s"),
        Unit::Bytes => Quantity::Number("B"),
        Unit::Percent => Quantity::Share,
        Unit::Number | Unit::Whole => Quantity::Number(""),
    };
    Axis::new(parameter, quantity, Scale::Linear)
}

fn axis(found: &CeilingResult) -> Axis {
    let unit = Unit::named(&found.varied.unit, &found.varied.parameter);
    let loads = found.trials.iter().map(|trial| trial.load);
    let mut axis = load_axis(&found.varied.parameter, unit);
    // A ramp from 10 to 1,000 is one of factors.
    if readable(loads) == Scale::Log {
        axis.scale = Scale::Log;
    }
    axis
}

/// The answer across a plot of loads.
fn answer(found: &CeilingResult) -> Option<Reference> {
    let answer = found.answer.as_ref()?;
    let unit = Unit::named(&found.varied.unit, &found.varied.parameter);
    Some(Reference {
        name: format!("answer {}", unit.shown(answer.value)),
        on: On::X,
        at: answer.value,
        within: answer.value_ci95,
    })
}

/// The trials by their loads.
fn by_load(found: &CeilingResult) -> Vec<&TrialResult> {
    let mut trials: Vec<&TrialResult> = found.trials.iter().collect();
    trials.sort_by(|one, other| one.load.total_cmp(&other.load));
    trials
}

/// What the model says of loads: the curve before the search, and what it says of the loads of the trials.
fn by_model(found: &CeilingResult) -> Vec<&PredictedResult> {
    let before = found.prediction.iter().flat_map(|one| &one.trials);
    let of_trials = found.trials.iter().filter_map(|one| one.predicted.as_ref());
    let mut all: Vec<&PredictedResult> = before.chain(of_trials).collect();
    all.sort_by(|one, other| one.load.total_cmp(&other.load));
    all.dedup_by(|one, other| one.load == other.load);
    all
}

/// One plot for each objective that has a value in milliseconds.
fn objectives(found: &CeilingResult) -> Vec<Plot> {
    let signals = found.trials.iter().flat_map(|trial| &trial.signals);
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let is_quantile = |signal: &&SignalResult| {
        let percent = signal.name.strip_prefix('p');
        percent.is_some_and(|percent| percent.parse::<f64>().is_ok())
    };
    let first = signals.filter(is_quantile);
    let each: Vec<&SignalResult> = first
        .filter(|signal| seen.insert((signal.of.as_str(), signal.name.as_str())))
        .take(MOST)
        .collect();
    each.into_iter().map(|one| objective(found, one)).collect()
}

fn objective(found: &CeilingResult, signal: &SignalResult) -> Plot {
    let of = |signals: &[SignalResult]| {
        let same = |one: &&SignalResult| one.of == signal.of && one.name == signal.name;
        signals.iter().find(same).and_then(|one| one.measured)
    };
    let measured = by_load(found)
        .into_iter()
        .map(|trial| (trial.load, of(&trial.signals)));
    let predicted = by_model(found)
        .into_iter()
        .map(|model| (model.load, of(&model.signals)));
    let series = [
        Series::line("measured", MEASURED, measured).drawn(Mark::Marked),
        Series::line("model", MODEL, predicted).drawn(Mark::Band),
    ];
    let points = series.iter().flat_map(|one| &one.points);
    let scale = readable(points.map(|point| point.y).chain([signal.limit]));
    let whose = signal.of.strip_prefix("Action ").unwrap_or(&signal.of);
    let limits = found.tiers.iter().flat_map(|tiers| &tiers.limits);
    let limits: Vec<f64> = match found.tiers {
        Some(_) => limits.map(|tier| tier.limit_ms).collect(),
        None => vec![signal.limit],
    };
    let limits = limits.into_iter().map(|limit| Reference {
        name: format!("objective {}", Quantity::Millis.shown(limit)),
        on: On::Y,
        at: limit,
        within: None,
    });
    Plot::curves(
        format!("{} of {whose} over {}", signal.name, found.varied.parameter),
        format!(
            "The {} of the response times of {whose} in every trial, beside its objective and the answer with its 95 % interval.",
            signal.name
        ),
        [axis(found), Axis::new("response time", Quantity::Millis, scale)],
        series,
    )
    .against(limits.chain(answer(found)))
}

fn throughput(found: &CeilingResult) -> Plot {
    let trials = by_load(found);
    let of = |value: fn(&TrialResult) -> Option<f64>| {
        let trials = trials.clone().into_iter();
        trials.map(move |trial| (trial.load, value(trial)))
    };
    let predicted = by_model(found).into_iter();
    let predicted = predicted.map(|model| (model.load, model.throughput_rps));
    Plot::curves(
        format!("Throughput over {}", found.varied.parameter),
        "Requests sent and answered ok per second in every trial; where answered falls behind sent, the load is more than the system carries.",
        [
            axis(found),
            Axis::new("requests/s", Quantity::Number(""), Scale::FromZero),
        ],
        [
            Series::line("answered", MEASURED, of(|trial| trial.throughput_rps)).drawn(Mark::Marked),
            Series::line("sent", MISSED, of(|trial| trial.achieved_rps)),
            Series::line("model", MODEL, predicted).drawn(Mark::Band),
        ],
    )
    .against(answer(found))
}

fn failures(found: &CeilingResult) -> Plot {
    let trials = by_load(found);
    let some = trials
        .iter()
        .any(|trial| trial.error_share().is_some_and(|share| share > 0.0));
    let points = trials
        .into_iter()
        .map(|trial| (trial.load, trial.error_share()));
    let series = Series::line("failed", MISSED, points).drawn(Mark::Marked);
    let limits = found.trials.iter().flat_map(|trial| &trial.signals);
    let mut limits: Vec<&SignalResult> = limits.filter(|signal| signal.name == "errors").collect();
    limits.dedup_by(|one, other| one.limit == other.limit);
    let limit = limits.first().map(|signal| Reference {
        name: format!("objective {}", Quantity::Share.shown(signal.limit)),
        on: On::Y,
        at: signal.limit,
        within: None,
    });
    Plot::curves(
        format!("Failures over {}", found.varied.parameter),
        "Share of the requests sent that did not end ok, in every trial.",
        [
            axis(found),
            Axis::new("failed", Quantity::Share, Scale::FromZero),
        ],
        some.then_some(series),
    )
    .against(limit.into_iter().chain(answer(found)))
}

fn utilisation(found: &CeilingResult) -> Plot {
    let trials = by_load(found);
    let models = by_model(found);
    let names = trials.iter().flat_map(|trial| trial.services.keys());
    let of_models = models.iter().flat_map(|model| model.utilisation.keys());
    let names: BTreeSet<&String> = names.chain(of_models).collect();
    let mut series = Vec::new();
    for (at, name) in names.into_iter().take(MOST).enumerate() {
        let measured = trials.iter().map(|trial| {
            let service = trial.services.get(name);
            (trial.load, service.and_then(|one| one.utilisation))
        });
        series.push(Series::line(name, at + 1, measured).drawn(Mark::Marked));
        let predicted = models.iter();
        let predicted = predicted.map(|model| (model.load, model.utilisation.get(name).copied()));
        series.push(Series::line(format!("{name} (model)"), at + 1, predicted).drawn(Mark::Band));
    }
    Plot::curves(
        format!("Utilisation over {}", found.varied.parameter),
        "Share of the time that the workers of each service were busy, in every trial.",
        [
            axis(found),
            Axis::new("busy", Quantity::Share, Scale::FromZero),
        ],
        series,
    )
    .against(answer(found))
}

/// The trials in the order in which they ran.
fn search(found: &CeilingResult) -> Plot {
    let judged = |name: &str, colour: usize, status: Status| {
        let numbered = found.trials.iter().zip(1_u32..);
        let those = numbered.filter(|(trial, _)| trial.verdict == status);
        let points = those.map(|(trial, number)| (f64::from(number), Some(trial.load)));
        Series::line(name, colour, points).drawn(Mark::Marks)
    };
    let y = axis(found);
    let at = answer(found).map(|answer| Reference {
        on: On::Y,
        ..answer
    });
    Plot::curves(
        "The search",
        "The load of every trial in the order in which they ran, and how it was judged.",
        [Axis::new("trial", Quantity::Number(""), Scale::Linear), y],
        [
            judged("passed", PASSED, Status::Pass),
            judged("missed", MISSED, Status::Trip),
            judged("inconclusive", OPEN, Status::Inconclusive),
        ],
    )
    .against(at)
}

/// What would raise the ceiling.
pub fn remedies(found: &CeilingResult) -> Plot {
    let rows = found.remedies.iter().filter_map(|remedy| {
        let gain = remedy.gain?;
        let within = remedy.gain_ci95.map_or(String::new(), |[low, high]| {
            format!(" ({} to {})", signed(low), signed(high))
        });
        Some(PlotRow {
            name: remedy.what.clone(),
            shown: format!("{}{within}", signed(gain)),
            colour: if remedy.brings { PASSED } else { 6 },
            form: Form::Estimate {
                at: gain,
                within: remedy.gain_ci95,
                beside: None,
            },
        })
    });
    Plot::rows(
        "What would help",
        "By how much each change would raise the ceiling, as simulated on the same random numbers, with 95 % intervals; the largest gain first.",
        Axis::new("gain", Quantity::Share, Scale::FromZero),
        rows.collect(),
    )
    .coloured(&[(PASSED, "raises the ceiling"), (6, "not told from none")])
}

/// Where the time of slow requests goes at the answer.
pub fn slow(found: &CeilingResult) -> Option<Plot> {
    let of_model = found.prediction.as_ref().and_then(|one| one.slow.as_ref());
    let slow = found.slow.as_ref().or(of_model)?;
    Some(waterfall(slow))
}

/// A figure at a load with its interval.
pub fn at_load(load: f64, value: Option<f64>, within: Option<[f64; 2]>) -> Option<Point> {
    Some(Point {
        x: load,
        y: value?,
        within,
    })
}
