//! The simulated world of `blis`.

pub mod analysis;
pub mod backend;
pub mod dist;
pub mod engine;
pub mod measure;
pub mod model;
pub mod random;
pub mod result;
pub mod spec;
pub mod theory;
pub mod time;
pub mod users;
pub mod verdict;
