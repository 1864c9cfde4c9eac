//! Curves as SVG.

use super::axis::{Ends, Ruler};
use super::svg::{Path, Svg};
use crate::report::plot::{Curves, Mark, On, Plot, Point, Reference, Series};

/// The size of a plot, in the units that its texts are measured in.
const SIZE: [f64; 2] = [460.0, 270.0];
/// How wide a letter is.
const LETTER: f64 = 7.2;
/// Above the plot is the label of the vertical axis, below it are the marks and the label of the other.
const TOP: f64 = 26.0;
const BOTTOM: f64 = 44.0;
const RIGHT: f64 = 16.0;
/// How large a mark is.
const MARK: f64 = 3.6;

/// The axes of curves.
#[derive(Debug)]
pub struct Rulers {
    /// From left to right.
    pub x: Ruler,
    /// From bottom to top.
    pub y: Ruler,
}

impl Rulers {
    /// With room for all that is drawn.
    pub fn of(curves: &Curves) -> Rulers {
        let points = || curves.series.iter().flat_map(|one| &one.points);
        let of = |on: On| {
            let references = curves.references.iter();
            let references = references.filter(move |one| one.on == on);
            references.flat_map(|one| one.within.into_iter().flatten().chain([one.at]))
        };
        let xs = points().map(|point| point.x).chain(of(On::X));
        let ys = points().flat_map(|point| point.within.into_iter().flatten().chain([point.y]));
        Rulers {
            x: Ruler::of(&curves.x, xs, Ends::Exact, 5),
            y: Ruler::of(&curves.y, ys.chain(of(On::Y)), Ends::Round, 5),
        }
    }
}

/// The plot as an image whose parts have ids that begin so.
pub fn image(id: &str, plot: &Plot, curves: &Curves, rulers: &Rulers) -> String {
    let mut canvas = Canvas::of(rulers);
    canvas.frame();
    for reference in &curves.references {
        canvas.reference(reference);
    }
    // What is most important is drawn last.
    for series in curves.series.iter().rev() {
        canvas.series(series);
    }
    canvas.svg.image(id, SIZE, &plot.title, &plot.description)
}

/// Where things are drawn.
struct Canvas<'a> {
    svg: Svg,
    rulers: &'a Rulers,
    left: f64,
}

