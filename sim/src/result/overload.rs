//! Whether more is offered than is answered.

use super::constraints::{ConstraintResult, Limits};
use crate::analysis::Constraints;
use crate::event::Outcome;
use crate::measure::{Measure, Requests};
use crate::time::Span;

/// The share of a limit in use from which on all of it was, but for how the run began.
const ALL_IN_USE: f64 = 0.99;

/// Requests per second that were neither answered nor failed at once: by so much the answers fall behind the load.
///
/// `None` unless they fall behind for certain: by 5 % or more of the window's requests and by more than chance would have it
/// (three times the root of their number), and by 5 % or more still in the second half of the window, so that a start with
/// empty queues is none. Errors of the service and of the transport, and refusals, are answers of a kind, and no backlog: a
/// system that refuses what it cannot take is a loss system, which may be steady at any load. Timeouts alone may be replies that were lost: they count where a limit of the model is loaded to the full.
pub(super) fn falling_behind(
    measure: &Measure,
    backend: Option<(&Constraints, &Limits)>,
) -> Option<f64> {
    let total = measure.total();
    let window = Fate::of(&total.window.requests, total.completed);
    let seconds = measure.measured().as_secs_f64();
    let by_chance = u128::from(window.missing).pow(2) <= 9 * u128::from(window.intended);
    if seconds <= 0.0 || !matters(window.missing, window.intended) || by_chance {
        return None;
    }
    let later = second_half(measure).unwrap_or(window);
    // A backend that is not in the spec has no known limit.
    let full = backend.is_some_and(|(offered, limits)| is_full(offered, limits));
    let behind = match full {
        true => later.missing,
        // Those at the end of the second half time out after it.
        false => later.unanswered().min(window.unanswered()),
    };
    matters(behind, later.intended).then(|| window.missing as f64 / seconds)
}

/// Whether a limit is offered all that it lets through, or retries and redeliveries used all of it.
fn is_full(offered: &Constraints, limits: &Limits) -> bool {
    let used = |one: &ConstraintResult| one.utilisation.is_some_and(|used| used >= ALL_IN_USE);
    offered.all.iter().any(|one| one.load() >= 1.0) || limits.all.iter().any(used)
}

/// What happened to the requests of some time.
#[derive(Debug, Clone, Copy)]
struct Fate {
    intended: u64,
    /// Neither answered nor failed at once.
    missing: u64,
    /// Those of them that timed out.
    timed_out: u64,
}

impl Fate {
    /// Those that did not time out either.
    fn unanswered(&self) -> u64 {
        self.missing.saturating_sub(self.timed_out)
    }

    fn of(requests: &Requests, ok: u64) -> Fate {
        let at_once = [
            Outcome::AppError,
            Outcome::TransportError,
            Outcome::Rejected,
        ];
        let failed = at_once.map(|outcome| requests.ended(outcome));
        let ended = ok + failed.iter().sum::<u64>();
        Fate {
            intended: requests.intended,
            missing: requests.intended.saturating_sub(ended),
            timed_out: requests.ended(Outcome::TimedOut),
        }
    }
}

/// Whether this many of this many are 5 % or more.
fn matters(behind: u64, intended: u64) -> bool {
    intended > 0 && u128::from(behind) * 20 >= u128::from(intended)
}

/// What happened to the second half of the window, where it has a whole row.
fn second_half(measure: &Measure) -> Option<Fate> {
    let (from, to) = (measure.warmup(), measure.load_end()?);
    let middle = from + Span::from_nanos(to.since(from.min(to)).as_nanos() / 2);
    let series = measure.series();
    let mut half = Requests::default();
    for (number, row) in series.rows().iter().enumerate() {
        let (start, end) = series.bounds(number);
        if start >= middle && end <= to {
            half.add(&row.requests);
        }
    }
    (half.intended > 0).then(|| Fate::of(&half, half.ended(Outcome::Ok)))
}
