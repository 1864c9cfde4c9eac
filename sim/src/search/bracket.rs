//! The plain search: it asks for loads, is told how their trials were judged, and narrows down on the ceiling.
//!
//! For worlds in which a load is tried as a whole, as the live one, and for models in which more load may do better. Up from
//! an easy load in strides until one trips, or around the load that a model predicted; then by halves between the bounds; then
//! both bounds are tried again. A load that tripped once has tripped: where noise inverts two loads the answer is the lower. A
//! trial that says nothing neither passes nor stops the search; where the generator was the limit nothing larger is asked for.

use crate::search::bounds::Bounds;
use crate::search::{AtLeast, Ceiling, EmptyRange, Ended, Found, Judged, Look, Range, Trial};

/// How often a load may be tried beyond the trials that confirm it.
const SPARE: u32 = 3;
/// Without a prediction the next load is by this factor harder.
const STRIDE: f64 = 2.0;
/// The first loads beside a predicted one are by this share easier and harder.
const BESIDE: f64 = 0.1;

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
    /// Which look at this load it is.
    pub look: Look,
}

/// A search.
#[derive(Debug, Clone)]
pub struct Bracket {
    wanted: Wanted,
    loads: Vec<f64>,
    bounds: Bounds,
    trials: u32,
    last: Option<usize>,
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
            last: None,
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
        let at = self
            .again()
            .or_else(|| self.narrowing())
            .or_else(|| self.confirming())?;
        let open = self.bounds.said(at).open;
        let look = (0..open).fold(Look::FIRST, |look, _| look.next());
        Some(Ask {
            load: self.loads[at],
            times_longer: (1 << open.min(16)).min(self.wanted.longest.max(1)),
            look,
        })
    }

    /// Takes how the trial that was asked for was judged. Loads that are none of the search's are not counted.
    pub fn tried(&mut self, load: f64, judged: &Judged) {
        self.trials = self.trials.saturating_add(1);
        if let Some(at) = self.loads.iter().position(|known| *known == load) {
            self.last = Some(at);
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
            (lower, _) => Ended::Undecided(self.doubts(lower)),
        }
    }

    fn doubts(&self, lower: Option<usize>) -> Vec<String> {
        let mut doubts = self.bounds.doubts().to_vec();
        doubts.extend(lower.map(|lower| {
            format!(
                "Nothing was missed up to {}, and nothing larger was decided; allow more time or more trials.",
                self.loads[lower]
            )
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

    /// How far the next load is from the last, where so many were tried and all on one side.
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

    /// The load that was tried last, where that said nothing and a longer trial may.
    fn again(&self) -> Option<usize> {
        let last = self.last?;
        let is_below = self.bounds.upper().is_none_or(|upper| last < upper);
        let is_above = self.bounds.lower().is_none_or(|lower| lower < last);
        (is_below && is_above && self.bounds.may_try_again(last)).then_some(last)
    }

    /// A load that was never tried and would bring the bounds closer together.
    fn narrowing(&self) -> Option<usize> {
        let is_open = |at: &usize| self.bounds.said(*at).trials() > 0;
        let (lower, upper) = (self.bounds.lower(), self.bounds.upper());
        let wall = self.bounds.wall();
        let top = upper.or(wall);
        let inside = lower.map_or(0, |lower| lower + 1)..top.unwrap_or(self.loads.len());
        let lowest = inside.clone().find(is_open);
        let highest = inside.clone().rev().find(is_open);
        let tried = (0..self.loads.len()).filter(is_open).count();
        match (lower, top) {
            (Some(lower), Some(top)) => {
                let coarse = match upper {
                    Some(_) => 1,
                    None => self.apart(1.0 + BESIDE),
                };
                let below = (lower, lowest.unwrap_or(top));
                let above = (highest.unwrap_or(top), top);
                let width = |gap: (usize, usize)| gap.1 - gap.0;
                let wider = if width(above) > width(below) {
                    above
                } else {
                    below
                };
                (width(wider) > coarse).then(|| wider.0 + width(wider) / 2)
            }
            (None, Some(top)) => {
                let from = lowest.unwrap_or(top);
                (from > 0).then(|| from.saturating_sub(self.stride(tried)))
            }
            (_, None) if tried == 0 => Some(self.first()),
            (_, None) => {
                let from = highest.max(lower).unwrap_or(0);
                match from < self.hardest() {
                    true => Some((from + self.stride(tried)).min(self.hardest())),
                    // Nothing tripped, and at the end nothing was said: what is easier may pass.
                    false if lower.is_none() => {
                        let lowest = lowest.filter(|lowest| *lowest > 0)?;
                        Some(lowest.saturating_sub(self.stride(tried)))
                    }
                    false => None,
                }
            }
        }
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
