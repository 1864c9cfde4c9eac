//! The command line as it is typed. What it means is decided in [`crate::workload`].

use std::path::PathBuf;
use std::str::FromStr;

use blis_live::target::Named;
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::{Count, Duration, Rate, Share, UnitError};
use blis_sim::spec::{Assignment, Objectives, SpecError};
use clap::{ArgGroup, Args, Parser, Subcommand};

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
    /// Send a workload to a real NATS cluster and report it like a simulation.
    Observe(ObserveArgs),
    /// Play the backend of a spec on NATS.
    Serve(ServeArgs),
    /// Remove the streams that a double has left behind, or list them.
    Cleanup(CleanupArgs),
    /// Compare a spec with a variant of it on common random numbers.
    Whatif(WhatifArgs),
    /// Validate a spec; print what it resolves to and the load it offers.
    Check(CheckArgs),
    /// Explain where the time of a run's requests went.
    Explain(ExplainArgs),
    /// Show the result of a run directory, or what the record of an interrupted run has.
    Report(ReportArgs),
    /// Print the requests of a live run, one row each.
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
    /// The workload spec; - reads it from stdin. Without it the embedded quickstart is run.
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

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

    /// Write one row per request to this file while the run goes on; by its name as CSV (.csv) or JSON lines (.jsonl).
    #[arg(long, value_name = "FILE", help_heading = "Output", conflicts_with_all = ["replications", "precision"])]
    pub trace: Option<PathBuf>,

    /// The form of the trace, whatever its name.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        requires = "trace",
        help_heading = "Output"
    )]
    pub trace_format: Option<TraceFormat>,

    /// Replace the results that the directory of --out holds, and the file of --trace.
    #[arg(long, requires = "kept", help_heading = "Output")]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").args(["out", "trace"]).multiple(true)))]
pub struct ObserveArgs {
    /// The workload spec; - reads it from stdin. Without it the embedded quickstart is sent.
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

    #[command(flatten)]
    pub clients: ClientArgs,

    /// The subject that the embedded quickstart sends its requests to.
    #[arg(
        long,
        help_heading = "Clients of the embedded quickstart (with --spec, set the keys instead)"
    )]
    pub subject: Option<String>,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub overrides: OverrideArgs,

    #[command(flatten)]
    pub objectives: ObjectiveArgs,

    /// At most so many requests in flight together; any number unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true, help_heading = "Overrides of the spec")]
    pub max_in_flight: Option<u64>,

    /// What becomes of a request that is one too many: dropped and counted, or delayed and shown as lag.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = InFlight::Drop, requires = "max_in_flight", help_heading = "Overrides of the spec")]
    pub in_flight_policy: InFlight,

    #[command(flatten)]
    pub format: FormatArgs,

    /// Keep a record of the run in this directory while it goes on, and at its end the resolved spec, the result document
    /// and the report.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Write one row per request to this file at the end; by its name as CSV (.csv) or JSON lines (.jsonl).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub trace: Option<PathBuf>,

    /// The form of the trace, whatever its name.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        requires = "trace",
        help_heading = "Output"
    )]
    pub trace_format: Option<TraceFormat>,

    /// Replace the results that the directory of --out holds, and the file of --trace.
    #[arg(long, requires = "kept", help_heading = "Output")]
    pub force: bool,

    /// Observe the consumers of this stream, too. May be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Observers")]
    pub observe_stream: Vec<String>,

    /// The monitoring of the server, such as http://127.0.0.1:8222, to be observed; guarded as the target is.
    #[arg(long, value_name = "URL", help_heading = "Observers")]
    pub monitor: Option<String>,

    /// Print what the run would do, and open no connection.
    #[arg(long)]
    pub dry_run: bool,

    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The workload spec; - reads it from stdin. Without it the embedded quickstart is played.
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,

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

#[derive(Debug, Args)]
pub struct CleanupArgs {
    /// The run whose streams are removed; without it, runs and their streams are listed.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    #[command(flatten)]
    pub target: TargetArgs,
}

