//! The search for a ceiling: what is varied, the trials, and the document of what was found.

mod csv;
mod directory;
mod document;
mod key;
mod live;
mod objectives;
mod own;
mod plan;
mod search;
mod steps;
mod unit;
mod varied;

pub use document::{figure, status};
pub use search::{Ended, Fate, search};
pub use unit::Unit;
