//! The verdict: does what was measured keep its objectives?
//!
//! [`judge`] is one pure function over declared signals. A plain run, a live run and every step of a ceiling
//! search use it, and nothing else decides. It knows three answers: a limit was missed ([`Status::Trip`]),
//! all were kept ([`Status::Pass`]), or the evidence does not say ([`Status::Inconclusive`]).

mod counted;
mod evidence;
mod sentence;
mod signal;
#[cfg(test)]
mod tests;

pub use counted::Counted;
pub use evidence::{LiveEvidence, evidence};
pub use sentence::sentence;
pub use signal::{Counts, Limit, Measured, Requests, Signal};

use crate::number::count;

/// The answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Every objective was met.
    Pass,
    /// At least one was missed.
    Trip,
    /// The evidence does not say.
    Inconclusive,
}

/// What a verdict is reached from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Requests intended within the window.
    pub intended: u64,
    /// Requests of the window that were sent.
    pub sent: u64,
    /// Whether requests lagged because of the generator's own scheduling, rather than an in-flight cap or a
    /// full connection.
    pub generator_lagged: bool,
    /// Why the generator was the limit, in sentences; empty when it was not.
    pub generator_limits: Vec<String>,
    /// Whether the run was interrupted from outside.
    pub interrupted: bool,
    /// Everything that is gated.
    pub signals: Vec<Signal>,
}

/// The answer and all reasons for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The answer.
    pub status: Status,
    /// Why, in sentences; empty for a pass.
    pub reasons: Vec<String>,
    /// Of an inconclusive one, how many more requests would decide it, all of them in time; `None` where requests alone
    /// would not.
    pub more_needed: Option<u64>,
}

/// How one signal stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Measured and met.
    Within,
    /// Measured and missed.
    Over,
    /// Over its limit only because the generator was late.
    GeneratorLimited,
    /// Too few samples to tell, and not so many of them over the limit that it is missed all the same.
    TooFew,
    /// Not measured.
    Missing,
}

/// Reaches a verdict.
///
/// In this order: nothing intended or an interrupted run says nothing; any signal over its limit trips,
/// whatever else is missing; a signal that is missing, has too few samples or was limited by the generator
/// makes the rest inconclusive, as does a generator that was the limit, or sending less than 95 % of what was intended;
/// otherwise it is a pass.
/// Exactly at a limit is within it.
pub fn judge(evidence: &Evidence) -> Verdict {
    if evidence.intended == 0 {
        let more = most_needed(evidence.signals.iter()).filter(|more| *more > 0);
        let decided = more.map_or(String::new(), |more| {
            format!("; {} requests in time would decide it", count(more))
        });
        return Verdict {
            status: Status::Inconclusive,
            reasons: vec![format!(
                "No request was intended within the measured window{decided}; lengthen the run or shorten the warm-up."
            )],
            more_needed: more,
        };
    }
    if evidence.interrupted {
        return Verdict {
            status: Status::Inconclusive,
            reasons: vec!["The run was interrupted; let it run to its end.".to_owned()],
            more_needed: None,
        };
    }
    let standings: Vec<(&Signal, Standing)> = evidence
        .signals
        .iter()
        .map(|signal| (signal, signal.standing(evidence.generator_lagged)))
        .collect();
    let reasons = |wanted: fn(Standing) -> bool| -> Vec<String> {
        let chosen = standings.iter().filter(|(_, standing)| wanted(*standing));
        chosen
            .map(|(signal, standing)| sentence(signal, *standing))
            .collect()
    };
    let over = reasons(|standing| standing == Standing::Over);
    if !over.is_empty() {
        return Verdict {
            status: Status::Trip,
            reasons: over,
            more_needed: None,
        };
    }
    let doubtful = standings
        .iter()
        .filter(|(_, standing)| *standing != Standing::Within)
        .map(|(signal, _)| *signal);
    let (shortfall, more_sent) = not_sent(evidence);
    let more = match evidence.generator_limits.is_empty() {
        true => most_needed(doubtful).map(|more| more.max(more_sent)),
        // A generator that is late is so however long it runs.
        false => None,
    };
    let mut doubts = reasons(|standing| standing != Standing::Within);
    doubts.extend(evidence.generator_limits.iter().cloned());
    doubts.extend(shortfall);
    let is_pass = doubts.is_empty();
    Verdict {
        status: if is_pass {
            Status::Pass
        } else {
            Status::Inconclusive
        },
        reasons: doubts,
        more_needed: more.filter(|_| !is_pass),
    }
}

/// How many more requests would decide the signal that takes the most; `None` where there is one that they would not.
fn most_needed<'a>(signals: impl Iterator<Item = &'a Signal>) -> Option<u64> {
    signals
        .map(Signal::more_needed)
        .try_fold(0, |most, more| Some(most.max(more?)))
}

/// What there is to say where less than 95 % of the requests were sent, and how many more would make it so, all of them
/// sent.
fn not_sent(evidence: &Evidence) -> (Option<String>, u64) {
    let Evidence { intended, sent, .. } = *evidence;
    // 95 % in whole numbers: 20 sent for every 19 intended.
    let lacking = (u128::from(intended) * 19).saturating_sub(u128::from(sent) * 20);
    if lacking == 0 {
        return (None, 0);
    }
    let more = u64::try_from(lacking).unwrap_or(u64::MAX);
    let reason = format!(
        "Only {} of {} intended requests were sent, less than 95 %: the others were dropped because as many were in flight as \
         `max_in_flight` allows, or because connections were full; {} more, all of them sent, would decide it; raise the limit, \
         use more connections, or offer less.",
        count(sent),
        count(intended),
        count(more)
    );
    (Some(reason), more)
}
