//! `blis validate` against doubles, on a server of the test's own and on one that it starts itself.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::server::{Server, program};

const SPEC: &str = "blis: 1\nname: pair\nseed: 3\nrun: {horizon: 9s, drain: 2s}\nclients: {users: {rate: 100/s, do: ask}}\nactions: \
                    {ask: {path: [{visit: api}, reply], live: {request: pair.ask}}}\nservices: {api: {workers: 4, time: {gamma: {mean: \
                    8ms, cv: 0.5}}}}\n";
const SHORT: [&str; 8] = [
    "--predict-at",
    "60,120",
    "--repeats",
    "2",
    "--hold",
    "1s",
    "--warmup",
    "300ms",
];

fn spec(folder: &std::path::Path) -> String {
    let path = folder.join("pair.yaml");
    std::fs::write(&path, SPEC).unwrap();
    path.display().to_string()
}

fn blis(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blis"));
    command.args(words).args(SHORT);
    command.args(["--cooldown", "100ms"]);
    command.env("BLIS_NATS_SERVER", program());
    command
}

/// The document of a validation that came to its end.
fn validated(words: &[&str]) -> Value {
    let output = blis(words).arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {said}"))
}

fn assert_schema(document: &Value) {
    let schema: Value =
        serde_json::from_str(&blis_sim::validation::validation_json_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
}

fn is_whole(document: &Value) {
    assert_schema(document);
    let loads = document["loads"].as_array().unwrap();
    assert_eq!(loads.len(), 2);
    for (load, rate) in loads.iter().zip([60.0, 120.0]) {
        assert_eq!(load["load"], rate);
        assert_eq!(load["measured_runs"], 2);
        assert!(load["predicted_runs"].as_u64().unwrap() >= 3);
        let figures = load["figures"].as_array().unwrap();
        let throughput = figures
            .iter()
            .find(|one| one["name"] == "throughput")
            .unwrap();
        assert!(throughput["measured"].as_f64().unwrap() > 0.0);
        assert!(throughput["spread"].is_number() && throughput["error"].is_number());
        let p50 = figures.iter().find(|one| one["name"] == "p50").unwrap();
        assert!(p50["measured"].as_f64().unwrap() > 4.0, "{p50}");
    }
    assert_eq!(document["interrupted"], Value::Null);
}

/// A double that listens.
struct Double(Child);

impl Double {
    fn start(url: &str, spec: &str) -> Double {
        let mut child = Command::new(env!("CARGO_BIN_EXE_blis"))
            .args(["serve", "--url", url, "--spec", spec, "--quiet"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let double = Double(child);
        assert!(lines.any(|line| line.contains("serves the backend")));
        double
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_runs_is_measured_and_compared_with_the_model() {
    let server = Server::start("");
    let (spec, url) = (spec(server.folder()), server.url());
    let _double = Double::start(&url, &spec);
    let document = validated(&["validate", "--url", &url, "--spec", &spec]);
    is_whole(&document);
}

#[test]
fn local_brings_a_server_and_a_double_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("kept").display().to_string();
    let document = validated(&[
        "validate",
        "--local",
        "--spec",
        &spec(folder.path()),
        "--out",
        &out,
    ]);
    is_whole(&document);
    let report = |place: &str| -> Value {
        let shown = Command::new(env!("CARGO_BIN_EXE_blis"))
            .args(["report", place, "--json"])
            .output()
            .unwrap();
        serde_json::from_slice(&shown.stdout).unwrap_or_else(|why| panic!("{why}: {shown:?}"))
    };
    assert_eq!(report(&out), document);
    // Upwards, and downwards.
    for (trial, rate) in ["001", "002", "003", "004"]
        .into_iter()
        .zip([60, 120, 120, 60])
    {
        let place = format!("{out}/trials/{trial}");
        assert_eq!(report(&place)["mode"], "live", "{trial}");
        let spec = std::fs::read_to_string(format!("{place}/spec.yaml")).unwrap();
        assert!(spec.contains(&format!("rate: {rate}/s")), "{trial}: {spec}");
    }
}

/// Two instances with two workers each, of 8 ms, carry 500/s: that is found with fewer users than keep them busy, of a service of which
/// nothing is known.
#[test]
fn a_service_of_which_only_the_subject_is_known_is_fitted_and_extrapolated() {
    let server = Server::start("");
    let url = server.url();
    let two = SPEC.replace("workers: 4", "members: 2, workers: 2");
    let spec = server.folder().join("two.yaml").display().to_string();
    std::fs::write(&spec, two).unwrap();
    let _doubles = [(); 2].map(|()| Double::start(&url, &spec));
    let out = server.folder().join("kept").display().to_string();
    let words = "--subject pair.ask --calibrate-at 1,2,4,5 --predict-at 8 --repeats 1 --hold 2s --warmup 300ms --cooldown 100ms --slo p95=100ms";
    let output = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(["validate", "--url", &url, "--out", &out, "--json"])
        .args(words.split_whitespace())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_schema(&document);
    let fitted = &document["calibration"];
    assert_eq!(fitted["runs"].as_array().unwrap().len(), 4, "{said}");
    // How many there are is what they say of themselves.
    let sources = fitted["sources"].as_array().unwrap();
    let stats = sources.iter().find(|one| one["name"] == "$SRV.STATS");
    let stats = stats.unwrap();
    assert_eq!(stats["used"], true, "{stats}");
    assert!(stats.to_string().contains("2 instances"), "{stats}");
    assert_eq!(document["loads"][0]["load"], 8.0);
    let findings = document["findings"].to_string();
    assert!(
        findings.contains("fitted to loads from 1 to 5; predictions at 8 extrapolate"),
        "{findings}"
    );
    assert!(findings.contains("p95 of request within"), "{findings}");
    let follows = fitted["follows"].as_array().unwrap();
    let capacity = follows
        .iter()
        .find(|one| one["name"] == "capacity")
        .unwrap();
    let capacity = capacity["value"].as_f64().unwrap();
    // A busy machine makes it slower, and nothing makes it faster.
    assert!((250.0..560.0).contains(&capacity), "{capacity}");
    // The runs to fit to, and the one that was predicted; the spec is the fitted one.
    for trial in ["001", "004", "005"] {
        let kept = format!("{out}/trials/{trial}/result.json");
        assert!(std::fs::exists(&kept).unwrap(), "{kept}");
    }
    let fitted = std::fs::read_to_string(format!("{out}/spec.yaml")).unwrap();
    assert!(fitted.contains("visit: backend"), "{fitted}");
    assert!(fitted.contains("members: 2"), "{fitted}");
    let checked = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(["check", &format!("{out}/spec.yaml")])
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

/// A validation with a server of its own, and the address of that.
fn begun(spec: &str) -> (Child, String) {
    let mut child = blis(&["validate", "--local", "--spec", spec])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let mut lines = log.lines().map_while(Result::ok);
    let at = lines.find_map(|line| {
        let (_, at) = line.split_once("started a server with doubles at ")?;
        Some(at.trim_start_matches("nats://").to_owned())
    });
    // Whatever else it says is read, so that it never waits.
    std::thread::spawn(move || lines.for_each(drop));
    (child, at.expect("it says where its server is"))
}

#[test]
fn a_validation_that_is_killed_leaves_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, at) = begun(&spec(folder.path()));
    assert!(TcpStream::connect(&at).is_ok(), "{at}");
    child.kill().unwrap();
    child.wait().unwrap();
    // What ends it is that the pipe closes: how long that takes is the system's matter, and a test that waits for ever is seen.
    while TcpStream::connect(&at).is_ok() {
        std::thread::yield_now();
    }
}
