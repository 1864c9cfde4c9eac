//! What holds for every page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blis_sim::spec::sha256;

use super::*;
use crate::report::parts::{Block, Fact, Key, Mood, OnPage, Place, Section};
use crate::report::plot::{
    Axis, Form, Mark, On, Plot, PlotRow, Point, Quantity, Reference, Scale, Series,
};
use crate::report::table::Table;

/// Names and messages of somebody who wants to be markup.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "</style><style>*{display:none}",
    "\" onload=\"alert(1)",
    "' onfocus='alert(1)",
    "<!-- ]]> {{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp;",
    "javascript:alert(1)",
    "\u{202e}gnp.exe\u{2066}\u{0}\u{1b}[31m",
];

/// A report that says this wherever it can.
fn everywhere(said: &str) -> Report {
    let said = || said.to_owned();
    let mut table = Table::new(&[said().as_str(), said().as_str()]);
    table.row([said(), said()]);
    let mut of_page = Table::new(&[said().as_str(), "figure"]);
    of_page.row([said(), "1 ms".to_owned()]);
    let axis = |scale| Axis::new(said(), Quantity::Millis, scale);
    let mut series = Vec::new();
    for (at, mark) in [
        Mark::Line,
        Mark::Marked,
        Mark::Marks,
        Mark::Band,
        Mark::Limits,
    ]
    .into_iter()
    .enumerate()
    {
        let point = |x: f64| Point {
            x,
            y: x * 3.0,
            within: Some([x * 2.0, x * 4.0]),
        };
        series.push(Series {
            name: said(),
            colour: at + 1,
            mark,
            points: [2.0, 20.0, 500.0].map(point).to_vec(),
        });
    }
    let reference = |on| Reference {
        name: said(),
        on,
        at: 10.0,
        within: Some([8.0, 12.0]),
    };
    let curves = |x: Scale, y: Scale| {
        Plot::curves(said(), said(), [axis(x), axis(y)], series.clone())
            .against([reference(On::X), reference(On::Y)])
    };
    let row = |form| PlotRow {
        name: said(),
        shown: said(),
        colour: 1,
        form,
    };
    let estimate = Form::Estimate {
        at: 1.0,
        within: Some([-1.0, 2.0]),
        beside: Some([-0.5, 0.5]),
    };
    let rows = vec![row(Form::Bar([0.0, 3.0])), row(estimate)];
    let mut fact = Fact::new("label", said());
    fact.add(said());
    Report {
        title: said(),
        sections: vec![
            Section::of([Block::Lines(vec![said()]), Block::Notes(vec![said()])]),
            Section::of([Block::Table(table)]).placed(Place::Folded("Folded")),
            Section::fact(fact),
            Section::of([Block::Code {
                language: "yaml",
                text: said(),
            }]),
            Section::of([
                Block::Answer {
                    facts: vec![Fact::new("label", said())],
                    keys: vec![Key {
                        label: said(),
                        value: said(),
                        beside: said(),
                    }],
                },
                Block::Verdict {
                    mood: Mood::Bad,
                    word: "TRIP",
                    said: Box::new(Block::Lines(vec![said()])),
                },
            ])
            .placed(Place::First),
            Section::of([Block::OnPage(OnPage::Table(of_page))]),
            Section::plots([
                curves(Scale::Linear, Scale::FromZero),
                curves(Scale::Quantile, Scale::Log),
                Plot::rows(said(), said(), axis(Scale::FromZero), rows)
                    .coloured(&[(1, said().as_str())]),
            ])
            .headed("Plots"),
        ],
    }
}

fn page(report: &Report) -> String {
    html(report).expect("a page")
}

/// The elements of a page in their order, with their attributes: a reader of what this folder writes, which closes what it
/// opens and quotes what it sets. It fails at anything else.
fn elements(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    const VOID: &[&str] = &["meta", "circle", "line", "rect", "path"];
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!doctype html>").expect("a doctype");
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(closed) = rest.strip_prefix('/') {
            let end = closed.find('>').expect("an end");
            assert_eq!(open.pop().as_deref(), Some(&closed[..end]), "{closed:.80}");
            rest = &closed[end + 1..];
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .expect("a name");
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut attributes = Vec::new();
        let is_closed = loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>") {
                rest = after;
                break true;
            }
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break false;
            }
            let (key, after) = rest.split_once("=\"").expect("a quoted attribute");
            let (value, after) = after.split_once('"').expect("its end");
            assert!(
                key.bytes()
                    .all(|b| b.is_ascii_alphabetic() || b == b'-' || b.is_ascii_digit()),
                "attribute {key:.80} of {name}"
            );
            attributes.push((key.to_owned(), value.to_owned()));
            rest = after;
        };
        // What is in these is no markup.
        if matches!(name.as_str(), "script" | "style") {
            let end = rest.find(&format!("</{name}>")).expect("its end");
            rest = &rest[end..];
        }
        if !is_closed && !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        found.push((name, attributes));
    }
    assert!(open.is_empty(), "{open:?} are not closed");
    found
}

