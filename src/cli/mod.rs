//! The command line as it is typed. What it means is decided in [`crate::workload`].

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
pub use output::{Format, FormatArgs, KeepArgs, TraceFormat};
pub use overrides::{ObjectiveArgs, OverrideArgs, ValueArgs};
pub use spec::{NeededSpecArgs, SpecArgs};
pub use statistics::StatisticsArgs;
pub use target::{ObserverArgs, TargetArgs};
pub use validate::{ValidateArgs, ValidationArgs};

use std::path::PathBuf;

use blis_sim::compare::Tolerances;
use clap::{ArgGroup, Args, Parser, Subcommand};

use values::positive;

/// Predict, measure and explain what load a NATS backend can carry.
#[derive(Debug, Parser)]
#[command(name = "blis", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "Exit codes: 0 done (and PASS where judged), 1 a defect of blis or a result that could \
    not be written, 2 usage or spec, 3 target refused, 4 no connection, 5 INCONCLUSIVE, 99 an objective was missed, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate a workload and report throughput, latency, queues and what limits them.
    Run(RunArgs),
    /// Find the largest load that keeps its objectives: simulated, or at a real NATS cluster.
    MaxRps(Box<MaxRpsArgs>),
    /// Send a workload to a real NATS cluster and report it like a simulation.
    Observe(Box<ObserveArgs>),
    /// Play the backend of a spec on NATS.
    Serve(ServeArgs),
    /// Remove the streams that a double has left behind, or list them.
    Cleanup(CleanupArgs),
    /// Compare a spec with a variant of it on common random numbers.
    ///
    /// --set makes the variant; the other flags are for both.
    Whatif(WhatifArgs),
    /// Send the requests of a recorded run through a model, offline.
    Replay(ReplayArgs),
    /// Say how two runs, or two sets of runs, differ.
    Compare(CompareArgs),
    /// Fit a model to runs that were recorded, and say what they tell of it.
    ///
    /// What they do not tell apart is said too, and which load would.
    Calibrate(Box<CalibrateArgs>),
    /// Predict loads, measure them, and say how far off the model is.
    ///
    /// The report says where it is off and what it probably misses.
    Validate(Box<ValidateArgs>),
    /// Check a spec; print what it resolves to and the load it offers.
    Check(CheckArgs),
    /// Explain where the time of a run's requests went.
    Explain(ExplainArgs),
    /// Show the result of a run directory, or what the record of an interrupted run has.
    Report(ReportArgs),
    /// Print the requests of a recorded run, one row each.
    Trace(TraceArgs),
    /// Make one spec of several, or say why they do not go together.
    Compose(ComposeArgs),
    /// Print a JSON Schema.
    Schema(SchemaArgs),
    /// Print what a shell needs to complete command lines.
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write all of them.
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
    pub format: FormatArgs,

    /// Write the resolved spec, the result document and the report into this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Keep a record of every request in the directory of --out while the run goes on, as a live run does.
    #[arg(long, requires = "out", help_heading = "Output")]
    pub record: bool,

    #[command(flatten)]
    pub keep: KeepArgs,
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
    pub format: FormatArgs,

    /// Keep a record of the run in this directory while it goes on, and at its end the resolved spec, the result document
    /// and the report.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub keep: KeepArgs,

    #[command(flatten)]
    pub observers: ObserverArgs,

    /// Print what the run would do, and open no connection.
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub dry_run: bool,

    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    /// Play only this service, and the requests that visit it first. May be repeated; others play the rest.
    #[arg(long, value_name = "SERVICE")]
    pub only: Vec<String>,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub format: FormatArgs,

    /// Show nothing while it plays.
    #[arg(long)]
    pub quiet: bool,
}

/// What `--local` starts, which is none of the commands: nobody types it.
#[derive(Debug, Parser)]
#[command(name = crate::local::COMMAND)]
pub struct LocalBackendArgs {
    #[command(flatten)]
    pub spec: SpecArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,
}

#[derive(Debug, Args)]
pub struct CleanupArgs {
    /// The run whose streams are removed; without it, runs and their streams are listed.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub spec: NeededSpecArgs,

