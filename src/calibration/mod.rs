//! Fitting a model to recorded runs: what they were, and what the model has for them.

mod conclusion;
mod recordings;
mod start;
mod world;

pub use conclusion::{Conclusion, conclude, written};
pub use recordings::{Recording, read, refuse_twice};
pub use start::{Fixed, Start, start};
pub use world::{World, assignments, spec_with};
