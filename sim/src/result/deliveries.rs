//! Awaited deliveries in the result document, with the same figures in both worlds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::{LatencyBlock, block};
use crate::measure::{DeliveryMeter, Measure};
use crate::model::{ActionId, Model};

/// Awaited deliveries of an action, for the requests of the window: `expected` is the sum of `delivered` and `missing`;
/// arrivals are the sum of `delivered`, `duplicates`, `late` and `unmatched`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryResult {
    /// Expected deliveries, of all requests that were not dropped.
    pub expected: u64,
    /// Expected deliveries that arrived.
    pub delivered: u64,
    /// Expected deliveries that had not arrived when the request was given up, or the run ended.
    pub missing: u64,
    /// Share of missing deliveries; absent if none were expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_share: Option<f64>,
    /// Deliveries beyond the expected number: a subscriber had its share, or had the same message.
    pub duplicates: u64,
    /// Deliveries for requests that had been given up; they also count as missing.
    pub late: u64,
    /// Deliveries of the window that name no request of this run, or an old one, or that are not awaited.
    pub unmatched: u64,
    /// From the intended time of the request to its first delivery.
    pub first_ms: LatencyBlock,
    /// From the intended time of the request to each delivery.
    pub each_ms: LatencyBlock,
    /// From the sending of the request to each delivery.
    pub each_from_sent_ms: LatencyBlock,
    /// From the intended time of the request to its last expected delivery, if all arrived.
    pub last_ms: LatencyBlock,
}

impl DeliveryResult {
    fn of(meter: &DeliveryMeter) -> DeliveryResult {
        let counts = meter.window();
        let share = counts.missing() as f64 / counts.expected as f64;
        DeliveryResult {
            expected: counts.expected,
            delivered: counts.delivered,
            missing: counts.missing(),
            missing_share: (counts.expected > 0).then_some(share),
            duplicates: counts.duplicates,
            late: counts.late,
            unmatched: counts.unmatched,
            first_ms: block(&meter.first().from_intended, 0),
            each_ms: block(&meter.each().from_intended, 0),
            each_from_sent_ms: block(&meter.each().from_sent, 0),
            last_ms: block(&meter.last().from_intended, 0),
        }
    }
}

/// By action, as far as requests await deliveries.
pub(super) fn deliveries<P>(
    model: &Model<P>,
    measure: &Measure,
) -> BTreeMap<String, DeliveryResult> {
    let actions = (0u16..).map(ActionId).zip(&model.actions);
    let of_each = actions.filter_map(|(id, action)| {
        let meter = measure.deliveries(id)?;
        Some((action.name.clone(), DeliveryResult::of(meter)))
    });
    of_each.collect()
}
