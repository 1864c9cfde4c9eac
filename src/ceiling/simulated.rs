//! The search in the simulated world.

use blis_sim::model::Path;
use blis_sim::replication::{Halt, Watch};
use blis_sim::runner::{Runner, Simulated};
use blis_sim::search::length::Given;
use blis_sim::search::roots::Wanted;
use blis_sim::search::simulated::{Eyes, Failed, Plan, Reached, search};
use blis_sim::search::{Axis, Direction, Found, Judged};
use blis_sim::spec::units::Duration;
use blis_sim::time::Span;
use blis_sim::verdict::{Status, evidence};

use super::document::Tried;
use super::own::Own;
use super::plan::Sought;
use super::steps::bound;
use super::varied::{Parameter, Varied};
use crate::cli::TrialArgs;
use crate::exit::Failure;
use crate::memory;
use crate::simulate::{self, run_text};

/// The half-width of the answer's interval as a share of it, unless the flags say otherwise.
const PRECISION: f64 = 0.01;
/// Sample paths that share the memory.
const MOST_THREADS: u64 = 16;
/// The most sample paths of a load.
const MOST_PATHS: u64 = 4096;
/// Without a range, whether more of a key helps is seen at so many times its value to either side.
const BESIDE: f64 = 2.0;
/// How long it is looked there.
const LOOK: [Duration; 2] = [Duration(5e9), Duration(20e9)];

/// Searches in the simulated world: what was found, and what was tried.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run.
pub fn run(
    varied: &Varied<Path>,
    sought: Sought,
    args: &TrialArgs,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(Reached),
) -> Result<(Found, Vec<Tried>), Failure> {
    let axis = Axis {
        direction: direction(varied, sought, eyes.watch)?,
        whole: sought.whole,
    };
    let span = |time: Option<Duration>| time.map(|time| Span::from_nanos_f64(time.0));
    let is_rate = matches!(varied.parameter(), Parameter::Own(Own::Rate));
    let written = varied.as_written()?;
    let plan = Plan {
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
    };
    let found =
        search(&|load| varied.model_at(load), plan, eyes, see).map_err(|why| match why {
            Failed::Model(why) => why,
            Failed::Halt(halt) => halt.into(),
        })?;
    let tried = found.trials.iter().map(|trial| {
        let measure = &trial.ran.measure;
        let hold = measure.measured().as_nanos() as f64 / trial.paths.max(1) as f64;
        let warmup = measure.warmup().as_nanos() as f64;
        let mut spec = varied.spec_at(trial.load)?;
        bound(&mut spec, Duration(warmup), Duration(hold.round().max(1.0)));
        let workload = varied.workload(&spec)?;
        Ok(Tried {
            run: simulate::of_trial(&workload, &trial.ran, trial.paths),
            spec: run_text(&workload),
        })
    });
    let tried = tried.collect::<Result<Vec<Tried>, Failure>>()?;
    Ok((found, tried))
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
    let (low, high) = (strain(varied, low, watch)?, strain(varied, high, watch)?);
    Ok(match low > high {
        true => Direction::Falling,
        false => Direction::Rising,
    })
}

/// How hard a load is, to be compared with that of another: whether it misses its objectives, by how much of what may be over
/// their limits is, and the mean response time.
fn strain(varied: &Varied<Path>, load: f64, watch: Watch<'_>) -> Result<(u8, f64, f64), Failure> {
    let mut spec = varied.spec_at(load)?;
    bound(&mut spec, LOOK[0], LOOK[1]);
    let model = varied.workload(&spec)?.model;
    let ran = match Simulated::new(watch.most_present).run(&model, watch.stop) {
        Ok(ran) => ran,
        // What does not fit into memory is the hardest.
        Err(Halt::Overgrown { .. }) => return Ok((2, f64::INFINITY, f64::INFINITY)),
        Err(halt) => return Err(halt.into()),
    };
    let evidence = evidence(&model, &ran.measure, false, &ran.evidence).unwrap_or_default();
    let judged = Judged::plainly(&evidence);
    let over = judged.shares.iter().map(|share| {
        let allowed = (share.samples as f64 * share.allowed).max(1.0);
        share.over as f64 / allowed
    });
    let latency = ran.measure.total().window.latencies;
    Ok((
        u8::from(judged.status == Status::Trip),
        over.fold(0.0, f64::max),
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
