//! `blis check`: validates a spec and says what it resolves to and what load it offers.

use blis_sim::result::{self, Check, Checked};

use crate::cli::{CheckArgs, ClientArgs, Format};
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::report;
use crate::workload::{self, LiveWorkload};

/// Checks the spec and prints what it means.
///
/// # Errors
/// Those of [`workload::load`], and [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &CheckArgs) -> Result<Done, Failure> {
    let no_clients = ClientArgs::default();
    let workload = workload::load_live(args.spec.file(), &no_clients, &args.overrides)?;
    let simulable = workload.model.simulable().ok();
    let warnings = simulable.as_ref().map(report::overload_warnings);
    let warnings = warnings.unwrap_or_default();
    for warning in &warnings {
        tell(&format!("blis: warning: {warning}\n"));
    }
    print(&match args.format.chosen() {
        Format::Text => report::text(&report::check(&workload)),
        Format::Markdown => report::markdown(&report::check(&workload)),
        Format::Json => document(workload, warnings).to_json()?,
    })?;
    Ok(Done::Well)
}

fn document(workload: LiveWorkload, warnings: Vec<String>) -> Check {
    let checked = Checked {
        sha256: workload.sha256,
        files: workload
            .files
            .iter()
            .map(|copy| (copy.path(), copy.sha256()))
            .collect(),
        resolved: workload.resolved,
        configuration: workload.configuration,
        warnings,
    };
    result::check(&workload.model, checked)
}
