//! GI/M/1.

use super::error::{positive, stable};
use super::{Means, TheoryError, quantile, tail_outside};
use crate::dist::{Dist, special_functions};

/// GI/M/1: independent inter-arrival times of any distribution, exponential service, one server, first come first
/// served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneralArrivals {
    /// The means.
    pub means: Means,
    /// The probability that an arrival has to wait: the root in (0, 1) of sigma = A(mu (1 - sigma)), with A the
    /// transform of the inter-arrival time.
    pub waiting_probability: f64,
}

impl GeneralArrivals {
    /// One server of mean service time `service` seconds, and inter-arrival times (in nanoseconds) as given.
    pub fn new(interarrival: &Dist, service: f64) -> Result<GeneralArrivals, TheoryError> {
        positive("mean inter-arrival time", interarrival.mean())?;
        positive("service", service)?;
        let rate = 1e9 / interarrival.mean();
        let utilisation = stable(rate * service)?;
        let mu = 1e-9 / service;
        // The transform is convex in sigma and meets the diagonal at the root and at 1: above it before, below after.
        let sigma = special_functions::bisect(0.0, 1.0, |sigma| {
            interarrival.laplace(mu * (1.0 - sigma)) <= sigma
        });
        // Within a rounding error of saturation the bisection may end at 1.
        stable(sigma.max(utilisation))?;
        let means = Means::from_wait(rate, service * sigma / (1.0 - sigma), service, 1.0);
        Ok(GeneralArrivals {
            means,
            waiting_probability: sigma,
        })
    }

    /// P(wait > t), t in seconds.
    pub fn wait_tail(&self, t: f64) -> f64 {
        tail_outside(t).unwrap_or_else(|| self.waiting_probability * self.response_tail(t))
    }

    /// P(response > t), t in seconds: the response time is exponential.
    pub fn response_tail(&self, t: f64) -> f64 {
        tail_outside(t).unwrap_or_else(|| libm::exp(-t / self.means.response))
    }

    /// The wait that a share `p` of the requests does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        quantile(p, self.means.response, |t| self.wait_tail(t))
    }

    /// The response time that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        quantile(p, self.means.response, |t| self.response_tail(t))
    }
}
