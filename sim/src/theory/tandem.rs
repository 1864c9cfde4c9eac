//! Stations in series.

use super::error::at_least;
use super::phase_type::PhaseType;
use super::{MultiServer, TheoryError};

/// Stations in series under Poisson arrivals: every request passes all of them in the same order, first come first
/// served.
///
/// Each station is an M/M/c, since the departures of one are a Poisson process (Burke 1956). A request's times at them
/// are independent as long as nobody can overtake between two waits: the stations between the first and the last have
/// one server (Reich 1963, Burke 1968). The sum is then one of exponential stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Tandem {
    /// The mean response over all stations, in seconds.
    pub response: f64,
    /// The stations, in the order in which they are passed.
    pub stations: Vec<MultiServer>,
    stages: PhaseType,
}

impl Tandem {
    /// Stations of (servers, mean service time in seconds) under `rate` arrivals per second.
    ///
    /// # Errors
    /// Also where a station between the first and the last has several servers, because the times at the stations
    /// then depend on each other (Burke 1969), and where there are more than 64 exponential stages.
    pub fn new(rate: f64, stations: &[(u64, f64)]) -> Result<Tandem, TheoryError> {
        at_least("stations", stations.len() as u64, 1, "of at least 1")?;
        let last = stations.len() - 1;
        for (at, &(servers, _)) in stations.iter().enumerate() {
            if servers > 1 && at > 0 && at < last {
                return Err(TheoryError::OutOfRange {
                    parameter: "servers between the first and the last station",
                    found: servers as f64,
                    accepted: "of 1",
                });
            }
        }
        let queue = |(station, &(servers, service)): (usize, &(u64, f64))| {
            MultiServer::new(servers, rate, service).map_err(|error| match error {
                TheoryError::Unstable { utilisation } => TheoryError::UnstableStation {
                    station,
                    utilisation,
                },
                other => other,
            })
        };
        let stations: Result<Vec<MultiServer>, TheoryError> =
            stations.iter().enumerate().map(queue).collect();
        let stations = stations?;
        let stages: Vec<(f64, f64)> = stations
            .iter()
            .flat_map(MultiServer::response_stages)
            .collect();
        Ok(Tandem {
            response: stations.iter().map(|station| station.means.response).sum(),
            stages: PhaseType::series(&stages)?,
            stations,
        })
    }

    /// P(response > t) over all stations, t in seconds.
    pub fn response_tail(&self, t: f64) -> f64 {
        self.stages.tail(t)
    }

    /// The response time over all stations that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        self.stages.quantile(p)
    }
}
