//! M/G/1.

use super::error::{not_negative, positive, stable};
use super::{Means, TheoryError};

/// M/G/1: Poisson arrivals, any service time, one server. The means do not depend on the order of service as long as
/// it does not look at the service times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneralService {
    /// The means (Pollaczek 1930, Khinchine 1932).
    pub means: Means,
}

impl GeneralService {
    /// One server under `rate` arrivals per second, with mean service time `service` seconds and squared coefficient
    /// of variation `scv`.
    pub fn new(rate: f64, service: f64, scv: f64) -> Result<GeneralService, TheoryError> {
        positive("rate", rate)?;
        positive("service", service)?;
        not_negative("scv", scv)?;
        let utilisation = stable(rate * service)?;
        let wait = utilisation * service * (1.0 + scv) / (2.0 * (1.0 - utilisation));
        Ok(GeneralService {
            means: Means::from_wait(rate, wait, service, 1.0),
        })
    }
}
