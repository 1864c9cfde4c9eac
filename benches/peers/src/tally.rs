//! What a run measures: completed requests, their mean response time and their throughput.
//!
//! Every Rust peer keeps exactly this, so that none is charged for measuring more than another.

use serde::{Deserialize, Serialize};

/// Counts completions and sums the response times of requests that arrived after the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Requests completed, those of the warm-up included.
    pub completed: u64,
    warmup_s: f64,
    counted: u64,
    sum_s: f64,
    done_after_warmup: u64,
}

impl Tally {
    /// An empty tally that leaves out requests arriving before `warmup_s` simulated seconds.
    pub fn new(warmup_s: f64) -> Self {
        Self {
            warmup_s,
            ..Self::default()
        }
    }

    /// Records a request that arrived at `arrived_s` and was done `response_s` later.
    #[inline]
    pub fn record(&mut self, arrived_s: f64, response_s: f64) {
        self.completed += 1;
        self.done_after_warmup += u64::from(arrived_s + response_s >= self.warmup_s);
        if arrived_s >= self.warmup_s {
            self.counted += 1;
            self.sum_s += response_s;
        }
    }

    /// Mean response time in seconds, or `None` when no request counted.
    pub fn mean_response_s(&self) -> Option<f64> {
        (self.counted > 0).then(|| self.sum_s / self.counted as f64)
    }

    /// Completions per simulated second from the end of the warm-up to `end_s`, or `None` when
    /// there is no such time.
    pub fn throughput_rps(&self, end_s: f64) -> Option<f64> {
        let span = end_s - self.warmup_s;
        (span > 0.0).then(|| self.done_after_warmup as f64 / span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_counts_completions_but_not_responses() {
        let mut tally = Tally::new(1.0);
        assert_eq!(tally.mean_response_s(), None);
        tally.record(0.9, 100.0);
        tally.record(1.0, 2.0);
        tally.record(5.0, 4.0);
        tally.record(0.1, 0.2);
        assert_eq!(tally.completed, 4);
        assert_eq!(tally.mean_response_s(), Some(3.0));
        assert_eq!(tally.throughput_rps(11.0), Some(0.3));
        assert_eq!(tally.throughput_rps(1.0), None);
    }
}
