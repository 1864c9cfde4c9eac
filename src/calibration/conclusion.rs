//! From the result of a fit to the document, and to the written spec.

use std::collections::BTreeMap;

use blis_sim::analysis::{PathDemand, path_demand};
use blis_sim::calibration::explain::{Explained, Explanations, Question};
use blis_sim::calibration::goodness::{OfRun, goodness, of_runs};
use blis_sim::calibration::knowledge::{Knowledge, Known};
use blis_sim::calibration::next_load::tells;
use blis_sim::calibration::structure::{Kind, Parameter, Structure};
use blis_sim::calibration::{
    CALIBRATION_SCHEMA, CalibrationResult, ChoiceResult, ExplanationResult, FitResult,
    NextLoadResult, NumberResult, RunCalibration,
};
use blis_sim::model::Model;
use blis_sim::number::count;
use blis_sim::result::SpecIdentity;
use blis_sim::spec::MOST_RUNS;
use blis_sim::statistics::LEVEL;
use blis_sim::visible;

use super::recordings::{MOST_REQUESTS, Recording};
use super::sources::sources;
use super::world::{World, at_load};
use crate::report::number::{millis, runs_in_words, significant};

/// Loads that may be measured next, as shares of what the model carries.
const NEXT: [f64; 6] = [0.1, 0.3, 0.5, 0.7, 0.85, 0.95];

/// A quantity that follows from a model.
pub type OfModel<'a> = &'a dyn Fn(&Model) -> Option<f64>;

/// What a document is made of.
pub struct Conclusion<'a> {
    /// The runs, and the model for them.
    pub world: World<'a>,
    /// What was asked.
    pub question: Question<'a>,
    /// What was found.
    pub found: &'a Explanations,
    /// The best of it.
    pub best: &'a Explained,
    /// Requests per second that a model carries.
    pub capacity: OfModel<'a>,
    /// Milliseconds that a request takes where nothing is waited for.
    pub unloaded_ms: OfModel<'a>,
    /// Whether loads to measure next are wanted.
    pub plans: bool,
    /// Whether the number of members comes from what instances said.
    pub has_members: bool,
}

/// The document, without what its figures say; `None` where a simulation beside the fitted numbers is not possible.
pub fn conclude(of: &Conclusion<'_>, spec: SpecIdentity) -> Option<CalibrationResult> {
    let Conclusion {
        question,
        found,
        best,
        ..
    } = of;
    let knowledge = Knowledge::of(*question, found)?;
    let fitted = of.world.model(&best.structure, &best.fitted.point)?;
    let twins = twins(of, &fitted);
    Some(CalibrationResult {
        schema: CALIBRATION_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        spec,
        level: LEVEL,
        goodness: goodness(best.fitted.squares, best.freedom()),
        numbers: numbers(&knowledge, best, &twins),
        choices: choices(found, best),
        follows: follows(of, &knowledge),
        explanations: explanations(found),
        runs: runs(of)?,
        next_loads: match of.plans {
            true => next_loads(of, &knowledge, &fitted),
            false => Vec::new(),
        },
        findings: Vec::new(),
        sources: sources(of.world.runs, of.has_members),
        notes: notes(of, &twins, &fitted),
    })
}

/// The fitted numbers.
fn numbers(knowledge: &Knowledge<'_>, best: &Explained, twins: &[Vec<&str>]) -> Vec<NumberResult> {
    let named = |(known, parameter): (Known, Parameter)| match parameter.kind {
        Kind::Delay | Kind::Time => number(known, "ms", 1e-6),
        Kind::Variation(_) => number(known, "", 1.0),
    };
    let kinds = best.structure.parameters();
    let mut all: Vec<NumberResult> = knowledge
        .numbers()
        .into_iter()
        .zip(kinds)
        .map(named)
        .collect();
    mark(&mut all, twins);
    all
}

