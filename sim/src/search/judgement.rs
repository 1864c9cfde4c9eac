//! How a trial is judged: more strictly than a run, both ways.
//!
//! A run is judged by its figures as they are. A search acts on what it is told, so a trial has to be surer. It is a TRIP
//! where this many exceedances could not come from a system at the limit, a PASS where so few could not come from one over
//! it, and otherwise open: the trial goes on. "Could not" is an exact binomial test on the number of independent requests
//! that these are [worth](Effective), wrong in at most [`ALPHA`] of all trials however often one is looked at. It is a PASS
//! too where the quantile of each part is so [far below](crate::statistics::clearly_below) the limit that the number over it does not matter, which is
//! wrong as often as stated there.
//! Whatever of a verdict is no matter of chance is that of [`verdict::judge`](crate::verdict::judge).

use crate::search::{Judged, Share};
use crate::statistics::{Effective, binomial_tail};
use crate::verdict::{
    Counted, Evidence, Measured, Parts, Signal, Standing, Status, Weighed, judge_by, open_sentence,
    sentence,
};

/// How often a trial of a system at its limit may be judged wrongly, over all looks at it and to both sides.
pub const ALPHA: f64 = 0.05;
/// Which look at a trial it is. Each is at about twice as many requests as the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look(u32);

impl Look {
    /// The first.
    pub const FIRST: Look = Look(1);

    /// The one after.
    pub fn next(self) -> Look {
        Look(self.0.saturating_add(1))
    }

    /// What a decision to one side may be wrong by: half of α / (k (k + 1)), which is α over all k and both sides.
    fn alpha(self) -> f64 {
        let k = f64::from(self.0);
        ALPHA / (k * (k + 1.0)) / 2.0
    }
}

/// Judges a trial by its evidence and the parts of its objectives, which are in the order of the evidence's signals: those
/// that are not judged by counts come last and have none.
pub fn judged(evidence: &Evidence, parts: &[Parts], look: Look) -> Judged {
    let evidence = &evidence.clone().in_parts(parts);
    let tests: Vec<Option<Test>> = tests(evidence, parts, look).collect();
    let lagged = evidence.generator_lagged;
    let judgement = judge_by(evidence, |at, signal| match &tests[at] {
        Some(test) => test.weighed(signal, lagged),
        None => Weighed::by_figures(signal, lagged),
    });
    let pairs = evidence.signals.iter().zip(&tests);
    let shares = pairs.filter_map(|(signal, test)| Some(test.as_ref()?.share_of(signal)));
    Judged {
        status: judgement.verdict.status,
        reasons: judgement.verdict.reasons,
        more_needed: judgement.verdict.more_needed,
        generator_limits: judgement.generator,
        shares: shares.collect(),
    }
}

/// The class of a running trial that its rest cannot change any more, given how many requests are still to come at most;
/// `None` while it can. An objective that is not judged by counts may change to the end.
pub fn settled(evidence: &Evidence, parts: &[Parts], look: Look, to_come: u64) -> Option<Status> {
    let tests: Vec<Option<Test>> = tests(evidence, parts, look).collect();
    let standings = |all_over: bool| -> Vec<Option<Standing>> {
        let pairs = evidence.signals.iter().zip(&tests);
        let standing = pairs.map(|(signal, test)| {
            let test = test.as_ref()?.with(signal, to_come, all_over);
            Some(test.standing(signal, evidence.generator_lagged))
        });
        standing.collect()
    };
    if evidence.signals.is_empty() {
        return None;
    }
    let (best, worst) = (standings(false), standings(true));
    let all = |of: &[Option<Standing>], wanted: Standing| {
        of.iter().all(|standing| *standing == Some(wanted))
    };
    let is_over = |standing: &Option<Standing>| *standing == Some(Standing::Over);
    if best.iter().any(is_over) {
        return Some(Status::Trip);
    }
    if all(&worst, Standing::Within) {
        return Some(Status::Pass);
    }
    let none_is_open = evidence
        .signals
        .iter()
        .zip(&tests)
        .all(|(_, test)| test.is_some());
    let cannot_pass = none_is_open && !all(&best, Standing::Within);
    (cannot_pass && !worst.iter().any(is_over)).then_some(Status::Inconclusive)
}

/// By signal, the test of what is counted against it; `None` for what is not.
fn tests<'a>(
    evidence: &'a Evidence,
    parts: &'a [Parts],
    look: Look,
) -> impl Iterator<Item = Option<Test>> {
    let signals = evidence.signals.iter().enumerate();
    signals.map(move |(at, signal)| {
        let counted = signal.counted()?;
        let parts = parts.get(at);
        let worth = parts.and_then(Parts::worth);
        // Who failed has no response time.
        let quantile = parts
            .and_then(|of| of.quantile.as_ref())
            .filter(|_| counted.failed.unwrap_or(0) == 0);
        Some(Test {
            far: quantile.map(|of| of.is_clearly_within(look.alpha())),
            samples: counted.samples,
            over: counted.over(),
            without_lag: without_lag(signal, &counted),
            counted,
            worth,
            alpha: look.alpha(),
        })
    })
}

