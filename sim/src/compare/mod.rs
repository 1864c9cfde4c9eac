//! How two sets of runs differ, and which of their differences are more than chance.
//!
//! A figure of a run has the interval of its result document; here two of them become a relative difference with an
//! interval of its own ([`Estimate`]), distributions become distances whose chance is found by exchanging blocks of time
//! ([`Blocks`]), requests that are the same in both are [paired](pair), and all that is tested together is corrected for how much it is ([`holm`]). It is the same for runs of either
//! world: what it knows of a run is its result document, and where there is one its record.

mod blocks;
mod course;
mod document;
mod estimate;
mod figures;
mod gate;
mod multiple;
mod notes;
mod pairs;
mod tolerance;

pub use blocks::{BLOCKS, Blocks, Distance, SHUFFLES, distance};
pub use document::{
    COMPARE_SCHEMA, CompareResult, ComparedRun, CourseResult, DistributionResult, FigureResult,
    GroupResult, OutcomeResult, PairsResult, SideResult, ToleranceResult, compare_json_schema,
};
pub use estimate::{Difference, Estimate, SPREAD_RUNS};
pub use figures::{ALPHA, Compared, ERRORS, OfRecord, Unlike, compare, figure_of};
pub use gate::{failures_of_baseline, verdict};
pub use multiple::{holm, mark_together};
pub use notes::{censored, generator_limits, unlike_loads};
pub use pairs::{Id, Paired, Requests, pair};
pub use tolerance::{Standing, Tolerance, Tolerances};
