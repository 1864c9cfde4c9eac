//! The parts of a run, by which it is known how much its requests say: its batches, its replications, or the sample paths of a
//! trial.
//!
//! Requests of a busy system come in bursts, so that many of them say as much as a few independent ones. How many those are
//! follows from how unlike the parts are ([`Effective`]).

use crate::measure::{Measure, Objective};
use crate::model::{ActionId, QuantileLimit};
use crate::statistics::{Effective, Section, beyond, clearly_below};
use crate::time::Span;
use crate::verdict::{Counts, Limit, Signal, Worth};

/// Shares of the response times that lie over the lower thresholds.
pub(crate) const LOWER: [f64; 3] = [0.05, 0.2, 0.5];
/// A threshold is lower than a limit where at least this many times as many are over it.
pub(crate) const LOWER_BY: f64 = 2.0;

/// The counts against one objective in the parts of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// In each part: how many were judged, and how many of them were over the limit.
    pub at_limit: Vec<Section>,
    /// The same parts at thresholds of the response time that are crossed more often.
    pub lower: Vec<Vec<Section>>,
    /// Whether the parts are successive ones of one run, rather than sample paths of their own.
    pub chained: bool,
    /// Where the limit is one on a quantile of response times and the parts are successive ones: that quantile.
    pub quantile: Option<Quantile>,
}

impl Parts {
    /// None yet, of what are to be independent ones.
    fn of_paths() -> Parts {
        Parts {
            at_limit: Vec::new(),
            lower: Vec::new(),
            chained: false,
            quantile: None,
        }
    }

    /// What each observation is worth; `None` without any.
    pub fn worth(&self) -> Option<Effective> {
        Effective::of(&self.at_limit, &self.lower, self.chained)
    }

    /// What the samples of a signal are worth at either end of a 95 % interval; `None` where the parts do not tell.
    pub(super) fn worth_of(&self, signal: &Signal) -> Option<Worth> {
        let counted = signal.counted()?;
        let worth = match (signal.limit, signal.counts) {
            (Limit::Quantile { .. }, Counts::Requests) => self.worth(),
            // How response times come in bursts says nothing of failures and of deliveries.
            _ => Effective::of(&self.at_limit, &[], self.chained),
        };
        let worth = worth.filter(|worth| counted.samples > 0 && worth.is_told())?;
        let quantile = self.quantile.as_ref();
        let quantile = quantile.filter(|_| counted.failed.unwrap_or(0) == 0);
        Some(Worth {
            independent: worth.number_at(counted.samples, 1.0 - EACH_SIDE),
            is_far: quantile.is_some_and(|of| of.is_clearly_within(EACH_SIDE)),
        })
    }
}

/// How often an end of a 95 % interval may be wrong.
const EACH_SIDE: f64 = 0.025;

/// A quantile of response times that has a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantile {
    /// The limit.
    pub limit: Span,
    /// The quantile of all parts together.
    pub whole: Span,
    /// That of each.
    pub parts: Vec<Span>,
}

impl Quantile {
    /// Fewer response times of a part, and fewer beyond its quantile, say nothing of it.
    const LEAST: u64 = 100;
    const LEAST_BEYOND: f64 = 10.0;

    /// That of an objective in these runs of a load; `None` where it is not on the response times of tries, or a part has too
    /// few of these.
    fn of_runs(whole: &Measure, runs: &[&Measure], of: (ActionId, Objective)) -> Option<Quantile> {
        let QuantileLimit { quantile, limit } = whole.response_limit(of)?;
        let action = of.0;
        let of_runs = runs
            .iter()
            .map(|run| run.action_batch_quantiles(action, quantile));
        let parts = of_runs.collect::<Option<Vec<Vec<(u64, Span)>>>>()?.concat();
        let are_enough = |count: u64| {
            count >= Quantile::LEAST && beyond(count, quantile) >= Quantile::LEAST_BEYOND
        };
        if !parts.iter().all(|(count, _)| are_enough(*count)) {
            return None;
        }
        let cell = whole.action(action);
        Some(Quantile {
            limit,
            whole: cell.window.latencies.response().quantile(quantile)?,
            parts: parts.into_iter().map(|(_, part)| part).collect(),
        })
    }

