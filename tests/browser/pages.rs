//! A page of each kind of report.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::server::program;

/// A page in a file.
pub struct Page {
    /// What it is of.
    pub name: &'static str,
    /// The file.
    pub path: PathBuf,
    /// How many plots it has to have.
    pub plots: usize,
    _folder: std::rc::Rc<TempDir>,
}

const SHOP: &str = "\
blis: 1
name: shop
run: {horizon: 40s, warmup: 4s}
clients: {users: {rate: 260/s, timeout: 500ms, do: {buy: 3, look: 1}}}
actions:
  buy: {path: [{visit: api}, {visit: store}, reply], live: {request: shop.buy}, slo: {p99: 120ms, errors: 2%}}
  look: {path: [{visit: api}, reply], live: {request: shop.look}}
services:
  api: {workers: 4, time: {exponential: {mean: 8ms}}, errors: 1%}
  store: {workers: 2, time: {exponential: {mean: 8ms}}}
";

/// All of them.
pub fn all() -> Vec<Page> {
    let folder = std::rc::Rc::new(tempfile::tempdir().expect("a folder"));
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("shop.yaml"), SHOP).expect("a spec");
    let spec = at("shop.yaml");
    let streams = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/streams.yaml");
    let (one, other) = (at("one"), at("other"));
    blis(&format!("run {spec} --out {one}"));
    blis(&format!(
        "run {spec} --out {other} --seed 2 --set services.store.workers=3"
    ));
    let mut commands: Vec<(&'static str, String, usize)> = vec![
        (
            "quickstart",
            "run --concurrency 50 --think-time-ms 500".to_owned(),
            7,
        ),
        ("run", format!("report {one}"), 8),
        ("streams", format!("run --spec {streams}"), 0),
        ("explain", format!("explain {one}"), 2),
        (
            "compare",
            format!("compare {one} {other} --tolerance p99=10%"),
            8,
        ),
        (
            "whatif",
            format!("whatif {spec} --set services.store.workers=3 --replications 5"),
            2,
        ),
        (
            "max-rps",
            format!("max-rps {spec} --search 50..400 --hold 4s --warmup 1s --precision 10%"),
            0,
        ),
        ("check", format!("check {spec}"), 0),
    ];
    if let Some([validation, live]) = measured(&spec, &at("validation")) {
        commands.push(("validation", format!("report {validation}"), 9));
        commands.push(("observe", format!("report {live}"), 0));
    }
    let pages = commands.into_iter().map(|(name, command, plots)| {
        let page = blis(&format!("{command} --format html"));
        let path = PathBuf::from(at(&format!("{name}.html")));
        std::fs::write(&path, &page).expect("a page");
        let there = page.matches("<figure class=\"plot\"").count();
        // Where the number depends on the spec, what is there has to be drawn.
        assert!(plots == 0 || plots == there, "{name} has {there} plots");
        Page {
            name,
            path,
            plots: there,
            _folder: folder.clone(),
        }
    });
    pages.collect()
}

/// A validation and a live run of it, which need a server.
fn measured(spec: &str, out: &str) -> Option<[String; 2]> {
    let version = Command::new(program()).arg("--version").output();
    if version.is_err() {
        eprintln!("skipped: no nats-server, so that there is no live page to look at");
        return None;
    }
    blis(&format!(
        "validate {spec} --local --predict-at 60,120,180 --repeats 2 --hold 2s --warmup 300ms --cooldown 100ms --quiet --out {out}"
    ));
    let trials = std::fs::read_dir(format!("{out}/trials")).expect("trials");
    let mut trials: Vec<String> = trials
        .map(|entry| entry.expect("an entry").path().display().to_string())
        .collect();
    trials.sort();
    let live = trials.iter().find(|trial| {
        let result = std::fs::read_to_string(format!("{trial}/result.json"));
        result.is_ok_and(|text| text.contains("\"mode\": \"live\""))
    });
    Some([out.to_owned(), live.expect("a live run").clone()])
}

/// What the program prints.
fn blis(line: &str) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(line.split_whitespace())
        .env("BLIS_NATS_SERVER", program())
        .output()
        .expect("the program");
    assert!(
        matches!(ran.status.code(), Some(0 | 5 | 99)),
        "{line}: {ran:?}"
    );
    String::from_utf8(ran.stdout).expect("text")
}
