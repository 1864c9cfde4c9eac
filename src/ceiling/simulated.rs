//! The search in the simulated world.

use blis_sim::model::{Model, Path};
use blis_sim::replication::{Halt, Watch};
use blis_sim::runner::{Runner, Simulated};
use blis_sim::search::length::Given;
use blis_sim::search::roots::Wanted;
use blis_sim::search::simulated::{Failed, Plan, Reached, search, search_tiers};
use blis_sim::search::{Axis, Direction, Found, Judged, Trial};
use blis_sim::search::{Counts, Eyes};
use blis_sim::spec::units::Duration;
use blis_sim::time::Span;
use blis_sim::verdict::{Signal, Status, evidence};

use super::document::Tried;
use super::own::Own;
use super::plan::Sought;
use super::steps::bound;
use super::tiers::{OfTiers, Tiers};
use super::varied::{Parameter, Varied};
use crate::cli::TrialArgs;
use crate::exit::Failure;
use crate::memory;
use crate::provenance::run_text;
use crate::simulate;

/// The half-width of the answer's interval as a share of it, unless the flags say otherwise.
const PRECISION: f64 = 0.01;
/// Sample paths that share the memory.
const MOST_THREADS: u64 = 16;
/// The most sample paths of a load.
const MOST_PATHS: u64 = 4096;
/// Without a range, whether more of a key helps is seen at this many times its value to either side.
const BESIDE: f64 = 2.0;
/// How long it is looked there.
const LOOK: [Duration; 2] = [Duration(5e9), Duration(20e9)];

/// Searches in the simulated world: what was found, what was tried, and how it went about.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run.
pub fn run(
    varied: &Varied<Path>,
    sought: Sought,
    args: &TrialArgs,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(Reached),
) -> Result<(Found, Vec<Tried>, Plan), Failure> {
    let plan = plan(varied, sought, args, eyes.watch)?;
    let found = search(&|load| varied.model_at(load), plan, eyes, see).map_err(failure)?;
    let tried = documents(varied, &found.trials, |_| ())?;
    Ok((found, tried, plan))
}

/// The same for each of several limits. What is found on the whole is what is for the loosest of them.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run.
pub fn run_tiers(
    varied: &Varied<Path>,
    sought: Sought,
    args: &TrialArgs,
    tiers: Tiers,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(Reached),
) -> Result<(Found, Vec<Tried>, OfTiers), Failure> {
    let plan = plan(varied, sought, args, eyes.watch)?;
    let model_at = |load: f64| {
        let mut model = varied.model_at(load)?;
        tiers.put(&mut model);
        Ok(model)
    };
    let limits = tiers.limits().iter();
    let choices: Vec<_> = limits
        .map(|limit| |signal: &Signal| tiers.counts(*limit, signal))
        .collect();
    let counts: Vec<Counts<'_>> = choices.iter().map(|choice| choice as Counts<'_>).collect();
    let all = search_tiers(&model_at, plan, &counts, eyes, see).map_err(failure)?;
    let tried = documents(varied, &all.trials, |model| tiers.put(model))?;
    // A search has a first tier, whatever stops it.
    let Some(loosest) = all.tiers.last().cloned() else {
        return Err(Failure::Usage("--tiers has no limit; give one".to_owned()));
    };
    let found = loosest.found(all.trials, all.interrupted);
    let of_tiers = OfTiers {
        tiers: tiers.clone(),
        found: all.tiers,
    };
    Ok((found, tried, of_tiers))
}

/// The result document of each trial, of a model with these objectives.
pub(super) fn documents(
    varied: &Varied<Path>,
    trials: &[Trial],
    put: impl Fn(&mut Model),
) -> Result<Vec<Tried>, Failure> {
    let tried = trials.iter().map(|trial| {
        let measure = &trial.ran.measure;
        let hold = measure.measured().as_nanos() as f64 / trial.paths.max(1) as f64;
        let warmup = measure.warmup().as_nanos() as f64;
        let mut spec = varied.spec_at(trial.load)?;
        bound(&mut spec, Duration(warmup), Duration(hold.round().max(1.0)));
        let mut workload = varied.workload(&spec)?;
        put(&mut workload.model);
        Ok(Tried {
            run: simulate::of_trial(&workload, &trial.ran, trial.paths),
            spec: run_text(&workload),
            predicted: None,
            disturbed_by: Vec::new(),
        })
    });
    tried.collect()
}

