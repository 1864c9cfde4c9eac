//! The typed syntax of the live part: how requests are sent to a real cluster, their payloads, the meaning of replies, and the
//! connections. It does not change a simulation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::or_default;
use super::distribution::Distribution;
use super::named::Named;
use super::spanned::Spanned;
use super::units::{Count, Size};

/// Sending of a request to a real cluster: one of `request`, `publish` and `jetstream`, to a subject, of
/// `kv_put`, `kv_create` and `kv_get`, to a key of a bucket, and of `direct_get`, to a stream.
/// Subjects, headers and texts may contain {client}, {user}, {session}, {n} and {round} (number of the request within its
/// user), {attempt}, {seq} (number of the request within the run), {id} (client, user, number and attempt), {uuid}, and the
/// variables of the spec; headers and texts also {env:NAME}, an environment variable, which only the request shows.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`live`", deny_unknown_fields)]
#[schemars(rename = "Live")]
pub struct Live {
    /// Send to this subject and wait for the reply.
    pub request: Option<Spanned<String>>,
    /// Publish to this subject; the request ends when the connection accepts the message.
    pub publish: Option<Spanned<String>>,
    /// Publish to this subject of a stream and wait for its acknowledgement.
    pub jetstream: Option<Spanned<String>>,
    /// Header with the request id [default: Blis-Request, sent only if it is needed].
    pub request_id: Option<Spanned<String>>,
    /// Write this key and wait for the acknowledgement of its bucket.
    pub kv_put: Option<Spanned<Key>>,
    /// Write this key if it does not exist, and wait for the acknowledgement of its bucket.
    pub kv_create: Option<Spanned<Key>>,
    /// Read this key and wait for its value.
    pub kv_get: Option<Spanned<Key>>,
    /// Read the last message of a subject from a stream and wait for it.
    pub direct_get: Option<Spanned<Stored>>,
    /// Headers besides the request id.
    pub headers: Option<Spanned<Named<Spanned<String>>>>,
    /// Conditions that make a reply an error; a reply with Nats-Service-Error always is one.
    pub error_when: Option<Spanned<Vec<Spanned<Condition>>>>,
    /// Conditions that make a reply a rejection; a reply with Nats-Service-Error-Code 429 always is one.
    pub rejected_when: Option<Spanned<Vec<Spanned<Condition>>>>,
    /// Reply headers to keep in the record [default: those of a double, Blis-Member, Blis-Service-Time-Ns and Blis-Visits].
    pub record_headers: Option<Spanned<Vec<Spanned<String>>>>,
    /// Where the deliveries of `await` arrive.
    pub delivery: Option<Spanned<Delivery>>,
}

/// A key of a bucket.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a key", deny_unknown_fields)]
#[schemars(rename = "Key")]
pub struct Key {
    /// The bucket.
    pub bucket: Spanned<String>,
    /// The key, placeholders allowed.
    pub key: Spanned<String>,
}

/// A message of a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`direct_get`", deny_unknown_fields)]
#[schemars(rename = "Stored")]
pub struct Stored {
    /// The stream.
    pub stream: Spanned<String>,
    /// Subject whose last message is read, placeholders allowed.
    pub subject: Spanned<String>,
}

/// A condition on a reply: one of `header`, `json`, `text` and `status`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a condition", deny_unknown_fields)]
#[schemars(rename = "Condition")]
pub struct Condition {
    /// The reply has this header.
    pub header: Option<Spanned<String>>,
    /// The body is JSON with a value at this pointer, such as /error/code.
    pub json: Option<Spanned<String>>,
    /// The body contains this text.
    pub text: Option<Spanned<String>>,
    /// The status line has this code, such as 404.
    pub status: Option<Spanned<Count>>,
    /// Required value of the header, of the pointer, or of the status description [default: any].
    pub is: Option<Spanned<String>>,
}

/// Where awaited deliveries arrive, and how they name their request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`delivery`", deny_unknown_fields)]
#[schemars(rename = "Delivery")]
pub struct Delivery {
    /// Subject of the deliveries. A token with a placeholder becomes a wildcard in the subscription.
    pub subject: Spanned<String>,
    /// Part of a delivery that names the request [default: the header with the request id].
    pub by: Option<Spanned<By>>,
    /// Value of that part [default: {id}].
    pub equals: Option<Spanned<String>>,
    /// Conditions of which a delivery meets at least one [default: every message is a delivery].
    pub when: Option<Spanned<Vec<Spanned<Condition>>>>,
}

/// The part of a delivery that names the request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`by`", rename_all = "snake_case")]
#[schemars(rename = "By")]
pub enum By {
    /// This header.
    Header(Spanned<String>),
    /// The token of the subject with this number, from 1.
    Token(Spanned<Count>),
    /// The value at this pointer of a JSON body.
    Json(Spanned<String>),
}

/// Payload of a request to a real cluster: one of `size`, `text` and `file`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`payload`", deny_unknown_fields)]
#[schemars(rename = "Payload")]
pub struct Payload {
    /// Number of filler bytes, or a distribution from which each request draws.
    pub size: Option<Spanned<Distribution<Size>>>,
    /// Maximum size; larger draws are cut to it [default: 1MB].
    pub at_most: Option<Spanned<Size>>,
    /// This text.
    pub text: Option<Spanned<String>>,
    /// The text of this file; the path is relative to the spec.
    pub file: Option<Spanned<String>>,
}

/// A variable for templates: `one_of`, or `from` with `to`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a variable", deny_unknown_fields)]
#[schemars(rename = "Variable")]
pub struct Variable {
    /// Values, all equally likely.
    pub one_of: Option<Spanned<Vec<Spanned<String>>>>,
    /// Smallest whole number, all equally likely.
    pub from: Option<Spanned<Count>>,
    /// Largest whole number.
    pub to: Option<Spanned<Count>>,
    /// Scope of a value [default: request].
    pub per: Option<Spanned<Per>>,
}

/// Scope of a value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a `per`", rename_all = "snake_case")]
#[schemars(rename = "Per")]
pub enum Per {
    /// Each request; all its tries have the same value.
    Request,
    /// Each user, or each session of an open client.
    User,
}

/// Maximum requests in flight.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "`max_in_flight`; write `max_in_flight: {limit: 5}`",
    deny_unknown_fields
)]
#[schemars(rename = "MaxInFlight")]
pub struct MaxInFlight {
    /// Maximum number.
    pub limit: Spanned<Count>,
    /// What happens to a request above the limit [default: drop].
    #[serde(serialize_with = "or_default")]
    pub policy: Option<Spanned<InFlightPolicy>>,
}

/// What happens to a request above the limit.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a policy", rename_all = "snake_case")]
#[schemars(rename = "InFlightPolicy")]
pub enum InFlightPolicy {
    /// It is not sent, and counted as dropped.
    #[default]
    Drop,
    /// It is sent when there is room, and its lag is reported.
    Delay,
}

/// Connections of users to a real cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`connections`", rename_all = "snake_case")]
#[schemars(rename = "Connections")]
pub enum Connections {
    /// One per user; all sessions of an open client share one.
    PerUser,
    /// All users share one.
    Shared,
    /// All users share this number, in turn.
    Pool(Spanned<Count>),
}
