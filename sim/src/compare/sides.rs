//! The two sides of a comparison: runs with what their records have, and what of a run is compared.

use std::collections::BTreeMap;

use super::blocks::Blocks;
use super::pairs::Requests;
use crate::result::{LatencyBlock, RequestCounts, Run};

/// A run that is compared.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What the user calls it.
    pub name: String,
    /// Its result.
    pub run: Run,
    /// What its record has, by action; `None` where there is none.
    pub record: Option<BTreeMap<String, OfRecord>>,
}

/// What a record has of an action.
#[derive(Debug, Clone)]
pub struct OfRecord {
    /// The response times of answered requests of the window.
    pub blocks: Blocks,
    /// The requests intended within it; `None` where they are too many to be kept.
    pub requests: Option<Requests>,
}

/// The two sides.
pub type Sides<'a> = [&'a [Compared]; 2];

/// What of a run is compared: an action, or all.
pub(super) fn part<'a>(
    run: &'a Run,
    action: Option<&str>,
) -> Option<(&'a RequestCounts, &'a LatencyBlock, Throughput)> {
    match action {
        None => Some((
            &run.window.requests,
            &run.latency_ms.response,
            (run.throughput_rps, run.throughput_rps_ci95),
        )),
        Some(name) => {
            let action = run.actions.get(name)?;
            Some((
                &action.window_requests,
                &action.latency_ms.response,
                (action.throughput_rps, action.throughput_rps_ci95),
            ))
        }
    }
}

/// A throughput, and its interval.
pub(super) type Throughput = (Option<f64>, Option<[f64; 2]>);
