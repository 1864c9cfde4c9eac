//! The parts of the result document that only a live run has.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::LatencyBlock;
use super::live_observers::Observers;

/// Data of a live run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    /// Servers, as host:port.
    pub target: Vec<String>,
    /// The version of the server.
    pub server_version: String,
    /// Number of connections of the load.
    pub connections: u32,
    /// Time from the start of the load to the end of the run, including the drain.
    pub elapsed_s: f64,
    /// Failed requests of the whole run by reason; the reasons of an outcome add up to its count. Timeouts and unresolved
    /// requests have no reason. Reasons without requests are absent.
    pub reasons: BTreeMap<String, u64>,
    /// Incidents of connections with their number: `connections_lost`, `slow_consumer`. Others are absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, u64>,
    /// First messages that servers sent by themselves.
    pub messages: Vec<String>,
    /// Figures of the generator; absent if the result comes from the record of an interrupted run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<GeneratorResult>,
    /// Data of observers; absent if they did not finish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observers: Option<Observers>,
}

/// Figures of the generator.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorResult {
    /// From intended to sent, without the time for which `max_in_flight` delayed requests.
    pub own_lag_ms: LatencyBlock,
    /// Scheduler jitter: lateness of an idle timer thread in the same process.
    pub control_ms: LatencyBlock,
    /// Why the generator was the limit, in sentences; empty when it was not.
    pub limited_by: Vec<String>,
    /// Figures over time.
    pub series: Vec<GeneratorInterval>,
}

/// One interval of the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorInterval {
    /// Where it starts.
    pub start_s: f64,
    /// How long it is.
    pub width_s: f64,
    /// Largest own lag of the generator.
    pub own_lag_max_ms: f64,
    /// Largest scheduler jitter.
    pub control_max_ms: f64,
    /// Longest time until the runtime of the connections started a task.
    pub scheduling_max_ms: f64,
    /// Mean number of busy CPUs of the process; absent if the system does not report it, as the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_cpus: Option<f64>,
    /// Share of the CPUs of the machine that were busy, or stolen by its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_cpu_share: Option<f64>,
    /// Memory of the process at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Deliveries dropped because they were not processed in time.
    pub dropped_deliveries: u64,
}
