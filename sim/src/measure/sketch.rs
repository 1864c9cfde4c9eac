//! A coarse distribution that costs next to nothing to add to.
//!
//! Every response time is recorded twice: in the distribution of its action and in one of these, from which the rows of
//! the series and the batches of the window are filled whenever one of them ends. Two significant digits are enough
//! there, and so few counters are quickly added to others.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::measure::counters;
use crate::time::Span;

/// Binary digits that are told apart below the highest one of a value: steps of at most 1/128 of the value.
const BITS: u32 = 7;
const COUNTERS: usize = counters::number::<BITS>();

/// Log-linear counters over all spans.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    /// The numbers by counter, modulo 2^32.
    counters: Vec<u32>,
    /// How often counters have gone round: for runs of many billions of requests only.
    rounds: BTreeMap<usize, u64>,
    count: u64,
    /// The exact extremes.
    min: Span,
    max: Span,
}

impl Sketch {
    pub(super) fn new() -> Sketch {
        Sketch {
            counters: vec![0; COUNTERS],
            rounds: BTreeMap::new(),
            count: 0,
            min: Span::MAX,
            max: Span::ZERO,
        }
    }

    /// Adds a span.
    #[inline]
    pub(super) fn record(&mut self, span: Span) {
        let at = position(span.as_nanos());
        let counter = &mut self.counters[at];
        *counter = counter.wrapping_add(1);
        if *counter == 0 {
            self.go_round(at);
        }
        self.count += 1;
        if span < self.min {
            self.min = span;
        }
        if span > self.max {
            self.max = span;
        }
    }

    #[cold]
    fn go_round(&mut self, at: usize) {
        *self.rounds.entry(at).or_default() += 1;
    }

    /// How many spans were added.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Adds what another holds.
    pub(super) fn add(&mut self, other: &Sketch) {
        let used = other.used();
        let others = &other.counters[used.clone()];
        for (mine, others) in self.counters[used].iter_mut().zip(others) {
            *mine = mine.saturating_add(*others);
        }
        self.count += other.count;
        self.reach(other);
    }

    /// The extremes reach as far as those of another.
    fn reach(&mut self, other: &Sketch) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    fn forget_extremes(&mut self) {
        (self.min, self.max) = (Span::MAX, Span::ZERO);
    }

    /// The counters between the extremes, outside of which nothing was counted: response times span a few octaves.
    fn used(&self) -> Range<usize> {
        match self.count {
            0 => 0..0,
            _ => position(self.min.as_nanos())..position(self.max.as_nanos()) + 1,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        let used = self.used();
        self.counters[used].fill(0);
        self.rounds.clear();
        self.count = 0;
        self.forget_extremes();
    }

    /// How many spans are larger than all that cannot be told apart from this one.
    pub(super) fn above(&self, span: Span) -> u64 {
        let beyond = position(span.as_nanos()) + 1;
        let rounds = self
            .rounds
            .range(beyond..)
            .map(|(_, rounds)| rounds << u32::BITS);
        let counters = self.counters[beyond..].iter();
        counters.map(|&number| u64::from(number)).sum::<u64>() + rounds.sum::<u64>()
    }

    /// Takes over what another holds, and leaves it empty.
    pub(super) fn take(&mut self, other: &mut Sketch) {
        if other.count == 0 {
            return;
        }
        let used = other.used();
        for at in used {
            let others = std::mem::take(&mut other.counters[at]);
            let (sum, round) = self.counters[at].overflowing_add(others);
            self.counters[at] = sum;
            if round {
                self.go_round(at);
            }
        }
        for (at, rounds) in std::mem::take(&mut other.rounds) {
            *self.rounds.entry(at).or_default() += rounds;
        }
        self.count += std::mem::take(&mut other.count);
        self.reach(other);
        other.forget_extremes();
    }

    /// The quantile by nearest rank, as the largest value that cannot be told apart from it, within the exact extremes: the
    /// minimum where it cannot be told apart from that. `None` when empty.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Span> {
        let rank = (libm::ceil(quantile * self.count as f64) as u64).clamp(1, self.count.max(1));
        let mut below = 0;
        let reached = (0..COUNTERS).find(|at| {
            let rounds = self.rounds.get(at).copied().unwrap_or(0);
            below += (rounds << u32::BITS) + u64::from(self.counters[*at]);
            below >= rank
        });
        let reached = reached?;
        Some(match reached == position(self.min.as_nanos()) {
            true => self.min,
            false => Span::from_nanos(counters::longest::<BITS>(reached)).min(self.max),
        })
    }
}

