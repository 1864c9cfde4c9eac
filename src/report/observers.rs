//! The part of a report about observers beside the load of a live run.

use blis_sim::result::{ObservedServer, Observers, Run};

use super::number::{count, millis, or_not_measured, percent, significant};
use super::parts::{Block, Fact, Section};
use super::table::Table;
use crate::handler_times::Claim;

/// The section; empty for a run that had no observers.
pub fn observers(run: &Run) -> Section {
    let live = run.live.as_ref();
    let Some(observers) = live.and_then(|live| live.observers.as_ref()) else {
        return Section::empty();
    };
    let mut facts = Vec::new();
    facts.extend(observers.server.as_ref().map(server));
    facts.push(traffic(observers));
    let mut notes = Vec::new();
    if !observers.services.is_empty() {
        notes.push(
            "handler times are reported by the services and may include waiting inside the process"
                .to_owned(),
        );
    }
    for (name, service) in &observers.services {
        let claim = Claim::of(run, service);
        let way_ms = observers.server_round_trip_ms;
        notes.extend(claim.and_then(|claim| too_short(name, &claim, way_ms)));
    }
    for (part, why) in &observers.absent {
        notes.push(format!("{part} not observed: {why}"));
    }
    Section::of([
        Block::Table(services(observers)),
        Block::Facts(facts),
        Block::Notes(notes),
    ])
}

fn services(observers: &Observers) -> Table {
    if observers.services.is_empty() {
        return Table::default();
    }
    let mut table = Table::new(&[
        "observed endpoint",
        "subject",
        "instances",
        "requests",
        "errors",
        "handler mean",
    ]);
    for (name, service) in &observers.services {
        let instances = match service.instances_lost {
            0 => count(service.instances),
            lost => format!("{} ({} lost)", count(service.instances), count(lost)),
        };
        table.row([
            name.clone(),
            service.subject.clone(),
            instances,
            count(service.requests),
            count(service.errors),
            or_not_measured(service.handler_mean_ms, millis),
        ]);
    }
    table
}

/// The warning about a handler time that is too short for the work; `way_ms` is the round trip to the server.
fn too_short(name: &str, claim: &Claim, way_ms: Option<f64>) -> Option<String> {
    claim.is_too_short(way_ms).then(|| {
        let way = way_ms.map_or(String::new(), |way| {
            format!(", {} of it round trip to the server", millis(way))
        });
        format!(
            "{name}: warning: mean handler time is {}, but replies took {}{way}; at {} busy, queueing does not explain the \
             difference. Asynchronous handlers stop their clock before the work is done: do not use this handler time as \
             a service time; measure around the work itself, or run with --concurrency 1",
            millis(claim.handler_ms),
            millis(claim.reply_ms),
            percent(claim.busy)
        )
    })
}

fn server(server: &ObservedServer) -> Fact {
    let mut fact = Fact::new(
        "server",
        format!(
            "{}: CPU mean {} %, max {} % (100 is one core), memory max {} MB, connections max {}",
            server.monitor,
            significant(server.cpu_percent_mean),
            significant(server.cpu_percent_max),
            significant(server.memory_bytes_max as f64 / 1e6),
            count(server.connections_max)
        ),
    );
    fact.add(format!(
        "{} messages ({} bytes) in, {} ({} bytes) out",
        count(server.in_msgs),
        count(server.in_bytes),
        count(server.out_msgs),
        count(server.out_bytes)
    ));
    if server.slow_consumers_after != server.slow_consumers_before {
        fact.add(format!(
            "slow consumers: {} before, {} after",
            count(server.slow_consumers_before),
            count(server.slow_consumers_after)
        ));
    }
    if let Some(jetstream) = &server.jetstream {
        fact.add(format!(
            "JetStream: {} messages before, {} after; {} API requests, {} of them failed",
            count(jetstream.messages_before),
            count(jetstream.messages_after),
            count(jetstream.api_requests),
            count(jetstream.api_errors)
        ));
    }
    fact
}

fn traffic(observers: &Observers) -> Fact {
    let traffic = &observers.traffic;
    let mut fact = Fact::new(
        "observers",
        format!(
            "monitoring overhead: {} requests, {} unanswered, {} bytes sent, {} received",
            count(traffic.requests),
            count(traffic.unanswered),
            count(traffic.bytes_sent),
            count(traffic.bytes_received)
        ),
    );
    if traffic.unanswered > 0 {
        fact.add("unanswered: nobody replied in time, as for $SRV.STATS without a NATS service");
    }
    fact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_is_too_fast_is_warned_of_with_both_figures() {
        let claim = Claim {
            handler_ms: 0.005,
            reply_ms: 12.0,
            busy: 0.01,
        };
        let said = too_short("demo/ask", &claim, Some(0.1)).expect("a warning");
        for part in [
            "demo/ask: warning",
            "5.000 us",
            "12.00 ms",
            "0.1000 ms of it",
            "1.0 %",
        ] {
            assert!(said.contains(part), "no {part} in {said}");
        }
    }
}
