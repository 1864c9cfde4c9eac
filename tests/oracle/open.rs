//! Open models: requests that arrive whatever the backend does.

use blis_sim::dist::Dist;
use blis_sim::theory::{
    DeterministicService, FiniteQueue, GeneralArrivals, GeneralService, Means, MultiServer,
    SplitQueues,
};

use crate::replicate::{
    WIDTH, check, check_response_quantiles, check_wait_quantiles, interval, replicate,
};

/// A spec of one service under a stream of `rate` requests per second; times in the text are in milliseconds.
pub fn spec(horizon: u32, rate: u32, arrival: &str, service: &str) -> String {
    format!(
        "
blis: 1
name: oracle
run: {{horizon: {horizon}s, warmup: 10s}}
clients:
  feed: {{rate: {rate}/s, arrival: {arrival}, do: ask}}
actions:
  ask: {{path: [{{visit: api}}, reply]}}
services:
  api: {{{service}}}
"
    )
}

#[test]
fn m_m_1() {
    let figures = replicate(&spec(
        1600,
        650,
        "poisson",
        "workers: 1, time: {exponential: {mean: 1ms}}",
    ));
    let exact = MultiServer::single(650.0, 1e-3).unwrap();
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
    check_wait_quantiles(&figures, |q| exact.wait_quantile(q));
}

#[test]
fn m_m_c() {
    let figures = replicate(&spec(
        900,
        2800,
        "poisson",
        "workers: 4, time: {exponential: {mean: 1ms}}",
    ));
    let exact = MultiServer::new(4, 2800.0, 1e-3).unwrap();
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
}

/// Members that take from one line are one station.
#[test]
fn m_m_c_by_shared_members() {
    let service = "members: 2, workers: 2, dispatch: shared, time: {exponential: {mean: 1ms}}";
    let figures = replicate(&spec(500, 2800, "poisson", service));
    check(&figures, &MultiServer::new(4, 2800.0, 1e-3).unwrap().means);
}

#[test]
fn m_m_c_k() {
    let service = "workers: 2, queue: {limit: 4}, time: {exponential: {mean: 1ms}}";
    let figures = replicate(&spec(300, 1800, "poisson", service));
    let exact = FiniteQueue::new(2, 6, 1800.0, 1e-3).unwrap();
    check(&figures, &exact.means);
    interval(&figures, |f| f.rejected)
        .check("loss", exact.loss_probability, WIDTH, 0.0)
        .unwrap();
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
    check_wait_quantiles(&figures, |q| exact.wait_quantile(q));
}

/// A loss system: nobody waits.
#[test]
fn m_m_c_c() {
    let service = "workers: 3, queue: {limit: 0}, time: {exponential: {mean: 1ms}}";
    let figures = replicate(&spec(200, 2500, "poisson", service));
    let exact = FiniteQueue::new(3, 3, 2500.0, 1e-3).unwrap();
    let means = exact.means;
    interval(&figures, |f| f.rejected)
        .check("loss", exact.loss_probability, WIDTH, 0.0)
        .unwrap();
    interval(&figures, |f| f.throughput)
        .check("throughput", means.throughput, WIDTH, 0.0)
        .unwrap();
    interval(&figures, |f| f.response)
        .check("response", means.response, WIDTH, 0.0)
        .unwrap();
    assert!(figures.iter().all(|f| f.wait == 0.0 && f.queue == 0.0));
}

#[test]
fn m_d_1() {
    let figures = replicate(&spec(900, 700, "poisson", "workers: 1, time: 1ms"));
    let exact = DeterministicService::new(700.0, 1e-3).unwrap();
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
    check_wait_quantiles(&figures, |q| exact.wait_quantile(q));
}

#[test]
fn m_g_1_lognormal() {
    let figures = replicate(&spec(
        1200,
        600,
        "poisson",
        "workers: 1, time: {lognormal: {mean: 1ms, cv: 0.8}}",
    ));
    check(
        &figures,
        &GeneralService::new(600.0, 1e-3, 0.64).unwrap().means,
    );
}

#[test]
fn m_g_1_hyperexponential() {
    let service = "workers: 1, time: {hyperexponential: {mean: 1ms, cv: 1.5}}";
    let figures = replicate(&spec(2400, 500, "poisson", service));
    check(
        &figures,
        &GeneralService::new(500.0, 1e-3, 2.25).unwrap().means,
    );
}

/// Not only the two families above: the means follow the first two moments alone.
#[test]
fn m_g_1_empirical() {
    let service = "workers: 1, time: {empirical: {values: [500us, 500us, 500us, 2.5ms]}}";
    let figures = replicate(&spec(1200, 600, "poisson", service));
    // Mean 1 ms, variance (3 * 0.25 + 2.25) / 4 = 0.75 ms^2.
    check(
        &figures,
        &GeneralService::new(600.0, 1e-3, 0.75).unwrap().means,
    );
}

fn general_arrivals(horizon: u32, arrival: &str, interarrival: &Dist) {
    let rate = (1e9 / interarrival.mean()).round() as u32;
    let figures = replicate(&spec(
        horizon,
        rate,
        arrival,
        "workers: 1, time: {exponential: {mean: 1ms}}",
    ));
    let exact = GeneralArrivals::new(interarrival, 1e-3).unwrap();
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.response_quantile(q));
}

