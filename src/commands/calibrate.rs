//! `blis calibrate`: fits a model to recorded runs.

use std::path::{Path as File, PathBuf};

use blis_sim::analysis::{constraints, path_demand};
use blis_sim::calibration::explain::{Explained, Explanations, Question, explain};
use blis_sim::calibration::structure::Structure;
use blis_sim::calibration::{CalibrationResult, findings};
use blis_sim::model::{Model, Path};
use blis_sim::result::SpecIdentity;
use blis_sim::spec::{self, Assignment};

use crate::calibration::{
    Conclusion, Fixed, Recording, Start, World, conclude, read, refuse_twice, start, written,
};
use crate::cli::{CalibrateArgs, ClientArgs, OverrideArgs};
use crate::commands::present;
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::recorded::Recorded;
use crate::report;
use crate::run_directory::SPEC;
use crate::simulate::{files, run_text, threads};
use crate::spec_file;
use crate::workload::{Basis, Variations};

/// The service of a spec that says nothing of the backend.
const BACKEND: &str = "backend";
/// Sample paths that the model's figures are the mean of, and about how many requests they have together.
const PATHS: u64 = 4;
const FEWEST_PATHS: u64 = 2;
const REQUESTS: u64 = 2_000_000;

/// Fits the model and says what the runs tell of it.
///
/// # Errors
/// Those of [`read`], [`Variations`] and [`start`]; [`Failure::Usage`] where the model cannot be simulated at any of its numbers;
/// [`Failure::Output`] where something cannot be written.
pub fn execute(args: &CalibrateArgs) -> Result<Done, Failure> {
    refuse_twice(&args.runs)?;
    if let Some(file) = &args.output {
        spec_file::refuse_to_replace(file, args.force)?;
    }
    let variations = variations(args)?;
    let as_written = variations.spec(&[])?;
    let model = variations.model(&as_written)?;
    let runs: Result<Vec<Recording>, Failure> = args
        .runs
        .iter()
        .map(|path| read(path, &model, args.anyway))
        .collect();
    let runs = runs?;
    let start = start(&model, &runs, Fixed(&args.fix))?;
    start.refuse_set(&args.values.set)?;
    let Start {
        structure,
        point,
        free,
    } = start;
    let say = |line: &str| {
        if !args.quiet {
            tell(&format!("blis: {line}\n"));
        }
    };
    let interrupt = Interrupt::listen()?;
    let stop = || interrupt.asked();
    let world = World {
        variations: &variations,
        runs: &runs,
        seed: model.seed,
        stop: &stop,
    };
    let requests: u64 = runs.iter().map(|run| run.requests).sum();
    let simulated =
        |structure: &Structure, point: &[f64], path: u64| world.figures(structure, point, path);
    let measured: Vec<Vec<f64>> = runs.iter().map(|run| run.figures.clone()).collect();
    let question = Question {
        measured: &measured,
        world: &simulated,
        paths: (REQUESTS / requests.max(1)).clamp(FEWEST_PATHS, PATHS),
        threads: threads(&model, args.threads),
        stop: &stop,
    };
    say(&format!(
        "fitting {} to {} with {requests} requests",
        structure
            .parameters()
            .iter()
            .map(|one| one.name.clone())
            .collect::<Vec<_>>()
            .join(", "),
        match runs.len() {
            1 => "one run".to_owned(),
            runs => format!("{runs} runs"),
        }
    ));
    let found = explain(question, (structure, point), &free);
    if interrupt.asked() {
        return Ok(Done::Interrupted);
    }
    let Some((found, best)) = found.as_ref().and_then(first) else {
        return Err(Failure::Usage(
            "no numbers were found with which the model can be simulated: start from a spec that is nearer to what was measured (--spec)"
                .to_owned(),
        ));
    };
    say("looking at what the runs tell, and leaving each out once");
    let (workload, _) = variations.workload(&as_written)?;
    let identity = SpecIdentity {
        name: workload.model.name.clone(),
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(run_text(&workload)),
        files: files(&workload),
    };
    let capacity = |model: &Model| constraints(model).binding().map(|one| one.capacity());
    let conclusion = Conclusion {
        world,
        question,
        found,
        best,
        capacity: &capacity,
        unloaded_ms: &unloaded_ms,
        plans: args.plan,
    };
    let concluded = conclude(&conclusion, identity);
    if interrupt.asked() {
        return Ok(Done::Interrupted);
    }
    let Some(mut document) = concluded else {
        return Err(Failure::Usage(
            "the fitted model cannot be simulated beside its own numbers, so that nothing says how sure they are: start from a spec \
             that is nearer to what was measured (--spec)"
                .to_owned(),
        ));
    };
    document.findings = findings(&document);
    deliver(args, &variations, best, &document)?;
    Ok(Done::Well)
}

/// Prints the document, and writes the spec where it is asked for.
fn deliver(
    args: &CalibrateArgs,
    variations: &Variations<Path>,
    best: &Explained,
    document: &CalibrationResult,
) -> Result<(), Failure> {
    present(
        args.format.chosen(),
        || report::calibration(document),
        || document.to_json(),
    )?;
    let Some(file) = &args.output else {
        return Ok(());
    };
    let spec = variations.spec(&assignments(&best.structure.rounded(&best.fitted.point))?)?;
    // What is written has to be one that is accepted.
    variations.model(&spec)?;
    spec_file::write(file, &written(document, &spec::resolved(&spec)))
}

/// The best of what was found, with all of it.
fn first(found: &Explanations) -> Option<(&Explanations, &Explained)> {
    Some((found, found.all.first()?))
}

/// Seconds that a request takes where nothing is waited for, in milliseconds, in the mean over the actions as they are mixed.
fn unloaded_ms(model: &Model) -> Option<f64> {
    let actions = model.actions.iter();
    let all: Vec<f64> = actions
        .map(|action| path_demand(model, action).unloaded_response)
        .collect();
    let sum: f64 = all.iter().sum();
    (sum > 0.0).then(|| 1e3 * sum / all.len() as f64)
}

/// The spec whose model is fitted.
fn variations(args: &CalibrateArgs) -> Result<Variations<Path>, Failure> {
    let mut overrides = OverrideArgs {
        values: args.values.clone(),
        ..OverrideArgs::default()
    };
    let file: PathBuf = match &args.spec {
        Some(file) => file.clone(),
        None => {
            let first = args.runs.first().map_or(File::new(""), PathBuf::as_path);
            overrides.values.set.extend(backend(first)?);
            first.join(SPEC)
        }
    };
    let basis = Basis::of(Some(&file), &ClientArgs::default(), &overrides)?;
    Variations::of(basis, spec::lower_with)
}

/// What makes a spec one whose actions all have a path: those without one visit a service of their own.
fn backend(run: &File) -> Result<Vec<Assignment>, Failure> {
    let recorded = Recorded::read(run, "calibrate")?;
    let (workload, _) = recorded.rows()?;
    let unknown: Vec<String> = workload
        .model
        .actions
        .iter()
        .filter(|action| action.path.is_none())
        .map(|action| action.name.clone())
        .collect();
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let paths = unknown
        .iter()
        .map(|name| format!("actions.{name}.path=[{{visit: {BACKEND}}}, reply]"));
    let service = [format!("services.{BACKEND}={{workers: 1, time: 1ms}}")];
    assignments(&paths.chain(service).collect::<Vec<_>>())
}

fn assignments(set: &[String]) -> Result<Vec<Assignment>, Failure> {
    let all = set.iter().map(|one| {
        one.parse()
            .map_err(|why| Failure::Usage(format!("--set {one}: {why}")))
    });
    all.collect()
}
