//! The loads that a search may ask for, and what trials say of each.
//!
//! They are a ladder, fixed beforehand, from the easiest to the hardest, whose neighbours differ by no more than the
//! precision: a search that narrows down to two neighbours is precise, and cannot ask for anything that was not announced.

use crate::search::Judged;
use crate::verdict::Status;

/// The most loads: beyond that neighbours are further apart.
const MOST_LOADS: f64 = 100_000.0;

/// What more of the parameter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is harder to carry, as more users are.
    Rising,
    /// It helps, as more workers do.
    Falling,
}

/// Where a search looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The smallest value of the parameter, above 0.
    pub from: f64,
    /// Its largest.
    pub to: f64,
    /// Whether it has to be a whole number.
    pub whole: bool,
    /// What more of it does.
    pub direction: Direction,
}

/// A range in which there is nothing to look for.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "there is no value from {from} to {to}; give a range from a smaller to a larger one, both above 0"
)]
pub struct EmptyRange {
    /// Its smaller end as it was given.
    pub from: f64,
    /// Its larger end.
    pub to: f64,
}

impl Range {
    /// Its loads from the easiest to the hardest, neighbours at most so large a share apart, or one unit where that is more.
    ///
    /// # Errors
    /// When there are none.
    pub fn loads(&self, precision: f64) -> Result<Vec<f64>, EmptyRange> {
        let (from, to) = match self.whole {
            true => (libm::ceil(self.from).max(1.0), libm::floor(self.to)),
            false => (self.from, self.to),
        };
        let is_range = from > 0.0 && from <= to && to.is_finite() && precision > 0.0;
        if !is_range {
            return Err(EmptyRange {
                from: self.from,
                to: self.to,
            });
        }
        let steps = libm::ceil(libm::log(to / from) / libm::log1p(precision)).min(MOST_LOADS);
        let load = |step: u32| match f64::from(step) {
            // The ends are those that were given, whatever a power rounds to.
            0.0 => from,
            step if step >= steps => to,
            step => {
                let load = from * libm::pow(to / from, step / steps);
                if self.whole { libm::round(load) } else { load }
            }
        };
        // At most `MOST_LOADS`.
        let mut loads: Vec<f64> = (0..=steps as u32).map(load).collect();
        loads.dedup();
        if self.direction == Direction::Falling {
            loads.reverse();
        }
        Ok(loads)
    }
}

/// What the trials of one load said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) passed: u32,
    pub(super) tripped: u32,
    pub(super) open: u32,
    /// Whether requests would not decide it.
    hopeless: bool,
}

impl Said {
    pub(super) fn trials(self) -> u32 {
        self.passed + self.tripped + self.open
    }

    /// What they say together: a load that missed its objectives once has missed them.
    fn status(self) -> Option<Status> {
        match (self.tripped, self.passed, self.open) {
            (1.., _, _) => Some(Status::Trip),
            (0, 1.., _) => Some(Status::Pass),
            (0, 0, 1..) => Some(Status::Inconclusive),
            (0, 0, 0) => None,
        }
    }
}

/// What is known of the loads of a search. Positions are those of the loads, harder ones above easier ones.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    said: Vec<Said>,
    /// The smallest load that the generator could not offer, and why.
    wall: Option<(usize, Vec<String>)>,
    /// Why the last trial that did not say anything did not.
    doubts: Vec<String>,
}

impl Bounds {
    pub(super) fn new(loads: usize) -> Bounds {
        Bounds {
            said: vec![Said::default(); loads],
            wall: None,
            doubts: Vec::new(),
        }
    }

    /// Takes what a trial said.
    pub(super) fn take(&mut self, at: usize, judged: &Judged) {
        let said = &mut self.said[at];
        match judged.status {
            Status::Pass => said.passed += 1,
            Status::Trip => said.tripped += 1,
            Status::Inconclusive => {
                said.open += 1;
                said.hopeless = judged.more_needed.is_none();
                self.doubts.clone_from(&judged.reasons);
                let is_lower = self.wall.as_ref().is_none_or(|(wall, _)| at < *wall);
                if !judged.generator_limits.is_empty() && is_lower {
                    self.wall = Some((at, judged.generator_limits.clone()));
                }
            }
        }
    }

    pub(super) fn said(&self, at: usize) -> Said {
        self.said[at]
    }

    fn first(&self, status: Status) -> Option<usize> {
        self.said
            .iter()
            .position(|said| said.status() == Some(status))
    }

    /// The smallest load that tripped.
    pub(super) fn upper(&self) -> Option<usize> {
        self.first(Status::Trip)
    }

    /// The largest load below it that passed.
    pub(super) fn lower(&self) -> Option<usize> {
        let below = self.upper().unwrap_or(self.said.len());
        let passed = |said: &Said| said.status() == Some(Status::Pass);
        self.said[..below].iter().rposition(passed)
    }

    /// The smallest load that the generator could not offer, where that is below all that tripped and above all that passed.
    pub(super) fn wall(&self) -> Option<usize> {
        let (wall, _) = self.wall.as_ref()?;
        let is_above = self.lower().is_none_or(|lower| lower < *wall);
        let is_below = self.upper().is_none_or(|upper| *wall < upper);
        (is_above && is_below).then_some(*wall)
    }

    /// Why the generator was the limit.
    pub(super) fn limits(&self) -> &[String] {
        self.wall.as_ref().map_or(&[], |(_, limits)| limits)
    }

    /// Why the last trial that did not say anything did not.
    pub(super) fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// How often a load may still be tried because its trials said nothing: longer ones four times, or once where requests alone
    /// would not decide it; a load that the generator could not offer is not tried again.
    pub(super) fn may_try_again(&self, at: usize) -> bool {
        let said = self.said[at];
        let again = if said.hopeless { 1 } else { 4 };
        let is_wall = self.wall.as_ref().is_some_and(|(wall, _)| at >= *wall);
        said.status() == Some(Status::Inconclusive) && said.open <= again && !is_wall
    }
}
