//! The tables of a run: figures by action, by client and by service.

use blis_sim::result::{LatencyBlock, RequestCounts, Run};

use super::absence::Absences;
use super::number::{
    count, millis, millis_within, nonzero, or_not_measured, percent_within, significant,
    significant_within,
};
use super::parts::{Block, Section};
use super::table::Table;

/// By action and by client, where there are several.
pub fn breakdown(run: &Run) -> Section {
    let mut table = Table::new(&[
        "",
        "intended",
        "ok",
        "requests/s",
        "mean",
        "p50",
        "p95",
        "p99",
    ]);
    let mut rows = 0;
    let mut absences = Absences::new(&run.intervals);
    let mut add = |name: String,
                   place: String,
                   requests: &RequestCounts,
                   rps: (Option<f64>, Option<[f64; 2]>),
                   block: &LatencyBlock| {
        let (rps, rps_interval) = rps;
        absences.look("requests/s", &name, &format!("{place}.throughput_rps"), rps);
        let times = ["mean", "p50", "p95", "p99"].map(|figure| (figure, figure));
        let response = format!("{place}.latency_ms.response");
        absences.look_at_times(&times, &name, &response, block);
        let ms = |value, interval| or_not_measured(value, |value| millis_within(value, interval));
        let rps = or_not_measured(rps, |value| significant_within(value, rps_interval));
        let (intended, ok) = (count(requests.intended), count(requests.ok));
        table.row([
            name,
            intended,
            ok,
            rps,
            ms(block.mean, block.mean_ci95),
            ms(block.p50, block.p50_ci95),
            ms(block.p95, block.p95_ci95),
            ms(block.p99, block.p99_ci95),
        ]);
        rows += 1;
    };
    if run.actions.len() > 1 {
        for (name, action) in &run.actions {
            let block = &action.latency_ms.response;
            add(
                format!("action {name}"),
                format!("actions.{name}"),
                &action.window_requests,
                (action.throughput_rps, action.throughput_rps_ci95),
                block,
            );
        }
    }
    if run.clients.len() > 1 {
        for (name, client) in &run.clients {
            let block = &client.latency_ms.response;
            add(
                format!("client {name}"),
                format!("clients.{name}"),
                &client.window_requests,
                (client.throughput_rps, client.throughput_rps_ci95),
                block,
            );
        }
    }
    if rows == 0 {
        Section::empty()
    } else {
        let notes = absences.note().into_iter().collect();
        Section::of([Block::Table(table), Block::Notes(notes)])
    }
}

/// What users waited over all tries, by action that is tried again or judged so.
pub fn overall(run: &Run) -> Section {
    let mut table = Table::new(&[
        "over all tries",
        "requests",
        "ok",
        "failed",
        "unresolved",
        "tries mean",
        "mean",
        "p50",
        "p95",
        "p99",
        "max",
    ]);
    let mut rows = 0;
    for (name, action) in &run.actions {
        let Some(overall) = &action.overall else {
            continue;
        };
        let (requests, times) = (&overall.window_requests, &overall.response_ms);
        let failed = requests.app_error
            + requests.rejected
            + requests.timed_out
            + requests.transport_error
            + requests.dropped;
        let ms = |value| or_not_measured(value, millis);
        table.row([
            name.clone(),
            count(requests.intended),
            count(requests.ok),
            count(failed),
            count(requests.unresolved),
            or_not_measured(overall.tries_mean, significant),
            ms(times.mean),
            ms(times.p50),
            ms(times.p95),
            ms(times.p99),
            ms(times.max),
        ]);
        rows += 1;
    }
    if rows == 0 {
        return Section::empty();
    }
    let note = "from the intended time of the first try to the end of the last one; all other figures are of single tries";
    Section::of([Block::Table(table), Block::Notes(vec![note.to_owned()])])
}

/// By service.
pub fn services(run: &Run) -> Section {
    if run.services.is_empty() {
        return Section::empty();
    }
    let headings = [
        "service",
        "workers",
        "utilisation",
        "mean queue",
        "max queue",
        "visits",
        "wait mean",
        "wait p99",
    ];
    let mut table = Table::new(&headings);
    for (name, service) in &run.services {
        table.row([
            name.clone(),
            count(service.workers),
            or_not_measured(service.utilisation, |share| {
                percent_within(share, service.utilisation_ci95)
            }),
            or_not_measured(service.mean_queue, |queue| {
                significant_within(queue, service.mean_queue_ci95)
            }),
            service
                .max_queue
                .map_or(super::number::NOT_MEASURED.to_owned(), count),
            count(service.visits),
            or_not_measured(service.wait_ms.mean, |wait| {
                millis_within(wait, service.wait_ms.mean_ci95)
            }),
            or_not_measured(service.wait_ms.p99, |wait| {
                millis_within(wait, service.wait_ms.p99_ci95)
            }),
        ]);
    }
    let mut notes: Vec<String> = without_interval(run).into_iter().collect();
    for (name, service) in &run.services {
        let counts = [
            ("rejected by a full queue", service.rejected),
            ("ended in an error", service.errors),
            ("left the queue after a timeout", service.left),
            ("stopped after a timeout", service.abandoned),
        ];
        if counts.iter().any(|(_, number)| *number > 0) {
            notes.push(format!("{name}: {}", nonzero(&counts)));
        }
    }
    Section::of([Block::Table(table), Block::Notes(notes)])
}

/// Which figures of the services have no interval, and why.
fn without_interval(run: &Run) -> Option<String> {
    let mut absences = Absences::new(&run.intervals);
    for (name, service) in &run.services {
        let place = |figure: &str| format!("services.{name}.{figure}");
        let (utilisation, queue) = (service.utilisation, service.mean_queue);
        absences.look("utilisation", name, &place("utilisation"), utilisation);
        absences.look("mean queue", name, &place("mean_queue"), queue);
        let waits = [("wait mean", "mean"), ("wait p99", "p99")];
        absences.look_at_times(&waits, name, &place("wait_ms"), &service.wait_ms);
    }
    absences.note()
}
