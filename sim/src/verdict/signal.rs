//! Signals: a limit, and what was measured against it.

use crate::time::Span;
use crate::verdict::Standing;

/// A quantile is tested in whole parts per million, so that no rounding decides a verdict.
const MILLION: u64 = 1_000_000;

/// Samples that must lie on either side of a limit before it can be judged.
const TELLING: u64 = 10;

/// One gated quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Whose promise it is: `Action ask`, `Consumer audit/indexer`.
    pub of: String,
    /// What was promised.
    pub limit: Limit,
    /// What was measured.
    pub measured: Measured,
}

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A quantile of the response time is at most this.
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
    /// A consumer's backlog grows by at most this.
    BacklogGrowth {
        /// Messages per second.
        per_second: f64,
    },
}

/// What was measured against a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// Nothing.
    Missing,
    /// Response times.
    Quantile {
        /// How many.
        samples: u64,
        /// How many of them were over the limit, exactly.
        response_over: u64,
        /// How many of the service times were over the limit, exactly.
        service_over: u64,
        /// The quantile itself, as it is shown.
        response: Span,
    },
    /// Failures.
    Errors {
        /// Requests that were not dropped.
        samples: u64,
        /// How many of them failed.
        failed: u64,
    },
    /// The slope of a consumer's backlog, messages pending and waiting for acknowledgement together.
    BacklogGrowth {
        /// Messages per second.
        per_second: f64,
    },
    /// The consumer was deleted during the run; one that was drained to its end is not.
    Vanished,
}

impl Signal {
    /// The limit's short name: `p99`, `errors`.
    pub fn name(&self) -> String {
        match self.limit {
            Limit::Quantile { quantile, .. } => quantile_name(quantile),
            Limit::Errors { .. } => "errors".to_owned(),
            Limit::BacklogGrowth { .. } => "backlog growth".to_owned(),
        }
    }

    /// How many samples it takes to tell.
    pub fn needed(&self) -> u64 {
        match self.limit {
            Limit::Quantile { quantile, .. } => {
                let beyond = MILLION - parts_per_million(quantile).min(MILLION - 1);
                (TELLING * MILLION).div_ceil(beyond)
            }
            // No failure allowed: the first one tells.
            Limit::Errors { share } if share <= 0.0 => 1,
            // A float-to-integer cast saturates.
            Limit::Errors { share } => libm::ceil(TELLING as f64 / share - 1e-9) as u64,
            // A slope comes with its own observations.
            Limit::BacklogGrowth { .. } => 0,
        }
    }

    /// How it stands, given whether the generator lagged on its own account.
    pub fn standing(&self, generator_lagged: bool) -> Standing {
        match (self.limit, self.measured) {
            (
                Limit::Quantile { quantile, .. },
                Measured::Quantile {
                    samples,
                    response_over,
                    service_over,
                    ..
                },
            ) => {
                let allowed = allowed_over(samples, quantile);
                if samples < self.needed() {
                    Standing::TooFew
                } else if response_over <= allowed {
                    Standing::Within
                } else if generator_lagged && service_over <= allowed {
                    Standing::GeneratorLimited
                } else {
                    Standing::Over
                }
            }
            (Limit::Errors { share }, Measured::Errors { samples, failed }) => {
                if samples < self.needed() {
                    Standing::TooFew
                } else if failed as f64 / samples as f64 > share {
                    Standing::Over
                } else {
                    Standing::Within
                }
            }
            (
                Limit::BacklogGrowth { per_second: limit },
                Measured::BacklogGrowth { per_second },
            ) => {
                if per_second > limit {
                    Standing::Over
                } else {
                    Standing::Within
                }
            }
            (_, Measured::Vanished) => Standing::Over,
            _ => Standing::Missing,
        }
    }

    /// One sentence on why it stands so.
    pub(super) fn reason(&self, standing: Standing) -> String {
        let Signal {
            of,
            limit,
            measured,
        } = self;
        let name = self.name();
        let needed = self.needed();
        match (limit, measured, standing) {
            (
                Limit::Quantile { quantile, limit },
                Measured::Quantile {
                    samples,
                    response_over,
                    response,
                    ..
                },
                Standing::Over | Standing::Within,
            ) => format!(
                "{of}: the {name} response time of {} is over its limit of {limit} \
                 ({response_over} of {samples} requests were over it, {} may be).",
                response.brief(),
                allowed_over(*samples, *quantile)
            ),
            (
                Limit::Quantile { limit, .. },
                Measured::Quantile { response, .. },
                Standing::GeneratorLimited,
            ) => {
                format!(
                    "{of}: the {name} response time of {} is over its limit of {limit}, but \
                     the service time is within it: the generator was late; use a faster machine or more \
                     generators.",
                    response.brief()
                )
            }
            (
                Limit::Errors { share },
                Measured::Errors { samples, failed },
                Standing::Over | Standing::Within,
            ) => {
                format!(
                    "{of}: {} of the requests failed ({failed} of {samples}), over the limit of {}.",
                    percent(*failed as f64 / *samples as f64),
                    percent(*share)
                )
            }
            (_, Measured::Quantile { samples, .. } | Measured::Errors { samples, .. }, _) => {
                let plural = if *samples == 1 {
                    "request is"
                } else {
                    "requests are"
                };
                format!(
                    "{of}: {samples} {plural} too few to tell its {name}, which takes {needed}; \
                     lengthen the run."
                )
            }
            (
                Limit::BacklogGrowth { per_second: limit },
                Measured::BacklogGrowth { per_second },
                _,
            ) => {
                format!(
                    "{of}: its backlog grew by {} messages per second, over the limit of {}.",
                    number(*per_second),
                    number(*limit)
                )
            }
            (_, Measured::Vanished, _) => format!("{of}: it vanished during the run."),
            (Limit::BacklogGrowth { .. }, Measured::Missing, _) => format!(
                "{of}: its {name} was not measured; lengthen the run or shorten the warm-up."
            ),
            (_, Measured::Missing | Measured::BacklogGrowth { .. }, _) => {
                format!(
                    "{of}: its {name} was not measured; see to it that requests of it end in the window."
                )
            }
        }
    }
}

/// How many of so many samples may lie over a quantile's limit: those beyond the nearest rank.
fn allowed_over(samples: u64, quantile: f64) -> u64 {
    let rank = (u128::from(samples) * u128::from(parts_per_million(quantile)))
        .div_ceil(u128::from(MILLION));
    // The rank is at most the number of samples.
    samples - u64::try_from(rank).unwrap_or(samples)
}

fn parts_per_million(quantile: f64) -> u64 {
    libm::round(quantile * MILLION as f64) as u64
}

/// `p50`, `p99`, `p999`: the digits after the point.
fn quantile_name(quantile: f64) -> String {
    let digits = format!("{:06}", parts_per_million(quantile));
    let digits = digits.trim_end_matches('0');
    format!("p{digits:0<2}")
}

/// A number with at most three decimals.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn percent(share: f64) -> String {
    // Three significant digits are enough to compare by eye.
    let percent = share * 100.0;
    let digits = if percent >= 10.0 { 1 } else { 3 };
    let text = format!("{percent:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}
