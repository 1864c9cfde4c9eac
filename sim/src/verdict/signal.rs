//! Signals: a limit, and what was measured against it.

use crate::measure::FEWEST_ARRIVALS;
use crate::statistics::binomial_tail;
use crate::time::Span;
use crate::verdict::{Counted, Standing, Worth};

/// A quantile is tested in whole parts per million, so that no rounding decides a verdict.
const MILLION: u64 = 1_000_000;

/// Samples that must lie on either side of a limit before the point rule can judge it.
const TELLING: u64 = 10;

/// How likely chance may be to bring as many samples over a limit as there were, in a system that is just at the limit,
/// before few samples trip.
const CHANCE: f64 = 0.05;

/// One gated quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Whose objective it is: `Action ask`, `Consumer audit/indexer`, `Action say, last delivery`.
    pub of: String,
    /// The counts against it.
    pub counts: Counts,
    /// How many requests that comes from, where several of it come from each.
    pub requests: Option<u64>,
    /// The objective.
    pub limit: Limit,
    /// What was measured.
    pub measured: Measured,
    /// What the samples are worth that were measured; `None` where the parts of the run do not tell.
    pub worth: Option<Worth>,
}

/// The counts against an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Requests, some of which fail.
    Requests,
    /// Deliveries, some of which are missing.
    Deliveries,
}

/// An objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A quantile of the response time, or of the time to a delivery, is at most this.
    Quantile {
        /// Between 0 and 1.
        quantile: f64,
        /// Its largest allowed value.
        limit: Span,
    },
    /// The share of failed requests among those not dropped is at most this.
    Errors {
        /// Between 0 and 1.
        share: f64,
    },
    /// The share of missing deliveries among those that are to come is at most this.
    Missing {
        /// Between 0 and 1.
        share: f64,
    },
    /// A consumer's backlog grows by at most this.
    BacklogGrowth {
        /// Messages per second.
        per_second: f64,
    },
    /// A consumer's backlog does not grow by more than chance explains.
    NoGrowth,
}

/// What was measured against a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// Nothing.
    Missing,
    /// Requests, some of them not within the limit of their response times.
    Quantile(Requests),
    /// Failures, or missing deliveries.
    Errors {
        /// Requests that were not dropped, or deliveries that were to come.
        samples: u64,
        /// How many of them failed.
        failed: u64,
    },
    /// The slope of a consumer's backlog, messages pending and waiting for acknowledgement together.
    BacklogGrowth {
        /// Messages per second.
        per_second: f64,
        /// Whether that is more than chance explains; `None` where there were too few levels to tell.
        grows: Option<bool>,
        /// How many messages came meanwhile; `None` where that was not seen.
        arrivals: Option<u64>,
    },
    /// The consumer was deleted during the run; one that was drained to its end is not.
    Vanished,
}

/// The requests that a quantile objective is about, at least one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Requests {
    /// How many were not dropped.
    pub sent: u64,
    /// How many of them were answered `ok`.
    pub answered: u64,
    /// How many failed and for that count as over the limit; `None` where an objective of their own judges failures.
    pub failed: Option<u64>,
    /// How many others the objective is judged by.
    pub held: u64,
    /// How many of these had response times over the limit, exactly.
    pub response_over: u64,
    /// How many of these had service times over the limit, exactly.
    pub service_over: u64,
    /// The quantile of the distribution, as it is shown; `None` where that is empty.
    pub response: Option<Span>,
}

impl Requests {
    /// How many the objective is judged by.
    fn samples(&self) -> u64 {
        self.failed.unwrap_or(0) + self.held
    }
}

impl Signal {
    /// The limit's short name: `p99`, `errors`.
    pub fn name(&self) -> String {
        match self.limit {
            Limit::Quantile { quantile, .. } => quantile_name(quantile),
            Limit::Errors { .. } => "errors".to_owned(),
            Limit::Missing { .. } => "missing".to_owned(),
            Limit::BacklogGrowth { .. } => "backlog growth".to_owned(),
            Limit::NoGrowth => "growth".to_owned(),
        }
    }

