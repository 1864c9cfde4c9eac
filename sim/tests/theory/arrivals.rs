//! GI/M/1.

use blis_sim::dist::{Dist, DistError};
use blis_sim::theory::{GeneralArrivals, MultiServer, TheoryError};

use crate::numerics::{assert_near, mean_of_tail};

/// A mean inter-arrival time of 12.5 ms: a utilisation of 0.8 at a service time of 10 ms.
const MEAN: f64 = 1.25e7;

fn queue(interarrival: Result<Dist, DistError>) -> GeneralArrivals {
    GeneralArrivals::new(&interarrival.expect("distribution"), 0.01).expect("stable")
}

/// Roots from a computation with 40 digits (25 for the last two).
#[test]
fn the_waiting_probability_is_the_root() {
    let cases = [
        (Dist::constant(MEAN), 0.628_629_796_496_946_7),
        (Dist::uniform(0.0, 2.0 * MEAN), 0.715_971_855_115_468_2),
        (Dist::gamma_mean_cv(MEAN, 2.0), 0.916_354_582_533_849_4),
        (Dist::weibull(0.5, MEAN / 2.0), 0.924_158_970_620_524),
        (Dist::lognormal_mean_cv(MEAN, 2.0), 0.894_521_640_160_71),
    ];
    for (interarrival, sigma) in cases {
        let queue = queue(interarrival);
        assert_near(queue.waiting_probability, sigma, 1e-11);
        assert_near(queue.means.response, 0.01 / (1.0 - sigma), 1e-10);
        assert_near(queue.means.utilisation, 0.8, 1e-14);
        assert_near(queue.means.wait, 0.01 * sigma / (1.0 - sigma), 1e-10);
    }
}

/// For two stages the equation is a quadratic: sigma² - (1 + 4 r) sigma + 4 r² = 0 with r the utilisation.
#[test]
fn two_erlang_stages_have_a_quadratic() {
    let r = 0.8_f64;
    let sigma = (1.0 + 4.0 * r - (1.0 + 8.0 * r).sqrt()) / 2.0;
    assert_near(
        queue(Dist::erlang(2, MEAN)).waiting_probability,
        sigma,
        1e-13,
    );
    assert_near(
        queue(Dist::gamma(2.0, MEAN / 2.0)).waiting_probability,
        sigma,
        1e-13,
    );
}

#[test]
fn exponential_arrivals_make_it_m_m_1() {
    let single = MultiServer::single(80.0, 0.01).expect("stable");
    let cases = [
        Dist::exponential(MEAN),
        Dist::erlang(1, MEAN),
        Dist::gamma_mean_cv(MEAN, 1.0),
        Dist::weibull_mean_cv(MEAN, 1.0),
        Dist::hyperexponential_mean_cv(MEAN, 1.0),
    ];
    for interarrival in cases {
        let queue = queue(interarrival);
        assert_near(queue.waiting_probability, 0.8, 1e-11);
        assert_near(queue.means.in_system, single.means.in_system, 1e-10);
        assert_near(
            queue.response_quantile(0.99),
            single.response_quantile(0.99),
            1e-10,
        );
        assert_near(queue.wait_quantile(0.99), single.wait_quantile(0.99), 1e-10);
        assert_near(queue.wait_tail(0.03), single.wait_tail(0.03), 1e-10);
    }
}

/// For a mixture of two exponentials the equation is a cubic with the root 1; the others solve a quadratic.
#[test]
fn a_mixture_of_two_has_a_quadratic_too() {
    let (p, a, b) = (0.3, 4.0 * MEAN / 1.9, MEAN / 1.9);
    let queue = queue(Dist::hyperexponential(&[(p, a), (1.0 - p, b)]));
    // With x = mu (1 - sigma): 1 - x / mu = p / (1 + a x) + (1 - p) / (1 + b x), divided by x.
    let (mu, mean) = (1e-7, p * a + (1.0 - p) * b);
    assert_near(mean, MEAN, 1e-14);
    let (square, linear, constant) = (a * b / mu, (a + b) / mu - a * b, 1.0 / mu - mean);
    let x = (-linear + (linear * linear - 4.0 * square * constant).sqrt()) / (2.0 * square);
    // A positive x is needed; the sign of the square decides which root that is.
    let x = if x > 0.0 { x } else { -constant / linear };
    assert_near(queue.waiting_probability, 1.0 - x / mu, 1e-12);
}

#[test]
fn variable_arrivals_wait_longer() {
    let wait = |interarrival| queue(interarrival).means.wait;
    let rising = [
        wait(Dist::constant(MEAN)),
        wait(Dist::erlang(8, MEAN)),
        wait(Dist::erlang(2, MEAN)),
        wait(Dist::exponential(MEAN)),
        wait(Dist::hyperexponential_mean_cv(MEAN, 1.5)),
        wait(Dist::hyperexponential_mean_cv(MEAN, 3.0)),
    ];
    assert!(rising.is_sorted(), "{rising:?}");
}

#[test]
fn the_means_are_the_integrals_of_the_tails() {
    let queue = queue(Dist::weibull_mean_cv(MEAN, 0.5));
    assert_near(
        mean_of_tail(2.0, |t| queue.response_tail(t)),
        queue.means.response,
        1e-7,
    );
    assert_near(
        mean_of_tail(2.0, |t| queue.wait_tail(t)),
        queue.means.wait,
        1e-7,
    );
}

#[test]
fn what_has_no_steady_state_is_refused() {
    let interarrival = Dist::erlang(3, MEAN).expect("erlang");
    assert!(matches!(
        GeneralArrivals::new(&interarrival, 0.02),
        Err(TheoryError::Unstable { .. })
    ));
    assert!(matches!(
        GeneralArrivals::new(&interarrival, 0.0125),
        Err(TheoryError::Unstable { .. })
    ));
    assert!(GeneralArrivals::new(&interarrival, 0.0).is_err());
    assert!(GeneralArrivals::new(&interarrival, f64::NAN).is_err());
    assert!(GeneralArrivals::new(&Dist::ZERO, 0.01).is_err());
}
