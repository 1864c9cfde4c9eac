//! Whether a load is more than is answered.

use crate::event::Outcome;
use crate::measure::{Measure, Requests};
use crate::time::{Span, Time};

/// Requests per second that were neither answered nor failed at once: by so much the answers fall behind the load.
///
/// `None` unless they fall behind for certain: by 5 % or more of the window's requests and by more than chance would have it
/// (three times the root of their number), and by 5 % or more still in the second half of the window, so that a start with
/// empty queues is none. Errors of the service and of the transport are answers of a kind, and no backlog.
pub fn falling_behind(measure: &Measure) -> Option<f64> {
    let total = measure.total();
    let window = &total.window.requests;
    let behind = missing(window, total.completed);
    let seconds = measure.measured().as_secs_f64();
    let by_chance = u128::from(behind).pow(2) <= 9 * u128::from(window.intended);
    if seconds <= 0.0 || !matters(behind, window.intended) || by_chance {
        return None;
    }
    let (intended, behind_later) = second_half(measure)?;
    matters(behind_later, intended).then(|| behind as f64 / seconds)
}

fn missing(requests: &Requests, ok: u64) -> u64 {
    let ended = ok + requests.ended(Outcome::AppError) + requests.ended(Outcome::TransportError);
    requests.intended.saturating_sub(ended)
}

/// Whether so many of so many are 5 % or more.
fn matters(behind: u64, intended: u64) -> bool {
    intended > 0 && u128::from(behind) * 20 >= u128::from(intended)
}

/// What was intended in the second half of the window, and how much of it the answers of that time fell behind.
fn second_half(measure: &Measure) -> Option<(u64, u64)> {
    let (from, to) = (measure.warmup(), measure.load_end()?);
    let middle = from + Span::from_nanos(to.since(from.min(to)).as_nanos() / 2);
    let width = measure.series().width().as_nanos();
    let mut half = Requests::default();
    for (number, row) in (0u64..).zip(measure.series().rows()) {
        let start = Time::from_nanos(number.saturating_mul(width));
        let end = Time::from_nanos((number + 1).saturating_mul(width));
        if start >= middle && end <= to {
            half.add(&row.requests);
        }
    }
    Some((half.intended, missing(&half, half.ended(Outcome::Ok))))
}
