//! The command line of a search for a ceiling.

use std::path::PathBuf;

use blis_sim::spec::Assignment;
use blis_sim::spec::units::Duration;
use clap::Args;

use super::values::{assignment, positive, precision, quantity, tolerance};
use super::{
    ClientArgs, GateFormatArgs, ObjectiveArgs, ObserverArgs, ProgressArgs, ServiceArgs, SpecArgs,
    TargetArgs, ValueArgs,
};

/// The arguments of `blis max-rps`.
#[derive(Debug, Args)]
pub struct MaxRpsArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    #[command(flatten)]
    pub trials: TrialArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    #[command(flatten)]
    pub values: ValueArgs,

    #[command(flatten)]
    pub clients: ClientArgs,

    #[command(flatten)]
    pub service: ServiceArgs,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub observers: ObserverArgs,

    #[command(flatten)]
    pub format: GateFormatArgs,

    /// Write one CSV row per trial to this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub csv: Option<PathBuf>,

    /// Write the search document, the report, the spec and the result of every trial to this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Overwrite the search in the directory of --out and the file of --csv.
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Print the plan of the search and exit.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub dry_run: bool,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// Flags for what is varied and for its trials.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search")]
pub struct TrialArgs {
    /// Quantity to vary: rate (one factor on the rate of every open client), concurrency (the number of closed-loop users),
    /// or a numeric key of the spec, such as services.api.workers [default: concurrency if a client is closed, otherwise rate].
    #[arg(long, value_name = "WHAT")]
    pub over: Option<String>,

    /// Load at which a key is varied, such as 400/s, or a number of users if a client is closed [default: the load of the spec].
    #[arg(long, value_name = "LOAD")]
    pub at: Option<String>,

    /// Range to search, in the unit of the varied quantity, such as 100/s..2k/s or 1..64.
    #[arg(
        long,
        value_name = "LO..HI",
        conflicts_with = "steps",
        allow_hyphen_values = true
    )]
    pub search: Option<String>,

    /// Loads to try instead of a search, in ascending order, such as 500,1k,2k. Stops after the first that misses an objective.
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    pub steps: Option<String>,

    /// Continue after a step that misses an objective.
    #[arg(long, requires = "steps")]
    pub no_stop_on_trip: bool,

    /// Largest shortfall of sent requests; a step that falls shorter of its load is INCONCLUSIVE.
    #[arg(long, value_name = "SHARE", value_parser = tolerance, default_value = "5%", requires = "steps", allow_hyphen_values = true)]
    pub rate_tolerance: f64,

    /// Time before the measured window of each trial [default: the warm-up of the spec, else 2s live, 10s for simulated --steps, and the memory of the model for a simulated search].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub warmup: Option<Duration>,

    /// Length of the measured window of each trial [default: 30s for --steps; in a search until the trial is decided, live at most 15s for the first trial of each load].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub hold: Option<Duration>,

    /// Pause after each live trial [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub cooldown: Option<Duration>,

    /// Longest measured window of a trial [default: 60s live].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true, conflicts_with = "hold")]
    pub longest_trial: Option<Duration>,

    /// Time limit of the whole search; when it is reached, the bounds so far are reported.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub time_limit: Option<Duration>,

    /// Relative precision of the answer: half-width of its 95 % interval (simulated) or distance between its bounds (live) [default: 1% simulated, 3% live].
    #[arg(long, value_name = "SHARE", value_parser = precision, allow_hyphen_values = true, conflicts_with = "steps")]
    pub precision: Option<f64>,

    /// Several limits of one objective, answered from the same trials, such as p99=10ms,25ms,50ms.
    #[arg(long, value_name = "LIMITS", allow_hyphen_values = true, conflicts_with_all = ["steps", "what_if"])]
    pub tiers: Option<String>,

    /// Also search the ceiling with this change, such as services.api.workers=5. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment, allow_hyphen_values = true, conflicts_with = "steps")]
    pub what_if: Vec<Assignment>,

    /// Threads for simulated trials; they do not change results [default: one per core].
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,
}
