//! Models whose ceiling is known exactly.

use blis_sim::model::Model;
use blis_sim::search::{Axis, Direction};
use blis_sim::spec;
use blis_sim::theory::{ClosedStation, DeterministicService, FiniteQueue, MultiServer, Tandem};

/// What is known of the ceiling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exact {
    /// It is this load.
    Continuous(f64),
    /// It is this whole load.
    Whole(f64),
    /// Objectives are kept below this load and cannot be kept above.
    Cliff(f64),
}

impl Exact {
    /// The ceiling.
    pub fn load(self) -> f64 {
        match self {
            Exact::Continuous(load) | Exact::Whole(load) | Exact::Cliff(load) => load,
        }
    }
}

/// A model with a load to be filled in, and its ceiling.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// The spec, with `LOAD` in the place of the load and `SEED` in that of the seed.
    text: String,
    /// What is varied.
    pub axis: Axis,
    /// Whether that is a rate.
    pub is_rate: bool,
    /// Where to begin.
    pub start: f64,
    /// What is known.
    pub exact: Exact,
}

impl Case {
    /// The model at a load.
    pub fn model(&self, load: f64, seed: u64) -> Model {
        let text = self.text.replace("LOAD", &format!("{load}"));
        let text = text.replace("SEED", &seed.to_string());
        let read = spec::read(&text).unwrap_or_else(|why| panic!("{}: {why:?}", self.name));
        let lowered = spec::lower(&read).unwrap_or_else(|why| panic!("{}: {why:?}", self.name));
        lowered.model
    }
}

/// Open Poisson arrivals at one action with this path, objective and backend.
fn open(path: &str, slo: &str, backend: &str) -> String {
    format!(
        "{{blis: 1, name: ceiling, seed: SEED, run: {{horizon: 60s, drain: 10s}}, clients: {{c: {{rate: LOAD/s, do: a}}}}, \
         actions: {{a: {{path: [{path}], {slo}}}}}, {backend}}}"
    )
}

fn service(workers: u64, mean: &str) -> String {
    format!("services: {{s: {{workers: {workers}, time: {mean}}}}}")
}

/// The largest load at which a falling share stays at or below a limit.
fn root(mut low: f64, mut high: f64, over: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        match over(middle) {
            true => high = middle,
            false => low = middle,
        }
    }
    low
}

const EXPONENTIAL: &str = "{exponential: {mean: 10ms}}";
const MEAN: f64 = 0.01;
const SLO: &str = "slo: {p99: 100ms}";
const LIMIT: f64 = 0.1;

fn many(servers: u64) -> f64 {
    root(1.0, servers as f64 / MEAN, |rate| {
        let queue = MultiServer::new(servers, rate, MEAN);
        queue.map_or(true, |queue| queue.response_tail(LIMIT) > 0.01)
    })
}

/// The share of arrivals that a token bucket refuses: M/D/1/K, whose workload is what the bucket lacks. From the chain at
/// departures (Gross et al. 2008, 5.1.8).
fn refused(rate: f64, period: f64, burst: usize) -> f64 {
    let load = rate * period;
    // a[k]: k arrivals within a period.
    let mut a = vec![(-load).exp()];
    for k in 1..=burst {
        a.push(a[k - 1] * load / k as f64);
    }
    // Departures leave 0 to K - 1; relative to that of 0.
    let mut left = vec![1.0];
    for n in 0..burst - 1 {
        let from = |m: usize| left[m] * a[n + 1 - m];
        let sum: f64 = (1..=n).map(from).sum::<f64>() + left[0] * a[n];
        left.push((left[n] - sum) / a[0]);
    }
    let empty = 1.0 / left.iter().sum::<f64>();
    1.0 - 1.0 / (empty + load)
}

