//! The constructors: what they accept, what they refuse, and that the distribution has what was asked for.

use blis_sim::dist::{Dist, DistError, Family, Unit};
use blis_sim::time::Span;

fn assert_near(found: f64, expected: f64, relative: f64, what: &str) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{what}: {found} is not {expected}"
    );
}

#[test]
fn mean_and_cv_are_what_was_asked_for() {
    type Constructor = fn(f64, f64) -> Result<Dist, DistError>;
    let families: [(&str, Constructor, f64); 4] = [
        ("gamma", Dist::gamma_mean_cv, 1e-3),
        ("weibull", Dist::weibull_mean_cv, 1e-3),
        ("lognormal", Dist::lognormal_mean_cv, 1e-3),
        ("hyperexponential", Dist::hyperexponential_mean_cv, 1.0),
    ];
    for (name, constructor, smallest) in families {
        for cv in [1e-3, 0.05, 0.3, 1.0, 1.5, 3.0, 10.0, 1e3] {
            if cv < smallest {
                continue;
            }
            let dist = constructor(4e6, cv).expect(name);
            assert_near(dist.mean(), 4e6, 1e-12, name);
            // At a cv of 0.001 the Weibull's excess over 1 has ten digits left.
            assert_near(dist.scv().sqrt(), cv, 1e-8, name);
            assert_near(dist.variance(), (4e6 * cv).powi(2), 1e-8, name);
        }
    }
}

/// Shapes that solve the equation of the coefficient of variation, from a computation with 30 digits.
#[test]
fn the_shape_of_a_weibull_follows_from_its_cv() {
    let expected = [
        (0.05, 24.949_775_176_655_67),
        (0.5, 2.101_349_094_688_543_7),
        (1.0, 1.0),
        (2.0, 0.542_692_561_286_453_4),
        (10.0, 0.233_206_758_916_296_71),
        (1000.0, 0.088_810_370_129_488_16),
    ];
    for (cv, shape) in expected {
        let by_cv = Dist::weibull_mean_cv(1.0, cv).expect("weibull");
        let by_shape = Dist::weibull(shape, 1.0).expect("weibull");
        let scale = by_cv.quantile(1.0 - (-1.0_f64).exp());
        for p in [0.01, 0.5, 0.99] {
            assert_near(
                by_cv.quantile(p) / scale,
                by_shape.quantile(p),
                1e-9,
                "weibull",
            );
        }
    }
}

#[test]
fn quantiles_and_shapes_are_what_was_asked_for() {
    let lognormal = Dist::lognormal_median_p95(3e9, 12e9).expect("lognormal");
    assert_near(lognormal.quantile(0.5), 3e9, 1e-13, "median");
    assert_near(lognormal.quantile(0.95), 12e9, 1e-13, "p95");
    let lognormal = Dist::lognormal_median_p99(3e9, 40e9).expect("lognormal");
    assert_near(lognormal.quantile(0.5), 3e9, 1e-13, "median");
    assert_near(lognormal.quantile(0.99), 40e9, 1e-13, "p99");
    let lognormal = Dist::lognormal_mean_p95(18e6, 45e6).expect("lognormal");
    assert_near(lognormal.mean(), 18e6, 1e-13, "mean");
    assert_near(lognormal.quantile(0.95), 45e6, 1e-13, "p95");
    let lognormal = Dist::lognormal_mean_p99(18e6, 90e6).expect("lognormal");
    assert_near(lognormal.mean(), 18e6, 1e-13, "mean");
    assert_near(lognormal.quantile(0.99), 90e6, 1e-13, "p99");
    assert!(Dist::lognormal_mean_p95(10.0, 38.6).is_ok());
    assert!(Dist::lognormal_mean_p95(10.0, 38.7).is_err());
    assert!(Dist::lognormal_mean_p99(10.0, 149.0).is_ok());
    assert!(Dist::lognormal_mean_p99(10.0, 150.0).is_err());
    assert!(Dist::lognormal_mean_p95(10.0, 10.0).is_err());
    let lognormal = Dist::lognormal_median_sigma(5.0, 0.5).expect("lognormal");
    assert_near(lognormal.quantile(0.5), 5.0, 1e-13, "median");
    assert_near(lognormal.mean(), 5.0 * 0.125_f64.exp(), 1e-13, "mean");
    let erlang = Dist::erlang(4, 8e6).expect("erlang");
    assert_eq!(
        (erlang.mean(), erlang.scv(), erlang.variance()),
        (8e6, 0.25, 1.6e13)
    );
    let gamma = Dist::gamma(2.5, 4.0).expect("gamma");
    assert_eq!((gamma.mean(), gamma.scv()), (10.0, 0.4));
    let uniform = Dist::uniform(2.0, 8.0).expect("uniform");
    assert_eq!(
        (uniform.mean(), uniform.variance(), uniform.upper_bound()),
        (5.0, 3.0, Some(8.0))
    );
    let mixture = Dist::hyperexponential(&[(1.0, 2.0), (3.0, 10.0)]).expect("mixture");
    // The mean is 0.25 * 2 + 0.75 * 10; the mean square 2 (0.25 * 4 + 0.75 * 100).
    assert_near(mixture.mean(), 8.0, 1e-15, "mean");
    assert_near(mixture.variance(), 152.0 - 64.0, 1e-15, "variance");
    let values = Dist::empirical(&[4.0, 1.0, 1.0, 2.0]).expect("values");
    assert_eq!(
        (values.mean(), values.variance(), values.upper_bound()),
        (2.0, 1.5, Some(4.0))
    );
    let points = Dist::empirical_weighted(&[(4.0, 5.0), (1.0, 10.0), (2.0, 5.0), (9.0, 0.0)])
        .expect("points");
    assert_eq!(
        (points.mean(), points.variance(), points.upper_bound()),
        (2.0, 1.5, Some(4.0))
    );
}

