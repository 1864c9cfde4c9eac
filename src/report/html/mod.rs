//! Reports as a page: one HTML file that needs nothing else.
//!
//! A page says what the text says and shows the plots besides. Every plot is an SVG, so that it is there without scripts
//! and on paper; a script puts one of uPlot in its place that can be zoomed and read under the pointer. Nothing is loaded
//! from anywhere: a content security policy in the page itself forbids it, and lets no other script run than this one.
//!
//! The template has no filters, so that it cannot declare anything safe. What is written without being escaped is made
//! in this folder alone: images, styles, the script and the data of plots.

mod axis;
mod curves;
mod data;
mod rows;
mod svg;
mod view;

use blis_sim::visible;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, escape_formatter};
use serde::Serialize;

use super::parts::Report;
use view::SectionView;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = concat!(
    include_str!("../../../assets/uplot/uPlot.min.css"),
    "\n",
    include_str!("style.css")
);
/// The one script of a page.
const SCRIPT: &str = concat!(
    include_str!("../../../assets/uplot/uPlot.iife.min.js"),
    "\n",
    include_str!("page.js")
);
/// Its SHA-256 as a content security policy names it.
const SCRIPT_HASH: &str = "sha256-Shh/UKEC7I6jPM3wVlrUFlFfT6qILPuJeJEHdSC42gY=";

/// A page as its template sees it.
#[derive(Debug, Serialize)]
struct Page<'a> {
    title: &'a str,
    version: &'static str,
    policy: String,
    style: Value,
    script: Value,
    sections: Vec<SectionView>,
}

/// The report as a page.
///
/// # Errors
/// None that the template allows; the engine's own is passed on.
pub fn html(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(visible::lines(text)))
        }
        _ => escape_formatter(out, state, value),
    });
    let page = Page {
        title: report.title.trim(),
        version: env!("CARGO_PKG_VERSION"),
        policy: format!(
            "default-src 'none'; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
        ),
        style: Value::from_safe_string(STYLE.to_owned()),
        script: Value::from_safe_string(SCRIPT.to_owned()),
        sections: view::sections(report),
    };
    let mut written = environment.render_named_str("page.html", TEMPLATE, Serde(page))?;
    written.push('\n');
    Ok(written)
}

#[cfg(test)]
mod tests;
