//! The result of a search.

use crate::search::Trial;

/// What a search found, and from which trials.
#[derive(Debug, Clone)]
pub struct Found {
    /// How it ended.
    pub ended: Ended,
    /// The largest load that met its objectives below all that missed them.
    pub lower: Option<f64>,
    /// The smallest load that missed its objectives.
    pub upper: Option<f64>,
    /// Every trial, in the order in which they ran.
    pub trials: Vec<Trial>,
    /// Of a ceiling that was found along sample paths: what each path contributes to where it is, as a position on the axis.
    /// Their mean is the ceiling. Empty otherwise.
    pub contributions: Vec<f64>,
    /// Whether it was stopped from outside before its end: what stands here is what was known by then.
    pub interrupted: bool,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// With the largest load that meets its objectives.
    Ceiling(Ceiling),
    /// With a load that keeps them, beyond which was not, or could not be, looked.
    AtLeast(f64, AtLeast),
    /// With a smallest load that misses them.
    NonePassed,
    /// Without an answer; these sentences say why and what would bring one.
    Undecided(Vec<String>),
}

impl Ended {
    /// The load of the answer; `None` without one.
    pub fn load(&self) -> Option<f64> {
        match self {
            Ended::Ceiling(ceiling) => Some(ceiling.load),
            Ended::AtLeast(load, _) => Some(*load),
            Ended::NonePassed | Ended::Undecided(_) => None,
        }
    }

    /// The ceiling, where that is how it ended.
    pub fn ceiling(&self) -> Option<&Ceiling> {
        match self {
            Ended::Ceiling(ceiling) => Some(ceiling),
            Ended::AtLeast(..) | Ended::NonePassed | Ended::Undecided(_) => None,
        }
    }
}

/// The largest load that meets its objectives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling {
    /// The load.
    pub load: f64,
    /// The 95 % interval of the true one; `None` where there is none, as with given steps.
    pub interval: Option<[f64; 2]>,
    /// Where the objectives are kept at one load and missed by far at the next: the loads between which that happens.
    pub cliff: Option<[f64; 2]>,
    /// Whether the wanted precision was reached.
    pub precise: bool,
}

/// Why a search did not look beyond a load that passed.
#[derive(Debug, Clone, PartialEq)]
pub enum AtLeast {
    /// It is the end of the range.
    EndOfRange,
    /// The generator could not send more; these sentences say why.
    GeneratorLimited(Vec<String>),
    /// What was tried beyond it was not decided, or nothing was; these sentences say what would decide it.
    Undecided(Vec<String>),
}
