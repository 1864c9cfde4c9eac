//! Lowers shapes of arrival rates: from levels over time to checked pieces.

use super::Findings;
use super::run::span;
use crate::model::{Shape, Then};
use crate::spec::defaults::DEFAULT_PERIOD;
use crate::spec::error::{Origin, SpecError};
use crate::spec::shape::{self, Diurnal, Drain, Ramp, Spikes, Stage, Stairs, Window};
use crate::spec::spanned::Spanned;
use crate::spec::units::{Duration, MAX_RATE, Number, Rate};
use crate::time::{Span, Time};

/// Straight pieces of the wave of a period: at most 3 parts in a million of its height away from it.
const WAVE_PIECES: u32 = 1440;
/// A piece of a shape: its length, and the levels at its start and its end.
type Piece = (Span, f64, f64);

/// The shape of a client's rate up to the horizon; `None` for the constant one.
pub fn lower(
    written: &Spanned<shape::Shape>,
    rate: &Spanned<Rate>,
    horizon: Option<Time>,
    findings: &mut Findings,
) -> Option<Shape> {
    let pieces = match &written.value {
        shape::Shape::Constant => return None,
        shape::Shape::Ramp(ramp) => self::ramp(ramp),
        shape::Shape::Stages(stages) => self::stages(stages),
        shape::Shape::Stairs(stairs) => self::stairs(stairs),
        shape::Shape::Spike(spikes) => self::spikes(spikes),
        shape::Shape::Drain(drain) => self::drain(drain),
        shape::Shape::Diurnal(diurnal) => self::diurnal(diurnal, written.origin),
        shape::Shape::Windows(windows) => self::windows(windows),
    };
    let checked = pieces.and_then(|(pieces, then)| {
        let shape = Shape::new(&pieces, then).ok_or_else(|| silent(written, None))?;
        bounded(shape, written, rate, horizon)
    });
    checked.map_err(|error| findings.error(error)).ok()
}

fn silent(written: &Spanned<shape::Shape>, horizon: Option<Time>) -> SpecError {
    let message = match horizon {
        None => "the shape is zero everywhere: no request is sent".to_owned(),
        Some(horizon) => format!(
            "the shape is zero up to the horizon ({}): no request is sent",
            horizon.since(Time::ZERO)
        ),
    };
    written
        .error(message)
        .help("give a level above 0 within the run")
}

/// The shape, if it sends anything and no more than the clock can tell apart.
fn bounded(
    shape: Shape,
    written: &Spanned<shape::Shape>,
    rate: &Spanned<Rate>,
    horizon: Option<Time>,
) -> Result<Shape, SpecError> {
    if horizon.is_some_and(|horizon| shape.operational(horizon) <= 0.0) {
        return Err(silent(written, horizon));
    }
    let peak = shape.peak(None);
    if rate.value.0 * peak > MAX_RATE {
        let message = format!(
            "the peak of the shape is {peak} times the rate of {}",
            rate.value
        );
        return Err(written.error(message).help("give a peak of up to 100M/s"));
    }
    Ok(shape)
}

fn above_zero(key: &str, length: &Spanned<Duration>) -> Result<Span, SpecError> {
    let nanos = span(length.value);
    if nanos > Span::ZERO {
        return Ok(nanos);
    }
    Err(length
        .error(format!("`{key}` is {}", length.value))
        .help(format!("give a `{key}` above zero, such as `30s`")))
}

fn ramp(ramp: &Ramp) -> Result<(Vec<Piece>, Then), SpecError> {
    let level = |written: &Option<Spanned<Number>>, default: f64| {
        written.as_ref().map_or(default, |level| level.value.0)
    };
    let (from, to) = (level(&ramp.from, 0.0), level(&ramp.to, 1.0));
    let at = ramp.at.as_ref().map_or(Span::ZERO, |at| span(at.value));
    let over = above_zero("over", &ramp.over)?;
    Ok((vec![(at, from, from), (over, from, to)], Then::Level(to)))
}

fn stages(stages: &Spanned<Vec<Spanned<Stage>>>) -> Result<(Vec<Piece>, Then), SpecError> {
    if stages.value.is_empty() {
        return Err(stages
            .error("there are no stages")
            .help("give at least one: `stages: [{over: 30s, to: 1}]`")
            .absence());
    }
    let mut level = 0.0;
    let mut pieces = Vec::with_capacity(stages.value.len());
    for stage in &stages.value {
        let Stage { over, to, from } = &stage.value;
        let start = from.as_ref().map_or(level, |from| from.value.0);
        level = to.value.0;
        pieces.push((above_zero("over", over)?, start, level));
    }
    Ok((pieces, Then::Level(level)))
}

fn levels(levels: &Spanned<Vec<Spanned<Number>>>) -> Result<Vec<f64>, SpecError> {
    match levels.value.is_empty() {
        true => Err(levels
            .error("there are no levels")
            .help("give at least one: `levels: [0.5, 1]`")
            .absence()),
        false => Ok(levels.value.iter().map(|level| level.value.0).collect()),
    }
}

