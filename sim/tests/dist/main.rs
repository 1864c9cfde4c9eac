//! Tests of the keyed draws and of the distributions: every sampler is held against its own distribution function and
//! moments, the draws against independence, and the first values against committed bits.

mod draws;
mod families;
mod functions;
mod golden;
mod parameters;
mod samplers;
mod statistics;
