//! Times until absorption of a finite Markov process.

use super::{TheoryError, error::at_least, quantile, tail_outside};

/// The most phases of a [`PhaseType`]: the work grows with their cube.
const MOST_PHASES: usize = 64;

/// How often the length of the step is doubled: enough for any time at which a tail is above 0 unless rates differ by
/// more than a factor of 10^12.
const DOUBLINGS: usize = 52;

/// A phase-type distribution (Neuts 1975): the time until a Markov process on a few phases is absorbed.
///
/// The matrix exponentials are sums and squares of non-negative matrices (uniformisation: Jensen 1953), without the
/// cancellation of the partial fractions when rates are equal or close. The relative error of a tail is some 1e-15
/// times the fastest rate times t.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseType {
    /// The probability of starting in each phase; the rest to 1 is a time of 0.
    start: Vec<f64>,
    /// The fastest rate at which a phase is left, per second.
    fastest: f64,
    /// The probabilities of a jump at that rate from phase to phase.
    jumps: Vec<Vec<f64>>,
    /// The transition probabilities over steps of 1 / (4 fastest), each twice as long as the one before.
    steps: Vec<Vec<Vec<f64>>>,
}

impl PhaseType {
    /// The process that starts in phase i with probability `start[i]` and goes from phase i to phase j at the rate
    /// `rates[i][j]` per second, and out of it at the rate `exits[i]`. A rate from a phase to itself has no effect.
    pub(super) fn new(
        start: Vec<f64>,
        rates: &[Vec<f64>],
        exits: &[f64],
    ) -> Result<PhaseType, TheoryError> {
        let count = start.len();
        at_least("phases", count as u64, 1, "of at least 1")?;
        if count > MOST_PHASES {
            return Err(TheoryError::TooManyStates { most: MOST_PHASES });
        }
        let others = |from: usize| (0..count).filter(move |to| *to != from);
        let leaving: Vec<f64> = (0..count)
            .map(|from| exits[from] + others(from).map(|to| rates[from][to]).sum::<f64>())
            .collect();
        let fastest = leaving.iter().copied().fold(0.0, f64::max);
        let jumps: Vec<Vec<f64>> = (0..count)
            .map(|from| {
                let mut row: Vec<f64> = rates[from].iter().map(|rate| rate / fastest).collect();
                row[from] = 1.0 - leaving[from] / fastest;
                row
            })
            .collect();
        let mut phases = PhaseType {
            start,
            fastest,
            jumps,
            steps: Vec::new(),
        };
        let unit = |at: usize| (0..count).map(|n| f64::from(u8::from(n == at))).collect();
        let mut step: Vec<Vec<f64>> = (0..count)
            .map(|from| phases.after_jumps(unit(from), 0.25))
            .collect();
        for _ in 0..DOUBLINGS {
            let next: Vec<Vec<f64>> = step.iter().map(|row| through(row, &step)).collect();
            phases.steps.push(std::mem::replace(&mut step, next));
        }
        Ok(phases)
    }

    /// The sum of independent exponential times, each (rate per second, probability of taking part).
    pub(super) fn series(stages: &[(f64, f64)]) -> Result<PhaseType, TheoryError> {
        let count = stages.len();
        // The probability that the stage `to` is the first that takes part, from the stage `first` on.
        let to = |first: usize, to: usize| {
            let passed: f64 = stages[first..to]
                .iter()
                .map(|(_, taken)| 1.0 - taken)
                .product();
            passed * stages[to].1
        };
        let start = (0..count).map(|stage| to(0, stage)).collect();
        let mut rates = Vec::with_capacity(count);
        let mut exits = Vec::with_capacity(count);
        for (from, &(rate, _)) in stages.iter().enumerate() {
            let next = |stage: usize| match stage > from {
                true => rate * to(from + 1, stage),
                false => 0.0,
            };
            rates.push((0..count).map(next).collect());
            let later = stages[from + 1..].iter();
            exits.push(rate * later.map(|(_, taken)| 1.0 - taken).product::<f64>());
        }
        PhaseType::new(start, &rates, &exits)
    }

    /// P(time > t), t in seconds.
    pub(super) fn tail(&self, t: f64) -> f64 {
        if let Some(tail) = tail_outside(t) {
            return tail;
        }
        let steps = t * self.fastest * 4.0;
        if steps >= (1_u64 << DOUBLINGS) as f64 {
            return 0.0;
        }
        let mut whole = steps as u64;
        let mut phases = self.after_jumps(self.start.clone(), (steps - steps.floor()) / 4.0);
        for step in &self.steps {
            if whole & 1 == 1 {
                phases = through(&phases, step);
            }
            whole >>= 1;
        }
        phases.iter().sum()
    }

    /// The time that a share `p` does not exceed, in seconds.
    pub(super) fn quantile(&self, p: f64) -> f64 {
        quantile(p, 1.0 / self.fastest, |t| self.tail(t))
    }

    /// The phases after a time in which `mean` jumps, at most 1, happen on average.
    fn after_jumps(&self, start: Vec<f64>, mean: f64) -> Vec<f64> {
        let mut weight = libm::exp(-mean);
        let mut sum: Vec<f64> = start.iter().map(|p| p * weight).collect();
        let mut jumped = start;
        let mut n = 0.0;
        while weight > f64::EPSILON * 0.01 {
            n += 1.0;
            weight *= mean / n;
            jumped = through(&jumped, &self.jumps);
            for (sum, p) in sum.iter_mut().zip(&jumped) {
                *sum += weight * p;
            }
        }
        sum
    }
}

/// The product of a row and a matrix.
fn through(row: &[f64], matrix: &[Vec<f64>]) -> Vec<f64> {
    let mut product = vec![0.0; row.len()];
    for (p, line) in row.iter().zip(matrix) {
        if *p > 0.0 {
            for (sum, value) in product.iter_mut().zip(line) {
                *sum += p * value;
            }
        }
    }
    product
}
