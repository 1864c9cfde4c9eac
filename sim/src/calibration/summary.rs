//! What of a run a fit looks at: logarithms of the mean and of quantiles of its response times.
//!
//! Both worlds are summed up by the same rule, which is decided by what was measured: as many quantiles as the run tells. Requests that
//! were given up, or were still open at the end, took longer than anything that was answered; they count as that and have no mean.
//! Requests that failed otherwise are no response times at all.

use crate::event::Outcome;
use crate::time::Span;

/// The quantiles that are looked at where a run tells them: of few actions, of several, and of many.
const QUANTILES: [&[f64]; 3] = [
    &[0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99],
    &[0.25, 0.5, 0.95],
    &[0.5, 0.95],
];
/// Up to this many actions are few, and up to this many several.
const FEW: usize = 2;
const SEVERAL: usize = 6;
/// More actions than these are not looked at.
pub const MOST_ACTIONS: usize = 16;
/// This many requests lie on either side of a quantile that a run tells.
const BESIDE: f64 = 20.0;
/// The fewest answered requests that say anything of a load.
pub const FEWEST: u64 = 200;
/// The logarithm of what a simulation took in which nothing was answered: far beyond any response time.
const NOTHING: f64 = 40.0;

/// The requests of an action within the window of a run.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Response times of what was answered, in nanoseconds.
    answered: Vec<u64>,
    /// Given up, or open at the end.
    censored: u64,
}

impl Observed {
    /// Counts a request.
    pub fn add(&mut self, outcome: Outcome, response: Span) {
        match outcome {
            Outcome::Ok => self.answered.push(response.as_nanos()),
            Outcome::TimedOut | Outcome::Unresolved => self.censored += 1,
            // No response times at all.
            Outcome::AppError | Outcome::Rejected | Outcome::TransportError | Outcome::Dropped => {}
        }
    }

    /// Requests that were answered.
    pub fn answered(&self) -> u64 {
        self.answered.len() as u64
    }

    /// What is looked at of an action of a run that has measured this, where this many actions are looked at; `None` where it has
    /// measured too little.
    pub fn looks(&self, actions: usize) -> Option<Looks> {
        if self.answered() < FEWEST {
            return None;
        }
        let all = self.all();
        let answered = self.answered.len() as f64;
        let tells = |quantile: &f64| {
            let below = quantile * all;
            below >= BESIDE && answered - below >= BESIDE
        };
        let quantiles = QUANTILES[usize::from(actions > FEW) + usize::from(actions > SEVERAL)];
        let looks = Looks {
            quantiles: quantiles.iter().copied().filter(tells).collect(),
            mean: self.censored == 0,
        };
        (looks.count() > 0).then_some(looks)
    }

    /// Answered and censored.
    fn all(&self) -> f64 {
        self.answered.len() as f64 + self.censored as f64
    }

    /// Sums it up by these looks.
    pub fn summary(&mut self, looks: &Looks, into: &mut Vec<f64>) {
        let all = self.all();
        let answered = &mut self.answered;
        answered.sort_unstable();
        let of_rank = |rank: f64| {
            let at = (rank.ceil() as usize).max(1) - 1;
            let nanos = answered.get(at).or(answered.last());
            nanos.map_or(NOTHING, |nanos| libm::log((*nanos).max(1) as f64))
        };
        into.extend(
            looks
                .quantiles
                .iter()
                .map(|quantile| of_rank(quantile * all)),
        );
        if looks.mean {
            let sum: f64 = answered.iter().map(|nanos| *nanos as f64).sum();
            into.push(match answered.is_empty() {
                true => NOTHING,
                false => libm::log((sum / answered.len() as f64).max(1.0)),
            });
        }
    }
}

/// What is looked at of the requests of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Looks {
    /// Which quantiles.
    pub quantiles: Vec<f64>,
    /// Whether the mean too.
    pub mean: bool,
}

impl Looks {
    /// How many numbers they are.
    pub fn count(&self) -> usize {
        self.quantiles.len() + usize::from(self.mean)
    }

    /// What each of them is, in the order of a summary: a quantile, such as `p95`, or `mean`.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let quantiles = self.quantiles.iter();
        let quantiles = quantiles.map(|quantile| format!("p{}", (quantile * 1e3).round() / 10.0));
        quantiles.chain(self.mean.then(|| "mean".to_owned()))
    }
}
