//! Statistics of simulation output: how far a figure may be off, and where the steady state begins.
//!
//! Everything here is a pure function of numbers; what the numbers are of is decided in
//! [`measure`](crate::measure) and [`replication`](crate::replication). Intervals are two-sided, at the level
//! [`LEVEL`], and never claim more than their data: where it is too little, there is none.

mod beta;
mod binomial;
mod clearance;
mod effective;
mod interval;
mod mser;
mod precision;
mod student;
mod tails;

pub use beta::{beta_quantile, beta_regularised};
pub use binomial::{binomial_tail, share_bounds};
pub use clearance::clearly_below;
pub use effective::Effective;
pub use interval::{Interval, LEVEL, correlation_of_neighbours, difference, spread_over};
pub use mser::{Course, Truncation, mser};
pub use precision::Precision;
pub use student::{student_quantile, student_two_sided};
pub use tails::{MIN_BEYOND, Section, beyond, independent, share_interval, shares};