    /// Whether it is so far below its limit in all parts that the number over it does not matter, wrong with this probability.
    pub(crate) fn is_clearly_within(&self, alpha: f64) -> bool {
        let [limit, whole] = [self.limit, self.whole].map(|span| span.as_nanos() as f64);
        let parts = self.parts.iter().map(|span| span.as_nanos().max(1) as f64);
        clearly_below(limit, whole.max(1.0), &parts.collect::<Vec<f64>>(), alpha)
    }
}

/// The parts of a single run, by objective in the order of the signals of its evidence: its batches so far. Empty where the
/// window was too short for batches.
pub fn parts_of_run(measure: &Measure) -> Vec<Parts> {
    parts_of_runs(measure, &[measure])
}

/// The same of several runs of a load, one after another. `whole` is of all of them together.
pub fn parts_of_runs(whole: &Measure, runs: &[&Measure]) -> Vec<Parts> {
    let mut of_each: Vec<_> = runs
        .iter()
        .map(|run| run.objective_batches().into_iter())
        .collect();
    let parts = whole.objectives().iter().map(|&(action, objective)| {
        let batches = of_each.iter_mut().filter_map(Iterator::next);
        let at_limit: Vec<Section> = batches.flatten().collect();
        let lower = thresholds(whole, action, share_of(&at_limit)).filter_map(|value| {
            let of_runs = runs.iter().map(|run| run.action_batches(action, value));
            let of_runs: Option<Vec<Vec<Section>>> = of_runs.collect();
            of_runs.map(|runs| runs.concat())
        });
        Parts {
            lower: lower.collect(),
            at_limit,
            chained: true,
            quantile: Quantile::of_runs(whole, runs, (action, objective)),
        }
    });
    parts.collect()
}

/// The parts of several replications, of each of which the batches are known by objective.
pub fn parts_of_replications<'a>(each: impl Iterator<Item = &'a [Vec<Section>]>) -> Vec<Parts> {
    let mut parts: Vec<Parts> = Vec::new();
    for of_one in each {
        parts.resize_with(of_one.len(), || Parts {
            chained: true,
            ..Parts::of_paths()
        });
        for (part, batches) in parts.iter_mut().zip(of_one) {
            part.at_limit.extend_from_slice(batches);
        }
    }
    parts
}

/// The parts of a trial along several independent sample paths: each path is one. `whole` is of all of them together.
pub fn parts_of_paths(whole: &Measure, paths: &[&Measure]) -> Vec<Parts> {
    let mut parts = Vec::new();
    paths.iter().for_each(|path| add_path(&mut parts, path));
    for (part, of) in parts.iter_mut().zip(whole.objectives()) {
        let values = thresholds(whole, of.0, share_of(&part.at_limit));
        let over = |value: Span| -> Vec<Section> {
            let of_path = |path: &&Measure| path.responses_over(of.0, value);
            paths.iter().map(of_path).collect()
        };
        part.lower = values.map(over).collect();
    }
    parts
}

/// Adds a sample path to the parts of a trial, which has no lower thresholds as long as it may get more paths.
pub(crate) fn add_path(parts: &mut Vec<Parts>, path: &Measure) {
    let objectives = path.objectives();
    parts.resize_with(objectives.len(), Parts::of_paths);
    for (part, of) in parts.iter_mut().zip(objectives) {
        part.at_limit.push(path.against(*of));
    }
}

/// The share of the observations of these parts that are above the limit.
pub(crate) fn share_of(parts: &[Section]) -> f64 {
    let (above, count) = parts.iter().fold((0, 0), |(above, count), part| {
        (above + part.above, count + part.count)
    });
    above as f64 / count.max(1) as f64
}

/// Response times of an action that more of them lie over than so large a share.
fn thresholds(
    measure: &Measure,
    action: ActionId,
    share: f64,
) -> impl Iterator<Item = Span> + use<> {
    let cell = measure.action(action);
    let shares = LOWER
        .into_iter()
        .filter(move |lower| *lower >= LOWER_BY * share);
    shares.filter_map(move |lower| cell.window.latencies.response().quantile(1.0 - lower))
}
