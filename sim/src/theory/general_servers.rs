//! Approximations and bounds where arrivals or service are general.

use super::error::{not_negative, positive, stable};
use super::{Means, MultiServer, TheoryError};

/// An approximation of the means of GI/G/c: the wait of M/M/c times the mean of the squared coefficients of variation
/// of inter-arrival and service time (Allen 1978, after Cunneen; for Poisson arrivals Lee and Longton 1959). It is
/// exact for M/M/c and M/G/1.
pub fn general_servers(
    servers: u64,
    rate: f64,
    arrival_scv: f64,
    service: f64,
    service_scv: f64,
) -> Result<Means, TheoryError> {
    not_negative("arrival scv", arrival_scv)?;
    not_negative("service scv", service_scv)?;
    let exponential = MultiServer::new(servers, rate, service)?.means;
    let wait = exponential.wait * (arrival_scv + service_scv) / 2.0;
    Ok(Means::from_wait(rate, wait, service, servers as f64))
}

/// An upper bound on the mean wait of GI/G/1 in seconds, first come first served: rate (var A + var S) / (2 (1 - u))
/// (Kingman 1962). It is approached as the utilisation u nears 1.
pub fn kingman_bound(
    rate: f64,
    arrival_scv: f64,
    service: f64,
    service_scv: f64,
) -> Result<f64, TheoryError> {
    positive("rate", rate)?;
    positive("service", service)?;
    not_negative("arrival scv", arrival_scv)?;
    not_negative("service scv", service_scv)?;
    let utilisation = stable(rate * service)?;
    let variances = arrival_scv / (rate * rate) + service_scv * service * service;
    Ok(rate * variances / (2.0 * (1.0 - utilisation)))
}
