//! Why a model has no answer.

use thiserror::Error;

/// A queueing model was refused.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TheoryError {
    /// A parameter is NaN, infinite or outside its range.
    #[error("{parameter} is {found}; accepted is a number {accepted}")]
    OutOfRange {
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        found: f64,
        /// The range, to follow "a number".
        accepted: &'static str,
    },
    /// The arrivals exceed or equal what the servers can do: there is no steady state.
    #[error("utilisation would be {utilisation}; a steady state needs it below 1")]
    Unstable {
        /// Offered load per server.
        utilisation: f64,
    },
    /// More states are likely than a computation can hold.
    #[error("more than {most} states of the system are likely; there is no figure for so many")]
    TooManyStates {
        /// How many there may be.
        most: usize,
    },
}

/// A parameter that must be finite and above 0.
pub(super) fn positive(parameter: &'static str, found: f64) -> Result<f64, TheoryError> {
    if found > 0.0 && found.is_finite() {
        return Ok(found);
    }
    Err(TheoryError::OutOfRange {
        parameter,
        found,
        accepted: "above 0",
    })
}

/// A parameter that must be finite and at least 0.
pub(super) fn not_negative(parameter: &'static str, found: f64) -> Result<f64, TheoryError> {
    if found >= 0.0 && found.is_finite() {
        return Ok(found);
    }
    Err(TheoryError::OutOfRange {
        parameter,
        found,
        accepted: "of at least 0",
    })
}

/// A count that must be at least `least`, which `accepted` says in words.
pub(super) fn at_least(
    parameter: &'static str,
    found: u64,
    least: u64,
    accepted: &'static str,
) -> Result<u64, TheoryError> {
    if found >= least {
        return Ok(found);
    }
    Err(TheoryError::OutOfRange {
        parameter,
        found: found as f64,
        accepted,
    })
}

/// A utilisation that must be below 1.
pub(super) fn stable(utilisation: f64) -> Result<f64, TheoryError> {
    if utilisation < 1.0 {
        Ok(utilisation)
    } else {
        Err(TheoryError::Unstable { utilisation })
    }
}
