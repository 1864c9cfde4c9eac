//! The syntax of shapes: the change of the rate of an open client over time, in factors of its `rate`.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::Deserialize;

use super::lower::DEFAULT_PERIOD;
use super::resolved::{items, list, parameters, text};
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

impl Display for Shape {
    /// In one line, as a spec writes it, with defaults in place.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let levels = |levels: &Spanned<Vec<Spanned<Number>>>| items(&levels.value);
        match self {
            Shape::Constant => write!(f, "constant"),
            Shape::Ramp(Ramp { from, to, at, over }) => {
                let from = from.as_ref().map_or(Number(0.0), |from| from.value);
                let to = to.as_ref().map_or(Number(1.0), |to| to.value);
                let at = at.as_ref().map_or(Duration(0.0), |at| at.value);
                let over = over.value;
                write!(
                    f,
                    "{{ramp: {{from: {from}, to: {to}, at: {at}, over: {over}}}}}"
                )
            }
            Shape::Stages(stages) => {
                let mut level = Number(0.0);
                let stages = stages.value.iter().map(|stage| {
                    let Stage { over, to, from } = &stage.value;
                    let from = from.as_ref().map_or(level, |from| from.value);
                    level = to.value;
                    format!("{{from: {from}, to: {level}, over: {}}}", over.value)
                });
                write!(f, "{{stages: {}}}", list(stages))
            }
            Shape::Stairs(stairs) => {
                let (levels, every) = (levels(&stairs.levels), stairs.every.value);
                write!(f, "{{stairs: {{levels: {levels}, every: {every}}}}}")
            }
            Shape::Spike(Spikes::One(spike)) => write!(f, "{{spike: {}}}", one_spike(spike)),
            Shape::Spike(Spikes::Several(spikes)) => {
                write!(f, "{{spike: {}}}", list(spikes.iter().map(one_spike)))
            }
            Shape::Drain(drain) => {
                let (at, over) = (drain.at.value, drain.over.value);
                write!(f, "{{drain: {{at: {at}, over: {over}}}}}")
            }
            Shape::Diurnal(diurnal) => {
                let period = diurnal.period.as_ref().map_or(DEFAULT_PERIOD, |p| p.value);
                let wave = diurnal.low.is_some();
                let high = diurnal.high.as_ref().map_or(Number(1.0), |high| high.value);
                let entries = [
                    ("period", Some(period.to_string())),
                    ("low", text(&diurnal.low)),
                    ("high", wave.then(|| high.to_string())),
                    ("peak_at", text(&diurnal.peak_at)),
                    ("levels", diurnal.levels.as_ref().map(levels)),
                ];
                write!(f, "{{diurnal: ")?;
                parameters(f, entries)?;
                write!(f, "}}")
            }
            Shape::Windows(windows) => {
                let window = |window: &Spanned<Window>| {
                    let Window { at, r#for } = &window.value;
                    format!("{{at: {}, for: {}}}", at.value, r#for.value)
                };
                write!(f, "{{windows: {}}}", list(windows.value.iter().map(window)))
            }
        }
    }
}

fn one_spike(spike: &Spanned<Spike>) -> String {
    let Spike { at, r#for, factor } = &spike.value;
    format!(
        "{{at: {}, for: {}, factor: {}}}",
        at.value, r#for.value, factor.value
    )
}
