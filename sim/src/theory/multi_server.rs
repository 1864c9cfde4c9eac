//! M/M/c, and M/M/1 as its simplest case.

use super::erlang_loss::erlang_b;
use super::error::{at_least, positive, stable};
use super::{Means, TheoryError, quantile, tail_outside};

/// M/M/c: Poisson arrivals, exponential service, c servers, one unlimited line, first come first served.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiServer {
    /// The means.
    pub means: Means,
    /// The probability that an arrival has to wait (Erlang C).
    pub waiting_probability: f64,
    /// How many servers.
    pub servers: u64,
    /// The service rate of one server, per second.
    service_rate: f64,
    /// What the servers can do beyond what arrives, per second: c / service - rate.
    spare_rate: f64,
}

impl MultiServer {
    /// `servers` servers of mean service time `service` seconds under `rate` arrivals per second.
    pub fn new(servers: u64, rate: f64, service: f64) -> Result<MultiServer, TheoryError> {
        at_least("servers", servers, 1, "of at least 1")?;
        positive("rate", rate)?;
        positive("service", service)?;
        let load = rate * service;
        let count = servers as f64;
        let utilisation = stable(load / count)?;
        let blocking = erlang_b(servers, load);
        let waiting_probability = blocking / (1.0 - utilisation + utilisation * blocking);
        let spare_rate = (1.0 - utilisation) * count / service;
        let means = Means::from_wait(rate, waiting_probability / spare_rate, service, count);
        Ok(MultiServer {
            means,
            waiting_probability,
            servers,
            service_rate: 1.0 / service,
            spare_rate,
        })
    }

    /// M/M/1.
    pub fn single(rate: f64, service: f64) -> Result<MultiServer, TheoryError> {
        MultiServer::new(1, rate, service)
    }

    /// The stages whose sum is the response time, as (rate per second, probability of taking part): a service, and for
    /// those who wait an exponential wait at the spare rate; on a single server the two make one stage (Kleinrock 1975,
    /// 3.2).
    pub(super) fn response_stages(&self) -> Vec<(f64, f64)> {
        if self.servers == 1 {
            return vec![(self.spare_rate, 1.0)];
        }
        vec![
            (self.service_rate, 1.0),
            (self.spare_rate, self.waiting_probability),
        ]
    }

    /// P(wait > t), t in seconds.
    pub fn wait_tail(&self, t: f64) -> f64 {
        tail_outside(t)
            .unwrap_or_else(|| self.waiting_probability * libm::exp(-self.spare_rate * t))
    }

    /// P(response > t), t in seconds: exp(-mu t) + C mu (exp(-d t) - exp(-mu t)) / (mu - d) with d the spare rate.
    pub fn response_tail(&self, t: f64) -> f64 {
        let (mu, spare) = (self.service_rate, self.spare_rate);
        if let Some(tail) = tail_outside(t) {
            return tail;
        }
        // No float is smaller than exp(-745) and above 0.
        if mu.min(spare) * t > 745.0 {
            return 0.0;
        }
        // The quotient of differences, by way of (1 - exp(-x)) / x, which has its digits also where mu is near d.
        let x = (mu - spare).abs() * t;
        let quotient = if x == 0.0 { 1.0 } else { -libm::expm1(-x) / x };
        libm::exp(-mu * t)
            + self.waiting_probability * mu * t * libm::exp(-mu.min(spare) * t) * quotient
    }

    /// The wait that a share `p` of the requests does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        quantile(p, 1.0 / self.service_rate, |t| self.wait_tail(t))
    }

    /// The response time that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        quantile(p, 1.0 / self.service_rate, |t| self.response_tail(t))
    }
}
