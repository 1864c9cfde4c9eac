//! The parts of the result document that only a live run has.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LatencyBlock;
use super::build::block;
use super::live_observers::Observers;
use crate::measure::Times;

/// What only a live run has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    /// The servers, by host and port.
    pub target: Vec<String>,
    /// The version of the server.
    pub server_version: String,
    /// How many connections the load was sent over.
    pub connections: u32,
    /// From the start of the load to the end of the run, the drain included.
    pub elapsed_s: f64,
    /// Requests of the whole run that failed, by reason: those of an outcome add up to its count. Timeouts and what was
    /// unresolved have no reason beside that. A reason of no request is absent.
    pub reasons: BTreeMap<String, u64>,
    /// What happened to connections, and how often: `connections_lost`, `slow_consumer`. What did not happen is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, u64>,
    /// What servers said on their own account, the first few times.
    pub messages: Vec<String>,
    /// How the generator itself did; absent where the result was made of the record of an interrupted run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<GeneratorResult>,
    /// What observers saw beside the load; absent when they did not come to their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observers: Option<Observers>,
}

/// How the generator itself did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorResult {
    /// Intended to sent, without the time for which a limit of requests in flight held them back.
    pub own_lag_ms: LatencyBlock,
    /// How late an idle thread was that keeps time in the same process: what nothing here can be better than.
    pub control_ms: LatencyBlock,
    /// Why the generator was the limit, in sentences; empty when it was not.
    pub limited_by: Vec<String>,
    /// Its course.
    pub series: Vec<GeneratorInterval>,
}

/// One interval of the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorInterval {
    /// Where it starts.
    pub start_s: f64,
    /// How long it is.
    pub width_s: f64,
    /// The largest lag on the generator's own account.
    pub own_lag_max_ms: f64,
    /// The latest that the idle thread was.
    pub control_max_ms: f64,
    /// The longest that the runtime of the connections took to begin with something.
    pub scheduling_max_ms: f64,
    /// Processors that the process kept busy on average; absent where the system does not say, as the two after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_cpus: Option<f64>,
    /// The share of the machine's processors that were busy, or taken away by its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_cpu_share: Option<f64>,
    /// Memory of the process at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Deliveries that were dropped because they were not taken in time.
    pub dropped_deliveries: u64,
}

impl LatencyBlock {
    /// Of these times, none of which is an age that was cut off.
    pub fn of(times: &Times) -> LatencyBlock {
        block(times, 0)
    }
}