/// How many would have been over the limit if the generator had not lagged.
fn without_lag(signal: &Signal, counted: &Counted) -> u64 {
    match signal.measured {
        Measured::Quantile(requests) => counted.failed.unwrap_or(0) + requests.service_over,
        _ => counted.over(),
    }
}

/// On which side of the limit a system is that this many of this many come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Over,
    Within,
    Open,
}

/// A test of what was counted against an objective.
#[derive(Debug, Clone)]
struct Test {
    counted: Counted,
    samples: u64,
    over: u64,
    without_lag: u64,
    worth: Option<Effective>,
    /// Whether the quantile is clearly below its limit; `None` where no rest of a trial can make it so.
    far: Option<bool>,
    alpha: f64,
}

impl Test {
    /// With this many more of which none, or all, are over the limit. Where several come of each request, as many more do.
    fn with(&self, signal: &Signal, requests: u64, all_over: bool) -> Test {
        let of_each = signal
            .requests
            .map_or(1, |from| self.samples.div_ceil(from.max(1)));
        let more = requests.saturating_mul(of_each);
        let over = if all_over { more } else { 0 };
        Test {
            samples: self.samples.saturating_add(more),
            over: self.over.saturating_add(over),
            without_lag: self.without_lag.saturating_add(over),
            // What is still to come in time may make it clear, and what is not may make it unclear.
            far: self.far.map(|_| !all_over),
            ..self.clone()
        }
    }

    fn side_of(&self, samples: u64, over: u64) -> Side {
        let allowed = self.counted.share;
        let share = over as f64 / samples.max(1) as f64;
        // Chance has no part in what may never happen, or always.
        match allowed {
            _ if samples == 0 => return Side::Open,
            allowed if allowed <= 0.0 && over > 0 => return Side::Over,
            allowed if allowed <= 0.0 || allowed >= 1.0 => return Side::Within,
            _ => {}
        }
        let worth = |of: Effective| of.number_at(samples, 1.0 - self.alpha);
        let number = self.worth.map_or(1.0, worth);
        let hits = share * number;
        if share > allowed && binomial_tail(number, hits, allowed) <= self.alpha {
            Side::Over
        } else if share < allowed && 1.0 - binomial_tail(number, hits + 1.0, allowed) <= self.alpha
        {
            Side::Within
        } else {
            Side::Open
        }
    }

    fn side(&self) -> Side {
        let allowed = self.counted.share * self.samples as f64;
        match self.far {
            // With more over the limit than may be, the quantile is above it.
            Some(true) if self.over as f64 <= allowed => Side::Within,
            _ => self.side_of(self.samples, self.over),
        }
    }

    fn standing(&self, signal: &Signal, generator_lagged: bool) -> Standing {
        match self.side() {
            Side::Over if generator_lagged && self.over > self.without_lag => {
                match self.side_of(self.samples, self.without_lag) {
                    Side::Over => Standing::Over,
                    _ => Standing::GeneratorLimited,
                }
            }
            Side::Over => Standing::Over,
            Side::Within if !signal.is_of_few() => Standing::Within,
            Side::Within | Side::Open => Standing::TooFew,
        }
    }

    fn weighed(&self, signal: &Signal, generator_lagged: bool) -> Weighed {
        // That nothing at all was answered is no matter of chance.
        if signal.is_unanswered() {
            return Weighed::by_figures(signal, generator_lagged);
        }
        let standing = self.standing(signal, generator_lagged);
        let is_open = standing == Standing::TooFew && self.side() == Side::Open;
        let more_needed = match is_open {
            true => self.more_needed(),
            false => signal.more_needed(),
        };
        Weighed {
            standing,
            sentence: match is_open {
                true => open_sentence(signal, &self.counted, self.number(), more_needed),
                false => sentence(signal, standing),
            },
            more_needed,
        }
    }

    /// How many more it would probably take, with the same share of them over the limit; `None` where that is at the limit.
    fn more_needed(&self) -> Option<u64> {
        let share = self.over as f64 / self.samples.max(1) as f64;
        let is_decided = |samples: u64| {
            let over = libm::round(share * samples as f64) as u64;
            self.side_of(samples, over) != Side::Open
        };
        self.worth?;
        let mut enough = self.samples.max(1);
        while !is_decided(enough) {
            enough = enough
                .checked_mul(2)
                .filter(|samples| *samples < MOST_NEEDED)?;
        }
        let mut open = enough / 2;
        while enough - open > 1 + open / 100 {
            let middle = open + (enough - open) / 2;
            match is_decided(middle) {
                true => enough = middle,
                false => open = middle,
            }
        }
        Some(enough.saturating_sub(self.samples).max(1))
    }

    fn number(&self) -> Option<f64> {
        self.worth.map(|worth| worth.number(self.samples))
    }

    fn share_of(&self, signal: &Signal) -> Share {
        Share {
            of: signal.of.clone(),
            name: signal.name(),
            samples: self.samples,
            over: self.over,
            allowed: self.counted.share,
            effective: self.number(),
        }
    }
}

/// Nobody waits for this many requests.
const MOST_NEEDED: u64 = 1 << 40;

#[cfg(test)]
mod tests;