/// The counter of a value.
#[inline]
fn position(value: u64) -> usize {
    counters::position::<BITS>(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_go_round_lose_nothing() {
        let nearly_round = |value: u64| {
            let mut sketch = Sketch::new();
            sketch.counters[position(value)] = u32::MAX;
            sketch.count = u64::from(u32::MAX);
            (sketch.min, sketch.max) = (Span::from_nanos(value), Span::from_nanos(value));
            sketch
        };
        let mut sketch = nearly_round(7);
        for _ in 0..3 {
            sketch.record(Span::from_nanos(7));
        }
        for _ in 0..2 {
            sketch.take(&mut nearly_round(7));
        }
        sketch.record(Span::from_nanos(9));
        let sevens = 3 * u64::from(u32::MAX) + 3;
        assert_eq!(sketch.count(), sevens + 1);
        assert_eq!(sketch.quantile(0.999_999), Some(Span::from_nanos(7)));
        assert_eq!(sketch.quantile(1.0), Some(Span::from_nanos(9)));
        let mut other = Sketch::new();
        other.take(&mut sketch);
        assert_eq!((sketch.count(), sketch.quantile(0.5)), (0, None));
        assert_eq!(other.quantile(0.999_999), Some(Span::from_nanos(7)));
        assert_eq!(other.quantile(1.0), Some(Span::from_nanos(9)));
    }

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let mut sketch = Sketch::new();
        assert_eq!(sketch.quantile(0.5), None);
        for value in 1..=100 {
            sketch.record(Span::from_nanos(value));
        }
        let mut other = Sketch::new();
        other.take(&mut sketch);
        assert_eq!((sketch.count(), sketch.quantile(0.5)), (0, None));
        assert_eq!(other.quantile(0.5), Some(Span::from_nanos(50)));
        assert_eq!(other.quantile(0.99), Some(Span::from_nanos(99)));
        assert_eq!(other.quantile(1.0), Some(Span::from_nanos(100)));
        assert_eq!(other.quantile(0.0), Some(Span::from_nanos(1)));
        assert_eq!(other.above(Span::from_nanos(90)), 10);
        assert_eq!(other.above(Span::from_nanos(u64::MAX)), 0);
        sketch.add(&other);
        sketch.add(&other);
        assert_eq!(
            (sketch.count(), sketch.above(Span::from_nanos(0))),
            (200, 200)
        );
        sketch.clear();
        assert_eq!((sketch.count(), sketch.quantile(0.5)), (0, None));
    }

    #[test]
    fn quantiles_keep_to_the_exact_extremes() {
        let at = |millis: u64| Span::from_nanos(millis * 1_000_000);
        let mut sketch = Sketch::new();
        sketch.record(at(300));
        for quantile in [0.0, 0.5, 0.99, 1.0] {
            assert_eq!(sketch.quantile(quantile), Some(at(300)));
        }
        // What most values are, and the least of all, is the quantile, and not the end of its counter.
        (0..98).for_each(|_| sketch.record(at(300)));
        sketch.record(at(500));
        assert_eq!(sketch.quantile(0.5), Some(at(300)));
        assert_eq!(sketch.quantile(1.0), Some(at(500)));
        let mut other = Sketch::new();
        other.add(&sketch);
        assert_eq!(other.quantile(1.0), Some(at(500)));
        other.clear();
        other.record(at(400));
        assert_eq!(other.quantile(1.0), Some(at(400)));
        sketch.take(&mut other);
        sketch.take(&mut other);
        assert_eq!(sketch.quantile(1.0), Some(at(500)));
        other.record(at(7));
        assert_eq!(other.quantile(1.0), Some(at(7)));
        // In between a quantile is the end of its counter, at most the largest value.
        let between = sketch.quantile(0.985).expect("values");
        assert!(at(400) < between && between <= at(404), "{between}");
    }
}
