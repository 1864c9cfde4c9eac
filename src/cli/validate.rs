//! The command line of a validation.

use std::path::PathBuf;

use blis_sim::compare::Tolerances;
use blis_sim::spec::units::Duration;
use clap::Args;

use super::values::{positive, quantity};
use super::{
    ClientArgs, GateFormatArgs, ObjectiveArgs, ProgressArgs, ServiceArgs, SpecArgs, TargetArgs,
    ValueArgs,
};

/// The arguments of `blis validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    /// Start a nats-server and doubles on this machine, measure them, and stop both at the end.
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
    pub format: GateFormatArgs,

    /// Write the validation document, the report, the spec and the result of every live run to this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Overwrite the validation in the directory of --out.
    #[arg(long, requires = "out", help_heading = "Output")]
    pub force: bool,

    /// Print the plan of the validation and send nothing.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub dry_run: bool,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// Flags for the loads that are predicted and measured.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Validation")]
pub struct ValidationArgs {
    /// Quantity to vary: rate (one factor on the rate of every open client), concurrency (the number of closed-loop users), or a
    /// numeric key of clients [default: concurrency if a client is closed, otherwise rate].
    #[arg(long, value_name = "WHAT")]
    pub over: Option<String>,

    /// Loads to predict and measure, in ascending order, such as 500,1k,2k [default: 30 to 110 % of the capacity of the model; for
    /// users, from a quarter of the number that saturates it to twice that number].
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    pub predict_at: Option<String>,

    /// Loads to measure first, once each; the model is fitted to them as by `blis calibrate` before it predicts [default with --subject:
    /// 1,2,3,4,6,8 users, and more if those do not show the capacity].
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    pub calibrate_at: Option<String>,

    /// Key to keep as the spec has it, not fitted: network.one_way, services.NAME.time or services.NAME.workers. May be repeated.
    #[arg(long, value_name = "KEY")]
    pub fix: Vec<String>,

    /// Live runs per load; predictions are compared with their spread.
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

    /// Time limit of all live runs, including a fit and the simulations after it; it sets the length of the runs.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true, conflicts_with = "hold")]
    pub time_limit: Option<Duration>,

    /// Largest error of predictions: throughput, mean, p50, p95, p99 and errors, such as throughput=2%,p99=10%. Exit codes: 0 within,
    /// 99 beyond, 5 if the runs cannot tell.
    #[arg(long, value_name = "SHARES")]
    pub tolerance: Option<Tolerances>,
}
