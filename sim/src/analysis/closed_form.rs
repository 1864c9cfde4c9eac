//! What a closed form says of a model, or why it says nothing.

use crate::theory::{Means, TheoryError};

/// The exact steady state of a model, where a closed form gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// The form, in Kendall's notation for a single station.
    pub form: String,
    /// The services that are visited, in the order of the model, with their means; throughput, wait and response there
    /// are those of visits.
    pub services: Vec<(String, Means)>,
    /// Requests that end as `ok` per second.
    pub throughput: f64,
    /// Their mean response time in seconds, network included.
    pub response: f64,
    /// Quantiles of the response time in seconds, where the form has them: median, p95, p99.
    pub quantiles: Option<[f64; 3]>,
    /// The mean response time in seconds of each class of requests, network included: by priority, the most urgent
    /// first, or by action where visits of different lengths share a service. Otherwise empty.
    pub classes: Vec<(String, f64)>,
}

/// The quantiles of [`Exact::quantiles`].
pub const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// Why a form has no answer, or that it was not one to ask.
pub enum Why {
    /// Its theory refuses.
    Theory(TheoryError),
    /// A service of a network has too much to do.
    Overload {
        /// The service's name.
        service: String,
        /// Offered load per worker.
        utilisation: f64,
    },
    /// An assumption does not hold.
    Assumption(String),
}

impl From<TheoryError> for Why {
    fn from(error: TheoryError) -> Why {
        Why::Theory(error)
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Theory(TheoryError::Unstable { utilisation }) => write!(
                f,
                "the offered load is {utilisation:.2} of the capacity of the workers, so the queue grows without bound"
            ),
            Why::Overload {
                service,
                utilisation,
            } => write!(
                f,
                "the offered load of service {service} is {utilisation:.2} of the capacity of its workers, so its queue \
                 grows without bound"
            ),
            Why::Theory(error) => error.fmt(f),
            Why::Assumption(assumption) => f.write_str(assumption),
        }
    }
}
