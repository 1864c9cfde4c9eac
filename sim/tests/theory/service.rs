//! M/G/1 and M/D/1.

use blis_sim::dist::Dist;
use blis_sim::theory::{DeterministicService, GeneralService, MultiServer, TheoryError};

use crate::numerics::{assert_near, mean_of_tail};

#[test]
fn exponential_service_makes_it_m_m_1() {
    let general = GeneralService::new(80.0, 0.01, 1.0).expect("stable").means;
    let single = MultiServer::single(80.0, 0.01).expect("stable").means;
    assert_near(general.wait, single.wait, 1e-14);
    assert_near(general.response, single.response, 1e-14);
    assert_near(general.queue, single.queue, 1e-14);
    assert_near(general.in_system, single.in_system, 1e-14);
}

#[test]
fn the_wait_is_half_the_mean_square_of_the_service_times_rate_over_idleness() {
    let time = Dist::lognormal_mean_cv(1e7, 1.5).expect("lognormal");
    let (rate, seconds) = (80.0, time.mean() / 1e9);
    let queue = GeneralService::new(rate, seconds, time.scv()).expect("stable");
    let mean_square = (time.variance() + time.mean() * time.mean()) / 1e18;
    assert_near(
        queue.means.wait,
        rate * mean_square / 2.0 / (1.0 - 0.8),
        1e-12,
    );
    assert_near(queue.means.response, queue.means.wait + 0.01, 1e-12);
}

#[test]
fn constant_service_halves_the_wait() {
    let queue = DeterministicService::new(80.0, 0.01).expect("stable");
    assert_near(queue.means.wait, 0.02, 1e-14);
    assert_near(queue.means.response, 0.03, 1e-14);
}

/// Erlang's series with 120 digits.
#[test]
fn the_wait_has_erlangs_distribution() {
    let cases = [
        (0.8, 0.5, 0.298_364_939_528_254_05, 0.701_635_060_472),
        (0.8, 5.25, 0.909_765_317_690_012_9, 0.090_234_682_31),
        (0.8, 30.3, 0.999_998_145_575_203_1, 1.854_424_796_93e-6),
        (0.95, 2.0, 0.211_473_513_296_460_77, 0.788_526_486_704),
        (0.95, 60.7, 0.997_987_893_575_431_2, 0.002_012_106_424_57),
        (0.5, 12.9, 0.999_999_939_581_234_2, 6.041_876_576_98e-8),
    ];
    for (utilisation, services, cdf, tail) in cases {
        let queue = DeterministicService::new(utilisation * 100.0, 0.01).expect("stable");
        let found = queue.wait_cdf(services * 0.01);
        assert_near(found, cdf, 1e-12);
        assert_near(1.0 - found, tail, 1e-6);
        assert_near(queue.response_cdf((services + 1.0) * 0.01), cdf, 1e-12);
    }
}

/// Up to two service times the series has three terms at most and can be written down.
#[test]
fn the_first_terms_are_erlangs_series() {
    let (rate, d) = (60.0, 0.01);
    let queue = DeterministicService::new(rate, d).expect("stable");
    for n in 0..30 {
        let t = 0.001 * f64::from(n);
        let term = |k: i32| {
            let y = rate * (f64::from(k) * d - t);
            let factorial = f64::from((1..=k).product::<i32>());
            if t < f64::from(k) * d - 1e-12 {
                0.0
            } else {
                y.powi(k) / factorial * (-y).exp()
            }
        };
        let expected = 0.4 * (term(0) + term(1) + term(2));
        assert_near(queue.wait_cdf(t), expected, 1e-12);
    }
    assert_eq!(queue.wait_cdf(-0.001), 0.0);
    assert_near(queue.wait_cdf(0.0), 0.4, 1e-14);
}

/// Near saturation the wait is long and nearly exponential (Kingman 1962): exp(-2 (1 - u) t / (u D)) up to terms of the
/// order of 1 - u. 30,000 and 100,000 service times are beyond where the states are summed one by one.
#[test]
fn near_saturation_the_tail_is_exponential() {
    let utilisation = 0.999_95;
    let queue = DeterministicService::new(utilisation, 1.0).expect("stable");
    for services in [5_000.0, 19_000.0, 30_000.0, 100_000.0] {
        let expected = (-2.0 * (1.0 - utilisation) * services / utilisation).exp();
        assert_near(1.0 - queue.wait_cdf(services), expected, 4e-4);
    }
    assert_eq!(queue.wait_cdf(1e9), 1.0);
    assert_eq!(queue.wait_cdf(f64::INFINITY), 1.0);
}

#[test]
fn the_mean_is_the_integral_of_the_distribution() {
    for utilisation in [0.3, 0.8, 0.95] {
        let queue = DeterministicService::new(utilisation, 1.0).expect("stable");
        let mean = mean_of_tail(200.0, |t| 1.0 - queue.wait_cdf(t));
        assert_near(mean, queue.means.wait, 1e-5);
        for p in [0.5, 0.95, 0.999] {
            let wait = queue.wait_quantile(p);
            assert!(
                queue.wait_cdf(wait) >= p - 1e-12
                    && (wait == 0.0 || queue.wait_cdf(wait * 0.999_999) < p)
            );
            assert_near(queue.response_quantile(p), wait + 1.0, 1e-14);
        }
    }
}

#[test]
fn overload_and_impossible_parameters_are_refused() {
    assert_eq!(
        DeterministicService::new(150.0, 0.01),
        Err(TheoryError::Unstable { utilisation: 1.5 })
    );
    assert!(GeneralService::new(100.0, 0.01, 1.0).is_err());
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(GeneralService::new(bad, 0.01, 1.0).is_err());
        assert!(GeneralService::new(1.0, bad, 1.0).is_err());
        assert!(GeneralService::new(1.0, 0.01, bad).is_err());
    }
}
