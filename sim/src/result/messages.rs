//! The parts of the result document on streams, their consumers and fan-outs.
//!
//! All of them are absent for a spec without streams and fan-outs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::{LatencyBlock, block};
use super::rates::{mean_over, per_second};
use crate::measure::{CensoredTimes, ConsumerMeter, Measure, SeriesRow};
use crate::model::{ConsumerId, FanOut, Model, StreamId};
use crate::time::{Span, Time};

/// Figures of a stream within the window. Figures that a live run does not measure are absent, and listed in `not_measured`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StreamResult {
    /// Publications, including duplicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
    /// Publications acknowledged but not stored, because a message with the same id was stored before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<u64>,
    /// By consumer.
    pub consumers: BTreeMap<String, ConsumerResult>,
}

/// Figures of a consumer. Counts are of the window, except those of the end of the run; times are of messages stored within
/// the window. A live run samples them at intervals of a second or more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerResult {
    /// Messages stored for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<u64>,
    /// Messages delivered for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
    /// Further deliveries of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redelivered: Option<u64>,
    /// Deliveries whose `ack_wait` ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<u64>,
    /// Deliveries whose work failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naks: Option<u64>,
    /// Messages acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
    /// Messages acknowledged, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_per_s: Option<f64>,
    /// Its 95 % confidence interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_per_s_ci95: Option<[f64; 2]>,
    /// Deliveries processed in vain: another delivery was acknowledged, or the message was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// Messages given up after `max_deliver` deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted: Option<u64>,
    /// Messages not delivered by the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_pending: Option<u64>,
    /// Messages delivered but not acknowledged by the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_delivered: Option<u64>,
    /// Maximum backlog: messages pending or waiting for acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_max: Option<u64>,
    /// Time at which it was first that large, of the replication with the largest. Absent without a backlog, as the next
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_max_at_s: Option<f64>,
    /// Time after that at which it was first empty, including the drain; absent if it was not empty by the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_gone_at_s: Option<f64>,
    /// Slope of the least-squares line through the backlog, in messages per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_slope_per_s: Option<f64>,
    /// Whether the backlog grew by more than chance explains; absent if the window has too few intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_grows: Option<bool>,
    /// Mean number of messages stored but not yet delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_mean: Option<f64>,
    /// Its 95 % confidence interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_mean_ci95: Option<[f64; 2]>,
    /// Maximum of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_max: Option<u64>,
    /// Mean number of messages delivered but not yet acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_pending_mean: Option<f64>,
    /// Its 95 % confidence interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_pending_mean_ci95: Option<[f64; 2]>,
    /// Maximum of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_pending_max: Option<u64>,
    /// Time from storing to the first delivery; censored are messages not delivered by the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<LatencyBlock>,
    /// Time from storing to acknowledgement; censored are messages given up, or not acknowledged by the end of the run,
    /// with their age at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<LatencyBlock>,
}

/// Figures of a fan-out: of the messages emitted within the window, and of all their deliveries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FanOutResult {
    /// Messages emitted.
    pub emissions: u64,
    /// Subscribers of all these messages.
    pub subscribers: u64,
    /// Subscribers reached.
    pub deliveries: u64,
    /// Deliveries lost.
    pub lost: u64,
    /// Emissions that were not complete when the run ended.
    pub unfinished_emissions: u64,
    /// Subscribers that they had not reached, including lost deliveries.
    pub unfinished_deliveries: u64,
    /// Share of subscribers reached in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_ratio: Option<f64>,
    /// Its 95 % confidence interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_ratio_ci95: Option<[f64; 2]>,
    /// From the intended time of the request to the first delivery of its message.
    pub first_ms: LatencyBlock,
    /// From the intended time of the request to the last delivery of its message; censored are messages not delivered to
    /// all subscribers when the run ended.
    pub last_ms: LatencyBlock,
    /// From the intended time of the request to each delivery of its message; censored are deliveries that were missing
    /// when the run ended.
    pub delivery_ms: LatencyBlock,
}

/// Figures of a stream in one interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamInterval {
    /// By consumer.
    pub consumers: BTreeMap<String, ConsumerInterval>,
}

/// Figures of a consumer in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerInterval {
    /// Backlog at its end; in the last interval, messages cut off by the end of the run are included.
    pub backlog: u64,
    /// Messages of them that wait for acknowledgement.
    pub ack_pending: u64,
    /// Further deliveries of messages within it.
    pub redelivered: u64,
}

