//! What a fit recovers of models that are known, what it says that it cannot, and that it does not explain what is otherwise.

mod known;

use blis_sim::calibration::explain::Free;
use blis_sim::calibration::goodness::of_runs;
use blis_sim::calibration::knowledge::Knowledge;
use blis_sim::calibration::next_load::tells;
use blis_sim::calibration::structure::Structure;
use blis_sim::dist::Family;
use known::{ALL, CAPACITY, CV, MEAN, NUMBERS, ONE_WAY, Run, holds, model, with_fit};

#[test]
fn workers_family_and_numbers_of_a_known_service_are_found() {
    let loads = [100.0, 250.0, 350.0, 440.0];
    with_fit(&loads, 1, &[], ALL, |question, _, fit| {
        assert_eq!(fit.workers(), [4]);
        let family = fit.best().structure.services[0].family;
        assert_eq!(family, Some(Family::Gamma));
        assert!(fit.p() > 0.01, "{}", fit.p());
        for (name, value, within) in [(ONE_WAY, 1e6, 0.25), (MEAN, 8e6, 0.03), (CV, 0.6, 0.1)] {
            let known = fit.number(name);
            assert!((known.value / value - 1.0).abs() < within, "{known:?}");
            assert!(known.is_told(), "{known:?}");
        }
        let [low, high] = fit.capacity.interval;
        assert!((fit.capacity.value / CAPACITY - 1.0).abs() < 0.02);
        assert!(high / low < 1.1, "{:?}", fit.capacity);
        // Each run is what the others predict.
        let runs = of_runs(question, fit.best()).expect("runs");
        for run in &runs {
            for figure in &run.figures {
                let [_, off] = figure.left_out.expect("a run left out");
                assert!(off.abs() < 4.5, "{figure:?}");
            }
        }
    });
}

#[test]
fn another_family_is_found_as_that() {
    let set = ["services.work.time={lognormal: {mean: 8ms, cv: 1.2}}"];
    with_fit(&[100.0, 300.0, 420.0], 2, &set, ALL, |_, _, fit| {
        let family = fit.best().structure.services[0].family;
        assert_eq!(family, Some(Family::Lognormal));
        assert!(fit.workers().contains(&4), "{:?}", fit.workers());
    });
    let set = ["services.work.time=8ms"];
    with_fit(&[100.0, 300.0, 420.0], 3, &set, ALL, |_, _, fit| {
        let family = fit.best().structure.services[0].family;
        assert_eq!((family, fit.workers()), (Some(Family::Constant), vec![4]));
        assert_eq!(fit.numbers.len(), 2);
    });
}

/// A service that never waits leaves no trace of how many workers it has.
#[test]
fn one_low_load_tells_neither_workers_nor_the_capacity() {
    with_fit(&[40.0], 4, &[], ALL, |question, runs, fit| {
        let workers = fit.workers();
        assert!(workers.len() > 1, "{workers:?}");
        assert!(!fit.capacity.is_told(), "{:?}", fit.capacity);
        // Near what it may carry they differ, and next to idle they do not.
        let apart = |load: f64| {
            let run = Run {
                figures: Vec::new(),
                looks: runs[0].looks.clone(),
                ..Run::at(load, 99, &[])
            };
            let world = |structure: &Structure, point: &[f64], path: u64| {
                let model = model(&structure.assignments(point))?;
                Some(run.simulated(model, 1 << 41 | path))
            };
            let knowledge = Knowledge::of(question, &fit.found).expect("knowledge");
            let known = (&fit.found, &knowledge);
            let tells = tells(question, known, (&world, runs[0].figures.len()));
            let tells = tells.expect("something");
            tells.apart.expect("two structures")
        };
        let (idle, busy) = (apart(15.0), apart(450.0));
        assert!(busy > 5.0 * idle, "{idle} {busy}");
    });
}

/// Requests that wait for the member that they were drawn for, while another is idle, are none of one line.
#[test]
fn members_drawn_at_random_are_not_explained_by_one_line() {
    let set = [
        "services.work={members: 4, workers: 1, dispatch: random, time: {gamma: {mean: 8ms, cv: 0.6}}}",
    ];
    with_fit(
        &[100.0, 250.0, 400.0],
        5,
        &set,
        NUMBERS,
        |question, _, fit| {
            assert!(fit.p() < 1e-6, "{}", fit.p());
            let runs = of_runs(question, fit.best()).expect("runs");
            let off = runs.iter().flat_map(|run| &run.figures);
            let left_out = off.map(|figure| figure.left_out.expect("a run left out")[1].abs());
            assert!(left_out.fold(0.0, f64::max) > 5.0);
        },
    );
}

/// Six workers are not four, whatever family of times four have.
#[test]
fn a_wrong_number_of_workers_that_is_kept_explains_nothing() {
    let set = ["services.work={workers: 6, time: {gamma: {mean: 12ms, cv: 0.6}}}"];
    let free = Free {
        workers: false,
        family: true,
    };
    with_fit(&[100.0, 250.0, 440.0], 6, &set, free, |_, _, fit| {
        assert_eq!(fit.workers(), [4]);
        assert!(fit.p() < 1e-6, "{}", fit.p());
    });
}

/// A right structure is among those that explain the runs as well, also where a wrong one is nearer to what was measured by chance, and what
/// follows from all of them holds the truth.
#[test]
fn what_explains_the_runs_as_well_holds_the_right_structure() {
    let seeds = 4;
    let (mut right, mut held, mut all) = (0, 0, 0);
    for seed in 0..seeds {
        with_fit(&[150.0, 420.0], 2000 + seed, &[], ALL, |_, _, fit| {
            let workers = fit.workers();
            right += u32::from(workers.contains(&4));
            held += u32::from(holds(&fit.capacity, CAPACITY));
            all += workers.len();
        });
    }
    assert!(right >= 3, "{right} of {seeds}");
    assert!(held >= 3, "{held} of {seeds}");
    // And few others are.
    assert!(all <= 12, "{all}");
}

/// Intervals of 95 % hold the truth about so often, and are about as wide in each record of the same service.
#[test]
fn intervals_of_fitted_numbers_hold_the_truth() {
    let seeds = 30;
    let (mut held, mut all, mut width) = (0, 0, 0.0);
    let mut halves = Vec::new();
    for seed in 0..seeds {
        let free = NUMBERS;
        with_fit(&[150.0, 420.0], 1000 + seed, &[], free, |_, _, fit| {
            let truth = [(ONE_WAY, 1e6), (MEAN, 8e6), (CV, 0.6)];
            for (name, value) in truth {
                all += 1;
                let known = fit.number(name);
                held += u32::from(holds(known, value));
                width += (known.interval[1] - known.interval[0]) / (2.0 * value);
            }
            all += 1;
            held += u32::from(holds(&fit.capacity, CAPACITY));
            let [low, high] = fit.number(MEAN).interval;
            halves.push((high - low) / 2.0);
        });
    }
    let share = f64::from(held) / f64::from(all);
    assert!(share >= 0.88, "{held} of {all}");
    // And they are no wider than they have to be.
    assert!(width / f64::from(all) < 0.12, "{}", width / f64::from(all));
    // Slopes along few paths would make some of them far narrower than others.
    halves.sort_by(f64::total_cmp);
    let (least, middle) = (halves[0], halves[halves.len() / 2]);
    assert!(least > 0.8 * middle, "{least} {middle}");
}
