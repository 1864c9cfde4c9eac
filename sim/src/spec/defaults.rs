//! The version of the language, and what a spec means where it says nothing.

use super::units::Duration;

/// The version of the language that this reads.
pub const LANGUAGE: u64 = 1;
/// The seed of a spec that gives none.
pub const DEFAULT_SEED: u64 = 1;
/// The drain of a spec that gives none: 30 s.
pub const DEFAULT_DRAIN: Duration = Duration(30e9);
/// The default period of `diurnal`: a day.
pub const DEFAULT_PERIOD: Duration = Duration(24.0 * 3.6e12);
