//! Closed-form queueing theory: the exact figures that simulated ones are held against.
//!
//! Each model is made from its parameters by a checked constructor and then has the means of its steady state
//! ([`Means`]) and, where a form exists, distributions and quantiles. Rates are per second and times in seconds,
//! except that a [`crate::dist::Dist`] keeps its nanoseconds. Nothing here simulates; nothing depends on the rest
//! of the crate but the distributions.
//!
//! | model | type | source |
//! |---|---|---|
//! | M/M/1, M/M/c | [`MultiServer`] | Erlang 1917; Kleinrock 1975, 3.5 |
//! | M/M/c/K | [`FiniteQueue`] | Kleinrock 1975, 3.6 |
//! | M/G/c/c | [`ErlangLoss`] | Erlang 1917; Sevastyanov 1957 |
//! | M/M/c+M | [`ImpatientQueue`] | Palm 1957 |
//! | M/G/1 | [`GeneralService`] | Pollaczek 1930, Khinchine 1932 |
//! | M/D/1 | [`DeterministicService`] | Erlang 1909; Franx 2001 |
//! | M/E/1, M/H/1 | [`PhaseService`] | Neuts 1981 |
//! | GI/M/1 | [`GeneralArrivals`] | Kendall 1953; Kleinrock 1975, 6.4 |
//! | priorities: M/G/1, M/M/c | [`Priorities`] | Cobham 1954; Kleinrock 1976, 3.4; Buzen and Bondi 1983 |
//! | processor sharing: M/G/1, M/G/c | [`ProcessorSharing`], [`shared_classes`] | Kleinrock 1967; Cohen 1979 |
//! | M/M/c//N | [`ClosedStation`] | Kleinrock 1975, 3.8; arrival theorem: Sevcik and Mitrani 1981 |
//! | queues under random dispatch | [`SplitQueues`] | splitting of a Poisson stream |
//! | open networks | [`OpenNetwork`] | Jackson 1957 |
//! | stations in series | [`Tandem`] | Burke 1956, 1968; Reich 1963 |
//! | closed networks | [`ClosedNetwork`] | Gordon and Newell 1967; Buzen 1973 |
//! | bounds of closed systems | [`ClosedBounds`] | Denning and Buzen 1978; Muntz and Wong 1974; Zahorjan et al. 1982 |
//! | GI/G/c, an approximation and a bound | [`general_servers`], [`kingman_bound`] | Allen 1978; Kingman 1962 |
//! | fork-join, split-merge, fan-out | [`ForkJoin`], [`split_merge`], [`fan_out_mean`] | Flatto and Hahn 1984; Nelson and Tantawi 1988; Varma and Makowski 1994 |
//! | scalability law | [`Scalability`] | Gunther 1993 |

mod birth_death;
mod bounds;
mod closed_network;
mod closed_station;
mod deterministic_service;
mod erlang_loss;
mod error;
mod finite_queue;
mod fork_join;
mod general_arrivals;
mod general_servers;
mod general_service;
mod impatient_queue;
mod laws;
mod line;
mod lru_cache;
mod multi_server;
mod open_network;
mod phase_service;
mod phase_type;
mod priorities;
mod processor_sharing;
mod scalability;
mod scaled;
mod split_queues;
mod tandem;

pub use bounds::{ClosedBounds, Demand};
pub use closed_network::ClosedNetwork;
pub use closed_station::ClosedStation;
pub use deterministic_service::DeterministicService;
pub use erlang_loss::ErlangLoss;
pub use error::TheoryError;
pub use finite_queue::FiniteQueue;
pub use fork_join::{ForkJoin, fan_out_mean, fan_out_quantile, split_merge};
pub use general_arrivals::GeneralArrivals;
pub use general_servers::{general_servers, kingman_bound};
pub use general_service::GeneralService;
pub use impatient_queue::ImpatientQueue;
pub use laws::{closed_response, number_in_system, utilisation};
pub use lru_cache::lru_hit_ratio;
pub use multi_server::MultiServer;
pub use open_network::{OpenNetwork, OpenStation, traffic};
pub use phase_service::PhaseService;
pub use priorities::{Priorities, PriorityClass};
pub use processor_sharing::{ProcessorSharing, shared_classes};
pub use scalability::Scalability;
pub use split_queues::SplitQueues;
pub use tandem::Tandem;

use crate::dist::special_functions;

/// The means of a queueing system in steady state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// Completions per second.
    pub throughput: f64,
    /// Share of the servers that is busy.
    pub utilisation: f64,
    /// Seconds between arrival and start of service.
    pub wait: f64,
    /// Seconds between arrival and completion.
    pub response: f64,
    /// Number of requests that wait.
    pub queue: f64,
    /// Number of requests that wait or are served.
    pub in_system: f64,
}

impl Means {
    /// From the throughput, the mean wait and the mean service time of each of `servers` servers: the rest is
    /// Little's law and the utilisation law.
    fn from_wait(throughput: f64, wait: f64, service: f64, servers: f64) -> Means {
        Means {
            throughput,
            utilisation: throughput * service / servers,
            wait,
            response: wait + service,
            queue: throughput * wait,
            in_system: throughput * (wait + service),
        }
    }
}

/// The tail P(X > t) of a time at the arguments where no formula is needed: before 0, at infinity, and NaN for a NaN.
fn tail_outside(t: f64) -> Option<f64> {
    if t < 0.0 {
        Some(1.0)
    } else if t == f64::INFINITY {
        Some(0.0)
    } else {
        t.is_nan().then_some(t)
    }
}

/// The smallest time t with `tail(t)` <= 1 - p, where `tail` falls from at most 1 towards 0; infinite for p = 1 and
/// NaN for a `p` outside 0 to 1. The search starts from `scale`, a positive time.
pub(crate) fn quantile(p: f64, scale: f64, tail: impl Fn(f64) -> f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    let mut high = scale;
    while tail(high) > 1.0 - p {
        high *= 2.0;
    }
    special_functions::bisect(0.0, high, |t| tail(t) <= 1.0 - p)
}
