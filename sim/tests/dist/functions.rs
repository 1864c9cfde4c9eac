//! Distribution functions, quantiles and transforms, against each other and against independent computations.

use blis_sim::dist::Dist;

use crate::families::{MEAN, continuous, discrete};

fn assert_near(found: f64, expected: f64, relative: f64, what: &str) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{what}: {found} is not {expected}"
    );
}

/// Values of the regularised incomplete gamma function from a computation with 30 digits.
#[test]
fn the_gamma_distribution_function_is_accurate() {
    let expected = [
        (0.01, 1e-5, 0.896_336_798_267_197_2),
        (0.5, 0.3, 0.561_421_973_919_000_2),
        (2.5, 2.0, 0.450_584_048_647_219_8),
        (2.5, 20.0, 0.999_999_850_663_21),
        (100.0, 90.0, 0.158_220_989_186_430_17),
        (100.0, 130.0, 0.997_249_591_632_693_4),
        (10_000.0, 10_100.0, 0.841_348_750_447_179_6),
        (1e6, 999_000.0, 0.158_655_213_574_303_13),
        (1e6, 1_002_000.0, 0.977_195_904_101_229_6),
    ];
    for (shape, x, p) in expected {
        let gamma = Dist::gamma(shape, 1.0).expect("gamma");
        let relative = if shape > 100.0 { 1e-8 } else { 1e-12 };
        assert_near(gamma.cdf(x), p, relative, "gamma");
    }
}

#[test]
fn an_erlang_distribution_function_is_a_poisson_sum() {
    for shape in [1, 2, 7, 30] {
        let erlang = Dist::erlang(shape, f64::from(shape)).expect("erlang");
        for x in [0.1_f64, 1.0, 5.0, 29.0, 40.0] {
            let mut term = (-x).exp();
            let mut sum = 0.0;
            for k in 1..=shape {
                sum += term;
                term *= x / f64::from(k);
            }
            assert!(
                (erlang.cdf(x) - (1.0 - sum)).abs() < 1e-13,
                "shape {shape} at {x}"
            );
        }
    }
}

#[test]
fn quantiles_invert_the_distribution_function() {
    for (name, dist) in continuous() {
        let mut before = 0.0;
        for p in [1e-9, 0.001, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999, 1.0 - 1e-9] {
            let x = dist.quantile(p);
            assert!(x >= before, "{name}: the quantiles rise");
            before = x;
            assert!(
                (dist.cdf(x) - p).abs() < 1e-9 * p.max(1e-3),
                "{name}: {p} gives {}",
                dist.cdf(x)
            );
        }
        assert_eq!(
            dist.quantile(1.0),
            dist.upper_bound().unwrap_or(f64::INFINITY),
            "{name}"
        );
    }
}

#[test]
fn quantiles_of_given_values_are_nearest_ranks() {
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    let dist = Dist::empirical(&values).expect("values");
    let expected = [
        (0.0, 1.0),
        (0.1, 1.0),
        (0.11, 2.0),
        (0.5, 5.0),
        (0.7, 7.0),
        (0.95, 10.0),
        (1.0, 10.0),
    ];
    for (p, value) in expected {
        assert_eq!(dist.quantile(p), value, "{p}");
    }
    for n in [3, 7, 1000] {
        let values: Vec<f64> = (1..=n).map(f64::from).collect();
        let dist = Dist::empirical(&values).expect("values");
        for rank in 1..=n {
            assert_eq!(
                dist.quantile(f64::from(rank) / f64::from(n)),
                f64::from(rank),
                "rank {rank} of {n}"
            );
        }
    }
    for (name, dist, shares) in discrete() {
        let mut sum = 0.0;
        for (value, share) in shares {
            assert_eq!(dist.quantile(sum + 0.5 * share), value, "{name}");
            assert!(
                (dist.cdf(value - 1.0) - sum).abs() < 1e-12,
                "{name} below {value}"
            );
            sum += share;
            assert!((dist.cdf(value) - sum).abs() < 1e-12, "{name} at {value}");
        }
    }
}

#[test]
fn the_edges_of_the_arguments_are_defined() {
    let discrete = discrete().into_iter().map(|(name, dist, _)| (name, dist));
    let constant = ("constant", Dist::constant(5.0).expect("constant"));
    for (name, dist) in continuous().into_iter().chain(discrete).chain([constant]) {
        assert_eq!(dist.cdf(-1.0), 0.0, "{name}");
        assert_eq!(dist.cdf(f64::NEG_INFINITY), 0.0, "{name}");
        assert_near(dist.cdf(f64::INFINITY), 1.0, 1e-15, name);
        assert!(
            dist.quantile(-0.1).is_nan() && dist.quantile(1.1).is_nan(),
            "{name}"
        );
        assert!(dist.quantile(f64::NAN).is_nan(), "{name}");
        assert_near(dist.laplace(0.0), 1.0, 1e-12, name);
    }
}

/// E[exp(-s X)] is the integral of exp(-y) P(X <= y / s), here by the trapezoidal rule in w = ln y.
#[test]
fn transforms_follow_from_the_distribution_functions() {
    const STEP: f64 = 1.0 / 2048.0;
    let discrete = discrete().into_iter().map(|(name, dist, _)| (name, dist));
    let constant = ("constant", Dist::constant(MEAN).expect("constant"));
    for (name, dist) in continuous().into_iter().chain(discrete).chain([constant]) {
        for factor in [0.05, 1.0, 8.0] {
            let s = factor / dist.mean();
            let integrand = |w: f64| w.exp() * (-w.exp()).exp() * dist.cdf(w.exp() / s);
            let integral: f64 = (0..100_000)
                .map(|n| integrand(-44.0 + STEP * f64::from(n)))
                .sum();
            // A jump of the distribution function costs up to one step; a corner much less.
            assert!(
                (dist.laplace(s) - STEP * integral).abs() < 3e-4,
                "{name} at {factor}"
            );
            if dist.upper_bound().is_none() {
                assert_near(dist.laplace(s), STEP * integral, 1e-9, name);
            }
        }
    }
}
