//! One report in three forms, and the line that tells editors the schema.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::support::{at, number, shipped, with_stdin, words};

/// The specs in `specs/`, by their paths.
fn specs() -> Vec<String> {
    let entries = std::fs::read_dir(shipped("")).expect("the specs");
    let paths = entries.map(|entry| entry.expect("an entry").path().display().to_string());
    let specs: Vec<String> = paths.filter(|path| path.ends_with(".yaml")).collect();
    assert!(specs.len() >= 6, "{specs:?}");
    specs
}

/// The rows of the tables of a Markdown document.
fn markdown_rows(document: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for event in Parser::new_ext(document, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => {
                inside = true;
                rows.last_mut().expect("a row").push(String::new());
            }
            Event::End(TagEnd::TableCell) => inside = false,
            Event::Text(text) if inside => {
                let row: &mut Vec<String> = rows.last_mut().expect("a row");
                row.last_mut().expect("a cell").push_str(&text);
            }
            _ => {}
        }
    }
    rows
}

/// What a reader sees of a Markdown document, word by word, code included.
fn markdown_words(document: &str) -> Vec<String> {
    let mut text = String::new();
    for event in Parser::new_ext(document, Options::ENABLE_TABLES) {
        match event {
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            // Between a label and its colon there is no blank.
            Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) => {}
            _ => text.push(' '),
        }
    }
    words_of(&text)
}

