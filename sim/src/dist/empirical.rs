//! Distributions over given values.

use crate::random::Draw;

/// Values with their probabilities, at least one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// Ascending. Without weights a value stands here as often as it was given; with weights, once.
    values: Vec<f64>,
    /// The probability of a value or a smaller one, the last 1; empty when all entries are equally likely.
    cumulative: Vec<f64>,
}

impl Points {
    /// Checked values, equally likely.
    pub fn equally_likely(values: &[f64]) -> Points {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Points {
            values,
            cumulative: Vec::new(),
        }
    }

    /// Checked (value, weight) pairs of which at least one has a weight above 0.
    pub fn weighted(points: &[(f64, f64)]) -> Points {
        let mut points: Vec<(f64, f64)> = points
            .iter()
            .copied()
            .filter(|&(_, weight)| weight > 0.0)
            .collect();
        // Both parts count for the order, so that the sums below do not depend on the order of the input.
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let total: f64 = points.iter().map(|&(_, weight)| weight).sum();
        let (mut values, mut cumulative) = (Vec::new(), Vec::new());
        let mut sum = 0.0;
        for (value, weight) in points {
            sum += weight;
            if values.last() == Some(&value) {
                cumulative.pop();
            } else {
                values.push(value);
            }
            cumulative.push(sum / total);
        }
        if let Some(last) = cumulative.last_mut() {
            *last = 1.0;
        }
        Points { values, cumulative }
    }

    /// One draw.
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        let chosen = if self.cumulative.is_empty() {
            draw.below(self.values.len() as u64) as usize
        } else {
            let u = draw.unit();
            self.cumulative
                .partition_point(|&probability| probability <= u)
        };
        self.values.get(chosen).copied().unwrap_or(0.0)
    }

    /// Number of values, repetitions included where there are no weights.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The smallest and the largest value.
    pub fn range(&self) -> (f64, f64) {
        let first = self.values.first().copied().unwrap_or(0.0);
        (first, self.values.last().copied().unwrap_or(first))
    }

    /// The expectation of `f`.
    pub fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        if self.cumulative.is_empty() {
            return self.values.iter().map(|&value| f(value)).sum::<f64>()
                / self.values.len() as f64;
        }
        let mut before = 0.0;
        let mut sum = 0.0;
        for (&value, &cumulative) in self.values.iter().zip(&self.cumulative) {
            sum += (cumulative - before) * f(value);
            before = cumulative;
        }
        sum
    }

    /// The probability of a value of at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        let below = self.values.partition_point(|&value| value <= x);
        if self.cumulative.is_empty() {
            return below as f64 / self.values.len() as f64;
        }
        below
            .checked_sub(1)
            .map_or(0.0, |last| self.cumulative[last])
    }

    /// The smallest value whose [`Points::cdf`] is at least `p`, for 0 <= p <= 1: nearest rank.
    pub fn quantile(&self, p: f64) -> f64 {
        let n = self.values.len();
        let rank = if self.cumulative.is_empty() {
            let reached = |rank: usize| (rank + 1) as f64 / n as f64 >= p;
            // Rounding may put the product one rank off in either direction.
            let near = ((p * n as f64).ceil() as usize).saturating_sub(2);
            (near..n).find(|&rank| reached(rank)).unwrap_or(n - 1)
        } else {
            self.cumulative
                .partition_point(|&probability| probability < p)
        };
        self.values[rank.min(n - 1)]
    }
}
