//! Why a model has no solution.

use thiserror::Error;

/// A queueing model was refused.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TheoryError {
    /// A parameter is NaN, infinite or outside its range.
    #[error("{parameter} is {found}; give a number {accepted}")]
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
    /// The arrivals at one station of a network exceed or equal what its servers can do.
    #[error(
        "utilisation of station {station} would be {utilisation}; a steady state needs it below 1"
    )]
    UnstableStation {
        /// The station's position.
        station: usize,
        /// Offered load per server.
        utilisation: f64,
    },
    /// The traffic equations have no solution: what comes to this station goes round without end.
    #[error("what comes to station {station} can never leave the network")]
    NoWayOut {
        /// The station's position.
        station: usize,
    },
    /// The computation would take longer than its answer is worth.
    #[error("the computation would take {steps} steps; accepted are up to {most}")]
    TooManySteps {
        /// How many it would take.
        steps: f64,
        /// How many it may take.
        most: f64,
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

/// A share of a whole: a number from 0 to 1.
pub(super) fn share(parameter: &'static str, found: f64) -> Result<f64, TheoryError> {
    if (0.0..=1.0).contains(&found) {
        return Ok(found);
    }
    Err(TheoryError::OutOfRange {
        parameter,
        found,
        accepted: "from 0 to 1",
    })
}