fn rate(name: &'static str, text: String, start: f64, exact: Exact) -> Case {
    Case {
        name,
        text,
        axis: Axis {
            direction: Direction::Rising,
            whole: false,
        },
        is_rate: true,
        start,
        exact,
    }
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let visit = "{visit: s}, reply";
    let plain = |workers, mean| open(visit, SLO, &service(workers, mean));
    let deterministic = root(1.0, 100.0, |rate| {
        let queue = DeterministicService::new(rate, MEAN);
        queue.map_or(true, |queue| 1.0 - queue.response_cdf(LIMIT) > 0.01)
    });
    let finite = |capacity| {
        root(1.0, 1e3, |rate| {
            FiniteQueue::new(1, capacity, rate, MEAN).map_or(true, |q| q.loss_probability > 0.01)
        })
    };
    let tandem = root(1.0, 100.0, |rate| {
        let line = Tandem::new(rate, &[(1, MEAN), (1, 0.005)]);
        line.map_or(true, |line| line.response_tail(LIMIT) > 0.05)
    });
    let users = root(1.0, 1e4, |users| {
        let station = ClosedStation::new(users as u64, 0.5, 4, MEAN);
        station.map_or(true, |station| station.response_tail(LIMIT) > 0.05)
    });
    let bucket = root(1.0, 1e3, |rate| refused(rate, MEAN, 5) > 0.01);
    let fan = root(1.0, 100.0, |rate| {
        let line = DeterministicService::new(rate, MEAN);
        line.map_or(true, |line| 1.0 - line.response_cdf(LIMIT) > 0.01)
    });
    let single = 1.0 / MEAN - f64::ln(100.0) / LIMIT;
    let stream = |window: u64, workers: u64, time: &str| {
        format!(
            "{{blis: 1, name: ceiling, seed: SEED, run: {{horizon: 60s, drain: 1s}}, clients: {{c: {{rate: LOAD/s, do: a}}}}, \
             actions: {{a: {{path: [{{publish: log}}, reply]}}}}, streams: {{log: {{append: 100us, consumers: {{w: {{service: s, \
             max_ack_pending: {window}, slo: {{no_growth: true}}}}}}}}}}, services: {{s: {{workers: {workers}, time: {time}}}}}}}"
        )
    };
    vec![
        rate(
            "M/M/1",
            plain(1, EXPONENTIAL),
            20.0,
            Exact::Continuous(single),
        ),
        rate(
            "M/M/4",
            plain(4, EXPONENTIAL),
            100.0,
            Exact::Continuous(many(4)),
        ),
        rate(
            "M/M/16",
            plain(16, EXPONENTIAL),
            400.0,
            Exact::Continuous(many(16)),
        ),
        rate(
            "M/D/1",
            plain(1, "10ms"),
            20.0,
            Exact::Continuous(deterministic),
        ),
        rate(
            "M/M/1/10 by errors",
            open(
                visit,
                "slo: {errors: 1%}",
                &format!(
                    "services: {{s: {{workers: 1, time: {EXPONENTIAL}, queue: {{limit: 9}}}}}}"
                ),
            ),
            20.0,
            Exact::Continuous(finite(10)),
        ),
        Case {
            name: "M/M/4//N by users",
            text: format!(
                "{{blis: 1, name: ceiling, seed: SEED, run: {{horizon: 60s, drain: 10s}}, clients: {{c: {{concurrency: LOAD, think: \
                 {{exponential: {{mean: 500ms}}}}, do: a}}}}, actions: {{a: {{path: [{visit}], slo: {{p95: 100ms}}}}}}, {}}}",
                service(4, EXPONENTIAL)
            ),
            axis: Axis {
                direction: Direction::Rising,
                whole: true,
            },
            is_rate: false,
            start: 50.0,
            exact: Exact::Whole(users.floor()),
        },
        rate(
            "tandem",
            open(
                "{visit: s}, {visit: t}, reply",
                "slo: {p95: 100ms}",
                &format!(
                    "services: {{s: {{workers: 1, time: {EXPONENTIAL}}}, t: {{workers: 1, time: {{exponential: {{mean: \
                     5ms}}}}}}}}"
                ),
            ),
            20.0,
            Exact::Continuous(tandem),
        ),
        rate(
            "processor sharing by errors",
            open(
                visit,
                "slo: {errors: 1%}",
                &format!(
                    "services: {{s: {{workers: 1, time: {EXPONENTIAL}, queue: {{limit: 12, order: {{shared: {{limit: 8}}}}}}}}}}"
                ),
            ),
            20.0,
            Exact::Continuous(finite(20)),
        ),
        rate(
            "preemptive priority",
            format!(
                "{{blis: 1, name: ceiling, seed: SEED, run: {{horizon: 60s, drain: 10s}}, clients: {{c: {{rate: LOAD/s, do: {{a: 3, b: \
                 1}}}}}}, actions: {{a: {{path: [{visit}], class: high, {SLO}}}, b: {{path: [{visit}]}}}}, services: {{s: {{workers: \
                 1, time: {EXPONENTIAL}, queue: {{order: {{priority: {{classes: [high], preempt: true}}}}}}}}}}}}"
            ),
            20.0,
            Exact::Continuous(single * 4.0 / 3.0),
        ),
        rate(
            "ack window",
            stream(5, 50, "20ms"),
            100.0,
            Exact::Cliff(250.0),
        ),
        rate(
            "token bucket",
            open(
                visit,
                "slo: {errors: 1%}",
                "services: {s: {workers: 100, time: 1ms, admission: {rate: 100/s, burst: 5}}}",
            ),
            20.0,
            Exact::Continuous(bucket),
        ),
        rate(
            "fan-out",
            "{blis: 1, name: ceiling, seed: SEED, run: {horizon: 60s, drain: 10s}, clients: {c: {rate: LOAD/s, do: a}}, actions: {a: \
             {path: [{emit: f}, reply], await: {from: {fan_out: f}, deliveries: 10}, slo: {deliveries: {last: {p99: 100ms}}}}}, \
             fan_outs: {f: {subscribers: 10, delay: 0s, service: s}}, services: {s: {workers: 1, time: 1ms}}}"
                .to_owned(),
            20.0,
            Exact::Continuous(fan),
        ),
    ]
}
