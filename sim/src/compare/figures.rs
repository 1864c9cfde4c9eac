//! Two sets of runs, figure by figure.

use std::collections::BTreeMap;

use super::blocks::{Blocks, distance};
use super::course::course;
use super::document::{
    COMPARE_SCHEMA, CompareResult, ComparedRun, DistributionResult, FigureResult, GroupResult,
    OutcomeResult, PairsResult, SideResult, ToleranceResult,
};
use super::estimate::Estimate;
use super::gate::{tolerated, verdict};
use super::multiple::mark_together;
use super::notes::{notes, reservations};
use super::pairs::{Requests, pair};
use super::tolerance::Tolerances;
use crate::dist::special::normal_cdf;
use crate::event::Outcome;
use crate::result::{Interval, LIVE, LatencyBlock, RequestCounts, Run};
use crate::statistics::{Interval as Bounds, LEVEL};

/// How probable it is at most that any difference is called more than chance where there is none.
pub const ALPHA: f64 = 0.05;
/// What is compared of each action, as documents and tolerances name it.
pub const FIGURES: [&str; 5] = ["throughput", "mean", "p50", "p95", "p99"];
/// What is tolerated of requests that are not answered `ok`.
pub const ERRORS: &str = "errors";
/// What all requests together are called.
pub(super) const ALL: &str = "all requests";
/// Requests of a kind, both sides together, below which their share is not tested.
const LEAST_TESTED: f64 = 5.0;

/// A run that is compared.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What the user calls it.
    pub name: String,
    /// Its result.
    pub run: Run,
    /// What its record has, by action; `None` where there is none.
    pub record: Option<BTreeMap<String, OfRecord>>,
}

/// What a record has of an action.
#[derive(Debug, Clone)]
pub struct OfRecord {
    /// The response times of answered requests of the window.
    pub blocks: Blocks,
    /// The requests intended within it; `None` where they are too many to be kept.
    pub requests: Option<Requests>,
}

/// Why runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlike {
    /// There is nothing in both.
    #[error(
        "the runs have no action in common: the baseline has {0}, the other side {1}; compare runs of the same workload"
    )]
    NoAction(String, String),
    /// One side is none of one workload.
    #[error(
        "{0} and {1} are on one side but have different actions; give runs of one workload on each side"
    )]
    Mixed(String, String),
    /// One run counts once.
    #[error("{0} and {1} are on one side but are the same run; give each run its own --seed")]
    Copy(String, String),
    /// A run measured nothing.
    #[error("{0} has no request in its window; lengthen the run or shorten the warm-up")]
    Empty(String),
}

/// The two sides.
pub(super) type Sides<'a> = [&'a [Compared]; 2];

/// How `sides`, the baseline first, differ, and how that stands to what is tolerated.
///
/// # Errors
/// Where there is nothing to compare.
pub fn compare(sides: Sides<'_>, tolerances: &Tolerances) -> Result<CompareResult, Unlike> {
    let names = common(sides)?;
    let is_all = sides
        .into_iter()
        .flatten()
        .all(|run| run.run.actions.len() == names.len());
    let mut total = (names.len() > 1 && is_all).then(|| group(sides, None));
    let mut actions: BTreeMap<String, GroupResult> = names
        .into_iter()
        .map(|name| (name.clone(), group(sides, Some(&name))))
        .collect();
    let mut groups: Vec<&mut GroupResult> = total.iter_mut().chain(actions.values_mut()).collect();
    let tests = mark(&mut groups);
    let of_total = total.iter().map(|group| (ALL, group));
    let of_actions = actions.iter().map(|(name, group)| (name.as_str(), group));
    let tolerances: Vec<ToleranceResult> = match tolerances.0.is_empty() {
        true => Vec::new(),
        false => of_total
            .chain(of_actions)
            .flat_map(|(name, group)| tolerated(name, group, tolerances, sides))
            .collect(),
    };
    let reservations = reservations(sides);
    Ok(CompareResult {
        schema: COMPARE_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        level: LEVEL,
        alpha: ALPHA,
        tests: tests as u64,
        baseline: side(sides[0]),
        other: side(sides[1]),
        course: course(sides),
        verdict: verdict(&tolerances, &reservations),
        total,
        actions,
        tolerances,
        reservations,
        notes: notes(sides),
    })
}