/// Words without the punctuation that sets labels and figures apart.
fn words_of(text: &str) -> Vec<String> {
    let words = text.split_whitespace();
    let words = words.map(|word| word.trim_end_matches([':', ',']).to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

fn same_words(text: &str, markdown: &str, title: &str) {
    let mut expected = words_of(title);
    expected.extend(words_of(text));
    assert_eq!(markdown_words(markdown), expected, "{markdown}");
}

#[test]
fn markdown_says_what_the_text_says() {
    for path in specs() {
        let name = path
            .rsplit('/')
            .next()
            .and_then(|name| name.strip_suffix(".yaml"));
        for command in [format!("run --spec {path}"), format!("check {path}")] {
            let text = words(&command);
            let markdown = words(&format!("{command} --format markdown"));
            assert_eq!((text.code, &text.stderr), (markdown.code, &markdown.stderr));
            assert!(markdown.stdout.starts_with("# "), "{}", markdown.stdout);
            same_words(&text.stdout, &markdown.stdout, name.expect("a name"));
        }
    }
}

#[test]
fn tables_in_markdown_are_tables() {
    let report = words("run --concurrency 50 --think-time-ms 500 --format markdown");
    let rows = markdown_rows(&report.stdout);
    let service = rows
        .iter()
        .find(|row| row[0] == "api")
        .expect("the service");
    assert_eq!(service.len(), 8);
    let columns: Vec<usize> = rows.iter().map(Vec::len).collect();
    // The services, the table over time, the closed form.
    let mut tables: Vec<usize> = columns.clone();
    tables.dedup();
    assert_eq!(tables, [8, 7, 4], "{rows:?}");
    assert_eq!(columns.iter().filter(|columns| **columns == 4).count(), 8);
}

#[test]
fn a_name_cannot_break_the_report() {
    let text = "blis: 1\nname: \"| *x* <b> `y` # [z](z) \\\\ _a_\"\nrun: {requests: 3}\n\
                clients: {c: {concurrency: 1, do: a}}\nactions: {a: {path: [{delay: 1s}, reply]}}\n";
    let ran = with_stdin("run --spec - --format markdown", text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let first = markdown_words(&ran.stdout);
    assert_eq!(
        first[..8].join(" "),
        "| *x* <b> `y` # [z](z) \\ _a_",
        "{}",
        ran.stdout
    );
}

#[test]
fn json_is_short_for_its_form() {
    for command in ["run --horizon 10s", "check specs/mixed.yaml"] {
        let command = command.replace(
            "specs/mixed.yaml",
            &shipped("mixed.yaml").display().to_string(),
        );
        let long = words(&format!("{command} --format json"));
        assert_eq!(long.stdout, words(&format!("{command} --json")).stdout);
        assert!(long.stdout.starts_with("{\n"), "{long:?}");
        let text = words(&format!("{command} --format text"));
        assert_eq!(text.stdout, words(&command).stdout);
        let both = words(&format!("{command} --json --format text"));
        assert_eq!(both.code, Some(2), "{both:?}");
    }
    let unknown = words("run --format pdf");
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown
            .stderr
            .contains("[possible values: text, json, markdown, html, junit, csv, csv-series]"),
        "{unknown:?}"
    );
}

#[test]
fn the_document_of_a_check_has_the_figures_of_its_report() {
    let spec = "blis: 1\nname: by-hand\nrun: {horizon: 10s}\nclients:\n  \
                closed: {concurrency: 10, think: 90ms, do: ask}\n  open: {rate: 60/s, do: ask}\n\
                actions:\n  ask: {path: [{visit: api}, reply]}\nservices:\n  api: {workers: 1, time: 10ms}\n";
    let document = with_stdin("check - --json", spec);
    let check = document.json();
    assert_eq!(at(&check, "schema"), "blis.check/1");
    assert_eq!(at(&check, "spec.name"), "by-hand");
    let sha = |text: &str| Value::from(blis_sim::spec::sha256(text));
    assert_eq!(at(&check, "spec.sha256"), &sha(spec));
    let resolved = at(&check, "resolved").as_str().expect("text");
    assert_eq!(at(&check, "spec.resolved_sha256"), &sha(resolved));
    assert_eq!(
        with_stdin("check - --json", resolved).json()["resolved"],
        resolved
    );
    for (path, expected) in [
        ("offered.clients.closed.requests_per_s", 100.0),
        ("offered.clients.closed.unloaded_response_ms", 10.0),
        ("offered.clients.open.requests_per_s", 60.0),
        ("offered.services.api.visits_per_s", 160.0),
        ("offered.services.api.service_time_ms", 10.0),
        ("offered.services.api.utilisation", 1.6),
        ("offered.services.api.capacity_rps", 100.0),
        ("offered.services.api.workers", 1.0),
    ] {
        let figure = number(&check, path);
        assert!((figure / expected - 1.0).abs() < 1e-9, "{path}: {figure}");
    }
    assert_eq!(at(&check, "offered.clients.closed.at_most"), true);
    assert_eq!(at(&check, "offered.clients.open.at_most"), false);
    let warnings = at(&check, "warnings").as_array().expect("a list");
    let told: String = warnings
        .iter()
        .map(|warning| format!("blis: warning: {}\n", warning.as_str().expect("text")))
        .collect();
    assert_eq!((warnings.len(), told), (1, document.stderr));
    assert!(at(&check, "theory.not_applicable").is_string());
}

#[test]
fn what_has_no_bound_is_absent_from_a_check() {
    let spec = "blis: 1\nname: no-time\nrun: {requests: 10}\nclients: {c: {concurrency: 1, do: a}}\n\
                actions: {a: {path: [reply]}}\n";
    let check = with_stdin("check - --json", spec).json();
    let client = at(&check, "offered.clients.c")
        .as_object()
        .expect("an object");
    assert!(!client.contains_key("requests_per_s"), "{client:?}");
    assert_eq!(client["unloaded_response_ms"], 0.0);
}

/// What the first line of a spec must be.
const MODELINE: &str = "# yaml-language-server: $schema=spec.schema.json";

#[test]
fn every_spec_tells_editors_its_schema() {
    for path in specs() {
        let text = std::fs::read_to_string(&path).expect("the spec");
        assert_eq!(text.lines().next(), Some(MODELINE), "{path}");
        let resolved = words(&format!("check {path}")).stdout;
        assert_eq!(resolved.lines().next(), Some(MODELINE), "{path} resolved");
    }
}

#[test]
fn a_run_directory_holds_the_schema_its_spec_refers_to_and_the_report() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("run");
    let ran = words(&format!(
        "run --horizon 10s --format markdown --out {}",
        directory.display()
    ));
    let file = |name: &str| {
        std::fs::read_to_string(directory.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    };
    let spec = file("spec.yaml");
    let (_, schema) = MODELINE.split_once('=').expect("a path");
    assert_eq!(spec.lines().next(), Some(MODELINE));
    assert_eq!(file(schema), words("schema spec").stdout);
    assert_eq!(file("report.md"), ran.stdout);
    let result: BTreeMap<String, Value> =
        serde_json::from_str(&file("result.json")).expect("a result");
    let sha = blis_sim::spec::sha256(&spec);
    assert_eq!(
        result["spec"]["resolved_sha256"], sha,
        "the file is what was run"
    );
}
