//! `blis calibrate`: fits a model to recorded runs.

use std::path::{Path as File, PathBuf};

use blis_sim::model::Path;
use blis_sim::spec::error::shown;
use blis_sim::spec::{self, Assignment};

use crate::calibration::{
    Fit, Fitting, Fixed, Recording, backend, members, read, refuse_twice, spec_set_to, written,
};
use crate::cli::{CalibrateArgs, ClientArgs, OverrideArgs};
use crate::commands::{Of, present};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::report;
use crate::runs::names::SPEC;
use crate::runs::recorded::Recorded;
use crate::spec_file;
use crate::workload::{Basis, Variations};

/// Fits the model and says what the runs tell of it.
///
/// # Errors
/// Those of [`read`], [`Variations`] and [`Fitting::fit`]; [`Failure::Output`] where something cannot be written.
pub fn execute(args: &CalibrateArgs) -> Result<Done, Failure> {
    refuse_users(&args.values.set)?;
    if let Some(file) = &args.output {
        spec_file::refuse_to_replace(file, args.force)?;
    }
    let (variations, has_members) = variations(args)?;
    let (workload, _) = variations.workload(&variations.spec(&[])?)?;
    let fixed = Fixed {
        named: &args.fix,
        set: &args.values.set,
    };
    fixed.check(&workload.model)?;
    let runs = args.runs.iter();
    let runs = runs.map(|path| read(path, &workload.model, args.anyway));
    let runs = runs.collect::<Result<Vec<Recording>, Failure>>()?;
    refuse_twice(&runs)?;
    if args.output.is_some() && !workload.files.is_empty() {
        return Err(Failure::Usage(
            "the spec names files by paths that --output would change; leave --output out and copy the fitted values \
             into the spec"
                .to_owned(),
        ));
    }
    let say = |line: &str| {
        if !args.progress.quiet {
            tell(&format!("blis: {line}\n"));
        }
    };
    let fitting = Fitting {
        variations: &variations,
        runs: &runs,
        fixed,
        threads: args.threads,
        plans: args.plan,
        has_members,
        interrupt: &Interrupt::listen()?,
        deadline: None,
        say: &say,
    };
    let Some(fit) = fitting.fit()? else {
        return Ok(Done::Interrupted);
    };
    deliver(args, &variations, &fit)?;
    Ok(Done::Well)
}

/// Prints the document, and writes the spec where it is asked for.
fn deliver(args: &CalibrateArgs, variations: &Variations<Path>, fit: &Fit) -> Result<(), Failure> {
    if let Some(file) = &args.output {
        let spec = spec_set_to(variations, &fit.assignments)?;
        spec_file::write(file, &written(&fit.document, &spec::resolved(&spec)))?;
    }
    present(
        args.format.chosen(),
        Of::Other,
        || report::calibration(&fit.document),
        || fit.document.to_json(),
    )
}

/// Who sends what when is recorded, and not set.
fn refuse_users(set: &[Assignment]) -> Result<(), Failure> {
    let recorded = [["clients"], ["run"]];
    let mut recorded = recorded.iter();
    match recorded.find_map(|key| set.iter().find(|set| set.is_within(key))) {
        None => Ok(()),
        Some(set) => Err(Failure::Usage(format!(
            "--set {}={} has no effect: the load is recorded; set keys of the backend",
            shown(set.path()),
            shown(set.value())
        ))),
    }
}

/// The spec whose model is fitted, and whether it has as many members as instances say that there are.
fn variations(args: &CalibrateArgs) -> Result<(Variations<Path>, bool), Failure> {
    let mut overrides = OverrideArgs {
        values: args.values.clone(),
        ..OverrideArgs::default()
    };
    let mut known = None;
    let file: PathBuf = match &args.spec {
        Some(file) => file.clone(),
        None => {
            let first = args.runs.first().map_or(File::new(""), PathBuf::as_path);
            let recorded = Recorded::read(first, "calibrate")?;
            let model = recorded.rows()?.0.model;
            if let Recorded::Ended(finished) = &recorded {
                known = members(&finished.run, &model);
            }
            let mut set = backend(&model, known)?;
            set.append(&mut overrides.values.set);
            overrides.values.set = set;
            first.join(SPEC)
        }
    };
    let basis = Basis::of(Some(&file), &ClientArgs::default(), &overrides)?;
    Ok((Variations::of(basis, spec::lower_with)?, known.is_some()))
}
