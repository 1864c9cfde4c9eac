//! Data of observers beside the load of a live run, taken over a separate connection.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Data of the observers of a live run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observers {
    /// JetStream consumers as stream/consumer, of streams that actions publish to or that --observe-stream names.
    pub consumers: BTreeMap<String, ObservedConsumer>,
    /// Server of --monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ObservedServer>,
    /// Endpoints of services that receive the actions, as service/endpoint.
    pub services: BTreeMap<String, ObservedService>,
    /// Shortest round trip to the server. Absent without services, or if the server did not reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_round_trip_ms: Option<f64>,
    /// Monitoring overhead.
    pub traffic: ObserverTraffic,
    /// Reasons for parts that were not measured, by part.
    pub absent: BTreeMap<String, String>,
}

/// A consumer over the run, as observed. `streams` has the figures that follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedConsumer {
    /// Whether it was deleted before the last sample.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vanished: bool,
    /// Whether its last sample is from after the load.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen_at_end: bool,
    /// Settings that decide what can be counted.
    #[serde(flatten)]
    pub kind: ConsumerKind,
    /// Its samples; the first before the load, the last after it.
    pub samples: Vec<ConsumerSample>,
}

/// Settings of a consumer that decide what can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerKind {
    /// Whether its filter selects a part of its stream.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_filtered: bool,
    /// Whether its messages are not acknowledged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unacknowledged: bool,
    /// Whether it gives up messages after a number of deliveries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_up: bool,
}

/// A sample of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerSample {
    /// Time since the start of the load.
    pub at_s: f64,
    /// Messages not yet delivered (`num_pending`).
    pub pending: u64,
    /// Messages delivered but not yet acknowledged (`num_ack_pending`).
    pub ack_pending: u64,
    /// Messages redelivered but not yet acknowledged (`num_redelivered`).
    pub redelivered: u64,
    /// Deliveries since its creation (`delivered.consumer_seq`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<u64>,
    /// Last message of the stream that was delivered for the first time (`delivered.stream_seq`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_to: Option<u64>,
}

/// A server over the run, from its monitoring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedServer {
    /// Its monitoring, as host:port.
    pub monitor: String,
    /// Samples of `/varz`.
    pub varz_samples: u64,
    /// Mean CPU in percent of one core.
    pub cpu_percent_mean: f64,
    /// Maximum CPU.
    pub cpu_percent_max: f64,
    /// Maximum memory.
    pub memory_bytes_max: u64,
    /// Maximum number of connections, including those of the load and of the observers.
    pub connections_max: u64,
    /// Slow consumers since its start, before the load.
    pub slow_consumers_before: u64,
    /// The same after the load.
    pub slow_consumers_after: u64,
    /// Messages received during the run.
    pub in_msgs: u64,
    /// Messages sent.
    pub out_msgs: u64,
    /// Bytes received.
    pub in_bytes: u64,
    /// Bytes sent.
    pub out_bytes: u64,
    /// Its JetStream; absent if `/jsz` did not reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jetstream: Option<ObservedJetStream>,
}

/// JetStream of a server over the run, from its monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedJetStream {
    /// Messages in all streams before the load.
    pub messages_before: u64,
    /// The same after the load.
    pub messages_after: u64,
    /// Bytes in all streams before the load.
    pub bytes_before: u64,
    /// The same after the load.
    pub bytes_after: u64,
    /// API requests during the run.
    pub api_requests: u64,
    /// Errors among them.
    pub api_errors: u64,
}

/// An endpoint of a service over the run, from the statistics of all its instances (`$SRV.STATS`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedService {
    /// Its subject.
    pub subject: String,
    /// Actions sent to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Instances after the load.
    pub instances: u64,
    /// Instances before the load that were gone after it; their requests are not known.
    pub instances_lost: u64,
    /// Requests during the run, from any client.
    pub requests: u64,
    /// Errors among them.
    pub errors: u64,
    /// Mean handler time, which may include waiting inside the process; absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler_mean_ms: Option<f64>,
    /// Statistics by instance id; of the first ones if there are very many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_instance: BTreeMap<String, ObservedInstance>,
}

/// An instance of a service over the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ObservedInstance {
    /// Queue group of its endpoint, if reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_group: Option<String>,
    /// Samples: before the load, at the end of the warm-up, in between, and after the load.
    pub samples: Vec<InstanceSample>,
}

/// Statistics of an instance since its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceSample {
    /// Time since the start of the load.
    pub at_s: f64,
    /// Requests.
    pub requests: u64,
    /// Errors among them.
    pub errors: u64,
    /// Total handler time.
    pub handling_ms: f64,
    /// Other data that it reports; absent without such data, or if it is too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
}

/// Monitoring overhead, not counted in the requests of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ObserverTraffic {
    /// Requests.
    pub requests: u64,
    /// Requests without a reply.
    pub unanswered: u64,
    /// Bytes of subjects and payloads sent.
    pub bytes_sent: u64,
    /// Bytes of payloads received.
    pub bytes_received: u64,
}
