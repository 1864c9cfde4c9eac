//! Which plots each report has.

mod ceiling;
mod compare;
mod course;
mod explain;
mod quantiles;
mod run;
mod validation;
mod whatif;

pub use ceiling::{ceiling, remedies, slow};
pub use compare::{Sides, compare, courses};
pub use explain::waterfall;
pub use run::{course, outcomes, responses};
pub use validation::validation;
pub use whatif::whatif;
