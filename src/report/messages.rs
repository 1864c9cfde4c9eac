//! What a report says of streams and fan-outs.

use blis_sim::result::{ConsumerResult, FanOutResult, Run};

use super::absence::Absences;
use super::number::{
    NOT_MEASURED, count, millis_within, or_not_measured, percent_within, significant,
    significant_within,
};
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
    let mut absences = Absences::new(&run.intervals);
    let mut consumers = 0;
    for (stream_name, stream) in &run.streams {
        let duplicates = [("of its publications were duplicates", stream.duplicates)];
        remark(messages, &format!("stream {stream_name}"), &duplicates);
        for (name, consumer) in &stream.consumers {
            let place = format!("streams.{stream_name}.consumers.{name}");
            let name = format!("{stream_name}/{name}");
            table.row(row(&name, consumer));
            look_at_consumer(&mut absences, &name, &place, consumer);
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
        let note = absences.note();
        messages
            .remarks
            .extend(note.map(|note| format!("streams: {note}")));
    }
}

fn look_at_consumer(
    absences: &mut Absences<'_>,
    name: &str,
    place: &str,
    consumer: &ConsumerResult,
) {
    let figures = [
        (
            "per second",
            "acknowledged_per_s",
            consumer.acknowledged_per_s,
        ),
        (
            "growth",
            "backlog_slope_per_s",
            consumer.backlog_slope_per_s,
        ),
        ("pending", "pending_mean", consumer.pending_mean),
        ("ack pending", "ack_pending_mean", consumer.ack_pending_mean),
    ];
    for (column, figure, value) in figures {
        absences.look(column, name, &format!("{place}.{figure}"), value);
    }
    let (wait, age) = (format!("{place}.wait_ms"), format!("{place}.age_ms"));
    absences.look_at_times(&[("wait p99", "p99")], name, &wait, &consumer.wait_ms);
    let ages = [("age mean", "mean"), ("age p99", "p99")];
    absences.look_at_times(&ages, name, &age, &consumer.age_ms);
}

fn row(name: &str, consumer: &ConsumerResult) -> [String; 10] {
    let number = |value: Option<u64>| value.map_or(NOT_MEASURED.to_owned(), count);
    [
        name.to_owned(),
        count(consumer.acknowledged),
        or_not_measured(consumer.acknowledged_per_s, |rate| {
            significant_within(rate, consumer.acknowledged_per_s_ci95)
        }),
        number(consumer.backlog_max),
        or_not_measured(consumer.backlog_slope_per_s, |slope| {
            format!("{}/s", signed(slope))
        }),
        or_not_measured(consumer.pending_mean, |mean| {
            significant_within(mean, consumer.pending_mean_ci95)
        }),
        or_not_measured(consumer.ack_pending_mean, |mean| {
            significant_within(mean, consumer.ack_pending_mean_ci95)
        }),
        within(consumer.wait_ms.p99, consumer.wait_ms.p99_ci95),
        within(consumer.age_ms.mean, consumer.age_ms.mean_ci95),
        within(consumer.age_ms.p99, consumer.age_ms.p99_ci95),
    ]
}

/// A time with its interval.
fn within(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    or_not_measured(value, |value| millis_within(value, interval))
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
    let mut absences = Absences::new(&run.intervals);
    for (name, fan_out) in &run.fan_outs {
        table.row(fan_out_row(name, fan_out));
        look_at_fan_out(&mut absences, name, fan_out);
        let counts = [
            ("lost on the way", fan_out.lost),
            (
                "of the emissions not complete when the run ended",
                fan_out.unfinished_emissions,
            ),
            ("of their deliveries missing", fan_out.unfinished_deliveries),
        ];
        remark(messages, name, &counts);
    }
    if !run.fan_outs.is_empty() {
        messages.tables.push(table);
        let note = absences.note();
        messages
            .remarks
            .extend(note.map(|note| format!("fan-outs: {note}")));
    }
}

fn look_at_fan_out(absences: &mut Absences<'_>, name: &str, fan_out: &FanOutResult) {
    let place = |figure: &str| format!("fan_outs.{name}.{figure}");
    let ratio = fan_out.completion_ratio;
    absences.look("in time", name, &place("completion_ratio"), ratio);
    let firsts = [("first mean", "mean")];
    absences.look_at_times(&firsts, name, &place("first_ms"), &fan_out.first_ms);
    let each = [("delivery p50", "p50"), ("delivery p99", "p99")];
    absences.look_at_times(&each, name, &place("delivery_ms"), &fan_out.delivery_ms);
    let lasts = [("last mean", "mean"), ("last p99", "p99")];
    absences.look_at_times(&lasts, name, &place("last_ms"), &fan_out.last_ms);
}

