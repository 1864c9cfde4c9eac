//! Flags for the precision of the figures of a simulation.

use clap::Args;

use super::values::{positive, precision};

/// Flags for the precision of the figures.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Statistics")]
pub struct StatisticsArgs {
    /// Number of independent replications, reported together.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true, conflicts_with_all = ["trace", "record"])]
    pub replications: Option<u64>,

    /// Add replications until the half-widths of mean response time and throughput are at most this share of them, such as 1%;
    /// start with --replications [default: 10].
    #[arg(long, value_name = "SHARE", value_parser = precision, allow_hyphen_values = true, conflicts_with_all = ["trace", "record"])]
    pub precision: Option<f64>,

    /// Maximum replications for --precision [default: 1000].
    #[arg(long, value_name = "COUNT", value_parser = positive, requires = "precision", allow_hyphen_values = true)]
    pub max_replications: Option<u64>,

    /// Threads for replications; they do not change results [default: one per core].
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,
}
