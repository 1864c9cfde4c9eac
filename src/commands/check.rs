//! `blis check`: checks a spec and prints its resolved values and its offered load.

use blis_sim::analysis::Analysis;
use blis_sim::result::{self, Check, Checked};

use crate::cli::{CheckArgs, ClientArgs};
use crate::commands::{Of, present};
use crate::exit::{Done, Failure, tell};
use crate::report::{self, Overload};
use crate::workload::{self, LiveWorkload};

/// Checks the spec and prints what it means.
///
/// # Errors
/// Those of [`workload::load`], [`Failure::Usage`] for a load that is too much for certain, and [`Failure::Output`] when
/// stdout cannot be written.
pub fn execute(args: &CheckArgs) -> Result<Done, Failure> {
    let no_clients = ClientArgs::default();
    let workload = workload::load_live(args.spec.file(), &no_clients, &args.overrides)?;
    let simulable = workload.model.simulable().ok();
    let analysis = simulable.as_ref().map(Analysis::of);
    let overloads = simulable.as_ref().map(report::overloads);
    let overloads = overloads.unwrap_or_default();
    let refused = match args.allow_overload {
        true => None,
        false => refusal(&overloads),
    };
    for overload in &overloads {
        if !(overload.is_certain && refused.is_some()) {
            tell(&format!("blis: warning: {}\n", overload.sentence));
        }
    }
    let warnings = overloads.into_iter().map(|one| one.sentence).collect();
    present(
        args.format.chosen(),
        Of::Other,
        || report::check(&workload, analysis.as_ref()),
        || document(&workload, analysis.as_ref(), warnings).to_json(),
    )?;
    refused.map_or(Ok(Done::Well), |why| Err(Failure::Usage(why)))
}

/// Why a load that is too much for certain is no good, and what would be.
fn refusal(overloads: &[Overload]) -> Option<String> {
    let mut certain = overloads.iter().filter(|one| one.is_certain);
    let sentences: Vec<&str> = certain.clone().map(|one| one.sentence.as_str()).collect();
    let last = certain.next_back()?;
    let or = match last.is_of_service {
        true => ", or refuse the rest (`queue: {limit: 100}`, `admission`)",
        false => "",
    };
    Some(format!(
        "{}; otherwise offer less{or}, or accept the overload with --allow-overload",
        sentences.join("; ")
    ))
}

fn document(
    workload: &LiveWorkload,
    analysis: Option<&Analysis<'_>>,
    warnings: Vec<String>,
) -> Check {
    let checked = Checked {
        sha256: workload.sha256.clone(),
        files: workload
            .files
            .iter()
            .map(|copy| (copy.path(), copy.sha256()))
            .collect(),
        resolved: workload.resolved.clone(),
        configuration: workload.configuration.clone(),
        warnings,
    };
    result::check(&workload.model, analysis, checked)
}
