//! The command line of a fit.

use std::path::PathBuf;

use clap::Args;

use super::values::positive;
use super::{FormatArgs, ProgressArgs, ValueArgs};

/// The arguments of `blis calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Directories of recorded runs at several loads, written by `blis observe --out` or `blis run --out DIR --record`.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,

    /// Workload spec to fit; - reads stdin [default: the spec of the first run, with one service if it has no backend].
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

    /// Key to keep as the spec has it: network.one_way, services.NAME.time or services.NAME.workers. Keys of --set are kept, too.
    /// May be repeated.
    #[arg(long, value_name = "KEY")]
    pub fix: Vec<String>,

    /// Also report which loads to measure next.
    #[arg(long)]
    pub plan: bool,

    /// Also fit runs that the generator limited.
    #[arg(long)]
    pub anyway: bool,

    /// Threads for simulations; they do not change results [default: one per core].
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,

    #[command(flatten)]
    pub values: ValueArgs,

    #[command(flatten)]
    pub format: FormatArgs,

    /// Write the fitted spec to this file.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// Replace the file of --output.
    #[arg(long, requires = "output", help_heading = "Output")]
    pub force: bool,

    #[command(flatten)]
    pub progress: ProgressArgs,
}
