//! M/M/c/K.

use super::birth_death::Stationary;
use super::error::{at_least, positive};
use super::line::Line;
use super::{Means, TheoryError};

/// M/M/c/K: Poisson arrivals, exponential service, c servers, room for K requests including those in service; an
/// arrival that finds K is lost. The distributions are those of the requests that were let in.
#[derive(Debug, Clone, PartialEq)]
pub struct FiniteQueue {
    /// The means of the requests that were let in.
    pub means: Means,
    /// The share of the arrivals that is lost.
    pub loss_probability: f64,
    line: Line,
}

impl FiniteQueue {
    /// `servers` servers of mean service time `service` seconds and room for `capacity` requests (at least
    /// `servers`) under `rate` arrivals per second, any rate.
    pub fn new(
        servers: u64,
        capacity: u64,
        rate: f64,
        service: f64,
    ) -> Result<FiniteQueue, TheoryError> {
        at_least("servers", servers, 1, "of at least 1")?;
        at_least(
            "capacity",
            capacity,
            servers,
            "not below the number of servers",
        )?;
        positive("rate", rate)?;
        positive("service", service)?;
        let states = Stationary::new(capacity, |n| rate * service / n.min(servers) as f64)?;
        let loss_probability = states.probability(capacity);
        let busy = states.mean(|n| n.min(servers) as f64);
        let queue = states.mean(|n| n.saturating_sub(servers) as f64);
        // From the busy servers rather than from 1 - loss, which has few digits under overload.
        let throughput = busy / service;
        let means = Means {
            throughput,
            utilisation: busy / servers as f64,
            wait: queue / throughput,
            response: (queue + busy) / throughput,
            queue,
            in_system: queue + busy,
        };
        let line = Line::new(servers, service, states.without(capacity));
        Ok(FiniteQueue {
            means,
            loss_probability,
            line,
        })
    }

    /// P(wait > t), t in seconds.
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.line.wait_tail(t)
    }

    /// P(response > t), t in seconds.
    pub fn response_tail(&self, t: f64) -> f64 {
        self.line.response_tail(t)
    }

    /// The wait that a share `p` of the requests does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        self.line.wait_quantile(p)
    }

    /// The response time that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        self.line.response_quantile(p)
    }
}
