//! Fits a model to recorded runs: the runs, their simulation, and the conclusion.

mod backend;
mod conclusion;
mod errors;
mod fit;
mod recordings;
mod sources;
mod start;
mod world;

pub use backend::backend;
pub use conclusion::written;
pub use fit::{Fit, Fitting};
pub use recordings::{Recording, read, refuse_twice};
pub use sources::members;
pub use start::Fixed;
pub use world::{assignments, spec_set_to};
