//! The processes by which the sessions of open clients arrive.

use std::sync::Arc;

use super::ids::ActionId;
use crate::dist::Dist;
use crate::time::Time;

/// The process by which an open client's sessions arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// The n-th arrival (from 1) at n times the period, exactly, without accumulated rounding.
    Constant {
        /// Arrivals per second.
        rate: f64,
    },
    /// Independent inter-arrival times: Poisson when they are exponential.
    Renewal {
        /// Time between two arrivals, in nanoseconds.
        interarrival: Dist,
    },
    /// At recorded instants.
    Recorded(Recording),
    /// All at one instant.
    Burst {
        /// How many sessions start; at least 1.
        count: u64,
        /// When they start.
        at: Time,
    },
}

/// Arrivals that were recorded, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// When sessions start, ascending.
    pub times: Arc<[Time]>,
    /// What the requests of each session are; empty when the client's mix decides.
    pub actions: Arc<[ActionId]>,
}

impl Recording {
    /// The last arrival.
    pub fn end(&self) -> Time {
        self.times.last().copied().unwrap_or(Time::ZERO)
    }

    /// Mean arrivals per second from the start to the horizon, or to the last arrival without one.
    pub fn rate(&self, horizon: Option<Time>) -> f64 {
        let end = horizon.unwrap_or(self.end());
        let count = self.times.partition_point(|&time| time <= end);
        count as f64 * 1e9 / end.as_nanos().max(1) as f64
    }
}

impl Arrival {
    /// Whether it has a rate; recordings and bursts have instants instead.
    pub fn has_rate(&self) -> bool {
        match self {
            Arrival::Constant { .. } | Arrival::Renewal { .. } => true,
            Arrival::Recorded(_) | Arrival::Burst { .. } => false,
        }
    }

    /// How many arrivals it has in all; `None` where they do not end.
    pub fn count(&self) -> Option<u64> {
        match self {
            Arrival::Constant { .. } | Arrival::Renewal { .. } => None,
            Arrival::Recorded(recording) => Some(recording.times.len() as u64),
            Arrival::Burst { count, .. } => Some(*count),
        }
    }

    /// Mean arrivals per second from the start to the horizon: those of a stationary process at any time. Without a
    /// horizon, those of a recording up to its end, and those of a burst up to its instant, which counts as a second
    /// where it is earlier.
    pub fn mean_rate(&self, horizon: Option<Time>) -> f64 {
        match self {
            Arrival::Constant { .. } | Arrival::Renewal { .. } => self.rate(),
            Arrival::Recorded(recording) => recording.rate(horizon),
            Arrival::Burst { count, at } => {
                let end = horizon.unwrap_or(*at.max(&Time::from_nanos(1_000_000_000)));
                let arrived = if *at <= end { *count as f64 } else { 0.0 };
                arrived * 1e9 / end.as_nanos().max(1) as f64
            }
        }
    }

    /// Mean arrivals per second of a stationary process, or of all of a recording or a burst.
    pub fn rate(&self) -> f64 {
        match self {
            Arrival::Constant { rate } => *rate,
            Arrival::Renewal { interarrival } => 1e9 / interarrival.mean(),
            Arrival::Recorded(_) | Arrival::Burst { .. } => self.mean_rate(None),
        }
    }
}
