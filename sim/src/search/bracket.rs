//! The plain search: it asks for loads, is told how their trials were judged, and narrows down on the ceiling.
//!
//! For worlds in which a load is tried as a whole, as the live one, and for models in which more load may do better. Up from
//! an easy load in strides until one trips, or around the load that a model predicted; then by halves between the bounds; then
//! both bounds are tried again. A load that tripped once has tripped: where noise inverts two loads the answer is the lower. A
//! trial that says nothing neither passes nor stops the search; where the generator was the limit nothing larger is asked for.

use crate::search::bounds::Bounds;
use crate::search::{AtLeast, Ceiling, EmptyRange, Ended, Found, Judged, Range, Trial};

/// How often a load may be tried beyond the trials that confirm it.
const SPARE: u32 = 5;
/// Without a prediction the next load is by this factor harder.
const STRIDE: f64 = 2.0;
/// The first loads beside a predicted one are by this share easier and harder.
const BESIDE: f64 = 0.1;
/// Loads between the bounds are tried to this share of one another before one that said nothing is tried again, for longer.
const COARSE: f64 = 0.05;

/// What a search is to find, and what it may spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Where it looks.
    pub range: Range,
    /// How far the bounds may be apart, as a share.
    pub precision: f64,
    /// How many trials confirm a bound, at least 1.
    pub confirm: u32,
    /// The most trials.
    pub most_trials: u32,
    /// How many times as long as the first trial of a load a further one may be.
    pub longest: u32,
    /// The ceiling as a model predicts it.
    pub predicted: Option<f64>,
}

/// A trial to be run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// The load, one of [`Bracket::loads`].
    pub load: f64,
    /// How many times as long it shall be as a first trial.
    pub times_longer: u32,
}

/// A search.
#[derive(Debug, Clone)]
pub struct Bracket {
    wanted: Wanted,
    loads: Vec<f64>,
    bounds: Bounds,
    trials: u32,
}

impl Bracket {
    /// A search that has not tried anything.
    ///
    /// # Errors
    /// When there is nothing in the range.
    pub fn new(wanted: Wanted) -> Result<Bracket, EmptyRange> {
        let loads = wanted.range.loads(wanted.precision)?;
        Ok(Bracket {
            bounds: Bounds::new(loads.len()),
            wanted,
            loads,
            trials: 0,
        })
    }

    /// Every load that it may ask for, from the easiest to the hardest.
    pub fn loads(&self) -> &[f64] {
        &self.loads
    }

    /// The loads that it asks for first, as long as each of them passes.
    pub fn first_loads(&self) -> Vec<f64> {
        let mut at = self.first();
        let mut first = vec![self.loads[at]];
        while at < self.hardest() {
            at = (at + self.stride(first.len())).min(self.hardest());
            first.push(self.loads[at]);
        }
        first
    }

    /// It asks for no more trials than this.
    pub fn most_trials(&self) -> u64 {
        let of_each = u64::from(self.most_of_one());
        u64::from(self.wanted.most_trials).min(of_each.saturating_mul(self.loads.len() as u64))
    }

    /// The bounds so far: the largest load that passed below all that tripped, and the smallest that tripped.
    pub fn bounds(&self) -> (Option<f64>, Option<f64>) {
        let load = |at: Option<usize>| at.map(|at| self.loads[at]);
        (load(self.bounds.lower()), load(self.bounds.upper()))
    }

    /// The next trial; `None` when the search has ended.
    pub fn next_trial(&self) -> Option<Ask> {
        if u64::from(self.trials) >= self.most_trials() {
            return None;
        }
        let at = match (self.bounds.lower(), self.top()) {
            (Some(lower), Some(top)) => self.between(lower, top),
            (None, Some(top)) => self.again().or_else(|| self.easier(top)),
            (_, None) => self.again().or_else(|| self.harder()),
        };
        let at = at.or_else(|| self.confirming())?;
        let open = self.bounds.said(at).open;
        Some(Ask {
            load: self.loads[at],
            times_longer: (1 << open.min(16)).min(self.wanted.longest.max(1)),
        })
    }

