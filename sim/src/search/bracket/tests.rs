//! Searches whose truth is known, and searches that are told anything.

use proptest::prelude::*;

use super::*;
use crate::search::Direction;
use crate::verdict::Status;

fn rates(from: f64, to: f64) -> Wanted {
    Wanted {
        range: Range {
            from,
            to,
            whole: false,
            direction: Direction::Rising,
        },
        precision: 0.03,
        confirm: 2,
        most_trials: 60,
        longest: 4,
        predicted: None,
    }
}

fn whole(from: f64, to: f64, direction: Direction) -> Wanted {
    Wanted {
        range: Range {
            from,
            to,
            whole: true,
            direction,
        },
        ..rates(from, to)
    }
}

fn judged(status: Status) -> Judged {
    Judged {
        status,
        reasons: vec![format!("{status:?}")],
        more_needed: None,
        generator_limits: Vec::new(),
        shares: Vec::new(),
    }
}

fn limited() -> Judged {
    Judged {
        generator_limits: vec!["The generator was late.".to_owned()],
        ..judged(Status::Inconclusive)
    }
}

/// Runs a search in which each trial is judged so, given its number; the loads that were asked for, and how it ended.
fn search(wanted: Wanted, mut judge: impl FnMut(usize, Ask) -> Judged) -> (Vec<f64>, Bracket) {
    let mut bracket = Bracket::new(wanted).unwrap_or_else(|why| panic!("{why}"));
    let mut asked = Vec::new();
    while let Some(ask) = bracket.next_trial() {
        assert!(
            bracket.loads().contains(&ask.load),
            "{ask:?} was not announced"
        );
        asked.push(ask.load);
        assert!(asked.len() as u64 <= bracket.most_trials(), "{asked:?}");
        let judged = judge(asked.len() - 1, ask);
        bracket.tried(ask.load, &judged);
        let (lower, upper) = bracket.bounds();
        if let (Some(lower), Some(upper)) = (lower, upper) {
            let is_below = match wanted.range.direction {
                Direction::Rising => lower < upper,
                Direction::Falling => lower > upper,
            };
            assert!(is_below, "{lower} {upper} after {asked:?}");
        }
    }
    (asked, bracket)
}

/// Passes up to a ceiling.
fn up_to(ceiling: f64) -> impl Fn(usize, Ask) -> Judged {
    move |_, ask| {
        judged(match ask.load <= ceiling {
            true => Status::Pass,
            false => Status::Trip,
        })
    }
}

