//! The search for a ceiling: what is varied, the trials, and the document of what was found.

mod csv;
mod directory;
mod document;
mod key;
pub mod live;
mod objectives;
mod own;
mod places;
mod plan;
mod steps;
mod unit;
mod varied;

pub use document::{About, Tried, document, figure, status};
pub use objectives::refuse_none as refuse_no_objective;
pub use places::Places;
pub use plan::{Sought, after_trip, example, lines, ramp, sought, wall};
pub use steps::simulated as simulate_steps;
pub use unit::{Unit, ascending};
pub use varied::Varied;
