//! Pages in a real browser: no error, every plot there, nothing wider than the window, nothing loaded.
//!
//! Without Chromium on PATH or in `BLIS_CHROMIUM` this says so and does nothing. `BLIS_PICTURES=FOLDER` keeps pictures of every page
//! at both widths in both schemes, to be looked at.

mod chromium;
mod pages;
#[path = "../live/server.rs"]
#[allow(dead_code)]
mod server;

use chromium::Browser;
use pages::Page;

/// The widths of a telephone and of a screen.
const WIDTHS: [u32; 2] = [390, 1440];

#[test]
fn pages_are_whole_at_every_width_in_both_schemes() {
    let Some(program) = chromium::program() else {
        eprintln!("skipped: no chromium on PATH; install it, or name it with BLIS_CHROMIUM");
        return;
    };
    let pages = pages::all();
    let mut browser = Browser::start(&program);
    for page in &pages {
        for width in WIDTHS {
            for scheme in ["light", "dark"] {
                look(&mut browser, page, width, scheme);
            }
        }
        without_scripts(&mut browser, page);
        printed(&mut browser, page);
    }
    by_keyboard(&mut browser, &pages[0]);
}

fn look(browser: &mut Browser, page: &Page, width: u32, scheme: &str) {
    let wrong = browser.open(&page.path, width, scheme);
    let of = format!("{} at {width} in {scheme}", page.name);
    assert_eq!(wrong, Vec::<String>::new(), "{of}");
    let number = |browser: &mut Browser, expression: &str| {
        let value = browser.evaluate(expression);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{expression}: {value}"))
    };
    let wide = number(browser, "document.documentElement.scrollWidth");
    assert!(wide <= f64::from(width), "{of}: {wide} wide");
    let plots = number(browser, "document.querySelectorAll('figure.plot').length");
    assert_eq!(plots as usize, page.plots, "{of}");
    let curves = number(
        browser,
        "document.querySelectorAll('figure.plot script').length",
    );
    let drawn = number(
        browser,
        "document.querySelectorAll('.moving canvas').length",
    );
    assert_eq!(curves, drawn, "{of}: not every curve is drawn");
    // Nothing that is drawn is empty.
    let empty = number(
        browser,
        "[...document.querySelectorAll('.moving canvas')].filter(canvas => { \
           const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
           return !data.some(value => value > 0); }).length",
    );
    assert_eq!(empty, 0.0, "{of}");
    let small = number(
        browser,
        "[...document.querySelectorAll('figure.plot')].filter(one => { \
           const box = (one.querySelector('.uplot') || one.querySelector('svg.still')).getBoundingClientRect(); \
           return box.width < 250 || box.height < 60; }).length",
    );
    assert_eq!(small, 0.0, "{of}");
    if let Some(folder) = std::env::var_os("BLIS_PICTURES") {
        let folder = std::path::PathBuf::from(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!("{}-{width}-{scheme}.png", page.name));
        std::fs::write(file, browser.picture(width, None)).expect("a file");
    }
}

/// The images are there where no script runs.
fn without_scripts(browser: &mut Browser, page: &Page) {
    let wrong = browser.open_without_scripts(&page.path, 390);
    assert_eq!(wrong, Vec::<String>::new(), "{} without scripts", page.name);
    let shown = browser.evaluate(
        "[...document.querySelectorAll('svg.still')].filter(one => one.getBoundingClientRect().height > 60).length",
    );
    assert_eq!(shown.as_u64(), Some(page.plots as u64), "{}", page.name);
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.moving').length"),
        0
    );
    if let Some(folder) = std::env::var_os("BLIS_PICTURES") {
        let file = std::path::PathBuf::from(folder).join(format!("{}-390-still.png", page.name));
        std::fs::write(file, browser.picture(390, None)).expect("a file");
    }
}

/// On paper there are images, and what is folded is open.
fn printed(browser: &mut Browser, page: &Page) {
    use base64::Engine as _;
    use serde_json::json;
    browser.open(&page.path, 1440, "dark");
    browser.ask("Emulation.setEmulatedMedia", json!({"media": "print"}));
    let shown = browser.evaluate(
        "[...document.querySelectorAll('svg.still')].filter(one => one.getBoundingClientRect().height > 60).length",
    );
    assert_eq!(
        shown.as_u64(),
        Some(page.plots as u64),
        "{} on paper",
        page.name
    );
    let back = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    assert_eq!(back, "rgb(255, 255, 255)", "{} on paper", page.name);
    if let Some(folder) = std::env::var_os("BLIS_PICTURES") {
        let paper = browser.ask(
            "Page.printToPDF",
            json!({"printBackground": true, "preferCSSPageSize": false}),
        );
        let data = paper["data"].as_str().expect("a document");
        let data = base64::engine::general_purpose::STANDARD.decode(data);
        let file = std::path::PathBuf::from(folder).join(format!("{}.pdf", page.name));
        std::fs::write(file, data.expect("base64")).expect("a file");
    }
}

/// Values are read and plots are zoomed without a pointer.
fn by_keyboard(browser: &mut Browser, page: &Page) {
    browser.open(&page.path, 1440, "light");
    let press = |key: &str| {
        format!(
            "document.querySelector('.moving').dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
        )
    };
    browser.evaluate("document.querySelector('.moving').focus()");
    let read = "document.querySelector('.legend output').textContent";
    assert_eq!(browser.evaluate(read), "");
    browser.evaluate(&press("ArrowRight"));
    browser.evaluate("new Promise(done => requestAnimationFrame(() => done(0)))");
    let value = browser.evaluate(read);
    assert!(
        value.as_str().is_some_and(|text| text.ends_with(" ms")),
        "{value}"
    );
    browser.evaluate("document.querySelector('.moving').blur()");
    let is_described = browser.evaluate(
        "[...document.querySelectorAll('svg.still')].every(one => one.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id).textContent.length > 3))",
    );
    assert_eq!(is_described, true);
}
