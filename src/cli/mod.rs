//! The command line. [`crate::workload`] interprets it.

mod calibrate;
mod load;
mod max_rps;
mod misplaced;
mod output;
mod overrides;
mod spec;
mod statistics;
mod target;
mod validate;
mod values;

pub use calibrate::CalibrateArgs;
pub use load::{ClientArgs, ServiceArgs};
pub use max_rps::{MaxRpsArgs, TrialArgs};
pub use misplaced::misplaced;
pub use output::{
    Format, FormatArgs, GateFormatArgs, KeepArgs, ProgressArgs, RunFormatArgs, TimeUnit,
    TraceFormat,
};
pub use overrides::{ObjectiveArgs, OverrideArgs, ValueArgs};
pub use spec::{NeededSpecArgs, SpecArgs};
pub use statistics::StatisticsArgs;
pub use target::{ObserverArgs, TargetArgs};
pub use validate::{ValidateArgs, ValidationArgs};

use std::path::PathBuf;

use blis_sim::compare::Tolerances;
use clap::{ArgGroup, Args, Parser, Subcommand};

use values::positive;

/// Predict, measure and explain the load that a NATS backend can carry.
#[derive(Debug, Parser)]
#[command(name = "blis", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The first argument of the child of `--local`, which is none of the commands that people type.
pub const LOCAL_BACKEND: &str = "local-backend";

const AFTER_HELP: &str = "Exit codes: 0 success (PASS if objectives are judged), 1 internal error or result not \
    written, 2 usage or spec error, 3 target refused, 4 no connection, 5 INCONCLUSIVE, 99 objective missed, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate a workload and report throughput, latency, queues and the bottleneck.
    Run(RunArgs),
    /// Find the largest load that meets its objectives, simulated or on a real NATS cluster.
    MaxRps(Box<MaxRpsArgs>),
    /// Send a workload to a real NATS cluster and report like a simulation.
    Observe(Box<ObserveArgs>),
    /// Run doubles of the services of a spec on NATS.
    Serve(ServeArgs),
    /// List or remove streams that doubles left behind.
    Cleanup(CleanupArgs),
    /// Compare a spec with a variant of it on common random numbers.
    ///
    /// --set makes the variant; all other flags apply to both.
    Whatif(WhatifArgs),
    /// Replay the requests of a recorded run through a model.
    Replay(ReplayArgs),
    /// Compare two runs, or two sets of runs.
    Compare(CompareArgs),
    /// Fit a model to recorded runs and report what they determine.
    ///
    /// Also reports which models they cannot tell apart, and which load would.
    Calibrate(Box<CalibrateArgs>),
    /// Predict loads, measure them, and report the error of the model.
    ///
    /// Also reports where the model is wrong and what it probably lacks.
    Validate(Box<ValidateArgs>),
    /// Check a spec; print its resolved values and its offered load.
    Check(CheckArgs),
    /// Explain where the requests of a run spent their time.
    Explain(ExplainArgs),
    /// Show the result of a run directory, or the record of an interrupted run.
    Report(ReportArgs),
    /// Print one row per request of a recorded run.
    Trace(TraceArgs),
    /// Combine several specs into one, or report their conflicts.
    Compose(ComposeArgs),
    /// Print a JSON Schema.
    Schema(SchemaArgs),
    /// Print a shell completion script.
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write all pages.
    Man(ManArgs),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").args(["out", "trace"]).multiple(true)))]
pub struct RunArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    #[command(flatten)]
    pub clients: ClientArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    #[command(flatten)]
    pub statistics: StatisticsArgs,

    #[command(flatten)]
    pub format: RunFormatArgs,

    /// Write the resolved spec, the result document and the report to this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Record every request in the directory of --out during the run, as a live run does.
    #[arg(long, requires = "out", help_heading = "Output")]
    pub record: bool,

    #[command(flatten)]
    pub keep: KeepArgs,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").args(["out", "trace"]).multiple(true)))]
pub struct ObserveArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    #[command(flatten)]
    pub clients: ClientArgs,

    #[command(flatten)]
    pub service: ServiceArgs,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    #[command(flatten)]
    pub format: RunFormatArgs,

    /// Record the run in this directory; at its end, write the resolved spec, the result document and the report.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub keep: KeepArgs,

    #[command(flatten)]
    pub observers: ObserverArgs,

    /// Print the plan of the run and open no connection.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub dry_run: bool,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    /// Run only this service and the requests that visit it first; other processes run the rest. May be repeated.
    #[arg(long, value_name = "SERVICE")]
    pub only: Vec<String>,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// The internal command that `--local` starts.
#[derive(Debug, Parser)]
#[command(name = LOCAL_BACKEND)]
pub struct LocalBackendArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,
}

#[derive(Debug, Args)]
pub struct CleanupArgs {
    /// Run whose streams are removed [default: list runs and their streams].
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub spec: NeededSpecArgs,

