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
use super::names::{ALL, FIGURES};
use super::notes::{notes, reservations};
use super::pairs::pair;
use super::shares::{effect, ended, share, shares};
use super::sides::{Compared, Sides, part};
use super::tolerance::Tolerances;
use crate::dist::special_functions::normal_cdf;
use crate::event::Outcome;
use crate::result::{LIVE, Run};
use crate::statistics::LEVEL;

/// How probable it is at most that any difference is called more than chance where there is none.
pub const ALPHA: f64 = 0.05;
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
