//! The document of a search.

use std::collections::BTreeMap;

use blis_sim::analysis;
use blis_sim::explain::QuantileExplained;
use blis_sim::number::count;
use blis_sim::result::{
    AnswerResult, CEILING_SCHEMA, CeilingEnd, CeilingResult, LIVE, LoadResult, PredictedResult,
    PredictionResult, RemedyResult, Run, SIMULATED, SignalResult, TierResult, TiersResult,
    TrialResult, VariedResult,
};
use blis_sim::search::{AtLeast, Ended, Found};
use blis_sim::verdict::{Standing, Status};

use super::own::Own;
use super::tiers::OfTiers;
use super::unit::Unit;
use super::varied::{Parameter, Varied};
use crate::exit::Failure;
use crate::provenance::identity;
use crate::report::messages::is_judged;
use crate::report::number::{of_objective, percent};
use crate::workload::Workload;

/// What is known of a trial beside how it was judged.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The result of its run.
    pub run: Run,
    /// The spec at its load, as it was run.
    pub spec: String,
    /// What the model says of it, beside a live one.
    pub predicted: Option<PredictedResult>,
    /// What else may have made its load heavier than it is, in sentences.
    pub disturbed_by: Vec<String>,
}

/// What a search was about.
#[derive(Debug)]
pub struct About<'a, P> {
    /// What was varied.
    pub varied: &'a Varied<P>,
    /// The workload as it is written.
    pub workload: &'a Workload<P>,
    /// Whether the trials were live.
    pub live: bool,
    /// Whether a precision was wanted.
    pub with_precision: bool,
    /// What a simulation of the same spec predicted.
    pub prediction: Option<PredictionResult>,
    /// What was found for each of several limits.
    pub tiers: Option<OfTiers>,
    /// Where the time of slow requests goes at the answer.
    pub slow: Option<QuantileExplained>,
    /// What would raise the ceiling.
    pub remedies: Vec<RemedyResult>,
    /// Why none was simulated, in a sentence.
    pub no_remedies: Option<String>,
}

/// The document of what a search found, with what was tried, in the order of its trials.
///
/// # Errors
/// Those of [`Varied::model_at`], at the answer.
pub fn document<P: PartialEq>(
    about: &About<'_, P>,
    found: &Found,
    tried: &[Tried],
) -> Result<CeilingResult, Failure> {
    let trials = found.trials.iter().zip(tried);
    let mut trials: Vec<TrialResult> = trials
        .map(|(trial, tried)| TrialResult {
            predicted: tried.predicted.clone(),
            ..TrialResult::of(trial, &tried.run)
        })
        .collect();
    if let Some(OfTiers { tiers, .. }) = &about.tiers {
        // The answer is that of the loosest limit, and so is what stands in its way.
        for trial in &mut trials {
            trial.signals.retain(|signal| !tiers.is_stricter(signal));
        }
    }
    let run_at = |load: f64| TrialResult::at(&trials, load).map(|at| &tried[at].run);
    let answer_load = found.ended.load();
    let answer = answer_load
        .map(|load| answer(about, found, (load, run_at(load)), &trials))
        .transpose()?;
    let limit_at = found.upper.and_then(|load| Some((load, run_at(load)?)));
    let unit = about.varied.unit();
    let bottleneck = answer_load
        .and_then(run_at)
        .or(limit_at.map(|(_, run)| run))
        .and_then(|run| run.bottleneck.clone());
    let tiers = about.tiers.as_ref();
    let tiers = tiers.map(|tiers| tiers_of(tiers, run_at));
    let workload = about.workload;
    Ok(CeilingResult {
        schema: CEILING_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: if about.live { LIVE } else { SIMULATED }.to_owned(),
        spec: identity(workload),
        seed: workload.model.seed,
        configuration: workload.configuration.clone(),
        varied: VariedResult {
            parameter: about.varied.name().to_owned(),
            unit: unit.name().to_owned(),
            written: about.varied.written(),
            at: about.varied.fixed().map(|(own, value)| LoadResult {
                parameter: own.name().to_owned(),
                value,
            }),
        },
        searched: about.with_precision,
        ended: end(&found.ended),
        interrupted: found.interrupted,
        lower: found.lower.filter(|_| answer.is_none()),
        upper: found.upper.filter(|_| answer.is_none()),
        answer,
        next_limit: next_limit(found, &trials, limit_at, unit),
        trials,
        bottleneck,
        prediction: about.prediction.clone(),
        tiers,
        slow: about.slow.clone(),
        remedies: about.remedies.clone(),
        no_remedies: about.no_remedies.clone(),
    })
}