/// What follows from them.
fn follows(of: &Conclusion<'_>, knowledge: &Knowledge<'_>) -> Vec<NumberResult> {
    let all = [
        ("capacity", "1/s", of.capacity),
        ("unloaded_response", "ms", of.unloaded_ms),
    ];
    let all = all.into_iter().filter_map(|(name, unit, value)| {
        let follows =
            |structure: &Structure, point: &[f64]| value(&of.world.model(structure, point)?);
        Some(number(knowledge.follows(name, &follows)?, unit, 1.0))
    });
    all.collect()
}

/// How each run is explained.
fn runs(of: &Conclusion<'_>) -> Option<Vec<RunCalibration>> {
    let held = of_runs(of.question, of.best)?;
    let one = |(run, held): (&Recording, OfRun)| {
        let figures = run.labels.iter().zip(&run.figures).zip(held.figures);
        let millis = |log: f64| log.exp() / 1e6;
        RunCalibration {
            name: run.name.clone(),
            offered_rps: run.offered_rps,
            users: (run.users > 0).then_some(run.users),
            requests: run.requests,
            failed: run.failed,
            goodness: held.goodness,
            figures: figures
                .map(|(((action, name), measured), held)| FitResult {
                    action: action.clone(),
                    name: name.clone(),
                    measured_ms: millis(*measured),
                    fitted_ms: millis(held.fitted),
                    off_sd: held.off,
                    left_out_ms: held.left_out.map(|[log, _]| millis(log)),
                    left_out_off_sd: held.left_out.map(|[_, off]| off),
                })
                .collect(),
        }
    };
    Some(of.world.runs.iter().zip(held).map(one).collect())
}

fn number(known: Known, unit: &str, factor: f64) -> NumberResult {
    NumberResult {
        unit: unit.to_owned(),
        value: known.value * factor,
        ci95: known.interval.map(|end| end * factor),
        told: known.is_told(),
        name: known.name,
        tied_to: known.tied_to,
    }
}

/// Workers and families of the best structure, with those that explain the runs as well.
fn choices(found: &Explanations, best: &Explained) -> Vec<ChoiceResult> {
    let mut all = Vec::new();
    for (nth, service) in best.structure.services.iter().enumerate() {
        let as_good = || found.as_good().map(|one| &one.structure.services[nth]);
        if let Some(workers) = service.workers {
            let mut others: Vec<u32> = as_good().filter_map(|one| one.workers).collect();
            others.sort_unstable();
            others.dedup();
            let tried = found.all.iter();
            let most = tried.filter_map(|one| one.structure.services[nth].workers);
            let is_open = others.len() > 1 && most.max() == others.last().copied();
            let mut others: Vec<String> = others.iter().map(u32::to_string).collect();
            if let Some(last) = others.last_mut().filter(|_| is_open) {
                last.push_str(" or more");
            }
            all.push(ChoiceResult {
                name: format!("services.{}.workers", service.name),
                value: workers.to_string(),
                as_good: others,
            });
        }
        if let Some(family) = service.family {
            let others = as_good().filter_map(|one| one.family);
            let mut others: Vec<String> = others.map(|one| one.name().to_owned()).collect();
            others.sort();
            others.dedup();
            all.push(ChoiceResult {
                name: format!("services.{}.time", service.name),
                value: family.name().to_owned(),
                as_good: others,
            });
        }
    }
    all
}

/// Services of which everything is fitted and that every request visits as often as one another: their round trips are the same
/// whichever of them is which.
fn twins<'a>(of: &Conclusion<'a>, model: &Model) -> Vec<Vec<&'a str>> {
    let demands = model
        .actions
        .iter()
        .map(|action| path_demand(model, action));
    let demands: Vec<_> = demands.collect();
    let visits = |name: &str| -> Vec<u64> {
        let at = model.services.iter().position(|one| one.name == name);
        let of_action = |demand: &PathDemand| at.map_or(0.0, |at| demand.visits[at]).to_bits();
        demands.iter().map(of_action).collect()
    };
    let mut groups: BTreeMap<Vec<u64>, Vec<&str>> = BTreeMap::new();
    let fitted = of.best.structure.services.iter();
    for service in fitted.filter(|one| one.workers.is_some() && one.family.is_some()) {
        groups
            .entry(visits(&service.name))
            .or_default()
            .push(&service.name);
    }
    groups
        .into_values()
        .filter(|group| group.len() > 1)
        .collect()
}

