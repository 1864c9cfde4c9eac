//! The verdict: does what was measured keep what was promised?
//!
//! [`judge`] is one pure function over declared signals. A plain run, a live run and every step of a ceiling
//! search use it, and nothing else decides. It knows three answers: a limit was missed ([`Status::Trip`]),
//! all were kept ([`Status::Pass`]), or the evidence does not say ([`Status::Inconclusive`]).

mod evidence;
mod signal;

pub use evidence::{LiveEvidence, evidence};
pub use signal::{Limit, Measured, Signal};

/// The answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Every promise was kept.
    Pass,
    /// At least one was broken.
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
}

/// How one signal stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Measured and kept.
    Within,
    /// Measured and broken.
    Over,
    /// Over its limit only because the generator was late.
    GeneratorLimited,
    /// Too few samples to tell.
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
    let inconclusive = |reason: String| Verdict {
        status: Status::Inconclusive,
        reasons: vec![reason],
    };
    if evidence.intended == 0 {
        return inconclusive(
            "No request was intended within the measured window; lengthen the run or shorten the warm-up."
                .to_owned(),
        );
    }
    if evidence.interrupted {
        return inconclusive("The run was interrupted; let it run to its end.".to_owned());
    }
    let standings: Vec<(&Signal, Standing)> = evidence
        .signals
        .iter()
        .map(|signal| (signal, signal.standing(evidence.generator_lagged)))
        .collect();
    let reasons = |wanted: fn(Standing) -> bool| -> Vec<String> {
        let chosen = standings.iter().filter(|(_, standing)| wanted(*standing));
        chosen
            .map(|(signal, standing)| signal.reason(*standing))
            .collect()
    };
    let over = reasons(|standing| standing == Standing::Over);
    if !over.is_empty() {
        return Verdict {
            status: Status::Trip,
            reasons: over,
        };
    }
    let mut doubts = reasons(|standing| standing != Standing::Within);
    doubts.extend(evidence.generator_limits.iter().cloned());
    // 95 % in whole numbers: 20 sent for every 19 intended.
    if u128::from(evidence.sent) * 20 < u128::from(evidence.intended) * 19 {
        doubts.push(format!(
            "Only {} of {} intended requests were sent, less than 95 %: the generator could not keep up; raise \
             its in-flight limit or use more connections.",
            evidence.sent, evidence.intended
        ));
    }
    let status = if doubts.is_empty() {
        Status::Pass
    } else {
        Status::Inconclusive
    };
    Verdict {
        status,
        reasons: doubts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn ms(millis: u64) -> Span {
        Span::from_nanos(millis * 1_000_000)
    }

    /// A p99 limit of 100 ms on so many samples, of which so many responses and services were over it.
    fn p99(samples: u64, response_over: u64, service_over: u64) -> Signal {
        Signal {
            of: "Action ask".to_owned(),
            limit: Limit::Quantile {
                quantile: 0.99,
                limit: ms(100),
            },
            measured: Measured::Quantile {
                samples,
                response_over,
                service_over,
                response: ms(120),
            },
        }
    }

    fn errors(limit: f64, samples: u64, failed: u64) -> Signal {
        Signal {
            of: "Action ask".to_owned(),
            limit: Limit::Errors { share: limit },
            measured: Measured::Errors { samples, failed },
        }
    }

    fn missing() -> Signal {
        Signal {
            measured: Measured::Missing,
            ..p99(0, 0, 0)
        }
    }

    fn backlog(measured: Measured) -> Signal {
        Signal {
            of: "Consumer audit/indexer".to_owned(),
            limit: Limit::BacklogGrowth { per_second: 1.0 },
            measured,
        }
    }

    fn on(signals: Vec<Signal>) -> Evidence {
        Evidence {
            intended: 10_000,
            sent: 10_000,
            signals,
            ..Evidence::default()
        }
    }

    #[test]
    fn the_table_of_verdicts() {
        use Status::{Inconclusive, Pass, Trip};
        let late = |signals| Evidence {
            generator_lagged: true,
            ..on(signals)
        };
        let grows = |per_second| backlog(Measured::BacklogGrowth { per_second });
        let table: [(&str, Evidence, Status, usize); 26] = [
            ("nothing intended", Evidence::default(), Inconclusive, 1),
            (
                "nothing intended beats a trip",
                Evidence {
                    intended: 0,
                    ..on(vec![p99(1000, 99, 99)])
                },
                Inconclusive,
                1,
            ),
            (
                "interrupted",
                Evidence {
                    interrupted: true,
                    ..on(vec![p99(1000, 99, 99)])
                },
                Inconclusive,
                1,
            ),
            ("no signals", on(vec![]), Pass, 0),
            (
                "all within",
                on(vec![p99(1000, 0, 0), errors(0.01, 1000, 0)]),
                Pass,
                0,
            ),
            // Of 1000 samples the 990th decides: ten may be over.
            ("exactly at the rank", on(vec![p99(1000, 10, 10)]), Pass, 0),
            ("one over the rank", on(vec![p99(1000, 11, 11)]), Trip, 1),
            // Of 1001 samples the 991st decides: still ten.
            (
                "nearest rank rounds up",
                on(vec![p99(1001, 10, 10)]),
                Pass,
                0,
            ),
            (
                "nearest rank rounds up, one over",
                on(vec![p99(1001, 11, 11)]),
                Trip,
                1,
            ),
            (
                "999 samples are too few for p99",
                on(vec![p99(999, 0, 0)]),
                Inconclusive,
                1,
            ),
            (
                "too few cannot trip",
                on(vec![p99(999, 999, 999)]),
                Inconclusive,
                1,
            ),
            (
                "errors exactly at the limit",
                on(vec![errors(0.01, 1000, 10)]),
                Pass,
                0,
            ),
            (
                "errors over the limit",
                on(vec![errors(0.01, 1000, 11)]),
                Trip,
                1,
            ),
            (
                "999 samples are too few for 1 %",
                on(vec![errors(0.01, 999, 0)]),
                Inconclusive,
                1,
            ),
            (
                "no errors allowed, one seen",
                on(vec![errors(0.0, 10, 1)]),
                Trip,
                1,
            ),
            (
                "no errors allowed, none seen",
                on(vec![errors(0.0, 10, 0)]),
                Pass,
                0,
            ),
            (
                "a missing signal",
                on(vec![missing(), p99(1000, 0, 0)]),
                Inconclusive,
                1,
            ),
            (
                "a trip beats a missing one",
                on(vec![missing(), p99(1000, 11, 11)]),
                Trip,
                1,
            ),
            (
                "all trips are kept",
                on(vec![p99(1000, 11, 11), errors(0.01, 1000, 500)]),
                Trip,
                2,
            ),
            (
                "late generator, service within",
                late(vec![p99(1000, 11, 10)]),
                Inconclusive,
                1,
            ),
            (
                "late generator, service over too",
                late(vec![p99(1000, 11, 11)]),
                Trip,
                1,
            ),
            (
                "backlog exactly at its limit",
                on(vec![grows(1.0)]),
                Pass,
                0,
            ),
            ("backlog over its limit", on(vec![grows(1.1)]), Trip, 1),
            (
                "a backlog not observed",
                on(vec![backlog(Measured::Missing)]),
                Inconclusive,
                1,
            ),
            (
                "a consumer that vanished",
                on(vec![backlog(Measured::Vanished)]),
                Trip,
                1,
            ),
            (
                "lag by a cap is the system's",
                on(vec![p99(1000, 11, 0)]),
                Trip,
                1,
            ),
        ];
        for (case, evidence, status, reasons) in table {
            let verdict = judge(&evidence);
            assert_eq!(verdict.status, status, "{case}: {verdict:?}");
            assert_eq!(verdict.reasons.len(), reasons, "{case}: {verdict:?}");
        }
    }

    #[test]
    fn a_generator_that_was_the_limit_is_inconclusive() {
        let limited = |signals| Evidence {
            generator_limits: vec!["The generator was late.".to_owned()],
            ..on(signals)
        };
        let verdict = judge(&limited(vec![p99(1000, 0, 0)]));
        assert_eq!(verdict.status, Status::Inconclusive);
        assert_eq!(verdict.reasons, ["The generator was late."]);
        let verdict = judge(&limited(vec![p99(1000, 11, 11)]));
        assert_eq!(verdict.status, Status::Trip);
    }

    #[test]
    fn sending_less_than_95_percent_is_inconclusive() {
        let with = |sent| {
            judge(&Evidence {
                sent,
                ..on(vec![p99(1000, 0, 0)])
            })
            .status
        };
        assert_eq!(with(9_500), Status::Pass);
        assert_eq!(with(9_499), Status::Inconclusive);
        let tripped = Evidence {
            sent: 1,
            ..on(vec![p99(1000, 11, 11)])
        };
        assert_eq!(judge(&tripped).status, Status::Trip);
    }

    #[test]
    fn reasons_name_the_action_the_figure_and_what_to_do() {
        let reasons = judge(&on(vec![p99(1000, 11, 11), errors(0.01, 1000, 20)])).reasons;
        assert_eq!(
            reasons[0],
            "Action ask: the p99 response time of 120ms is over its limit of 100ms (11 of 1000 requests were \
             over it, 10 may be)."
        );
        assert_eq!(
            reasons[1],
            "Action ask: 2 % of the requests failed (20 of 1000), over the limit of 1 %."
        );
        let doubts = judge(&on(vec![p99(7, 0, 0), missing()])).reasons;
        assert_eq!(
            doubts[0],
            "Action ask: 7 requests are too few to tell its p99, which takes 1000; lengthen the run."
        );
        assert!(doubts[1].contains("was not measured"), "{}", doubts[1]);
    }
}
