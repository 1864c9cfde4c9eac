use super::*;
use crate::time::Span;

fn ms(millis: u64) -> Span {
    Span::from_nanos(millis * 1_000_000)
}

/// A p99 limit of 100 ms on this many samples, of which this many responses and services were over it.
fn p99(samples: u64, response_over: u64, service_over: u64) -> Signal {
    Signal {
        of: "Action ask".to_owned(),
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
        limit: Limit::Quantile {
            quantile: 0.99,
            limit: ms(100),
        },
        measured: Measured::Quantile(Requests {
            sent: samples,
            answered: samples,
            failed: None,
            held: samples,
            response_over,
            service_over,
            response: Some(ms(120)),
        }),
    }
}

/// The same limit without its own objective for failures: of this many requests this many failed, and of the others
/// this many responses were over it.
fn p99_of_all(sent: u64, failed: u64, response_over: u64) -> Signal {
    of_all(0.99, sent, failed, response_over)
}

fn of_all(quantile: f64, sent: u64, failed: u64, response_over: u64) -> Signal {
    Signal {
        of: "Action ask".to_owned(),
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
        limit: Limit::Quantile {
            quantile,
            limit: ms(50),
        },
        measured: Measured::Quantile(Requests {
            sent,
            answered: sent - failed,
            failed: Some(failed),
            held: sent - failed,
            response_over,
            service_over: response_over,
            response: (failed < sent).then_some(ms(12)),
        }),
    }
}

/// The p99 limit beside an objective for failures, where this many were sent, none of them answered, and this many of them
/// hold an age.
fn unanswered(sent: u64, held: u64) -> Signal {
    Signal {
        measured: Measured::Quantile(Requests {
            sent,
            answered: 0,
            failed: None,
            held,
            response_over: 0,
            service_over: 0,
            response: (held > 0).then_some(ms(12)),
        }),
        ..p99(0, 0, 0)
    }
}

fn errors(limit: f64, samples: u64, failed: u64) -> Signal {
    Signal {
        of: "Action ask".to_owned(),
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
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
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
        limit: Limit::BacklogGrowth { per_second: 1.0 },
        measured,
    }
}

fn on(signals: Vec<Signal>) -> Evidence {
    Evidence {
        intended: 10_000,
        sent: 10_000,
        succeeded: 10_000,
        signals,
        ..Evidence::default()
    }
}

#[test]
fn the_test_of_growth_trips_by_what_grows_and_passes_by_enough_messages() {
    use Status::{Inconclusive, Pass, Trip};
    let judged = |grows, arrivals| {
        let signal = Signal {
            limit: Limit::NoGrowth,
            ..backlog(Measured::BacklogGrowth {
                per_second: 0.25,
                grows,
                arrivals,
            })
        };
        let verdict = judge(&on(vec![signal]));
        (verdict.status, verdict.more_needed)
    };
    for (grows, arrivals, expected) in [
        (Some(true), Some(50_000), (Trip, None)),
        (Some(true), Some(50), (Trip, None)),
        (Some(true), None, (Trip, None)),
        (Some(false), Some(20_000), (Pass, None)),
        (Some(false), Some(19_999), (Inconclusive, Some(1))),
        (Some(false), None, (Inconclusive, None)),
        (None, Some(50_000), (Inconclusive, None)),
        (None, None, (Inconclusive, None)),
    ] {
        assert_eq!(judged(grows, arrivals), expected, "{grows:?} {arrivals:?}");
    }
    let of = |measured| Signal {
        limit: Limit::NoGrowth,
        ..backlog(measured)
    };
    assert_eq!(judge(&on(vec![of(Measured::Missing)])).status, Inconclusive);
    assert_eq!(judge(&on(vec![of(Measured::Vanished)])).status, Trip);
}

