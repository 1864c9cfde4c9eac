//! The simulated world of `blis`.

pub mod dist;
pub mod model;
pub mod random;
pub mod spec;
pub mod time;
