//! The result document: one JSON object per run, the same for both worlds.
//!
//! Its schema is [`SCHEMA`], published as `specs/result.schema.json`. The same spec, seed and version give the same bytes.
//! Figures that were not measured are absent, never 0. The document of a check ([`Check`]) has the same style.

mod blocks;
mod build;
mod ceiling;
mod check;
mod comparison;
mod constraints;
mod deliveries;
mod identity;
mod interval_maker;
mod intervals;
mod latency;
mod live;
mod live_observers;
mod manifest;
mod message_intervals;
mod messages;
mod observed_streams;
mod overload;
mod rates;
mod theory;

pub use blocks::{
    ActionResult, ClientResult, FoundBy, Interval, IntervalMethod, Intervals, PrecisionResult,
    Replication, Replications, RequestCounts, Run, ServiceInterval, ServiceResult, SessionCounts,
    SignalResult, VerdictResult, Window,
};
pub use ceiling::{
    AnswerResult, CEILING_SCHEMA, CeilingEnd, CeilingResult, LoadResult, PredictedResult,
    PredictionResult, RemedyResult, ShareResult, TierResult, TiersResult, TrialResult,
    VariedResult, ceiling_json_schema,
};
pub use check::{
    CHECK_SCHEMA, Check, Checked, OfferedByClient, OfferedLoad, OfferedToService, check,
};

pub use build::{Mode, Provenance, build, build_of_paths, build_replicated};
pub use comparison::{
    COMPARISON_SCHEMA, Compared, Compares, Comparison, Side, compare, comparison_json_schema,
};
pub use constraints::{Bottleneck, ConstraintResult, LimitKind, offered_limits};
pub use deliveries::DeliveryResult;
pub use identity::SpecIdentity;
pub use latency::{Latency, LatencyBlock};
pub use live::{GeneratorInterval, GeneratorResult, Live};
pub use live_observers::{
    ConsumerKind, ConsumerSample, InstanceSample, ObservedConsumer, ObservedInstance,
    ObservedJetStream, ObservedServer, ObservedService, ObserverTraffic, Observers,
};
pub use manifest::{MANIFEST_SCHEMA, Manifest, Record, Recovered, manifest_json_schema};
pub use messages::{ConsumerInterval, ConsumerResult, FanOutResult, StreamInterval, StreamResult};
pub use theory::{
    Approximately, BalancedBounds, ExactClass, ExactService, Exactly, Theory, TheoryBounds,
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::replication::{PILOT, Pilot, seed_of};

/// The document's schema identifier.
pub const SCHEMA: &str = "blis.result/1";

/// What [`Run::ended_by`] says of a run that did not come to its own end.
pub const INTERRUPTED: &str = "interrupted";
/// The `mode` of a simulated run.
pub const SIMULATED: &str = "simulated";
/// The `mode` of a run whose requests came as they were recorded.
pub const REPLAYED: &str = "replayed";
/// The `mode` of a live run.
pub const LIVE: &str = "live";

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn json_schema() -> String {
    schema_of::<Run>()
}

/// The JSON Schema of the document of a check, likewise.
pub fn check_json_schema() -> String {
    schema_of::<Check>()
}

/// The JSON Schema of a document, pretty-printed with a line break at its end.
pub(crate) fn schema_of<T: JsonSchema>() -> String {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let schema = generator.into_root_schema_for::<T>();
    format!("{:#}\n", schema.as_value())
}

impl Run {
    /// Records that a pilot run found the warm-up.
    pub fn warmup_was_found(&mut self, seed: u64, pilot: &Pilot) {
        self.window.found_by = Some(FoundBy {
            rule: "mser-5".to_owned(),
            steady_state: pilot.unsteady.is_none(),
            unsteady: pilot.unsteady.as_ref().map(ToString::to_string),
            pilot_seed: seed_of(seed, PILOT),
            pilot_responses: pilot.responses,
        });
    }

    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        to_json(self)
    }
}

impl Check {
    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        to_json(self)
    }
}

/// A document as pretty-printed JSON with a line break at its end.
pub(crate) fn to_json<T: Serialize>(document: &T) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}
