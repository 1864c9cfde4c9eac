//! The search for a root along sample paths, without a simulation behind it: scripted worlds answer what it asks.

use blis_sim::search::roots::{Ask, MOST_TRIALS, Next, Outcome, Roots, Stage, Wanted};
use blis_sim::search::{Axis, Counted, Direction};
use proptest::prelude::*;

const RATE: Axis = Axis {
    direction: Direction::Rising,
    whole: false,
};
const USERS: Axis = Axis {
    direction: Direction::Rising,
    whole: true,
};
const WORKERS: Axis = Axis {
    direction: Direction::Falling,
    whole: true,
};

fn wanted(start: f64, range: Option<[f64; 2]>) -> Wanted {
    Wanted {
        start,
        range,
        precision: 0.01,
        most_paths: 512,
    }
}

/// A number between 0 and 1 that is the same for the same path, and none other's.
fn chance(path: u64) -> f64 {
    let mixed = (path + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A path of the stage, as a number of its own.
fn path_of(ask: &Ask, path: u64) -> u64 {
    match ask.stage {
        Stage::Pilot => path + (1 << 40),
        Stage::Main => path,
        Stage::Answer => path + (1 << 41),
    }
}

/// How a search ended in a world, and what it asked for.
fn searched(
    axis: Axis,
    wanted: Wanted,
    world: impl Fn(f64, u64) -> Counted,
) -> (Outcome, Vec<Ask>) {
    let mut roots = Roots::new(axis, wanted);
    let mut asks = Vec::new();
    loop {
        match roots.follows() {
            Next::Done(outcome) => return (outcome, asks),
            Next::Run(ask) => {
                assert!(asks.len() < MOST_TRIALS, "it asks for ever: {asks:?}");
                assert!(ask.paths.start < ask.paths.end, "{ask:?}");
                let paths = ask.paths.clone();
                let counted = paths.map(|path| vec![world(ask.load, path_of(&ask, path))]);
                roots.take(&ask, counted.collect());
                if let [Some(lower), Some(upper)] = roots.bounds() {
                    assert!(
                        axis.position(lower) < axis.position(upper),
                        "{lower} {upper}"
                    );
                }
                asks.push(ask);
            }
        }
    }
}

/// A share that rises with the power `steepness` of the load and is what is allowed at `ceiling`, with so much noise of each
/// path.
fn power(axis: Axis, ceiling: f64, steepness: f64, noise: f64) -> impl Fn(f64, u64) -> Counted {
    move |load, path| {
        let position = axis.position(load) - axis.position(ceiling);
        let share = 0.01 * (steepness * position).exp() * (1.0 + noise * (chance(path) - 0.5));
        Counted::Share {
            over: (share.min(1.0) * 1e6).round(),
            samples: 1e6,
            allowed: 0.01,
        }
    }
}

#[test]
fn the_root_of_a_smooth_curve_is_found() {
    for ceiling in [0.037, 53.9, 1548.0, 2.5e6] {
        for steepness in [1.0, 8.0, 45.0, 300.0] {
            // As much noise as some hundred paths can make up for.
            let world = power(RATE, ceiling, steepness, 0.1 * steepness.min(10.0));
            let (outcome, asks) = searched(RATE, wanted(ceiling * 3.0, None), world);
            let Outcome::Root {
                answer,
                estimate,
                cliff,
                precise,
            } = outcome
            else {
                panic!("{ceiling} {steepness}: {outcome:?}");
            };
            let off = answer / ceiling - 1.0;
            assert!(off.abs() < 0.02, "{ceiling} {steepness}: {answer}");
            assert!(precise && cliff.is_none(), "{ceiling} {steepness}");
            assert!(estimate.half_width() <= 0.01);
            assert!(asks.len() < 30, "{ceiling} {steepness}: {}", asks.len());
        }
    }
}

#[test]
fn whole_loads_are_told_to_the_unit() {
    for (axis, ceiling) in [
        (USERS, 7.4),
        (USERS, 212.3),
        (WORKERS, 5.4),
        (WORKERS, 12.7),
    ] {
        let world = power(axis, ceiling, 9.0, 0.01);
        let (outcome, _) = searched(axis, wanted(3.0, None), world);
        let exact = match axis.direction {
            Direction::Rising => f64::floor(ceiling),
            Direction::Falling => f64::ceil(ceiling),
        };
        match outcome {
            Outcome::Root { answer, .. } => assert_eq!(answer, exact),
            other => panic!("{ceiling}: {other:?}"),
        }
    }
}

#[test]
fn a_jump_is_a_cliff_and_lies_in_its_band() {
    let world = |load: f64, path: u64| Counted::Share {
        over: if load > 97.31 {
            9e5
        } else {
            100.0 + 50.0 * chance(path)
        },
        samples: 1e6,
        allowed: 0.01,
    };
    let (outcome, _) = searched(RATE, wanted(10.0, None), world);
    let Outcome::Root {
        cliff: Some([low, high]),
        estimate,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    let jump = RATE.position(97.31);
    assert!(low <= jump && jump <= high, "{low} {high}");
    assert!(high - low <= 0.01);
    assert!(estimate.interval[0] <= low && high <= estimate.interval[1]);
}

#[test]
fn the_ends_of_a_range_are_told_from_a_ceiling() {
    let ends = |ceiling| {
        let world = power(RATE, ceiling, 10.0, 0.3);
        searched(RATE, wanted(150.0, Some([100.0, 200.0])), world).0
    };
    assert_eq!(ends(1000.0), Outcome::AtLeast(200.0));
    assert_eq!(ends(20.0), Outcome::NonePassed(100.0));
    assert!(matches!(ends(130.0), Outcome::Root { .. }));
}

#[test]
fn the_onset_of_growth_is_followed_back_from_beyond_it() {
    let mut held = 0;
    for salt in 0..40 {
        // Growth is the load less what is carried, and noise where there is none.
        let world = |load: f64, path: u64| Counted::Growth {
            per_second: (load - 250.0).max(0.0) + 2.0 * (chance(path + salt * 1000) - 0.5),
            limit: 0.0,
        };
        let (outcome, _) = searched(RATE, wanted(40.0, None), world);
        let Outcome::Root {
            answer, estimate, ..
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert!((answer / 250.0 - 1.0).abs() < 0.005, "{answer}");
        let [low, high] = RATE.loads(estimate.interval);
        held += u32::from(low <= 250.0 && 250.0 <= high);
    }
    assert!(held >= 34, "{held} of 40 intervals of 95 % hold it");
}

#[test]
fn a_looser_objective_never_lowers_the_ceiling() {
    let of = |factor: f64| {
        let world = power(RATE, 100.0, 12.0, 0.5);
        let looser = move |load: f64, path: u64| match world(load, path) {
            Counted::Share { over, samples, .. } => Counted::Share {
                over,
                samples,
                allowed: 0.01 * factor,
            },
            other => other,
        };
        match searched(RATE, wanted(50.0, None), looser).0 {
            Outcome::Root { answer, .. } => answer,
            other => panic!("{other:?}"),
        }
    };
    let ceilings: Vec<f64> = [1.0, 1.5, 2.0, 5.0].map(of).to_vec();
    assert!(ceilings.is_sorted(), "{ceilings:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever a world answers, the search ends, and its bounds are in order (which `searched` asserts).
    #[test]
    fn no_world_makes_it_go_on_for_ever(
        answers in proptest::collection::vec(prop_oneof![
            (0.0..1e6, 0.0..1.0f64).prop_map(|(over, allowed)| Counted::Share { over, samples: 1e6, allowed }),
            Just(Counted::Share { over: 0.0, samples: 1.0, allowed: 0.0 }),
            (-100.0..100.0f64).prop_map(|per_second| Counted::Growth { per_second, limit: 1.0 }),
            Just(Counted::Nothing),
        ], 1..60),
        start in 0.01..1e5f64,
        whole in any::<bool>(),
        falling in any::<bool>(),
        range in proptest::option::of((0.1..1e3f64, 1.0..1e3f64)),
        by_load in any::<bool>(),
    ) {
        let axis = Axis {
            direction: if falling { Direction::Falling } else { Direction::Rising },
            whole,
        };
        let range = range.map(|(low, times)| [low.max(1.0), low.max(1.0) * times]);
        let world = |load: f64, path: u64| {
            let of = if by_load { load.to_bits() >> 3 } else { path };
            answers[(of % answers.len() as u64) as usize]
        };
        searched(axis, wanted(start, range), world);
    }
}
