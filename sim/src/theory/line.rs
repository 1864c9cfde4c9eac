//! Waiting and response times behind a known number of others, first come first served.

use super::birth_death::Stationary;
use super::{quantile, tail_outside};

/// What an arriving request meets at a station of `servers` servers with exponential service: how many others are
/// there, waiting or being served.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    servers: u64,
    /// Mean service time in seconds.
    service: f64,
    /// The number of others an arrival finds.
    met: Stationary,
}

impl Line {
    /// A station with `servers` servers of mean service time `service` seconds whose arrivals meet `met` others.
    pub fn new(servers: u64, service: f64, met: Stationary) -> Line {
        Line {
            servers,
            service,
            met,
        }
    }

    /// P(wait > t).
    ///
    /// Behind j others, a request waits for j - c + 1 completions, which come at the rate c / service while all
    /// servers are busy: for as long as a Poisson variable is below that number.
    pub fn wait_tail(&self, t: f64) -> f64 {
        if let Some(tail) = tail_outside(t) {
            return tail;
        }
        if self.nobody_waits() || self.all_gone(t) {
            return 0.0;
        }
        let below = below(self.completions(t));
        self.met
            .iter()
            .map(|(others, p)| p * below(self.to_complete(others)))
            .sum()
    }

    /// P(response > t).
    ///
    /// With k completions to wait for, the response is an Erlang time of k stages at rate c / service plus a service
    /// time. Their tails G(k) obey c G(k - 1) = (c - 1) G(k) + T(k) with T(k) the tail of the Erlang time alone (by
    /// partial fractions of the transforms). Taken downwards from a k whose tail is 1, every step is a weighted mean of
    /// non-negative numbers and loses no digits.
    pub fn response_tail(&self, t: f64) -> f64 {
        if let Some(tail) = tail_outside(t) {
            return tail;
        }
        if self.nobody_waits() {
            return libm::exp(-t / self.service);
        }
        // No float is smaller than exp(-745) and above 0.
        if self.all_gone(t) && t / self.service > 745.0 {
            return 0.0;
        }
        let lowest = self.to_complete(self.met.first());
        let tails = self.response_tails(lowest, self.completions(t));
        let tail = |k: u64| tails.get((k - lowest) as usize).copied().unwrap_or(1.0);
        self.met
            .iter()
            .map(|(others, p)| p * tail(self.to_complete(others)))
            .sum()
    }

    /// The wait that a share `p` of the requests does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        quantile(p, self.service, |t| self.wait_tail(t))
    }

    /// The response time that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        quantile(p, self.service, |t| self.response_tail(t))
    }

    /// How many completions a request must wait for behind this many others.
    fn to_complete(&self, others: u64) -> u64 {
        (others + 1).saturating_sub(self.servers)
    }

    /// Whether there is a server for everybody that anybody may meet.
    fn nobody_waits(&self) -> bool {
        self.to_complete(self.met.last()) == 0
    }

    /// Whether after a time t all that anybody may have met have left for certain, as far as a float can tell.
    fn all_gone(&self, t: f64) -> bool {
        let events = self.servers as f64 * t / self.service;
        let enough = self.to_complete(self.met.last()) as f64 + 60.0 + 40.0 * events.sqrt();
        events > enough || events == f64::INFINITY
    }

    /// How many completions there are in a time t during which all servers are busy.
    fn completions(&self, t: f64) -> Stationary {
        Stationary::poisson(self.servers as f64 * t / self.service)
    }

    /// G(lowest), G(lowest + 1), ...: the tails of the response after this many completions, up to where they are 1.
    fn response_tails(&self, lowest: u64, completions: Stationary) -> Vec<f64> {
        let servers = self.servers as f64;
        let last = completions.last() + 1;
        let below = below(completions);
        let mut tail = 1.0;
        let mut tails = vec![tail];
        for k in (lowest + 1..=last).rev() {
            tail = ((servers - 1.0) * tail + below(k)) / servers;
            tails.push(tail);
        }
        tails.reverse();
        tails
    }
}

/// P(X < k) as a function of k.
fn below(distribution: Stationary) -> impl Fn(u64) -> f64 {
    let first = distribution.first();
    let mut sum = 0.0;
    let up_to: Vec<f64> = distribution
        .iter()
        .map(|(_, p)| {
            sum += p;
            sum
        })
        .collect();
    move |k| match k.checked_sub(first + 1) {
        None => 0.0,
        Some(at) => up_to.get(at as usize).copied().unwrap_or(1.0),
    }
}
