//! The part of a report about streams and fan-outs.

use blis_sim::result::{ConsumerResult, FanOutResult, LatencyBlock, Run};

use super::absence::Absences;
use super::number::{
    AT_LEAST, NOT_MEASURED, count, growth, millis_within, or_not_measured, percent_within,
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

/// The text about the streams and fan-outs of a run.
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
        "gone at",
        "growth",
        "pending",
        "ack pending",
        "wait p99",
        "age mean",
        "age p99",
        "age max",
    ];
    let mut table = Table::new(&headings);
    let mut absences = Absences::new(&run.intervals);
    let mut consumers = 0;
    for (stream_name, stream) in &run.streams {
        let duplicates = stream.duplicates.unwrap_or(0);
        let duplicates = [("of its publications were duplicates", duplicates)];
        remark(messages, &format!("stream {stream_name}"), &duplicates);
        for (name, consumer) in &stream.consumers {
            let place = format!("streams.{stream_name}.consumers.{name}");
            let name = format!("{stream_name}/{name}");
            table.row(row(&name, consumer));
            look_at_consumer(&mut absences, &name, &place, consumer);
            consumers += 1;
            remark(messages, &name, &unusual(consumer));
            messages.remarks.extend(censored(&name, consumer));
            if consumer.backlog_grows == Some(true) && !is_judged(run, &name) {
                let slope = growth(consumer.backlog_slope_per_s, Some(true));
                messages.remarks.push(format!(
                    "{name}: warning: its backlog grew by {slope}, more than chance explains; judge it with `slo: \
                     {{no_growth: true}}`"
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
    if let Some(waits) = &consumer.wait_ms {
        absences.look_at_times(&[("wait p99", "p99")], name, &wait, waits);
    }
    if let Some(times) = &consumer.age_ms {
        let ages = [("age mean", "mean"), ("age p99", "p99")];
        absences.look_at_times(&ages, name, &age, times);
    }
}

fn row(name: &str, consumer: &ConsumerResult) -> [String; 12] {
    let of = |times: &Option<LatencyBlock>, write: fn(&LatencyBlock) -> String| {
        times.as_ref().map_or(NOT_MEASURED.to_owned(), write)
    };
    let (wait, age) = (&consumer.wait_ms, &consumer.age_ms);
    [
        name.to_owned(),
        consumer.acknowledged.map_or(NOT_MEASURED.to_owned(), count),
        or_not_measured(consumer.acknowledged_per_s, |rate| {
            significant_within(rate, consumer.acknowledged_per_s_ci95)
        }),
        peak(consumer),
        gone(consumer),
        growth(consumer.backlog_slope_per_s, consumer.backlog_grows),
        or_not_measured(consumer.pending_mean, |mean| {
            significant_within(mean, consumer.pending_mean_ci95)
        }),
        or_not_measured(consumer.ack_pending_mean, |mean| {
            significant_within(mean, consumer.ack_pending_mean_ci95)
        }),
        of(wait, p99),
        of(age, mean),
        of(age, p99),
        of(age, |age| at_least(age.censored > 0, age.max, None)),
    ]
}

/// The largest backlog, and when it was reached.
fn peak(consumer: &ConsumerResult) -> String {
    match (consumer.backlog_max, consumer.backlog_max_at_s) {
        (Some(most), Some(at)) => format!("{} at {at:.2} s", count(most)),
        (most, _) => most.map_or(NOT_MEASURED.to_owned(), count),
    }
}

/// When the backlog was gone.
fn gone(consumer: &ConsumerResult) -> String {
    match (consumer.backlog_max_at_s, consumer.backlog_gone_at_s) {
        (None, _) if consumer.backlog_max.is_none() => NOT_MEASURED.to_owned(),
        (None, _) => "-".to_owned(),
        (Some(_), Some(at)) => format!("{at:.2} s"),
        (Some(_), None) => "not by the end".to_owned(),
    }
}

/// A mean; of times some of which were cut off, the least that it can be.
fn mean(times: &LatencyBlock) -> String {
    at_least(times.censored > 0, times.mean, times.mean_ci95)
}

/// A 99th percentile; where so many times were cut off that it may be one of them, the least that it can be.
fn p99(times: &LatencyBlock) -> String {
    let may_be_cut = times.censored.saturating_mul(100) >= times.count.max(1);
    at_least(may_be_cut, times.p99, times.p99_ci95)
}

fn at_least(is_bound: bool, value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match value {
        Some(_) if is_bound => format!("{AT_LEAST}{}", within(value, interval)),
        _ => within(value, interval),
    }
}

/// That ages are not known to their end, and what to do about those that the end of the run cut off.
fn censored(name: &str, consumer: &ConsumerResult) -> Option<String> {
    let age = consumer.age_ms.as_ref()?;
    let left = left(consumer);
    if age.censored == 0 && left == 0 {
        return None;
    }
    let of = format!(
        "{} of {} ages were cut off when the message was given up or the run ended",
        count(age.censored),
        count(age.count)
    );
    Some(match left {
        0 => format!("{name}: {of}; true ages are longer"),
        _ => format!(
            "{name}: warning: {} messages were left when the run ended, and {of}; lengthen `run.drain` until the backlog \
             is gone",
            count(left)
        ),
    })
}

/// Messages that a consumer had not acknowledged when the run ended.
fn left(consumer: &ConsumerResult) -> u64 {
    let [pending, delivered] = [consumer.unfinished_pending, consumer.unfinished_delivered];
    pending.unwrap_or(0) + delivered.unwrap_or(0)
}

/// What the verdict does not look at: messages that were left when the run ended.
pub fn not_judged(run: &Run) -> Vec<String> {
    let consumers = run.streams.iter().flat_map(|(stream, of)| {
        let named = of.consumers.iter();
        named.map(move |(name, consumer)| (format!("{stream}/{name}"), left(consumer)))
    });
    let left = consumers.filter(|(_, left)| *left > 0);
    left.map(|(name, left)| {
        format!(
            "not judged: {name} had {} messages left when the run ended",
            count(left)
        )
    })
    .collect()
}

/// A time with its interval.
fn within(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    or_not_measured(value, |value| millis_within(value, interval))
}

/// What happened to a consumer's messages beside delivery and acknowledgement.
fn unusual(consumer: &ConsumerResult) -> [(&'static str, u64); 7] {
    let counts = [
        ("delivered again", consumer.redelivered),
        ("not acknowledged within `ack_wait`", consumer.expired),
        ("naks", consumer.naks),
        ("processed in vain", consumer.repeated),
        ("given up after `max_deliver`", consumer.exhausted),
        (
            "still pending when the run ended",
            consumer.unfinished_pending,
        ),
        (
            "not acknowledged when the run ended",
            consumer.unfinished_delivered,
        ),
    ];
    counts.map(|(what, number)| (what, number.unwrap_or(0)))
}

/// Whether a limit on the growth of a consumer's backlog is among what the run is judged by.
pub fn is_judged(run: &Run, name: &str) -> bool {
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
        mean(first),
        within(delivery.p50, delivery.p50_ci95),
        p99(delivery),
        mean(last),
        p99(last),
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
            "unfinished_delivered": 0, "backlog_max": 210, "backlog_max_at_s": 2.5, "backlog_slope_per_s": slope, "backlog_grows": grows,
            "pending_mean": 100.5, "pending_max": 200, "ack_pending_mean": 8.25, "ack_pending_max": 10,
            "wait_ms": some(500.0),
            "age_ms": {"count": 1197, "censored": 197, "mean": 600.0, "p99": 602.0, "max": 700.0}
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
                "consumer | acknowledged | per second | backlog max | gone at | growth | pending | ack pending | wait \
                 p99 | age mean | age p99 | age max",
                "audit/indexer | 990 | 99.00 | 210 at 2.50 s | not by the end | none | 100.5 | 8.250 | 502.0 ms | \
                 ≥ 600.0 ms | ≥ 602.0 ms | ≥ 700.0 ms",
                "stream audit: 3 of its publications were duplicates",
                "audit/indexer: 12 delivered again, 2 naks, 197 still pending when the run ended",
                "audit/indexer: warning: 197 messages were left when the run ended, and 197 of 1,197 ages were cut off \
                 when the message was given up or the run ended; lengthen `run.drain` until the backlog is gone",
            ]
        );
    }

    #[test]
    fn growth_that_nothing_judges_is_warned_of() {
        let warning = "audit/indexer: warning: its backlog grew by +19.50/s, more than chance explains; \
                       judge it with `slo: {no_growth: true}`";
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
    fn a_drained_burst_says_when_it_was_gone_and_no_growth() {
        let mut streams = audit(-37.0, false);
        let consumer = &mut streams["audit"]["consumers"]["indexer"];
        consumer["backlog_gone_at_s"] = json!(135.0);
        consumer["unfinished_pending"] = json!(0);
        consumer["age_ms"]["censored"] = json!(0);
        let said = lines(&run(streams, json!({}), None));
        let row = "audit/indexer | 990 | 99.00 | 210 at 2.50 s | 135.00 s | none | 100.5 | 8.250 | 502.0 ms | 600.0 ms | \
                   602.0 ms | 700.0 ms";
        assert_eq!(said[1], row);
        assert!(
            !said.iter().any(|line| line.contains("warning")),
            "{said:?}"
        );
    }

    #[test]
    fn what_a_live_run_does_not_measure_is_said_in_the_same_table() {
        let streams = json!({"audit": {"consumers": {"indexer": {
            "redelivered": 12, "backlog_max": 210, "backlog_max_at_s": 2.5, "unfinished_pending": 197,
            "pending_max": 200, "ack_pending_mean": 8.25
        }, "unseen": {}}}});
        assert_eq!(
            lines(&run(streams, json!({}), None))[1..],
            [
                "audit/indexer | not measured | not measured | 210 at 2.50 s | not by the end | not measured | not \
                 measured | 8.250 | not measured | not measured | not measured | not measured",
                "audit/unseen | not measured | not measured | not measured | not measured | not measured | not \
                 measured | not measured | not measured | not measured | not measured | not measured",
                "audit/indexer: 12 delivered again, 197 still pending when the run ended",
            ]
        );
    }

    #[test]
    fn few_cut_off_ages_make_no_bound_of_a_quantile_below_them() {
        let mut streams = audit(0.0, false);
        streams["audit"]["consumers"]["indexer"]["age_ms"]["censored"] = json!(11);
        let said = lines(&run(streams.clone(), json!({}), None));
        assert!(
            said[1].ends_with("≥ 600.0 ms | 602.0 ms | ≥ 700.0 ms"),
            "{}",
            said[1]
        );
        streams["audit"]["consumers"]["indexer"]["age_ms"]["censored"] = json!(12);
        let said = lines(&run(streams, json!({}), None));
        assert!(
            said[1].ends_with("≥ 600.0 ms | ≥ 602.0 ms | ≥ 700.0 ms"),
            "{}",
            said[1]
        );
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
