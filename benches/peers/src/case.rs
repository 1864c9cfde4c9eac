//! The benchmark cases, read from `cases.json` beside the manifest.
//!
//! The same file is read by the Python models and by the harness, so every tool is given the same
//! parameters. This module guarantees that a case handed out is one of the two known kinds with
//! positive parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

const CASES: &str = include_str!("../cases.json");

/// Why a case could not be handed out.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// `cases.json` does not parse.
    #[error("cases.json: {0}")]
    Syntax(#[from] serde_json::Error),
    /// No case of that name.
    #[error("no case named {name:?}; there are {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// A parameter that must be positive is not.
    #[error("case {0}: a duration, a rate or a count is not positive")]
    NotPositive(String),
}

/// Where the requests of a case come from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// A fixed population: user `u` sends first at `u * think_s / users`, and again an exponential
    /// think time after each answer.
    Closed {
        /// Number of users.
        users: u32,
        /// Mean think time in seconds.
        think_s: f64,
    },
    /// Poisson arrivals.
    Open {
        /// Arrivals per second.
        rate_rps: f64,
    },
}

/// One case: a source of requests and one first-come first-served station.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Where the requests come from.
    #[serde(flatten)]
    pub source: Source,
    /// Number of servers of the station.
    pub servers: u32,
    /// Mean of the exponential service time, in seconds.
    pub service_s: f64,
    /// Exact throughput in the steady state, requests per second.
    pub throughput_rps: f64,
    /// Exact mean response time in the steady state, in seconds.
    pub response_s: f64,
    /// Simulated seconds after which the mean response is that of the steady state.
    pub warmup_s: f64,
}

impl Case {
    /// Finds the case called `name`.
    pub fn named(name: &str) -> Result<Self, CaseError> {
        let cases: BTreeMap<String, Case> = serde_json::from_str(CASES)?;
        let case = *cases.get(name).ok_or_else(|| CaseError::Unknown {
            name: name.to_owned(),
            known: cases.keys().cloned().collect::<Vec<_>>().join(", "),
        })?;
        if case.is_positive() {
            Ok(case)
        } else {
            Err(CaseError::NotPositive(name.to_owned()))
        }
    }

    /// Simulated seconds left out of the mean in a run of `requests`: the case's warm-up when at
    /// least a fifth of the run lies behind it, and otherwise none, in which case the mean is that
    /// of the transient.
    pub fn warmup_for(&self, requests: u64) -> f64 {
        if requests as f64 >= 1.25 * self.throughput_rps * self.warmup_s {
            self.warmup_s
        } else {
            0.0
        }
    }

    fn is_positive(&self) -> bool {
        let source = match self.source {
            Source::Closed { users, think_s } => users > 0 && think_s > 0.0,
            Source::Open { rate_rps } => rate_rps > 0.0,
        };
        source && self.servers > 0 && self.service_s > 0.0 && self.throughput_rps > 0.0
    }
}

/// The first instant of user `u` of `users`, in seconds.
pub fn first_instant(user: u32, users: u32, think_s: f64) -> f64 {
    f64::from(user) * think_s / f64::from(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_parses_and_an_unknown_one_is_named() {
        for name in ["A", "B1", "B2", "C", "D"] {
            assert!(Case::named(name).is_ok(), "{name}");
        }
        let error = Case::named("E").expect_err("there is no case E");
        assert!(error.to_string().contains("A, B1, B2, C, D"), "{error}");
    }

    #[test]
    fn a_run_too_short_for_the_warm_up_keeps_every_request() {
        let case = Case::named("B2").expect("B2 exists");
        assert_eq!(case.warmup_for(24_000), 0.0);
        assert_eq!(case.warmup_for(25_000), 1.0);
    }
}
