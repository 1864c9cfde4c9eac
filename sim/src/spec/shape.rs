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
    /// Level 1 throughout.
    Constant,
    /// `from` until `at`, then evenly to `to` within `over`; `to` stays.
    Ramp(Ramp),
    /// Evenly from `from` to `to` within `over`, one stage after another; the last level stays.
    Stages(Spanned<Vec<Spanned<Stage>>>),
    /// Each level for the length of `every`, one after another; the last one stays.
    Stairs(Stairs),
    /// `factor` from `at` for the length of `for`, otherwise 1; once or several times.
    Spike(Spikes),
    /// 1 until `at`, then evenly to 0 within `over`; 0 stays.
    Drain(Drain),
    /// Periodic: a wave, or a table of levels.
    Diurnal(Diurnal),
    /// 1 within these times, 0 elsewhere.
    Windows(Spanned<Vec<Spanned<Window>>>),
}

/// A linear change of the rate.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a ramp", deny_unknown_fields)]
#[schemars(rename = "Ramp")]
pub struct Ramp {
    /// Level before [default: 0].
    #[serde(serialize_with = "or_default")]
    pub from: Option<Spanned<Number>>,
    /// Level afterwards [default: 1].
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

/// A periodic rate: a cosine between `low` and `high`, with the mean (`low` + `high`) / 2, or a table of `levels`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a diurnal shape", deny_unknown_fields)]
#[schemars(rename = "Diurnal")]
pub struct Diurnal {
    /// Period [default: 24h].
    #[serde(serialize_with = "or_day")]
    pub period: Option<Spanned<Duration>>,
    /// Lowest level of the cosine.
    pub low: Option<Spanned<Number>>,
    /// Highest level of the cosine [default: 1].
    pub high: Option<Spanned<Number>>,
    /// Time of `high` in each period.
    pub peak_at: Option<Spanned<Duration>>,
    /// Levels in turn, each for an equal part of the period; 24 are the hours of a day.
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
