//! The verdict: whether the measured figures meet the objectives.
//!
//! [`judge`] is a pure function over declared signals. Plain runs, live runs and every given step of a search use it; a
//! trial of a search weighs the same signals more strictly. It has three answers: an objective was missed
//! ([`Status::Trip`]), all were met ([`Status::Pass`]), or the evidence does not decide ([`Status::Inconclusive`]).

mod counted;
mod evidence;
mod parts;
mod sentence;
mod signal;
#[cfg(test)]
mod tests;

pub use counted::{Counted, Worth};
pub use evidence::{LiveEvidence, evidence};
pub(crate) use parts::add_path;
#[cfg(test)]
pub(crate) use parts::{LOWER, LOWER_BY, share_of};
pub use parts::{
    Parts, Quantile, parts_of_paths, parts_of_replications, parts_of_run, parts_of_runs,
};
pub(crate) use sentence::open_sentence;
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
    /// At least one objective was missed.
    Trip,
    /// The evidence does not decide.
    Inconclusive,
}

/// The input of a verdict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Requests intended within the window.
    pub intended: u64,
    /// Requests of the window that were sent.
    pub sent: u64,
    /// Requests of the whole run that succeeded.
    pub succeeded: u64,
    /// Whether requests lagged because of the generator's own scheduling, rather than an in-flight cap or a
    /// full connection.
    pub generator_lagged: bool,
    /// Why the generator was the limit, in sentences; empty when it was not.
    pub generator_limits: Vec<String>,
    /// Whether the run was interrupted from outside.
    pub interrupted: bool,
    /// All judged signals.
    pub signals: Vec<Signal>,
}

impl Evidence {
    /// The same with how much its samples are worth by the parts of the run, which are in the order of its signals: those that are
    /// not judged by counts come last and have none. Where the parts do not tell, because too few of them have anything over a
    /// limit or over lower thresholds, it stays unknown.
    #[must_use]
    pub fn in_parts(mut self, parts: &[Parts]) -> Evidence {
        for (signal, parts) in self.signals.iter_mut().zip(parts) {
            signal.worth = parts.worth_of(signal);
        }
        self
    }
}

/// The answer and all reasons for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The answer.
    pub status: Status,
    /// Reasons; empty for a pass.
    pub reasons: Vec<String>,
    /// Number of further requests, all in time, that would decide an inconclusive verdict; `None` if requests alone do not
    /// decide it.
    pub more_needed: Option<u64>,
}

/// The standing of a signal.
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
    /// Too few samples to judge, and not enough of them over the limit to miss it.
    TooFew,
    /// Not measured.
    Missing,
}

/// A signal that was weighed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    /// How it stands.
    pub(crate) standing: Standing,
    /// Its sentence.
    pub(crate) sentence: String,
    /// Number of further requests that would decide it; `None` if no number would.
    pub(crate) more_needed: Option<u64>,
}

impl Weighed {
    /// By the figures as they are.
    pub(crate) fn by_figures(signal: &Signal, generator_lagged: bool) -> Weighed {
        let standing = signal.standing(generator_lagged);
        Weighed {
            standing,
            sentence: sentence(signal, standing),
            more_needed: signal.more_needed(),
        }
    }
}

/// A verdict, and what of it is the generator's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Why the generator was the limit, in sentences, of an inconclusive verdict; empty when it was not.
    pub(crate) generator: Vec<String>,
}

/// Reaches a verdict.
///
/// In this order: a run without intended requests, an interrupted one, or one that has neither signals nor a request that
/// succeeded, is inconclusive; any signal over its limit trips;
/// a signal that is missing, has too few samples or was limited by the generator is inconclusive, as is a generator that was
/// the limit, or less than 95 % of the intended requests sent; everything else is a pass. A value equal to its limit is
/// within it.
pub fn judge(evidence: &Evidence) -> Verdict {
    let lagged = evidence.generator_lagged;
    judge_by(evidence, |_, signal| Weighed::by_figures(signal, lagged)).verdict
}

