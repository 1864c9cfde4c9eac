//! The version of the language, and what a key means that a spec does not have.
//!
//! A key with a default that depends on nothing else says so beside its type: `#[serde(serialize_with = "or_default")]`
//! writes the [`Default`] of the type, and the others here write what their names say. What depends on other keys is in
//! `filled`.

use serde::{Serialize, Serializer};

use super::spanned::Spanned;
use super::units::{Count, Duration, Number};

/// The version of the language that this reads.
pub const LANGUAGE: u64 = 1;
/// The seed of a spec that gives none.
pub const DEFAULT_SEED: u64 = 1;
/// The drain of a spec that gives none: 30 s.
pub const DEFAULT_DRAIN: Duration = Duration(30e9);
/// The default period of `diurnal`: a day.
pub const DEFAULT_PERIOD: Duration = Duration(24.0 * 3.6e12);

/// Writes a value, or the default of its type.
pub fn or_default<T, S>(value: &Option<Spanned<T>>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Default + Serialize,
    S: Serializer,
{
    match value {
        Some(value) => value.serialize(serializer),
        None => T::default().serialize(serializer),
    }
}

/// Functions that write a value, or what stands for it where there is none.
macro_rules! or {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name<S: Serializer>(value: &Option<Spanned<$type>>, serializer: S) -> Result<S::Ok, S::Error> {
            value.as_ref().map_or($default, |value| value.value).serialize(serializer)
        }
    )*};
}

or! {
    /// Writes a seed, or [`DEFAULT_SEED`].
    or_seed: Count = Count(DEFAULT_SEED);
    /// Writes a drain, or [`DEFAULT_DRAIN`].
    or_drain: Duration = DEFAULT_DRAIN;
    /// Writes a period, or [`DEFAULT_PERIOD`].
    or_day: Duration = DEFAULT_PERIOD;
    /// Writes a number, or 1.
    or_one: Number = Number(1.0);
}
