//! M/G/1-PS and M/G/c-PS.

use super::error::{not_negative, positive};
use super::{Means, MultiServer, TheoryError};

/// M/G/c-PS: Poisson arrivals, any service time, c servers shared evenly by all who are present, none of whom gets more
/// than one server. With c = 1 the response of a request of length x is x / (1 - u) on average (Kleinrock 1967); the
/// number present is that of M/M/c whatever the service time's distribution, and the mean response is in proportion
/// to the length (Cohen 1979).
///
/// `wait` is the response beyond the service time, and `queue` the number present beyond the busy servers: nobody stands
/// in line. The distribution of the response depends on that of the service time and is not given.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessorSharing {
    /// The means.
    pub means: Means,
    /// The response per second of service: how much longer a request takes than alone.
    pub slowdown: f64,
}

impl ProcessorSharing {
    /// `servers` servers under `rate` arrivals per second with mean service time `service` seconds.
    pub fn new(servers: u64, rate: f64, service: f64) -> Result<ProcessorSharing, TheoryError> {
        let means = MultiServer::new(servers, rate, service)?.means;
        Ok(ProcessorSharing {
            means,
            slowdown: means.response / service,
        })
    }

    /// The mean response in seconds of a request that takes `length` seconds of service.
    pub fn conditional_response(&self, length: f64) -> Result<f64, TheoryError> {
        not_negative("length", length)?;
        Ok(length * self.slowdown)
    }
}

/// M/G/1-PS with several classes: each has the same slowdown, whatever its service times are (Kleinrock 1976, 4.4). The
/// classes are (arrivals per second, mean service time in seconds); the means are in their order.
pub fn shared_classes(classes: &[(f64, f64)]) -> Result<Vec<Means>, TheoryError> {
    let mut load = 0.0;
    for &(rate, service) in classes {
        positive("rate", rate)?;
        positive("service", service)?;
        load += rate * service;
    }
    super::error::stable(load)?;
    let beyond = load / (1.0 - load);
    let means = classes
        .iter()
        .map(|&(rate, service)| Means::from_wait(rate, service * beyond, service, 1.0));
    Ok(means.collect())
}