fn stairs(stairs: &Stairs) -> Result<(Vec<Piece>, Then), SpecError> {
    let levels = levels(&stairs.levels)?;
    let every = above_zero("every", &stairs.every)?;
    let last = levels.last().copied().unwrap_or(0.0);
    let pieces = levels.iter().map(|&level| (every, level, level));
    Ok((pieces.collect(), Then::Level(last)))
}

fn drain(drain: &Drain) -> Result<(Vec<Piece>, Then), SpecError> {
    let over = above_zero("over", &drain.over)?;
    let pieces = vec![(span(drain.at.value), 1.0, 1.0), (over, 1.0, 0.0)];
    Ok((pieces, Then::Level(0.0)))
}

/// Stretches of time with levels of their own: (start, length, level) with the place of the start.
fn stretches<'a>(
    what: &str,
    stretches: impl Iterator<Item = (&'a Spanned<Duration>, &'a Spanned<Duration>, f64)>,
    otherwise: f64,
) -> Result<(Vec<Piece>, Then), SpecError> {
    let mut pieces = Vec::new();
    let mut end = Span::ZERO;
    for (at, length, level) in stretches {
        let start = span(at.value);
        let length = above_zero("for", length)?;
        if start < end {
            let message =
                format!("the {what} at {start} begins before the one above it ends, at {end}");
            let help = format!("write {what}s in the order of their times, without overlap");
            return Err(at.error(message).help(help));
        }
        pieces.push((start - end, otherwise, otherwise));
        pieces.push((length, level, level));
        end = start + length;
    }
    Ok((pieces, Then::Level(otherwise)))
}

fn spikes(spikes: &Spikes) -> Result<(Vec<Piece>, Then), SpecError> {
    let spikes = match spikes {
        Spikes::One(spike) => std::slice::from_ref(spike),
        Spikes::Several(spikes) => spikes,
    };
    let parts = spikes.iter().map(|spike| {
        let spike = &spike.value;
        (&spike.at, &spike.r#for, spike.factor.value.0)
    });
    stretches("spike", parts, 1.0)
}

fn windows(windows: &Spanned<Vec<Spanned<Window>>>) -> Result<(Vec<Piece>, Then), SpecError> {
    if windows.value.is_empty() {
        return Err(windows
            .error("there are no windows")
            .help("give at least one: `windows: [{at: 0s, for: 30s}]`")
            .absence());
    }
    let parts = windows
        .value
        .iter()
        .map(|window| (&window.value.at, &window.value.r#for, 1.0));
    stretches("window", parts, 0.0)
}

fn diurnal(diurnal: &Diurnal, whole: Origin) -> Result<(Vec<Piece>, Then), SpecError> {
    let period = match &diurnal.period {
        Some(period) => above_zero("period", period)?,
        None => span(DEFAULT_PERIOD),
    };
    let Diurnal {
        low,
        high,
        peak_at,
        levels,
        ..
    } = diurnal;
    let pieces = match (low, high, peak_at, levels) {
        (None, None, None, Some(levels)) => table(period, &self::levels(levels)?),
        (Some(low), high, Some(peak_at), None) => {
            let top = high.as_ref().map_or(1.0, |high| high.value.0);
            if low.value.0 > top {
                let message = format!("`low` ({}) is above `high` ({top})", low.value);
                return Err(low.error(message).help("give a `low` of at most `high`"));
            }
            if span(peak_at.value) > period {
                let message = format!(
                    "`peak_at` ({}) is beyond the period ({period})",
                    peak_at.value
                );
                return Err(peak_at.error(message).help("give a time within the period"));
            }
            wave(period, low.value.0, top, span(peak_at.value))
        }
        _ => {
            let error = SpecError::about(whole, "these keys do not make a diurnal shape");
            return Err(error
                .help("give either `low`, `peak_at` and perhaps `high`, or `levels`")
                .absence());
        }
    };
    Ok((pieces, Then::Repeat))
}

/// The instant of boundary `n` of `count` within a period.
fn boundary(period: Span, n: usize, count: usize) -> Span {
    let nanos = u128::from(period.as_nanos()) * n as u128 / count.max(1) as u128;
    Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn table(period: Span, levels: &[f64]) -> Vec<Piece> {
    let count = levels.len();
    let piece = |(n, &level): (usize, &f64)| {
        let length = boundary(period, n + 1, count) - boundary(period, n, count);
        (length, level, level)
    };
    levels.iter().enumerate().map(piece).collect()
}

/// A sinusoid from `low` to `high`, in straight pieces.
fn wave(period: Span, low: f64, high: f64, peak_at: Span) -> Vec<Piece> {
    let count = WAVE_PIECES as usize;
    let level = |n: usize| {
        let since = n as f64 / count as f64 - peak_at.as_nanos() as f64 / period.as_nanos() as f64;
        let cosine = libm::cos(2.0 * std::f64::consts::PI * since);
        low + (high - low) * 0.5 * (1.0 + cosine)
    };
    let piece = |n: usize| {
        let length = boundary(period, n + 1, count) - boundary(period, n, count);
        (length, level(n), level(n + 1))
    };
    (0..count).map(piece).collect()
}
