//! The search for a ceiling: the largest load that keeps its objectives, and how sure that is.
//!
//! A load is a number in the unit of what is varied: users, requests per second, workers, a key of the spec. Whoever
//! searches asks a world for [trials](Trial) and knows none: trials go in, the next load or what was
//! [found](Found) comes out. Guarantees:
//! - A search ends, after no more trials than it states.
//! - The upper bound is the smallest load that missed its objectives, the lower bound the largest below it that kept them.
//! - What is not decided is said to be so, with what would decide it.

mod axis;
mod bounds;
mod bracket;
mod change;
mod counted;
mod curve;
mod found;
mod judgement;
pub mod length;
mod paths;
mod pooled;
pub mod remedies;
pub mod roots;
pub mod simulated;
mod steps;
mod trial;

pub use axis::Axis;
pub use bounds::{Direction, EmptyRange, Range};
pub use bracket::{Ask, Bracket, Wanted};
pub use change::Change;
pub use counted::Counted;
pub use curve::{Curve, Estimate, Root};
pub use found::{AtLeast, Ceiling, Ended, Found};
pub use judgement::{
    ALPHA, Look, Parts, judged, parts_of_paths, parts_of_run, parts_of_runs, settled,
};
pub use pooled::Pool;
pub use steps::{AfterTrip, Expected, NoSteps, Steps};
pub use trial::{Judged, Share, Trial};