    /// How many samples the point rule takes.
    pub fn needed(&self) -> u64 {
        match self.limit {
            Limit::Quantile { quantile, .. } => {
                (TELLING * MILLION).div_ceil(parts_beyond(quantile).max(1))
            }
            // No failure allowed: the first one tells.
            Limit::Errors { share } | Limit::Missing { share } if share <= 0.0 => 1,
            // A float-to-integer cast saturates.
            Limit::Errors { share } | Limit::Missing { share } => {
                libm::ceil(TELLING as f64 / share - 1e-9) as u64
            }
            // A slope comes with its own observations.
            Limit::BacklogGrowth { .. } => 0,
            Limit::NoGrowth => FEWEST_ARRIVALS,
        }
    }

    /// The counts against it; `None` for what is not a share of requests, or was not measured.
    pub fn counted(&self) -> Option<Counted> {
        match (self.limit, self.measured) {
            (Limit::Quantile { quantile, .. }, Measured::Quantile(requests)) => Some(Counted {
                samples: requests.samples(),
                failed: requests.failed,
                slow: Some(requests.response_over),
                allowed: allowed_over(requests.samples(), quantile),
                share: parts_beyond(quantile) as f64 / MILLION as f64,
                worth: self.worth,
            }),
            (
                Limit::Errors { share } | Limit::Missing { share },
                Measured::Errors { samples, failed },
            ) => Some(Counted {
                samples,
                failed: Some(failed),
                slow: None,
                allowed: allowed_failures(samples, share),
                share,
                worth: self.worth,
            }),
            _ => None,
        }
    }

    /// How it stands, given whether the generator lagged on its own account.
    pub fn standing(&self, generator_lagged: bool) -> Standing {
        match (self.limit, self.measured) {
            (
                Limit::BacklogGrowth { per_second: limit },
                Measured::BacklogGrowth { per_second, .. },
            ) => {
                if per_second > limit {
                    Standing::Over
                } else {
                    Standing::Within
                }
            }
            (
                Limit::NoGrowth,
                Measured::BacklogGrowth {
                    grows, arrivals, ..
                },
            ) => match grows {
                Some(true) => Standing::Over,
                Some(false) if arrivals >= Some(FEWEST_ARRIVALS) => Standing::Within,
                _ => Standing::TooFew,
            },
            (_, Measured::Vanished) => Standing::Over,
            _ => match self.counted() {
                Some(counted) => self.standing_of(&counted, generator_lagged),
                None => Standing::Missing,
            },
        }
    }

    fn standing_of(&self, counted: &Counted, generator_lagged: bool) -> Standing {
        if self.is_unanswered() {
            return Standing::Over;
        }
        if self.is_over(counted.samples, counted.over(), counted) {
            let without_lag = match self.measured {
                Measured::Quantile(requests) => counted.failed.unwrap_or(0) + requests.service_over,
                _ => counted.over(),
            };
            return match self.is_over(counted.samples, without_lag, counted) {
                false if generator_lagged => Standing::GeneratorLimited,
                _ => Standing::Over,
            };
        }
        if counted.samples < self.needed() || self.is_of_few() {
            Standing::TooFew
        } else {
            Standing::Within
        }
    }

    /// Whether it all comes from so few requests that it says little of others: what comes from one is alike.
    pub(crate) fn is_of_few(&self) -> bool {
        self.requests.is_some_and(|requests| requests < TELLING)
    }

    /// Whether this many samples over the limit miss it: by the point rule, or where the samples are too few for that by
    /// an exact one-sided binomial test. Too few samples protect a pass, never a failure.
    fn is_over(&self, samples: u64, over: u64, counted: &Counted) -> bool {
        if samples < self.needed() {
            let by_chance = binomial_tail(samples as f64, over as f64, counted.share);
            return over > counted.allowed && by_chance <= CHANCE;
        }
        over > counted.allowed
    }

