//! Networks: requests that visit several services, with branches, errors, members and sessions.

use blis_sim::analysis::exact;
use blis_sim::spec;

use crate::replicate::{Figures, WIDTH, interval, replicate};

/// Throughput, mean response, and waits at all services together, against the form that `exact` finds.
fn holds(form: &str, text: &str) {
    let read = spec::read(text).unwrap();
    let model = spec::lower(&read).unwrap().model;
    let exact = exact(&model).unwrap();
    assert_eq!(exact.form, form);
    let figures = replicate(text);
    let check = |what: &str, figure: fn(&Figures) -> f64, expected: f64, width: f64| {
        interval(&figures, figure)
            .check(what, expected, width, 0.0)
            .unwrap();
    };
    check("throughput", |f| f.throughput, exact.throughput, WIDTH);
    check("response", |f| f.response, exact.response, 2.0 * WIDTH);
    let queue = exact.services.iter().map(|(_, means)| means.queue).sum();
    // Several lines of several services scatter more than a response that is mostly service.
    check("queue", |f| f.queue, queue, 4.0 * WIDTH);
    // The median and the 99th percentile are those that both have.
    for (index, expected) in [0, 2]
        .into_iter()
        .zip(exact.quantiles.iter().flat_map(|q| [q[0], q[2]]))
    {
        interval(&figures, |f| f.response_quantiles[index])
            .check("quantile", expected, 2.0 * WIDTH, 1e-3)
            .unwrap();
    }
}

#[test]
fn stations_in_series() {
    holds(
        "open Jackson network, 3 services",
        "
blis: 1
name: series
run: {horizon: 300s, warmup: 10s}
clients:
  feed: {rate: 600/s, arrival: poisson, do: ask}
actions:
  ask: {path: [{visit: first}, {visit: second}, {delay: 1ms}, {visit: third}, reply]}
services:
  first: {workers: 2, time: {exponential: {mean: 2ms}}}
  second: {workers: 1, time: {exponential: {mean: 1ms}}}
  third: {workers: 3, time: {exponential: {mean: 3ms}}}
network: {one_way: 250us}
",
    );
}

#[test]
fn branches_with_errors_and_members() {
    holds(
        "open Jackson network, 3 services",
        "
blis: 1
name: branches
run: {horizon: 300s, warmup: 10s}
clients:
  feed: {rate: 500/s, arrival: poisson, do: ask}
actions:
  ask:
    path:
      - visit: front
      - branch:
          - {weight: 1, path: []}
          - {weight: 2, path: [{visit: store}]}
          - {weight: 1, path: [{visit: front}, {fail: app_error}]}
      - reply
      - visit: audit
services:
  front: {workers: 1, time: {exponential: {mean: 1ms}}, errors: 5%}
  store: {members: 2, workers: 1, time: {exponential: {mean: 5ms}}}
  audit: {workers: 2, time: {exponential: {mean: 3ms}}}
",
    );
}

#[test]
fn sessions_with_thinking() {
    holds(
        "open Jackson network, 2 services",
        "
blis: 1
name: sessions
run: {horizon: 400s, warmup: 30s}
clients:
  visitors:
    rate: 100/s
    session: {rounds: 5, think: {uniform: {min: 0s, max: 1s}}}
    do: {ask: 1, tell: 1}
actions:
  ask: {path: [{visit: api}, {visit: store}, reply]}
  tell: {path: [{visit: api}, reply]}
services:
  api: {workers: 1, time: {exponential: {mean: 1.2ms}}}
  store: {workers: 4, time: {exponential: {mean: 10ms}}}
",
    );
}

#[test]
fn closed_users_at_several_services() {
    holds(
        "closed network, 3 services, 40 users",
        "
blis: 1
name: closed
run: {horizon: 400s, warmup: 10s}
clients:
  users: {concurrency: 40, think: {lognormal: {mean: 20ms, cv: 1.5}}, do: ask}
actions:
  ask:
    path:
      - visit: front
      - delay: {uniform: {min: 0ms, max: 4ms}}
      - branch:
          - {weight: 1, path: [{visit: store}]}
          - {weight: 3, path: [{visit: cache}, {visit: cache}]}
      - reply
services:
  front: {members: 2, workers: 1, time: {exponential: {mean: 1.5ms}}, errors: 10%}
  store: {workers: 3, time: {exponential: {mean: 8ms}}}
  cache: {workers: 40, time: {gamma: {mean: 2ms, cv: 2}}}
network: {one_way: {lognormal: {median: 500us, sigma: 0.4}}}
",
    );
}

#[test]
fn stages_of_service() {
    holds(
        "M/E4/1",
        "
blis: 1
name: stages
run: {horizon: 600s, warmup: 10s}
clients:
  feed: {rate: 700/s, arrival: poisson, do: ask}
actions:
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 1, time: {erlang: {k: 4, mean: 1ms}}}
",
    );
}
