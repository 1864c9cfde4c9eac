//! Quantities with their units: durations, rates, counts, shares and plain numbers.
//!
//! Each is read from the characters it was written with, so that `1.5k` is exactly 1500 and `0.1ms` exactly 100,000
//! nanoseconds, and each is written back in a form that reads to the same value. NaN, infinities and negative values
//! do not exist here; whether zero makes sense is decided where the quantity is used.

mod count;
mod duration;
mod number;
mod rate;
mod reading;
mod share;
mod size;
#[cfg(test)]
mod tests;

pub use count::Count;
pub use duration::{Duration, MAX_DURATION_NS};
pub use number::Number;
pub use rate::{MAX_RATE, Rate};
pub use reading::UnitError;
pub use share::Share;
pub use size::Size;