/// Marks the numbers of services that could be one another.
fn mark(numbers: &mut [NumberResult], twins: &[Vec<&str>]) {
    for number in numbers {
        for group in twins {
            let own = group
                .iter()
                .find(|name| number.name.starts_with(&format!("services.{name}.")));
            let Some(own) = own else { continue };
            let others = group.iter().filter(|name| *name != own);
            let key = |name: &&str| number.name.replacen(*own, name, 1);
            number.tied_to = others.map(key).collect();
            number.told = false;
        }
    }
}

fn explanations(found: &Explanations) -> Vec<ExplanationResult> {
    let as_good: Vec<&Explained> = found.as_good().collect();
    let one = |one: &Explained| ExplanationResult {
        set: one.structure.rounded(&one.fitted.point),
        chi_square: one.fitted.squares,
        criterion: one.criterion,
        as_good: as_good.iter().any(|good| std::ptr::eq(*good, one)),
    };
    found.all.iter().map(one).collect()
}

/// What further runs would tell, the one that tells most first.
fn next_loads(
    of: &Conclusion<'_>,
    knowledge: &Knowledge<'_>,
    fitted: &Model,
) -> Vec<NextLoadResult> {
    let Some(run) = of
        .world
        .runs
        .iter()
        .max_by(|one, other| one.load().total_cmp(&other.load()))
    else {
        return Vec::new();
    };
    let Some(capacity) = (of.capacity)(fitted) else {
        return Vec::new();
    };
    // Of users, those that keep what binds busy, and more of them.
    let full = match run.users {
        0 => capacity,
        users => users as f64 * capacity / (run.offered_rps * (1.0 - run.failed)).max(1e-9),
    };
    let at = |share: &f64| next_load(of, knowledge, at_load(run, share * full / run.load()));
    let mut all: Vec<NextLoadResult> = NEXT.iter().filter_map(at).collect();
    all.dedup_by(|one, other| one.load == other.load);
    all.sort_by(|one, other| {
        let apart = |one: &NextLoadResult| one.apart.unwrap_or(0.0);
        apart(other)
            .total_cmp(&apart(one))
            .then(one.half_width.total_cmp(&other.half_width))
    });
    all
}

/// What a run at this load would tell.
fn next_load(
    of: &Conclusion<'_>,
    knowledge: &Knowledge<'_>,
    run: Recording,
) -> Option<NextLoadResult> {
    let (load, figures) = (run.load(), run.figures.len());
    let unit = if run.users == 0 { "1/s" } else { "" };
    let there = World {
        runs: &[run],
        ..of.world
    };
    let simulated =
        |structure: &Structure, point: &[f64], path: u64| there.figures(structure, point, path);
    let tells = tells(of.question, (of.found, knowledge), (&simulated, figures))?;
    let names = of.best.structure.parameters();
    Some(NextLoadResult {
        load,
        unit: unit.to_owned(),
        apart: tells.apart,
        worst: names.get(tells.worst)?.name.clone(),
        half_width: tells.half_width,
    })
}