/// The names of the elements and of their attributes.
fn shape(page: &str) -> Vec<String> {
    let elements = elements(page).into_iter();
    elements
        .map(|(name, attributes)| {
            let keys: Vec<String> = attributes.into_iter().map(|(key, _)| key).collect();
            format!("{name} {}", keys.join(" "))
        })
        .collect()
}

#[test]
fn nothing_that_a_report_says_is_markup() {
    let plain = page(&everywhere("plain"));
    for hostile in HOSTILE {
        let page = page(&everywhere(hostile));
        assert_eq!(shape(&page), shape(&plain), "{hostile}");
        let hidden = page.chars().find(|c| visible::is_hidden(*c) && *c != '\n');
        assert_eq!(hidden, None, "{hostile}");
        let scripts = page.matches("alert(1)</script>").count();
        assert_eq!(scripts, 0, "{hostile}");
    }
}

#[test]
fn a_page_loads_nothing() {
    let page = page(&everywhere("http://example.test/a.png"));
    for (name, attributes) in elements(&page) {
        assert!(
            !matches!(
                name.as_str(),
                "link" | "img" | "iframe" | "object" | "base" | "form" | "a"
            ),
            "{name}"
        );
        for (key, value) in attributes {
            assert!(
                !matches!(key.as_str(), "src" | "href" | "style"),
                "{key} of {name}"
            );
            assert!(!key.starts_with("on"), "{key} of {name}");
            // The namespace of SVG is a name, and what reports say is text.
            let is_text = matches!(key.as_str(), "xmlns" | "aria-label");
            assert!(is_text || !value.contains("://"), "{key}={value} of {name}");
        }
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    assert!(page.contains("default-src &#x27;none&#x27;"), "{page:.900}");
}

#[test]
fn plots_are_images_with_a_title_and_a_description_and_their_data_as_a_table() {
    let page = page(&everywhere("x"));
    let all = elements(&page);
    let with = |name: &str, key: &str| -> Vec<String> {
        let those = all.iter().filter(|(of, _)| of == name);
        those
            .filter_map(|(_, attributes)| attributes.iter().find(|(of, _)| of == key))
            .map(|(_, value)| value.clone())
            .collect()
    };
    assert_eq!(with("figure", "id"), ["plot-1", "plot-2", "plot-3"]);
    let labelled = with("svg", "aria-labelledby");
    assert_eq!(labelled.len(), 3);
    assert!(with("svg", "role").iter().all(|role| role == "img"));
    let titles: Vec<String> = with("title", "id")
        .into_iter()
        .chain(with("desc", "id"))
        .collect();
    for label in labelled {
        assert!(
            label
                .split(' ')
                .all(|id| titles.iter().any(|title| title == id)),
            "{label}"
        );
    }
    assert_eq!(page.matches("<details class=\"data\">").count(), 3);
    assert_eq!(
        page.matches("type=\"application/json\"").count(),
        2,
        "rows are images alone"
    );
}

#[test]
fn the_script_is_the_one_that_the_policy_allows() {
    let hex = sha256(SCRIPT);
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect();
    let expected = format!("sha256-{}", STANDARD.encode(bytes));
    assert_eq!(
        SCRIPT_HASH, expected,
        "SCRIPT_HASH is that of another script"
    );
    assert!(!SCRIPT.contains("</script"), "it would end the element");
    assert!(
        !visible::lines(SCRIPT).contains("\\u00"),
        "a page is shown as it is written"
    );
    assert!(!page(&everywhere("x")).contains("\r"));
}

#[test]
fn vendored_files_are_those_of_their_readme() {
    let readme = include_str!("../../../assets/uplot/README.md");
    for file in [
        include_str!("../../../assets/uplot/uPlot.iife.min.js"),
        include_str!("../../../assets/uplot/uPlot.min.css"),
    ] {
        assert!(readme.contains(&sha256(file)), "{file:.60}");
    }
}

#[test]
fn the_same_report_is_the_same_page_in_less_than_its_share() {
    let one = page(&everywhere("x"));
    assert_eq!(one, page(&everywhere("x")));
    assert!(one.len() < 120_000, "{} bytes without data", one.len());
}

#[test]
fn the_verdict_is_first_and_what_is_folded_is_last() {
    let page = page(&everywhere("x"));
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what}"));
    let order = [
        "class=\"banner bad\"",
        "class=\"keys\"",
        "class=\"plots\"",
        "class=\"fold\"",
    ];
    let places = order.map(place);
    assert!(places.is_sorted(), "{places:?}");
}