#[test]
fn the_table_of_verdicts() {
    use Status::{Inconclusive, Pass, Trip};
    let late = |signals| Evidence {
        generator_lagged: true,
        ..on(signals)
    };
    let grows = |per_second| {
        backlog(Measured::BacklogGrowth {
            per_second,
            grows: None,
            arrivals: None,
        })
    };
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
            "too few protect a pass and no failure",
            on(vec![p99(999, 999, 999)]),
            Trip,
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
fn few_samples_trip_where_an_exact_test_rules_the_limit_out() {
    use Standing::{Over, TooFew, Within};
    let table = [
        ("999 of 999 fail", errors(0.01, 999, 999), Over),
        ("40 % of 300 fail", errors(0.01, 300, 120), Over),
        ("one error in 300", errors(0.01, 300, 1), TooFew),
        ("10 of 10 unanswered", of_all(0.95, 10, 10, 0), Over),
        ("9 of 10 unanswered", of_all(0.95, 10, 9, 0), Over),
        // P(X >= 3 | 20, 5 %) = 7.5 %, P(X >= 4 | 20, 5 %) = 1.6 %.
        ("3 of 20 over p95", of_all(0.95, 20, 0, 3), TooFew),
        ("4 of 20 over p95", of_all(0.95, 20, 0, 4), Over),
        (
            "failed and slow ones together",
            of_all(0.95, 20, 2, 2),
            Over,
        ),
        // Of the samples that the point rule takes, the point alone decides.
        ("11 of 1000", p99(1000, 11, 11), Over),
        ("10 of 1000", p99(1000, 10, 10), Within),
        ("no error allowed", errors(0.0, 1, 0), Within),
        ("no error allowed, one of two", errors(0.0, 2, 1), Over),
    ];
    for (case, signal, standing) in table {
        assert_eq!(signal.standing(false), standing, "{case}");
    }
}

#[test]
fn few_samples_that_only_the_generator_delayed_do_not_trip() {
    assert_eq!(p99(20, 9, 0).standing(true), Standing::GeneratorLimited);
    assert_eq!(p99(20, 9, 0).standing(false), Standing::Over);
    assert_eq!(p99(20, 9, 9).standing(true), Standing::Over);
}

#[test]
fn a_quantile_is_of_requests_not_of_replies() {
    assert_eq!(p99_of_all(11_021, 110, 0).standing(false), Standing::Within);
    assert_eq!(p99_of_all(11_021, 0, 110).standing(false), Standing::Within);
    assert_eq!(p99_of_all(11_021, 60, 51).standing(false), Standing::Over);
    let failing = p99_of_all(11_021, 5_513, 0);
    assert_eq!(failing.standing(false), Standing::Over);
    assert_eq!(
        sentence(&failing, Standing::Over),
        "Action ask: p99 is over its objective of 50 ms: 5,513 of 11,021 failed, which counts as over, and 0 exceeded \
         it; 110 allowed (50 %, 95 % interval 49.1 % to 51 %)."
    );
    // A failure is not the generator's, however late that was.
    assert_eq!(failing.standing(true), Standing::Over);
}

#[test]
fn an_action_of_which_nothing_was_answered_trips() {
    for signal in [
        p99_of_all(313, 313, 0),
        unanswered(313, 0),
        unanswered(1, 1),
        errors(0.5, 1, 1),
    ] {
        assert_eq!(signal.standing(false), Standing::Over, "{signal:?}");
        let line = sentence(&signal, Standing::Over);
        assert!(line.contains("no request was answered"), "{line}");
    }
    assert_eq!(errors(1.0, 1, 1).standing(false), Standing::TooFew);
    assert_eq!(errors(1.0, 10, 10).standing(false), Standing::Within);
}

#[test]
fn a_line_says_how_near_the_limit_is() {
    let line = |signal: Signal| sentence(&signal, signal.standing(false));
    let near = "; near the objective: ";
    assert!(line(p99(10_000, 95, 0)).contains("near the objective: 6 more over it would miss it"));
    assert!(
        line(p99(10_000, 105, 105)).contains("near the objective: 5 fewer over it would meet it")
    );
    assert!(line(errors(0.01, 10_000, 100)).contains("near the objective: 1 more"));
    assert!(!line(p99(10_000, 40, 0)).contains(near));
    assert!(!line(p99(10_000, 200, 200)).contains(near));
    assert!(!line(errors(0.0, 10_000, 0)).contains(near));
}

#[test]
fn more_requests_that_would_decide_do_decide() {
    let quantiles = [(1, 0), (7, 0), (300, 3), (972, 15)].map(|(n, x)| p99_of_all(n, 0, x));
    let shares = [(0.01, 300, 1), (0.001, 4_000, 7), (0.03, 33, 1)];
    let shares = shares.map(|(limit, samples, failed)| errors(limit, samples, failed));
    for signal in quantiles.into_iter().chain(shares) {
        assert_eq!(signal.standing(false), Standing::TooFew, "{signal:?}");
        let with = |more: u64| match signal.measured {
            Measured::Quantile(of) => of_all(0.99, of.sent + more, 0, of.response_over),
            Measured::Errors { samples, failed } => Signal {
                measured: Measured::Errors {
                    samples: samples + more,
                    failed,
                },
                ..signal.clone()
            },
            _ => panic!("{signal:?}"),
        };
        let Some(more) = signal.more_needed() else {
            panic!("a number decides {signal:?}");
        };
        assert_eq!(
            with(more).standing(false),
            Standing::Within,
            "{more}: {signal:?}"
        );
        assert_ne!(
            with(more - 1).standing(false),
            Standing::Within,
            "{more}: {signal:?}"
        );
    }
    assert_eq!(missing().more_needed(), Some(1000));
    assert_eq!(errors(0.01, 300, 1).more_needed(), Some(700));
    assert_eq!(errors(0.0, 3, 1).more_needed(), None);
    assert_eq!(errors(1e-300, 3, 1).more_needed(), None);
    assert_eq!(backlog(Measured::Missing).more_needed(), None);
}

#[test]
fn an_inconclusive_verdict_says_how_many_more_would_decide_it() {
    let more = |evidence: &Evidence| judge(evidence).more_needed;
    let few = || vec![errors(0.01, 300, 1), p99(990, 0, 0)];
    assert_eq!(more(&on(few())), Some(700));
    assert_eq!(more(&on(vec![p99(1000, 0, 0)])), None);
    assert_eq!(more(&on(vec![p99(1000, 11, 11)])), None);
    assert_eq!(
        more(&on(vec![backlog(Measured::Missing), p99(7, 0, 0)])),
        None
    );
    let nothing = Evidence {
        intended: 0,
        ..on(vec![missing()])
    };
    assert_eq!(more(&nothing), Some(1000));
    assert!(judge(&nothing).reasons[0].contains("1,000 requests in time would decide it"));
    let unsent = |sent| Evidence {
        sent,
        ..on(vec![p99(1000, 0, 0)])
    };
    assert_eq!(more(&unsent(9_499)), Some(20));
    assert!(judge(&unsent(9_499)).reasons[0].contains("9,499 of 10,000"));
    let limited = Evidence {
        generator_limits: vec!["The generator was late.".to_owned()],
        ..on(few())
    };
    assert_eq!(more(&limited), None);
}

#[test]
fn reasons_name_the_action_the_figure_and_what_to_do() {
    let reasons = judge(&on(vec![p99(1000, 11, 11), errors(0.01, 1000, 20)])).reasons;
    assert_eq!(
        reasons[0],
        "Action ask: p99 120 ms is over its objective of 100 ms: 11 of 1,000 exceeded it; 10 allowed (1.1 %, 95 % \
         interval 0.55 % to 1.96 %); near the objective: 1 fewer over it would meet it."
    );
    assert_eq!(
        reasons[1],
        "Action ask: errors are over their objective of 1 %: 20 of 1,000 failed; 10 allowed (2 %, 95 % interval 1.23 % to \
         3.07 %)."
    );
    let doubts = judge(&on(vec![p99(7, 0, 0), missing()])).reasons;
    assert_eq!(
        doubts[0],
        "Action ask: 7 requests are too few to judge its p99 (1,000 needed): 0 of 7 exceeded 100 ms; 0 allowed (0 %, \
         95 % interval 0 % to 41 %); 993 more requests in time would decide it; lengthen the run."
    );
    assert!(
        doubts[1].contains("was not measured (1,000 requests needed)"),
        "{}",
        doubts[1]
    );
}

#[test]
fn many_deliveries_of_few_requests_prove_nothing() {
    let of = |requests, missing| Signal {
        of: "Action say".to_owned(),
        counts: Counts::Deliveries,
        requests: Some(requests),
        worth: Worth::EACH_ALONE,
        limit: Limit::Missing { share: 0.01 },
        measured: Measured::Errors {
            samples: 20_000,
            failed: missing,
        },
    };
    assert_eq!(of(9, 0).standing(false), Standing::TooFew);
    let told = sentence(&of(9, 0), Standing::TooFew);
    assert!(
        told.contains("deliveries of 9 requests are too few"),
        "{told}"
    );
    assert_eq!(of(10, 0).standing(false), Standing::Within);
    // Too few protect a pass, never a failure.
    assert_eq!(of(1, 20_000).standing(false), Standing::Over);
    assert_eq!(of(9, 400).standing(false), Standing::Over);
}
