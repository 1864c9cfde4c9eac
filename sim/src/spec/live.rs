//! The typed syntax of what only a real cluster sees: how requests are sent there, what they carry, and over which
//! connections. Nothing of it changes a simulation.

use schemars::JsonSchema;
use serde::Deserialize;

use super::named::Named;
use super::spanned::Spanned;
use super::units::{Count, Size};

/// How a request of an action is sent to a real cluster: one of `request`, `publish` and `jetstream`, to a subject.
/// Subjects, headers and texts may hold {client}, {user}, {n} (the request's number within its user), {attempt} and
/// {seq} (its number within the run); headers and texts also {env:NAME}, a variable of the environment, which nothing
/// but the request tells.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Sent to this subject, and done with the reply.
    pub request: Option<Spanned<String>>,
    /// Published to this subject, and done when the connection has taken it.
    pub publish: Option<Spanned<String>>,
    /// Published to this subject of a stream, and done with the stream's acknowledgement.
    pub jetstream: Option<Spanned<String>>,
    /// Headers beside the request's id.
    pub headers: Option<Spanned<Named<Spanned<String>>>>,
}

/// What a request carries to a real cluster: one of `size` and `text`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// So many bytes of filling.
    pub size: Option<Spanned<Size>>,
    /// This text.
    pub text: Option<Spanned<String>>,
}

/// Over which connections users send to a real cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// Each user has its own; the sessions of open clients take turns over as many as the closed users have, or one.
    PerUser,
    /// All users share one.
    Shared,
    /// All users share so many in turn.
    Pool(Spanned<Count>),
}
