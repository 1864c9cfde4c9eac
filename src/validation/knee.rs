//! The loads that test a model best: some well below capacity, some near the knee, and one above it.

use std::num::{NonZeroU64, NonZeroUsize};

use blis_sim::event::Outcome;
use blis_sim::model::{Limits, Path};
use blis_sim::replication::simulate;
use blis_sim::time::{Span, Time};

use crate::ceiling::{Unit, Varied};
use crate::exit::Failure;
use crate::simulate::watch;

/// The loads where nobody says which, as shares of the knee. Users come back only when they are answered: more of them than the knee
/// are no overload.
const OPEN: [f64; 6] = [0.3, 0.5, 0.7, 0.8, 0.9, 1.1];
const CLOSED: [f64; 6] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0];
/// How many there are.
pub const USUAL: usize = OPEN.len();
/// How many requests of a rate the model is run for, and how many seconds at least; of anything else, how many seconds, and how many
/// requests at most.
const REQUESTS: f64 = 50_000.0;
const LEAST_SECONDS: f64 = 2.0;
const SECONDS: f64 = 20.0;
const MOST_REQUESTS: u64 = 2_000_000;
/// The share of that before the window.
const WARMUP: f64 = 0.1;
/// Where twice the load brings less than this many times the throughput, the model is full.
const GAIN: f64 = 1.1;
/// The smallest load is this share of the one as written, and loads are doubled so often at most.
const FIRST: f64 = 1.0 / 16.0;
const DOUBLINGS: u32 = 30;
/// A load whose throughput is at least this share of the best for its size is one that is carried.
const CARRIED: f64 = 0.85;

/// The loads to predict and measure where nobody says which.
///
/// # Errors
/// Those of [`Varied::model_at`] and of a run; [`Failure::Usage`] where the load changes nothing.
pub fn usual_loads(
    varied: &Varied<Path>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<f64>, Failure> {
    let unit = varied.unit();
    if varied.is_key() {
        return Err(needs_loads(varied));
    }
    let shares = match unit {
        Unit::Whole => CLOSED,
        _ => OPEN,
    };
    let knee = knee(varied, stop)?;
    let mut loads: Vec<f64> = shares
        .iter()
        .map(|share| round(share * knee, unit))
        .collect();
    loads.dedup();
    if loads.len() < 2 {
        return Err(Failure::Usage(format!(
            "the capacity of the model is too small for loads of {} between idle and saturated; give loads with --predict-at",
            varied.name()
        )));
    }
    Ok(loads)
}

/// The text about a key whose loads nobody named.
pub fn needs_loads<P: PartialEq>(varied: &Varied<P>) -> Failure {
    let unit = varied.unit();
    Failure::Usage(format!(
        "--over {} needs loads; give some in its unit, such as --predict-at {},{}",
        varied.name(),
        unit.shown(1.0),
        unit.shown(2.0)
    ))
}

/// The load at which the largest throughput would be reached if it grew with the load as it does at small ones: what open clients may
/// send at most, or how many users it takes to keep what binds busy.
fn knee(varied: &Varied<Path>, stop: &(dyn Fn() -> bool + Sync)) -> Result<f64, Failure> {
    let whole = varied.unit().is_whole();
    let first = varied.written().unwrap_or(1.0) * FIRST;
    let mut load = if whole { first.floor().max(1.0) } else { first };
    let mut tried: Vec<(f64, f64)> = Vec::new();
    for _ in 0..DOUBLINGS {
        let throughput = throughput(varied, load, stop)?;
        let before = tried.last().map(|(_, before)| *before);
        tried.push((load, throughput));
        let is_full = before.is_some_and(|before| throughput < GAIN * before);
        if is_full || stop() {
            break;
        }
        load *= 2.0;
    }
    let most = tried
        .iter()
        .map(|(_, throughput)| *throughput)
        .fold(0.0, f64::max);
    let best = tried
        .iter()
        .map(|(load, throughput)| throughput / load)
        .fold(0.0, f64::max);
    // Of loads that are carried together, since what comes of a small one is mostly chance.
    let carried = tried
        .iter()
        .filter(|(load, throughput)| throughput / load >= CARRIED * best);
    let (loads, throughputs) = carried.fold((0.0, 0.0), |sums, (load, throughput)| {
        (sums.0 + load, sums.1 + throughput)
    });
    let of_load = (loads > 0.0).then(|| throughputs / loads);
    match of_load {
        Some(of_load) if of_load > 0.0 => Ok(most / of_load),
        Some(_) | None => Err(Failure::Usage(format!(
            "no request is answered at {} in a simulation of the spec; give loads with --predict-at",
            varied.unit().shown(load)
        ))),
    }
}

/// Requests answered `ok` per second at a load.
fn throughput(
    varied: &Varied<Path>,
    load: f64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<f64, Failure> {
    let mut model = varied.model_at(load)?;
    let seconds = match varied.unit() {
        Unit::PerSecond => (REQUESTS / load).max(LEAST_SECONDS),
        _ => SECONDS,
    };
    let after = |seconds: f64| Time::ZERO + Span::from_nanos_f64(seconds * 1e9);
    model.limits = Limits {
        requests: NonZeroU64::new(MOST_REQUESTS),
        horizon: Some(after(seconds)),
        warmup: after(WARMUP * seconds),
        find_warmup: false,
        // What comes after the window is not looked at.
        drain: Span::ZERO,
    };
    let finished = simulate(&model, watch(stop, NonZeroUsize::MIN), |_| ())?;
    let measure = &finished.measure;
    let answered = measure.total().window.requests.ended(Outcome::Ok);
    let seconds = measure.measured().as_secs_f64();
    Ok(match seconds > 0.0 {
        true => answered as f64 / seconds,
        false => 0.0,
    })
}

/// To two significant digits, or to whole numbers.
fn round(load: f64, unit: Unit) -> f64 {
    if unit.is_whole() {
        return load.round().max(1.0);
    }
    let digit = 10f64.powf(load.log10().floor() - 1.0);
    (load / digit).round() * digit
}
