//! M/M/c//N: a closed population of users in front of one station.

use super::birth_death::Stationary;
use super::error::{at_least, not_negative, positive};
use super::line::Line;
use super::{Means, TheoryError};

/// M/M/c//N, the machine repairman: N users who think, ask a station of c servers with exponential service, wait for
/// the answer, and think again.
///
/// The means and the response distribution do not depend on the distribution of the think time, only on its mean
/// (insensitivity of a product-form network's delay centres: Baskett, Chandy, Muntz and Palacios 1975). Quantiles
/// come from the arrival theorem: an arriving user meets what the station holds with one user less.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedStation {
    /// The means, of the station without the think times.
    pub means: Means,
    line: Line,
}

impl ClosedStation {
    /// `users` users with mean think time `think` seconds at `servers` servers of mean service time `service` seconds.
    pub fn new(
        users: u64,
        think: f64,
        servers: u64,
        service: f64,
    ) -> Result<ClosedStation, TheoryError> {
        at_least("users", users, 1, "of at least 1")?;
        at_least("servers", servers, 1, "of at least 1")?;
        not_negative("think", think)?;
        positive("service", service)?;
        let states = population(users, think, servers, service)?;
        let busy = states.mean(|n| n.min(servers) as f64);
        let queue = states.mean(|n| n.saturating_sub(servers) as f64);
        let throughput = busy / service;
        // The response from the station's own population: users / throughput - think would cancel.
        let means = Means {
            throughput,
            utilisation: busy / servers as f64,
            wait: queue / throughput,
            response: (queue + busy) / throughput,
            queue,
            in_system: queue + busy,
        };
        let line = Line::new(
            servers,
            service,
            population(users - 1, think, servers, service)?,
        );
        Ok(ClosedStation { means, line })
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

/// How many of `users` users are at the station.
fn population(
    users: u64,
    think: f64,
    servers: u64,
    service: f64,
) -> Result<Stationary, TheoryError> {
    if think == 0.0 {
        return Ok(Stationary::certain(users));
    }
    let arrival = |n: u64| (users - n + 1) as f64 / think;
    let departure = |n: u64| n.min(servers) as f64 / service;
    Stationary::new(users, |n| arrival(n) / departure(n))
}
