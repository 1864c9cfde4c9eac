//! M/M/c//N.

use blis_sim::dist::Dist;
use blis_sim::theory::{
    ClosedStation, DeterministicService, GeneralArrivals, MultiServer, closed_response,
    number_in_system, utilisation,
};

use crate::numerics::{assert_near, balance, mean_of_tail, response_tail};

/// Throughput and response of the reference cases, from a computation with 60 digits.
#[test]
fn the_reference_cases_are_exact() {
    let cases = [
        (50, 0.01, 98.029_004_050_180_23, 0.010_053_126_464_545_308),
        (
            10_000,
            0.000_16,
            19_988.867_415_493_27,
            0.000_278_469_616_995_429_1,
        ),
        (
            1_000_000,
            0.000_001_6,
            1_999_988.828_932_596_6,
            2.792_782_450_042_715_3e-6,
        ),
        (300, 0.01, 399.999_999_991_924_3, 0.250_000_000_015_141_9),
    ];
    for (users, service, throughput, response) in cases {
        let station = ClosedStation::new(users, 0.5, 4, service).expect("valid");
        assert_near(station.means.throughput, throughput, 1e-12);
        assert_near(station.means.response, response, 1e-11);
    }
}

/// Quantiles of the response from the incomplete gamma functions, with 30 digits.
#[test]
fn the_quantiles_are_exact() {
    let cases = [
        (50, 0.95, 0.030_035_085_937_700_3),
        (50, 0.99, 0.046_129_587_058_114_1),
        (200, 0.5, 0.027_176_411_044_914_2),
        (200, 0.99, 0.101_569_464_964_125),
        (300, 0.99, 0.357_016_530_954_375),
    ];
    for (users, p, expected) in cases {
        let station = ClosedStation::new(users, 0.5, 4, 0.01).expect("valid");
        assert_near(station.response_quantile(p), expected, 1e-11);
    }
}

#[test]
fn the_station_solves_its_balance_equations() {
    for (users, think, servers, service) in [
        (1, 0.5, 1, 0.01),
        (7, 0.02, 2, 0.01),
        (25, 0.05, 4, 0.01),
        (12, 0.001, 3, 0.02),
        (3, 0.1, 8, 0.5),
    ] {
        let station =
            ClosedStation::new(users as u64, think, servers as u64, service).expect("valid");
        let births = |users: usize| move |n: usize| (users - n) as f64 / think;
        let busy = |n: usize| n.min(servers) as f64;
        let p = balance(users + 1, births(users), |n| busy(n) / service);
        let at_work: f64 = p.iter().enumerate().map(|(n, p)| busy(n) * p).sum();
        let in_system: f64 = p.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
        let means = station.means;
        assert_near(means.throughput, at_work / service, 1e-10);
        assert_near(means.in_system, in_system, 1e-10);
        assert_near(
            means.response,
            closed_response(users as f64, means.throughput, think),
            1e-9,
        );
        assert_near(
            means.in_system,
            number_in_system(means.throughput, means.response),
            1e-12,
        );
        assert_near(
            means.utilisation,
            utilisation(means.throughput, service, servers as f64),
            1e-12,
        );
        assert!((means.wait - (means.response - service)).abs() < 1e-12);
        assert!((means.queue - (in_system - at_work)).abs() < 1e-9);
        let met = balance(users, births(users - 1), |n| busy(n) / service);
        for t in [0.3 * service, service, 4.0 * service] {
            assert_near(
                station.response_tail(t),
                response_tail(&met, servers, service, t),
                1e-8,
            );
        }
        // The arrival theorem and the station's own population give the same mean.
        assert_near(
            mean_of_tail(60.0 * service, |t| station.response_tail(t)),
            means.response,
            1e-6,
        );
        let wait = mean_of_tail(60.0 * service, |t| station.wait_tail(t));
        assert!(
            (wait - means.wait).abs() < 1e-6 * service.max(means.wait),
            "{wait}"
        );
    }
}

#[test]
fn without_think_time_all_users_are_at_the_station() {
    let station = ClosedStation::new(20, 0.0, 4, 0.01).expect("valid");
    assert_near(station.means.throughput, 400.0, 1e-14);
    assert_near(station.means.response, 0.05, 1e-14);
    assert_near(station.means.wait, 0.04, 1e-14);
    // 16 completions at rate 400 before the service.
    assert_near(mean_of_tail(1.0, |t| station.wait_tail(t)), 0.04, 1e-8);
    let near = ClosedStation::new(20, 1e-12, 4, 0.01).expect("valid");
    assert_near(near.means.response, station.means.response, 1e-9);
    let idle = ClosedStation::new(3, 0.0, 4, 0.01).expect("valid");
    assert_near(idle.means.throughput, 300.0, 1e-14);
    assert_eq!(idle.means.wait, 0.0);
}

