//! The internal command of `--local`: a server and doubles that end when stdin closes.

use crate::cli::LocalBackendArgs;
use crate::commands::print;
use crate::exit::{Done, Failure};
use crate::target::local;
use crate::workload;

/// Plays the backend of a spec on its own server, and prints where that is.
///
/// # Errors
/// Those of [`workload::load_backend`] and [`local::play`].
pub fn execute(args: &LocalBackendArgs) -> Result<Done, Failure> {
    let workload = workload::load_backend(args.spec.file(), &args.overrides)?;
    local::play(&workload, print)?;
    Ok(Done::Well)
}
