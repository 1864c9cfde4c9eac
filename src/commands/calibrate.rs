//! `blis calibrate`: fits a model to recorded runs.

use std::path::{Path as File, PathBuf};

use blis_sim::analysis::constraints;
use blis_sim::calibration::explain::{Explained, Explanations, Question, explain};
use blis_sim::calibration::structure::Structure;
use blis_sim::calibration::{CalibrationResult, findings};
use blis_sim::model::{Model, Path};
use blis_sim::result::SpecIdentity;
use blis_sim::spec::error::shown;
use blis_sim::spec::{self, Assignment};

use crate::calibration::{
    Conclusion, Fixed, Recording, Start, World, assignments, conclude, read, refuse_twice,
    spec_with, start, written,
};
use crate::cli::{CalibrateArgs, ClientArgs, OverrideArgs};
use crate::commands::present;
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::memory;
use crate::recorded::Recorded;
use crate::report;
use crate::report::number::runs_in_words;
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
    refuse_users(&args.values.set)?;
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
    refuse_twice(&runs)?;
    let (workload, _) = variations.workload(&as_written)?;
    if args.output.is_some() && !workload.files.is_empty() {
        return Err(Failure::Usage(
            "the spec names files, whose places would be others for the one of --output; leave --output out and put what is fitted into the spec"
                .to_owned(),
        ));
    }
    let takes = |set: &str| {
        let spec = spec_with(&variations, &[set.to_owned()]);
        spec.and_then(|spec| variations.model(&spec)).is_ok()
    };
    let fixed = Fixed {
        named: &args.fix,
        set: &args.values.set,
    };
    let start = start(&model, &runs, fixed, &takes)?;
    // What keeps the start from being simulated is told as it is.
    variations.model(&spec_with(
        &variations,
        &start.structure.assignments(&start.point),
    )?)?;
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
    let threads = threads(&model, args.threads);
    let world = World {
        variations: &variations,
        runs: &runs,
        seed: model.seed,
        most_present: memory::most_requests() / threads.get() as u64,
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
        threads,
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
        runs_in_words(runs.len())
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
    let identity = SpecIdentity {
        name: workload.model.name.clone(),
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(run_text(&workload)),
        files: files(&workload),
    };
    // With the users of the largest load, and so the mix of their actions.
    let busiest = |model: &Model| {
        let mut model = model.clone();
        let largest = runs
            .iter()
            .max_by(|one, other| one.load().total_cmp(&other.load()));
        if let Some(run) = largest {
            model.clients.clone_from(&run.clients);
            model.limits = run.limits;
        }
        constraints(&model)
    };
    let capacity = |model: &Model| busiest(model).binding().map(|one| one.capacity());
    let unloaded_ms = |model: &Model| Some(busiest(model).offered.unloaded_response * 1e3);
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
    if let Some(file) = &args.output {
        let spec = spec_with(variations, &best.structure.rounded(&best.fitted.point))?;
        // What is written has to be one that is accepted.
        variations.model(&spec)?;
        spec_file::write(file, &written(document, &spec::resolved(&spec)))?;
    }
    present(
        args.format.chosen(),
        || report::calibration(document),
        || document.to_json(),
    )
}

/// The best of what was found, with all of it.
fn first(found: &Explanations) -> Option<(&Explanations, &Explained)> {
    Some((found, found.all.first()?))
}

/// Who sends what when is recorded, and not set.
fn refuse_users(set: &[Assignment]) -> Result<(), Failure> {
    let recorded = [["clients"], ["run"]];
    let mut recorded = recorded.iter();
    match recorded.find_map(|key| set.iter().find(|set| set.is_within(key))) {
        None => Ok(()),
        Some(set) => Err(Failure::Usage(format!(
            "--set {}={} has no effect: who sends what when is recorded; set keys of the backend",
            shown(set.path()),
            shown(set.value())
        ))),
    }
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
            let mut set = backend(first)?;
            set.append(&mut overrides.values.set);
            overrides.values.set = set;
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
    let is_taken = |name: &String| workload.model.services.iter().any(|one| one.name == *name);
    let mut names = (2..).map(|nth| format!("{BACKEND}{nth}"));
    let name = match is_taken(&BACKEND.to_owned()) {
        true => names.find(|name| !is_taken(name)).unwrap_or_default(),
        false => BACKEND.to_owned(),
    };
    let paths = unknown
        .iter()
        .map(|action| format!("actions.{action}.path=[{{visit: {name}}}, reply]"));
    // As a whole, so that a part of it may be set besides.
    let service = [format!("services.{name}={{workers: 1, time: 1ms}}")];
    assignments(&paths.chain(service).collect::<Vec<_>>())
}
