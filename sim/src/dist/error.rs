//! Errors in the parameters of a distribution.

use thiserror::Error;

/// A distribution was refused. The message says what was found and what is accepted; times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DistError {
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
    /// A parameter that must be above another one is not.
    #[error("{upper_name} is {upper}, which is not above {lower_name} ({lower})")]
    NotAbove {
        /// The name of the parameter that must be the larger one.
        upper_name: &'static str,
        /// Its value.
        upper: f64,
        /// The name of the parameter that must be the smaller one.
        lower_name: &'static str,
        /// Its value.
        lower: f64,
    },
    /// The bounds of a truncated distribution leave next to nothing of it.
    #[error("less than {share} % of the distribution lies between min and max; give wider bounds")]
    HardlyAnything {
        /// What the bounds must leave, in per cent.
        share: f64,
    },
    /// A list is empty.
    #[error("{parameter} is empty; give a list with at least one entry")]
    Empty {
        /// The list's name.
        parameter: &'static str,
    },
    /// All weights are zero.
    #[error("the weights add up to 0; give at least one weight above 0")]
    NoWeight,
}

impl DistError {
    /// The name of the parameter at fault.
    pub fn parameter(&self) -> &'static str {
        match self {
            DistError::OutOfRange { parameter, .. } | DistError::Empty { parameter } => parameter,
            DistError::NotAbove { upper_name, .. } => upper_name,
            DistError::NoWeight => "weight",
            DistError::HardlyAnything { .. } => "range",
        }
    }
}
