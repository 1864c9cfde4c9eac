//! Stationary distributions of finite birth-death processes.

use super::TheoryError;

/// The most states that are kept: 64 MiB of probabilities.
const MOST_STATES: usize = 1 << 23;

/// The stationary distribution over the states 0, 1, ... of a birth-death process, without the states whose
/// probability is too small for a float.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationary {
    /// The first state that is kept.
    first: u64,
    /// The probabilities of that state and the following ones; they add up to 1.
    probabilities: Vec<f64>,
}

impl Stationary {
    /// The process on the states 0 to `last`, where `ratio(n)` is the birth rate in state n - 1 over the death rate
    /// in state n, and does not increase with n.
    ///
    /// The products of ratios are built up and down from the most likely state: they can neither overflow nor lose
    /// the states that matter, however many there are.
    pub fn new(last: u64, ratio: impl Fn(u64) -> f64) -> Result<Stationary, TheoryError> {
        let stationary = Stationary::of_likely(last, ratio, MOST_STATES);
        if stationary.probabilities.len() > MOST_STATES {
            return Err(TheoryError::TooManyStates { most: MOST_STATES });
        }
        Ok(stationary)
    }

    /// As [`Stationary::new`], with at most `most` states on either side of the most likely one.
    fn of_likely(last: u64, ratio: impl Fn(u64) -> f64, most: usize) -> Stationary {
        let mode = most_likely(last, &ratio);
        let mut probabilities = products((1..=mode).rev().take(most).map(|n| 1.0 / ratio(n)));
        let first = mode - probabilities.len() as u64;
        probabilities.reverse();
        probabilities.push(1.0);
        probabilities.extend(products((mode + 1..=last).take(most).map(&ratio)));
        let total: f64 = probabilities.iter().sum();
        for probability in &mut probabilities {
            *probability /= total;
        }
        Stationary {
            first,
            probabilities,
        }
    }

    /// The Poisson distribution with this mean, without what lies 12 standard deviations above it (some 1e-30).
    pub fn poisson(mean: f64) -> Stationary {
        let last = (mean + 12.0 * mean.sqrt() + 60.0) as u64;
        // They are some fifty times the root of the mean, which needs no bound.
        Stationary::of_likely(last, |n| mean / n as f64, usize::MAX)
    }

    /// The state `n` for certain.
    pub fn certain(n: u64) -> Stationary {
        Stationary {
            first: n,
            probabilities: vec![1.0],
        }
    }

    /// The distribution given that the state is not `n`; unchanged when nothing else is possible.
    pub fn without(mut self, n: u64) -> Stationary {
        let removed = self.probability(n);
        if removed < 1.0
            && let Some(at) = n.checked_sub(self.first)
            && let Some(slot) = self.probabilities.get_mut(at as usize)
        {
            *slot = 0.0;
            // Summed afresh: 1 - removed would lose digits where almost all of it is removed.
            let rest: f64 = self.probabilities.iter().sum();
            for probability in &mut self.probabilities {
                *probability /= rest;
            }
        }
        self
    }

    /// The probability of state `n`.
    pub fn probability(&self, n: u64) -> f64 {
        let at = n.checked_sub(self.first);
        at.and_then(|at| self.probabilities.get(at as usize))
            .copied()
            .unwrap_or(0.0)
    }

    /// The states that are kept, ascending, with their probabilities.
    pub fn iter(&self) -> impl Iterator<Item = (u64, f64)> {
        (self.first..).zip(self.probabilities.iter().copied())
    }

    /// The first state that is kept.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The last state that is kept.
    pub fn last(&self) -> u64 {
        self.first + self.probabilities.len() as u64 - 1
    }

    /// The expectation of `f` over the states.
    pub fn mean(&self, f: impl Fn(u64) -> f64) -> f64 {
        self.iter().map(|(n, probability)| probability * f(n)).sum()
    }
}

/// The running products of `factors`, each at most 1, up to where they are too small for a float.
fn products(factors: impl Iterator<Item = f64>) -> Vec<f64> {
    let running = factors.scan(1.0, |product, factor| {
        *product *= factor;
        Some(*product)
    });
    running
        .take_while(|product| *product >= f64::MIN_POSITIVE)
        .collect()
}

/// The last state whose ratio is at least 1: probabilities rise up to it and do not rise after it.
fn most_likely(last: u64, ratio: impl Fn(u64) -> f64) -> u64 {
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if ratio(middle) >= 1.0 {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_probabilities_are_those_of_the_formula() {
        for mean in [0.2, 1.0, 7.5, 60.0] {
            let poisson = Stationary::poisson(mean);
            for n in 0..60_u64 {
                let log = n as f64 * libm::log(mean) - mean - libm::lgamma(n as f64 + 1.0);
                let expected = libm::exp(log);
                assert!(
                    (poisson.probability(n) / expected - 1.0).abs() < 1e-12,
                    "{mean} {n}"
                );
            }
        }
    }

    #[test]
    fn a_million_states_neither_overflow_nor_vanish() {
        let poisson = Stationary::poisson(1e6);
        assert!((poisson.mean(|n| n as f64) / 1e6 - 1.0).abs() < 1e-11);
        assert!((poisson.mean(|n| (n as f64 - 1e6).powi(2)) / 1e6 - 1.0).abs() < 1e-8);
    }

    #[test]
    fn a_state_can_be_excluded() {
        let coin = Stationary::new(2, |_| 1.0)
            .expect("three states")
            .without(2);
        assert_eq!(
            (
                coin.probability(0),
                coin.probability(1),
                coin.probability(2)
            ),
            (0.5, 0.5, 0.0)
        );
        assert_eq!(Stationary::certain(4).without(4).probability(4), 1.0);
    }
}
