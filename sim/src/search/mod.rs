//! The search for a ceiling: the largest load that meets its objectives, with its precision.
//!
//! A load is a number in the unit of the varied quantity: users, requests per second, workers, a key of the spec. A search asks
//! a world for [trials](Trial) without knowing it: trials go in, the next load or the [result](Found) comes out. Guarantees:
//! - A search ends, after at most the number of trials that it states.
//! - The upper bound is the smallest load that missed its objectives, the lower bound the largest below it that met them.
//! - What is not decided is reported, with what would decide it.

mod axis;
mod bounds;
mod bracket;
mod change;
mod counted;
mod curve;
mod eyes;
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
pub use eyes::{Counts, Eyes};
pub use found::{AtLeast, Ceiling, Ended, Found};
pub use judgement::{ALPHA, Look, judged, settled};
pub use pooled::Pool;
pub use steps::{AfterTrip, Expected, NoSteps, Steps};
pub use trial::{Judged, Share, Trial};