/// Means, variances and transforms at the reciprocal of the mean, from a computation with 30 digits.
#[test]
fn bounded_families_have_the_moments_of_what_is_left() {
    let expected = [
        (
            Dist::pareto(2.0, 1000.0, 1.5),
            5.732_184_544_872_101,
            223.493_146_381_683_67,
            0.508_029_285_195_483,
        ),
        (
            Dist::pareto(1.0, 50.0, 1.0),
            3.991_860_209_620_557_2,
            34.065_052_066_848_12,
            0.527_753_240_240_432_4,
        ),
        (
            Dist::pareto(1.0, 300.0, 0.4),
            22.006_791_178_152_409,
            2_074.717_696_275_146_4,
            0.665_570_138_054_682_7,
        ),
        (
            Dist::normal(10.0, 4.0, 0.0, None),
            10.070_551_301_947_667,
            15.289_509_494_316_82,
            0.396_221_035_705_881_22,
        ),
        (
            Dist::normal(10.0, 30.0, 0.0, None),
            27.954_708_343_952_184,
            398.081_364_844_092,
            0.453_070_642_803_509_35,
        ),
        (
            Dist::normal(10.0, 5.0, 15.0, Some(40.0)),
            17.625_676_236_744_02,
            4.977_438_329_060_882,
            0.370_681_043_379_972_1,
        ),
        (
            Dist::normal(10.0, 5.0, 8.0, Some(13.0)),
            10.459_711_728_848_55,
            2.013_783_084_669_822_3,
            0.371_269_605_654_274_5,
        ),
    ];
    for (dist, mean, variance, transform) in expected {
        let dist = dist.expect("accepted");
        let what = dist.describe(Unit::Number);
        assert_near(dist.mean(), mean, 1e-13, &what);
        assert_near(dist.variance(), variance, 1e-12, &what);
        assert_near(dist.scv(), variance / mean / mean, 1e-12, &what);
        assert_near(dist.laplace(1.0 / mean), transform, 1e-11, &what);
    }
}

#[test]
fn a_pareto_by_its_mean_has_it() {
    for (mean, max, shape) in [
        (10.0, 1000.0, 1.1),
        (10.0, 11.0, 3.0),
        (1e7, 1e9, 0.5),
        (5.0, 1e12, 1.0),
    ] {
        let dist = Dist::pareto_mean(mean, max, shape).expect("pareto");
        assert_near(dist.mean(), mean, 1e-12, "mean");
        assert_eq!(dist.upper_bound(), Some(max));
        let ratio = (dist.quantile(1e-6) / dist.quantile(0.0)).ln();
        assert!(
            (0.0..1e-3).contains(&ratio),
            "the smallest value is the likeliest"
        );
    }
}

/// A bound that is far off leaves the distribution as it is without one.
#[test]
fn a_far_bound_changes_nothing() {
    let pareto = Dist::pareto(2.0, 1e12, 3.0).expect("pareto");
    assert_near(pareto.mean(), 3.0, 1e-12, "mean");
    assert_near(pareto.variance(), 3.0, 1e-9, "variance");
    assert_near(pareto.quantile(0.875), 4.0, 1e-12, "quantile");
    let normal = Dist::normal(100.0, 5.0, 0.0, Some(1e6)).expect("normal");
    assert_near(normal.mean(), 100.0, 1e-15, "mean");
    assert_near(normal.variance(), 25.0, 1e-13, "variance");
    // The transform of a normal variable: exp(-s mean + s² variance / 2).
    assert_near(
        normal.laplace(0.02),
        (-2.0_f64 + 0.005).exp(),
        1e-12,
        "transform",
    );
}

