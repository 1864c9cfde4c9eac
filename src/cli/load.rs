//! Flags for the load and the service of a run without a spec.

use std::path::PathBuf;

use blis_sim::spec::units::{Count, Duration, Rate};
use clap::Args;

use super::values::{header, millis, per_second, quantity};

/// Flags that describe the client of a run without a spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clients (without a spec; with one, set its keys)")]
pub struct ClientArgs {
    /// Number of closed-loop users; each has at most one request in flight. Not with --rate.
    #[arg(long, value_name = "USERS", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub concurrency: Option<Count>,

    /// Constant think time between a reply and the user's next request, such as 50ms.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub think_time: Option<Duration>,

    /// Think time in milliseconds.
    #[arg(long, value_name = "MS", value_parser = millis, allow_hyphen_values = true, conflicts_with = "think_time")]
    pub think_time_ms: Option<Duration>,

    /// Rate of open Poisson arrivals, such as 200/s, 1.5k/s or 200. Not with --concurrency.
    #[arg(long, value_parser = per_second, allow_hyphen_values = true)]
    pub rate: Option<Rate>,
}

/// Flags that describe the requests to a service without a spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A service without a spec")]
pub struct ServiceArgs {
    /// Subject of the requests. Placeholders such as {user}, {seq} and {uuid} are replaced, as in a spec.
    #[arg(long)]
    pub subject: Option<String>,

    /// Payload of each request, placeholders allowed, such as '{"id": {seq}}' [default: empty].
    #[arg(
        long,
        value_name = "TEXT",
        requires = "subject",
        allow_hyphen_values = true
    )]
    pub payload: Option<String>,

    /// File with the payload of each request, placeholders allowed.
    #[arg(
        long,
        value_name = "FILE",
        requires = "subject",
        conflicts_with = "payload"
    )]
    pub payload_file: Option<PathBuf>,

    /// Header of each request, placeholders allowed: 'Name: value'. May be repeated.
    #[arg(long, value_name = "HEADER", requires = "subject", value_parser = header, allow_hyphen_values = true)]
    pub header: Vec<(String, String)>,
}
