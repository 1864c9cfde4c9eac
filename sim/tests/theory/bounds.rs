//! Bounds of closed systems.

use blis_sim::theory::{ClosedBounds, ClosedStation, Demand};

use crate::numerics::assert_near;

fn station(servers: u64, seconds: f64, think: f64) -> ClosedBounds {
    ClosedBounds::new(&[Demand { seconds, servers }], think).expect("valid")
}

#[test]
fn the_knee_is_where_the_asymptotes_meet() {
    // Case A: 4 workers of 10 ms, 500 ms of think time.
    let bounds = station(4, 0.01, 0.5);
    assert_near(bounds.capacity(), 400.0, 1e-14);
    assert_near(bounds.saturation_users(), 204.0, 1e-14);
    assert_near(bounds.throughput_upper(50.0), 50.0 / 0.51, 1e-14);
    assert_near(bounds.throughput_upper(204.0), 400.0, 1e-14);
    assert_near(bounds.throughput_upper(1000.0), 400.0, 1e-14);
    assert_near(bounds.response_lower(50.0), 0.01, 1e-14);
    assert_near(bounds.response_lower(1000.0), 2.0, 1e-14);
}

/// Lazowska, Zahorjan, Graham and Sevcik 1984: demands of 2.0, 0.5 and 3.0 s and 15 s of think time.
#[test]
fn several_stations_add_up() {
    let demand = |seconds| Demand {
        seconds,
        servers: 1,
    };
    let bounds = ClosedBounds::new(&[demand(2.0), demand(0.5), demand(3.0)], 15.0).expect("valid");
    assert_near(bounds.total_demand(), 5.5, 1e-14);
    assert_near(bounds.capacity(), 1.0 / 3.0, 1e-14);
    assert_near(bounds.saturation_users(), 20.5 / 3.0, 1e-14);
    assert_near(
        bounds.throughput_lower(4.0),
        4.0 / (4.0 * 5.5 + 15.0),
        1e-14,
    );
    assert_near(bounds.throughput_upper(4.0), 4.0 / 20.5, 1e-14);
    assert_near(bounds.response_upper(4.0), 22.0, 1e-14);
}

#[test]
fn the_exact_station_lies_within_the_bounds() {
    for servers in [1, 4, 16] {
        for users in [1_u32, 3, 16, 17, 50, 204, 205, 1000] {
            for think in [0.0, 0.05, 0.5] {
                let bounds = station(servers, 0.01, think);
                let exact = ClosedStation::new(u64::from(users), think, servers, 0.01)
                    .expect("valid")
                    .means;
                let users = f64::from(users);
                let within = |low: f64, x: f64, high: f64| {
                    low * (1.0 - 1e-12) <= x && x <= high * (1.0 + 1e-12)
                };
                let throughput = (
                    bounds.throughput_lower(users),
                    bounds.throughput_upper(users),
                );
                assert!(
                    within(throughput.0, exact.throughput, throughput.1),
                    "{users} {servers} {think}"
                );
                let response = (bounds.response_lower(users), bounds.response_upper(users));
                assert!(
                    within(response.0, exact.response, response.1),
                    "{users} {servers} {think}"
                );
            }
        }
    }
}

#[test]
fn impossible_parameters_are_refused() {
    let demand = |seconds, servers| Demand { seconds, servers };
    assert!(ClosedBounds::new(&[], 1.0).is_err());
    assert!(ClosedBounds::new(&[demand(0.0, 1)], 1.0).is_err());
    assert!(ClosedBounds::new(&[demand(1.0, 0)], 1.0).is_err());
    assert!(ClosedBounds::new(&[demand(-1.0, 1)], 1.0).is_err());
    assert!(ClosedBounds::new(&[demand(1.0, 1)], f64::NAN).is_err());
    assert!(ClosedBounds::new(&[demand(0.0, 1), demand(1.0, 1)], 0.0).is_ok());
}
