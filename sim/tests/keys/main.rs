//! Every key of the language: its example, and that it changes some result.
//!
//! `examples.txt` has an example of each key and of each word that a key accepts. The schema of specs says which there
//! are, so that none is forgotten; each example is simulated beside what it is compared with, so that none is dead; and
//! the tables in docs/reference/spec-language.md are made of both, so that what they show is what runs. `BLIS_BLESS=1`
//! writes them anew.

mod reference;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use blis_sim::engine::LoadEnd;
use blis_sim::model::Model;
use blis_sim::replication::{Watch, find_warmup, simulate};
use blis_sim::result::{self, Provenance};
use blis_sim::spec::{self, Assignment, Files, Spec};
use blis_sim::time::Span;

const BASE: &str = include_str!("base.yaml");
const EXAMPLES: &str = include_str!("examples.txt");

/// The example of a key.
struct Example {
    key: String,
    /// What it is compared with.
    before: Vec<String>,
    with: Vec<String>,
}

fn examples() -> Vec<Example> {
    let lines = EXAMPLES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let sets = |side: &str| -> Vec<String> {
        let sets = side.trim().split(" & ").filter(|set| !set.is_empty());
        sets.map(str::to_owned).collect()
    };
    lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, '|').collect();
            let [key, before, with] = parts[..] else {
                panic!("KEY | compared with | example: {line}");
            };
            Example {
                key: key.trim().to_owned(),
                before: sets(before),
                with: sets(with),
            }
        })
        .collect()
}

fn files() -> Files {
    let mut files = Files::default();
    files.insert("arrivals.csv", "time\n0\n0.1\n0.25\n1.5\n");
    files.insert("late.csv", "time\n0.2\n0.3\n0.5\n1.5\n");
    files.insert("times.csv", "value\n5ms\n8ms\n21ms\n");
    files.insert("question.json", "{\"from\": {user}}\n");
    files
}

fn watch() -> Watch<'static> {
    Watch {
        stop: &|| false,
        most_present: 1_000_000,
    }
}

fn told(errors: spec::SpecErrors) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// The base with these values set.
fn spec_of(sets: &[String]) -> Result<Spec, String> {
    let assignments: Result<Vec<Assignment>, _> = sets.iter().map(|set| set.parse()).collect();
    let assignments = assignments.map_err(|error| error.to_string())?;
    spec::read_with(BASE, &assignments).map_err(told)
}

fn lowered(spec: &Spec) -> Result<Model, String> {
    Ok(spec::lower_with(spec, &files()).map_err(told)?.model)
}

/// The model of the base with these values set.
fn model_of(sets: &[String]) -> Result<Model, String> {
    lowered(&spec_of(sets)?)
}

/// The result document of the base with these values set, without what only repeats the spec.
fn result_of(sets: &[String]) -> Result<serde_json::Value, String> {
    let mut model = model_of(sets)?;
    if model.limits.find_warmup {
        let pilot = find_warmup(&model, watch()).map_err(|halt| halt.to_string())?;
        model.limits.warmup = pilot.warmup;
    }
    let finished = simulate(&model, watch(), |_| ()).map_err(|halt| halt.to_string())?;
    let provenance = Provenance {
        sha256: String::new(),
        resolved_sha256: String::new(),
        files: BTreeMap::new(),
        configuration: BTreeMap::new(),
        ended_by: LoadEnd::Idle,
        record: None,
        not_measured: Vec::new(),
        mode: result::Mode::Simulated {
            events: finished.events,
            simulated: Span::ZERO,
        },
    };
    let run = result::build(
        &model,
        Some(&blis_sim::analysis::Analysis::of(&model)),
        &finished.measure,
        provenance,
    );
    let mut document = serde_json::to_value(run).map_err(|error| error.to_string())?;
    if let Some(blocks) = document.as_object_mut() {
        // What was reckoned from the model is not what the simulation did with it.
        blocks.remove("theory");
        blocks.remove("bottleneck");
    }
    Ok(document)
}

#[test]
fn every_key_has_an_example_and_every_example_a_key() {
    let keys: BTreeSet<String> = schema::keys().into_iter().map(|key| key.name()).collect();
    let mut seen = BTreeSet::new();
    for example in examples() {
        assert!(
            seen.insert(example.key.clone()),
            "{} stands twice",
            example.key
        );
    }
    let missing: Vec<_> = keys.difference(&seen).collect();
    assert!(
        missing.is_empty(),
        "keys without an example in examples.txt: {missing:?}"
    );
    let unknown: Vec<_> = seen.difference(&keys).collect();
    assert!(
        unknown.is_empty(),
        "examples of what is no key: {unknown:?}"
    );
}

