//! What was observed beside the load of a live run, over a connection of its own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the observers of a live run saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observers {
    /// Consumers of JetStream, by stream and consumer with a slash between; those of the streams that the spec's actions
    /// publish to, or that were named.
    pub consumers: BTreeMap<String, ObservedConsumer>,
    /// The server whose monitoring was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ObservedServer>,
    /// Endpoints of services that the spec's actions are sent to, by service and endpoint with a slash between.
    pub services: BTreeMap<String, ObservedService>,
    /// How long the server took to answer a question that is its own affair, at its best: the way there and back. Absent where
    /// there were no services, or it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_round_trip_ms: Option<f64>,
    /// What the observers themselves cost.
    pub traffic: ObserverTraffic,
    /// Why a part of this was not measured, by part.
    pub absent: BTreeMap<String, String>,
}

/// A consumer over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedConsumer {
    /// The largest backlog among the samples: pending and unacknowledged messages together.
    pub backlog_max: u64,
    /// Slope of the least-squares line through the backlog from the end of the warm-up on; absent when fewer than two
    /// samples are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_slope_per_s: Option<f64>,
    /// Whether the backlog grew by more than chance would have it; absent when there were too few samples to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_grows: Option<bool>,
    /// Whether it was there, and was not when the observers looked for the last time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vanished: bool,
    /// Its samples; the first before the load, the last after it.
    pub samples: Vec<ConsumerSample>,
}

/// A consumer at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerSample {
    /// Since the start of the load.
    pub at_s: f64,
    /// Messages not yet delivered (`num_pending`).
    pub pending: u64,
    /// Messages delivered and not yet acknowledged (`num_ack_pending`).
    pub ack_pending: u64,
    /// Messages that were delivered again and are not yet acknowledged (`num_redelivered`).
    pub redelivered: u64,
}

/// A server over the run, by what its monitoring says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedServer {
    /// Its monitoring, by host and port.
    pub monitor: String,
    /// Samples of `/varz`.
    pub varz_samples: u64,
    /// Its CPU in percent of one core, on average over the samples.
    pub cpu_percent_mean: f64,
    /// The largest of them.
    pub cpu_percent_max: f64,
    /// Its largest memory.
    pub memory_bytes_max: u64,
    /// Its largest number of connections, those of the load and of the observers included.
    pub connections_max: u64,
    /// Connections that were too slow to be kept, ever since it started: before the load.
    pub slow_consumers_before: u64,
    /// The same after the load.
    pub slow_consumers_after: u64,
    /// Messages that came in during the run.
    pub in_msgs: u64,
    /// Messages that went out.
    pub out_msgs: u64,
    /// Bytes that came in.
    pub in_bytes: u64,
    /// Bytes that went out.
    pub out_bytes: u64,
    /// Its JetStream; absent where `/jsz` did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jetstream: Option<ObservedJetStream>,
}

/// The JetStream of a server over the run, by what its monitoring says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedJetStream {
    /// Messages in all streams before the load.
    pub messages_before: u64,
    /// And after it.
    pub messages_after: u64,
    /// Bytes in all streams before the load.
    pub bytes_before: u64,
    /// And after it.
    pub bytes_after: u64,
    /// Requests to its API during the run.
    pub api_requests: u64,
    /// Those that ended in an error.
    pub api_errors: u64,
}

/// An endpoint of a service over the run, by what all its instances say of themselves (`$SRV.STATS`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedService {
    /// Its subject.
    pub subject: String,
    /// The actions that are sent there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Instances that were there after the load.
    pub instances: u64,
    /// Instances that were there before the load and not after it; what they did is not known.
    pub instances_lost: u64,
    /// Requests that came during the run, of whomever.
    pub requests: u64,
    /// Those that ended in an error.
    pub errors: u64,
    /// Mean time that its handler took, which may include waiting inside the process; absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler_mean_ms: Option<f64>,
    /// What each instance said, by its id; of the first ones where there are very many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_instance: BTreeMap<String, ObservedInstance>,
}

/// An instance of a service over the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ObservedInstance {
    /// The queue group in which its endpoint listens, as far as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_group: Option<String>,
    /// What it said: before the load, at the end of the warm-up, now and then, and after the load.
    pub samples: Vec<InstanceSample>,
}

/// What an instance said of its endpoint at an instant, ever since it was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceSample {
    /// Since the start of the load.
    pub at_s: f64,
    /// Requests.
    pub requests: u64,
    /// Those that ended in an error.
    pub errors: u64,
    /// The time that its handler took for them, together.
    pub handling_ms: f64,
    /// What else it says, as it is; absent where it says nothing else, or more than is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
}

/// What the observers themselves cost. None of it is among the requests of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ObserverTraffic {
    /// Questions.
    pub requests: u64,
    /// Those without an answer.
    pub unanswered: u64,
    /// Bytes of subjects and payloads that were sent.
    pub bytes_sent: u64,
    /// Bytes of payloads that were received.
    pub bytes_received: u64,
}