/// Which server, and how it lets one in. Flags come before the environment, and that before the context.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// The server, or several with commas between (NATS_URL).
    #[arg(long, short = 's', value_name = "URL", alias = "server")]
    pub url: Option<String>,

    /// A NATS context by its name, or its file (NATS_CONTEXT).
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// A server that is not this machine and may be loaded: its host as in the URL, or a network such as 10.0.0.0/8
    /// (BLIS_ALLOW_TARGET, several with commas between).
    #[arg(long, value_name = "HOST", value_parser = target)]
    pub allow_target: Vec<Named>,

    /// Allow addresses that the public internet routes, too.
    #[arg(long)]
    pub allow_public: bool,

    /// The user (NATS_USER).
    #[arg(long)]
    pub user: Option<String>,

    /// The password (NATS_PASSWORD).
    #[arg(long)]
    pub password: Option<String>,

    /// The token (NATS_TOKEN).
    #[arg(long)]
    pub token: Option<String>,

    /// A credentials file (NATS_CREDS).
    #[arg(long, value_name = "FILE")]
    pub creds: Option<PathBuf>,

    /// A file with the seed of an nkey (NATS_NKEY).
    #[arg(long, value_name = "FILE")]
    pub nkey: Option<PathBuf>,

    /// Certificates of further authorities (NATS_CA).
    #[arg(long, value_name = "FILE")]
    pub tlsca: Option<PathBuf>,

    /// The client's certificate (NATS_CERT).
    #[arg(long, value_name = "FILE")]
    pub tlscert: Option<PathBuf>,

    /// The key of the client's certificate (NATS_KEY).
    #[arg(long, value_name = "FILE")]
    pub tlskey: Option<PathBuf>,

    /// TLS before the server's first word, as the server may be set to want it.
    #[arg(long)]
    pub tlsfirst: bool,

    /// What the subjects of replies start with; _INBOX unless given.
    #[arg(long, value_name = "PREFIX")]
    pub inbox_prefix: Option<String>,

    /// The domain of JetStream.
    #[arg(long, value_name = "DOMAIN")]
    pub js_domain: Option<String>,

    /// What the subjects of the JetStream API start with; $JS.API unless given.
    #[arg(long, value_name = "PREFIX", conflicts_with = "js_domain")]
    pub js_api_prefix: Option<String>,
}

fn target(text: &str) -> Result<Named, String> {
    text.parse()
}

/// What is printed on stdout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// Print the report as text or Markdown, or the JSON document instead of it.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// A form of what a command prints: the report for a terminal, the document for programs, the report for documents.
// The variants have no comments of their own, which would make the help of every command a page long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
}

/// What becomes of a request that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum InFlight {
    Drop,
    Delay,
}

/// A form of a trace: comma-separated values, or one JSON object on each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceFormat {
    Csv,
    Jsonl,
}

impl FormatArgs {
    /// The form that is asked for.
    pub fn chosen(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Flags that describe the client of the embedded spec.
#[derive(Debug, Clone, Default, Args)]
#[command(
    next_help_heading = "Clients of the embedded quickstart (with --spec, set the keys instead)"
)]
pub struct ClientArgs {
    /// So many closed users, each with at most one request in flight.
    #[arg(long, value_name = "USERS", conflicts_with = "rate", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub concurrency: Option<Count>,

    /// A constant think time between an answer and the user's next request.
    #[arg(long, value_name = "MS", value_parser = millis, allow_hyphen_values = true)]
    pub think_time_ms: Option<Duration>,

    /// Open Poisson arrivals: 200/s, 1.5k/s, or just a number per second.
    #[arg(long, value_parser = per_second, allow_hyphen_values = true)]
    pub rate: Option<Rate>,
}

/// Flags that say how sure the figures shall be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Statistics")]
pub struct StatisticsArgs {
    /// Run so many independent replications and report all of them together.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub replications: Option<u64>,

    /// Add replications, from 10 on or what --replications says, until mean response time and throughput are within
    /// this share, such as 1%, of the true ones.
    #[arg(long, value_name = "SHARE", value_parser = precision, allow_hyphen_values = true)]
    pub precision: Option<f64>,

    /// The most replications that --precision may take; 1000 unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, requires = "precision", allow_hyphen_values = true)]
    pub max_replications: Option<u64>,

    /// Threads for replications, which change no result; one for each core unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,
}

