//! What a report says of what observers saw beside the load of a live run.

use blis_sim::result::{ConsumerSample, ObservedConsumer, ObservedServer, Observers, Run};

use super::number::{NOT_MEASURED, count, growth, millis, or_not_measured, significant};
use super::parts::{Block, Fact, Section};
use super::table::Table;

/// The section; empty for a run that had no observers.
pub fn observers(run: &Run) -> Section {
    let live = run.live.as_ref();
    let Some(observers) = live.and_then(|live| live.observers.as_ref()) else {
        return Section::empty();
    };
    let mut facts = Vec::new();
    facts.extend(observers.server.as_ref().map(server));
    facts.push(traffic(observers));
    let mut notes = growing(observers);
    if !observers.services.is_empty() {
        notes.push("handler times are what services say of themselves, and may include waiting inside the process".to_owned());
    }
    for (part, why) in &observers.absent {
        notes.push(format!("{part} not observed: {why}"));
    }
    Section::of([
        Block::Table(consumers(observers)),
        Block::Table(services(observers)),
        Block::Facts(facts),
        Block::Notes(notes),
    ])
}

fn consumers(observers: &Observers) -> Table {
    if observers.consumers.is_empty() {
        return Table::default();
    }
    let mut table = Table::new(&[
        "observed consumer",
        "backlog max",
        "gone at",
        "growth",
        "pending at the end",
        "ack pending at the end",
        "redelivered at most",
    ]);
    for (name, consumer) in &observers.consumers {
        let last = consumer.samples.last();
        let at_end = |of: fn(&ConsumerSample) -> u64| {
            last.map_or(NOT_MEASURED.to_owned(), |last| count(of(last)))
        };
        let redelivered = consumer.samples.iter().map(|sample| sample.redelivered);
        table.row([
            name.clone(),
            count(consumer.backlog_max),
            gone(consumer),
            growth(consumer.backlog_slope_per_s, consumer.backlog_grows),
            at_end(|sample| sample.pending),
            at_end(|sample| sample.ack_pending),
            count(redelivered.max().unwrap_or(0)),
        ]);
    }
    table
}

/// When a backlog was first seen to be gone after its peak.
fn gone(consumer: &ObservedConsumer) -> String {
    let backlog = |sample: &ConsumerSample| sample.pending + sample.ack_pending;
    let most = consumer.samples.iter().map(backlog).max().unwrap_or(0);
    if most == 0 {
        return "-".to_owned();
    }
    let mut after = consumer
        .samples
        .iter()
        .skip_while(|sample| backlog(sample) < most);
    let gone = after.find(|sample| backlog(sample) == 0);
    gone.map_or("not by the end".to_owned(), |sample| {
        format!("{:.2} s", sample.at_s)
    })
}

/// Warnings of backlogs that grow.
fn growing(observers: &Observers) -> Vec<String> {
    let grows = observers.consumers.iter();
    let grows = grows.filter(|(_, consumer)| consumer.backlog_grows == Some(true));
    let said = grows.map(|(name, consumer)| {
        format!(
            "{name}: warning: its backlog grew by {}, more than chance would have it",
            growth(consumer.backlog_slope_per_s, consumer.backlog_grows)
        )
    });
    said.collect()
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

fn server(server: &ObservedServer) -> Fact {
    let mut fact = Fact::new(
        "server",
        format!(
            "{}: CPU {} % on average, {} % at most (100 is one core), memory {} MB at most, {} connections at most",
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
            "JetStream: {} messages before, {} after; {} requests to its API, {} of them in error",
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
    Fact::new(
        "observers",
        format!(
            "{} questions of their own, {} unanswered, {} bytes sent, {} received",
            count(traffic.requests),
            count(traffic.unanswered),
            count(traffic.bytes_sent),
            count(traffic.bytes_received)
        ),
    )
}