/// The actions that all runs have.
fn common(sides: Sides<'_>) -> Result<Vec<String>, Unlike> {
    for side in sides {
        for (nth, run) in side.iter().enumerate() {
            if let Some(same) = side[..nth].iter().find(|one| is_copy(&one.run, &run.run)) {
                return Err(Unlike::Copy(same.name.clone(), run.name.clone()));
            }
            if run.run.window.requests.intended == 0 {
                return Err(Unlike::Empty(run.name.clone()));
            }
            if !run.run.actions.keys().eq(side[0].run.actions.keys()) {
                return Err(Unlike::Mixed(side[0].name.clone(), run.name.clone()));
            }
        }
    }
    let [one, other] = sides.map(|side| {
        let first = side.first().map(|run| run.run.actions.keys().cloned());
        first.into_iter().flatten().collect::<Vec<String>>()
    });
    let both: Vec<String> = one
        .iter()
        .filter(|name| other.contains(name))
        .cloned()
        .collect();
    match both.is_empty() {
        true => Err(Unlike::NoAction(one.join(", "), other.join(", "))),
        false => Ok(both),
    }
}

/// Whether two results are of one and the same run: a simulation of the same spec with the same seed is.
fn is_copy(one: &Run, other: &Run) -> bool {
    let id = |run: &Run| run.record.as_ref().map(|record| record.run.clone());
    let is_same = one.mode != LIVE
        && (&one.mode, &one.spec.resolved_sha256, one.seed)
            == (&other.mode, &other.spec.resolved_sha256, other.seed);
    is_same || (id(one).is_some() && id(one) == id(other))
}

fn side(runs: &[Compared]) -> SideResult {
    let runs = runs.iter().map(|compared| {
        let run = &compared.run;
        ComparedRun {
            name: compared.name.clone(),
            mode: run.mode.clone(),
            spec: run.spec.clone(),
            seed: run.seed,
            ended_by: run.ended_by.clone(),
            measured_s: run.window.measured_s,
            requests: run.window.requests.intended,
            recorded: compared.record.is_some(),
        }
    });
    SideResult {
        runs: runs.collect(),
    }
}

/// What of a run is compared: an action, or all.
fn part<'a>(
    run: &'a Run,
    action: Option<&str>,
) -> Option<(&'a RequestCounts, &'a LatencyBlock, Throughput)> {
    match action {
        None => Some((
            &run.window.requests,
            &run.latency_ms.response,
            (run.throughput_rps, run.throughput_rps_ci95),
        )),
        Some(name) => {
            let action = run.actions.get(name)?;
            Some((
                &action.window_requests,
                &action.latency_ms.response,
                (action.throughput_rps, action.throughput_rps_ci95),
            ))
        }
    }
}

type Throughput = (Option<f64>, Option<[f64; 2]>);

fn group(sides: Sides<'_>, action: Option<&str>) -> GroupResult {
    let figures = FIGURES.map(|name| figure(sides, action, name));
    GroupResult {
        figures: figures.to_vec(),
        outcomes: outcomes(sides, action),
        distribution: distribution(sides, action),
        pairs: pairs(sides, action),
    }
}

/// A figure of a run, with its interval; of all requests where no action is named.
pub fn figure_of(run: &Run, action: Option<&str>, name: &str) -> Option<Estimate> {
    let (_, latency, throughput) = part(run, action)?;
    let (figure, interval) = match name {
        "throughput" => throughput,
        "mean" => (latency.mean, latency.mean_ci95),
        "p50" => (latency.p50, latency.p50_ci95),
        "p95" => (latency.p95, latency.p95_ci95),
        _ => (latency.p99, latency.p99_ci95),
    };
    Some(Estimate::of(figure?, interval, run.intervals.samples))
}

