//! Every sampler against its distribution function and its moments, in both directions in which draws are keyed.

use blis_sim::dist::Dist;
use blis_sim::random::{Key, Kind, Purpose};

use crate::families::{MEAN, continuous, discrete};
use crate::statistics::{
    chi_square, chi_square_threshold, kolmogorov_smirnov, kolmogorov_threshold, moments,
};

const N: u64 = 200_000;

/// The draws of consecutive ordinals of one index, and those of one ordinal of consecutive indices.
fn both_directions(name: &str, dist: &Dist) -> [(&'static str, Vec<f64>); 2] {
    let key = Key::new(20_240_817, Kind::Service, name, Purpose::Service);
    [
        (
            "ordinals",
            (0..N).map(|n| dist.sample(&mut key.draw(17, n))).collect(),
        ),
        (
            "indices",
            (0..N).map(|n| dist.sample(&mut key.draw(n, 5))).collect(),
        ),
    ]
}

#[test]
fn every_sampler_has_its_distribution_function() {
    for (name, dist) in continuous() {
        for (direction, mut samples) in both_directions(name, &dist) {
            let distance = kolmogorov_smirnov(&mut samples, |x| dist.cdf(x));
            assert!(
                distance < kolmogorov_threshold(),
                "{name} over {direction}: {distance}"
            );
        }
    }
}

/// The ziggurats leave their fast path for one draw in a hundred: an error there takes millions of draws to show.
#[test]
fn the_ziggurats_fill_equally_likely_cells_evenly() {
    const CELLS: usize = 200;
    const DRAWS: u64 = 4_000_000;
    let exponential = Dist::exponential(MEAN).expect("exponential");
    let lognormal = Dist::lognormal_median_sigma(MEAN, 0.5).expect("lognormal");
    let key = Key::new(8, Kind::Service, "cells", Purpose::Service);
    for dist in [exponential, lognormal] {
        let mut counts = vec![0; CELLS];
        for n in 0..DRAWS {
            let p = dist.cdf(dist.sample(&mut key.draw(n, n)));
            counts[((p * CELLS as f64) as usize).min(CELLS - 1)] += 1;
        }
        let statistic = chi_square(&counts, |_| DRAWS as f64 / CELLS as f64);
        assert!(
            statistic < chi_square_threshold(CELLS - 1),
            "{dist}: {statistic}"
        );
    }
}

/// With 53 bits and more, two equal draws among so many are next to impossible; with 32, some eighty are expected.
#[test]
fn draws_have_all_their_bits() {
    let key = Key::new(8, Kind::Service, "bits", Purpose::Service);
    let uniform = Dist::uniform(0.0, MEAN).expect("uniform");
    let exponential = Dist::exponential(MEAN).expect("exponential");
    let lognormal = Dist::lognormal_median_sigma(MEAN, 0.5).expect("lognormal");
    for dist in [uniform, exponential, lognormal] {
        let mut samples: Vec<f64> = (0..800_000)
            .map(|n| dist.sample(&mut key.draw(n, 1)))
            .collect();
        samples.sort_by(f64::total_cmp);
        let equal = samples.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(equal, 0, "{dist}");
    }
}

#[test]
fn every_sampler_has_its_mean_and_variance() {
    let n = N as f64;
    let discrete = discrete().into_iter().map(|(name, dist, _)| (name, dist));
    for (name, dist) in continuous().into_iter().chain(discrete) {
        for (direction, samples) in both_directions(name, &dist) {
            let (mean, variance, fourth) = moments(&samples);
            let error = (dist.variance() / n).sqrt();
            let off = (mean - dist.mean()).abs() / error;
            assert!(
                off < 4.5,
                "{name} over {direction}: mean {mean}, {off} standard errors off"
            );
            let error = ((fourth - variance * variance) / n).sqrt();
            let off = (variance - dist.variance()).abs() / error;
            assert!(
                off < 4.5,
                "{name} over {direction}: variance {variance}, {off} standard errors off"
            );
        }
    }
}

#[test]
fn given_values_are_drawn_with_their_probabilities() {
    for (name, dist, shares) in discrete() {
        for (direction, samples) in both_directions(name, &dist) {
            let mut counts = vec![0; shares.len()];
            for sample in samples {
                let cell = shares.iter().position(|share| share.0 == sample);
                counts[cell.expect("a value that was given")] += 1;
            }
            let statistic = chi_square(&counts, |cell| shares[cell].1 * N as f64);
            assert!(
                statistic < chi_square_threshold(shares.len() - 1),
                "{name} over {direction}: {statistic}"
            );
        }
    }
}

#[test]
fn draws_stay_within_the_bounds() {
    let key = Key::new(1, Kind::Client, "bounds", Purpose::Think);
    let discrete = discrete().into_iter().map(|(name, dist, _)| (name, dist));
    for (name, dist) in continuous().into_iter().chain(discrete) {
        let upper = dist.upper_bound().unwrap_or(f64::MAX);
        for n in 0..20_000 {
            let sample = dist.sample(&mut key.draw(n, 0));
            assert!((0.0..=upper).contains(&sample), "{name}: {sample}");
        }
    }
}

#[test]
fn extreme_parameters_give_finite_draws() {
    let built = [
        Dist::gamma_mean_cv(1e30, 1e3),
        Dist::gamma_mean_cv(1e-30, 1e3),
        Dist::weibull_mean_cv(1e30, 1e3),
        Dist::weibull(0.05, 1e30),
        Dist::lognormal_mean_cv(1e30, 1e3),
        Dist::lognormal_median_p95(1.0, 450.0),
        Dist::hyperexponential_mean_cv(1e30, 1e3),
        Dist::erlang(1_000_000, 1e30),
        Dist::pareto(1e-30, 1e30, 0.05),
        Dist::pareto(1e-30, 1e30, 100.0),
        Dist::pareto(0.999e30, 1e30, 1.0),
        Dist::pareto_mean(1e-20, 1e30, 3.0),
        Dist::normal(1e30, 1e-30, 0.0, None),
        Dist::normal(1e30, 1e30, 0.0, Some(1e30)),
        Dist::normal(0.0, 1e-30, 0.0, None),
    ];
    let key = Key::new(2, Kind::Client, "extreme", Purpose::Think);
    for dist in built {
        let dist = dist.expect("accepted parameters");
        assert!(
            dist.mean().is_finite() && dist.variance().is_finite() && dist.scv().is_finite(),
            "{dist:?}"
        );
        for n in 0..20_000 {
            let sample = dist.sample(&mut key.draw(n, 0));
            assert!(sample.is_finite() && sample >= 0.0, "{dist:?}: {sample}");
        }
    }
}

#[test]
fn a_span_is_the_draw_rounded_to_the_nearest_nanosecond() {
    let key = Key::new(9, Kind::Client, "span", Purpose::Think);
    for (name, dist) in continuous() {
        for n in 0..1000 {
            let span = dist.sample_span(&mut key.draw(n, 0)).as_nanos();
            let sample = dist.sample(&mut key.draw(n, 0));
            assert_eq!(span as f64, (sample + 0.5).floor(), "{name}");
        }
    }
}
