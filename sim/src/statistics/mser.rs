//! Where the steady state begins: MSER-5 (White, Cobb and Spratt 2000).
//!
//! Observations are averaged in batches of five, and the start is cut off where the standard error of what is left,
//! as if it were independent, is smallest: at the d that minimises Σ(y − ȳ)² / (n − d)² over the batches from d on.

/// Observations of a batch to begin with.
const BATCH: u64 = 5;
/// The most batches that are kept; even, because batches are merged in pairs.
const MOST: usize = 1 << 14;
/// Batches at the end that are never all that is left: a handful of them can agree by chance.
const LEAST_LEFT: usize = 5;

/// Where to cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// How many values to leave out.
    pub first: usize,
    /// Whether the rest is a steady state: at most the first half was left out.
    pub steady: bool,
}

/// The cut of a course of batch means; nothing is cut, and nothing called steady, where there are fewer than ten.
///
/// Where the smallest standard error lies in the second half, the first half is cut off and `steady` is false.
pub fn mser(means: &[f64]) -> Truncation {
    let n = means.len();
    if n < 2 * LEAST_LEFT {
        return Truncation {
            first: 0,
            steady: false,
        };
    }
    // From the end: count, mean and sum of squared deviations of what is left (Welford 1962).
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let mut best = (f64::INFINITY, 0);
    for (first, value) in means.iter().enumerate().rev() {
        count += 1.0;
        let deviation = value - mean;
        mean += deviation / count;
        squares += deviation * (value - mean);
        let statistic = squares / (count * count);
        // Of equal ones the earlier cut, which leaves more.
        if n - first >= LEAST_LEFT && statistic <= best.0 {
            best = (statistic, first);
        }
    }
    let steady = 2 * best.1 <= n;
    Truncation {
        first: if steady { best.1 } else { n / 2 },
        steady,
    }
}

/// A course of observations in bounded memory: batch means of five, of which neighbours are merged as it grows.
#[derive(Debug, Clone)]
pub struct Course {
    size: u64,
    /// Position of each batch's first observation on the axis of the course, and its mean.
    batches: Vec<(u64, f64)>,
    start: u64,
    count: u64,
    sum: f64,
}

impl Course {
    /// Nothing observed yet.
    pub fn new() -> Course {
        Course {
            size: BATCH,
            batches: Vec::new(),
            start: 0,
            count: 0,
            sum: 0.0,
        }
    }

    /// Adds an observation at a position that is not before those already there.
    pub fn add(&mut self, position: u64, value: f64) {
        if self.count == 0 {
            self.start = position;
        }
        self.count += 1;
        self.sum += value;
        if self.count < self.size {
            return;
        }
        self.batches
            .push((self.start, self.sum / self.count as f64));
        (self.count, self.sum) = (0, 0.0);
        if self.batches.len() == MOST {
            self.halve();
        }
    }

    fn halve(&mut self) {
        let merged = self
            .batches
            .chunks_exact(2)
            .map(|two| (two[0].0, (two[0].1 + two[1].1) / 2.0));
        self.batches = merged.collect();
        self.size *= 2;
    }

    /// Full batches so far.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// The position at which the steady state begins, which is not looked for before `from`, and whether there is one.
    pub fn truncate(&self, from: u64) -> (u64, bool) {
        let before = self.batches.partition_point(|(start, _)| *start < from);
        let rest = &self.batches[before..];
        let means: Vec<f64> = rest.iter().map(|(_, mean)| *mean).collect();
        let Truncation { first, steady } = mser(&means);
        match first {
            0 => (from, steady),
            _ => (rest[first].0, steady),
        }
    }

    /// The position in the middle of the course, by the number of observations.
    pub fn middle(&self) -> u64 {
        let middle = self.batches.get(self.batches.len() / 2);
        middle.map_or(0, |(start, _)| *start)
    }
}

impl Default for Course {
    fn default() -> Self {
        Course::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Kind, Purpose};

    /// Independent numbers, uniform between -0.5 and 0.5.
    fn noise(n: u64) -> f64 {
        Key::new(1, Kind::Client, "noise", Purpose::Think)
            .draw(n, 0)
            .unit()
            - 0.5
    }

    #[test]
    fn a_start_that_is_off_is_cut_off() {
        let means: Vec<f64> = (0..200u64)
            .map(|n| noise(n) + if n < 30 { 10.0 } else { 0.0 })
            .collect();
        let found = mser(&means);
        assert!(found.steady && (30..60).contains(&found.first), "{found:?}");
        // By the definition, written out.
        let statistic = |first: usize| {
            let rest = &means[first..];
            let mean = rest.iter().sum::<f64>() / rest.len() as f64;
            rest.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (rest.len() as f64).powi(2)
        };
        let least = (0..=195).min_by(|a, b| statistic(*a).total_cmp(&statistic(*b)));
        assert_eq!(least, Some(found.first));
    }

    #[test]
    fn what_never_settles_is_not_steady() {
        let slope: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(
            mser(&slope),
            Truncation {
                first: 50,
                steady: false
            }
        );
        assert_eq!(
            mser(&[1.0; 9]),
            Truncation {
                first: 0,
                steady: false
            }
        );
        assert_eq!(
            mser(&[1.0; 10]),
            Truncation {
                first: 0,
                steady: true
            }
        );
    }

    #[test]
    fn a_course_of_any_length_has_bounded_batches_and_the_same_answer() {
        for length in [2_000u64, 2_000_000] {
            let mut course = Course::new();
            for n in 0..length {
                let start = if n < length / 10 { 50.0 } else { 0.0 };
                course.add(n, start + noise(n));
            }
            assert!((MOST / 64..MOST).contains(&course.batches()), "{length}");
            let (position, steady) = course.truncate(0);
            let resolution = 2 * length / course.batches() as u64;
            assert!(
                steady && position.abs_diff(length / 10) <= resolution,
                "{length}: {position}"
            );
        }
    }

    #[test]
    fn a_steady_state_is_not_looked_for_before_it_can_begin() {
        let mut course = Course::new();
        for n in 0..10_000 {
            course.add(n, noise(n));
        }
        for from in [0, 7_001] {
            let (begins, steady) = course.truncate(from);
            assert!(steady && (from..from + 200).contains(&begins), "{begins}");
        }
        // Fewer than ten batches are left.
        assert_eq!(course.truncate(9_960), (9_960, false));
        assert_eq!(course.truncate(20_000), (20_000, false));
        assert_eq!(course.middle(), 5_000);
        assert_eq!(Course::new().middle(), 0);
    }
}