/// That of all runs of a side; `None` where one of them has none.
fn estimate(side: &[Compared], action: Option<&str>, name: &str) -> Option<Estimate> {
    let all = side.iter().map(|run| figure_of(&run.run, action, name));
    Estimate::of_runs(&all.collect::<Option<Vec<Estimate>>>()?)
}

fn figure(sides: Sides<'_>, action: Option<&str>, name: &str) -> FigureResult {
    let [baseline, other] = sides.map(|side| estimate(side, action, name));
    let difference = baseline
        .zip(other)
        .and_then(|(baseline, other)| baseline.difference(&other));
    FigureResult {
        name: name.to_owned(),
        unit: if name == "throughput" { "1/s" } else { "ms" }.to_owned(),
        baseline: baseline.map(|one| one.figure),
        baseline_ci95: baseline.and_then(|one| one.interval()),
        other: other.map(|one| one.figure),
        other_ci95: other.and_then(|one| one.interval()),
        difference: difference.map(|one| one.relative),
        difference_ci95: difference.and_then(|one| one.interval),
        p: difference.and_then(|one| one.p),
        more_than_chance: None,
        absent: match difference.is_some_and(|one| one.interval.is_some()) {
            true => None,
            false => absence(sides, action, name),
        },
    }
}

/// Why a figure has no interval in the first run that gives none, as that says it.
fn absence(sides: Sides<'_>, action: Option<&str>, name: &str) -> Option<String> {
    let place = match name {
        "throughput" => "throughput_rps".to_owned(),
        name => format!("latency_ms.response.{name}"),
    };
    let place = match action {
        None => place,
        Some(action) => format!("actions.{action}.{place}"),
    };
    let mut runs = sides.into_iter().flatten();
    runs.find_map(|run| {
        let why = run.run.intervals.reason(&place)?;
        Some(format!("{}: {why}", run.name))
    })
}

/// How many of a side's requests ended so, and of how many.
pub(super) fn ended(
    side: &[Compared],
    action: Option<&str>,
    which: impl Fn(Outcome) -> bool,
) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for run in side {
        let Some((counts, ..)) = part(&run.run, action) else {
            continue;
        };
        let of_kind = Outcome::ALL.into_iter().filter(|outcome| which(*outcome));
        sums[0] += of_kind
            .map(|outcome| counts.ended(outcome) as f64)
            .sum::<f64>();
        sums[1] += counts.intended as f64;
    }
    sums
}

/// One count as a share of another, 0 of none.
fn share([number, of]: [f64; 2]) -> f64 {
    if of > 0.0 { number / of } else { 0.0 }
}

/// A difference of two shares, and its standard error where both were the same; `None` where too few ended so.
pub(super) fn shares([one, other]: [[f64; 2]; 2], effects: [f64; 2]) -> (f64, Option<f64>) {
    let together = share([one[0] + other[0], one[1] + other[1]]);
    let scarce = (one[0] + other[0]).min(one[1] + other[1] - one[0] - other[0]);
    let each = effects[0] / one[1] + effects[1] / other[1];
    let error = libm::sqrt(together * (1.0 - together) * each);
    let is_told = scarce >= LEAST_TESTED && error.is_finite();
    (share(other) - share(one), is_told.then_some(error))
}

fn outcomes(sides: Sides<'_>, action: Option<&str>) -> Vec<OutcomeResult> {
    let effects = sides.map(effect);
    let all = Outcome::ALL.into_iter().filter_map(|outcome| {
        let counts = sides.map(|side| ended(side, action, |one| one == outcome));
        if counts.iter().all(|[number, _]| *number == 0.0) {
            return None;
        }
        let (difference, error) = shares(counts, effects);
        let error = error.filter(|_| outcome != Outcome::Ok);
        Some(OutcomeResult {
            outcome: outcome.name().to_owned(),
            baseline: share(counts[0]),
            other: share(counts[1]),
            difference,
            p: error.map(|error| chance(difference, error)),
            more_than_chance: None,
        })
    });
    all.collect()
}

