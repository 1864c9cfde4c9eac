//! Plots as data: what is drawn, in which unit and in which words, and nothing of how it is drawn.
//!
//! A report says which plots it has; a page draws them. Text and Markdown leave them out, because every figure that
//! matters is in their tables.

use super::number::{count, millis, percent, significant};

/// A plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows, in a few words.
    pub title: String,
    /// How it is to be read, in a sentence or two. It is read aloud where the plot cannot be seen.
    pub description: String,
    /// What is drawn.
    pub drawing: Drawing,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawing {
    /// Values over a quantity.
    Curves(Curves),
    /// Named rows, one below the other.
    Rows(Rows),
}

/// Values over a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// The quantity, from left to right.
    pub x: Axis,
    /// The values, from bottom to top.
    pub y: Axis,
    /// The curves, the most important first.
    pub series: Vec<Series>,
    /// Lines right across: objectives, answers.
    pub references: Vec<Reference>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is measured along it.
    pub label: String,
    /// In which unit.
    pub quantity: Quantity,
    /// How values are placed.
    pub scale: Scale,
}

/// What numbers mean. Values are in the unit that a document has them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Numbers in this unit; none for plain ones.
    Number(&'static str),
    /// Times in milliseconds, shown in the unit that suits them.
    Millis,
    /// Seconds since the start of a run, likewise.
    Seconds,
    /// Shares of a whole, shown in percent.
    Share,
}

/// How values are placed along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from about the least value to about the largest.
    Linear,
    /// Evenly from zero.
    FromZero,
    /// By their logarithms.
    Log,
    /// Quantiles, as 1 / (1 - q) by its logarithm: from 90 % to 99 % it is as far as from 99 % to 99.9 %, as plots of
    /// HdrHistogram have it.
    Quantile,
}

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is of.
    pub name: String,
    /// Which colour it has, with the dashes and the marks that go with it: 1 is the first. What belongs together has the same.
    pub colour: usize,
    /// How it is drawn.
    pub mark: Mark,
    /// Its points, in ascending order.
    pub points: Vec<Point>,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Line,
    /// A line with a mark at each point.
    Marked,
    /// Marks alone.
    Marks,
    /// A line in the area between the ends of its intervals: what a model says.
    Band,
    /// Short strokes: limits that hold at single places.
    Limits,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where it is.
    pub x: f64,
    /// Its value.
    pub y: f64,
    /// The interval of the value.
    pub within: Option<[f64; 2]>,
}

/// A line right across the plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// What is there.
    pub name: String,
    /// The axis that it stands on.
    pub on: On,
    /// Where.
    pub at: f64,
    /// The interval of that.
    pub within: Option<[f64; 2]>,
}

/// One of the two axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The line is vertical.
    X,
    /// It is horizontal.
    Y,
}

/// Named rows, one below the other, along one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The axis.
    pub axis: Axis,
    /// The rows, from top to bottom.
    pub rows: Vec<PlotRow>,
    /// What the colours mean; empty where they mean nothing.
    pub colours: Vec<(usize, String)>,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotRow {
    /// What it is of.
    pub name: String,
    /// Its figure, as it is written beside it.
    pub shown: String,
    /// Its colour.
    pub colour: usize,
    /// What is drawn.
    pub form: Form,
}

/// What is drawn in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// A bar from here to there.
    Bar([f64; 2]),
    /// A figure with its interval, before a pale bar for what it is to be held against.
    Estimate {
        /// The figure.
        at: f64,
        /// Its interval.
        within: Option<[f64; 2]>,
        /// The pale bar.
        beside: Option<[f64; 2]>,
    },
}

impl Plot {
    /// A plot of curves; those without points are left out.
    pub fn curves(
        title: impl Into<String>,
        description: impl Into<String>,
        [x, y]: [Axis; 2],
        series: impl IntoIterator<Item = Series>,
    ) -> Plot {
        let series = series.into_iter().filter(|one| !one.points.is_empty());
        Plot {
            title: title.into(),
            description: description.into(),
            drawing: Drawing::Curves(Curves {
                x,
                y,
                series: series.collect(),
                references: Vec::new(),
            }),
        }
    }

