//! The typed syntax of what only a real cluster sees: how requests are sent there, what they carry, what their answers
//! mean, and over which connections. Nothing of it changes a simulation.

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::Distribution;
use super::named::Named;
use super::spanned::Spanned;
use super::units::{Count, Size};

/// How a request of an action is sent to a real cluster: one of `request`, `publish` and `jetstream`, to a subject, of
/// `kv_put`, `kv_create` and `kv_get`, to a key of a bucket, and of `direct_get`, to a stream.
/// Subjects, headers and texts may hold {client}, {user}, {session}, {n} and {round} (the request's number within its
/// user), {attempt}, {seq} (its number within the run), {id} (client, user, number and attempt), {uuid}, and the spec's
/// own variables; headers and texts also {env:NAME}, a variable of the environment, which nothing but the request tells.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Sent to this subject, and done with the reply.
    pub request: Option<Spanned<String>>,
    /// Published to this subject, and done when the connection has taken it.
    pub publish: Option<Spanned<String>>,
    /// Published to this subject of a stream, and done with the stream's acknowledgement.
    pub jetstream: Option<Spanned<String>>,
    /// The key is written, and done with the acknowledgement of its bucket.
    pub kv_put: Option<Spanned<Key>>,
    /// The key is written if it is not there yet, and done with the acknowledgement of its bucket.
    pub kv_create: Option<Spanned<Key>>,
    /// The key is read, and done with its value.
    pub kv_get: Option<Spanned<Key>>,
    /// The last message of a subject is read from a stream, and done with that message.
    pub direct_get: Option<Spanned<Stored>>,
    /// The header that carries the request's id. Unless given there is one, Blis-Request, only where somebody needs it.
    pub request_id: Option<Spanned<String>>,
    /// Headers beside the request's id.
    pub headers: Option<Spanned<Named<Spanned<String>>>>,
    /// A reply for which any of these holds is an error, as one with Nats-Service-Error always is.
    pub error_when: Option<Spanned<Vec<Spanned<Condition>>>>,
    /// A reply for which any of these holds is a refusal, as one with Nats-Service-Error-Code 429 always is.
    pub rejected_when: Option<Spanned<Vec<Spanned<Condition>>>>,
    /// The headers of replies whose values are kept in the record; those of a double, Blis-Member,
    /// Blis-Service-Time-Ns and Blis-Visits, unless given.
    pub record_headers: Option<Spanned<Vec<Spanned<String>>>>,
    /// Where the deliveries come that the action's `await` is about.
    pub delivery: Option<Spanned<Delivery>>,
}

/// A key of a bucket.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The bucket.
    pub bucket: Spanned<String>,
    /// The key, with or without places.
    pub key: Spanned<String>,
}

/// A message of a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// The stream.
    pub stream: Spanned<String>,
    /// The subject, with or without places, whose last message is read.
    pub subject: Spanned<String>,
}

/// What may hold for a reply: one of `header`, `json`, `text` and `status`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// It has this header.
    pub header: Option<Spanned<String>>,
    /// Its body is JSON and has something at this pointer, such as /error/code.
    pub json: Option<Spanned<String>>,
    /// Its body holds this text.
    pub text: Option<Spanned<String>>,
    /// Its status line has this code, such as 404.
    pub status: Option<Spanned<Count>>,
    /// What the header, what is at the pointer, or the description of the status has to be; anything unless given.
    pub is: Option<Spanned<String>>,
}

/// Where the deliveries come that requests await, and what in them says which request they are for.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Where they are delivered. Each token with a place of a template is subscribed to as a wildcard.
    pub subject: Spanned<String>,
    /// What names the request in a delivery; the header with the request's id unless given.
    pub by: Option<Spanned<By>>,
    /// What is found there; {id} unless given.
    pub equals: Option<Spanned<String>>,
    /// A message for which none of these holds is no delivery; every message is one unless given.
    pub when: Option<Spanned<Vec<Spanned<Condition>>>>,
}

/// What names the request in a delivery.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// This header.
    Header(Spanned<String>),
    /// The token of the subject with this number, from 1.
    Token(Spanned<Count>),
    /// What is at this pointer of a body that is JSON.
    Json(Spanned<String>),
}

/// What a request carries to a real cluster: one of `size`, `text` and `file`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// So many bytes of filling, or a distribution of them, from which each request has a draw.
    pub size: Option<Spanned<Distribution<Size>>>,
    /// No request carries more: what is drawn above is cut to it; 1MB unless given.
    pub at_most: Option<Spanned<Size>>,
    /// This text.
    pub text: Option<Spanned<String>>,
    /// The text of this file, by its path from the folder of the spec.
    pub file: Option<Spanned<String>>,
}

/// A word of the spec's own for templates: one of `one_of` and `from` with `to`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// One of these, each equally likely.
    pub one_of: Option<Spanned<Vec<Spanned<String>>>>,
    /// The smallest of whole numbers, each equally likely.
    pub from: Option<Spanned<Count>>,
    /// The largest of them.
    pub to: Option<Spanned<Count>>,
    /// What has a value of its own; each request unless given.
    pub per: Option<Spanned<Per>>,
}

/// What has a value of a variable of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each request, whatever its attempt.
    Request,
    /// Each user, or each session of an open client.
    User,
}

/// How many requests may be in flight together.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxInFlight {
    /// So many.
    pub limit: Spanned<Count>,
    /// What becomes of a request that is one too many; drop unless given.
    pub policy: Option<Spanned<InFlightPolicy>>,
}

/// What becomes of a request that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InFlightPolicy {
    /// It is not sent, and counted as dropped.
    Drop,
    /// It is sent when there is room; its lag says how late.
    Delay,
}

/// Over which connections users send to a real cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// Each user has its own, and all sessions of an open client share one.
    PerUser,
    /// All users share one.
    Shared,
    /// All users share so many in turn.
    Pool(Spanned<Count>),
}
