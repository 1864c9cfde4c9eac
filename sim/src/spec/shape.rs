//! The syntax of shapes: how an open client's rate changes over time, in factors of its `rate`.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::Deserialize;

use super::lower::DEFAULT_PERIOD;
use super::resolved::{items, list, parameters, text};
use super::spanned::Spanned;
use super::units::{Duration, Number};

/// How the rate of an open client changes over time. Levels are factors of `rate`; where nothing else is said it is 1.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// The rate as it is, throughout.
    Constant,
    /// Changes evenly from one level to another, and stays there.
    Ramp(Ramp),
    /// Several even changes, one after the other; the last level stays.
    Stages(Spanned<Vec<Spanned<Stage>>>),
    /// One level after the other, each as long; the last one stays.
    Stairs(Stairs),
    /// Another level for a while, once or several times.
    Spike(Spikes),
    /// Falls evenly to zero, and stays there.
    Drain(Drain),
    /// Goes round with a period: a wave, or a table of levels.
    Diurnal(Diurnal),
    /// Arrivals within these times only.
    Windows(Spanned<Vec<Spanned<Window>>>),
}

/// An even change of the rate.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// The level before; 0 unless given.
    pub from: Option<Spanned<Number>>,
    /// The level afterwards; 1 unless given.
    pub to: Option<Spanned<Number>>,
    /// When the change begins; 0s unless given.
    pub at: Option<Spanned<Duration>>,
    /// How long it takes.
    pub over: Spanned<Duration>,
}

/// An even change that begins when the one before is done.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// How long it takes.
    pub over: Spanned<Duration>,
    /// The level at its end.
    pub to: Spanned<Number>,
    /// The level at its start; where the stage before ended unless given, and 0 for the first one.
    pub from: Option<Spanned<Number>>,
}

/// Levels one after the other.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stairs {
    /// The levels.
    pub levels: Spanned<Vec<Spanned<Number>>>,
    /// How long each of them lasts.
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

/// Another level for a while.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// When it begins.
    pub at: Spanned<Duration>,
    /// How long it lasts.
    pub r#for: Spanned<Duration>,
    /// The level meanwhile.
    pub factor: Spanned<Number>,
}

/// The end of a client's load.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// When the rate begins to fall.
    pub at: Spanned<Duration>,
    /// How long it takes to reach zero.
    pub over: Spanned<Duration>,
}

/// A rate that goes round with a period: a wave between `low` and `high`, or a table of `levels`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diurnal {
    /// The period; 24h unless given.
    pub period: Option<Spanned<Duration>>,
    /// The lowest level of the wave.
    pub low: Option<Spanned<Number>>,
    /// The highest level of the wave; 1 unless given.
    pub high: Option<Spanned<Number>>,
    /// When within the period the wave is at its highest.
    pub peak_at: Option<Spanned<Duration>>,
    /// Levels that divide the period evenly, such as 24 for the hours of a day.
    pub levels: Option<Spanned<Vec<Spanned<Number>>>>,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it begins.
    pub at: Spanned<Duration>,
    /// How long it lasts.
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