    /// Takes how the trial that was asked for was judged. Loads that are none of the search's are not counted.
    pub fn tried(&mut self, load: f64, judged: &Judged) {
        self.trials = self.trials.saturating_add(1);
        if let Some(at) = self.loads.iter().position(|known| *known == load) {
            self.bounds.take(at, judged);
        }
    }

    /// What was found, in these trials.
    pub fn found(&self, trials: Vec<Trial>, interrupted: bool) -> Found {
        let (lower, upper) = self.bounds();
        Found {
            ended: self.ended(),
            lower,
            upper,
            trials,
            contributions: Vec::new(),
            interrupted,
        }
    }

    /// How it ended, or would if it ended now.
    pub fn ended(&self) -> Ended {
        match (self.bounds.lower(), self.bounds.upper()) {
            (Some(lower), Some(upper)) => {
                let is_confirmed = self.is_confirmed(lower, upper);
                let (load, next) = (self.loads[lower], self.loads[upper]);
                Ended::Ceiling(Ceiling {
                    load,
                    interval: is_confirmed.then(|| [load.min(next), load.max(next)]),
                    cliff: None,
                    precise: is_confirmed && upper - lower == 1,
                })
            }
            (Some(lower), None) if lower == self.hardest() => {
                Ended::AtLeast(self.loads[lower], AtLeast::EndOfRange)
            }
            (Some(lower), None) if self.bounds.wall().is_some() => {
                let limits = self.bounds.limits().to_vec();
                Ended::AtLeast(self.loads[lower], AtLeast::GeneratorLimited(limits))
            }
            (None, Some(0)) => Ended::NonePassed,
            (Some(lower), None) => {
                Ended::AtLeast(self.loads[lower], AtLeast::Undecided(self.doubts()))
            }
            (None, _) => Ended::Undecided(self.doubts()),
        }
    }

    fn doubts(&self) -> Vec<String> {
        let mut doubts = self.bounds.doubts().to_vec();
        doubts.extend(self.bounds.lower().map(|_| {
            "No load above the largest that passed was decided; allow more time or more trials."
                .to_owned()
        }));
        if doubts.is_empty() {
            doubts.push(
                "The search ended before any load passed; allow more time or more trials."
                    .to_owned(),
            );
        }
        doubts
    }

    fn hardest(&self) -> usize {
        self.loads.len() - 1
    }

    fn most_of_one(&self) -> u32 {
        self.wanted.confirm.saturating_add(SPARE)
    }

    /// How many loads apart those are that differ by so large a factor.
    fn apart(&self, factor: f64) -> usize {
        let (Some(first), Some(last)) = (self.loads.first(), self.loads.last()) else {
            return 1;
        };
        let all = libm::log(last / first).abs();
        let share = if all > 0.0 {
            libm::log(factor) / all
        } else {
            1.0
        };
        // A float-to-integer cast saturates.
        (libm::round(share * self.hardest() as f64) as usize).max(1)
    }

    /// The load to begin with.
    fn first(&self) -> usize {
        let Some(predicted) = self.wanted.predicted else {
            return 0;
        };
        let away = |load: &f64| libm::log(load / predicted).abs();
        let nearest = self.loads.iter().enumerate();
        let nearest = nearest.min_by(|one, other| away(one.1).total_cmp(&away(other.1)));
        let nearest = nearest.map_or(0, |(at, _)| at);
        nearest.saturating_sub(self.apart(1.0 + BESIDE))
    }

    /// How far the next load is from the last, where this many were tried and all on one side.
    fn stride(&self, tried: usize) -> usize {
        let plain = self.apart(STRIDE);
        match self.wanted.predicted {
            None => plain,
            // The second is as far above the prediction as the first was below; each after that is twice as far.
            Some(_) => {
                let doubled = 1usize << tried.min(16);
                self.apart(1.0 + BESIDE)
                    .saturating_mul(doubled)
                    .min(plain.max(1))
            }
        }
    }