/// The same with another weighing of each signal, given with its position.
pub(crate) fn judge_by(
    evidence: &Evidence,
    weigh: impl Fn(usize, &Signal) -> Weighed,
) -> Judgement {
    let signals = evidence.signals.iter().enumerate();
    let weighed: Vec<Weighed> = signals.map(|(at, signal)| weigh(at, signal)).collect();
    let inconclusive = |reasons, more_needed, generator| Judgement {
        verdict: Verdict {
            status: Status::Inconclusive,
            reasons,
            more_needed,
        },
        generator,
    };
    if evidence.intended == 0 {
        let more = most_needed(weighed.iter()).filter(|more| *more > 0);
        let decided = more.map_or(String::new(), |more| {
            format!("; {} requests in time would decide it", count(more))
        });
        let reason = format!(
            "No request was intended in the window{decided}; lengthen the run or shorten the warm-up."
        );
        return inconclusive(vec![reason], more, Vec::new());
    }
    if evidence.interrupted {
        let reason = "The run was interrupted; let it run to its end.".to_owned();
        return inconclusive(vec![reason], None, Vec::new());
    }
    if evidence.signals.is_empty() && evidence.succeeded == 0 {
        let reason = "No request succeeded, and no objective is set; look at the outcomes, or set one such as --slo \
                      errors=1%.";
        return inconclusive(vec![reason.to_owned()], None, Vec::new());
    }
    let sentences = |wanted: fn(Standing) -> bool| -> Vec<String> {
        let chosen = weighed.iter().filter(|one| wanted(one.standing));
        chosen.map(|one| one.sentence.clone()).collect()
    };
    let over = sentences(|standing| standing == Standing::Over);
    if !over.is_empty() {
        return Judgement {
            verdict: Verdict {
                status: Status::Trip,
                reasons: over,
                more_needed: None,
            },
            generator: Vec::new(),
        };
    }
    let doubtful = weighed
        .iter()
        .filter(|one| one.standing != Standing::Within);
    let (shortfall, more_sent) = not_sent(evidence);
    let more = match evidence.generator_limits.is_empty() {
        true => most_needed(doubtful).map(|more| more.max(more_sent)),
        // A generator that is late is so however long it runs.
        false => None,
    };
    let mut generator = evidence.generator_limits.clone();
    generator.extend(shortfall);
    let mut doubts = sentences(|standing| standing != Standing::Within);
    doubts.extend(generator.iter().cloned());
    if doubts.is_empty() {
        return Judgement {
            verdict: Verdict {
                status: Status::Pass,
                reasons: doubts,
                more_needed: None,
            },
            generator,
        };
    }
    generator.extend(sentences(|standing| standing == Standing::GeneratorLimited));
    inconclusive(doubts, more, generator)
}

/// Number of further requests that would decide all signals; `None` if there is one that they do not decide.
fn most_needed<'a>(weighed: impl Iterator<Item = &'a Weighed>) -> Option<u64> {
    weighed
        .map(|one| one.more_needed)
        .try_fold(0, |most, more| Some(most.max(more?)))
}

/// The sentence for a run that sent less than 95 % of its requests, and the number of further sent requests that would
/// reach 95 %.
fn not_sent(evidence: &Evidence) -> (Option<String>, u64) {
    let Evidence { intended, sent, .. } = *evidence;
    // 95 % in whole numbers: 20 sent for every 19 intended.
    let lacking = (u128::from(intended) * 19).saturating_sub(u128::from(sent) * 20);
    if lacking == 0 {
        return (None, 0);
    }
    let more = u64::try_from(lacking).unwrap_or(u64::MAX);
    let reason = format!(
        "Only {} of {} intended requests were sent, less than 95 %: the others were dropped by `max_in_flight` or by \
         full connections; {} more sent requests would decide it; raise the limit, use more connections, or offer less.",
        count(sent),
        count(intended),
        count(more)
    );
    (Some(reason), more)
}
