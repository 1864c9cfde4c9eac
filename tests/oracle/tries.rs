//! What users wait over all tries, where its distribution is known: constant service times, a share of injected errors and
//! a constant back-off, without waiting.
//!
//! The number of failed tries before the first success is geometric, so that the wait over all tries has as many values as
//! there may be tries, k failures taking (k + 1) S + k B.

use blis_sim::event::Outcome;
use blis_sim::measure::{Measure, Overall};
use blis_sim::model::{ActionId, Model};
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::time::Span;
use blis_sim::verdict::{LiveEvidence, Status, evidence, judge};

/// The share of tries that fail.
const FAILS: f64 = 0.3;
/// Tries after the first.
const RETRIES: u32 = 3;
const REQUESTS: f64 = 20_000.0;

/// 100 requests a second of 10 ms each at more workers than they need, tried again after 50 ms.
fn model(client: &str, slo: &str) -> Model {
    let text = format!(
        "
blis: 1
name: tries
run: {{horizon: 200s, drain: 10s}}
clients:
  users: {{{client}, do: ask, on_failure: {{retry: {{times: {RETRIES}, backoff: 50ms}}}}}}
actions:
  ask: {{path: [{{visit: api}}, reply], slo: {slo}}}
services:
  api: {{workers: 1000, time: {{constant: 10ms}}, errors: 30%}}
"
    );
    spec::lower(&spec::read(&text).unwrap()).unwrap().model
}

fn simulate(model: &Model) -> Measure {
    let mut simulation = Simulation::new(model, Measure::new(model));
    simulation.run().unwrap();
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure.finish(intended).unwrap();
    measure
}

const OPEN: &str = "rate: 100/s, arrival: constant";

fn overall() -> Overall {
    let slo = "{overall: {p50: 10ms, p90: 70ms, p95: 130ms, p99: 190ms}}";
    let measure = simulate(&model(OPEN, slo));
    measure.overall(ActionId(0)).unwrap()
}

/// A count is within 4.5 standard deviations of a binomial one.
fn near(count: u64, share: f64, of: f64) {
    let (mean, deviation) = (of * share, (of * share * (1.0 - share)).sqrt());
    let off = (count as f64 - mean).abs();
    assert!(off < 4.5 * deviation, "{count}, not {mean} ± {deviation}");
}

#[test]
fn waits_over_all_tries_are_geometric() {
    let overall = overall();
    let requests = overall.cell.window.requests;
    // The last ones have no time left for another try.
    let cut = requests.ended(Outcome::Unresolved);
    assert!(cut < 20, "{cut}");
    assert_eq!(requests.intended, REQUESTS as u64);
    near(
        requests.ended(Outcome::AppError),
        FAILS.powi(RETRIES as i32 + 1),
        REQUESTS,
    );
    let tries: f64 = (0..=RETRIES as i32).map(|k| FAILS.powi(k)).sum();
    let mean = overall.tries as f64 / REQUESTS;
    assert!((mean / tries - 1.0).abs() < 0.02, "{mean}, not {tries}");
    let times = overall.cell.window.latencies.response();
    let ms = |millis: u64| Span::from_nanos(millis * 1_000_000);
    assert_eq!(times.min(), Some(ms(10)));
    assert_eq!(times.max(), Some(ms(190)));
    // Exact counts of how many lay over each value that there is.
    for (k, over) in (1..).zip(&overall.cell.exceedances) {
        let beyond: f64 = (k..=RETRIES as i32)
            .map(|k| FAILS.powi(k) * (1.0 - FAILS))
            .sum();
        match k {
            4 => assert_eq!(over.answered.response, 0),
            _ => near(
                over.answered.response - cut.min(over.answered.response),
                beyond,
                REQUESTS,
            ),
        }
        assert_eq!(over.answered.response, over.answered.service);
    }
    let values: f64 = (0..=RETRIES as i32)
        .map(|k| FAILS.powi(k) * (1.0 - FAILS) * f64::from(10 + 60 * k))
        .sum();
    let expected = values / (1.0 - FAILS.powi(RETRIES as i32 + 1));
    let mean = times.mean_nanos().unwrap() / 1e6;
    assert!(
        (mean / expected - 1.0).abs() < 0.02,
        "{mean}, not {expected}"
    );
}

#[test]
fn closed_users_wait_as_open_ones_do() {
    let measure = simulate(&model("concurrency: 10, think: 100ms", "{p99: 1s}"));
    let overall = measure.overall(ActionId(0)).unwrap();
    let requests = overall.cell.window.requests;
    let intended = requests.intended as f64;
    near(
        requests.ended(Outcome::AppError),
        FAILS.powi(RETRIES as i32 + 1),
        intended,
    );
    let tries = measure.total().window.requests.intended;
    assert_eq!(overall.tries, tries);
    assert_eq!(measure.retries(), tries - requests.intended);
}

#[test]
fn objectives_over_all_tries_are_judged_apart() {
    let status = |slo: &str| {
        let model = model(OPEN, slo);
        let measure = simulate(&model);
        let evidence = evidence(&model, &measure, false, &LiveEvidence::default()).unwrap();
        judge(&evidence)
    };
    // Each try takes 10 ms, and 30 % of them fail.
    let pass = "{errors: 35%, p99: 10ms, overall: {p90: 70ms, errors: 2%}}";
    assert_eq!(status(pass).status, Status::Pass);
    for (slo, said) in [
        (
            "{errors: 35%, p99: 10ms, overall: {p90: 69ms, errors: 2%}}",
            "p90",
        ),
        ("{errors: 35%, p99: 10ms, overall: {errors: 0.5%}}", "0.5 %"),
    ] {
        let verdict = status(slo);
        assert_eq!(verdict.status, Status::Trip, "{slo}");
        let [reason] = verdict.reasons.as_slice() else {
            panic!("{:?}", verdict.reasons);
        };
        assert!(
            reason.starts_with("Action ask over all tries: "),
            "{reason}"
        );
        assert!(reason.contains(said), "{reason}");
    }
}
