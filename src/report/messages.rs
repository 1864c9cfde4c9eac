//! What a report says of streams and fan-outs.

use blis_sim::result::{ConsumerResult, FanOutResult, Run};

use super::number::{NOT_MEASURED, count, millis, or_not_measured, percent, significant};
use super::table::Table;

/// The tables and sentences on streams and fan-outs; both empty for a run that has none.
#[derive(Debug, Default)]
pub struct Messages {
    /// A table of the consumers and one of the fan-outs, as far as there are any.
    pub tables: Vec<Table>,
    /// What does not fit into them, a sentence each.
    pub remarks: Vec<String>,
}

/// What there is to say of the streams and fan-outs of a run.
pub fn messages(run: &Run) -> Messages {
    let mut messages = Messages::default();
    streams(run, &mut messages);
    fan_outs(run, &mut messages);
    messages
}

fn streams(run: &Run, messages: &mut Messages) {
    let headings = [
        "consumer",
        "acknowledged",
        "per second",
        "backlog max",
        "growth",
        "pending",
        "ack pending",
        "wait p99",
        "age mean",
        "age p99",
    ];
    let mut table = Table::new(&headings);
    let mut consumers = 0;
    for (stream_name, stream) in &run.streams {
        let duplicates = [("duplicates were not stored", stream.duplicates)];
        remark(messages, &format!("stream {stream_name}"), &duplicates);
        for (name, consumer) in &stream.consumers {
            let name = format!("{stream_name}/{name}");
            table.row(row(&name, consumer));
            consumers += 1;
            remark(messages, &name, &unusual(consumer));
            if consumer.backlog_grows == Some(true) && !is_judged(run, &name) {
                let slope = or_not_measured(consumer.backlog_slope_per_s, signed);
                messages.remarks.push(format!(
                    "{name}: warning: its backlog grew by {slope} messages/s, more than chance would have it, and nothing judges \
                     that"
                ));
            }
        }
    }
    if consumers > 0 {
        messages.tables.push(table);
    }
}

fn row(name: &str, consumer: &ConsumerResult) -> [String; 10] {
    let number = |value: Option<u64>| value.map_or(NOT_MEASURED.to_owned(), count);
    [
        name.to_owned(),
        count(consumer.acknowledged),
        or_not_measured(consumer.acknowledged_per_s, significant),
        number(consumer.backlog_max),
        or_not_measured(consumer.backlog_slope_per_s, |slope| {
            format!("{}/s", signed(slope))
        }),
        or_not_measured(consumer.pending_mean, significant),
        or_not_measured(consumer.ack_pending_mean, significant),
        or_not_measured(consumer.wait_ms.p99, millis),
        or_not_measured(consumer.age_ms.mean, millis),
        or_not_measured(consumer.age_ms.p99, millis),
    ]
}

/// A number with its sign.
fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    format!("{sign}{}", significant(value.abs()))
}

/// What happened to a consumer's messages beside delivery and acknowledgement.
fn unusual(consumer: &ConsumerResult) -> [(&'static str, u64); 7] {
    [
        ("delivered again", consumer.redelivered),
        ("not acknowledged within `ack_wait`", consumer.expired),
        ("naks", consumer.naks),
        ("worked on in vain", consumer.repeated),
        ("given up after `max_deliver`", consumer.exhausted),
        (
            "still pending when the run ended",
            consumer.unfinished_pending,
        ),
        (
            "not acknowledged when the run ended",
            consumer.unfinished_delivered,
        ),
    ]
}

/// Whether a limit on the growth of a consumer's backlog is among what the run is judged by.
fn is_judged(run: &Run, name: &str) -> bool {
    let of = format!("Consumer {name}");
    run.verdict.as_ref().is_some_and(|verdict| {
        let mut signals = verdict.signals.iter();
        signals.any(|signal| signal.of == of)
    })
}

fn fan_outs(run: &Run, messages: &mut Messages) {
    let headings = [
        "fan-out",
        "emissions",
        "deliveries",
        "in time",
        "first mean",
        "delivery p50",
        "delivery p99",
        "last mean",
        "last p99",
    ];
    let mut table = Table::new(&headings);
    for (name, fan_out) in &run.fan_outs {
        table.row(fan_out_row(name, fan_out));
        let counts = [
            ("deliveries lost", fan_out.lost),
            (
                "emissions not complete when the run ended",
                fan_out.unfinished_emissions,
            ),
            (
                "deliveries had not come by then",
                fan_out.unfinished_deliveries,
            ),
        ];
        remark(messages, name, &counts);
    }
    if !run.fan_outs.is_empty() {
        messages.tables.push(table);
    }
}

fn fan_out_row(name: &str, fan_out: &FanOutResult) -> [String; 9] {
    [
        name.to_owned(),
        count(fan_out.emissions),
        count(fan_out.deliveries),
        or_not_measured(fan_out.completion_ratio, percent),
        or_not_measured(fan_out.first_ms.mean, millis),
        or_not_measured(fan_out.delivery_ms.p50, millis),
        or_not_measured(fan_out.delivery_ms.p99, millis),
        or_not_measured(fan_out.last_ms.mean, millis),
        or_not_measured(fan_out.last_ms.p99, millis),
    ]
}

/// One sentence with the counts that are not zero, if any.
fn remark(messages: &mut Messages, name: &str, counts: &[(&str, u64)]) {
    let some = counts.iter().filter(|(_, number)| *number > 0);
    let some: Vec<String> = some
        .map(|(what, number)| format!("{} {what}", count(*number)))
        .collect();
    if !some.is_empty() {
        messages
            .remarks
            .push(format!("{name}: {}", some.join(", ")));
    }
}
