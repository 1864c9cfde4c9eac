//! What a run is given and what it returns, whatever the tool.

use std::time::Duration;

use crate::case::Case;
use crate::tally::Tally;

/// One run to make.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// The case to run.
    pub case: Case,
    /// Requests to complete.
    pub requests: u64,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Simulated seconds left out of the mean.
    pub warmup_s: f64,
}

impl Job {
    /// Simulated time in which `requests` are expected at the exact throughput.
    pub fn horizon(&self) -> Duration {
        Duration::from_secs_f64(self.requests as f64 / self.case.throughput_rps)
    }
}

/// A finished run: what it measured, and the wall time of set-up and run loop apart.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    /// What was measured.
    pub tally: Tally,
    /// Simulated seconds at the end.
    pub simulated_s: f64,
    /// Wall seconds before the first event.
    pub setup_seconds: f64,
    /// Wall seconds of the run loop alone.
    pub seconds: f64,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// nexosim reported an error.
    #[error("nexosim: {0}")]
    Nexosim(String),
    /// nexosim refused to schedule events, so the model lost users.
    #[error("nexosim refused to schedule {0} events")]
    Refused(u64),
}

impl RunError {
    /// Wraps any of nexosim's error types.
    pub fn nexosim(error: impl std::fmt::Display) -> Self {
        Self::Nexosim(error.to_string())
    }
}
