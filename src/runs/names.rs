//! The names of the files in the directory of a run.

/// The resolved spec's file name.
pub const SPEC: &str = "spec.yaml";
/// The result document's file name.
pub const RESULT: &str = "result.json";
/// The report's file name.
pub const REPORT: &str = "report.md";
/// The name of the schema of specs, which the first line of the resolved spec refers to.
pub const SCHEMA: &str = "spec.schema.json";
