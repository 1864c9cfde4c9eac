//! The differences of two sets of runs, and which of them are more than chance.
//!
//! A figure of a run has the interval of its result document; two of them become a relative difference with its own interval
//! ([`Estimate`]), distributions become distances whose chance is found by exchanging blocks of time ([`Blocks`]), requests
//! that are in both are [paired](pair), and all tests are corrected for their number ([`holm`]). It works for simulated and live
//! runs: it uses the result document of a run and, if there is one, its record.

mod blocks;
mod course;
mod document;
mod estimate;
mod figures;
mod gate;
mod multiple;
mod names;
mod notes;
mod pairs;
mod shares;
mod sides;
mod tolerance;

pub use blocks::{BLOCKS, Blocks, Distance, SHUFFLES, distance};
pub use document::{
    COMPARE_SCHEMA, CompareResult, ComparedRun, CourseResult, DistributionResult, FigureResult,
    GroupResult, OutcomeResult, PairsResult, SideResult, ToleranceResult, compare_json_schema,
};
pub use estimate::{Difference, Estimate, SPREAD_RUNS};
pub use figures::{ALPHA, Unlike, compare, figure_of};
pub use gate::{failures_of_baseline, verdict};
pub use multiple::{holm, mark_together};
pub use names::ERRORS;
pub use notes::{censored, generator_limits, unlike_loads};
pub use pairs::{Id, Paired, Requests, pair};
pub use sides::{Compared, OfRecord};
pub use tolerance::{Standing, Tolerance, Tolerances};
