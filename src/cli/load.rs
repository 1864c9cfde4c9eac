//! Which load is sent, and to what, where no spec says so.

use std::path::PathBuf;

use blis_sim::spec::units::{Count, Duration, Rate};
use clap::Args;

use super::values::{header, millis, per_second, quantity};

/// Flags that describe the client where there is no spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clients (without a spec; with one, set its keys)")]
pub struct ClientArgs {
    /// Number of closed-loop users; each has at most one request in flight. Not with --rate.
    #[arg(long, value_name = "USERS", value_parser = quantity::<Count>, allow_hyphen_values = true)]
    pub concurrency: Option<Count>,

    /// Constant think time between a reply and the user's next request, such as 50ms.
    #[arg(long, value_name = "TIME", value_parser = quantity::<Duration>, allow_hyphen_values = true)]
    pub think_time: Option<Duration>,

    /// The same as a number of milliseconds.
    #[arg(long, value_name = "MS", value_parser = millis, allow_hyphen_values = true, conflicts_with = "think_time")]
    pub think_time_ms: Option<Duration>,

    /// Open Poisson arrivals: 200/s, 1.5k/s, or just a number per second. Not with --concurrency.
    #[arg(long, value_parser = per_second, allow_hyphen_values = true)]
    pub rate: Option<Rate>,
}

/// Flags that describe the requests to a service of which there is no spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A service without a spec")]
pub struct ServiceArgs {
    /// Send requests to this subject. It may hold places such as {user}, {seq} and {uuid}, as those of a spec.
    #[arg(long)]
    pub subject: Option<String>,

    /// Payload of each request, with or without places: '{"id": {seq}}' [default: empty].
    #[arg(
        long,
        value_name = "TEXT",
        requires = "subject",
        allow_hyphen_values = true
    )]
    pub payload: Option<String>,

    /// File with the payload of each request, with or without places.
    #[arg(
        long,
        value_name = "FILE",
        requires = "subject",
        conflicts_with = "payload"
    )]
    pub payload_file: Option<PathBuf>,

    /// Header of each request, with or without places: 'Name: value'. May be repeated.
    #[arg(long, value_name = "HEADER", requires = "subject", value_parser = header, allow_hyphen_values = true)]
    pub header: Vec<(String, String)>,
}