#[test]
fn gi_m_1_gamma() {
    general_arrivals(
        1700,
        "{gamma: {cv: 0.5}}",
        &Dist::gamma_mean_cv(1e9 / 600.0, 0.5).unwrap(),
    );
}

#[test]
fn gi_m_1_weibull() {
    general_arrivals(
        1600,
        "{weibull: {cv: 1.5}}",
        &Dist::weibull_mean_cv(1e9 / 500.0, 1.5).unwrap(),
    );
}

#[test]
fn d_m_1() {
    general_arrivals(1700, "constant", &Dist::constant(1e9 / 600.0).unwrap());
}

#[test]
fn split_queues_under_random_dispatch() {
    let service = "members: 4, workers: 1, dispatch: random, time: {exponential: {mean: 1ms}}";
    let figures = replicate(&spec(400, 2600, "poisson", service));
    let exact = SplitQueues::new(4, 1, 2600.0, 1e-3).unwrap();
    check(&figures, &exact.means);
    check_response_quantiles(&figures, |q| exact.member.response_quantile(q));
}

/// Members of unequal speed are queues of their own, of which a request meets any.
#[test]
fn split_queues_of_unequal_speed() {
    let service =
        "members: [{workers: 1, speed: 0.5}, {workers: 1}], time: {exponential: {mean: 1ms}}";
    let figures = replicate(&spec(4000, 700, "poisson", service));
    let slow = MultiServer::single(350.0, 2e-3).unwrap();
    let fast = MultiServer::single(350.0, 1e-3).unwrap();
    let (one, other) = (slow.means, fast.means);
    let either = |of: fn(&Means) -> f64| (of(&one) + of(&other)) / 2.0;
    let both = Means {
        throughput: 700.0,
        utilisation: either(|means| means.utilisation),
        wait: either(|means| means.wait),
        response: either(|means| means.response),
        queue: one.queue + other.queue,
        in_system: one.in_system + other.in_system,
    };
    check(&figures, &both);
    // The quantile at which both tails together leave the rest.
    let tail = |t: f64| (slow.response_tail(t) + fast.response_tail(t)) / 2.0;
    check_response_quantiles(&figures, |q| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            match tail(middle) > 1.0 - q {
                true => low = middle,
                false => high = middle,
            }
        }
        high
    });
}

/// Two M/M/1 stations in series: the second one sees a Poisson stream (Burke 1956).
#[test]
fn stations_in_series() {
    let text = "
blis: 1
name: series
run: {horizon: 900s, warmup: 10s}
clients:
  feed: {rate: 600/s, do: ask}
actions:
  ask: {path: [{visit: first}, {visit: second}, reply]}
services:
  first: {workers: 1, time: {exponential: {mean: 1ms}}}
  second: {workers: 1, time: {exponential: {mean: 0.5ms}}}
";
    let figures = replicate(text);
    let first = MultiServer::single(600.0, 1e-3).unwrap().means;
    let second = MultiServer::single(600.0, 0.5e-3).unwrap().means;
    let response = interval(&figures, |f| f.response);
    response
        .check("response", first.response + second.response, WIDTH, 0.0)
        .unwrap();
    interval(&figures, |f| f.queue)
        .check("queue", first.queue + second.queue, WIDTH, 0.0)
        .unwrap();
    let utilisation = (first.utilisation + second.utilisation) / 2.0;
    interval(&figures, |f| f.utilisation)
        .check("utilisation", utilisation, WIDTH, 0.0)
        .unwrap();
}

/// A branch thins the stream, a network and a delay add their means to the response.
#[test]
fn a_thinned_stream_over_a_network() {
    let text = "
blis: 1
name: thinned
run: {horizon: 900s, warmup: 10s}
clients:
  feed: {rate: 2000/s, do: ask}
actions:
  ask:
    path:
      - branch:
          - {weight: 3, path: [{visit: api}]}
          - {weight: 7, path: [{delay: {uniform: {min: 0s, max: 4ms}}}]}
      - reply
services:
  api: {workers: 1, time: {exponential: {mean: 1ms}}}
network: {one_way: {exponential: {mean: 1ms}}}
";
    let figures = replicate(text);
    let api = MultiServer::single(600.0, 1e-3).unwrap().means;
    let response = 2.0 * 1e-3 + 0.7 * 2e-3 + 0.3 * api.response;
    interval(&figures, |f| f.response)
        .check("response", response, WIDTH, 0.0)
        .unwrap();
    interval(&figures, |f| f.utilisation)
        .check("utilisation", 0.6, WIDTH, 0.0)
        .unwrap();
    interval(&figures, |f| f.wait)
        .check("wait", api.wait, WIDTH, 0.0)
        .unwrap();
}

/// Sessions of a mean of three rounds are three times as many requests; with long think times between them they
/// arrive nearly as a Poisson stream, so their number is what is held against the exact one.
#[test]
fn sessions_bring_their_rounds() {
    let text = "
blis: 1
name: rounds
run: {horizon: 600s, warmup: 10s}
clients:
  talk: {rate: 500/s, session: {rounds: {uniform: {min: 1, max: 5}}, think: {exponential: {mean: 20ms}}}, do: ask}
actions:
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 2, time: {exponential: {mean: 1ms}}}
";
    let figures = replicate(text);
    interval(&figures, |f| f.throughput)
        .check("throughput", 1500.0, WIDTH, 0.0)
        .unwrap();
    interval(&figures, |f| f.utilisation)
        .check("utilisation", 0.75, WIDTH, 0.0)
        .unwrap();
}
