//! The confidence intervals of a result document, or the reason why a figure has none.

use super::blocks::Run;
use super::interval_maker::{Maker, Source};
use super::message_intervals;
use crate::analysis::Analysis;
use crate::measure::{Of, Sums};
use crate::model::{ActionId, ClientId, Model};

/// The figures that are exact and need no interval.
const COUNTS: (&str, &str) = (
    "counts and largest values",
    "exact: counted within the window",
);

/// Adds intervals to the figures of a document, in the place of those that it may have.
pub fn add<P>(
    run: &mut Run,
    model: &Model<P>,
    backend: Option<&Analysis<'_>>,
    source: &Source<'_>,
) {
    let mut maker = Maker::new(model, backend, source);
    let total = maker.measure.total();
    run.throughput_rps_ci95 = maker.throughput("throughput_rps", Of::Total);
    maker.latency("", Of::Total, &mut run.latency_ms, &total.window.latencies);
    for (action, id) in model.actions.iter().zip(0u16..) {
        let (of, path) = (
            Of::Action(ActionId(id)),
            format!("actions.{}.", action.name),
        );
        if let Some(result) = run.actions.get_mut(&action.name) {
            let cell = maker.measure.action(ActionId(id));
            result.throughput_rps_ci95 = maker.throughput(&format!("{path}throughput_rps"), of);
            maker.latency(&path, of, &mut result.latency_ms, &cell.window.latencies);
        }
    }
    for (client, id) in model.clients.iter().zip(0u16..) {
        let (of, path) = (
            Of::Client(ClientId(id)),
            format!("clients.{}.", client.name),
        );
        if let Some(result) = run.clients.get_mut(&client.name) {
            let cell = maker.measure.client(ClientId(id));
            result.throughput_rps_ci95 = maker.throughput(&format!("{path}throughput_rps"), of);
            maker.latency(&path, of, &mut result.latency_ms, &cell.window.latencies);
        }
    }
    for (index, service) in model.services.iter().enumerate() {
        let path = format!("services.{}.", service.name);
        if let Some(result) = run.services.get_mut(&service.name) {
            let used = |sums: &Sums| sums.utilisation(index, service.servers());
            result.utilisation_ci95 = maker
                .of_visits(&format!("{path}utilisation"), index, used)
                .map(|[low, high]| [low, high.min(1.0)]);
            result.mean_queue_ci95 = maker.of_visits(&format!("{path}mean_queue"), index, |sums| {
                sums.mean_queue(index)
            });
            maker.waits(&format!("{path}wait_ms"), index, &mut result.wait_ms);
        }
    }
    message_intervals::add(run, model, &mut maker);
    let (counts, exact) = COUNTS;
    maker
        .block
        .absent
        .insert(counts.to_owned(), exact.to_owned());
    run.intervals = maker.block;
}
