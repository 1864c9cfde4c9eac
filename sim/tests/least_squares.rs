//! Fits of numbers to a model that needs no simulation: what they find, and how often they ask for it.

use std::sync::atomic::{AtomicU64, Ordering};

use blis_sim::calibration::least_squares::{EXACT, Fitted, Start, Task, World, fit};
use blis_sim::calibration::structure::{OfService, Structure};
use blis_sim::dist::Family;
use nalgebra::DMatrix;

/// A path through the network and back, and a time of which one, two and four are seen.
fn figures(point: &[f64]) -> Vec<f64> {
    let [delay, mean] = [point[0], point[1]];
    let seen = [1.0, 2.0, 4.0].map(|times| libm::log(2.0 * delay + times * mean));
    seen.to_vec()
}

fn structure() -> Structure {
    Structure {
        network: true,
        services: vec![OfService {
            name: "work".to_owned(),
            workers: None,
            family: Some(Family::Exponential),
        }],
    }
}

/// Fits with standard deviations of this share, and says how often the model was asked.
fn asked(measured: &[f64], start: &Start, deviation: f64) -> (Fitted, u64) {
    let calls = AtomicU64::new(0);
    let world: &World<'_> = &|_, point, _| {
        calls.fetch_add(1, Ordering::Relaxed);
        Some(figures(point))
    };
    let structure = structure();
    let task = Task {
        measured,
        whitening: &(DMatrix::identity(3, 3) / deviation),
        structure: &structure,
        ranges: structure.ranges(1e7),
        world,
        paths: 4,
        settled: EXACT,
        hopeless: f64::INFINITY,
        few: None,
    };
    let fitted = fit(task, start).expect("a fit");
    (fitted, calls.load(Ordering::Relaxed))
}

#[test]
fn numbers_are_found_from_afar_with_few_simulations() {
    let measured = figures(&[1e6, 8e6]);
    let (fitted, calls) = asked(&measured, &vec![0.5e6, 3e6].into(), 0.01);
    assert!(fitted.squares < 0.05, "{fitted:?}");
    for (value, truth) in fitted.point.iter().zip([1e6, 8e6]) {
        assert!((value / truth - 1.0).abs() < 0.03, "{fitted:?}");
    }
    // Slopes along one path, and some steps along four.
    assert!(calls <= 50, "{calls}");
}

/// What a fit saw at its end is not simulated again.
#[test]
fn a_fit_begins_with_what_the_one_before_it_saw() {
    let measured = figures(&[1e6, 8e6]);
    let (before, _) = asked(&measured, &vec![1.05e6, 7.9e6].into(), 0.01);
    let (again, calls) = asked(&measured, &Start::from(&before), 0.02);
    for (again, before) in again.point.iter().zip(&before.point) {
        assert!((again / before - 1.0).abs() < 1e-9, "{again} {before}");
    }
    // Slopes that were taken too far away are taken anew, one path for each number.
    assert!(calls <= 2, "{calls}");
}

/// No delay is negative, and one that would be does not keep the other numbers from what is best without it.
#[test]
fn a_number_at_the_end_of_its_range_stays_there() {
    let measured: Vec<f64> = [7e6, 16e6, 33e6].map(libm::log).to_vec();
    let (fitted, _) = asked(&measured, &vec![1e6, 5e6].into(), 0.01);
    assert_eq!(fitted.point[0], 0.0, "{fitted:?}");
    let logs = [7.0, 8.0, 8.25].map(libm::log);
    let best = libm::exp(logs.iter().sum::<f64>() / 3.0) * 1e6;
    assert!((fitted.point[1] / best - 1.0).abs() < 2e-3, "{fitted:?}");
}
