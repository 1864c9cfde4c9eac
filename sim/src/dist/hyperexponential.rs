//! Weighted mixtures of exponentials.

use super::ziggurat;
use crate::random::Draw;

/// The branches of a mixture of exponentials, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Branches(Vec<Branch>);

/// One exponential of the mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch {
    /// How likely the branch is.
    pub probability: f64,
    /// How likely this branch or an earlier one is; 1 for the last.
    cumulative: f64,
    /// The branch's mean.
    pub mean: f64,
}

impl Branches {
    /// From checked (weight, mean) pairs whose weights add up to `total`.
    pub fn new(pairs: &[(f64, f64)], total: f64) -> Branches {
        let likely = pairs.iter().filter(|&&(weight, _)| weight > 0.0);
        Branches::from_probabilities(likely.map(|&(weight, mean)| (weight / total, mean)))
    }

    /// Two branches that contribute half of the mean each, with squared coefficient of variation `scv` >= 1.
    pub fn balanced(mean: f64, scv: f64) -> Branches {
        let root = ((scv - 1.0) / (scv + 1.0)).sqrt();
        // Half of 1 - root, written without the cancellation for large `scv`.
        let rare = 1.0 / ((scv + 1.0) * (1.0 + root));
        let common = 0.5 * (1.0 + root);
        Branches::from_probabilities(
            [(common, 0.5 * mean / common), (rare, 0.5 * mean / rare)].into_iter(),
        )
    }

    fn from_probabilities(pairs: impl Iterator<Item = (f64, f64)>) -> Branches {
        let mut cumulative = 0.0;
        let mut branches: Vec<Branch> = pairs
            .map(|(probability, mean)| {
                cumulative += probability;
                Branch {
                    probability,
                    cumulative,
                    mean,
                }
            })
            .collect();
        if let Some(last) = branches.last_mut() {
            last.cumulative = 1.0;
        }
        Branches(branches)
    }

    /// One draw.
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        let u = draw.unit();
        // The last branch's cumulative probability is 1, above every `u`.
        let mean = self
            .0
            .iter()
            .find(|branch| u < branch.cumulative)
            .map_or(0.0, |branch| branch.mean);
        mean * ziggurat::exponential(draw)
    }

    /// The branches.
    pub fn iter(&self) -> impl Iterator<Item = &Branch> {
        self.0.iter()
    }

    /// The sum over all branches of the probability times `f(mean)`.
    pub fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.0
            .iter()
            .map(|branch| branch.probability * f(branch.mean))
            .sum()
    }
}
