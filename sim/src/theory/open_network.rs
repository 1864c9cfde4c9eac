//! Open Jackson networks.

use super::error::{not_negative, positive, share};
use super::{MultiServer, TheoryError};

/// A station of an open network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenStation {
    /// Servers, which take from one unlimited line, first come first served.
    pub servers: u64,
    /// Mean service time in seconds (exponential).
    pub service: f64,
}

/// An open Jackson network: requests come from outside as Poisson processes, visit stations of exponential servers and
/// go on at random, or leave. In steady state every station has the distribution of an M/M/c by itself, independent of
/// the others at one instant (Jackson 1957, 1963), although its arrivals are no Poisson process where requests return.
///
/// The mean response is exact. Its distribution is known only along paths on which nobody can overtake; see
/// [`super::Tandem`].
#[derive(Debug, Clone, PartialEq)]
pub struct OpenNetwork {
    /// Requests that come from outside per second, which is also how many leave.
    pub throughput: f64,
    /// Visits per second at each station.
    pub rates: Vec<f64>,
    /// Each station by itself; `None` where nothing comes.
    pub queues: Vec<Option<MultiServer>>,
}

impl OpenNetwork {
    /// The network in which `external[i]` requests per second come from outside to station i and go on from there to
    /// station j with probability `routing[i][j]`, leaving with what remains to 1.
    pub fn new(
        stations: &[OpenStation],
        external: &[f64],
        routing: &[Vec<f64>],
    ) -> Result<OpenNetwork, TheoryError> {
        same_length("external arrivals", external.len(), stations.len())?;
        let rates = traffic(external, routing)?;
        OpenNetwork::with_rates(stations, external.iter().sum(), rates)
    }

    /// The network whose stations get `rates` visits per second in total, of `throughput` requests from outside.
    pub fn with_rates(
        stations: &[OpenStation],
        throughput: f64,
        rates: Vec<f64>,
    ) -> Result<OpenNetwork, TheoryError> {
        positive("throughput", throughput)?;
        same_length("rates", rates.len(), stations.len())?;
        let queue = |(station, (of, &rate)): (usize, (&OpenStation, &f64))| {
            if not_negative("rate", rate)? == 0.0 {
                return Ok(None);
            }
            MultiServer::new(of.servers, rate, of.service)
                .map(Some)
                .map_err(|error| match error {
                    TheoryError::Unstable { utilisation } => TheoryError::UnstableStation {
                        station,
                        utilisation,
                    },
                    other => other,
                })
        };
        let queues: Result<Vec<_>, TheoryError> =
            stations.iter().zip(&rates).enumerate().map(queue).collect();
        Ok(OpenNetwork {
            throughput,
            rates,
            queues: queues?,
        })
    }

    /// Visits of a request to each station, on average.
    pub fn visits(&self) -> Vec<f64> {
        let visits = self.rates.iter().map(|rate| rate / self.throughput);
        visits.collect()
    }

    /// The mean number of requests in the network.
    pub fn in_system(&self) -> f64 {
        self.queues
            .iter()
            .flatten()
            .map(|queue| queue.means.in_system)
            .sum()
    }

    /// The mean time between a request's arrival and its departure, in seconds (Little 1961).
    pub fn response(&self) -> f64 {
        self.in_system() / self.throughput
    }
}

