//! The statistics of the tests. All thresholds are at the level of one in a thousand.

/// The 99.9 % quantile of the standard normal distribution.
const Z_999: f64 = 3.090_232_306_167_813_5;

/// The largest distance between the empirical distribution function of `samples` and `cdf`, times the root of their
/// number (Kolmogorov 1933).
pub fn kolmogorov_smirnov(samples: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let distance = |(rank, &sample): (usize, &f64)| {
        let expected = cdf(sample);
        assert!(
            (0.0..=1.0).contains(&expected),
            "cdf({sample}) is {expected}"
        );
        (expected - rank as f64 / n).max((rank + 1) as f64 / n - expected)
    };
    samples.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// What [`kolmogorov_smirnov`] exceeds once in a thousand: x with 2 exp(-2 x²) = 0.001, the further terms of
/// Kolmogorov's series being below 1e-12.
pub fn kolmogorov_threshold() -> f64 {
    (0.5 * 2000.0_f64.ln()).sqrt()
}

/// Pearson's statistic of observed counts against expected ones.
pub fn chi_square(counts: &[u64], expected: impl Fn(usize) -> f64) -> f64 {
    let part = |(cell, &count): (usize, &u64)| {
        let expected = expected(cell);
        assert!(expected >= 5.0, "cell {cell} expects {expected}");
        (count as f64 - expected).powi(2) / expected
    };
    counts.iter().enumerate().map(part).sum()
}

/// What [`chi_square`] exceeds once in a thousand with so many degrees of freedom (Wilson and Hilferty 1931).
pub fn chi_square_threshold(freedom: usize) -> f64 {
    let ninth = 2.0 / (9.0 * freedom as f64);
    freedom as f64 * (1.0 - ninth + Z_999 * ninth.sqrt()).powi(3)
}

/// Mean, and second and fourth central moment.
pub fn moments(samples: &[f64]) -> (f64, f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let central = |power| {
        samples
            .iter()
            .map(|sample| (sample - mean).powi(power))
            .sum::<f64>()
            / n
    };
    (mean, central(2), central(4))
}

/// Pearson's correlation of pairs.
pub fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean_a = pairs.iter().map(|pair| pair.0).sum::<f64>() / n;
    let mean_b = pairs.iter().map(|pair| pair.1).sum::<f64>() / n;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        ab += (a - mean_a) * (b - mean_b);
        aa += (a - mean_a) * (a - mean_a);
        bb += (b - mean_b) * (b - mean_b);
    }
    ab / (aa * bb).sqrt()
}

#[test]
fn the_thresholds_are_those_of_the_tables() {
    assert!((kolmogorov_threshold() - 1.949_47).abs() < 1e-4);
    // Tables of the chi-square distribution, upper 0.001 point.
    for (freedom, expected) in [(2, 13.816), (10, 29.588), (100, 149.449)] {
        let error = chi_square_threshold(freedom) / expected - 1.0;
        assert!((0.0..0.03).contains(&error), "{freedom}: {error}");
    }
}
