//! Classes of trials whose truth is known.

use super::*;
use crate::random::{Key, Kind, Purpose};
use crate::statistics::Section;
use crate::time::Span;
use crate::verdict::{Counts, LOWER, LOWER_BY, Limit, Quantile, Requests, Worth, share_of};

/// Response times of successive customers of a queue with one worker of rate 1, Poisson arrivals and exponential times, from
/// the steady state (Lindley 1952).
fn responses(utilisation: f64, number: usize, seed: u64) -> Vec<f64> {
    let key = Key::new(seed, Kind::Service, "worker", Purpose::Service);
    let mut first = key.draw(u64::MAX, 0);
    // The wait is 0 with the probability 1 − ρ, and otherwise exponential of rate 1 − ρ.
    let mut wait = match first.unit() < utilisation {
        true => -libm::log(first.open_unit()) / (1.0 - utilisation),
        false => 0.0,
    };
    let next = |ordinal: usize| {
        let mut draw = key.draw(ordinal as u64, 0);
        let service = -libm::log(draw.open_unit());
        let response = wait + service;
        wait = (response + libm::log(draw.open_unit()) / utilisation).max(0.0);
        response
    };
    (0..number).map(next).collect()
}

/// The counts of these over a limit, in 20 parts.
fn sections(responses: &[f64], limit: f64) -> Vec<Section> {
    let size = responses.len().div_ceil(20);
    let section = |part: &[f64]| Section {
        count: part.len() as u64,
        above: part.iter().filter(|response| **response > limit).count() as u64,
    };
    responses.chunks(size).map(section).collect()
}

fn parts(responses: &[f64], limit: f64, allowed: f64) -> Parts {
    let at_limit = sections(responses, limit);
    let share = share_of(&at_limit);
    let mut sorted = responses.to_vec();
    sorted.sort_by(f64::total_cmp);
    let lower = LOWER.iter().filter(|lower| **lower >= LOWER_BY * share);
    let lower = lower.map(|lower| {
        let at = ((1.0 - lower) * sorted.len() as f64) as usize;
        sections(responses, sorted[at])
    });
    let span = |response: f64| Span::from_nanos_f64(response * 1e6);
    let quantile_of = |sorted: &[f64]| {
        let at = ((1.0 - allowed) * sorted.len() as f64) as usize;
        span(sorted[at])
    };
    let of_part = |part: &[f64]| {
        let mut part = part.to_vec();
        part.sort_by(f64::total_cmp);
        quantile_of(&part)
    };
    Parts {
        lower: lower.collect(),
        at_limit,
        chained: true,
        quantile: Some(Quantile {
            limit: span(limit),
            whole: quantile_of(&sorted),
            parts: responses
                .chunks(responses.len().div_ceil(20))
                .map(of_part)
                .collect(),
        }),
    }
}

fn quantile(quantile: f64, samples: u64, over: u64) -> Signal {
    Signal {
        of: "Action ask".to_owned(),
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
        limit: Limit::Quantile {
            quantile,
            limit: Span::from_nanos(50_000_000),
        },
        measured: Measured::Quantile(Requests {
            sent: samples,
            answered: samples,
            failed: None,
            held: samples,
            response_over: over,
            service_over: over,
            response: Some(Span::from_nanos(49_000_000)),
        }),
    }
}

fn of(signals: Vec<Signal>) -> Evidence {
    Evidence {
        intended: 10_000,
        sent: 10_000,
        signals,
        ..Evidence::default()
    }
}

/// The class of a trial of such a queue whose limit is by this factor from where its share over it is the one allowed,
/// looked at up to three times.
fn class(utilisation: f64, allowed: f64, factor: f64, first: usize, seed: u64) -> Status {
    let limit = -libm::log(allowed) / (1.0 - utilisation) * factor;
    let responses = responses(utilisation, first << 2, seed);
    let mut look = Look::FIRST;
    for doubled in 0..3 {
        let parts = parts(&responses[..first << doubled], limit, allowed);
        let (count, above) = parts
            .at_limit
            .iter()
            .fold((0, 0), |sum, part| (sum.0 + part.count, sum.1 + part.above));
        let evidence = of(vec![quantile(1.0 - allowed, count, above)]);
        let judged = judged(&evidence, &[parts], look);
        if judged.status != Status::Inconclusive {
            return judged.status;
        }
        look = look.next();
    }
    Status::Inconclusive
}

