//! Two runs over time, side by side.

use super::document::CourseResult;
use super::sides::Sides;
use crate::result::{Interval, Run};

/// Parts of a course.
const PARTS: usize = 10;

/// Both courses in parts of equal length, as far as the shorter goes.
pub(super) fn course(sides: Sides<'_>) -> Vec<CourseResult> {
    let [Some(one), Some(other)] = sides.map(|side| side.first()) else {
        return Vec::new();
    };
    let end = |run: &Run| run.window.warmup_s + run.window.measured_s;
    let end = end(&one.run).min(end(&other.run));
    let width = end / PARTS as f64;
    if !(width > 0.0 && width.is_finite()) {
        return Vec::new();
    }
    let parts = (0..PARTS).map(|part| {
        let start = part as f64 * width;
        let [one, other] = [&one.run, &other.run].map(|run| within(run, start, width));
        CourseResult {
            start_s: start,
            width_s: width,
            baseline_rps: one.0,
            other_rps: other.0,
            baseline_mean_ms: one.1,
            other_mean_ms: other.1,
        }
    });
    parts.collect()
}

/// Answers per second and their mean response time in a part of a run, by the intervals whose middles lie in it.
fn within(run: &Run, start: f64, width: f64) -> (Option<f64>, Option<f64>) {
    let middle = |interval: &Interval| interval.start_s + interval.width_s / 2.0;
    let inside = |interval: &&Interval| (start..start + width).contains(&middle(interval));
    let (mut seconds, mut ok, mut sum, mut of) = (0.0, 0.0, 0.0, 0.0);
    for interval in run.series.iter().filter(inside) {
        let answered = interval.requests.ok as f64;
        seconds += interval.width_s;
        ok += answered;
        if let Some(mean) = interval.response_mean_ms {
            sum += mean * answered;
            of += answered;
        }
    }
    let ratio = |upper: f64, lower: f64| (lower > 0.0).then(|| upper / lower);
    (ratio(ok, seconds), ratio(sum, of))
}
