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
/// By elimination with pivoting over the stations that anything comes to.
///
/// # Errors
/// Rates that are negative, routing that is no matrix of probabilities, and stations that nothing leaves again.
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
    let leaves = (0..count).filter(|&station| routing[station].iter().sum::<f64>() < 1.0 - 1e-12);
    let drained = reachable(leaves, count, |from, to| routing[to][from] > 0.0);
    if let Some(station) = (0..count).find(|&station| reached[station] && !drained[station]) {
        return Err(TheoryError::NoWayOut { station });
    }
    let live: Vec<usize> = (0..count).filter(|&station| reached[station]).collect();
    // Row by row: rate of i - sum over j of rate of j times routing from j to i = external arrivals at i.
    let mut equations: Vec<Vec<f64>> = Vec::with_capacity(live.len());
    for (at, &to) in live.iter().enumerate() {
        let mut row: Vec<f64> = live.iter().map(|&from| -routing[from][to]).collect();
        row[at] += 1.0;
        row.push(external[to]);
        equations.push(row);
    }
    let solution = solve(equations).map_err(|at| TheoryError::NoWayOut { station: live[at] })?;
    let mut rates = vec![0.0; count];
    for (&station, rate) in live.iter().zip(solution) {
        rates[station] = rate;
    }
    Ok(rates)
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

/// The solution of linear equations, each a row of coefficients with the right side at its end, by Gaussian
/// elimination with partial pivoting; the column without a pivot if there is none.
fn solve(mut rows: Vec<Vec<f64>>) -> Result<Vec<f64>, usize> {
    let count = rows.len();
    for column in 0..count {
        let size = |row: &usize| rows[*row][column].abs();
        let best = (column..count).max_by(|a, b| size(a).total_cmp(&size(b)));
        // The coefficients are of the order of 1.
        let Some(best) = best.filter(|best| size(best) > 1e-13) else {
            return Err(column);
        };
        rows.swap(column, best);
        let (done, below) = rows.split_at_mut(column + 1);
        let lead = &done[column];
        for row in below {
            let factor = row[column] / lead[column];
            if factor != 0.0 {
                for (value, lead) in row.iter_mut().zip(lead).skip(column) {
                    *value -= factor * lead;
                }
            }
        }
    }
    let mut solution = vec![0.0; count];
    for at in (0..count).rev() {
        let known: f64 = (at + 1..count)
            .map(|other| rows[at][other] * solution[other])
            .sum();
        solution[at] = (rows[at][count] - known) / rows[at][at];
    }
    Ok(solution)
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
