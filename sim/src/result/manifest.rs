//! The manifest of a run that is recorded: what was going to be run, written before the first request is sent and never changed.
//!
//! With it a run that was interrupted by a crash can be told of. It holds no secret: how a server lets one in is not part
//! of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LIVE, SpecIdentity, schema_of, to_json};
use crate::spec::Setting;

/// The document's schema identifier.
pub const MANIFEST_SCHEMA: &str = "blis.manifest/1";

/// What was going to be run, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Always `blis.manifest/1`.
    pub schema: String,
    /// The version of blis that ran it.
    pub blis_version: String,
    /// `simulated` or `live`; live where it is absent.
    #[serde(default = "live")]
    pub mode: String,
    /// The id of the run: 16 hexadecimal digits, which every part of its record has too.
    pub run: String,
    /// When the run started by the clock of the machine, in seconds since 1970 (UTC).
    pub started_unix_s: u64,
    /// The command line without the program, with `***` for what may be secret.
    pub arguments: Vec<String>,
    /// The spec that was run.
    pub spec: SpecIdentity,
    /// The file of the spec as the command line named it; absent for the embedded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The seed of every draw.
    pub seed: u64,
    /// The values that decide the run, by their keys in the spec, and where each came from.
    pub configuration: BTreeMap<String, Setting>,
    /// The servers of a live run, by host and port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// The version of the server of a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// How many connections the load of a live run is sent over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// Where a pilot run found the end of the warm-up, in nanoseconds; absent where the spec says it.
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

/// What is on disk of a run, request by request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// The id of the run.
    pub run: String,
    /// Rows of requests that were brought to disk.
    pub rows: u64,
    /// Entries that are not in the record, because there was no room for them or it could not be written: of rows,
    /// intentions and sessions together.
    pub dropped: u64,
    /// CRC-32C, as eight hexadecimal digits, of what the record of a run that has ended must have: the entries of all its rows and of
    /// its end, in their order. Absent where the result was made of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// What was made of the record after the run had been interrupted; absent where the run came to its own end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
}

/// What is not known of a run that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Recovered {
    /// Requests that were intended and of whose end nothing is known; they count as unresolved.
    pub unknown: u64,
    /// Bytes at the end of the record that were being written.
    pub torn_bytes: u64,
}
