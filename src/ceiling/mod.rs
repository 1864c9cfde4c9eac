//! The search for a ceiling: what is varied, the trials, and the document of what was found.

mod bracketed;
mod document;
mod key;
pub mod live;
mod own;
mod steps;
mod unit;
mod varied;

pub use document::{About, Tried, document, figure, status};
pub use steps::{Ramp, run as run_steps};
pub use unit::{Unit, ascending};
pub use varied::Varied;
