//! From what was found to the document, and to the spec that is written.

use blis_sim::calibration::explain::{Explained, Explanations, Question};
use blis_sim::calibration::goodness::{goodness, of_runs};
use blis_sim::calibration::knowledge::{Knowledge, Known};
use blis_sim::calibration::next_load::tells;
use blis_sim::calibration::structure::Structure;
use blis_sim::calibration::{
    CALIBRATION_SCHEMA, CalibrationResult, ChoiceResult, ExplanationResult, FitResult,
    NextLoadResult, NumberResult, RunCalibration,
};
use blis_sim::model::Model;
use blis_sim::result::SpecIdentity;
use blis_sim::statistics::LEVEL;
use blis_sim::visible;

use super::recordings::Recording;
use super::world::{World, at_load};

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
    let numbers = knowledge.numbers();
    let follows = [
        ("capacity", "1/s", of.capacity),
        ("unloaded_response", "ms", of.unloaded_ms),
    ];
    let follows = follows.into_iter().filter_map(|(name, unit, value)| {
        let follows =
            |structure: &Structure, point: &[f64]| value(&of.world.model(structure, point)?);
        Some(number(knowledge.follows(name, &follows)?, unit, 1.0))
    });
    let runs = of_runs(*question, found, best)?;
    let runs = of.world.runs.iter().zip(runs);
    let named = |known: Known| match known.name.ends_with(".cv") {
        true => number(known, "", 1.0),
        false => number(known, "ms", 1e-6),
    };
    Some(CalibrationResult {
        schema: CALIBRATION_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        spec,
        level: LEVEL,
        goodness: goodness(best.fitted.squares, found.freedom(best)),
        numbers: numbers.into_iter().map(named).collect(),
        choices: choices(found, best),
        follows: follows.collect(),
        explanations: explanations(found),
        runs: runs
            .map(|(run, held)| {
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
                            off: held.off,
                            left_out_ms: held.left_out.map(|[log, _]| millis(log)),
                            left_out_off: held.left_out.map(|[_, off]| off),
                        })
                        .collect(),
                }
            })
            .collect(),
        next_loads: match of.plans {
            true => next_loads(of),
            false => Vec::new(),
        },
        findings: Vec::new(),
        notes: notes(of),
    })
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
        let others = || found.as_good().map(|one| &one.structure.services[nth]);
        let mut choice = |key: &str, value: Option<String>, mut as_good: Vec<String>| {
            let Some(value) = value else { return };
            as_good.sort();
            as_good.dedup();
            all.push(ChoiceResult {
                name: format!("services.{}.{key}", service.name),
                value,
                as_good,
            });
        };
        let workers = others().filter_map(|one| one.workers);
        let mut in_order: Vec<u32> = workers.collect();
        in_order.sort_unstable();
        choice(
            "workers",
            service.workers.map(|workers| workers.to_string()),
            in_order.iter().map(u32::to_string).collect(),
        );
        let families = others().filter_map(|one| one.family);
        choice(
            "time",
            service.family.map(|family| family.name().to_owned()),
            families.map(|family| family.name().to_owned()).collect(),
        );
    }
    all
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
fn next_loads(of: &Conclusion<'_>) -> Vec<NextLoadResult> {
    let Some(run) = of
        .world
        .runs
        .iter()
        .max_by(|one, other| one.load().total_cmp(&other.load()))
    else {
        return Vec::new();
    };
    let model = of.world.model(&of.best.structure, &of.best.fitted.point);
    let Some(capacity) = model.as_ref().and_then(of.capacity) else {
        return Vec::new();
    };
    // Of users, those that keep what binds busy, and more of them.
    let full = match run.users {
        0 => capacity,
        users => users as f64 * capacity / (run.offered_rps * (1.0 - run.failed)).max(1e-9),
    };
    let names = of.best.structure.parameters();
    let mut all: Vec<NextLoadResult> = NEXT
        .iter()
        .filter_map(|share| {
            let other = [at_load(run, share * full / run.load())];
            let there = World {
                runs: &other,
                ..of.world
            };
            let simulated = |structure: &Structure, point: &[f64], path: u64| {
                there.figures(structure, point, path)
            };
            let tells = tells(of.question, of.found, (&simulated, run.figures.len()))?;
            Some(NextLoadResult {
                load: other[0].load(),
                unit: if run.users == 0 { "1/s" } else { "" }.to_owned(),
                apart: tells.apart,
                worst: names.get(tells.worst)?.name.clone(),
                half_width: tells.half_width,
            })
        })
        .collect();
    all.sort_by(|one, other| {
        let apart = |one: &NextLoadResult| one.apart.unwrap_or(0.0);
        apart(other)
            .total_cmp(&apart(one))
            .then(one.half_width.total_cmp(&other.half_width))
    });
    all
}

fn notes(of: &Conclusion<'_>) -> Vec<String> {
    let mut all = vec![
        "fitted to the response times of the records; what $SRV.STATS, headers of replies and consumers say of the service was not looked at"
            .to_owned(),
        "the way through the network is taken to be as long in either direction, and always the same".to_owned(),
    ];
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
            "{} of {} runs have requests that failed, up to {:.2} % in {}: those that were given up count as longer than any answer, the others \
             not at all",
            failed.len(),
            of.world.runs.len(),
            worst.failed * 100.0,
            worst.name
        ));
    }
    all
}

/// The text of a spec with what was fitted in it, and where that comes from.
pub fn written(document: &CalibrationResult, spec: &str) -> String {
    let mut head = format!(
        "# Fitted by blis {} to {} (chi-square {:.0} with {} degrees of freedom, p {:.3}).\n",
        document.blis_version,
        match document.runs.len() {
            1 => "one run".to_owned(),
            runs => format!("{runs} runs"),
        },
        document.goodness.chi_square,
        document.goodness.freedom,
        document.goodness.p
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
            "; not told by the runs"
        };
        let (name, unit) = (&number.name, &number.unit);
        head += &format!("# {name}: 95 % interval {low:.4} to {high:.4}{unit}{told}\n");
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
