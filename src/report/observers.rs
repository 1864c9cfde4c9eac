//! What a report says of what observers saw beside the load of a live run.

use blis_sim::result::{
    ConsumerSample, ObservedConsumer, ObservedServer, ObservedService, Observers, Run,
};

use super::number::{NOT_MEASURED, count, growth, millis, or_not_measured, percent, significant};
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
    // Without the drain, in which hardly anything comes.
    let load_s = run.window.warmup_s + run.window.measured_s;
    for (name, service) in &observers.services {
        let claim = claim(run, service, load_s);
        let said = claim.and_then(|claim| claim.too_short(name, observers.server_round_trip_ms));
        notes.extend(said);
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

/// What a service says of its handlers, beside what those who asked it saw.
struct Claim {
    /// The mean time of its handler.
    handler_ms: f64,
    /// The mean time from the sending of a request to its reply.
    reply_ms: f64,
    /// The share of the load for which the handlers of an instance were busy, as it says.
    busy: f64,
}

/// A handler's time is doubted where it is less than this share of the time to the reply,
const DOUBTED: f64 = 0.1;
/// this much longer is between the two,
const BETWEEN_MS: f64 = 1.0;
/// and instances were so seldom busy that requests had nothing to wait for.
const BUSY: f64 = 0.5;

/// What an endpoint says, as far as requests of the run went there.
fn claim(run: &Run, service: &ObservedService, load_s: f64) -> Option<Claim> {
    let actions = service
        .actions
        .iter()
        .filter_map(|name| run.actions.get(name));
    let times = actions.map(|action| &action.latency_ms.service);
    let (mut sum, mut number) = (0.0, 0);
    for times in times {
        sum += times.mean.unwrap_or(0.0) * times.count as f64;
        number += times.count;
    }
    let handler_ms = service.handler_mean_ms?;
    let room_ms = load_s * 1e3 * service.instances as f64;
    (number > 0 && room_ms > 0.0).then(|| Claim {
        handler_ms,
        reply_ms: sum / number as f64,
        busy: handler_ms * service.requests as f64 / room_ms,
    })
}

impl Claim {
    /// What there is to say of a handler's time that is too short to be that of the work; `way_ms` is the way to the server and
    /// back.
    fn too_short(&self, name: &str, way_ms: Option<f64>) -> Option<String> {
        // The service has a way of its own to the server.
        let there_and_back = 2.0 * way_ms.unwrap_or(0.0);
        let behind = self.reply_ms - there_and_back;
        let is_doubted = self.handler_ms < DOUBTED * behind
            && behind - self.handler_ms > BETWEEN_MS
            && self.busy < BUSY;
        is_doubted.then(|| {
            let way = way_ms.map_or(String::new(), |way| {
                format!(", {} of it on the way to the server and back", millis(way))
            });
            format!(
                "{name}: warning: it says that its handler takes {} on average, and replies took {} from the sending{way}; \
                 busy for {} of the run, it let nothing wait. A handler that hands its work on, as asynchronous code does, \
                 stops its clock before the work is done: do not take its time for a service time; measure around the work \
                 itself, or ask with --concurrency 1",
                millis(self.handler_ms),
                millis(self.reply_ms),
                percent(self.busy)
            )
        })
    }
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
    let mut fact = Fact::new(
        "observers",
        format!(
            "{} questions of their own, {} unanswered, {} bytes sent, {} received",
            count(traffic.requests),
            count(traffic.unanswered),
            count(traffic.bytes_sent),
            count(traffic.bytes_received)
        ),
    );
    if traffic.unanswered > 0 {
        fact.add(
            "unanswered is what nobody answers, such as $SRV.STATS where no service speaks of itself, and what took too long",
        );
    }
    fact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_is_much_faster_than_its_replies_is_doubted() {
        for (handler_ms, reply_ms, busy, way_ms, doubted) in [
            (0.005, 12.0, 0.01, Some(0.1), true),
            (0.005, 12.0, 0.01, None, true),
            (11.0, 12.0, 0.4, Some(0.1), false),
            (1.3, 12.0, 0.1, Some(0.1), false),
            (1.1, 12.0, 0.1, Some(0.1), true),
            // All of it is on the way,
            (0.005, 12.0, 0.01, Some(6.0), false),
            // or in the line before a busy service,
            (1.0, 120.0, 0.99, Some(0.1), false),
            // or too little to tell.
            (0.01, 0.9, 0.01, Some(0.1), false),
        ] {
            let claim = Claim {
                handler_ms,
                reply_ms,
                busy,
            };
            let said = claim.too_short("demo/ask", way_ms);
            assert_eq!(
                said.is_some(),
                doubted,
                "{handler_ms} {reply_ms} {busy}: {said:?}"
            );
        }
        let claim = Claim {
            handler_ms: 0.005,
            reply_ms: 12.0,
            busy: 0.01,
        };
        let said = claim.too_short("demo/ask", Some(0.1)).expect("a warning");
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
