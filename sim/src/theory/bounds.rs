//! Asymptotic and balanced job bounds of closed systems.

use super::TheoryError;
use super::error::{at_least, not_negative, positive};

/// What one request asks of one station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Seconds of service over all its visits.
    pub seconds: f64,
    /// Servers of the station.
    pub servers: u64,
}

/// Asymptotic bounds (ABA) of a closed system of stations and a think time.
///
/// The optimistic bounds, which need no assumption, are that no request waits and that no station does more than all
/// its servers can. The pessimistic ones are that a request always meets all others at the station where it is, and
/// hold for exponential service.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedBounds {
    demands: Vec<Demand>,
    think: f64,
}

impl ClosedBounds {
    /// Users with mean think time `think` seconds whose requests make these demands; at least one demand is above 0.
    pub fn new(demands: &[Demand], think: f64) -> Result<ClosedBounds, TheoryError> {
        not_negative("think", think)?;
        for demand in demands {
            not_negative("demand", demand.seconds)?;
            at_least("servers", demand.servers, 1, "of at least 1")?;
        }
        let bounds = ClosedBounds {
            demands: demands.to_vec(),
            think,
        };
        positive("total demand", bounds.total_demand())?;
        Ok(bounds)
    }

    /// The service time of a request over all stations, in seconds: its response when it meets no other.
    pub fn total_demand(&self) -> f64 {
        self.demands.iter().map(|demand| demand.seconds).sum()
    }

    /// The throughput that the slowest station allows, per second.
    pub fn capacity(&self) -> f64 {
        1.0 / self.slowest()
    }

    /// N*: the number of users from which on some of them must wait, (D + Z) / Dmax.
    pub fn saturation_users(&self) -> f64 {
        (self.total_demand() + self.think) / self.slowest()
    }

    /// The largest possible throughput of `users` users, per second.
    pub fn throughput_upper(&self, users: f64) -> f64 {
        self.capacity()
            .min(users / (self.total_demand() + self.think))
    }

    /// The smallest possible throughput of `users` users, per second, with exponential service.
    pub fn throughput_lower(&self, users: f64) -> f64 {
        users / (self.response_upper(users) + self.think)
    }

    /// The smallest possible mean response of `users` users, in seconds.
    pub fn response_lower(&self, users: f64) -> f64 {
        self.total_demand().max(users * self.slowest() - self.think)
    }

    /// The largest possible mean response of `users` users, in seconds, with exponential service.
    pub fn response_upper(&self, users: f64) -> f64 {
        let behind_all = |demand: &Demand| {
            let servers = demand.servers as f64;
            demand.seconds * (1.0 + (users - servers).max(0.0) / servers)
        };
        self.demands.iter().map(behind_all).sum()
    }

    /// The balanced job bounds (Zahorjan, Sevcik, Eager and Galler 1982) on the throughput of `users` users, per second:
    /// (least, largest). They hold for exponential service at single servers, where they are within the asymptotic
    /// ones; `None` if a station has several servers.
    ///
    /// The system in which every station had the largest demand is slower, the one in which the same demand was spread
    /// evenly is faster, and both have a solution.
    pub fn balanced_throughput(&self, users: f64) -> Option<(f64, f64)> {
        if self.demands.iter().any(|demand| demand.servers > 1) {
            return None;
        }
        let (total, think) = (self.total_demand(), self.think);
        let used = self.demands.iter().filter(|demand| demand.seconds > 0.0);
        let average = total / used.count() as f64;
        let others = users - 1.0;
        let least =
            users / (total + think + others * self.slowest() / (1.0 + think / (users * total)));
        let largest = users / (total + think + others * average / (1.0 + think / total));
        Some((least, largest.min(self.capacity())))
    }

    /// The largest demand per server.
    fn slowest(&self) -> f64 {
        self.demands
            .iter()
            .map(|demand| demand.seconds / demand.servers as f64)
            .fold(0.0, f64::max)
    }
}
