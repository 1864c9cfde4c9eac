//! The typed syntax of the live part: how requests are sent to a real cluster, their payloads, the meaning of replies, and the
//! connections. It does not change a simulation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::or_default;
use super::distribution::Distribution;
use super::named::Named;
use super::spanned::Spanned;
use super::units::{Count, Size};

/// How a request is sent to a real cluster: one of `request`, `publish` and `jetstream`, to a subject; of `kv_put`,
/// `kv_create` and `kv_get`, to a key of a bucket; and of `direct_get`, to a stream. Subjects, headers and texts
/// may contain placeholders: {client}, {user}, {session}, {n}, {round}, {attempt}, {seq}, {id}, {uuid} and the
/// variables of the spec; headers and texts also {env:NAME}.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`live`", deny_unknown_fields)]
#[schemars(rename = "Live")]
pub struct Live {
    /// Send to this subject and wait for the reply.
    pub request: Option<Spanned<String>>,
    /// Publish to this subject; the request ends when the connection accepts the message.
    pub publish: Option<Spanned<String>>,
    /// Publish to this subject of a stream and wait for its acknowledgement. The message has an id by which the
    /// stream knows a retry.
    pub jetstream: Option<Spanned<String>>,
    /// Header with the request id: client, user, number and try [default: `Blis-Request`, sent only if a double
    /// needs it].
    pub request_id: Option<Spanned<String>>,
    /// Write the payload to this key and wait for the acknowledgement of its bucket.
    pub kv_put: Option<Spanned<Key>>,
    /// Write the payload to this key, which must not exist, and wait for the acknowledgement of its bucket. A key that
    /// exists is an `app_error` with the reason `key_exists`.
    pub kv_create: Option<Spanned<Key>>,
    /// Read this key and wait for its value. A key that does not exist, or was deleted, is an `app_error` with the
    /// reason `not_found`.
    pub kv_get: Option<Spanned<Key>>,
    /// Read the last message of a subject from a stream that allows direct gets, and wait for it.
    pub direct_get: Option<Spanned<Stored>>,
    /// Headers besides the request id.
    pub headers: Option<Spanned<Named<Spanned<String>>>>,
    /// Conditions, of which one makes a reply an `app_error`; a reply with `Nats-Service-Error` always is one.
    pub error_when: Option<Spanned<Vec<Spanned<Condition>>>>,
    /// Conditions, of which one makes a reply `rejected`; a reply with `Nats-Service-Error-Code: 429` always is.
    pub rejected_when: Option<Spanned<Vec<Spanned<Condition>>>>,
    /// Headers of replies to keep in the record, up to 8, spelled as the service sends them, capitals included; for
    /// `request`, `kv_get` and `direct_get` [default: `Blis-Member`, `Blis-Service-Time-Ns` and `Blis-Visits`,
    /// which a double sends].
    pub record_headers: Option<Spanned<Vec<Spanned<String>>>>,
    /// Where the deliveries of `await` arrive, and which request each is for.
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

/// A condition on a reply or a delivery: one of `header`, `json`, `text` and `status`, the first two and the last
/// also with `is`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a condition", deny_unknown_fields)]
#[schemars(rename = "Condition")]
pub struct Condition {
    /// The message has this header.
    pub header: Option<Spanned<String>>,
    /// The body is JSON with a value at this pointer, such as `/error/code`.
    pub json: Option<Spanned<String>>,
    /// The body contains this text.
    pub text: Option<Spanned<String>>,
    /// The status line has this code, such as 404 of `NATS/1.0 404 Message Not Found`.
    pub status: Option<Spanned<Count>>,
    /// Required value of the header, of the value at the pointer, or of the description of the status [default:
    /// any].
    pub is: Option<Spanned<String>>,
}

/// Where awaited deliveries arrive, and how they name their request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`delivery`", deny_unknown_fields)]
#[schemars(rename = "Delivery")]
pub struct Delivery {
    /// Subject of the deliveries; it may have wildcards. A token with a placeholder becomes a wildcard in the
    /// subscription.
    pub subject: Spanned<String>,
    /// Part of a delivery that names the request [default: the header with the request id].
    pub by: Option<Spanned<By>>,
    /// Text to find there. It holds `{id}`, `{uuid}`, `{seq}`, or both `{user}` and `{n}`, with `{client}` where
    /// several clients send the action and `{attempt}` where one tries again [default: `{id}`].
    pub equals: Option<Spanned<String>>,
    /// Conditions of which a delivery meets at least one; other messages count as unmatched [default: every message
    /// is a delivery].
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

/// Payload of a request: one of `size`, `text` and `file`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`payload`", deny_unknown_fields)]
#[schemars(rename = "Payload")]
pub struct Payload {
    /// Number of filler bytes, or a distribution from which each request draws, to the nearest byte.
    pub size: Option<Spanned<Distribution<Size>>>,
    /// Maximum size, up to 64MiB; larger draws are cut to it [default: 1MB].
    pub at_most: Option<Spanned<Size>>,
    /// This text.
    pub text: Option<Spanned<String>>,
    /// The text of this file; the path is relative to the spec.
    pub file: Option<Spanned<String>>,
}

/// A variable for templates: one of the values of `one_of`, or a whole number `from` one `to` another.
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
    /// Maximum number, 1 to 2^32 - 1.
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
    /// It is not sent, and counted as `dropped`.
    #[default]
    Drop,
    /// It is sent when there is room. Its intended time stays, so that the wait shows as lag.
    Delay,
}

/// Connections of users to a real cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`connections`", rename_all = "snake_case")]
#[schemars(rename = "Connections")]
pub enum Connections {
    /// Each closed user has its own; all sessions of an open client share one.
    PerUser,
    /// All users share one.
    Shared,
    /// All users share this number, 1 to 10,000, in turn.
    Pool(Spanned<Count>),
}