fn fan_out_row(name: &str, fan_out: &FanOutResult) -> [String; 9] {
    let (first, last) = (&fan_out.first_ms, &fan_out.last_ms);
    let delivery = &fan_out.delivery_ms;
    [
        name.to_owned(),
        count(fan_out.emissions),
        count(fan_out.deliveries),
        or_not_measured(fan_out.completion_ratio, |share| {
            percent_within(share, fan_out.completion_ratio_ci95)
        }),
        within(first.mean, first.mean_ci95),
        within(delivery.p50, delivery.p50_ci95),
        within(delivery.p99, delivery.p99_ci95),
        within(last.mean, last.mean_ci95),
        within(last.p99, last.p99_ci95),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A result with these parts in it.
    fn run(streams: Value, fan_outs: Value, verdict: Option<Value>) -> Run {
        let mut document = json!({
            "schema": "blis.result/1", "blis_version": "0", "mode": "simulated", "seed": 1,
            "spec": {"name": "told", "sha256": "", "resolved_sha256": ""},
            "configuration": {}, "ended_by": "horizon", "retries": 0, "late_replies": 0, "duplicate_replies": 0,
            "intervals": {"level": 0.95, "method": "batch_means", "samples": 0, "absent": {}},
            "window": {"warmup_s": 0.0, "measured_s": 10.0, "requests": requests()},
            "requests": requests(),
            "sessions": {
                "started": 0, "completed": 0, "cancelled": 0, "horizon_interrupted": 0, "budget_exhausted": 0
            },
            "latency_ms": {"response": none(), "service": none(), "lag": none()},
            "actions": {}, "clients": {}, "services": {}, "theory": {}, "series": [], "events": 0,
            "simulated_s": 10.0, "streams": streams, "fan_outs": fan_outs
        });
        if let Some(verdict) = verdict {
            document["verdict"] = verdict;
        }
        serde_json::from_value(document).expect("a result")
    }

    fn requests() -> Value {
        json!({
            "intended": 0, "ok": 0, "app_error": 0, "rejected": 0, "timed_out": 0, "transport_error": 0,
            "dropped": 0, "unresolved": 0
        })
    }

    fn none() -> Value {
        json!({"count": 0, "censored": 0})
    }

    fn some(value: f64) -> Value {
        json!({"count": 7, "censored": 0, "mean": value, "p50": value + 1.0, "p99": value + 2.0})
    }

    /// A stream whose consumer has this slope, which is growth or not.
    fn audit(slope: f64, grows: bool) -> Value {
        json!({"audit": {"published": 1200, "duplicates": 3, "consumers": {"indexer": {
            "stored": 1197, "delivered": 1000, "redelivered": 12, "expired": 0, "naks": 2, "acknowledged": 990,
            "acknowledged_per_s": 99.0, "repeated": 0, "exhausted": 0, "unfinished_pending": 197,
            "unfinished_delivered": 0, "backlog_max": 210, "backlog_slope_per_s": slope, "backlog_grows": grows,
            "pending_mean": 100.5, "pending_max": 200, "ack_pending_mean": 8.25, "ack_pending_max": 10,
            "wait_ms": some(500.0), "age_ms": some(600.0)
        }}}})
    }

    fn lines(run: &Run) -> Vec<String> {
        let messages = messages(run);
        let rows = messages.tables.iter().flat_map(|table| table.rows());
        let rows = rows.map(|cells| cells.join(" | "));
        rows.chain(messages.remarks).collect()
    }

    #[test]
    fn consumers_stand_in_a_table_with_what_is_unusual_below() {
        let said = lines(&run(audit(-0.5, false), json!({}), None));
        assert_eq!(
            said,
            [
                "consumer | acknowledged | per second | backlog max | growth | pending | ack pending | wait p99 | age \
                 mean | age p99",
                "audit/indexer | 990 | 99.00 | 210 | -0.5000/s | 100.5 | 8.250 | 502.0 ms | 600.0 ms | 602.0 ms",
                "stream audit: 3 of its publications were duplicates",
                "audit/indexer: 12 delivered again, 2 naks, 197 still pending when the run ended",
            ]
        );
    }

    #[test]
    fn growth_that_nothing_judges_is_warned_of() {
        let warning = "audit/indexer: warning: its backlog grew by +19.50 messages/s, more than chance would have it, \
                       and nothing judges that";
        let warned = |run: &Run| lines(run).iter().any(|line| line == warning);
        assert!(warned(&run(audit(19.5, true), json!({}), None)));
        assert!(!warned(&run(audit(19.5, false), json!({}), None)));
        let verdict = |of: &str| {
            json!({"status": "TRIP", "reasons": [], "signals": [{
                "of": of, "name": "backlog growth", "standing": "over", "limit": 1.0, "measured": 19.5,
                "samples": 0, "needed": 0
            }]})
        };
        let judged = verdict("Consumer audit/indexer");
        assert!(!warned(&run(audit(19.5, true), json!({}), Some(judged))));
        let other = verdict("Consumer audit/mailer");
        assert!(warned(&run(audit(19.5, true), json!({}), Some(other))));
    }

    #[test]
    fn fan_outs_stand_in_a_table_of_their_own() {
        let rooms = json!({"rooms": {
            "emissions": 10, "subscribers": 10_000, "deliveries": 9_950, "lost": 20, "unfinished_emissions": 1,
            "unfinished_deliveries": 30, "completion_ratio": 0.99, "first_ms": some(1.0), "last_ms": none(),
            "delivery_ms": some(5.0)
        }});
        let said = lines(&run(json!({}), rooms, None));
        assert_eq!(
            said,
            [
                "fan-out | emissions | deliveries | in time | first mean | delivery p50 | delivery p99 | last mean | \
                 last p99",
                "rooms | 10 | 9,950 | 99.0 % | 1.000 ms | 6.000 ms | 7.000 ms | not measured | not measured",
                "rooms: 20 lost on the way, 1 of the emissions not complete when the run ended, 30 of their deliveries missing",
            ]
        );
    }

    #[test]
    fn a_run_without_messages_says_nothing() {
        assert_eq!(lines(&run(json!({}), json!({}), None)), [""; 0]);
    }
}