/// The one key that changes no result: it is refused unless it is what it is.
const VERSION: &str = "Spec.blis";
/// What only a real cluster sees. That it has its effect there is held by `tests/live`; here it must change the model,
/// and nothing that a simulation measures.
const LIVE: [&str; 16] = [
    "Spec.connections",
    "Action.live",
    "Action.payload",
    "Live.",
    "Key.",
    "Stored.",
    "Payload.",
    "Connections=",
    "Condition.",
    "Delivery.",
    "By=",
    "Client.connections",
    "Spec.variables",
    "Variable.",
    "Per=",
    "Size",
];

fn is_live(key: &str) -> bool {
    LIVE.iter().any(|known| key.starts_with(known))
}

#[test]
fn every_key_changes_some_result() {
    let mut dead = Vec::new();
    let mut results: BTreeMap<Vec<String>, serde_json::Value> = BTreeMap::new();
    for example in examples().iter().filter(|example| example.key != VERSION) {
        let mut of = |sets: &Vec<String>| {
            if let Some(result) = results.get(sets) {
                return result.clone();
            }
            let result = result_of(sets).unwrap_or_else(|why| panic!("{}: {why}", example.key));
            results.insert(sets.clone(), result.clone());
            result
        };
        let same = of(&example.before) == of(&example.with);
        if is_live(&example.key) {
            assert!(same, "{} changes a simulation", example.key);
            let models = [&example.before, &example.with].map(|sets| model_of(sets));
            assert!(models[0] != models[1], "{} changes nothing", example.key);
        } else if same {
            dead.push(example.key.clone());
        }
    }
    assert!(dead.is_empty(), "without effect on any result: {dead:?}");
    let another = result_of(&["blis=2".to_owned()]).expect_err("another version is refused");
    assert!(another.contains("version"), "{another}");
}

impl Example {
    /// Whether a text has the key or the word that this is an example of.
    fn is_in(&self, text: &str) -> bool {
        let word = self.key.split(['.', '=']).nth(1).unwrap_or_default();
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|found| found == word)
    }
}

#[test]
fn an_example_shows_its_key() {
    for example in examples() {
        let shown = example.with.iter().any(|set| example.is_in(set));
        assert!(shown, "{}: {:?}", example.key, example.with);
    }
}

/// The one word that is written back as another form: a constant is a bare value.
const BARE: &str = "Distribution=constant";

/// As every example changes the model, a key that is not written back, or not as it was, does not go unnoticed.
#[test]
fn every_key_is_written_back() {
    for example in examples() {
        let whole = |why: String| panic!("{}: {why}", example.key);
        let spec = spec_of(&example.with).unwrap_or_else(whole);
        let resolved = spec::resolved(&spec);
        let again = spec::read(&resolved).map_err(told).unwrap_or_else(whole);
        assert!(
            lowered(&again) == lowered(&spec),
            "{} is another model:\n{resolved}",
            example.key
        );
        assert_eq!(spec::resolved(&again), resolved, "{}", example.key);
        assert!(
            example.is_in(&resolved) || example.key == BARE,
            "{} is not in\n{resolved}",
            example.key
        );
    }
}

/// Names may be words that YAML takes for something else.
#[test]
fn a_name_is_written_back_as_a_name() {
    for name in ["null", "Null", "true", "FALSE", "no", "api"] {
        let sets = [
            format!("services.{name}={{workers: 1, time: 1ms}}"),
            format!("actions.{name}={{path: [{{visit: \"{name}\"}}, reply]}}"),
            format!("clients.users.do=\"{name}\""),
        ];
        let whole = |why: String| panic!("{name}: {why}");
        let spec = spec_of(&sets).unwrap_or_else(whole);
        let again = spec::read(&spec::resolved(&spec)).map_err(told);
        let again = again.unwrap_or_else(whole);
        assert!(lowered(&again) == lowered(&spec), "{name}");
        assert!(lowered(&spec).is_ok(), "{name}");
    }
}

#[test]
fn the_reference_is_current() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/reference/spec-language.md"
    );
    let published = std::fs::read_to_string(path).expect("the reference is published");
    let made = reference::written(&published, &schema::definitions(), &examples());
    let made = made.unwrap_or_else(|problems| panic!("{path}:\n{}", problems.join("\n")));
    if std::env::var_os("BLIS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, &made).expect("the reference can be written");
    } else {
        assert!(
            published == made,
            "the tables in docs/reference/spec-language.md are out of date: run the tests with BLIS_BLESS=1"
        );
    }
}
