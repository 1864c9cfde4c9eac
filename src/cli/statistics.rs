//! How sure the figures of a simulation shall be.

use clap::Args;

use super::values::{positive, precision};

/// Flags that say how sure the figures shall be.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Statistics")]
pub struct StatisticsArgs {
    /// Run so many independent replications and report all of them together.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true, conflicts_with_all = ["trace", "record"])]
    pub replications: Option<u64>,

    /// Add replications, from 10 on or what --replications says, until mean response time and throughput are within
    /// this share, such as 1%, of the true ones.
    #[arg(long, value_name = "SHARE", value_parser = precision, allow_hyphen_values = true, conflicts_with_all = ["trace", "record"])]
    pub precision: Option<f64>,

    /// The most replications that --precision may take; 1000 unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, requires = "precision", allow_hyphen_values = true)]
    pub max_replications: Option<u64>,

    /// Threads for replications, which change no result; one for each core unless given.
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_hyphen_values = true)]
    pub threads: Option<u64>,
}
