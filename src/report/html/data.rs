//! The data of a plot: as a table for people, for the script, and the signs of its legend.

use serde::Serialize;

use blis_sim::visible;

use super::axis::{Ruler, percentile};
use super::curves::{Rulers, shape};
use super::svg::{Path, Svg};
use crate::report::plot::{Axis, Curves, Drawing, Mark, On, Point, Scale};
use crate::report::table::Table;

/// The figures that a plot draws.
pub fn table(drawing: &Drawing) -> Table {
    match drawing {
        Drawing::Curves(curves) => of_curves(curves),
        Drawing::Rows(rows) => {
            let mut table = Table::new(&["", &rows.axis.label]);
            for row in &rows.rows {
                table.row([row.name.clone(), row.shown.clone()]);
            }
            table
        }
    }
}

fn of_curves(curves: &Curves) -> Table {
    let names = curves.series.iter().map(|series| series.name.as_str());
    let headings: Vec<&str> = [curves.x.label.as_str()].into_iter().chain(names).collect();
    let mut table = Table::new(&headings);
    let shown = |point: &Point| {
        let value = |value: f64| curves.y.quantity.shown(value);
        match point.within {
            None => value(point.y),
            Some([low, high]) => format!("{} ({} to {})", value(point.y), value(low), value(high)),
        }
    };
    for (x, points) in aligned(curves) {
        let cells = points
            .into_iter()
            .map(|point| point.map_or("-".to_owned(), shown));
        table.row([place(&curves.x, x)].into_iter().chain(cells));
    }
    table
}

fn place(axis: &Axis, value: f64) -> String {
    match axis.scale {
        Scale::Quantile => percentile(value),
        _ => axis.quantity.shown(value),
    }
}

/// The points of all series by where they are. A series that has several there has several rows.
fn aligned(curves: &Curves) -> Vec<(f64, Vec<Option<&Point>>)> {
    let mut places: Vec<f64> = Vec::new();
    for series in &curves.series {
        places.extend(series.points.iter().map(|point| point.x));
    }
    places.sort_by(f64::total_cmp);
    places.dedup();
    let mut rows = Vec::new();
    for x in places {
        let there: Vec<Vec<&Point>> = curves
            .series
            .iter()
            .map(|series| series.points.iter().filter(|point| point.x == x).collect())
            .collect();
        let most = there.iter().map(Vec::len).max().unwrap_or(0);
        rows.extend((0..most).map(|at| {
            let points = there.iter().map(|points| points.get(at).copied());
            (x, points.collect())
        }));
    }
    rows
}

/// A plot as the script reads it. Values are in the units shown.
#[derive(Debug, Serialize)]
struct Data {
    x: AxisData,
    y: AxisData,
    series: Vec<SeriesData>,
    /// Where points are, and then the values of each series there.
    data: Vec<Vec<Option<f64>>>,
    references: Vec<ReferenceData>,
}

#[derive(Debug, Serialize)]
struct AxisData {
    label: String,
    unit: &'static str,
    scale: &'static str,
    ends: [f64; 2],
}

#[derive(Debug, Serialize)]
struct SeriesData {
    colour: usize,
    mark: &'static str,
    /// The intervals at each place; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<Vec<Option<[f64; 2]>>>,
}

#[derive(Debug, Serialize)]
struct ReferenceData {
    name: String,
    on: &'static str,
    at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<[f64; 2]>,
}

/// The data for the script, in which nothing can end the element that it stands in.
pub fn for_script(curves: &Curves, rulers: &Rulers) -> Option<String> {
    let rows = aligned(curves);
    let of_y = |value: f64| rounded(value * rulers.y.factor);
    let mut data = vec![
        rows.iter()
            .map(|(x, _)| Some(rounded(x * rulers.x.factor)))
            .collect::<Vec<_>>(),
    ];
    let mut series = Vec::new();
    for (at, of) in curves.series.iter().enumerate() {
        let points = || {
            rows.iter()
                .map(move |(_, points)| points.get(at).copied().flatten())
        };
        data.push(
            points()
                .map(|point| point.map(|point| of_y(point.y)))
                .collect(),
        );
        let has_intervals = of.points.iter().any(|point| point.within.is_some());
        let within = points().map(|point| Some(point?.within?.map(of_y)));
        series.push(SeriesData {
            colour: of.colour,
            mark: mark_name(of.mark),
            within: has_intervals.then(|| within.collect()),
        });
    }
    let references = curves.references.iter().map(|one| {
        let (on, factor) = match one.on {
            On::X => ("x", rulers.x.factor),
            On::Y => ("y", rulers.y.factor),
        };
        ReferenceData {
            name: visible::line(&one.name).into_owned(),
            on,
            at: rounded(one.at * factor),
            within: one.within.map(|ends| ends.map(|end| rounded(end * factor))),
        }
    });
    let written = serde_json::to_string(&Data {
        x: axis_data(&curves.x, &rulers.x),
        y: axis_data(&curves.y, &rulers.y),
        series,
        data,
        references: references.collect(),
    });
    // Without it there is the image.
    written.ok().map(|json| inert(&json))
}