    /// The smallest load that tripped or that the generator could not offer.
    fn top(&self) -> Option<usize> {
        self.bounds.upper().or(self.bounds.wall())
    }

    /// A load between the bounds, roughly first. Then what is above the lower bound, which is the answer, and only then loads
    /// again that said nothing: those near the ceiling take the longest to decide.
    fn between(&self, lower: usize, top: usize) -> Option<usize> {
        let (lowest, highest) = self.open(lower + 1..top).unwrap_or((top, lower));
        let halved = |(from, to): (usize, usize), apart: usize| {
            let width = to.saturating_sub(from);
            (width > apart).then_some(from + width / 2)
        };
        let (below, above) = ((lower, lowest), (highest, top));
        let wider = match top.saturating_sub(highest) > lowest - lower {
            true => above,
            false => below,
        };
        // What the generator cannot offer is no bound: there is no use in coming close to it.
        let is_wall = self.bounds.upper().is_none();
        let (coarse, fine) = match is_wall {
            true => (self.apart(1.0 + BESIDE), self.apart(1.0 + BESIDE)),
            false => (self.apart(1.0 + COARSE), 1),
        };
        halved(wider, coarse)
            .or_else(|| halved(below, fine))
            .or_else(|| self.again())
            .or_else(|| halved(above, fine))
    }

    /// A load below all that were tried, none of which passed.
    fn easier(&self, top: usize) -> Option<usize> {
        let from = self.open(0..top).map_or(top, |(lowest, _)| lowest);
        (from > 0).then(|| from.saturating_sub(self.stride(self.number_tried())))
    }

    /// A load above all that were tried, none of which tripped.
    fn harder(&self) -> Option<usize> {
        let Some((lowest, highest)) = self.open(0..self.loads.len()) else {
            return Some(self.first());
        };
        let stride = self.stride(self.number_tried());
        match highest < self.hardest() {
            true => Some((highest + stride).min(self.hardest())),
            // Nothing tripped, and at the end nothing was said: what is easier may pass.
            false => {
                (self.bounds.lower().is_none() && lowest > 0).then(|| lowest.saturating_sub(stride))
            }
        }
    }

    /// The easiest and the hardest load of these that was tried.
    fn open(&self, of: std::ops::Range<usize>) -> Option<(usize, usize)> {
        let mut tried = of.filter(|at| self.bounds.said(*at).trials() > 0);
        let first = tried.next()?;
        Some((first, tried.next_back().unwrap_or(first)))
    }

    /// How many loads were tried.
    fn number_tried(&self) -> usize {
        let loads = 0..self.loads.len();
        loads
            .filter(|at| self.bounds.said(*at).trials() > 0)
            .count()
    }

    /// A load between the bounds whose trials said nothing so far, where a longer one may: the easiest, which is the answer once it
    /// passes.
    fn again(&self) -> Option<usize> {
        let from = self.bounds.lower().map_or(0, |lower| lower + 1);
        let to = self.bounds.upper().unwrap_or(self.loads.len());
        (from..to).find(|at| self.bounds.may_try_again(*at))
    }

    /// A bound that is to be tried again.
    fn confirming(&self) -> Option<usize> {
        let unconfirmed = |at: usize, times: u32| {
            times < self.wanted.confirm && self.bounds.said(at).trials() < self.most_of_one()
        };
        let lower = self.bounds.lower();
        let lower = lower.filter(|at| unconfirmed(*at, self.bounds.said(*at).passed));
        let upper = self.bounds.upper();
        let upper = upper.filter(|at| unconfirmed(*at, self.bounds.said(*at).tripped));
        lower.or(upper)
    }

    fn is_confirmed(&self, lower: usize, upper: usize) -> bool {
        let wanted = self.wanted.confirm;
        self.bounds.said(lower).passed >= wanted && self.bounds.said(upper).tripped >= wanted
    }
}

#[cfg(test)]
mod tests;
