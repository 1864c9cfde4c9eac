//! The tests of the tests: a model that is off by little must not pass.

use blis_sim::theory::MultiServer;

use crate::open::spec;
use crate::replicate::{compare, interval, replicate};

#[test]
fn a_service_mean_that_is_off_by_two_percent_is_noticed() {
    let exact = MultiServer::single(650.0, 1e-3).unwrap().means;
    for time in ["1.02ms", "0.98ms"] {
        let service = format!("workers: 1, time: {{exponential: {{mean: {time}}}}}");
        let figures = replicate(&spec(1600, 650, "poisson", &service));
        let response = interval(&figures, |f| f.response);
        assert!(response.half_width < 0.01 * exact.response);
        let error = response
            .check("response", exact.response, 0.01, 0.0)
            .unwrap_err();
        assert!(error.contains("does not contain"), "{error}");
        let error = compare(&figures, &exact).unwrap_err();
        assert!(
            error.starts_with("utilisation") && error.contains("does not contain"),
            "{error}"
        );
    }
}

#[test]
fn a_rate_that_is_off_by_two_percent_is_noticed() {
    let exact = MultiServer::single(650.0, 1e-3).unwrap().means;
    let figures = replicate(&spec(
        400,
        663,
        "poisson",
        "workers: 1, time: {exponential: {mean: 1ms}}",
    ));
    assert!(
        compare(&figures, &exact)
            .unwrap_err()
            .starts_with("throughput")
    );
}

#[test]
fn a_distribution_of_another_shape_is_noticed() {
    let exact = MultiServer::single(650.0, 1e-3).unwrap().means;
    let figures = replicate(&spec(
        400,
        650,
        "poisson",
        "workers: 1, time: {gamma: {mean: 1ms, cv: 0.95}}",
    ));
    let error = interval(&figures, |f| f.response).check("response", exact.response, 1.0, 0.0);
    assert!(error.unwrap_err().contains("does not contain"));
}

#[test]
fn an_interval_that_is_too_wide_is_noticed() {
    let exact = MultiServer::single(650.0, 1e-3).unwrap().means;
    let figures = replicate(&spec(
        15,
        650,
        "poisson",
        "workers: 1, time: {exponential: {mean: 1ms}}",
    ));
    assert!(compare(&figures, &exact).unwrap_err().contains("wider"));
}
