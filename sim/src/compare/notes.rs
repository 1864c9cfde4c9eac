//! Why runs are not valid for a comparison, and notes on it.

use super::estimate::SPREAD_RUNS;
use super::sides::{Compared, Sides};
use crate::result::{INTERRUPTED, LIVE, Run};

/// Loads that differ by more than this share are pointed out.
const SAME_LOAD: f64 = 0.02;

/// What keeps the runs from being trusted.
pub(super) fn reservations(sides: Sides<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let [_, missing] = alone(sides);
    if !missing.is_empty() {
        found.push(format!("the other side has no {}", missing.join(", ")));
    }
    for compared in sides.into_iter().flatten() {
        let (name, run) = (&compared.name, &compared.run);
        if run.ended_by == INTERRUPTED {
            found.push(format!(
                "{name} was interrupted before its last requests ended; let it run to its end"
            ));
        }
        if run.window.requests.ok == 0 {
            found.push(format!("no request was answered in {name}"));
        }
        for limit in generator_limits(run) {
            found.push(format!("in {name} the generator was the limit: {limit}"));
        }
    }
    found
}

/// Why the generator was the limit of a run, in sentences.
pub fn generator_limits(run: &Run) -> &[String] {
    let generator = run.live.as_ref().and_then(|live| live.generator.as_ref());
    generator.map_or(&[], |generator| &generator.limited_by)
}

/// The actions that only the other side has, and those that only the baseline has.
fn alone(sides: Sides<'_>) -> [Vec<&str>; 2] {
    let [Some(one), Some(other)] = sides.map(|side| side.first()) else {
        return [Vec::new(), Vec::new()];
    };
    let (one, other) = (&one.run.actions, &other.run.actions);
    [(other, one), (one, other)].map(|(here, there)| {
        let names = here.keys().map(String::as_str);
        names.filter(|name| !there.contains_key(*name)).collect()
    })
}

/// That the sides were offered different loads, if so.
pub fn unlike_loads(sides: Sides<'_>) -> Option<String> {
    let [one, other] = sides.map(|side| {
        let offered = side.iter().map(|run| run.run.offered_rps);
        let sum: Option<f64> = offered.sum();
        sum.map(|sum| sum / side.len() as f64)
    });
    // Poisson arrivals of a side vary by the root of their number.
    let seconds =
        |side: &[Compared]| -> f64 { side.iter().map(|run| run.run.window.measured_s).sum() };
    let varies = |rate: Option<f64>, side: &[Compared]| rate.unwrap_or(0.0) / seconds(side);
    let by_chance = libm::sqrt(varies(one, sides[0]) + varies(other, sides[1]));
    if let (Some(one), Some(other)) = (one, other)
        && (other / one - 1.0).abs() > SAME_LOAD
        && (other - one).abs() > 3.0 * by_chance
    {
        return Some(format!(
            "the offered loads differ, {one:.1}/s and {other:.1}/s: response times of open loads are not comparable"
        ));
    }
    None
}

/// Of each run, how many of its response times are none.
pub fn censored(sides: Sides<'_>) -> Vec<String> {
    let of_run = |compared: &Compared| {
        let response = &compared.run.latency_ms.response;
        (response.censored > 0).then(|| {
            format!(
                "{}: {} of {} response times are of requests that were given up, with their age at that time",
                compared.name, response.censored, response.count
            )
        })
    };
    sides.into_iter().flatten().filter_map(of_run).collect()
}

/// What is to be kept in mind.
pub(super) fn notes(sides: Sides<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(unlike_loads(sides));
    let [only, _] = alone(sides);
    if !only.is_empty() {
        notes.push(format!("only the other side has {}", only.join(", ")));
    }
    notes.extend(censored(sides));
    let few = sides.into_iter().any(|side| side.len() < SPREAD_RUNS);
    let live = sides.into_iter().flatten().any(|run| run.run.mode == LIVE);
    if few && live {
        notes.push(format!(
            "intervals of so few runs do not include the variation between live runs; give {SPREAD_RUNS} or more runs \
             of each side"
        ));
    }
    if sides.into_iter().flatten().any(|run| run.record.is_none()) {
        notes.push(
            "distributions are compared only if both sides have a record: live runs with --out, simulated runs with \
             --out and --record"
                .to_owned(),
        );
    }
    notes
}
