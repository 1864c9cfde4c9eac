//! M/D/1.

use super::birth_death::Stationary;
use super::{GeneralService, Means, TheoryError, quantile};

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

    /// P(wait <= t), t in seconds, in time that grows with the square of t / service.
    ///
    /// Erlang's own series alternates and loses all digits after some twenty service times. This is the form of Franx
    /// ("A simple solution for the M/D/c waiting time distribution", 2001), all of whose terms are positive: for
    /// t in [(k - 1) D, k D), the sum over j < k of the probability that at most k - 1 - j requests wait times the Poisson
    /// probability of j arrivals in the time k D - t.
    pub fn wait_cdf(&self, t: f64) -> f64 {
        if t < 0.0 {
            return 0.0;
        }
        let k = (t / self.service).floor() + 1.0;
        if k > Self::MOST_SERVICES {
            return 1.0;
        }
        let most_waiting = at_most_waiting(self.means.utilisation, k as usize);
        let rest = self.means.utilisation * (k - t / self.service).clamp(0.0, 1.0);
        let arrivals = Stationary::poisson(rest);
        let terms = most_waiting
            .iter()
            .rev()
            .zip(0..)
            .map(|(waiting, j)| waiting * arrivals.probability(j));
        terms.sum::<f64>().min(1.0)
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

    /// Beyond so many service times a wait is taken to be impossible. At a utilisation of 0.99 the probability of a
    /// longer one is below 1e-80.
    const MOST_SERVICES: f64 = 10_000.0;
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
