//! Replications of a spec, and the figures of each.

use blis_sim::event::Outcome;
use blis_sim::measure::{Measure, Times};
use blis_sim::model::Model;
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::theory::Means;

use crate::statistics::{Interval, REPLICATIONS};

/// The quantiles that are compared.
pub const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// Three significant digits of a histogram: what a quantile may be off by.
const RESOLUTION: f64 = 1e-3;

/// The figures of one replication's window; times in seconds. Utilisation and queue are those of all services
/// together, the wait is that of the first.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub throughput: f64,
    pub utilisation: f64,
    pub wait: f64,
    pub response: f64,
    pub queue: f64,
    /// Share of the requests that was rejected.
    pub rejected: f64,
    pub response_quantiles: [f64; 3],
    pub wait_quantiles: [f64; 3],
}

/// The model of a spec that must be right.
fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .model
}

/// The figures of independent replications.
pub fn replicate(text: &str) -> Vec<Figures> {
    let mut model = model(text);
    (0..REPLICATIONS)
        .map(|seed| {
            model.seed = 1000 + seed;
            figures(&model)
        })
        .collect()
}

fn figures(model: &Model) -> Figures {
    let mut simulation = Simulation::new(model, Measure::new(model));
    simulation.run().unwrap();
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure.finish(intended).unwrap();
    let total = measure.total();
    let measured = measure.measured();
    let span = measured.as_nanos() as f64;
    let servers: u64 = model.services.iter().map(|service| service.servers()).sum();
    let stations = measure.stations().iter();
    let (busy, waiting) = stations.fold((0.0, 0.0), |(busy, waiting), station| {
        let areas = station.window_areas();
        (busy + areas.busy as f64, waiting + areas.waiting as f64)
    });
    let waits = measure.stations()[0].waits();
    let response = total.window.latencies.response();
    let requests = total.window.requests;
    Figures {
        throughput: total.completed as f64 / measured.as_secs_f64(),
        utilisation: busy / span / servers as f64,
        wait: seconds(waits.mean_nanos().unwrap()),
        response: seconds(response.mean_nanos().unwrap()),
        queue: waiting / span,
        rejected: requests.ended(Outcome::Rejected) as f64 / requests.intended as f64,
        response_quantiles: quantiles(response),
        wait_quantiles: quantiles(&waits),
    }
}

fn seconds(nanos: f64) -> f64 {
    nanos / 1e9
}

fn quantiles(times: &Times) -> [f64; 3] {
    QUANTILES.map(|q| times.quantile(q).unwrap().as_secs_f64())
}

/// The interval of one figure.
pub fn interval(replications: &[Figures], figure: impl Fn(&Figures) -> f64) -> Interval {
    Interval::new(&replications.iter().map(figure).collect::<Vec<_>>())
}

/// The widest allowed half-width, as a share of the exact figure.
pub const WIDTH: f64 = 0.01;
/// The same for quantiles, whose estimates scatter more.
const QUANTILE_WIDTH: f64 = 0.02;

/// Compares all means of a model; the first figure that is off is the error.
pub fn compare(replications: &[Figures], exact: &Means) -> Result<(), String> {
    let figure = |what: &str, figure: fn(&Figures) -> f64, exact: f64| {
        interval(replications, figure).check(what, exact, WIDTH, 0.0)
    };
    figure("throughput", |f| f.throughput, exact.throughput)?;
    figure("utilisation", |f| f.utilisation, exact.utilisation)?;
    figure("response", |f| f.response, exact.response)?;
    figure("wait", |f| f.wait, exact.wait)?;
    figure("queue", |f| f.queue, exact.queue)
}

/// Holds all means of a model against the exact ones.
pub fn check(replications: &[Figures], exact: &Means) {
    compare(replications, exact).unwrap();
}

/// Holds the quantiles of the response time against the exact ones.
pub fn check_response_quantiles(replications: &[Figures], exact: impl Fn(f64) -> f64) {
    for (index, q) in QUANTILES.into_iter().enumerate() {
        let interval = interval(replications, |figures| figures.response_quantiles[index]);
        interval
            .check(
                &format!("response, quantile {q}"),
                exact(q),
                QUANTILE_WIDTH,
                RESOLUTION,
            )
            .unwrap();
    }
}

/// Holds the quantiles of the wait against the exact ones, where those are above zero.
pub fn check_wait_quantiles(replications: &[Figures], exact: impl Fn(f64) -> f64) {
    for (index, q) in QUANTILES.into_iter().enumerate() {
        let interval = interval(replications, |figures| figures.wait_quantiles[index]);
        if exact(q) == 0.0 {
            assert_eq!(
                (interval.mean, interval.half_width),
                (0.0, 0.0),
                "wait, quantile {q}"
            );
            continue;
        }
        interval
            .check(
                &format!("wait, quantile {q}"),
                exact(q),
                QUANTILE_WIDTH,
                RESOLUTION,
            )
            .unwrap();
    }
}