/// Why a search has no result.
pub(super) fn failure(why: Failed<Failure>) -> Failure {
    match why {
        Failed::Model(why) => why,
        Failed::Halt(halt) => halt.into(),
    }
}

/// How the search goes about.
pub(super) fn plan(
    varied: &Varied<Path>,
    sought: Sought,
    args: &TrialArgs,
    watch: Watch<'_>,
) -> Result<Plan, Failure> {
    let axis = Axis {
        direction: direction(varied, sought, watch)?,
        whole: sought.whole,
    };
    let span = |time: Option<Duration>| time.map(|time| Span::from_nanos_f64(time.0));
    let is_rate = matches!(varied.parameter(), Parameter::Own(Own::Rate));
    let written = varied.as_written()?;
    Ok(Plan {
        axis,
        wanted: Wanted {
            start: sought.start,
            range: sought.range,
            precision: args.precision.unwrap_or(PRECISION),
            most_paths: MOST_PATHS,
        },
        length: Given {
            hold: span(args.hold),
            longest: span(args.longest_trial),
            warmup: span(args.warmup),
        },
        is_load: !varied.is_key(),
        is_rate,
        threads: simulate::threads(&written.model, args.threads),
    })
}

/// Which way of what is varied is harder. More load is; of a key that is found out.
fn direction(
    varied: &Varied<Path>,
    sought: Sought,
    watch: Watch<'_>,
) -> Result<Direction, Failure> {
    if !varied.is_key() {
        return Ok(Direction::Rising);
    }
    let whole = |load: f64| {
        if sought.whole {
            load.round().max(1.0)
        } else {
            load
        }
    };
    let [low, high] = sought
        .range
        .unwrap_or([whole(sought.start / BESIDE), whole(sought.start * BESIDE)]);
    let (low, high) = (
        hardness(varied, low, watch)?,
        hardness(varied, high, watch)?,
    );
    Ok(match low > high {
        true => Direction::Falling,
        false => Direction::Rising,
    })
}

/// How hard a load is, to be compared with that of another: whether it misses its objectives, by how much of what may be over
/// their limits is, and the mean response time.
fn hardness(varied: &Varied<Path>, load: f64, watch: Watch<'_>) -> Result<(u8, f64, f64), Failure> {
    let mut spec = varied.spec_at(load)?;
    bound(&mut spec, LOOK[0], LOOK[1]);
    let model = varied.workload(&spec)?.model;
    let ran = match Simulated::new(watch.most_present).run(&model, watch.stop) {
        Ok(ran) => ran,
        // What does not fit into memory is the hardest.
        Err(Halt::Overgrown(_)) => return Ok((2, f64::INFINITY, f64::INFINITY)),
        Err(halt) => return Err(halt.into()),
    };
    let evidence = evidence(&model, &ran.measure, false, &ran.evidence).unwrap_or_default();
    let judged = Judged::plainly(&evidence);
    let latency = ran.measure.total().window.latencies;
    Ok((
        u8::from(judged.status == Status::Trip),
        judged.strain(),
        latency.response().mean_nanos().unwrap_or(0.0),
    ))
}

/// What is looked at while a search goes on.
pub fn eyes<'a>(
    stop: &'a (dyn Fn() -> bool + Sync),
    time_is_up: &'a (dyn Fn() -> bool + Sync),
) -> Eyes<'a> {
    Eyes {
        watch: Watch {
            stop,
            most_present: memory::most_requests() / MOST_THREADS,
        },
        time_is_up,
    }
}
