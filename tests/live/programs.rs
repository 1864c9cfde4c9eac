//! `blis observe` and `blis serve` as they are called.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Without the variables that name a target or say how to get in.
fn blis() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blis"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("NATS_") || text == "BLIS_ALLOW_TARGET" {
            command.env_remove(&name);
        }
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

pub fn run(words: &[&str]) -> Ran {
    run_with(words, &[])
}

/// A run with these variables.
pub fn run_with(words: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = blis();
    command.args(words).envs(variables.iter().copied());
    let output = command.output().expect("blis starts");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A run that goes on beside the test.
pub fn start(words: &[&str]) -> Child {
    let mut command = blis();
    command
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("blis starts")
}

pub fn end(child: Child) -> Ran {
    let output = child.wait_with_output().expect("it ends");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// The result document of `blis observe` with these words, which has to balance and to keep to the schema.
pub fn observe(url: &str, words: &[&str]) -> Value {
    let ran = run(&[&["observe", "--url", url, "--json", "--quiet"], words].concat());
    document(&ran)
}

pub fn document(ran: &Ran) -> Value {
    let document: Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
    balances(&document);
    document
}

pub fn number(document: &Value, pointer: &str) -> u64 {
    let value = document.pointer(pointer).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("{pointer} in {document:#}"))
}

/// Every intended request ended once, every session too, and nothing is there that was not measured.
fn balances(document: &Value) {
    let ends = [
        "ok",
        "app_error",
        "rejected",
        "timed_out",
        "transport_error",
        "dropped",
        "unresolved",
    ];
    for part in ["/requests", "/window/requests"] {
        let sum: u64 = ends
            .iter()
            .map(|end| number(document, &format!("{part}/{end}")))
            .sum();
        assert_eq!(
            number(document, &format!("{part}/intended")),
            sum,
            "{document:#}"
        );
    }
    let ends = [
        "completed",
        "cancelled",
        "horizon_interrupted",
        "budget_exhausted",
    ];
    let sum: u64 = ends
        .iter()
        .map(|end| number(document, &format!("/sessions/{end}")))
        .sum();
    assert_eq!(number(document, "/sessions/started"), sum, "{document:#}");
    assert_eq!(document["mode"], "live");
    assert_eq!(document["services"], serde_json::json!({}));
    for absent in ["events", "simulated_s", "bottleneck"] {
        assert!(document.get(absent).is_none(), "{absent}");
    }
    // What is said of streams is what observers saw of their consumers.
    let streams = document["streams"].as_object().into_iter().flatten();
    let said = streams.flat_map(|(stream, of)| {
        let consumers = of["consumers"].as_object().into_iter().flatten();
        consumers.map(move |(name, _)| format!("{stream}/{name}"))
    });
    let seen = document["live"]["observers"]["consumers"].as_object();
    let seen = seen.into_iter().flatten().map(|(name, _)| name.clone());
    assert_eq!(
        said.collect::<BTreeSet<String>>(),
        seen.collect::<BTreeSet<String>>()
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/result.schema.json");
    let schema = std::fs::read_to_string(path).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let complaints: Vec<String> = validator
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// A double that listens until it is dropped.
pub struct Double(Option<Child>);

impl Double {
    pub fn start(url: &str, words: &[&str]) -> Double {
        let mut command = blis();
        command.args(["serve", "--url", url]).args(words);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("blis starts");
        let mut log = BufReader::new(child.stderr.take().expect("stderr"));
        let mut line = String::new();
        while !line.contains("press Ctrl-C to stop") {
            line.clear();
            let read = log.read_line(&mut line).expect("stderr");
            assert!(read > 0, "the double ended before it listened");
        }
        // Whatever else it says is read, so that it never waits.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        Double(Some(child))
    }

    /// Ends it with Ctrl-C and gives what it says.
    pub fn stop(mut self) -> Ran {
        let child = self.0.take().expect("it runs");
        interrupt(&child);
        end(child)
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill is there").success());
}
