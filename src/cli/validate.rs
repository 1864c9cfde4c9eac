//! The validation of a model, as it is typed.

use std::path::PathBuf;

use blis_sim::compare::Tolerances;
use blis_sim::spec::units::Duration;
use clap::Args;

use super::values::{positive, quantity};
use super::{ClientArgs, FormatArgs, ObjectiveArgs, ServiceArgs, SpecArgs, TargetArgs, ValueArgs};

/// The arguments of `blis validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    /// Measure doubles on a nats-server of its own, both started and ended with the validation.
    #[arg(long, conflicts_with_all = ["subject", "url", "context", "allow_target", "allow_public", "user", "password", "token", "creds", "nkey", "tlsca", "tlscert", "tlskey", "tlsfirst", "inbox_prefix", "js_domain", "js_api_prefix"], help_heading = "Target")]
    pub local: bool,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub service: ServiceArgs,

    #[command(flatten)]
    pub runs: ValidationArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    #[command(flatten)]
    pub values: ValueArgs,

    #[command(flatten)]
    pub clients: ClientArgs,

    #[command(flatten)]
    pub format: FormatArgs,

    /// Write the document of the validation, the report, the spec and the result of every live run into this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Replace the validation that the directory of --out holds.
    #[arg(long, requires = "out", help_heading = "Output")]
    pub force: bool,

    /// Print what would be done, and send nothing.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub dry_run: bool,

    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

/// Flags that say which loads are predicted and measured, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Validation")]
pub struct ValidationArgs {
    /// What is varied: rate (one factor on the rate of every open client), concurrency (the number of closed users), or a numeric key
    /// of clients [default: concurrency where a client is closed, otherwise rate].
    #[arg(long, value_name = "WHAT")]
    pub over: Option<String>,

    /// Predict and measure these loads, in ascending order, such as 500,1k,2k [default: 30 to 110 % of what the model carries; of users, from a
    /// quarter of those that keep it busy to twice as many].
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    pub predict_at: Option<String>,

    /// Measure these loads first, once each, and fit the model to them as `blis calibrate` does; what is predicted is predicted by the
    /// fitted model [default with --subject: 1,2,3,4,6,8 users, and further ones where those do not tell the capacity].
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    pub calibrate_at: Option<String>,

    /// Do not fit this key, and keep the value of the spec: network.one_way, services.NAME.time, services.NAME.workers. May be repeated.
    #[arg(long, value_name = "KEY")]
    pub fix: Vec<String>,

    /// Live runs of each load; predictions are compared with their spread.
    #[arg(long, value_name = "COUNT", value_parser = positive, default_value = "3", allow_hyphen_values = true)]
    pub repeats: u64,

    /// Time before the measured window of each run [default: the warm-up of the spec, else 2s].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub warmup: Option<Duration>,

    /// Length of the measured window of each run [default: 20s, or what --time-limit leaves].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub hold: Option<Duration>,

    /// Pause after each live run [default: 1s].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub cooldown: Option<Duration>,

    /// Longest time for all live runs together, from which their length follows; a fit and what is simulated after it count too.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true, conflicts_with = "hold")]
    pub time_limit: Option<Duration>,

    /// How far predictions may be from what is measured: throughput, mean, p50, p95, p99 and errors, such as
    /// throughput=2%,p99=10%. The exit code is 0 within, 99 beyond, and 5 where the runs cannot tell.
    #[arg(long, value_name = "SHARES")]
    pub tolerance: Option<Tolerances>,
}
