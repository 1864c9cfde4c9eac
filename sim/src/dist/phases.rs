//! Families that are made of exponential phases.

use super::{Dist, Form};

/// How a distribution is made of exponential times. Means are in the value's unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Phases {
    /// The sum of this many exponential times, all of them with the same mean.
    Series {
        /// How many.
        count: u32,
        /// The mean of their sum.
        mean: f64,
    },
    /// One of several exponential times: (probability, mean).
    Branches(Vec<(f64, f64)>),
}

impl Dist {
    /// The exponential phases that the distribution is made of, `None` for a family that is not.
    pub fn phases(&self) -> Option<Phases> {
        match &self.0 {
            Form::Exponential(mean) => Some(Phases::Series {
                count: 1,
                mean: *mean,
            }),
            Form::Erlang { shape, .. } => Some(Phases::Series {
                count: *shape,
                mean: self.mean(),
            }),
            Form::Hyperexponential(branches) => {
                let branches = branches.iter();
                let pairs = branches.map(|branch| (branch.probability, branch.mean));
                Some(Phases::Branches(pairs.collect()))
            }
            _ => None,
        }
    }
}
