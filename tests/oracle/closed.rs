//! Closed models: M/M/c//N, users who think, ask, wait and think again.

use blis_sim::theory::ClosedStation;

use crate::replicate::{check, check_response_quantiles, replicate};

fn station(horizon: u32, users: u32, workers: u32, think: &str) {
    let text = format!(
        "
blis: 1
name: closed
run: {{horizon: {horizon}s, warmup: 10s}}
clients:
  users: {{concurrency: {users}, think: {think}, do: ask}}
actions:
  ask: {{path: [{{visit: api}}, reply]}}
services:
  api: {{workers: {workers}, time: {{exponential: {{mean: 1ms}}}}}}
"
    );
    let exact = ClosedStation::new(u64::from(users), 9e-3, u64::from(workers), 1e-3).unwrap();
    let figures = replicate(&text);
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
}

#[test]
fn m_m_1_n() {
    station(400, 8, 1, "{exponential: {mean: 9ms}}");
}

#[test]
fn m_m_c_n() {
    station(300, 30, 4, "{exponential: {mean: 9ms}}");
}

/// The means do not depend on the distribution of the think time, only on its mean.
#[test]
fn m_m_c_n_with_constant_think_times() {
    station(300, 30, 4, "{constant: 9ms}");
}

#[test]
fn m_m_1_n_with_lognormal_think_times() {
    station(400, 8, 1, "{lognormal: {mean: 9ms, cv: 2}}");
}

/// Without think time the line never empties.
#[test]
fn users_without_think_time_saturate_the_station() {
    let text = "
blis: 1
name: saturated
run: {horizon: 100s, warmup: 10s}
clients:
  users: {concurrency: 10, do: ask}
actions:
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 4, time: {exponential: {mean: 1ms}}}
";
    let exact = ClosedStation::new(10, 0.0, 4, 1e-3).unwrap();
    let figures = replicate(text);
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
}
