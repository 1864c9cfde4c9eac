//! A trial: one load, run once or along several sample paths, and its judgement.

use crate::runner::Ran;
use crate::verdict::Status;

/// One load that was tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The load, in the unit of what is varied.
    pub load: f64,
    /// Along how many sample paths it was simulated; 1 for a live trial.
    pub paths: u64,
    /// What was measured, of all paths together.
    pub ran: Ran,
    /// How that was judged.
    pub judged: Judged,
}

/// How a trial was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// PASS where the objectives are kept, TRIP where one was missed, INCONCLUSIVE where the trial does not say.
    pub status: Status,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// How many more requests would probably decide it; `None` where it is decided, or requests alone would not.
    pub more_needed: Option<u64>,
    /// Why the generator was the limit, in sentences; empty when it was not.
    pub generator_limits: Vec<String>,
    /// Every objective and what was counted against it.
    pub shares: Vec<Share>,
}

/// The counts against one objective in a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Whose objective it is: `Action ask`.
    pub of: String,
    /// Its short name: `p99`, `errors`.
    pub name: String,
    /// How many were judged.
    pub samples: u64,
    /// How many of them were over the limit.
    pub over: u64,
    /// The share that may be.
    pub allowed: f64,
    /// How many independent samples these are worth; `None` where that could not be told.
    pub effective: Option<f64>,
}
