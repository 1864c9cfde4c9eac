//! The JSON Schemas of what blis reads and writes, as they are committed.
//!
//! They are generated from the types by the tests, which fail when the committed ones are others. A program that only hands
//! them out needs no generator, which is 800 kB of code.

/// That of a spec.
pub const SPEC: &str = include_str!("../specs/spec.schema.json");
/// That of the result of a run.
pub const RESULT: &str = include_str!("../specs/result.schema.json");
/// That of a check.
pub const CHECK: &str = include_str!("../specs/check.schema.json");
/// That of an explanation.
pub const EXPLAIN: &str = include_str!("../specs/explain.schema.json");
/// That of the manifest of a record.
pub const MANIFEST: &str = include_str!("../specs/manifest.schema.json");
/// That of the answer of `blis max-rps`.
pub const CEILING: &str = include_str!("../specs/ceiling.schema.json");
/// That of a validation.
pub const VALIDATION: &str = include_str!("../specs/validation.schema.json");
/// That of a calibration.
pub const CALIBRATION: &str = include_str!("../specs/calibration.schema.json");
/// That of a comparison of runs.
pub const COMPARE: &str = include_str!("../specs/compare.schema.json");
/// That of a comparison of specs.
pub const WHATIF: &str = include_str!("../specs/whatif.schema.json");