fn axis_data(axis: &Axis, ruler: &Ruler) -> AxisData {
    AxisData {
        label: visible::line(&ruler.label).into_owned(),
        unit: ruler.unit,
        scale: match axis.scale {
            Scale::Linear | Scale::FromZero => "linear",
            Scale::Log => "log",
            Scale::Quantile => "quantile",
        },
        ends: ruler.ends().map(rounded),
    }
}

fn mark_name(mark: Mark) -> &'static str {
    match mark {
        Mark::Line => "line",
        Mark::Marked => "marked",
        Mark::Marks => "marks",
        Mark::Band => "band",
        Mark::Limits => "limits",
    }
}

/// JSON that no HTML parser reads as markup.
fn inert(json: &str) -> String {
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
    json.replace('&', "\\u0026")
}

/// Six digits are more than anybody sees, and fewer than a number may have.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The sign of a series.
pub fn swatch(mark: Mark, colour: usize) -> String {
    let mut svg = Svg::default();
    let middle = [14.0, 7.0];
    match mark {
        Mark::Band => {
            svg.rectangle(&format!("area c{colour}"), [1.0, 1.0], [26.0, 12.0]);
            svg.line(&format!("line dashed c{colour}"), [1.0, 7.0], [27.0, 7.0]);
        }
        Mark::Limits => {
            svg.line(&format!("limit c{colour}"), [2.0, 10.0], [26.0, 10.0]);
            let below = [[10.0, 1.0], [18.0, 1.0], [14.0, 8.0]];
            svg.path(&format!("mark c{colour}"), &Path::through(below).closed());
        }
        Mark::Line | Mark::Marked => {
            svg.line(&format!("line c{colour}"), [1.0, 7.0], [27.0, 7.0]);
        }
        Mark::Marks => {}
    }
    if matches!(mark, Mark::Marked | Mark::Marks) {
        svg.path(&format!("mark c{colour}"), &shape(colour, middle));
    }
    svg.sign()
}

/// The sign of a colour.
pub fn block(colour: usize) -> String {
    let mut svg = Svg::default();
    svg.rectangle(&format!("bar c{colour}"), [3.0, 2.0], [22.0, 10.0]);
    svg.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plot::{Plot, Quantity, Series};

    #[test]
    fn series_are_aligned_and_what_is_there_twice_has_two_rows() {
        let series = |name: &str, points: &[(f64, f64)]| {
            let points = points.iter().map(|(x, y)| (*x, Some(*y)));
            Series::line(name, 1, points)
        };
        let axis = || Axis::new("load", Quantity::Number("1/s"), Scale::Linear);
        let plot = Plot::curves(
            "</script><script>",
            "",
            [axis(), axis()],
            [
                series("</script>", &[(1.0, 10.0), (2.0, 20.0)]),
                series("b", &[(2.0, 5.0), (2.0, 6.0), (3.0, 7.0)]),
            ],
        );
        let Drawing::Curves(curves) = &plot.drawing else {
            panic!("{plot:?}");
        };
        let rows = table(&plot.drawing);
        let rows: Vec<String> = rows.rows().iter().map(|row| row.join("|")).collect();
        assert_eq!(rows[0], "load|</script>|b");
        assert_eq!(rows[2], "2.000 1/s|20.00 1/s|5.000 1/s");
        assert_eq!(rows[3], "2.000 1/s|-|6.000 1/s");
        assert_eq!(rows.len(), 5);
        let json = for_script(curves, &Rulers::of(curves)).expect("data");
        assert!(!json.contains(['<', '>', '&']), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read["data"][0], serde_json::json!([1.0, 2.0, 2.0, 3.0]));
        assert_eq!(read["data"][1], serde_json::json!([10.0, 20.0, null, null]));
    }
}