#[test]
fn a_single_user_never_waits() {
    let station = ClosedStation::new(1, 0.09, 1, 0.01).expect("valid");
    assert_near(station.means.throughput, 10.0, 1e-13);
    assert_near(station.means.response, 0.01, 1e-13);
    assert_near(station.response_quantile(0.5), 0.01 * 2.0_f64.ln(), 1e-12);
}

/// The response is then the service alone, however many completions the idle servers could have had.
#[test]
fn many_servers_answer_few_users_at_once() {
    let station = ClosedStation::new(2, 0.5, 10_000, 0.01).expect("valid");
    for t in [0.01_f64, 0.03, 0.2] {
        assert_near(station.response_tail(t), (-100.0 * t).exp(), 1e-11);
        assert_eq!(station.wait_tail(t), 0.0);
    }
}

#[test]
fn tails_are_defined_for_every_argument() {
    let closed = ClosedStation::new(50, 0.1, 4, 0.01).expect("valid");
    let open = MultiServer::new(4, 300.0, 0.01).expect("stable");
    let arrivals = Dist::exponential(1.25e7).expect("exponential");
    let general = GeneralArrivals::new(&arrivals, 0.01).expect("stable");
    let constant = DeterministicService::new(80.0, 0.01).expect("stable");
    let tails: [(&str, &dyn Fn(f64) -> f64); 8] = [
        ("closed wait", &|t| closed.wait_tail(t)),
        ("closed response", &|t| closed.response_tail(t)),
        ("open wait", &|t| open.wait_tail(t)),
        ("open response", &|t| open.response_tail(t)),
        ("general wait", &|t| general.wait_tail(t)),
        ("general response", &|t| general.response_tail(t)),
        ("constant wait", &|t| 1.0 - constant.wait_cdf(t)),
        ("constant response", &|t| 1.0 - constant.response_cdf(t)),
    ];
    for (name, tail) in tails {
        assert_eq!((tail(-1e-9), tail(f64::NEG_INFINITY)), (1.0, 1.0), "{name}");
        assert_eq!(
            (tail(1e12), tail(1e308), tail(f64::INFINITY)),
            (0.0, 0.0, 0.0),
            "{name}"
        );
        assert!(tail(f64::NAN).is_nan(), "{name}");
        let at_0 = tail(0.0);
        assert!(
            at_0 <= 1.0 + 1e-14 && at_0 >= tail(1e-4) && at_0 > 0.2,
            "{name}: {at_0}"
        );
    }
}

/// At one million users the response has the open system's distribution but for the last digits.
#[test]
fn a_million_users_are_nearly_a_poisson_stream() {
    let station = ClosedStation::new(1_000_000, 0.5, 4, 0.000_001_6).expect("valid");
    let open = MultiServer::new(4, station.means.throughput, 0.000_001_6).expect("stable");
    assert_near(station.means.response, open.means.response, 1e-4);
    for p in [0.5, 0.95, 0.999] {
        assert_near(
            station.response_quantile(p),
            open.response_quantile(p),
            1e-4,
        );
    }
    assert_eq!(station.response_tail(1e12), 0.0);
}

/// A saturated station holds nearly everyone; the quantiles are those of some 9,800 completions.
#[test]
fn ten_thousand_users_saturate_the_station() {
    let station = ClosedStation::new(10_000, 0.5, 4, 0.01).expect("valid");
    assert_near(station.means.throughput, 400.0, 1e-12);
    assert_near(station.means.response, 24.5, 1e-12);
    assert_near(station.response_quantile(0.5), 24.5, 1e-3);
    let (p5, p95) = (
        station.response_quantile(0.05),
        station.response_quantile(0.95),
    );
    // The time of some 9,800 completions has a standard deviation of 0.25 s.
    assert!((0.75..0.9).contains(&(p95 - p5)), "{p5} to {p95}");
}

/// Four thousand million users, nearly all of them waiting: the memory is that of the spread, not of the number.
#[test]
fn the_largest_population_is_answered() {
    let users = u32::MAX;
    let station = ClosedStation::new(u64::from(users), 0.5, 4, 0.01).expect("valid");
    let response = f64::from(users) / 400.0 - 0.5;
    assert_near(station.means.response, response, 1e-12);
    assert_near(station.response_quantile(0.5), response, 1e-4);
}

#[test]
fn impossible_parameters_are_refused() {
    assert!(ClosedStation::new(0, 0.5, 1, 0.01).is_err());
    assert!(ClosedStation::new(1, 0.5, 0, 0.01).is_err());
    assert!(ClosedStation::new(1, 0.5, 1, 0.0).is_err());
    for bad in [-0.5, f64::NAN, f64::INFINITY] {
        assert!(
            ClosedStation::new(1, bad, 1, 0.01).is_err()
                && ClosedStation::new(1, 0.5, 1, bad).is_err()
        );
    }
}