fn ceiling(bracket: &Bracket) -> Ceiling {
    match bracket.ended() {
        Ended::Ceiling(ceiling) => ceiling,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sharp_ceiling_is_found_to_the_precision_and_confirmed() {
    for truth in [11.0, 240.0, 2_010.0, 8_900.0] {
        let (asked, bracket) = search(rates(10.0, 10_000.0), up_to(truth));
        let found = ceiling(&bracket);
        assert!(found.precise, "{truth}");
        assert!(
            found.load <= truth && truth < 1.031 * found.load,
            "{truth}: {found:?}"
        );
        let [low, high] = found.interval.expect("both bounds are confirmed");
        assert!(
            low <= truth && truth < high && low == found.load,
            "{found:?}"
        );
        assert!(asked.len() <= 20, "{truth}: {asked:?}");
        let times = |load: f64| asked.iter().filter(|asked| **asked == load).count();
        assert_eq!((times(low), times(high)), (2, 2));
        // Easy loads first, and never more than a stride beyond what passed.
        assert_eq!(asked[0], 10.0);
        for (at, load) in asked.iter().enumerate() {
            let passed = asked[..at].iter().filter(|load| **load <= truth);
            let most = passed.fold(5.0f64, |most, load| most.max(*load));
            assert!(*load <= 2.1 * most, "{load} after {most}");
        }
    }
}

#[test]
fn a_prediction_saves_trials_whether_it_is_right_or_not() {
    let trials = |predicted: Option<f64>| {
        let wanted = Wanted {
            predicted,
            ..rates(1.0, 100_000.0)
        };
        let (asked, bracket) = search(wanted, up_to(2_010.0));
        let load = ceiling(&bracket).load;
        assert!(
            load <= 2_010.0 && 2_010.0 < 1.031 * load,
            "{predicted:?}: {load}"
        );
        asked
    };
    let plain = trials(None).len();
    let right = trials(Some(2_040.0));
    assert!(
        right.len() <= 9 && right.len() < plain,
        "{right:?}, {plain}"
    );
    // Around the prediction first: below, then above.
    assert!(right[0] < 2_010.0 && right[0] > 1_700.0, "{right:?}");
    assert!(right[1] > 2_040.0 && right[1] < 2_400.0, "{right:?}");
    for wrong in [400.0, 20_000.0, 0.001, 1e12] {
        trials(Some(wrong));
    }
}

#[test]
fn whole_parameters_are_found_to_one_unit_and_falling_ones_from_above() {
    for truth in [1.0, 7.0, 25.0] {
        let (_, bracket) = search(whole(1.0, 40.0, Direction::Rising), up_to(truth));
        let found = ceiling(&bracket);
        assert_eq!(
            (found.load, found.interval),
            (truth, Some([truth, truth + 1.0]))
        );
        // It takes at least this many workers.
        let enough = |_: usize, ask: Ask| {
            judged(match ask.load >= truth {
                true => Status::Pass,
                false => Status::Trip,
            })
        };
        let (asked, bracket) = search(whole(1.0, 40.0, Direction::Falling), enough);
        assert_eq!(asked[0], 40.0);
        match truth {
            1.0 => assert_eq!(bracket.ended(), Ended::AtLeast(1.0, AtLeast::EndOfRange)),
            _ => {
                let found = ceiling(&bracket);
                assert_eq!(found.load, truth);
                assert_eq!(found.interval, Some([truth - 1.0, truth]));
            }
        }
    }
}

#[test]
fn the_ends_of_the_range_are_answers() {
    let (asked, bracket) = search(rates(10.0, 100.0), up_to(1e9));
    assert_eq!(bracket.ended(), Ended::AtLeast(100.0, AtLeast::EndOfRange));
    assert_eq!(asked.len(), bracket.first_loads().len() + 1, "{asked:?}");
    let (asked, bracket) = search(rates(10.0, 100.0), up_to(1.0));
    assert_eq!((asked, bracket.ended()), (vec![10.0; 2], Ended::NonePassed));
    let (_, bracket) = search(whole(3.0, 3.0, Direction::Rising), up_to(3.0));
    assert_eq!(bracket.ended(), Ended::AtLeast(3.0, AtLeast::EndOfRange));
}

#[test]
fn ranges_without_values_are_refused() {
    for (from, to, is_whole) in [
        (10.0, 1.0, false),
        (0.0, 10.0, false),
        (-1.0, 10.0, false),
        (f64::NAN, 10.0, false),
        (1.0, f64::INFINITY, false),
        (2.2, 2.8, true),
    ] {
        let mut wanted = rates(from, to);
        wanted.range.whole = is_whole;
        assert!(Bracket::new(wanted).is_err(), "{from} {to}");
    }
}

#[test]
fn inversions_settle_downwards() {
    // A load far below the ceiling trips once, by chance.
    let (asked, bracket) = search(rates(10.0, 10_000.0), |nth, ask| {
        judged(match ask.load <= 2_010.0 && nth != 3 {
            true => Status::Pass,
            false => Status::Trip,
        })
    });
    let found = ceiling(&bracket);
    assert!(found.load < asked[3], "{found:?} {asked:?}");
    assert!(
        !found.precise && found.interval.is_none(),
        "the trip was not confirmed: {found:?}"
    );
    // And where the lower bound trips when it is tried again, the next one below takes its place.
    let mut seen: Vec<f64> = Vec::new();
    let (_, bracket) = search(rates(10.0, 10_000.0), |_, ask| {
        let again = seen.contains(&ask.load);
        seen.push(ask.load);
        let limit = if again { 1_500.0 } else { 2_010.0 };
        judged(match ask.load <= limit {
            true => Status::Pass,
            false => Status::Trip,
        })
    });
    let found = ceiling(&bracket);
    assert!(found.load <= 1_500.0 && found.precise, "{found:?}");
}

#[test]
fn trials_that_say_nothing_are_made_longer_and_neither_pass_nor_stop() {
    let mut lengths = Vec::new();
    let (asked, bracket) = search(rates(10.0, 10_000.0), |_, ask| {
        if ask.load > 280.0 && ask.load < 500.0 {
            lengths.push((ask.load, ask.times_longer));
            return Judged {
                more_needed: Some(1_000),
                ..judged(Status::Inconclusive)
            };
        }
        up_to(2_010.0)(0, ask)
    });
    let times: Vec<u32> = lengths.iter().map(|(_, times)| *times).collect();
    assert_eq!(times, [1, 2, 4, 4, 4]);
    assert!(
        lengths.iter().all(|(load, _)| *load == lengths[0].0),
        "{lengths:?}"
    );
    let found = ceiling(&bracket);
    assert!(
        found.precise && found.load <= 2_010.0,
        "{found:?} {asked:?}"
    );
    // Where those about the ceiling stay open the bounds are around them.
    let (asked, bracket) = search(rates(10.0, 10_000.0), |nth, ask| {
        match (1_900.0..2_100.0).contains(&ask.load) {
            true => judged(Status::Inconclusive),
            false => up_to(2_010.0)(nth, ask),
        }
    });
    let found = ceiling(&bracket);
    let [low, high] = found.interval.expect("both bounds are confirmed");
    assert!(low <= 1_900.0 && 1_800.0 < low, "{found:?}");
    assert!(
        (2_100.0..2_250.0).contains(&high) && !found.precise,
        "{found:?}"
    );
    assert!(asked.len() < 30, "{asked:?}");
}

#[test]
fn where_the_generator_is_the_limit_nothing_larger_is_asked_for() {
    let mut most = f64::INFINITY;
    let (asked, bracket) = search(rates(10.0, 10_000.0), |_, ask| {
        assert!(ask.load <= most, "{} after a limit at {most}", ask.load);
        if ask.load > 700.0 {
            most = most.min(ask.load);
            return limited();
        }
        judged(Status::Pass)
    });
    let Ended::AtLeast(load, AtLeast::GeneratorLimited(limits)) = bracket.ended() else {
        panic!("{:?}", bracket.ended());
    };
    assert!(load <= 700.0 && load > 600.0, "{load}: {asked:?}");
    assert_eq!(limits, ["The generator was late."]);
    // Where even the smallest load is too much for it there is no answer.
    let (asked, bracket) = search(rates(10.0, 10_000.0), |_, _| limited());
    let Ended::Undecided(doubts) = bracket.ended() else {
        panic!("{:?}", bracket.ended());
    };
    assert_eq!(
        (asked, doubts),
        (vec![10.0], vec!["Inconclusive".to_owned()])
    );
}

#[test]
fn a_search_that_runs_out_of_trials_says_what_it_knows() {
    let wanted = Wanted {
        most_trials: 3,
        ..rates(10.0, 10_000.0)
    };
    let (asked, bracket) = search(wanted, up_to(2_010.0));
    assert_eq!((asked.len(), bracket.most_trials()), (3, 3));
    let Ended::AtLeast(load, AtLeast::Undecided(doubts)) = bracket.ended() else {
        panic!("{:?}", bracket.ended());
    };
    assert!(
        doubts[0].contains("allow more time or more trials"),
        "{doubts:?}"
    );
    assert!(load > 30.0 && bracket.bounds().0 == Some(load));
    let (_, bracket) = search(
        Wanted {
            most_trials: 0,
            ..wanted
        },
        up_to(1.0),
    );
    assert!(matches!(bracket.ended(), Ended::Undecided(_)));
}

fn any_range() -> impl Strategy<Value = Wanted> {
    let directions = prop_oneof![Just(Direction::Rising), Just(Direction::Falling)];
    let predicted = prop::option::of(0.01f64..1e6);
    (
        0.5f64..500.0,
        1.0f64..2_000.0,
        any::<bool>(),
        directions,
        predicted,
        1u32..4,
        0u32..200,
    )
        .prop_map(
            |(from, factor, whole, direction, predicted, confirm, most_trials)| Wanted {
                range: Range {
                    from,
                    to: from * factor + 1.0,
                    whole,
                    direction,
                },
                confirm,
                most_trials,
                predicted,
                ..rates(1.0, 2.0)
            },
        )
}

fn any_outcome() -> impl Strategy<Value = Judged> {
    prop_oneof![
        3 => Just(judged(Status::Pass)),
        3 => Just(judged(Status::Trip)),
        1 => Just(judged(Status::Inconclusive)),
        1 => Just(Judged { more_needed: Some(9), ..judged(Status::Inconclusive) }),
        1 => Just(limited()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever trials say, a search ends within its trials and its lower bound stays below the upper one: `search` asserts it.
    #[test]
    fn any_outcomes_end_it(wanted in any_range(), outcomes in prop::collection::vec(any_outcome(), 1..40)) {
        let (_, bracket) = search(wanted, |nth, _| outcomes[nth % outcomes.len()].clone());
        if let Ended::Ceiling(found) = bracket.ended()
            && let Some([low, high]) = found.interval
        {
            prop_assert!(low < high && low <= found.load && found.load <= high);
        }
    }

    /// Trials that somebody else asked for count as well, in whatever order: the lower bound is below the upper one, which is the
    /// least that tripped.
    #[test]
    fn any_trials_leave_the_bounds_in_order(
        trials in prop::collection::vec((0usize..30, any_outcome()), 1..40),
        direction in prop_oneof![Just(Direction::Rising), Just(Direction::Falling)],
    ) {
        let mut bracket = Bracket::new(whole(1.0, 30.0, direction)).unwrap_or_else(|why| panic!("{why}"));
        let loads = bracket.loads().to_vec();
        prop_assert_eq!(loads.len(), 30);
        for (at, judged) in &trials {
            bracket.tried(loads[*at], judged);
        }
        let of = |status| trials.iter().filter(move |(_, judged)| judged.status == status);
        let least = of(Status::Trip).map(|(at, _)| *at).min();
        let below = least.unwrap_or(loads.len());
        let most = of(Status::Pass).map(|(at, _)| *at).filter(|at| *at < below).max();
        prop_assert_eq!(bracket.bounds(), (most.map(|at| loads[at]), least.map(|at| loads[at])));
    }

    /// A load is judged wrongly now and then: the answer is never above a load that tripped, and the ceiling is found where
    /// nothing went wrong.
    #[test]
    fn noise_never_puts_the_answer_above_what_tripped(
        truth in 20.0f64..5_000.0,
        wrong in prop::collection::vec(prop::bool::weighted(0.1), 60),
    ) {
        let mut tripped: Vec<f64> = Vec::new();
        let mut was_wrong = false;
        let (_, bracket) = search(rates(10.0, 10_000.0), |nth, ask| {
            was_wrong |= wrong[nth];
            let passes = (ask.load <= truth) != wrong[nth];
            if !passes {
                tripped.push(ask.load);
            }
            judged(if passes { Status::Pass } else { Status::Trip })
        });
        let least = tripped.iter().fold(f64::INFINITY, |least, load| least.min(*load));
        let (lower, upper) = bracket.bounds();
        prop_assert!(lower.is_none_or(|lower| lower < least));
        prop_assert!(upper.is_none_or(|upper| upper == least));
        if !was_wrong {
            let load = ceiling(&bracket).load;
            prop_assert!(load <= truth && truth <= 1.031 * load);
        }
    }
}
