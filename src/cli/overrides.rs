//! Flags that replace values of a spec.

use std::path::PathBuf;

use blis_sim::spec::live::InFlightPolicy;
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::{Count, Duration};
use blis_sim::spec::{Assignment, Objectives};
use clap::Args;

use super::values::{assignment, objectives, quantity, warmup};

/// What happens to a request above `max_in_flight`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum InFlight {
    #[default]
    Drop,
    Delay,
}

impl From<InFlight> for InFlightPolicy {
    fn from(policy: InFlight) -> InFlightPolicy {
        match policy {
            InFlight::Drop => InFlightPolicy::Drop,
            InFlight::Delay => InFlightPolicy::Delay,
        }
    }
}

/// Flags that bound a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct BoundArgs {
    /// Maximum number of requests to send, including follow-ups.
    #[arg(long, value_name = "COUNT", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub num_requests: Option<Count>,

    /// Time after which no request is sent.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub horizon: Option<Duration>,

    /// Start of the measured window; auto finds the steady state with a pilot run.
    #[arg(long, value_name = "TIME", value_parser = warmup, allow_hyphen_values = true)]
    pub warmup: Option<Warmup>,
}

/// Flags that override a value of the spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct OverrideArgs {
    #[command(flatten)]
    pub bounds: BoundArgs,

    #[command(flatten)]
    pub values: ValueArgs,

    /// Objectives; commands that judge put them here.
    #[arg(skip)]
    pub slo: Vec<Objectives>,
}

/// Flags that override a value of the spec, except those that bound a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct ValueArgs {
    /// Time that a user waits for a reply before giving up.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub timeout: Option<Duration>,

    /// Maximum requests in flight [default: unlimited].
    #[arg(long, value_name = "COUNT", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub max_in_flight: Option<Count>,

    /// What happens to a request above --max-in-flight: drop and count it, or delay it and report the lag.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = InFlight::Drop, requires = "max_in_flight")]
    pub in_flight_policy: InFlight,

    /// Seed of all random draws.
    #[arg(long, value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub seed: Option<Count>,

    /// Set a key of the spec, such as services.api.workers=5; null removes it. May be repeated.
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, allow_hyphen_values = true)]
    pub set: Vec<Assignment>,

    /// Directory whose files the spec may read, besides its own and the working directory. May be repeated.
    #[arg(long, value_name = "DIR")]
    pub allow_files: Vec<PathBuf>,
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

/// Flags for the objectives of a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct ObjectiveArgs {
    /// Objectives of every action or of the named one: p50, p90, p95, p99, p999 and errors, such as
    /// ask:p95=100ms,errors=0.1%; growth: no consumer backlog grows by more than chance explains. They replace the same
    /// objectives of the spec. May be repeated.
    #[arg(long, value_name = "LIMITS", value_parser = objectives, allow_hyphen_values = true)]
    pub slo: Vec<Objectives>,
}
