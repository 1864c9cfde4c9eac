//! The syntax of shapes: the change of the rate of an open client over time, in factors of its `rate`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::{or_day, or_default, or_one};
use super::spanned::Spanned;
use super::units::{Duration, Number};

/// Change of the rate of an open client over time. Levels are factors of `rate`, 1 where the shape says nothing else.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a shape", rename_all = "snake_case")]
#[schemars(rename = "Shape")]
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
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a ramp", deny_unknown_fields)]
#[schemars(rename = "Ramp")]
pub struct Ramp {
    /// Level before, as a factor of the rate [default: 0].
    #[serde(serialize_with = "or_default")]
    pub from: Option<Spanned<Number>>,
    /// Level afterwards, as a factor of the rate [default: 1].
    #[serde(serialize_with = "or_one")]
    pub to: Option<Spanned<Number>>,
    /// Start of the change [default: 0s].
    #[serde(serialize_with = "or_default")]
    pub at: Option<Spanned<Duration>>,
    /// Length of the change.
    pub over: Spanned<Duration>,
}

/// A linear change that starts at the end of the one before.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a stage", deny_unknown_fields)]
#[schemars(rename = "Stage")]
pub struct Stage {
    /// Level at its start [default: the level of the stage before, 0 for the first].
    pub from: Option<Spanned<Number>>,
    /// Level at its end.
    pub to: Spanned<Number>,
    /// Length of the change.
    pub over: Spanned<Duration>,
}

/// Levels one after another.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`stairs`", deny_unknown_fields)]
#[schemars(rename = "Stairs")]
pub struct Stairs {
    /// The levels.
    pub levels: Spanned<Vec<Spanned<Number>>>,
    /// Length of each level.
    pub every: Spanned<Duration>,
}

/// A spike, or several.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a spike or a list of spikes; write `spike: {at: 60s, for: 10s, factor: 5}`, or a list of such mappings"
)]
#[schemars(rename = "Spikes")]
pub enum Spikes {
    /// One spike.
    #[serde(rename = "$mapping")]
    One(Spanned<Spike>),
    /// Several, in the order of their times.
    #[serde(rename = "$list")]
    Several(Vec<Spanned<Spike>>),
}

/// Another level for a time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a spike", deny_unknown_fields)]
#[schemars(rename = "Spike")]
pub struct Spike {
    /// Start time.
    pub at: Spanned<Duration>,
    /// Length.
    pub r#for: Spanned<Duration>,
    /// Level during it.
    pub factor: Spanned<Number>,
}

/// The end of a client's load.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a drain", deny_unknown_fields)]
#[schemars(rename = "Drain")]
pub struct Drain {
    /// Start of the fall.
    pub at: Spanned<Duration>,
    /// Time until the rate is zero.
    pub over: Spanned<Duration>,
}

/// A periodic rate: a wave between `low` and `high`, or a table of `levels`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a diurnal shape", deny_unknown_fields)]
#[schemars(rename = "Diurnal")]
pub struct Diurnal {
    /// Period [default: 24h].
    #[serde(serialize_with = "or_day")]
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
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a window", deny_unknown_fields)]
#[schemars(rename = "Window")]
pub struct Window {
    /// Start time.
    pub at: Spanned<Duration>,
    /// Length.
    pub r#for: Spanned<Duration>,
}