    /// A plot of rows.
    pub fn rows(
        title: impl Into<String>,
        description: impl Into<String>,
        axis: Axis,
        rows: Vec<PlotRow>,
    ) -> Plot {
        Plot {
            title: title.into(),
            description: description.into(),
            drawing: Drawing::Rows(Rows {
                axis,
                rows,
                colours: Vec::new(),
            }),
        }
    }

    /// The plot with these lines across it.
    pub fn against(mut self, references: impl IntoIterator<Item = Reference>) -> Plot {
        if let Drawing::Curves(curves) = &mut self.drawing {
            curves.references.extend(references);
        }
        self
    }

    /// The plot with its colours explained.
    pub fn coloured(mut self, colours: &[(usize, &str)]) -> Plot {
        if let Drawing::Rows(rows) = &mut self.drawing {
            let named = colours.iter().map(|(at, name)| (*at, (*name).to_owned()));
            rows.colours.extend(named);
        }
        self
    }

    /// Whether there is anything to draw.
    pub fn shows_something(&self) -> bool {
        match &self.drawing {
            Drawing::Curves(curves) => !curves.series.is_empty(),
            Drawing::Rows(rows) => !rows.rows.is_empty(),
        }
    }
}

impl Axis {
    /// An axis of this quantity on this scale.
    pub fn new(label: impl Into<String>, quantity: Quantity, scale: Scale) -> Axis {
        Axis {
            label: label.into(),
            quantity,
            scale,
        }
    }

    /// The time since the start of a run.
    pub fn time() -> Axis {
        Axis::new("time", Quantity::Seconds, Scale::FromZero)
    }

    /// Quantiles.
    pub fn quantiles() -> Axis {
        Axis::new("of requests", Quantity::Share, Scale::Quantile)
    }
}

impl Series {
    /// A curve through these values; those that were not measured are left out.
    pub fn line(
        name: impl Into<String>,
        colour: usize,
        points: impl IntoIterator<Item = (f64, Option<f64>)>,
    ) -> Series {
        let points = points.into_iter();
        let points = points.filter_map(|(x, y)| Some(Point::at(x, y?)));
        Series {
            name: name.into(),
            colour,
            mark: Mark::Line,
            points: points.collect(),
        }
    }

    /// The same, drawn otherwise.
    pub fn drawn(mut self, mark: Mark) -> Series {
        self.mark = mark;
        self
    }
}

impl Point {
    /// A point without an interval.
    pub fn at(x: f64, y: f64) -> Point {
        Point { x, y, within: None }
    }

    /// Where on an axis of quantiles a quantile is; `None` for the last one.
    pub fn of_quantile(quantile: f64) -> Option<f64> {
        (quantile < 1.0).then(|| 1.0 / (1.0 - quantile))
    }
}

impl Quantity {
    /// A value for people.
    pub fn shown(self, value: f64) -> String {
        match self {
            Quantity::Number("") if value.fract() == 0.0 && value >= 0.0 => count(value as u64),
            Quantity::Number("") => signed(value, significant),
            Quantity::Number(unit) => format!("{} {unit}", signed(value, significant)),
            Quantity::Millis => signed(value, millis),
            Quantity::Seconds => signed(value, |seconds| millis(seconds * 1e3)),
            Quantity::Share => signed(value, percent),
        }
    }
}

fn signed(value: f64, write: impl Fn(f64) -> String) -> String {
    match value < 0.0 {
        true => format!("-{}", write(-value)),
        false => write(value),
    }
}

/// The scale on which values from zero on can all be read: their logarithms where the largest is so many times the least.
pub fn readable(values: impl IntoIterator<Item = f64>) -> Scale {
    /// From here on the small ones would lie on the axis.
    const WIDE: f64 = 40.0;
    let values = values.into_iter().filter(|value| *value > 0.0);
    let (least, most) = values.fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    match most > WIDE * least {
        true => Scale::Log,
        false => Scale::FromZero,
    }
}