/// Flags that override a value of the spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct OverrideArgs {
    /// The budget: so many requests, first ones and follow-ups together.
    #[arg(long, value_name = "COUNT", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub num_requests: Option<Count>,

    /// No request is sent after this time.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub horizon: Option<Duration>,

    /// The measured window starts at this time; auto finds the start of the steady state by a pilot run.
    #[arg(long, value_name = "TIME", value_parser = warmup, allow_hyphen_values = true)]
    pub warmup: Option<Warmup>,

    /// How long a user waits for a reply before giving up.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub timeout: Option<Duration>,

    /// The seed of every random draw.
    #[arg(long, value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub seed: Option<Count>,

    /// Any key of the spec, such as services.api.workers=5; null removes it. May be repeated.
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, allow_hyphen_values = true)]
    pub set: Vec<Assignment>,

    /// A folder whose files the spec may name, beside its own folder and the working directory. May be repeated.
    #[arg(long, value_name = "DIR")]
    pub allow_files: Vec<PathBuf>,

    /// Objectives of commands that judge, which put them here.
    #[arg(skip)]
    pub slo: Vec<Objectives>,
}

impl OverrideArgs {
    /// These with objectives.
    pub fn judged_by(&self, objectives: &ObjectiveArgs) -> OverrideArgs {
        OverrideArgs {
            slo: objectives.slo.clone(),
            ..self.clone()
        }
    }
}

/// Flags that say what a run is judged by.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct ObjectiveArgs {
    /// Objectives of every action, or of the one that is named: p50, p90, p95, p99, p999 and errors, such as
    /// ask:p95=100ms,errors=0.1%. They replace the limits that they name. May be repeated.
    #[arg(long, value_name = "LIMITS", value_parser = objectives, allow_hyphen_values = true)]
    pub slo: Vec<Objectives>,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The workload spec; - reads it from stdin.
    #[arg(value_name = "SPEC", required_unless_present = "spec_flag")]
    pub spec: Option<PathBuf>,

    /// The same, as `blis run` takes it.
    #[arg(long = "spec", value_name = "FILE", conflicts_with = "spec")]
    pub spec_flag: Option<PathBuf>,

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
    #[arg(value_name = "SPEC", required = true, num_args = 2..)]
    pub specs: Vec<PathBuf>,

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

#[derive(Debug, Args)]
pub struct WhatifArgs {
    /// The workload spec; - reads it from stdin. --set makes its variant, the other flags are for both.
    #[arg(value_name = "SPEC", required_unless_present = "spec_flag")]
    pub spec: Option<PathBuf>,

    /// The same, as `blis run` takes it.
    #[arg(long = "spec", value_name = "FILE", conflicts_with = "spec")]
    pub spec_flag: Option<PathBuf>,

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
    /// Of the document of a comparison.
    Whatif,
    /// Of the manifest of a live run.
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

#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The directory that `blis observe --out` wrote.
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

/// A quantity as a spec writes it. Values may start with a hyphen so that a negative one is refused as such.
fn quantity<T: FromStr<Err = UnitError>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: UnitError| format!("{error}; {}", error.help))
}

/// A time, or the word that stands for finding it.
fn warmup(text: &str) -> Result<Warmup, String> {
    match text {
        "auto" => Ok(Warmup::Auto),
        time => quantity(time)
            .map(Warmup::At)
            .map_err(|error| format!("{error}, or auto")),
    }
}

/// A count that is not 0.
fn positive(text: &str) -> Result<u64, String> {
    match quantity::<Count>(text)? {
        Count(0) => Err("`0` is too few; give at least 1".to_owned()),
        Count(count) => Ok(count),
    }
}

/// A relative precision.
fn precision(text: &str) -> Result<f64, String> {
    let Share(share) = quantity(text)?;
    if share > 0.0 && share < 1.0 {
        return Ok(share);
    }
    Err(format!(
        "`{text}` is not a precision; give a share above 0 and below 100%, such as 1%"
    ))
}

/// A key with its value.
fn assignment(text: &str) -> Result<Assignment, String> {
    text.parse().map_err(told)
}

/// Objectives as `--slo` takes them.
fn objectives(text: &str) -> Result<Objectives, String> {
    text.parse().map_err(told)
}

/// An error of a spec about a flag, in one line.
fn told(error: SpecError) -> String {
    match error.help.as_deref() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

/// A number of milliseconds.
fn millis(text: &str) -> Result<Duration, String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        let accepted = "give a number of milliseconds that is not negative, such as 500 or 0.5";
        return Err(format!("`{text}` is not one; {accepted}"));
    }
    quantity(&format!("{text}ms"))
}

/// A rate with its unit, or a bare number per second.
fn per_second(text: &str) -> Result<Rate, String> {
    let is_number = text.ends_with(|last: char| last.is_ascii_digit() || ".kM".contains(last));
    match is_number {
        true => quantity(&format!("{text}/s")),
        false => quantity(text),
    }
}
