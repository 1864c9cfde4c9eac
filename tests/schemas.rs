//! The published JSON Schemas of documents are those the types give, and documents and specs keep to theirs.
//!
//! `BLIS_BLESS=1` writes `specs/result.schema.json`, `specs/check.schema.json` and `specs/explain.schema.json` anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use blis_sim::spec::node::{Kind, Node, Value as Written};
use blis_sim::spec::yaml;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn published(name: &str) -> PathBuf {
    Path::new(ROOT).join("specs").join(name)
}

fn blis(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(args)
        .current_dir(ROOT)
        .output()
        .expect("the binary can be run");
    String::from_utf8(output.stdout).expect("text")
}

/// A validator of the schema `spec` or `result`, which is the published one as far as the tests above pass.
fn validator(of: &str) -> Validator {
    let text = blis(&["schema", of]);
    let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    jsonschema::draft7::meta::validate(&schema).expect("the schema is one of draft 7");
    jsonschema::validator_for(&schema).expect("the schema is valid")
}

fn complaints(validator: &Validator, document: &Value) -> Vec<String> {
    let complaint =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(document).map(complaint).collect()
}

/// Holds when `specs/` has the schema that the types give.
fn is_current(of: &str, generated: &str) {
    let path = published(&format!("{of}.schema.json"));
    assert_eq!(blis(&["schema", of]), generated);
    if std::env::var_os("BLIS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, generated).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(&path).expect("the schema is published");
    assert!(
        published == generated,
        "specs/{of}.schema.json is out of date: run the tests with BLIS_BLESS=1"
    );
}

#[test]
fn the_published_schema_of_the_result_is_current() {
    is_current("result", &blis_sim::result::json_schema());
}

#[test]
fn the_published_schema_of_a_check_is_current() {
    is_current("check", &blis_sim::result::check_json_schema());
}

#[test]
fn the_published_schema_of_an_explanation_is_current() {
    is_current("explain", &blis_sim::explain::json_schema());
}

#[test]
fn the_published_schema_of_a_validation_is_current() {
    // That validations keep to it is held where there is a server, in tests/live.
    is_current(
        "validation",
        &blis_sim::validation::validation_json_schema(),
    );
}

#[test]
fn the_published_schema_of_a_calibration_is_current() {
    // That calibrations keep to it is held in tests/cli.
    is_current(
        "calibration",
        &blis_sim::calibration::calibration_json_schema(),
    );
}

#[test]
fn the_published_schema_of_a_manifest_is_current() {
    // That manifests keep to it is held where there is a server, in tests/live.
    is_current("manifest", &blis_sim::result::manifest_json_schema());
}

#[test]
fn explanations_keep_to_their_schema() {
    let validator = validator("explain");
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("run").display().to_string();
    blis(&["run", "--spec", "specs/branches.yaml", "--out", &directory]);
    let document: Value =
        serde_json::from_str(&blis(&["explain", &directory, "--json"])).expect("an explanation");
    assert_eq!(complaints(&validator, &document), [""; 0]);
    let mut spoilt = document;
    spoilt["quantiles"][0]["band"] = json!("narrow");
    assert!(!validator.is_valid(&spoilt));
}

#[test]
fn checks_keep_to_their_schema() {
    let validator = validator("check");
    let none: [String; 0] = [];
    for spec in shipped() {
        let document: Value =
            serde_json::from_str(&blis(&["check", &spec, "--json"])).expect("a document");
        assert_eq!(complaints(&validator, &document), none, "{spec}");
        let mut spoilt = document;
        spoilt["offered"]["services"] = json!([]);
        assert!(!validator.is_valid(&spoilt), "{spec}");
    }
}

#[test]
fn the_published_schema_of_a_comparison_of_runs_is_current() {
    is_current("compare", &blis_sim::compare::compare_json_schema());
}

#[test]
fn comparisons_of_runs_keep_to_their_schema() {
    let validator = validator("compare");
    let home = tempfile::tempdir().expect("a directory");
    let run = |name: &str, more: &[&str]| {
        let directory = home.path().join(name).display().to_string();
        let spec = ["run", "specs/mixed.yaml", "--out", &directory];
        blis(&[&spec[..], more].concat());
        directory
    };
    let (one, other) = (
        run("one", &["--record"]),
        run("other", &["--record", "--seed", "7"]),
    );
    // Nothing is answered there, and nothing was recorded.
    let nothing = run("nothing", &["--set", "services.api.errors=100%"]);
    for other in [&other, &nothing] {
        let flags = ["--json", "--tolerance", "p99=10%,throughput=-2%"];
        let text = blis(&[&["compare", &one, other][..], &flags].concat());
        let document: Value = serde_json::from_str(&text).expect("a comparison");
        assert_eq!(complaints(&validator, &document), [""; 0]);
        let mut spoilt = document;
        spoilt["tolerances"][0]["standing"] = json!("near");
        assert!(!validator.is_valid(&spoilt));
    }
}

#[test]
fn the_published_schema_of_a_comparison_is_current() {
    is_current("whatif", &blis_sim::result::comparison_json_schema());
}

#[test]
fn comparisons_keep_to_the_schema() {
    let validator = validator("whatif");
    let none: [String; 0] = [];
    let compared = |spec: &str, set: &str, more: &[&str]| {
        let args = [
            "whatif",
            spec,
            "--set",
            set,
            "--json",
            "--replications",
            "2",
        ];
        let text = blis(
            &args
                .into_iter()
                .chain(more.iter().copied())
                .collect::<Vec<_>>(),
        );
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{spec}: {error}"))
    };
    let good = compared("specs/mixed.yaml", "services.api.workers=5", &[]);
    assert_eq!(complaints(&validator, &good), none);
    // Too few requests for quantiles, and a single replication.
    let few = ["--num-requests", "20", "--replications", "1"];
    let poor = blis(
        &[
            "whatif",
            "specs/quickstart.yaml",
            "--set",
            "services.api.workers=5",
            "--json",
        ]
        .into_iter()
        .chain(few)
        .collect::<Vec<_>>(),
    );
    let poor: Value = serde_json::from_str(&poor).expect("a comparison");
    assert_eq!(complaints(&validator, &poor), none);
    let mut bad = good;
    bad["figures"][0]["base"] = json!("fast");
    assert!(!validator.is_valid(&bad));
}

#[test]
fn the_published_schema_of_a_ceiling_is_current() {
    is_current("ceiling", &blis_sim::result::ceiling_json_schema());
}

#[test]
fn ceilings_keep_to_the_schema() {
    let validator = validator("ceiling");
    let none: [String; 0] = [];
    let hold = ["--warmup", "1s", "--hold", "10s"];
    for more in [
        &["--steps", "20,900"][..],
        &["--steps", "900"],
        &["specs/streams.yaml", "--steps", "1", "--slo", "p99=1s"],
        &[
            "--over",
            "services.api.workers",
            "--at",
            "300",
            "--steps",
            "1,4,8",
        ],
    ] {
        let args: Vec<&str> = ["max-rps", "--json"]
            .iter()
            .chain(more)
            .chain(&hold)
            .copied()
            .collect();
        let document: Value = serde_json::from_str(&blis(&args)).expect("a document");
        assert_eq!(complaints(&validator, &document), none, "{more:?}");
        let mut spoilt = document;
        spoilt["trials"][0]["verdict"] = json!("fine");
        assert!(!validator.is_valid(&spoilt), "{more:?}");
    }
}

#[test]
fn the_binary_prints_the_published_schema_of_the_spec() {
    let text = std::fs::read_to_string(published("spec.schema.json")).expect("the schema");
    assert_eq!(blis(&["schema", "spec"]), text);
}

/// The paths of the shipped specs, from the root of the project.
fn shipped() -> Vec<String> {
    let entries = std::fs::read_dir(published("")).expect("the specs");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let paths = names.map(|name| format!("specs/{}", name.to_string_lossy()));
    let specs: Vec<String> = paths.filter(|path| path.ends_with(".yaml")).collect();
    assert!(specs.len() >= 6, "{specs:?}");
    specs
}

fn result(args: &[&str]) -> Value {
    let args: Vec<&str> = ["run", "--json"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    serde_json::from_str(&blis(&args)).unwrap_or_else(|error| panic!("{args:?}: {error}"))
}

#[test]
fn results_keep_to_the_schema() {
    let validator = validator("result");
    let none: [String; 0] = [];
    for spec in shipped() {
        assert_eq!(
            complaints(&validator, &result(&["--spec", &spec])),
            none,
            "{spec}"
        );
    }
    let flags = [
        "--horizon",
        "5s",
        "--replications",
        "12",
        "--precision",
        "5%",
        "--warmup",
        "auto",
    ];
    assert_eq!(complaints(&validator, &result(&flags)), none);
    // A load that ends within the warm-up: nothing is measured, and what is not measured is absent.
    let unmeasured = result(&[
        "--concurrency",
        "5",
        "--num-requests",
        "5",
        "--warmup",
        "5s",
    ]);
    assert_eq!(complaints(&validator, &unmeasured), none);
    assert_eq!(unmeasured.get("throughput_rps"), None);
    assert_eq!(
        unmeasured["latency_ms"]["response"],
        json!({"count": 0, "censored": 0})
    );
}

#[test]
fn the_schema_of_the_result_refuses_what_is_none() {
    let validator = validator("result");
    let good = result(&[]);
    let spoilt = |spoil: &dyn Fn(&mut Value)| {
        let mut document = good.clone();
        spoil(&mut document);
        document
    };
    let bad = [
        spoilt(&|document| {
            _ = document
                .as_object_mut()
                .and_then(|all| all.remove("sessions"))
        }),
        spoilt(&|document| document["requests"]["ok"] = json!(-1)),
        spoilt(&|document| document["requests"]["ok"] = json!("many")),
        spoilt(&|document| document["series"] = json!({})),
        spoilt(&|document| document["verdict"]["status"] = json!("MAYBE")),
        spoilt(&|document| document["clients"]["users"]["latency_ms"] = json!({})),
    ];
    assert!(validator.is_valid(&good));
    for (number, document) in bad.iter().enumerate() {
        assert!(
            !validator.is_valid(document),
            "number {number} was accepted"
        );
    }
}

/// A spec as JSON: numbers and booleans as such, all else as text.
fn as_json(node: &Node) -> Value {
    match &node.value {
        Written::Null => Value::Null,
        Written::Scalar(scalar) => match scalar.kind {
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number => serde_json::from_str(&scalar.text).expect("a number of JSON"),
            Kind::Text => Value::from(scalar.text.as_str()),
        },
        Written::Sequence(items) => items.iter().map(as_json).collect(),
        Written::Mapping(entries) => {
            let entries = entries
                .iter()
                .map(|entry| (entry.key.clone(), as_json(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

fn spec(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).expect("the spec")
}

fn spec_complaints(validator: &Validator, text: &str) -> Vec<String> {
    let (tree, duplicates) = yaml::parse(text).expect("the text is YAML");
    assert_eq!(duplicates, []);
    complaints(validator, &as_json(&tree))
}

#[test]
fn shipped_specs_and_what_they_resolve_to_keep_to_the_schema() {
    let validator = validator("spec");
    let none: [String; 0] = [];
    for path in shipped() {
        assert_eq!(spec_complaints(&validator, &spec(&path)), none, "{path}");
        let checked = blis(&["check", &path]);
        let (resolved, _) = checked.split_once("\noffered load\n").expect("two parts");
        assert_eq!(
            spec_complaints(&validator, resolved),
            none,
            "{path} resolved"
        );
    }
}

#[test]
fn the_schema_of_the_spec_refuses_what_is_none() {
    let validator = validator("spec");
    let good = spec("specs/quickstart.yaml");
    for (original, replacement) in [
        ("blis: 1 ", ""),
        ("workers: 4", "wrokers: 4"),
        ("name: quickstart", "name: quickstart\nstreams: {}"),
        ("exponential: {mean: 10ms}", "exponentail: {mean: 10ms}"),
        ("- reply", "- replay"),
        ("concurrency: 50", "concurrency: [50]"),
    ] {
        assert!(good.contains(original), "{original}");
        let text = good.replacen(original, replacement, 1);
        assert_ne!(
            spec_complaints(&validator, &text),
            [""; 0],
            "`{replacement}` was accepted"
        );
    }
}
