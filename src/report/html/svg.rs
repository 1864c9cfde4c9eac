//! The little of SVG that plots need. Whatever is written is escaped here.

use std::fmt::Write as _;

use blis_sim::visible;
use minijinja::HtmlEscape;

/// A drawing that grows.
#[derive(Debug, Default)]
pub struct Svg(String);

impl Svg {
    /// Adds an element without content. Writing to a string cannot fail, here and below.
    pub fn element(&mut self, name: &str, class: &str, attributes: &[(&str, f64)]) {
        let _ = write!(self.0, "<{name} class=\"{class}\"");
        for (attribute, value) in attributes {
            let _ = write!(self.0, " {attribute}=\"{}\"", coordinate(*value));
        }
        self.0.push_str("/>");
    }

    /// Adds a straight line.
    pub fn line(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        let ends = [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)];
        self.element("line", class, &ends);
    }

    /// Adds a rectangle; sizes are never less than nothing.
    pub fn rectangle(&mut self, class: &str, [x, y]: [f64; 2], [width, height]: [f64; 2]) {
        let sides = [
            ("x", x),
            ("y", y),
            ("width", width.max(0.0)),
            ("height", height.max(0.0)),
        ];
        self.element("rect", class, &sides);
    }

    /// Adds a path.
    pub fn path(&mut self, class: &str, path: &Path) {
        if !path.0.is_empty() {
            let _ = write!(self.0, "<path class=\"{class}\" d=\"{}\"/>", path.0);
        }
    }

    /// Adds a text.
    pub fn text(&mut self, class: &str, [x, y]: [f64; 2], text: &str) {
        let _ = write!(
            self.0,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            coordinate(x),
            coordinate(y),
            escaped(text)
        );
    }

    /// The whole as the sign of a legend, which says nothing that its name does not.
    pub fn sign(self) -> String {
        format!(
            "<svg class=\"swatch\" aria-hidden=\"true\" viewBox=\"0 0 28 14\">{}</svg>",
            self.0
        )
    }

    /// The whole as an image of this size, whose title and description have ids that begin so.
    pub fn image(
        self,
        id: &str,
        [width, height]: [f64; 2],
        title: &str,
        description: &str,
    ) -> String {
        format!(
            "<svg class=\"still\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {} {}\" \
             xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{}</svg>",
            coordinate(width),
            coordinate(height),
            escaped(title),
            escaped(description),
            self.0
        )
    }
}

/// The course of a path.
#[derive(Debug, Default)]
pub struct Path(String);

impl Path {
    /// A path through these places.
    pub fn through(places: impl IntoIterator<Item = [f64; 2]>) -> Path {
        let mut path = Path::default();
        for (at, place) in places.into_iter().enumerate() {
            path.add(if at == 0 { 'M' } else { 'L' }, place);
        }
        path
    }

    /// Adds a step: `M` moves there, `L` draws a line.
    pub fn add(&mut self, step: char, [x, y]: [f64; 2]) {
        let _ = write!(self.0, "{step}{} {}", coordinate(x), coordinate(y));
    }

    /// Closes it.
    pub fn closed(mut self) -> Path {
        if !self.0.is_empty() {
            self.0.push('Z');
        }
        self
    }
}

/// A tenth of a pixel is as fine as anybody sees.
fn coordinate(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    match rounded.is_finite() {
        // Minus zero is zero.
        true => (rounded + 0.0).to_string(),
        false => "0".to_owned(),
    }
}

/// A text in which nothing is hidden and nothing is markup.
pub fn escaped(text: &str) -> String {
    HtmlEscape(&visible::line(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_never_markup() {
        let mut svg = Svg::default();
        svg.text("t", [1.0, 2.0], "</text><script>alert(1)</script>\u{202e}");
        let image = svg.image("a", [10.0, 10.0], "</title>\" onload=\"x", "&lt;");
        for hostile in ["<script", "</title>\"", "\u{202e}", "\" onload"] {
            assert!(!image.contains(hostile), "{hostile} in {image}");
        }
        assert!(image.contains("&amp;lt;"));
    }

    #[test]
    fn coordinates_are_short_and_finite() {
        let shown = [1.0, 1.25, -0.01, 1e-9, f64::NAN, 1.0 / 3.0].map(coordinate);
        assert_eq!(shown, ["1", "1.3", "0", "0", "0", "0.3"]);
    }
}