    /// Whether requests were sent and none was answered, which misses every objective but one that allows all to fail.
    pub(crate) fn is_unanswered(&self) -> bool {
        match (self.limit, self.measured) {
            (_, Measured::Quantile(requests)) => requests.answered == 0,
            (
                Limit::Errors { share } | Limit::Missing { share },
                Measured::Errors { samples, failed },
            ) => failed == samples && share < 1.0,
            _ => false,
        }
    }

    /// How many more requests would bring it within its limit, each of them in time; `None` where no number would.
    pub fn more_needed(&self) -> Option<u64> {
        let (samples, over) = match (self.measured, self.counted()) {
            (
                Measured::BacklogGrowth {
                    grows: Some(false),
                    arrivals: Some(arrivals),
                    ..
                },
                _,
            ) if self.limit == Limit::NoGrowth => (arrivals, 0),
            (_, Some(counted)) => (counted.samples, counted.over()),
            (Measured::Missing, None) => (0, 0),
            _ => return None,
        };
        let least = match self.limit {
            Limit::Quantile { quantile, .. } => {
                let parts = u128::from(over) * u128::from(MILLION);
                let least = parts.div_ceil(u128::from(parts_beyond(quantile).max(1)));
                u64::try_from(least).ok()?
            }
            Limit::Errors { .. } | Limit::Missing { .. } if over == 0 => 0,
            Limit::Errors { share } | Limit::Missing { share } if share <= 0.0 => return None,
            Limit::Errors { share } | Limit::Missing { share } => {
                let near = over as f64 / share;
                // Beyond this neighbouring numbers are the same float.
                if near > (1u64 << 53) as f64 {
                    return None;
                }
                let near = near as u64;
                let mut least = near.saturating_sub(1).max(over);
                while allowed_failures(least, share) < over {
                    least += 1;
                }
                least
            }
            Limit::BacklogGrowth { .. } => return None,
            Limit::NoGrowth => match self.measured {
                Measured::BacklogGrowth { .. } => 0,
                _ => return None,
            },
        };
        Some(least.max(self.needed()).saturating_sub(samples))
    }
}

/// How many of this many samples may lie over a quantile's limit: those beyond the nearest rank.
fn allowed_over(samples: u64, quantile: f64) -> u64 {
    let rank = (u128::from(samples) * u128::from(parts_per_million(quantile)))
        .div_ceil(u128::from(MILLION));
    // The rank is at most the number of samples.
    samples - u64::try_from(rank).unwrap_or(samples)
}

/// How many of this many requests may fail: the most whose share is not above the limit as floats are compared.
fn allowed_failures(samples: u64, share: f64) -> u64 {
    let is_within = |failed: u64| failed as f64 / samples as f64 <= share;
    // A float-to-integer cast saturates.
    let near = ((samples as f64 * share) as u64).min(samples);
    let about = [near + 1, near];
    let within = about
        .into_iter()
        .find(|&failed| failed <= samples && is_within(failed));
    within.unwrap_or(near.saturating_sub(1))
}

fn parts_per_million(quantile: f64) -> u64 {
    libm::round(quantile * MILLION as f64) as u64
}

/// The parts per million beyond a quantile.
fn parts_beyond(quantile: f64) -> u64 {
    MILLION - parts_per_million(quantile).min(MILLION)
}

/// `p50`, `p99`, `p999`: the digits after the point.
fn quantile_name(quantile: f64) -> String {
    let digits = format!("{:06}", parts_per_million(quantile));
    let digits = digits.trim_end_matches('0');
    format!("p{digits:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_failures_are_those_of_the_comparison() {
        for share in [0.0, 1e-3, 0.01, 0.1, 0.29, 1.0 / 3.0, 0.999, 1.0] {
            for samples in (1..400).chain([1_000, 99_999, 1_000_003]) {
                let allowed = allowed_failures(samples, share);
                let share_of = |failed: u64| failed as f64 / samples as f64;
                assert!(
                    share_of(allowed) <= share,
                    "{allowed} of {samples} at {share}"
                );
                assert!(
                    allowed == samples || share_of(allowed + 1) > share,
                    "{allowed} of {samples} at {share}"
                );
            }
        }
    }
}
