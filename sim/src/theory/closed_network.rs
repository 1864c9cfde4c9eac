//! Closed product-form networks.

use super::bounds::Demand;
use super::error::{at_least, not_negative, positive};
use super::laws;
use super::scaled::Scaled;
use super::{Means, TheoryError};

/// The most additions and multiplications that an answer may take: about a second.
const MOST_STEPS: f64 = 1e8;

/// N users who think, pass stations of exponential servers in any order, and think again.
///
/// Product form (Gordon and Newell 1967; Baskett, Chandy, Muntz and Palacios 1975): only the mean of the think time
/// matters, as does only the mean service time of a station with a server for every user. Other stations serve first
/// come first served, and a visit takes the same exponential time whoever makes it. Distributions of the response are
/// not known but for a single station, which is [`super::ClosedStation`].
///
/// The normalising constants come from convolution (Buzen 1973) with numbers whose exponent has no bound, all of them
/// positive sums of positive terms. Mean value analysis with load-dependent stations, the usual alternative, subtracts
/// probabilities that nearly cancel, and fails for some hundred users at a saturated station of several servers
/// (Reiser 1981; Casale and Serazzi 2011).
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedNetwork {
    /// Rounds per second of all users together.
    pub throughput: f64,
    /// Mean time between two thinks, in seconds.
    pub response: f64,
    /// The stations in their order. `wait` and `response` are those of a round, over all its visits.
    pub stations: Vec<Means>,
}

impl ClosedNetwork {
    /// `users` users with mean think time `think` seconds who ask for `demands` in each round.
    ///
    /// # Errors
    /// Also when users times servers, summed over the stations and for each of several servers again over all others,
    /// is more than can be computed at once.
    pub fn new(users: u64, think: f64, demands: &[Demand]) -> Result<ClosedNetwork, TheoryError> {
        at_least("users", users, 1, "of at least 1")?;
        not_negative("think", think)?;
        for demand in demands {
            not_negative("demand", demand.seconds)?;
            at_least("servers", demand.servers, 1, "of at least 1")?;
        }
        positive(
            "total demand",
            demands.iter().map(|demand| demand.seconds).sum(),
        )?;
        affordable(users, demands)?;
        let solved = Solved::new(users, think, demands);
        let throughput = solved.throughput();
        let mut stations: Vec<Means> = Vec::with_capacity(demands.len());
        for (at, demand) in demands.iter().enumerate() {
            // Equal stations have equal figures, and members of a service are many equal stations.
            let means = match demands[..at].iter().position(|other| other == demand) {
                Some(same) => stations[same],
                None => solved.station(at, throughput),
            };
            stations.push(means);
        }
        Ok(ClosedNetwork {
            throughput,
            response: stations
                .iter()
                .map(|station| station.in_system)
                .sum::<f64>()
                / throughput,
            stations,
        })
    }
}

/// Whether the work is within bounds.
fn affordable(users: u64, demands: &[Demand]) -> Result<(), TheoryError> {
    let length = |demand: &Demand| demand.servers.min(users) as f64;
    let each: f64 = demands.iter().map(length).sum();
    let several = demands
        .iter()
        .enumerate()
        .filter(|(at, demand)| demand.servers > 1 && !demands[..*at].contains(demand));
    let steps = users as f64 * each * (1.0 + several.count() as f64);
    if steps > MOST_STEPS {
        return Err(TheoryError::TooManySteps {
            steps,
            most: MOST_STEPS,
        });
    }
    Ok(())
}

/// A network and its normalising constants for 0 to N users.
struct Solved<'a> {
    users: usize,
    think: f64,
    demands: &'a [Demand],
    constants: Vec<Scaled>,
}

