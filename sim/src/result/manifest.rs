//! The manifest of a recorded run, written before the first request is sent and never changed.
//!
//! It makes a run that was interrupted by a crash readable. It contains no secrets: access to the server is not part of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identity::SpecIdentity;
use super::{LIVE, schema_of, to_json};
use crate::spec::Setting;

/// The document's schema identifier.
pub const MANIFEST_SCHEMA: &str = "blis.manifest/1";

/// The manifest of a run, written before it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Always `blis.manifest/1`.
    pub schema: String,
    /// The version of blis that ran it.
    pub blis_version: String,
    /// `simulated` or `live`; absent means live.
    #[serde(default = "live")]
    pub mode: String,
    /// Id of the run: 16 hexadecimal digits, also in every part of its record.
    pub run: String,
    /// Start of the run, in seconds since 1970 (UTC).
    pub started_unix_s: u64,
    /// Command line without the program, with `***` for secrets.
    pub arguments: Vec<String>,
    /// The spec that was run.
    pub spec: SpecIdentity,
    /// File of the spec on the command line; absent for the embedded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The seed of every draw.
    pub seed: u64,
    /// Values of the run by key of the spec, with the source of each.
    pub configuration: BTreeMap<String, Setting>,
    /// Servers of a live run, as host:port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// The version of the server of a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// Number of connections of the load of a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// End of the warm-up found by a pilot run, in nanoseconds; absent if the spec gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_found_ns: Option<u64>,
}

fn live() -> String {
    LIVE.to_owned()
}

impl Manifest {
    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        to_json(self)
    }

    /// Whether the run is a live one.
    pub fn is_live(&self) -> bool {
        self.mode == LIVE
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn manifest_json_schema() -> String {
    schema_of::<Manifest>()
}

/// The record of a run on disk, request by request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// The id of the run.
    pub run: String,
    /// Rows of requests on disk.
    pub rows: u64,
    /// Entries missing from the record (rows, intentions and sessions), because the buffer was full or they could not be
    /// written.
    pub dropped: u64,
    /// CRC-32 (ISO 3309), as eight hexadecimal digits, of the entries of all rows and of the end, in order. Absent if the result comes
    /// from the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Recovery from the record of an interrupted run; absent if the run was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
}

/// Gaps of an interrupted run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Recovered {
    /// Intended requests without a known outcome; they count as unresolved.
    pub unknown: u64,
    /// Incomplete bytes at the end of the record.
    pub torn_bytes: u64,
}
