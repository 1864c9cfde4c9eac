//! Shapes written back.

use std::fmt::{self, Display, Formatter};

use super::defaults::DEFAULT_PERIOD;
use super::shape::{Ramp, Shape, Spike, Spikes, Stage, Window};
use super::spanned::Spanned;
use super::units::{Duration, Number};
use super::written::{items, list, parameters, text};

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
