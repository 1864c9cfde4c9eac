//! The fit of a model, as it is typed.

use std::path::PathBuf;

use clap::Args;

use super::values::positive;
use super::{FormatArgs, ValueArgs};

/// The arguments of `blis calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Directories of recorded runs, at several loads: `blis observe --out` writes them, and `blis run --out DIR --record`.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,

    /// Workload spec whose model is fitted; - reads it from stdin [default: that of the first run; one service where it says nothing
    /// of the backend].
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

    /// Keys that stay as the spec has them: network.one_way, services.NAME.time, services.NAME.workers. So does what --set sets. May be
    /// repeated.
    #[arg(long, value_name = "KEY")]
    pub fix: Vec<String>,

    /// Say too which loads are worth measuring next.
    #[arg(long)]
    pub plan: bool,

    /// Fit to runs in which the generator was the limit, too.
    #[arg(long)]
    pub anyway: bool,

    /// Threads for simulations, which change no result; one for each core unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,

    #[command(flatten)]
    pub values: ValueArgs,

    #[command(flatten)]
    pub format: FormatArgs,

    /// Write the spec with what was fitted into this file.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// Replace the file of --output.
    #[arg(long, requires = "output", help_heading = "Output")]
    pub force: bool,

    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}
