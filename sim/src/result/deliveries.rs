//! Deliveries that requests await, in the result document: the same figures in both worlds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LatencyBlock;
use super::build::block;
use crate::measure::{DeliveryMeter, Measure};
use crate::model::{ActionId, Model};

/// Deliveries that the requests of an action await, of the requests of the window: `expected` is the sum of `delivered` and
/// `missing`, and what arrived is the sum of `delivered`, `duplicates`, `late` and `unmatched`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryResult {
    /// How many were to come: so many for each request that was not dropped.
    pub expected: u64,
    /// How many of them came.
    pub delivered: u64,
    /// How many of them had not come when the request was given up, or the run ended.
    pub missing: u64,
    /// Their share of those that were to come; absent where none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_share: Option<f64>,
    /// Deliveries beyond those that were to come: a subscriber had its share, or had this very message.
    pub duplicates: u64,
    /// Deliveries for requests that had been given up; they are counted as missing too.
    pub late: u64,
    /// Deliveries of the window that name no request of this run, or one of long ago, or are not what is awaited.
    pub unmatched: u64,
    /// From the intended instant of the request to its first delivery.
    pub first_ms: LatencyBlock,
    /// From the intended instant of the request to each delivery.
    pub each_ms: LatencyBlock,
    /// From the sending of the request to each delivery.
    pub each_from_sent_ms: LatencyBlock,
    /// From the intended instant of the request to the last delivery that was to come, where all came.
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