#[test]
fn constants_are_themselves() {
    let constant = Dist::from(Span::from_nanos(1500));
    assert_eq!(constant, Dist::constant(1500.0).expect("constant"));
    assert_eq!(
        (constant.mean(), constant.variance(), constant.scv()),
        (1500.0, 0.0, 0.0)
    );
    assert!(!constant.is_zero());
    assert!(Dist::ZERO.is_zero());
    assert_eq!(Dist::ZERO.scv(), 0.0);
    assert!(Dist::empirical(&[0.0, 0.0]).expect("values").is_zero());
    assert!(!Dist::empirical(&[0.0, 1.0]).expect("values").is_zero());
    assert!(!Dist::exponential(1.0).expect("exponential").is_zero());
    assert_eq!(constant.family(), Family::Constant);
    // A negative zero would show as "-0" and has other bits.
    assert!(
        Dist::constant(-0.0)
            .expect("zero")
            .mean()
            .is_sign_positive()
    );
}

/// Every parameter of every constructor, replaced by what no constructor accepts there.
#[test]
fn what_is_not_finite_or_out_of_range_is_refused() {
    type Attempt = fn(f64) -> Result<Dist, DistError>;
    let mean: &[Attempt] = &[
        Dist::exponential,
        |x| Dist::erlang(3, x),
        |x| Dist::gamma_mean_cv(x, 1.0),
        |x| Dist::gamma_mean_cv(1.0, x),
        |x| Dist::gamma(x, 1.0),
        |x| Dist::gamma(1.0, x),
        |x| Dist::weibull_mean_cv(x, 1.0),
        |x| Dist::weibull_mean_cv(1.0, x),
        |x| Dist::weibull(x, 1.0),
        |x| Dist::weibull(1.0, x),
        |x| Dist::lognormal_mean_cv(x, 1.0),
        |x| Dist::lognormal_mean_cv(1.0, x),
        |x| Dist::lognormal_median_p95(x, 2.0),
        |x| Dist::lognormal_median_p95(1.0, x),
        |x| Dist::lognormal_median_sigma(x, 1.0),
        |x| Dist::lognormal_median_sigma(1.0, x),
        |x| Dist::hyperexponential_mean_cv(x, 2.0),
        |x| Dist::hyperexponential_mean_cv(1.0, x),
        |x| Dist::hyperexponential(&[(1.0, 1.0), (1.0, x)]),
        |x| Dist::uniform(0.0, x),
        |x| Dist::pareto(x, 1e30, 1.0),
        |x| Dist::pareto(1e-29, x, 1.0),
        |x| Dist::pareto(1.0, 2.0, x),
        |x| Dist::pareto_mean(x, 1e30, 1.0),
        |x| Dist::pareto_mean(1e-29, x, 1.0),
        |x| Dist::pareto_mean(1.0, 2.0, x),
        |x| Dist::normal(1.0, x, 0.0, None),
        |x| Dist::normal(1.0, 1.0, 0.0, Some(x)),
    ];
    let value: &[Attempt] = &[
        Dist::constant,
        |x| Dist::uniform(x, 1e29),
        |x| Dist::normal(x, 1.0, 0.0, None),
        |x| Dist::normal(1.0, 1.0, x, None),
        |x| Dist::empirical(&[1.0, x]),
        |x| Dist::empirical_weighted(&[(1.0, 1.0), (x, 1.0)]),
        |x| Dist::empirical_weighted(&[(1.0, 1.0), (1.0, x)]),
        |x| Dist::hyperexponential(&[(1.0, 1.0), (x, 1.0)]),
    ];
    for bad in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        -1e-300,
        1e31,
    ] {
        for (n, attempt) in mean.iter().chain(value).enumerate() {
            assert!(attempt(bad).is_err(), "constructor {n} accepts {bad}");
        }
    }
    for (n, attempt) in mean.iter().enumerate() {
        assert!(attempt(0.0).is_err(), "constructor {n} accepts 0");
    }
    for (n, attempt) in value.iter().enumerate() {
        assert!(attempt(0.0).is_ok(), "constructor {n} refuses 0");
    }
}