/// How many of this many trials are of a class.
fn number(of: Status, trials: u64, class: impl Fn(u64) -> Status) -> u64 {
    let is_it = |seed: &u64| class(*seed) == of;
    (0..trials).filter(is_it).count() as u64
}

#[test]
fn a_system_at_its_limit_is_seldom_judged_and_as_often_wrongly_as_is_allowed() {
    for (utilisation, allowed, first) in [
        (0.3, 0.01, 2_000),
        (0.5, 0.01, 4_000),
        (0.8, 0.05, 4_000),
        (0.9, 0.1, 16_000),
    ] {
        let trials = 200;
        let classes: Vec<Status> = (0..trials)
            .map(|seed| class(utilisation, allowed, 1.0, first, seed))
            .collect();
        for wrong in [Status::Trip, Status::Pass] {
            let times = classes.iter().filter(|class| **class == wrong).count();
            assert!(
                times as f64 <= ALPHA * trials as f64,
                "{times} of {trials} {wrong:?} at {utilisation} for {allowed}"
            );
        }
    }
}

#[test]
fn clearly_better_and_worse_systems_come_out() {
    for (utilisation, allowed) in [(0.3, 0.01), (0.5, 0.01), (0.7, 0.05)] {
        for (factor, class_of_it) in [(1.8, Status::Pass), (0.6, Status::Trip)] {
            let trials = 40;
            let right = number(class_of_it, trials, |seed| {
                class(utilisation, allowed, factor, 4_000, seed)
            });
            assert!(
                right >= 36,
                "{right} of {trials} {class_of_it:?} at {utilisation} by {factor}"
            );
        }
    }
}

/// A search below the ceiling meets loads at which nothing is over the limit by far, and few bursts.
#[test]
fn a_system_far_from_its_limit_passes_though_it_met_few_bursts() {
    // A trial is as long as 40 times what the queue remembers, 1 / (1 − ρ)² requests.
    let passes = |factor: f64| {
        number(Status::Pass, 40, |seed| {
            class(0.9, 0.1, factor, 4_000, seed)
        })
    };
    let far = passes(3.0);
    assert!(far >= 34, "{far} of 40");
    let near = passes(1.2);
    assert!(near <= 20, "{near} of 40");
}

#[test]
fn a_running_trial_that_may_get_far_below_its_limit_is_settled_only_by_what_is_over_it() {
    let spans = |millis: u64| Span::from_nanos(millis * 1_000_000);
    let with_quantile = |(evidence, mut parts): (Evidence, Vec<Parts>), millis: u64| {
        parts[0].quantile = Some(Quantile {
            limit: spans(50),
            whole: spans(millis),
            parts: vec![spans(millis); 20],
        });
        (evidence, parts)
    };
    let settled_at =
        |of: &(Evidence, Vec<Parts>), to_come| settled(&of.0, &of.1, Look::FIRST, to_come);
    // So many are over that no rest of it changes that, however quick.
    let overload = with_quantile(even(500, 500), 400);
    assert_eq!(settled_at(&overload, 10_000), Some(Status::Trip));
    // Far below by now: what is still to come may all be over.
    let light = with_quantile(even(500, 0), 20);
    assert_eq!(status(&light), Status::Pass);
    assert_eq!(settled_at(&light, 10_000), None);
    // Near the limit by now, which the rest may change.
    let near = with_quantile(even(500, 0), 40);
    assert_eq!(status(&near), Status::Inconclusive);
    assert_eq!(settled_at(&near, 10), None);
}

#[test]
fn who_fails_is_not_far_below_a_limit() {
    let far = |failed: u64| {
        let mut signal = quantile(0.9, 4_000, 0);
        if let Measured::Quantile(requests) = &mut signal.measured {
            requests.failed = Some(failed);
        }
        let parts = Parts {
            quantile: Some(Quantile {
                limit: Span::from_nanos(50_000_000),
                whole: Span::from_nanos(20_000_000),
                parts: vec![Span::from_nanos(20_000_000); 20],
            }),
            ..independent(200, &[0; 20])
        };
        status(&(of(vec![signal]), vec![parts]))
    };
    assert_eq!(far(0), Status::Pass);
    assert_eq!(far(1), Status::Inconclusive);
}

/// Parts of equal size in which these are over the limit.
fn independent(count: u64, above: &[u64]) -> Parts {
    let section = |&above: &u64| Section { count, above };
    Parts {
        at_limit: above.iter().map(section).collect(),
        lower: Vec::new(),
        chained: true,
        quantile: None,
    }
}