impl Canvas<'_> {
    fn of(rulers: &Rulers) -> Canvas<'_> {
        let labels = rulers.y.ticks.iter().map(|tick| tick.label.chars().count());
        let longest = labels.max().unwrap_or(1);
        Canvas {
            svg: Svg::default(),
            rulers,
            left: 12.0 + LETTER * longest as f64,
        }
    }

    /// Where a value from left to right is; `None` where it is outside, as below.
    fn x(&self, value: f64) -> Option<f64> {
        let at = self.rulers.x.place(value).filter(is_inside)?;
        Some(self.across(at))
    }

    fn y(&self, value: f64) -> Option<f64> {
        let at = self.rulers.y.place(value).filter(is_inside)?;
        Some(up(at))
    }

    fn across(&self, at: f64) -> f64 {
        self.left + at * (SIZE[0] - RIGHT - self.left)
    }

    fn place(&self, point: &Point) -> Option<[f64; 2]> {
        Some([self.x(point.x)?, self.y(point.y)?])
    }

    fn frame(&mut self) {
        let rulers = self.rulers;
        let (left, right) = (self.left, SIZE[0] - RIGHT);
        self.svg.text("label", [2.0, 13.0], &rulers.y.label);
        for tick in &rulers.y.ticks {
            let y = up(tick.at);
            self.svg.line("grid", [left, y], [right, y]);
            self.svg
                .text("tick end", [left - 6.0, y + 4.0], &tick.label);
        }
        let mut last = f64::NEG_INFINITY;
        for tick in &rulers.x.ticks {
            let x = self.across(tick.at);
            self.svg.line("grid", [x, up(1.0)], [x, up(0.0) + 4.0]);
            let half = LETTER * tick.label.chars().count() as f64 / 2.0;
            // A label that has no room is left out.
            if x - half > last && x + half < SIZE[0] {
                self.svg.text("tick mid", [x, up(0.0) + 18.0], &tick.label);
                last = x + half + LETTER;
            }
        }
        self.svg.line("axis", [left, up(0.0)], [right, up(0.0)]);
        let middle = (left + right) / 2.0;
        self.svg
            .text("label mid", [middle, SIZE[1] - 6.0], &rulers.x.label);
    }

    fn reference(&mut self, reference: &Reference) {
        let (left, right) = (self.left, SIZE[0] - RIGHT);
        let (bottom, top) = (up(0.0), up(1.0));
        let place = |canvas: &Self, value| match reference.on {
            On::X => canvas.x(value),
            On::Y => canvas.y(value),
        };
        let ends = reference
            .within
            .map(|ends| ends.map(|end| place(&*self, end)));
        if let Some([Some(low), Some(high)]) = ends {
            match reference.on {
                On::X => self
                    .svg
                    .rectangle("within", [low, top], [high - low, bottom - top]),
                On::Y => self
                    .svg
                    .rectangle("within", [left, high], [right - left, low - high]),
            }
        }
        match (reference.on, place(&*self, reference.at)) {
            (_, None) => {}
            (On::X, Some(x)) => {
                self.svg.line("reference", [x, top], [x, bottom]);
                let (class, beside) = match x > (left + right) / 2.0 {
                    true => ("note end", x - 5.0),
                    false => ("note", x + 5.0),
                };
                self.svg.text(class, [beside, top + 12.0], &reference.name);
            }
            (On::Y, Some(y)) => {
                self.svg.line("reference", [left, y], [right, y]);
                let above = match y < top + 16.0 {
                    true => y + 13.0,
                    false => y - 5.0,
                };
                self.svg
                    .text("note end", [right - 2.0, above], &reference.name);
            }
        }
    }

    fn series(&mut self, series: &Series) {
        let colour = series.colour;
        if series.mark == Mark::Band {
            let ends = |which: usize| {
                let points = series.points.iter();
                points.filter_map(move |point| Some((point.x, point.within?[which])))
            };
            let there = ends(1).filter_map(|(x, y)| Some([self.x(x)?, self.y(y)?]));
            let back: Vec<[f64; 2]> = ends(0)
                .filter_map(|(x, y)| Some([self.x(x)?, self.y(y)?]))
                .collect();
            let area = Path::through(there.chain(back.into_iter().rev())).closed();
            self.svg.path(&format!("area c{colour}"), &area);
        }
        if matches!(series.mark, Mark::Line | Mark::Marked | Mark::Band) {
            let places = series.points.iter().filter_map(|point| self.place(point));
            let path = Path::through(places);
            let class = match series.mark {
                Mark::Band => format!("line dashed c{colour}"),
                _ => format!("line c{colour}"),
            };
            self.svg.path(&class, &path);
        }
        for point in &series.points {
            self.point(series, point);
        }
    }

    fn point(&mut self, series: &Series, point: &Point) {
        let Some([x, y]) = self.place(point) else {
            return;
        };
        let colour = series.colour;
        match series.mark {
            // A line of one point would not be seen.
            Mark::Line if series.points.len() == 1 => {
                self.svg
                    .path(&format!("mark c{colour}"), &shape(colour, [x, y]));
            }
            Mark::Line | Mark::Band => {}
            Mark::Limits => {
                let class = format!("limit c{colour}");
                self.svg.line(&class, [x - 12.0, y], [x + 12.0, y]);
                let below = [[x - 4.0, y - 8.0], [x + 4.0, y - 8.0], [x, y - 1.5]];
                self.svg
                    .path(&format!("mark c{colour}"), &Path::through(below).closed());
            }
            Mark::Marked | Mark::Marks => {
                let ends = point.within.map(|ends| ends.map(|end| self.y(end)));
                if let Some([Some(low), Some(high)]) = ends {
                    self.whisker(colour, x, [low, high]);
                }
                self.svg
                    .path(&format!("mark c{colour}"), &shape(colour, [x, y]));
            }
        }
    }

    /// An interval.
    fn whisker(&mut self, colour: usize, x: f64, [low, high]: [f64; 2]) {
        let class = format!("whisker c{colour}");
        self.svg.line(&class, [x, low], [x, high]);
        for y in [low, high] {
            self.svg.line(&class, [x - 3.0, y], [x + 3.0, y]);
        }
    }
}

fn up(at: f64) -> f64 {
    SIZE[1] - BOTTOM - at * (SIZE[1] - BOTTOM - TOP)
}

fn is_inside(at: &f64) -> bool {
    (-1e-6..=1.0 + 1e-6).contains(at)
}

/// The mark of a colour, so that it can be told without it: a disc, a square, a triangle, a diamond.
pub fn shape(colour: usize, [x, y]: [f64; 2]) -> Path {
    let around = |corners: &[[f64; 2]]| {
        let corners = corners.iter();
        Path::through(corners.map(|[dx, dy]| [x + dx * MARK, y + dy * MARK])).closed()
    };
    match colour % 4 {
        2 => around(&[[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]),
        3 => around(&[[0.0, -1.3], [1.25, 1.0], [-1.25, 1.0]]),
        0 => around(&[[0.0, -1.4], [1.4, 0.0], [0.0, 1.4], [-1.4, 0.0]]),
        _ => {
            // A disc by eight corners is round enough at this size.
            let (far, near) = (1.1, 0.45);
            around(&[
                [-near, -far],
                [near, -far],
                [far, -near],
                [far, near],
                [near, far],
                [-near, far],
                [-far, near],
                [-far, -near],
            ])
        }
    }
}
