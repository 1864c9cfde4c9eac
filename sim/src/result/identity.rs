//! Which spec a document is of.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Fitted;

/// Identity of the spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpecIdentity {
    /// Its `name`.
    pub name: String,
    /// SHA-256 of its text, before flags.
    pub sha256: String,
    /// SHA-256 of the resolved text, with defaults and flags.
    pub resolved_sha256: String,
    /// SHA-256 of each file of the resolved spec, by path; absent without files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Where the model comes from; absent where it was not fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<Fitted>,
}