    /// Accept a load that is more than the system can carry for as long as it lasts.
    #[arg(long)]
    pub allow_overload: bool,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
pub struct ComposeArgs {
    /// The workload specs, two or more; - reads one from stdin.
    #[arg(value_name = "SPEC", required_unless_present = "spec_flag", num_args = 2..)]
    specs: Vec<PathBuf>,

    /// The same as a plain argument. Repeated for each of them.
    #[arg(long = "spec", value_name = "FILE", conflicts_with = "specs")]
    spec_flag: Vec<PathBuf>,

    /// Prefix names that clash with the names of their specs, instead of refusing them.
    #[arg(long)]
    pub prefix: bool,

    /// The name of the composition; the names of the specs joined by + unless given.
    #[arg(long)]
    pub name: Option<String>,

    /// Write the composition into this file instead of to stdout.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Replace the file of --output.
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

    /// So many pairs of replications.
    #[arg(long, value_name = "COUNT", default_value = "10", value_parser = positive, allow_hyphen_values = true, help_heading = "Statistics")]
    pub replications: u64,

    /// Threads for replications, which change no result; one for each core unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true, help_heading = "Statistics")]
    pub threads: Option<u64>,

    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which schema.
    #[arg(value_enum)]
    pub of: Schema,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Schema {
    /// Of a workload spec, for editors.
    Spec,
    /// Of the result document.
    Result,
    /// Of the document of a check.
    Check,
    /// Of the document of an explanation.
    Explain,
    /// Of the document of a comparison of runs.
    Compare,
    /// Of the document of a spec against its variant.
    Whatif,
    /// Of the document of a search for a ceiling.
    Ceiling,
    /// Of the document of a validation.
    Validation,
    /// Of the document of a calibration.
    Calibration,
    /// Of the manifest of a recorded run.
    Manifest,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The directory that `blis observe --out` or `blis run --out` wrote.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    #[command(flatten)]
    pub format: FormatArgs,
}

/// What of a record is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReplayAs {
    /// Every request at its recorded instant, whatever becomes of those before it.
    Recorded,
    /// The first requests of open clients as recorded; users send the others as the model answers.
    Closed,
}

/// What of a live run takes the place of the model's draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OfVisits {
    /// The member that the server drew for each request, at services with random dispatch.
    Member,
    /// The service time of each visit.
    Service,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").args(["out", "trace"]).multiple(true)))]
pub struct ReplayArgs {
    /// The directory that `blis observe --out` or `blis run --out DIR --record` wrote.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Another model for the requests, with clients and actions of the same names [default: the spec of RUN].
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

    /// Which instants are replayed.
    #[arg(long = "as", value_name = "HOW", value_enum, default_value_t = ReplayAs::Recorded)]
    pub replay_as: ReplayAs,

    /// Use recorded members or service times, or both with a comma between, in place of the model's draws. RUN must be a live run
    /// against `blis serve`.
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub recorded: Vec<OfVisits>,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    #[command(flatten)]
    pub format: FormatArgs,

    /// Write the resolved spec, the result document and the report into this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub keep: KeepArgs,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The directories of the runs, the baseline first: two, or with --against those of the baseline.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,

    /// Runs to compare with the baseline; needed where a side has more than one run.
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub against: Vec<PathBuf>,

    /// How far figures may be from those of the baseline: throughput, mean, p50, p95, p99 and errors, such as
    /// p99=+10%,throughput=-2%,errors=0.5%. With + only a rise is limited, with - only a fall; errors is by how much of all
    /// requests more may fail. The exit code is 0 within, 99 beyond, and 5 where the runs cannot tell.
    #[arg(long, value_name = "SHARES")]
    pub tolerance: Option<Tolerances>,

    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The directory that `blis observe --out` or `blis run --out DIR --record` wrote.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// The form of the rows.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = TraceFormat::Csv, help_heading = "Output")]
    pub format: TraceFormat,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The directory that `blis run --out` wrote.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Which command's page; without it that of blis.
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub command: Option<String>,

    /// Write the pages of all commands into this directory.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
