//! The syntax of shapes: the change of the rate of an open client over time, in factors of its `rate`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::spanned::Spanned;
use super::units::{Duration, Number};

/// Change of the rate of an open client over time. Levels are factors of `rate`, 1 where the shape says nothing else.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Constant rate.
    Constant,
    /// Linear change from one level to another, which stays.
    Ramp(Ramp),
    /// Several linear changes, one after another; the last level stays.
    Stages(Spanned<Vec<Spanned<Stage>>>),
    /// Levels of equal length, one after another; the last one stays.
    Stairs(Stairs),
    /// Another level for a time, once or several times.
    Spike(Spikes),
    /// Linear fall to zero, which stays.
    Drain(Drain),
    /// Periodic: a wave, or a table of levels.
    Diurnal(Diurnal),
    /// Arrivals only within these times.
    Windows(Spanned<Vec<Spanned<Window>>>),
}

/// A linear change of the rate.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Level before [default: 0].
    pub from: Option<Spanned<Number>>,
    /// Level afterwards [default: 1].
    pub to: Option<Spanned<Number>>,
    /// Start of the change [default: 0s].
    pub at: Option<Spanned<Duration>>,
    /// Length of the change.
    pub over: Spanned<Duration>,
}

/// A linear change that starts at the end of the one before.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Length of the change.
    pub over: Spanned<Duration>,
    /// Level at its end.
    pub to: Spanned<Number>,
    /// Level at its start [default: the level of the stage before, 0 for the first].
    pub from: Option<Spanned<Number>>,
}

/// Levels one after another.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stairs {
    /// The levels.
    pub levels: Spanned<Vec<Spanned<Number>>>,
    /// Length of each level.
    pub every: Spanned<Duration>,
}

/// A spike, or several.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum Spikes {
    /// One spike.
    #[serde(rename = "$mapping")]
    One(Spanned<Spike>),
    /// Several, in the order of their times.
    #[serde(rename = "$list")]
    Several(Vec<Spanned<Spike>>),
}

/// Another level for a time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// Start time.
    pub at: Spanned<Duration>,
    /// Length.
    pub r#for: Spanned<Duration>,
    /// Level during it.
    pub factor: Spanned<Number>,
}

/// The end of a client's load.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// Start of the fall.
    pub at: Spanned<Duration>,
    /// Time until the rate is zero.
    pub over: Spanned<Duration>,
}

/// A periodic rate: a wave between `low` and `high`, or a table of `levels`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diurnal {
    /// Period [default: 24h].
    pub period: Option<Spanned<Duration>>,
    /// Lowest level of the wave.
    pub low: Option<Spanned<Number>>,
    /// Highest level of the wave [default: 1].
    pub high: Option<Spanned<Number>>,
    /// Time of the highest level within the period.
    pub peak_at: Option<Spanned<Duration>>,
    /// Levels that divide the period evenly, such as 24 for the hours of a day.
    pub levels: Option<Spanned<Vec<Spanned<Number>>>>,
}

/// A span of time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Start time.
    pub at: Spanned<Duration>,
    /// Length.
    pub r#for: Spanned<Duration>,
}
