//! Rows of bars and intervals as SVG.

use super::axis::{Ends, Ruler};
use super::curves::shape;
use super::svg::{Path, Svg};
use crate::report::plot::{Form, Plot, PlotRow, Rows};

/// How wide a plot is, in the units that its texts are measured in.
const WIDTH: f64 = 460.0;
/// How high a row is: its name and figure, and what is drawn below them.
const ROW: f64 = 38.0;
/// What is left at the sides, and below for the axis.
const SIDE: f64 = 14.0;
const BOTTOM: f64 = 42.0;
/// How many letters have room in a row.
const LETTERS: usize = 62;

/// The axis of rows.
pub fn ruler(rows: &Rows) -> Ruler {
    let values = rows.rows.iter().flat_map(|row| match row.form {
        Form::Bar(ends) => ends.to_vec(),
        Form::Estimate { at, within, beside } => {
            let intervals = within.into_iter().chain(beside);
            intervals.flatten().chain([at]).collect()
        }
    });
    Ruler::of(&rows.axis, values, Ends::Round, 5)
}

/// The plot as an image whose parts have ids that begin so.
pub fn image(id: &str, plot: &Plot, rows: &Rows, ruler: &Ruler) -> String {
    let height = ROW * rows.rows.len() as f64 + BOTTOM;
    let mut svg = Svg::default();
    let bottom = height - BOTTOM;
    frame(&mut svg, ruler, [bottom, height]);
    for (at, row) in rows.rows.iter().enumerate() {
        add(&mut svg, ruler, row, ROW * at as f64);
    }
    svg.image(id, [WIDTH, height], &plot.title, &plot.description)
}

fn across(at: f64) -> f64 {
    SIDE + at * (WIDTH - 2.0 * SIDE)
}

fn frame(svg: &mut Svg, ruler: &Ruler, [bottom, height]: [f64; 2]) {
    for tick in &ruler.ticks {
        let x = across(tick.at);
        let class = match tick.label.as_str() {
            "0" => "axis",
            _ => "grid",
        };
        svg.line(class, [x, 0.0], [x, bottom + 4.0]);
        svg.text("tick mid", [x, bottom + 18.0], &tick.label);
    }
    svg.text("label mid", [WIDTH / 2.0, height - 6.0], &ruler.label);
}

fn add(svg: &mut Svg, ruler: &Ruler, row: &PlotRow, top: f64) {
    let room = LETTERS.saturating_sub(row.shown.chars().count());
    svg.text("name", [2.0, top + 15.0], &shortened(&row.name, room));
    svg.text("figure end", [WIDTH - 2.0, top + 15.0], &row.shown);
    let place = |value: f64| ruler.place(value).map(|at| across(at.clamp(0.0, 1.0)));
    let (upper, colour) = (top + 21.0, row.colour);
    match row.form {
        Form::Bar([from, to]) => {
            if let (Some(from), Some(to)) = (place(from), place(to)) {
                // What is not nothing can be seen.
                let width = (to - from).max(1.0);
                svg.rectangle(&format!("bar c{colour}"), [from, upper], [width, 11.0]);
            }
        }
        Form::Estimate { at, within, beside } => {
            let ends = |ends: [f64; 2]| Some([place(ends[0])?, place(ends[1])?]);
            if let Some([low, high]) = beside.and_then(ends) {
                svg.rectangle("within", [low, upper], [high - low, 11.0]);
            }
            let middle = upper + 5.5;
            if let Some([low, high]) = within.and_then(ends) {
                let class = format!("whisker c{colour}");
                svg.line(&class, [low, middle], [high, middle]);
                for x in [low, high] {
                    svg.line(&class, [x, middle - 4.0], [x, middle + 4.0]);
                }
            }
            if let Some(x) = place(at) {
                let mark: Path = shape(colour, [x, middle]);
                svg.path(&format!("mark c{colour}"), &mark);
            }
        }
    }
}

/// A name that has room; the table below the plot has it in full.
fn shortened(name: &str, room: usize) -> String {
    match name.chars().count() > room.max(8) {
        false => name.to_owned(),
        true => {
            let kept: String = name.chars().take(room.max(8) - 1).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shortened("short", 20), "short");
        assert_eq!(shortened("a rather long name of a row", 12), "a rather lo…");
    }
}
