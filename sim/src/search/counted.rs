//! The counts of one sample path for each objective.

use crate::verdict::{Limit, Measured, Signal};

/// The counts against one objective along one sample path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// This many of these samples were over a limit.
    Share {
        /// How many.
        over: f64,
        /// Of how many.
        samples: f64,
        /// The share that may be.
        allowed: f64,
    },
    /// A backlog grew so fast.
    Growth {
        /// Messages per second.
        per_second: f64,
        /// How many of these may be.
        limit: f64,
    },
    /// Nothing was counted.
    Nothing,
}

impl Counted {
    /// The counts against a signal.
    pub fn of(signal: &Signal) -> Counted {
        match (signal.limit, signal.measured) {
            (
                Limit::BacklogGrowth { per_second: limit },
                Measured::BacklogGrowth { per_second, .. },
            ) => return Counted::Growth { per_second, limit },
            // Whether that is more than chance explains is told by all paths together.
            (Limit::NoGrowth, Measured::BacklogGrowth { per_second, .. }) => {
                return Counted::Growth {
                    per_second,
                    limit: 0.0,
                };
            }
            _ => {}
        }
        match signal.counted() {
            Some(counted) if counted.samples > 0 => Counted::Share {
                over: counted.over() as f64,
                samples: counted.samples as f64,
                allowed: counted.share,
            },
            _ => Counted::Nothing,
        }
    }

    /// What counts of a path on which more waited than memory has room for: it is far over whatever limit there is, however
    /// little was measured by then.
    pub fn outgrown(signal: &Signal) -> Counted {
        let grown = |limit: f64| {
            let measured = match signal.measured {
                Measured::BacklogGrowth { per_second, .. } => per_second,
                _ => 0.0,
            };
            Counted::Growth {
                per_second: measured.max(FAR * limit.max(1.0)),
                limit,
            }
        };
        match signal.limit {
            Limit::BacklogGrowth { per_second } => grown(per_second),
            Limit::NoGrowth => grown(0.0),
            _ => {
                let counted = signal.counted();
                let samples = counted.map_or(0.0, |counted| counted.samples as f64);
                let samples = samples.max(ENOUGH);
                Counted::Share {
                    over: samples,
                    samples,
                    allowed: counted.map_or(0.0, |counted| counted.share),
                }
            }
        }
    }

    /// Whether a path counted so much over a limit that the rest of it is not needed: far more than may be, and of many.
    pub fn is_hopeless(self) -> bool {
        match self {
            Counted::Share {
                over,
                samples,
                allowed,
            } => over >= ENOUGH && over > samples * (allowed * FAR).min(HALF),
            Counted::Growth { .. } | Counted::Nothing => false,
        }
    }
}

/// How many samples over a limit are many.
const ENOUGH: f64 = 500.0;
/// How many times what is allowed is far more than may be.
const FAR: f64 = 10.0;
/// From this share on it is so whatever is allowed.
const HALF: f64 = 0.5;
