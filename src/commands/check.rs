//! `blis check`: validates a spec and says what it resolves to and what load it offers.

use std::path::PathBuf;

use crate::cli::{CheckArgs, ClientArgs};
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::report;
use crate::workload;

/// Checks the spec and prints what it means.
///
/// # Errors
/// Those of [`workload::load`], and [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &CheckArgs) -> Result<Done, Failure> {
    let no_clients = ClientArgs {
        concurrency: None,
        think_time_ms: None,
        rate: None,
    };
    let spec = args.spec.as_ref().or(args.spec_flag.as_ref());
    let workload = workload::load(spec.map(PathBuf::as_path), &no_clients, &args.overrides)?;
    for warning in report::overload_warnings(&workload.model) {
        tell(&format!("blis: warning: {warning}\n"));
    }
    print(&report::check(&workload))?;
    Ok(Done::Well)
}