/// A trial of a p99 of 20 parts of this many requests, of each of which this many are over.
fn even(count: u64, above: u64) -> (Evidence, Vec<Parts>) {
    let evidence = of(vec![quantile(0.99, 20 * count, 20 * above)]);
    (evidence, vec![independent(count, &[above; 20])])
}

fn status(of: &(Evidence, Vec<Parts>)) -> Status {
    judged(&of.0, &of.1, Look::FIRST).status
}

#[test]
fn the_nearer_to_the_limit_the_more_it_takes() {
    use Status::{Inconclusive, Pass, Trip};
    // 1 % may be over: 100 of 10,000, 1,000 of 100,000.
    for (count, above, expected) in [
        (500, 2, Pass),
        (500, 4, Inconclusive),
        (500, 5, Inconclusive),
        (500, 6, Inconclusive),
        (500, 9, Trip),
        (5_000, 45, Pass),
        (5_000, 50, Inconclusive),
        (5_000, 55, Trip),
        (5_000, 5_000, Trip),
    ] {
        assert_eq!(status(&even(count, above)), expected, "{above} of {count}");
    }
    // The same shares in bursts are worth less.
    let bursts = [
        0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 20, 0, 0,
    ];
    let evidence = of(vec![quantile(0.99, 10_000, bursts.iter().sum())]);
    let judged_so = judged(&evidence, &[independent(500, &bursts)], Look::FIRST);
    assert_eq!(judged_so.status, Inconclusive);
    assert_eq!(judged_so.shares[0].effective, Some(20.0));
}

#[test]
fn a_later_look_takes_more() {
    let (evidence, parts) = even(500, 2);
    let mut look = Look::FIRST;
    assert_eq!(judged(&evidence, &parts, look).status, Status::Pass);
    let sum: f64 = (0..1000)
        .map(|_| {
            let alpha = look.alpha();
            look = look.next();
            2.0 * alpha
        })
        .sum();
    assert!(ALPHA * 0.99 < sum && sum < ALPHA, "{sum}");
    let (evidence, parts) = even(500, 3);
    assert_eq!(judged(&evidence, &parts, Look::FIRST).status, Status::Pass);
    assert_eq!(judged(&evidence, &parts, look).status, Status::Inconclusive);
}

#[test]
fn an_open_trial_says_how_many_requests_are_missing_and_so_many_decide_it() {
    let (evidence, parts) = even(500, 4);
    let open = judged(&evidence, &parts, Look::FIRST);
    assert_eq!(open.status, Status::Inconclusive);
    let more = open
        .more_needed
        .expect("the share is not that of the limit");
    assert!(
        open.reasons[0].contains("more requests would decide it: lengthen the trial"),
        "{:?}",
        open.reasons
    );
    let with = |more: u64| {
        let samples = (10_000 + more).next_multiple_of(20);
        let over = (samples * 4).div_ceil(500);
        let above: Vec<u64> = (0..20).map(|at| (over + at) / 20).collect();
        let evidence = of(vec![quantile(0.99, samples, over)]);
        judged(&evidence, &[independent(samples / 20, &above)], Look::FIRST).status
    };
    assert_eq!(with(more + more / 10), Status::Pass);
    assert_eq!(with(more - more / 10), Status::Inconclusive);
    // At the limit itself no number would.
    let (evidence, parts) = even(500, 5);
    let open = judged(&evidence, &parts, Look::FIRST);
    assert_eq!(open.more_needed, None);
    assert!(
        open.reasons[0].contains("try another load"),
        "{:?}",
        open.reasons
    );
}

