//! Values that replace those of a spec, whatever it is.

use std::path::PathBuf;

use blis_sim::spec::live::InFlightPolicy;
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::{Count, Duration};
use blis_sim::spec::{Assignment, Objectives};
use clap::Args;

use super::values::{assignment, objectives, quantity, warmup};

/// What becomes of a request that is one too many.
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
    /// The budget: so many requests, first ones and follow-ups together.
    #[arg(long, value_name = "COUNT", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub num_requests: Option<Count>,

    /// No request is sent after this time.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub horizon: Option<Duration>,

    /// The measured window starts at this time; auto finds the start of the steady state by a pilot run.
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

    /// Objectives of commands that judge, which put them here.
    #[arg(skip)]
    pub slo: Vec<Objectives>,
}

/// Flags that override a value of the spec, but for what bounds a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct ValueArgs {
    /// How long a user waits for a reply before giving up.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub timeout: Option<Duration>,

    /// At most so many requests in flight together; any number unless given.
    #[arg(long, value_name = "COUNT", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub max_in_flight: Option<Count>,

    /// What becomes of a request that is one too many: dropped and counted, or delayed and shown as lag.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = InFlight::Drop, requires = "max_in_flight")]
    pub in_flight_policy: InFlight,

    /// The seed of every random draw.
    #[arg(long, value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub seed: Option<Count>,

    /// Any key of the spec, such as services.api.workers=5; null removes it. May be repeated.
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, allow_hyphen_values = true)]
    pub set: Vec<Assignment>,

    /// A folder whose files the spec may name, beside its own folder and the working directory. May be repeated.
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

/// Flags that say what a run is judged by.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides of the spec")]
pub struct ObjectiveArgs {
    /// Objectives of every action, or of the one that is named: p50, p90, p95, p99, p999 and errors, such as
    /// ask:p95=100ms,errors=0.1%; growth: no backlog of a consumer may grow by more than chance explains. They replace the
    /// limits that they name. May be repeated.
    #[arg(long, value_name = "LIMITS", value_parser = objectives, allow_hyphen_values = true)]
    pub slo: Vec<Objectives>,
}
