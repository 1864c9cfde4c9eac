//! What documents and tolerances call that which is compared.

/// What is compared of each action, as documents and tolerances name it.
pub const FIGURES: [&str; 5] = ["throughput", "mean", "p50", "p95", "p99"];
/// What is tolerated of requests that are not answered `ok`.
pub const ERRORS: &str = "errors";
/// What all requests together are called.
pub(super) const ALL: &str = "all requests";