fn notes(of: &Conclusion<'_>, twins: &[Vec<&str>], fitted: &Model) -> Vec<String> {
    let mut all =
        vec!["the network delay is assumed constant and equal in both directions".to_owned()];
    all.extend(twins.iter().map(|group| {
        format!(
            "every request visits {} equally often, so response times cannot tell them apart; give the known value of \
             one with --fix",
            group.join(" and ")
        )
    }));
    let unseen = of.world.runs.iter().flat_map(|run| {
        let actions = fitted.actions.iter().zip(&run.looks);
        let unseen = actions.filter(|(_, looks)| looks.is_none());
        unseen.map(|(action, _)| format!("{} of {}", action.name, run.name))
    });
    let unseen: Vec<String> = unseen.collect();
    if !unseen.is_empty() {
        all.push(format!(
            "left out, because of too few replies or too many actions: {}",
            unseen.join(", ")
        ));
    }
    let shortened = of.world.runs.iter().filter(|run| run.is_shortened).count();
    if shortened > 0 {
        all.push(format!(
            "only the first {1} requests of the window of {0} were used; more would take longer and add little",
            runs_in_words(shortened),
            count(MOST_REQUESTS as u64)
        ));
    }
    let failed: Vec<&Recording> = of
        .world
        .runs
        .iter()
        .filter(|run| run.failed > 0.0)
        .collect();
    if let Some(worst) = failed
        .iter()
        .max_by(|one, other| one.failed.total_cmp(&other.failed))
    {
        all.push(format!(
            "{} of {} runs have failed requests, up to {:.2} % in {}: timed-out requests count as longer than any \
             reply, other failures are left out",
            failed.len(),
            of.world.runs.len(),
            worst.failed * 100.0,
            worst.name
        ));
    }
    all
}

/// What `--set` would be given to say where the fitted model comes from.
pub fn provenance(document: &CalibrationResult) -> String {
    let quoted = |text: &str| serde_json::Value::from(visible::line(text)).to_string();
    let runs = document.runs.iter().take(MOST_RUNS);
    let runs: Vec<String> = runs.map(|run| quoted(&run.name)).collect();
    format!(
        "provenance={{by: {}, runs: [{}], loads: {}, fit: {}}}",
        quoted(&format!("blis {}", document.blis_version)),
        runs.join(", "),
        quoted(&loads(document)),
        quoted(&explained(document))
    )
}

/// The loads of the runs: `1 to 8 users`.
fn loads(document: &CalibrationResult) -> String {
    let users: Option<Vec<u64>> = document.runs.iter().map(|run| run.users).collect();
    let ends = users.map(|users| (users.iter().copied().min(), users.iter().copied().max()));
    if let Some((Some(least), Some(most))) = ends {
        return format!("{} to {} users", count(least), count(most));
    }
    let rates = || document.runs.iter().map(|run| run.offered_rps);
    let least = rates().fold(f64::INFINITY, f64::min);
    let most = rates().fold(0.0, f64::max);
    format!("{} to {} requests/s", significant(least), significant(most))
}

/// How well the model explains the runs.
fn explained(document: &CalibrationResult) -> String {
    let goodness = document.goodness;
    format!(
        "chi-square {:.0} with {} degrees of freedom, p {:.3}",
        goodness.chi_square, goodness.freedom, goodness.p
    )
}

/// The text of a spec with what was fitted in it, and where that comes from.
pub fn written(document: &CalibrationResult, spec: &str) -> String {
    let mut head = format!(
        "# Fitted by blis {} to {} ({}).\n",
        document.blis_version,
        runs_in_words(document.runs.len()),
        explained(document)
    );
    for run in &document.runs {
        let name = visible::line(&run.name);
        head += &format!(
            "# - {name}: {} requests, {:.1}/s\n",
            run.requests, run.offered_rps
        );
    }
    for number in &document.numbers {
        let [low, high] = number.ci95;
        let told = if number.told {
            ""
        } else {
            "; not determined by the runs"
        };
        let shown = |value: f64| match number.unit.as_str() {
            "ms" => millis(value),
            _ => significant(value),
        };
        let (low, high) = (shown(low), shown(high));
        head += &format!("# {}: 95 % interval {low} to {high}{told}\n", number.name);
    }
    for choice in document.choices.iter().filter(|one| one.as_good.len() > 1) {
        head += &format!(
            "# {}: {} explain the runs as well\n",
            choice.name,
            choice.as_good.join(", ")
        );
    }
    format!("{head}{spec}")
}
