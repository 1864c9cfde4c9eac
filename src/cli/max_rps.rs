//! The search for a ceiling, as it is typed.

use std::path::PathBuf;

use blis_sim::spec::Assignment;
use blis_sim::spec::units::Duration;
use clap::Args;

use super::values::{assignment, positive, precision, quantity, tolerance};
use super::{
    ClientArgs, FormatArgs, ObjectiveArgs, ObserverArgs, ServiceArgs, SpecArgs, TargetArgs,
    ValueArgs,
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
    pub format: FormatArgs,

    /// Write a row for each trial to this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub csv: Option<PathBuf>,

    /// Write the document of the search, the report, the spec and the result of every trial into this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Replace the search that the directory of --out holds, and the file of --csv.
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Print what the search would do, and run nothing.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub dry_run: bool,

    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

/// Flags that say what is varied, and how it is tried.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search")]
pub struct TrialArgs {
    /// What is varied: rate (one factor on the rate of every open client), concurrency (the number of closed users),
    /// or a numeric key of the spec, such as services.api.workers [default: concurrency where a client is closed,
    /// otherwise rate].
    #[arg(long, value_name = "WHAT")]
    pub over: Option<String>,

    /// The load at which a key is varied: 400/s, or a number of users where a client is closed [default: as written].
    #[arg(long, value_name = "LOAD")]
    pub at: Option<String>,

    /// The range that is searched, in the unit of what is varied, such as 100/s..2k/s or 1..64.
    #[arg(
        long,
        value_name = "LO..HI",
        conflicts_with = "steps",
        allow_hyphen_values = true
    )]
    pub search: Option<String>,

    /// Try these loads instead, in ascending order, such as 500,1k,2k. The first that misses an objective is the last.
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    pub steps: Option<String>,

    /// Go on after a step that misses an objective.
    #[arg(long, requires = "steps")]
    pub no_stop_on_trip: bool,

    /// A step whose requests sent fall short of its load by more than this is INCONCLUSIVE.
    #[arg(long, value_name = "SHARE", value_parser = tolerance, default_value = "5%", requires = "steps", allow_hyphen_values = true)]
    pub rate_tolerance: f64,

    /// Time before the measured window of each trial [default: the warm-up of the spec, else 2s live, 10s for simulated --steps, and as long as the model remembers for a simulated search].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub warmup: Option<Duration>,

    /// Length of the measured window of each trial [default: 30s for --steps; in a search until the trial is decided, live at most 15s for the first trial of a load].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub hold: Option<Duration>,

    /// Pause after each live trial [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub cooldown: Option<Duration>,

    /// Longest measured window of a trial [default: 60s live].
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true, conflicts_with = "hold")]
    pub longest_trial: Option<Duration>,

    /// Longest time for the whole search; afterwards the bounds so far are reported.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub time_limit: Option<Duration>,

    /// How exact the answer is to be, as a share of it: half the width of its interval simulated, the distance between the bounds live [default: 1% simulated, 3% live].
    #[arg(long, value_name = "SHARE", value_parser = precision, allow_hyphen_values = true, conflicts_with = "steps")]
    pub precision: Option<f64>,

    /// Answer several limits of one objective from the same trials, such as p99=10ms,25ms,50ms.
    #[arg(long, value_name = "LIMITS", allow_hyphen_values = true, conflicts_with_all = ["steps", "what_if"])]
    pub tiers: Option<String>,

    /// Also search the ceiling with this key set so, such as services.api.workers=5. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment, allow_hyphen_values = true, conflicts_with = "steps")]
    pub what_if: Vec<Assignment>,

    /// Threads for simulated trials, which change no result [default: one for each core].
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,
}