    /// Accept a load that exceeds the capacity of the system.
    #[arg(long)]
    pub allow_overload: bool,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
pub struct ComposeArgs {
    /// Workload specs, two or more; - reads one from stdin.
    #[arg(value_name = "SPEC", required_unless_present = "spec_flag", num_args = 2..)]
    specs: Vec<PathBuf>,

    /// Same as SPEC. Repeat it for each spec.
    #[arg(long = "spec", value_name = "FILE", conflicts_with = "specs")]
    spec_flag: Vec<PathBuf>,

    /// Prefix conflicting names with the name of their spec, instead of refusing them.
    #[arg(long)]
    pub prefix: bool,

    /// Name of the composition [default: the names of the specs joined by +].
    #[arg(long)]
    pub name: Option<String>,

    /// Write the composition to this file [default: stdout].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Overwrite the file of --output.
    #[arg(long, requires = "output")]
    pub force: bool,

    #[command(flatten)]
    pub overrides: OverrideArgs,
}

impl ComposeArgs {
    /// The specs, in their order.
    pub fn specs(&self) -> &[PathBuf] {
        match self.specs.is_empty() {
            true => &self.spec_flag,
            false => &self.specs,
        }
    }
}

#[derive(Debug, Args)]
pub struct WhatifArgs {
    #[command(flatten)]
    pub spec: NeededSpecArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    /// Number of pairs of replications.
    #[arg(long, value_name = "COUNT", default_value = "10", value_parser = positive, allow_hyphen_values = true, help_heading = "Statistics")]
    pub replications: u64,

    /// Threads for replications; they do not change results [default: one per core].
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true, help_heading = "Statistics")]
    pub threads: Option<u64>,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Schema to print.
    #[arg(value_enum)]
    pub of: Schema,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Schema {
    /// Workload spec, for editors.
    Spec,
    /// Result document.
    Result,
    /// Document of a check.
    Check,
    /// Document of an explanation.
    Explain,
    /// Document of a comparison of runs.
    Compare,
    /// Document of a spec compared with its variant.
    Whatif,
    /// Document of a search for a ceiling.
    Ceiling,
    /// Document of a validation.
    Validation,
    /// Document of a calibration.
    Calibration,
    /// Manifest of a recorded run.
    Manifest,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Run directory, written by `blis observe --out` or `blis run --out`.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    #[command(flatten)]
    pub format: RunFormatArgs,
}

/// Which intended times of a record are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReplayAs {
    /// Send every request at its recorded time, regardless of earlier replies.
    Recorded,
    /// Send the first requests of open clients as recorded; users send the others after replies of the model.
    Closed,
}

/// Which recorded values replace draws of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OfVisits {
    /// The member that the server chose for each request, at services with random dispatch.
    Member,
    /// The service time of each visit.
    Service,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").args(["out", "trace"]).multiple(true)))]
pub struct ReplayArgs {
    /// Run directory, written by `blis observe --out` or `blis run --out DIR --record`.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Model for the requests, with the same names of clients and actions [default: the spec of RUN].
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

    /// How the requests are replayed.
    #[arg(long = "as", value_name = "HOW", value_enum, default_value_t = ReplayAs::Recorded)]
    pub replay_as: ReplayAs,

    /// Use recorded values instead of draws of the model, comma-separated. RUN must be a live run against `blis serve`.
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub recorded: Vec<OfVisits>,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    #[command(flatten)]
    pub format: RunFormatArgs,

    /// Write the resolved spec, the result document and the report to this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub keep: KeepArgs,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Run directories: the baseline and the other run, or with --against all runs of the baseline.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,

    /// Runs to compare with the baseline; needed if a side has more than one run.
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub against: Vec<PathBuf>,

    /// Largest difference from the baseline: throughput, mean, p50, p95, p99 and errors, such as
    /// p99=+10%,throughput=-2%,errors=0.5%. + limits only a rise, - only a fall; errors limits the rise of the share of failed
    /// requests. Exit codes: 0 within, 99 beyond, 5 if the runs cannot tell.
    #[arg(long, value_name = "SHARES")]
    pub tolerance: Option<Tolerances>,

    #[command(flatten)]
    pub format: GateFormatArgs,
}

#[derive(Debug, Args)]
pub struct TraceArgs {
    /// Run directory, written by `blis observe --out` or `blis run --out DIR --record`.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Format of the rows.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = TraceFormat::Csv, help_heading = "Output")]
    pub format: TraceFormat,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Run directory, written by `blis run --out`.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    #[command(flatten)]
    pub format: FormatArgs,

    #[command(flatten)]
    pub progress: ProgressArgs,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell of the script.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Command of the page [default: blis].
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub command: Option<String>,

    /// Write the pages of all commands to this directory.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