impl Solved<'_> {
    fn new(users: u64, think: f64, demands: &[Demand]) -> Solved<'_> {
        let users = users as usize;
        Solved {
            users,
            think,
            demands,
            constants: constants(users, think, demands, None),
        }
    }

    /// X(N) = G(N - 1) / G(N).
    fn throughput(&self) -> f64 {
        self.constants[self.users - 1].over(self.constants[self.users])
    }

    fn station(&self, at: usize, throughput: f64) -> Means {
        let Demand { seconds, servers } = self.demands[at];
        let busy = throughput * seconds;
        let queue = if seconds == 0.0 || servers >= self.users as u64 {
            0.0
        } else if servers == 1 {
            self.queue_of_one(seconds)
        } else {
            self.queue_of_several(at)
        };
        Means {
            throughput,
            utilisation: laws::utilisation(throughput, seconds, servers as f64),
            wait: queue / throughput,
            response: queue / throughput + seconds,
            queue,
            in_system: queue + busy,
        }
    }

    /// The mean number that waits at a single server: with one user more, an arrival meets those who were there on
    /// average before, L(n) = D X(n) (1 + L(n - 1)), and waits for D times as many.
    fn queue_of_one(&self, seconds: f64) -> f64 {
        let (mut met, mut busy) = (0.0, 0.0);
        let mut present = 0.0;
        for pair in self.constants.windows(2) {
            busy = seconds * pair[0].over(pair[1]);
            met = present;
            present = busy * (1.0 + present);
        }
        busy * met
    }

    /// The mean number that waits at a station of several servers, from the probabilities of its states: their
    /// coefficient times the constant of the network without it.
    fn queue_of_several(&self, at: usize) -> f64 {
        let Demand { seconds, servers } = self.demands[at];
        let others = constants(self.users, self.think, self.demands, Some(at));
        let mut coefficient = Scaled::ONE;
        let mut queue = 0.0;
        for n in 1..=self.users {
            let busy = (n as u64).min(servers);
            coefficient = coefficient * (seconds / busy as f64);
            if n as u64 > servers {
                let probability =
                    (coefficient * others[self.users - n]).over(self.constants[self.users]);
                queue += probability * (n as u64 - servers) as f64;
            }
        }
        queue
    }
}

/// G(0) to G(`users`) of the think time and all stations, but for the one at `without`.
fn constants(users: usize, think: f64, demands: &[Demand], without: Option<usize>) -> Vec<Scaled> {
    let kept = demands
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != without)
        .map(|(_, demand)| *demand);
    let (delays, lines): (Vec<Demand>, Vec<Demand>) =
        kept.partition(|demand| demand.servers >= users as u64);
    let away = think + delays.iter().map(|delay| delay.seconds).sum::<f64>();
    let mut constants = vec![Scaled::ONE];
    for n in 1..=users {
        constants.push(constants[n - 1] * (away / n as f64));
    }
    for line in lines {
        convolve(&mut constants, line);
    }
    constants
}

/// The constants with one station of fewer servers than users more.
///
/// The coefficients of c servers, D^n / (1 2 ... c c ...), are those of a single server with demand D / c times a
/// polynomial of degree c - 1 whose coefficients D^n / n! (1 - n / c) are positive: users times c steps instead of
/// users times users.
fn convolve(constants: &mut [Scaled], station: Demand) {
    let Demand { seconds, servers } = station;
    if servers > 1 {
        let mut power = Scaled::ONE;
        let mut polynomial = vec![power];
        for n in 1..servers {
            power = power * (seconds / n as f64);
            polynomial.push(power * (1.0 - n as f64 / servers as f64));
        }
        // Downwards, so that what is read has not been written yet.
        for n in (0..constants.len()).rev() {
            let mut sum = Scaled::ZERO;
            for (coefficient, constant) in polynomial.iter().zip(constants[..=n].iter().rev()) {
                sum = sum.plus(*coefficient * *constant);
            }
            constants[n] = sum;
        }
    }
    for n in 1..constants.len() {
        let before = constants[n - 1] * (seconds / servers as f64);
        constants[n] = constants[n].plus(before);
    }
}
