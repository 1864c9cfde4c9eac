//! Predicting loads and measuring them: which loads, the simulated runs of each, and the live ones.

mod knee;
mod runs;

pub use knee::usual_loads;
pub use runs::{Lengths, measured, predicted};