/// How probable a difference is that large, to either side.
fn chance(difference: f64, error: f64) -> f64 {
    match difference == 0.0 {
        true => 1.0,
        false => 2.0 * normal_cdf(-difference.abs() / error),
    }
}

/// By what the variance of a share is larger than it would be if requests failed each on its own: failures come together, as in an
/// outage. From the course of the runs, at least 1.
pub(super) fn effect(side: &[Compared]) -> f64 {
    let mut pairs = Vec::new();
    for run in side {
        let from = run.run.window.warmup_s;
        let within = |interval: &&Interval| interval.start_s >= from;
        let failed = |counts: &RequestCounts| {
            let failed = Outcome::ALL.into_iter().filter(|one| *one != Outcome::Ok);
            failed.map(|one| counts.ended(one) as f64).sum::<f64>()
        };
        let course = run.run.series.iter().filter(within);
        pairs.extend(course.map(|interval| {
            let failed = failed(&interval.requests);
            (failed, failed + interval.requests.ok as f64)
        }));
    }
    pairs.retain(|(_, all)| *all > 0.0);
    let sums = pairs.iter().fold([0.0, 0.0], |sums, (failed, all)| {
        [sums[0] + failed, sums[1] + all]
    });
    let share = sums[0] / sums[1];
    let alone = share * (1.0 - share) / sums[1];
    match Bounds::variance_of_ratio(&pairs, true) {
        Some(variance) if alone > 0.0 => (variance / alone).max(1.0),
        _ => 1.0,
    }
}

fn distribution(sides: Sides<'_>, action: Option<&str>) -> Option<DistributionResult> {
    // Where there is one action, its distribution is that of all.
    let action = action?;
    let [one, other] = sides.map(|side| {
        let blocks = side
            .iter()
            .map(|run| Some(&run.record.as_ref()?.get(action)?.blocks));
        blocks.collect::<Option<Vec<&Blocks>>>()
    });
    let found = distance(&one?, &other?)?;
    Some(DistributionResult {
        kolmogorov_smirnov: found.kolmogorov_smirnov,
        wasserstein_ms: found.wasserstein_ns / 1e6,
        p: found.p,
        more_than_chance: None,
    })
}

/// Requests of an action that are in both; of one run each.
fn pairs(sides: Sides<'_>, action: Option<&str>) -> Option<PairsResult> {
    let action = action?;
    let [one, other] = sides.map(|side| match side {
        [run] => run.record.as_ref()?.get(action)?.requests.as_ref(),
        _ => None,
    });
    let found = pair(one?, other?)?;
    let [only_baseline, only_other] = found.only;
    Some(PairsResult {
        pairs: found.pairs,
        only_baseline,
        only_other,
        mean_ms: found.mean / 1e6,
        mean_ms_ci95: found.interval.map(|ends| ends.map(|end| end / 1e6)),
        p: found.p,
        more_than_chance: None,
    })
}

/// Says of every difference that was tested whether it is more than chance. How many that were.
fn mark(groups: &mut [&mut GroupResult]) -> usize {
    let mut tested: Vec<(f64, &mut Option<bool>)> = Vec::new();
    for group in groups {
        let GroupResult {
            figures,
            outcomes,
            distribution,
            pairs,
        } = &mut **group;
        let figures = figures.iter_mut();
        tested.extend(figures.filter_map(|one| Some((one.p?, &mut one.more_than_chance))));
        let outcomes = outcomes.iter_mut();
        tested.extend(outcomes.filter_map(|one| Some((one.p?, &mut one.more_than_chance))));
        let distribution = distribution.iter_mut();
        tested.extend(distribution.filter_map(|one| Some((one.p?, &mut one.more_than_chance))));
        let pairs = pairs.iter_mut();
        tested.extend(pairs.filter_map(|one| Some((one.p?, &mut one.more_than_chance))));
    }
    mark_together(&mut tested, ALPHA)
}
