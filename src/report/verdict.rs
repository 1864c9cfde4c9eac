//! The verdict of a run in words.

use blis_sim::result::{Run, SignalResult, VerdictResult};
use blis_sim::verdict::Status;

use super::messages;
use super::number::count;
use super::parts::Fact;

/// The most objectives that a report shows beside those that decided; the document has all of them.
const OBJECTIVES: usize = 8;

/// The verdict, with the objectives that decided it.
pub fn verdict(run: &Run) -> Fact {
    let Some(verdict) = &run.verdict else {
        let why = "none: no objective is set (`slo`, or --slo p95=100ms)";
        return Fact::new("verdict", why);
    };
    let mut fact = Fact::new("verdict", status_name(verdict.status));
    fact.lines.extend(objectives(verdict));
    fact.lines.extend(messages::not_judged(run));
    fact
}

/// The reasons of a verdict, and how the other objectives stand: those nearest to their limits.
pub fn objectives(verdict: &VerdictResult) -> Vec<String> {
    let mut others: Vec<&SignalResult> = verdict
        .signals
        .iter()
        .filter(|signal| !signal.summary.is_empty() && !verdict.reasons.contains(&signal.summary))
        .collect();
    let used = |signal: &SignalResult| {
        let over = signal.failed.unwrap_or(0) + signal.slow.unwrap_or(0);
        over as f64 / (signal.allowed.unwrap_or(0) + 1) as f64
    };
    others.sort_by(|a, b| used(b).total_cmp(&used(a)));
    let left = others.len().saturating_sub(OBJECTIVES);
    let others = others.iter().take(OBJECTIVES);
    let lines = verdict.reasons.iter().cloned();
    let mut lines: Vec<String> = lines
        .chain(others.map(|signal| signal.summary.clone()))
        .collect();
    if left > 0 {
        lines.push(format!(
            "{} more objectives are not shown; they are farther from being missed",
            count(left as u64)
        ));
    }
    lines
}

/// A verdict as it is written.
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pass => "PASS",
        Status::Trip => "TRIP",
        Status::Inconclusive => "INCONCLUSIVE",
    }
}
