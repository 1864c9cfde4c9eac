//! M/E/1 and M/H/1: service in exponential phases.

use super::error::{at_least, positive, share};
use super::phase_type::PhaseType;
use super::{GeneralService, Means, TheoryError};

/// M/PH/1 for the phase-type service times that have names: Erlang (stages in series) and hyperexponential (one of
/// several exponentials). One server, Poisson arrivals, first come first served.
///
/// The wait is a geometric number of remaining service times (Pollaczek 1930, Khinchine 1932; Beneš 1957), which for
/// service in phases is a time in phases again (Neuts 1981, 5.1).
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseService {
    /// The means.
    pub means: Means,
    wait: PhaseType,
    response: PhaseType,
}

impl PhaseService {
    /// `rate` arrivals per second, service of `phases` stages (at most 32) and mean `service` seconds.
    pub fn erlang(rate: f64, phases: u32, service: f64) -> Result<PhaseService, TheoryError> {
        at_least("phases", u64::from(phases), 1, "of at least 1")?;
        positive("service", service)?;
        let count = phases as usize;
        at_most(count)?;
        let pace = f64::from(phases) / service;
        let mut start = vec![0.0; count];
        start[0] = 1.0;
        let mut rates = vec![vec![0.0; count]; count];
        for stage in 1..count {
            rates[stage - 1][stage] = pace;
        }
        let mut exits = vec![0.0; count];
        exits[count - 1] = pace;
        // A remaining service time is equally likely to be in any stage.
        let remaining = vec![1.0 / f64::from(phases); count];
        let means = GeneralService::new(rate, service, 1.0 / f64::from(phases))?.means;
        PhaseService::new(means, &start, &remaining, &rates, &exits)
    }

    /// `rate` arrivals per second, service that is exponential with mean `seconds` with probability `p` for each
    /// (`p`, `seconds`) of `branches` (at most 32), whose probabilities add up to 1.
    pub fn hyperexponential(
        rate: f64,
        branches: &[(f64, f64)],
    ) -> Result<PhaseService, TheoryError> {
        at_least("branches", branches.len() as u64, 1, "of at least 1")?;
        at_most(branches.len())?;
        for &(probability, seconds) in branches {
            share("probability of a branch", probability)?;
            positive("mean of a branch", seconds)?;
        }
        let sum: f64 = branches.iter().map(|(p, _)| p).sum();
        share(
            "distance of the probabilities from 1",
            (sum - 1.0).abs() * 1e9,
        )?;
        let moment = |power: i32| -> f64 {
            let terms = branches.iter();
            terms.map(|(p, mean)| p * mean.powi(power)).sum::<f64>() / sum
        };
        let (mean, mean_square) = (moment(1), 2.0 * moment(2));
        let scv = (mean_square / (mean * mean) - 1.0).max(0.0);
        let means = GeneralService::new(rate, mean, scv)?.means;
        let start: Vec<f64> = branches.iter().map(|(p, _)| p / sum).collect();
        // A branch is met in proportion to the time that it takes.
        let remaining: Vec<f64> = branches.iter().map(|(p, s)| p * s / sum / mean).collect();
        let exits: Vec<f64> = branches.iter().map(|(_, seconds)| 1.0 / seconds).collect();
        let rates = vec![vec![0.0; start.len()]; start.len()];
        PhaseService::new(means, &start, &remaining, &rates, &exits)
    }

    fn new(
        means: Means,
        start: &[f64],
        remaining: &[f64],
        rates: &[Vec<f64>],
        exits: &[f64],
    ) -> Result<PhaseService, TheoryError> {
        let (count, busy) = (start.len(), means.utilisation);
        // After a remaining service time another one follows with the probability of a busy server.
        let mut waiting: Vec<Vec<f64>> = rates.to_vec();
        for (row, exit) in waiting.iter_mut().zip(exits) {
            for (rate, remaining) in row.iter_mut().zip(remaining) {
                *rate += exit * busy * remaining;
            }
        }
        let begin: Vec<f64> = remaining.iter().map(|p| busy * p).collect();
        let end: Vec<f64> = exits.iter().map(|exit| exit * (1.0 - busy)).collect();
        let wait = PhaseType::new(begin.clone(), &waiting, &end)?;
        // The phases of the wait, then those of the service.
        let mut both = vec![vec![0.0; 2 * count]; 2 * count];
        for from in 0..count {
            both[from][..count].copy_from_slice(&waiting[from]);
            for to in 0..count {
                both[from][count + to] = end[from] * start[to];
            }
            both[count + from][count..].copy_from_slice(&rates[from]);
        }
        let mut begin_both = begin;
        begin_both.extend(start.iter().map(|p| (1.0 - busy) * p));
        let mut end_both = vec![0.0; count];
        end_both.extend_from_slice(exits);
        let response = PhaseType::new(begin_both, &both, &end_both)?;
        Ok(PhaseService {
            means,
            wait,
            response,
        })
    }

    /// P(wait > t), t in seconds.
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.wait.tail(t)
    }

    /// P(response > t), t in seconds.
    pub fn response_tail(&self, t: f64) -> f64 {
        self.response.tail(t)
    }

    /// The wait that a share `p` of the requests does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        self.wait.quantile(p)
    }

    /// The response time that a share `p` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, p: f64) -> f64 {
        self.response.quantile(p)
    }
}

/// The most phases of a service: those of the response are twice as many.
const MOST: usize = 32;

fn at_most(phases: usize) -> Result<(), TheoryError> {
    match phases {
        0..=MOST => Ok(()),
        _ => Err(TheoryError::TooManyStates { most: MOST }),
    }
}