#[test]
fn whatever_is_no_matter_of_chance_is_as_in_a_plain_verdict() {
    use Status::{Inconclusive, Pass, Trip};
    let (passes, parts) = even(500, 2);
    let (trips, many) = even(500, 9);
    let class = |evidence: &Evidence, parts: &[Parts]| judged(evidence, parts, Look::FIRST);
    let nothing = Evidence {
        intended: 0,
        ..trips.clone()
    };
    assert_eq!(class(&nothing, &many).status, Inconclusive);
    let unsent = |evidence: &Evidence| Evidence {
        sent: 9_000,
        ..evidence.clone()
    };
    let held_back = class(&unsent(&passes), &parts);
    assert_eq!(held_back.status, Inconclusive);
    assert_eq!(held_back.generator_limits, held_back.reasons);
    assert!(held_back.generator_limits[0].contains("less than 95 %"));
    // A shortfall does not hide a trip: the system may be what holds the generator back.
    assert_eq!(class(&unsent(&trips), &many).status, Trip);
    let limited = Evidence {
        generator_limits: vec!["The generator was late.".to_owned()],
        ..passes.clone()
    };
    let limited = class(&limited, &parts);
    assert_eq!((limited.status, limited.more_needed), (Inconclusive, None));
    assert_eq!(limited.generator_limits, ["The generator was late."]);
    let mut vanished = passes.clone();
    vanished.signals.push(Signal {
        of: "Consumer audit/indexer".to_owned(),
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
        limit: Limit::BacklogGrowth { per_second: 1.0 },
        measured: Measured::Vanished,
    });
    assert_eq!(class(&vanished, &parts).status, Trip);
    vanished.signals[1].measured = Measured::Missing;
    assert_eq!(class(&vanished, &parts).status, Inconclusive);
    assert_eq!(class(&passes, &parts).status, Pass);
    let interrupted = Evidence {
        interrupted: true,
        ..trips
    };
    assert_eq!(class(&interrupted, &many).status, Inconclusive);
    // Three requests of which none was answered are few, and all that there were.
    let mut none = of(vec![quantile(0.99, 3, 3)]);
    if let Measured::Quantile(requests) = &mut none.signals[0].measured {
        (requests.answered, requests.failed, requests.held) = (0, Some(3), 0);
    }
    assert_eq!(class(&none, &[]).status, Trip);
}

#[test]
fn a_late_generator_cannot_trip() {
    let (mut evidence, parts) = even(500, 9);
    evidence.generator_lagged = true;
    assert_eq!(status(&(evidence.clone(), parts.clone())), Status::Trip);
    if let Measured::Quantile(requests) = &mut evidence.signals[0].measured {
        requests.service_over = 90;
    }
    let limited = judged(&evidence, &parts, Look::FIRST);
    assert_eq!(limited.status, Status::Inconclusive);
    assert!(limited.generator_limits[0].contains("the generator was late"));
    evidence.generator_lagged = false;
    assert_eq!(status(&(evidence, parts)), Status::Trip);
}

#[test]
fn what_may_never_happen_or_always_needs_no_test() {
    let errors = |share: f64, failed: u64| {
        let signal = Signal {
            limit: Limit::Errors { share },
            measured: Measured::Errors {
                samples: 1_000,
                failed,
            },
            ..quantile(0.99, 0, 0)
        };
        let mut above = [0; 20];
        above[0] = failed;
        status(&(of(vec![signal]), vec![independent(50, &above)]))
    };
    assert_eq!(errors(0.0, 0), Status::Pass);
    assert_eq!(errors(0.0, 1), Status::Trip);
    assert_eq!(errors(1.0, 40), Status::Pass);
    // Nothing failed; but twenty parts, of which nothing says how alike they are, are worth twenty requests.
    assert_eq!(errors(0.001, 0), Status::Inconclusive);
}

#[test]
fn a_running_trial_is_settled_once_the_rest_cannot_change_its_class() {
    let settled_at =
        |of: &(Evidence, Vec<Parts>), to_come| settled(&of.0, &of.1, Look::FIRST, to_come);
    let worse = even(500, 30);
    assert_eq!(status(&worse), Status::Trip);
    assert_eq!(settled_at(&worse, 0), Some(Status::Trip));
    assert_eq!(settled_at(&worse, 10_000), Some(Status::Trip));
    // This many in time would make it 600 of 110,000.
    assert_eq!(settled_at(&worse, 100_000), None);
    let better = even(500, 0);
    // Nothing was ever over, so 20 parts tell as much as 20 requests, and a few more of them change nothing.
    assert_eq!(settled_at(&better, 10), Some(Status::Inconclusive));
    let better = even(500, 1);
    assert_eq!(settled_at(&better, 10), Some(Status::Pass));
    assert_eq!(settled_at(&better, 10_000), None);
    let near = even(500, 5);
    assert_eq!(settled_at(&near, 1), Some(Status::Inconclusive));
    assert_eq!(settled_at(&near, 10_000), None);
    // What is not counted may change to the end, and with it a pass.
    let mut with_backlog = better;
    with_backlog.0.signals.push(Signal {
        of: "Consumer audit/indexer".to_owned(),
        counts: Counts::Requests,
        requests: None,
        worth: Worth::EACH_ALONE,
        limit: Limit::BacklogGrowth { per_second: 1.0 },
        measured: Measured::Missing,
    });
    assert_eq!(settled_at(&with_backlog, 10), None);
    assert_eq!(settled(&of(Vec::new()), &[], Look::FIRST, 10), None);
}