/// The visits per second at each station that solve the traffic equations: what comes to a station is what comes from
/// outside and what the stations send on.
///
/// By elimination over the stations that anything comes to.
///
/// # Errors
/// Rates that are negative, routing that is no matrix of probabilities, and stations that nothing leaves again, which
/// make the equations singular.
pub fn traffic(external: &[f64], routing: &[Vec<f64>]) -> Result<Vec<f64>, TheoryError> {
    let count = external.len();
    same_length("rows of the routing", routing.len(), count)?;
    for (row, &rate) in routing.iter().zip(external) {
        not_negative("external arrivals", rate)?;
        same_length("columns of the routing", row.len(), count)?;
        for &probability in row {
            share("routing probability", probability)?;
        }
        // What leaves is computed from these, so that a sum of 1 may be missed by roundings.
        let sum: f64 = row.iter().sum();
        share("sum of routing probabilities", (sum - 1e-9).max(0.0))?;
    }
    let starts = (0..count).filter(|&station| external[station] > 0.0);
    let reached = reachable(starts, count, |from, to| routing[from][to] > 0.0);
    let leaves = (0..count).filter(|&station| leaving(&routing[station]) > 0.0);
    let drained = reachable(leaves, count, |from, to| routing[to][from] > 0.0);
    if let Some(station) = (0..count).find(|&station| reached[station] && !drained[station]) {
        return Err(TheoryError::NoWayOut { station });
    }
    let live: Vec<usize> = (0..count).filter(|&station| reached[station]).collect();
    // The way of a request as a chain that starts again from outside, which is the first state.
    let total: f64 = external.iter().sum();
    let row = |outside: f64, stations: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let stations = live.iter().map(|&to| stations(to));
        std::iter::once(outside).chain(stations).collect()
    };
    let mut chain = vec![row(0.0, &|to| external[to] / total)];
    for &from in &live {
        chain.push(row(leaving(&routing[from]), &|to| routing[from][to]));
    }
    let visits = stationary(chain).map_err(|at| TheoryError::NoWayOut {
        station: live[at - 1],
    })?;
    let mut rates = vec![0.0; count];
    for (&station, visits) in live.iter().zip(&visits[1..]) {
        rates[station] = total * visits;
    }
    Ok(rates)
}

/// The probability of leaving that is left by a row of the routing: 0 where it is a rounding.
fn leaving(row: &[f64]) -> f64 {
    let left = 1.0 - row.iter().sum::<f64>();
    if left < 1e-12 { 0.0 } else { left }
}

/// The stations that can be reached from `starts`, these included.
fn reachable(
    starts: impl Iterator<Item = usize>,
    count: usize,
    leads: impl Fn(usize, usize) -> bool,
) -> Vec<bool> {
    let mut reached = vec![false; count];
    let mut open: Vec<usize> = starts.collect();
    while let Some(from) = open.pop() {
        if !std::mem::replace(&mut reached[from], true) {
            open.extend((0..count).filter(|&to| leads(from, to)));
        }
    }
    reached
}

/// The visits to each state of a Markov chain between two visits to the first one, by elimination of the states from
/// the last on (Grassmann, Taksar and Heyman 1985); the state that leads to none before it if there is one.
///
/// Gaussian elimination on the same equations, but with every pivot summed from the probabilities of going elsewhere
/// rather than taken from 1 minus that of staying: nothing is subtracted, so that no digits are lost and pivots need no
/// search, however rarely a request leaves.
fn stationary(mut chain: Vec<Vec<f64>>) -> Result<Vec<f64>, usize> {
    for state in (1..chain.len()).rev() {
        let (before, from) = chain.split_at_mut(state);
        let onward = &from[0][..state];
        let pivot: f64 = onward.iter().sum();
        if pivot == 0.0 {
            return Err(state);
        }
        for row in before {
            row[state] /= pivot;
            let through = row[state];
            for (probability, onward) in row.iter_mut().zip(onward) {
                *probability += through * onward;
            }
        }
    }
    let mut visits = vec![1.0];
    for state in 1..chain.len() {
        let into = visits.iter().zip(&chain);
        visits.push(into.map(|(visits, row)| visits * row[state]).sum());
    }
    Ok(visits)
}

fn same_length(what: &'static str, found: usize, stations: usize) -> Result<(), TheoryError> {
    if found == stations {
        return Ok(());
    }
    Err(TheoryError::OutOfRange {
        parameter: what,
        found: found as f64,
        accepted: "equal to the number of stations",
    })
}
