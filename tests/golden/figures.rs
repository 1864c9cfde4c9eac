//! The figures of a result by their canonical keys, apart from the document that they stand in.
//!
//! A figure is a number, a truth value, or one of the few words that decide something ([`WORDS`]); sentences, hashes and
//! settings are none. Its canonical key is the path in the document, by the names that it had when it was first
//! committed: a renamed key has a line in [`RENAMED`], so that renaming neither hides a change nor looks like one. The
//! rows of a table (`series`, `replications.each`) are one figure a column: its length and a hash of its values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The figures of every run by the arguments of the run, then by canonical key.
pub type Figures = BTreeMap<String, BTreeMap<String, String>>;

/// Keys that were renamed or moved: the name in the document, and the canonical one. Each stands for a key and for all
/// below it; `*` stands for one part of a key, whatever it is.
const RENAMED: &[(&str, &str)] = &[(
    "bottleneck.capacity_per_s",
    "bottleneck.capacity_visits_per_s",
)];

/// Parts of a document that are no figures: what was run, and sentences.
const NOT_FIGURES: &[&str] = &[
    "blis_version",
    "configuration",
    "intervals.absent",
    "schema",
    "spec",
    "verdict.reasons",
];

/// Keys whose word is a figure: it says how something ended.
const WORDS: &[&str] = &["ended_by", "standing", "status"];

/// The figures of a document.
pub fn of(document: &str) -> BTreeMap<String, String> {
    let document: Value = serde_json::from_str(document).expect("a document is JSON");
    let mut found = BTreeMap::new();
    collect(&document, &mut Vec::new(), &mut found);
    let mut figures = BTreeMap::new();
    for (key, values) in found {
        let key = canonical(&key, RENAMED);
        let value = match values {
            Values::One(value) => value,
            Values::Column(values) => {
                let hash = blis_sim::spec::sha256(values.join(" "));
                format!("{} values {}", values.len(), &hash[..16])
            }
        };
        let twice = figures.insert(key.clone(), value);
        assert!(twice.is_none(), "{key} is the canonical key of two figures");
    }
    figures
}

/// What stands at a key.
enum Values {
    One(String),
    Column(Vec<String>),
}

fn collect(value: &Value, path: &mut Vec<String>, found: &mut BTreeMap<String, Values>) {
    let key = path.join(".");
    if NOT_FIGURES.contains(&key.as_str()) {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                path.push(name.clone());
                collect(field, path, found);
                path.pop();
            }
        }
        // The ends of an interval, a few objects: each has a key. Rows of a table: a column has.
        Value::Array(rows) => {
            for (row, value) in rows.iter().enumerate() {
                let table = rows.len() > 8
                    || path
                        .last()
                        .is_some_and(|name| TABLES.contains(&name.as_str()));
                path.push(if table {
                    "[]".to_owned()
                } else {
                    row.to_string()
                });
                collect(value, path, found);
                path.pop();
            }
        }
        Value::String(word) => {
            if path
                .last()
                .is_some_and(|name| WORDS.contains(&name.as_str()))
            {
                keep(key, word.clone(), found);
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => keep(key, value.to_string(), found),
    }
}

/// Arrays that are tables, however short.
const TABLES: &[&str] = &["each", "series"];

fn keep(key: String, value: String, found: &mut BTreeMap<String, Values>) {
    if !key.contains("[]") {
        found.insert(key, Values::One(value));
        return;
    }
    match found.entry(key).or_insert(Values::Column(Vec::new())) {
        Values::Column(values) => values.push(value),
        Values::One(_) => unreachable!("a key with [] is a column"),
    }
}

