//! Runs over a century of simulated time, and at the end of the clock: the books balance, and times stay exact.

use std::num::NonZeroU64;

use blis_sim::event::{Event, Sink};
use blis_sim::measure::Measure;
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::time::{Span, Time};

const YEAR_S: u64 = 8_766 * 3_600;

fn model(run: &str, client: &str, service: &str) -> blis_sim::model::Model {
    let text = format!(
        "blis: 1\nname: far\nrun: {{{run}}}\nclients: {{c: {{{client}, do: a}}}}\n\
         actions: {{a: {{path: [{{visit: s}}, reply]}}}}\nservices: {{s: {{{service}}}}}\n"
    );
    let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .model
}

/// Runs to the end with everything measured and all identities checked.
fn measured(model: &blis_sim::model::Model) -> (Measure, Time) {
    let mut simulation = Simulation::new(model, Measure::new(model));
    simulation.run().expect("the clock moves");
    let (intended, now) = (simulation.intended(), simulation.now());
    let mut measure = simulation.into_sink();
    measure
        .finish(intended)
        .unwrap_or_else(|imbalance| panic!("{imbalance}"));
    (measure, now)
}

#[test]
fn a_century_of_requests_balances() {
    let model = model(
        "horizon: 876600h, warmup: 8766h, drain: 876600h",
        "rate: 1/h, timeout: 8766h",
        "workers: 1, time: {lognormal: {mean: 55m, cv: 5}}, queue: {limit: 50}",
    );
    let (measure, now) = measured(&model);
    let total = measure.total();
    let intended = total.requests().intended;
    assert!((870_000..883_000).contains(&intended), "{intended}");
    assert!(now.as_nanos() >= 100 * YEAR_S * 1_000_000_000);
    let series: u64 = measure
        .series()
        .rows()
        .iter()
        .map(|row| row.requests.intended)
        .sum();
    assert_eq!(series, intended, "the rows cover the century");
}

/// Notes when requests are intended.
#[derive(Default)]
struct Instants(Vec<Time>);

impl Sink for Instants {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, now: Time, event: Event<'_>) {
        if let Event::Intended { .. } = event {
            self.0.push(now);
        }
    }
}

#[test]
fn evenly_spaced_arrivals_do_not_drift_in_a_century() {
    let model = model(
        "horizon: 876600h",
        "rate: 7/h, arrival: constant",
        "workers: 1, time: 1s",
    );
    let mut simulation = Simulation::new(&model, Instants::default());
    simulation.run().expect("the clock moves");
    let instants = simulation.into_sink().0;
    // The float nearest to seven in an hour is off by less than one part in 2^53, which is 400 ns of a century; the last
    // arrival may so fall behind the horizon.
    assert!((7 * 876_600 - 1..=7 * 876_600).contains(&instants.len()));
    for (nth, at) in (1u128..).zip(&instants) {
        let exact = (nth * 3_600_000_000_000 + 3) / 7;
        let off = u128::from(at.as_nanos()).abs_diff(exact);
        assert!(
            off <= exact / (1 << 53) + 1,
            "arrival {nth} is {off} ns off"
        );
    }
}

#[test]
fn what_would_come_after_the_end_of_the_clock_does_not_come() {
    // Six rounds of a century each are more than the 584 years that the clock has.
    let model = model(
        "requests: 50",
        "concurrency: 1, think: 876600h",
        "workers: 1, time: 1s",
    );
    let (measure, now) = measured(&model);
    assert_eq!(measure.total().requests().intended, 6);
    assert_eq!(now, Time::ZERO + Span::from_secs(5 * 100 * YEAR_S + 6));
    assert_eq!(model.limits.requests, NonZeroU64::new(50));
}