/// The consumers of a stream with their names.
fn consumers_of<P>(model: &Model<P>, stream: StreamId) -> impl Iterator<Item = (ConsumerId, &str)> {
    let numbered = (0u16..).map(ConsumerId).zip(&model.consumers);
    let of = numbered.filter(move |(_, consumer)| consumer.stream == stream);
    of.map(|(id, consumer)| (id, consumer.name.as_str()))
}

/// Every stream of a run.
pub(super) fn streams<P>(model: &Model<P>, measure: &Measure) -> BTreeMap<String, StreamResult> {
    let mut streams = BTreeMap::new();
    for ((stream, id), meter) in model.streams.iter().zip(0u16..).zip(measure.streams()) {
        let consumers = consumers_of(model, StreamId(id))
            .map(|(id, name)| (name.to_owned(), consumer(measure, id)));
        let publications = meter.window_publications();
        let result = StreamResult {
            published: Some(publications.published()),
            duplicates: Some(publications.duplicates),
            consumers: consumers.collect(),
        };
        streams.insert(stream.name.clone(), result);
    }
    streams
}

fn consumer(measure: &Measure, id: ConsumerId) -> ConsumerResult {
    let meter: &ConsumerMeter = &measure.consumers()[id.index()];
    let measured = measure.measured();
    let (window, run) = (meter.window_messages(), meter.messages());
    let (areas, peaks) = (meter.window_areas(), meter.peaks());
    let growth = measure.backlog_growth(id);
    let peak = |most: u64| (measured > Span::ZERO).then_some(most);
    let had_one = measured > Span::ZERO && peaks.total > 0;
    let at = |time: Option<Time>| time.filter(|_| had_one).map(Time::as_secs_f64);
    ConsumerResult {
        stored: Some(window.stored),
        delivered: Some(window.delivered),
        redelivered: Some(window.redelivered),
        expired: Some(window.expired),
        naks: Some(window.naks),
        acknowledged: Some(window.acknowledged),
        acknowledged_per_s: per_second(window.acknowledged, measured),
        acknowledged_per_s_ci95: None,
        repeated: Some(window.repeated),
        exhausted: Some(window.exhausted),
        unfinished_pending: Some(run.cut_pending),
        unfinished_delivered: Some(run.cut_delivered),
        backlog_max: peak(peaks.total),
        backlog_max_at_s: at(Some(peaks.at)),
        backlog_gone_at_s: at(meter.gone()),
        backlog_slope_per_s: growth.map(|growth| growth.slope_per_second),
        backlog_grows: growth.and_then(|growth| growth.grows),
        pending_mean: mean_over(areas.pending, measured),
        pending_mean_ci95: None,
        pending_max: peak(peaks.each.pending),
        ack_pending_mean: mean_over(areas.ack_pending, measured),
        ack_pending_mean_ci95: None,
        ack_pending_max: peak(peaks.each.ack_pending),
        wait_ms: Some(block(meter.waits(), meter.censored_waits())),
        age_ms: Some(block(meter.ages(), meter.censored_ages())),
    }
}

/// Every fan-out of a run.
pub(super) fn fan_outs<P>(model: &Model<P>, measure: &Measure) -> BTreeMap<String, FanOutResult> {
    let of = |times: &CensoredTimes| block(&times.times, times.censored);
    let entry = |(fan_out, meter): (&FanOut, &crate::measure::FanOutMeter)| {
        let counts = meter.window_emissions();
        let result = FanOutResult {
            emissions: counts.emissions,
            subscribers: counts.subscribers,
            deliveries: counts.deliveries,
            lost: counts.lost,
            unfinished_emissions: counts.cut_emissions,
            unfinished_deliveries: counts.cut_deliveries,
            completion_ratio: counts.completion_ratio(),
            completion_ratio_ci95: None,
            first_ms: of(meter.firsts()),
            last_ms: of(meter.lasts()),
            delivery_ms: of(meter.deliveries()),
        };
        (fan_out.name.clone(), result)
    };
    let fan_outs = model.fan_outs.iter().zip(measure.fan_outs());
    fan_outs.map(entry).collect()
}

/// Every stream in one interval.
pub(super) fn intervals<P>(model: &Model<P>, row: &SeriesRow) -> BTreeMap<String, StreamInterval> {
    let interval = |id: ConsumerId| {
        let row = row.consumers[id.index()];
        ConsumerInterval {
            backlog: row.backlog.total(),
            ack_pending: row.backlog.ack_pending,
            redelivered: row.redelivered,
        }
    };
    let stream = |(stream, id): (&crate::model::Stream, u16)| {
        let consumers = consumers_of(model, StreamId(id))
            .map(|(id, name)| (name.to_owned(), interval(id)))
            .collect();
        (stream.name.clone(), StreamInterval { consumers })
    };
    model.streams.iter().zip(0u16..).map(stream).collect()
}
