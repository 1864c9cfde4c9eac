//! The documents, executed: every example in them is run, and what it prints is what they show.
//!
//! | fence | what is checked |
//! |---|---|
//! | `console` | each line `$ command` is run; output, messages and `# exit N` are exactly those shown |
//! | `console live` | the same against a real server with a service at `my.svc`: figures may be others, words may not; messages count where it fails |
//! | `yaml` | a complete spec, which `blis check` accepts without a warning; `yaml NAME` also saves it as NAME |
//! | `yaml fragment` | a part of a spec, accepted once it is put into a complete one |
//! | `yaml refused NAME` | a spec that is refused, saved as NAME for the console example that shows how |
//! | `yaml workflow` | a CI workflow: YAML whose lines that call blis are commands that blis accepts, not run |
//! | `json COMMAND` | a part of what the command prints |
//! | `sh` | a command from a list, because running it would run this test again or take minutes |
//!
//! Any other fence, an indented block and an unknown command are failures, so that nothing is skipped. Links and the
//! paths of source files must lead somewhere, and the reference must name every key of the schemas.
//!
//! `BLIS_BLESS=1` writes what the commands print into the documents instead of comparing it.

mod check;
mod links;
mod markdown;
mod scratch;
#[path = "../live/server.rs"]
#[allow(dead_code)]
mod server;
mod spec;
mod stranger;
#[path = "../live/wire.rs"]
#[allow(dead_code)]
mod wire;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use check::check;
use scratch::Scratch;

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents, by their paths from the root.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in root()
            .join(&folder)
            .read_dir()
            .expect("the folder is readable")
        {
            let path = folder.join(entry.expect("the entry is readable").file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    for entry in root().read_dir().expect("the root is readable") {
        let name = PathBuf::from(entry.expect("the entry is readable").file_name());
        if name.extension().is_some_and(|extension| extension == "md") {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn read(document: &Path) -> String {
    std::fs::read_to_string(root().join(document))
        .unwrap_or_else(|error| panic!("{}: {error}", document.display()))
}

#[test]
fn every_example_does_what_it_shows() {
    let bless = std::env::var_os("BLIS_BLESS").is_some_and(|value| value == "1");
    let mut problems = Vec::new();
    for document in documents() {
        let source = read(&document);
        let checked = check(&source, &Scratch::new(), bless);
        if checked.source != source {
            std::fs::write(root().join(&document), &checked.source)
                .expect("the document is writable");
        }
        let place = |problem| format!("{}:{problem}", document.display());
        problems.extend(checked.problems.into_iter().map(place));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn the_documents_that_a_newcomer_expects_are_there() {
    let documents: BTreeSet<PathBuf> = documents().into_iter().collect();
    for expected in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/README.md",
        "docs/SUMMARY.md",
        "docs/tutorials/first-run.md",
        "docs/tutorials/first-live-run.md",
        "docs/how-to/gate-a-build.md",
        "docs/how-to/read-a-report.md",
        "docs/reference/commands.md",
        "docs/reference/exit-codes.md",
        "docs/reference/glossary.md",
        "docs/reference/spec-language.md",
        "docs/explanation/semantics.md",
        "docs/explanation/performance.md",
    ] {
        assert!(
            documents.contains(Path::new(expected)),
            "{expected} is missing"
        );
    }
}

#[test]
fn links_and_paths_lead_somewhere() {
    let mut problems = Vec::new();
    for document in documents() {
        for problem in links::problems(root(), &document, &read(&document)) {
            problems.push(format!("{}: {problem}", document.display()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_readme_shows_the_first_command_as_it_is_typed() {
    let readme = read(Path::new("README.md"));
    for command in [
        "cargo run --release -- run --concurrency 50 --think-time-ms 500",
        "tests/run",
    ] {
        assert!(readme.lines().any(|line| line == command), "{command}");
    }
}

/// The keys of the objects of a JSON Schema, and the words of its enumerations.
fn names(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            for key in ["enum", "const"] {
                let words = match object.get(key) {
                    Some(Value::Array(words)) => words.as_slice(),
                    Some(word) => std::slice::from_ref(word),
                    None => &[],
                };
                found.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            object.values().for_each(|value| names(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

/// The page of specs, that of results, and that of all other documents, which have parts of a result.
const SPECS: &str = "docs/reference/spec-language.md";
const RESULTS: &str = "docs/reference/result.md";
const OTHERS: &str = "docs/reference/documents.md";

/// By schema: the pages that name its keys, and how many there are at least.
const KEYS: [(&str, &[&str], usize); 10] = [
    ("spec", &[SPECS], 60),
    ("result", &[RESULTS], 60),
    ("check", &[RESULTS, OTHERS], 40),
    ("explain", &[OTHERS], 20),
    ("whatif", &[RESULTS, OTHERS], 30),
    ("compare", &[RESULTS, OTHERS], 40),
    ("ceiling", &[RESULTS, OTHERS], 60),
    ("validation", &[RESULTS, OTHERS], 60),
    ("calibration", &[RESULTS, OTHERS], 30),
    ("manifest", &[RESULTS, OTHERS], 15),
];

#[test]
fn the_reference_names_every_key() {
    for (schema, pages, least) in KEYS {
        let text: String = pages.iter().map(|page| read(Path::new(page))).collect();
        let words = markdown::code_words(&text);
        let ran = Scratch::new().run(&format!("blis schema {schema}"));
        let schema: Value = serde_json::from_str(&ran.stdout).expect("a schema is JSON");
        let mut names_of_schema = BTreeSet::new();
        names(&schema, &mut names_of_schema);
        assert!(names_of_schema.len() >= least, "{names_of_schema:?}");
        let missing: Vec<&String> = names_of_schema
            .iter()
            .filter(|name| !words.contains(*name))
            .collect();
        assert!(missing.is_empty(), "{pages:?} do not name {missing:?}");
    }
}

/// The page that gives the reason for each dependency.
const DEPENDENCIES: &str = "docs/explanation/decisions/dependencies.md";

/// The names of the direct dependencies in a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut listed = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            listed = matches!(line, "[dependencies]" | "[dev-dependencies]");
        } else if let Some((name, _)) = line.split_once(['=', '.']).filter(|_| listed) {
            found.insert(name.trim().to_owned());
        }
    }
    found
}

#[test]
fn every_dependency_has_its_reason() {
    let decisions = markdown::code_words(&read(Path::new(DEPENDENCIES)));
    for manifest in ["Cargo.toml", "sim/Cargo.toml"] {
        let found = dependencies(&read(Path::new(manifest)));
        assert!(found.len() >= 5, "{manifest}: {found:?}");
        let silent: Vec<&String> = found
            .iter()
            .filter(|name| *name != "blis-sim" && !decisions.contains(*name))
            .collect();
        assert!(silent.is_empty(), "{DEPENDENCIES} is silent on {silent:?}");
    }
}

/// Where the reference says that words are reserved, with a spec's part that writes `WORD` there.
const PLACES: &[(&str, &str)] = &[
    ("top level", "{WORD: {}}"),
    ("client", "{clients: {x: {rate: 1/s, do: ask, WORD: {}}}}"),
    (
        "`session`",
        "{clients: {x: {rate: 1/s, do: ask, session: {rounds: 2, WORD: {}}}}}",
    ),
    ("path step", "{actions: {x: {path: [{WORD: {}}, reply]}}}"),
    (
        "service",
        "{services: {x: {workers: 1, time: 1ms, WORD: {}}}}",
    ),
];

#[test]
fn every_reserved_word_of_the_reference_is_refused_as_such() {
    let text = read(Path::new(SPECS));
    let (_, section) = text
        .split_once("## Reserved")
        .expect("the section is there");
    let scratch = Scratch::new();
    let mut rows = 0;
    for (place, part) in PLACES {
        let row = section
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| {place} |")));
        let row = row.unwrap_or_else(|| panic!("no row for {place}"));
        for word in markdown::inline_code(row) {
            let spec = spec::complete(&part.replace("WORD", &word)).expect("a part of a spec");
            scratch.save("reserved.yaml", &spec);
            let ran = scratch.run("blis check reserved.yaml");
            let refused = format!("`{word}` is part of the language");
            assert_eq!(ran.code, 2, "{place}: {word}");
            assert!(ran.stderr.contains(&refused), "{place}: {}", ran.stderr);
        }
        rows += 1;
    }
    let listed = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .count();
    assert_eq!(listed, rows + 1, "a row of the table has no place here");
}
