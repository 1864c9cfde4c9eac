//! Counts of requests and sessions, and the identities they must satisfy.

use crate::event::{Outcome, SessionEnd};

/// How many requests were intended and how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// Requests that users intended.
    pub intended: u64,
    outcomes: [u64; Outcome::ALL.len()],
}

impl Requests {
    /// Counts an end.
    #[inline]
    pub fn end(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }

    /// How many ended so.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// How many ended, however.
    pub fn ended_total(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Requests that were sent and failed; the share of these among those not dropped is the error share.
    pub fn failed(&self) -> u64 {
        self.ended_total() - self.ended(Outcome::Ok) - self.ended(Outcome::Dropped)
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Requests) {
        self.intended += other.intended;
        for (mine, others) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += others;
        }
    }

    /// Adds what another count has grown by.
    pub fn add_difference(&mut self, from: &Requests, to: &Requests) {
        self.intended += to.intended - from.intended;
        for (mine, (from, to)) in self
            .outcomes
            .iter_mut()
            .zip(from.outcomes.iter().zip(to.outcomes))
        {
            *mine += to - from;
        }
    }
}

/// How many sessions started and how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sessions {
    /// Sessions whose first request was intended.
    pub started: u64,
    ends: [u64; SessionEnd::ALL.len()],
}

impl Sessions {
    /// Counts an end.
    #[inline]
    pub fn end(&mut self, end: SessionEnd) {
        self.ends[end as usize] += 1;
    }

    /// How many ended so.
    pub fn ended(&self, end: SessionEnd) -> u64 {
        self.ends[end as usize]
    }

    /// How many ended, however.
    pub fn ended_total(&self) -> u64 {
        self.ends.iter().sum()
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Sessions) {
        self.started += other.started;
        for (mine, others) in self.ends.iter_mut().zip(other.ends) {
            *mine += others;
        }
    }
}

/// The books do not balance: a defect of the program, never of a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger does not balance: {what} is {left}, but {against} is {right}")]
pub struct Imbalance {
    /// One side's name.
    pub what: String,
    /// One side's value.
    pub left: u128,
    /// The other side's name.
    pub against: String,
    /// The other side's value.
    pub right: u128,
}

/// Both sides of an identity must be the same.
pub(super) fn balance(
    what: &str,
    left: impl Into<u128>,
    against: &str,
    right: impl Into<u128>,
) -> Result<(), Imbalance> {
    let (left, right) = (left.into(), right.into());
    if left == right {
        return Ok(());
    }
    Err(Imbalance {
        what: what.to_owned(),
        left,
        against: against.to_owned(),
        right,
    })
}