#[test]
fn the_message_says_what_was_found_and_what_is_accepted() {
    let refusal = |attempt: Result<Dist, DistError>| attempt.expect_err("refused").to_string();
    assert_eq!(
        refusal(Dist::exponential(-2.0)),
        "mean is -2; give a number above 0 and at most 1e30"
    );
    assert_eq!(
        refusal(Dist::hyperexponential_mean_cv(1.0, 0.5)),
        "cv is 0.5; give a number from 1 to 1000"
    );
    assert_eq!(
        refusal(Dist::uniform(5.0, 5.0)),
        "max is 5, which is not above min (5)"
    );
    assert_eq!(
        refusal(Dist::lognormal_median_p95(5.0, 4.0)),
        "p95 is 4, which is not above median (5)"
    );
    assert_eq!(
        refusal(Dist::empirical(&[])),
        "values is empty; give a list with at least one entry"
    );
    assert_eq!(
        refusal(Dist::empirical_weighted(&[(1.0, 0.0)])),
        "the weights add up to 0; give at least one weight above 0"
    );
    assert_eq!(
        refusal(Dist::erlang(0, 1.0)),
        "shape is 0; give a number from 1 to 1000000"
    );
    assert_eq!(
        refusal(Dist::pareto(1.0, 2.0, 0.01)),
        "shape is 0.01; give a number from 0.05 to 100"
    );
    assert_eq!(
        refusal(Dist::pareto_mean(3.0, 2.0, 1.0)),
        "max is 2, which is not above mean (3)"
    );
    assert_eq!(
        refusal(Dist::normal(1.0, 1.0, 2.0, Some(2.0))),
        "max is 2, which is not above min (2)"
    );
    assert_eq!(
        refusal(Dist::normal(1.0, 0.1, 2.0, None)),
        "less than 1 % of the distribution lies between min and max; give wider bounds"
    );
    let error = Dist::lognormal_median_p95(1.0, 1e6).expect_err("too wide");
    assert_eq!(error.parameter(), "p95");
    assert_eq!(
        error.to_string(),
        "p95 is 1000000; give a number of at most 450 times the median"
    );
}

#[test]
fn distributions_are_written_as_people_write_them() {
    let written = |dist: Result<Dist, DistError>| dist.expect("accepted").to_string();
    assert_eq!(written(Dist::constant(0.0)), "constant 0s");
    assert_eq!(written(Dist::constant(1.5e8)), "constant 150ms");
    assert_eq!(written(Dist::exponential(1e7)), "exponential, mean 10ms");
    assert_eq!(
        written(Dist::exponential(1e9 / 3.0)),
        "exponential, mean 333300us"
    );
    assert_eq!(
        written(Dist::exponential(1600.0)),
        "exponential, mean 1600ns"
    );
    assert_eq!(written(Dist::exponential(2.5)), "exponential, mean 2.5ns");
    assert_eq!(
        written(Dist::exponential(0.125)),
        "exponential, mean 0.125ns"
    );
    assert_eq!(written(Dist::uniform(0.0, 2e9)), "uniform, 0s to 2s");
    assert_eq!(written(Dist::erlang(3, 1e7)), "erlang, shape 3, mean 10ms");
    assert_eq!(
        written(Dist::gamma_mean_cv(1e7, 0.7)),
        "gamma, mean 10ms, cv 0.7"
    );
    assert_eq!(
        written(Dist::weibull_mean_cv(1e7, 0.7)),
        "weibull, mean 10ms, cv 0.7"
    );
    assert_eq!(
        written(Dist::lognormal_mean_cv(1e7, 0.8)),
        "lognormal, mean 10ms, cv 0.8"
    );
    assert_eq!(
        written(Dist::hyperexponential_mean_cv(1e7, 2.0)),
        "hyperexponential, 2 branches, mean 10ms, cv 2"
    );
    assert_eq!(
        written(Dist::empirical(&[1e6, 3e6, 2e6])),
        "empirical, 3 values from 1ms to 3ms, mean 2ms"
    );
    assert_eq!(
        written(Dist::pareto(1e6, 1e9, 1.5)),
        "pareto, 1ms to 1s, shape 1.5, mean 2905us"
    );
    assert_eq!(
        written(Dist::normal(1e7, 1e6, 0.0, None)),
        "normal, from 0s, mean 10ms, cv 0.1"
    );
    assert_eq!(
        written(Dist::normal(1e7, 1e6, 9e6, Some(1.1e7))),
        "normal, from 9ms to 11ms, mean 10ms, cv 0.05396"
    );
    let numbers = |dist: Result<Dist, DistError>| dist.expect("accepted").describe(Unit::Number);
    assert_eq!(numbers(Dist::uniform(2.0, 10.0)), "uniform, 2 to 10");
    assert_eq!(
        numbers(Dist::exponential(10.0 / 3.0)),
        "exponential, mean 3.333"
    );
    assert_eq!(numbers(Dist::constant(123_456.0)), "constant 123456");
}
