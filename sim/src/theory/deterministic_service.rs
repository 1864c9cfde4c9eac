//! M/D/1.

use super::birth_death::Stationary;
use super::{GeneralService, Means, TheoryError, quantile, tail_outside};
use crate::dist::special_functions;

/// From this many service times on, the tail of the wait is continued by its exponential decay. The other terms of the
/// tail have decayed at least as fast as exp(-2 t / D) by then.
const MOST_SERVICES: f64 = 20_000.0;

/// M/D/1: Poisson arrivals, constant service time, one server, first come first served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeterministicService {
    /// The means.
    pub means: Means,
    /// Seconds.
    service: f64,
}

impl DeterministicService {
    /// One server with service time `service` seconds under `rate` arrivals per second.
    pub fn new(rate: f64, service: f64) -> Result<DeterministicService, TheoryError> {
        let means = GeneralService::new(rate, service, 0.0)?.means;
        Ok(DeterministicService { means, service })
    }

    /// P(wait <= t), t in seconds, in time that grows with t / service.
    ///
    /// Erlang's own series alternates and loses all digits after some twenty service times. This is the form of Franx
    /// ("A simple solution for the M/D/c waiting time distribution", 2001), all of whose terms are positive: for
    /// t in [(k - 1) D, k D), the sum over j < k of the probability that at most k - 1 - j requests wait times the
    /// Poisson probability of j arrivals in the time k D - t.
    pub fn wait_cdf(&self, t: f64) -> f64 {
        if let Some(tail) = tail_outside(t) {
            return 1.0 - tail;
        }
        let services = t / self.service;
        // The tail is below exp(-2 (1 - u) t / D) (Kingman 1964), and 1 - 4e-18 is 1.
        if 2.0 * (1.0 - self.means.utilisation) * services > 40.0 {
            return 1.0;
        }
        if services > MOST_SERVICES {
            let beyond = services - MOST_SERVICES;
            return 1.0 - (1.0 - self.summed(MOST_SERVICES)) * libm::exp(-self.decay() * beyond);
        }
        self.summed(services)
    }

    /// P(wait <= services D), by summation.
    fn summed(&self, services: f64) -> f64 {
        let k = services.floor() + 1.0;
        let most_waiting = at_most_waiting(self.means.utilisation, k as usize);
        let rest = self.means.utilisation * (k - services).clamp(0.0, 1.0);
        let arrivals = Stationary::poisson(rest);
        let terms = most_waiting
            .iter()
            .rev()
            .zip(arrivals.iter())
            .map(|(waiting, (_, arrived))| waiting * arrived);
        terms.sum::<f64>().min(1.0)
    }

    /// The rate, per service time, at which the tail of the wait decays in the long run: the x > 0 with
    /// u (exp(x) - 1) = x, which is above 2 (1 - u).
    fn decay(&self) -> f64 {
        let utilisation = self.means.utilisation;
        special_functions::bisect(1.0 - utilisation, 40.0, |x| {
            utilisation * libm::expm1(x) >= x
        })
    }

    /// P(response <= t), t in seconds.
    pub fn response_cdf(&self, t: f64) -> f64 {
        self.wait_cdf(t - self.service)
    }

    /// The wait that a share `p` of the requests does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        quantile(p, self.service, |t| 1.0 - self.wait_cdf(t))
    }

    /// The response time that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        self.wait_quantile(p) + self.service
    }
}

/// The probabilities that at most 0, 1, ..., `count` - 1 requests wait.
///
/// The states of the chain at departures balance across each level: the upward flow from states up to n is the downward
/// flow from n + 1. That gives p(n + 1) from p(0), ..., p(n) with positive terms only.
fn at_most_waiting(utilisation: f64, count: usize) -> Vec<f64> {
    let arrivals = Stationary::poisson(utilisation);
    // more[k]: the probability of at least k arrivals in one service time.
    let mut more: Vec<f64> = (0..=arrivals.last())
        .rev()
        .map(|k| arrivals.probability(k))
        .collect();
    for k in 1..more.len() {
        more[k] += more[k - 1];
    }
    more.reverse();
    let at_least = |k: usize| more.get(k).copied().unwrap_or(0.0);
    let none = arrivals.probability(0);
    let mut states = vec![1.0 - utilisation];
    for n in 0..count {
        // From state i >= 1, at least n + 2 - i arrivals lead above n; from state 0, at least n + 1.
        let earliest = (n + 2).saturating_sub(more.len()).max(1);
        let up: f64 = (earliest..=n)
            .map(|i| states[i] * at_least(n + 2 - i))
            .sum();
        states.push((states[0] * at_least(n + 1) + up) / none);
    }
    let mut sum = states[0];
    states[1..]
        .iter()
        .map(|state| {
            sum += state;
            sum
        })
        .collect()
}