/// The canonical key, given what was renamed.
fn canonical(key: &str, renamed: &[(&str, &str)]) -> String {
    let parts: Vec<&str> = key.split('.').collect();
    for (new, old) in renamed {
        let new: Vec<&str> = new.split('.').collect();
        let fits = new.len() <= parts.len()
            && new
                .iter()
                .zip(&parts)
                .all(|(pattern, part)| *pattern == "*" || pattern == part);
        if !fits {
            continue;
        }
        let mut wild = new
            .iter()
            .zip(&parts)
            .filter(|(pattern, _)| **pattern == "*")
            .map(|(_, part)| *part);
        let mut name: Vec<&str> = old
            .split('.')
            .map(|part| {
                if part == "*" {
                    wild.next().expect("as many * on either side")
                } else {
                    part
                }
            })
            .collect();
        name.extend(&parts[new.len()..]);
        return name.join(".");
    }
    key.to_owned()
}

/// What differs, a line each: figures that changed, that are gone, and that are new.
pub fn differences(golden: &Figures, now: &Figures) -> Vec<String> {
    let mut lines = Vec::new();
    let none = BTreeMap::new();
    for args in golden
        .keys()
        .chain(now.keys().filter(|args| !golden.contains_key(*args)))
    {
        let (before, after) = (
            golden.get(args).unwrap_or(&none),
            now.get(args).unwrap_or(&none),
        );
        for (key, value) in before {
            match after.get(key) {
                Some(same) if same == value => {}
                Some(other) => lines.push(format!("changed: {args}: {key}: {value} -> {other}")),
                None => lines.push(format!("gone: {args}: {key}: {value}")),
            }
        }
        for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            lines.push(format!("new: {args}: {key}: {value}"));
        }
    }
    lines.sort_by_key(|line| !line.starts_with("changed"));
    lines
}

/// The text of figures: a head line for each run, and below it a line for each figure.
pub fn write(figures: &Figures) -> String {
    let mut text = String::new();
    for (args, figures) in figures {
        let _ = writeln!(text, "# {args}");
        for (key, value) in figures {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
}

/// Reads what [`write`] wrote.
pub fn read(text: &str) -> Figures {
    let mut figures = Figures::new();
    let mut run = None;
    for line in text.lines() {
        if let Some(args) = line.strip_prefix("# ") {
            run = Some(figures.entry(args.to_owned()).or_default());
        } else {
            let (key, value) = line.split_once(" = ").expect("a key and a value");
            let run = run.as_mut().expect("a run before its figures");
            run.insert(key.to_owned(), value.to_owned());
        }
    }
    figures
}

#[test]
fn a_renamed_key_is_no_change_and_hides_none() {
    let renamed = [("services.*.load", "services.*.utilisation")];
    assert_eq!(
        canonical("services.api.load", &renamed),
        "services.api.utilisation"
    );
    assert_eq!(
        canonical("services.api.load.0", &renamed),
        "services.api.utilisation.0"
    );
    assert_eq!(canonical("services.load", &renamed), "services.load");
    assert_eq!(
        canonical("services.api.wait", &renamed),
        "services.api.wait"
    );
}

#[test]
fn figures_are_told_from_words_and_changes_from_new_and_lost_ones() {
    let figures = |document: &str| Figures::from([("run".to_owned(), of(document))]);
    let before = figures(
        r#"{"schema": "s/1", "ended_by": "idle", "n": 1, "ci": [1, 2], "series": [{"a": 1}, {"a": 2}], "why": "words"}"#,
    );
    let keys: Vec<&str> = before["run"].keys().map(String::as_str).collect();
    assert_eq!(keys, ["ci.0", "ci.1", "ended_by", "n", "series.[].a"]);
    assert_eq!(read(&write(&before)), before);
    let after = figures(
        r#"{"schema": "s/2", "ended_by": "idle", "m": 1, "ci": [1, 3], "series": [{"a": 2}, {"a": 1}], "why": "other"}"#,
    );
    let differences = differences(&before, &after);
    let starts = [
        "changed: run: ci.1",
        "changed: run: series.[].a",
        "gone: run: n",
        "new: run: m",
    ];
    assert_eq!(differences.len(), starts.len(), "{differences:?}");
    for (line, start) in differences.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(self::differences(&before, &before).is_empty());
}