/// The ceilings of several limits.
fn tiers_of<'a>(tiers: &OfTiers, run_at: impl Fn(f64) -> Option<&'a Run>) -> TiersResult {
    let pairs = tiers.tiers.limits().iter().zip(&tiers.found);
    let limits: Vec<TierResult> = pairs
        .map(|(limit, tier)| {
            let value = tier.ended.load();
            TierResult {
                limit_ms: limit.as_millis_f64(),
                ended: end(&tier.ended),
                value,
                value_ci95: tier.ended.ceiling().and_then(|ceiling| ceiling.interval),
                max_rps: value.and_then(&run_at).and_then(|run| run.throughput_rps),
            }
        })
        .collect();
    let logarithms = limits.iter().map(|tier| tier.max_rps.map(f64::ln));
    let sum: Option<f64> = logarithms.sum();
    let all = limits.len() == tiers.tiers.limits().len()
        && limits.iter().all(|tier| tier.ended == CeilingEnd::Ceiling);
    TiersResult {
        objective: tiers.tiers.objective(),
        geometric_mean_rps: sum
            .filter(|_| all)
            .map(|sum| (sum / limits.len() as f64).exp()),
        limits,
    }
}

fn end(ended: &Ended) -> CeilingEnd {
    match ended {
        Ended::Ceiling(_) => CeilingEnd::Ceiling,
        Ended::AtLeast(_, AtLeast::EndOfRange) => CeilingEnd::EndOfRange,
        Ended::AtLeast(_, AtLeast::GeneratorLimited(_)) => CeilingEnd::GeneratorLimited,
        Ended::AtLeast(_, AtLeast::Undecided(_)) => CeilingEnd::Undecided,
        Ended::NonePassed => CeilingEnd::NonePassed,
        Ended::Undecided(_) => CeilingEnd::Undecided,
    }
}

fn answer<P: PartialEq>(
    about: &About<'_, P>,
    found: &Found,
    (load, run): (f64, Option<&Run>),
    trials: &[TrialResult],
) -> Result<AnswerResult, Failure> {
    let varied = about.varied;
    let ceiling = found.ended.ceiling();
    let max_rps = run.and_then(|run| run.throughput_rps);
    let value_ci95 = ceiling.and_then(|ceiling| ceiling.interval);
    let spec = varied.spec_at(load)?;
    let own = match varied.parameter() {
        Parameter::Own(own) => Some(*own),
        Parameter::Key(_) => None,
    };
    // Goodput goes with the load where that is a rate, and elsewhere as the trials say; a single run has its own interval.
    let max_rps_ci95 = match (own, value_ci95, max_rps) {
        (Some(Own::Rate), Some(interval), Some(rps)) => Some(interval.map(|end| end / load * rps)),
        (Some(Own::Concurrency), Some(interval), Some(rps)) => {
            let [one, other] = interval.map(|end| throughput_at(trials, end).unwrap_or(rps));
            Some([one.min(other).min(rps), one.max(other).max(rps)])
        }
        // How well the throughput of one trial is known says nothing of how far the load could go.
        (Some(_), ..) => None,
        (None, ..) => run.and_then(|run| run.throughput_rps_ci95),
    };
    let (mean_rps, peak_rps) = match own {
        Some(Own::Rate) => {
            let (mean, peak) = analysis::open_requests(&varied.model_at(load)?);
            (Some(mean), peak)
        }
        _ => (None, None),
    };
    let users = own.map_or_else(Vec::new, |own| own.users(&spec));
    let bounds = [found.lower.or(Some(load)), found.upper];
    let [lower, upper] = match bounds {
        [Some(lower), Some(upper)] if lower > upper => [Some(upper), Some(lower)],
        bounds => bounds,
    };
    Ok(AnswerResult {
        parameter: varied.name().to_owned(),
        value: load,
        unit: varied.unit().name().to_owned(),
        value_ci95,
        max_rps,
        max_rps_ci95,
        lower,
        upper,
        cliff: ceiling.and_then(|ceiling| ceiling.cliff),
        precise: ceiling
            .filter(|_| about.with_precision)
            .map(|ceiling| ceiling.precise),
        factor: (own == Some(Own::Rate))
            .then(|| varied.written())
            .flatten()
            .map(|written| load / written),
        mean_rps,
        peak_rps,
        users: users.into_iter().collect::<BTreeMap<_, _>>(),
        growing: run.map_or_else(BTreeMap::new, growing),
    })
}

/// The consumers whose backlog grew while no objective judges it, and how fast.
fn growing(run: &Run) -> BTreeMap<String, f64> {
    let consumers = run.streams.iter().flat_map(|(stream, of)| {
        let consumers = of.consumers.iter();
        consumers.map(move |(name, consumer)| (format!("{stream}/{name}"), consumer))
    });
    consumers
        .filter(|(name, consumer)| consumer.backlog_grows == Some(true) && !is_judged(run, name))
        .filter_map(|(name, consumer)| Some((name, consumer.backlog_slope_per_s?)))
        .collect()
}

/// Requests answered per second at a load, on the line between the trials beside it; at the nearest one where it lies beyond
/// all of them.
fn throughput_at(trials: &[TrialResult], load: f64) -> Option<f64> {
    let known = || {
        trials
            .iter()
            .filter_map(|trial| Some((trial.load, trial.throughput_rps?)))
    };
    let nearest = |side: &dyn Fn(f64) -> bool| {
        let of_side = known().filter(|(at, _)| side(*at));
        of_side.min_by(|one, other| (one.0 - load).abs().total_cmp(&(other.0 - load).abs()))
    };
    let below = nearest(&|at| at <= load);
    let above = nearest(&|at| at >= load);
    match (below, above) {
        (Some((from, low)), Some((to, high))) if to > from => {
            Some(low + (high - low) * (load - from) / (to - from))
        }
        (one, other) => one.or(other).map(|(_, rps)| rps),
    }
}

/// Why no more: at the upper bound, or where there is none, why there is none.
fn next_limit(
    found: &Found,
    trials: &[TrialResult],
    limit_at: Option<(f64, &Run)>,
    unit: Unit,
) -> Vec<String> {
    match (&found.ended, limit_at) {
        (Ended::Undecided(why) | Ended::AtLeast(_, AtLeast::Undecided(why)), _) => why.clone(),
        (_, Some((load, run))) => {
            let trial = TrialResult::at(trials, load).map(|at| &trials[at]);
            let mut limits = missed(trial, unit, load);
            limits.extend(busiest(run));
            limits
        }
        (Ended::AtLeast(_, AtLeast::GeneratorLimited(why)), None) => why.clone(),
        // No load beyond it was run along the same paths: what comes the nearest to its limit is the next.
        (Ended::Ceiling(ceiling), None) => at_the_limit(trials, ceiling.load),
        (Ended::AtLeast(_, AtLeast::EndOfRange) | Ended::NonePassed, None) => Vec::new(),
    }
}

/// What comes the nearest to its limit at a load, and what is busy there.
fn at_the_limit(trials: &[TrialResult], load: f64) -> Vec<String> {
    let Some(at) = TrialResult::at(trials, load) else {
        return Vec::new();
    };
    let trial = &trials[at];
    let nearest = trial
        .tightest()
        .map(|signal| figure(signal, "against an objective of"));
    nearest.into_iter().collect()
}

/// The objectives that a trial missed, each in a few words; its reasons where no single one is over its limit.
fn missed(trial: Option<&TrialResult>, unit: Unit, load: f64) -> Vec<String> {
    let Some(trial) = trial else {
        return Vec::new();
    };
    let over = trial
        .signals
        .iter()
        .filter(|signal| signal.standing == Standing::Over);
    let mut missed: Vec<String> = over.map(|signal| figure(signal, ">")).collect();
    if missed.is_empty() {
        missed.clone_from(&trial.reasons);
    }
    if let Some(last) = missed.last_mut() {
        last.push_str(&format!(" at {}", unit.shown(load)));
    }
    missed
}

/// `p99 of order 251 ms > 250 ms`.
pub fn figure(signal: &SignalResult, sign: &str) -> String {
    let of = match signal.of.strip_prefix("Action ") {
        Some(action) => action,
        None => &signal.of,
    };
    let of = format!("{} of {of}", signal.name);
    let shown = |value: f64| of_objective(&signal.name, value);
    match (signal.measured, signal.failed) {
        // The quantile of answered requests says nothing about an objective that failures count against.
        (_, Some(failed)) if failed > 0 && signal.slow.is_some() => format!(
            "{of}: {} of {} failed or exceeded {}",
            count(failed + signal.slow.unwrap_or(0)),
            count(signal.samples),
            shown(signal.limit)
        ),
        (Some(measured), _) => format!("{of} {} {sign} {}", shown(measured), shown(signal.limit)),
        (None, _) => format!("{of} not measured, objective {}", shown(signal.limit)),
    }
}

/// The service whose workers are the busiest, if they are nearly always so.
fn busiest(run: &Run) -> Option<String> {
    let services = run.services.iter();
    let busy = services.filter_map(|(name, service)| Some((name, service.utilisation?)));
    let (name, most) = busy.max_by(|one, other| one.1.total_cmp(&other.1))?;
    (most >= 0.5).then(|| format!("service {name} {} busy", percent(most)))
}

/// The status that a search is known by: of its answer, or of what kept it from one.
pub fn status(found: &CeilingResult) -> Status {
    match found.ended {
        CeilingEnd::Ceiling | CeilingEnd::EndOfRange => Status::Pass,
        CeilingEnd::NonePassed => Status::Trip,
        CeilingEnd::GeneratorLimited | CeilingEnd::Undecided => Status::Inconclusive,
    }
}
