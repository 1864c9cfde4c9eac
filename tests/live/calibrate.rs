//! `blis calibrate` on runs of a service that this project did not write, of which nothing is known but its subject.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::responder::Responder;
use crate::server::Server;

fn blis(words: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(words)
        .arg("--quiet")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {said}");
    output.stdout
}

/// A named member of a list.
fn named<'a>(all: &'a Value, name: &str) -> &'a Value {
    let mut all = all.as_array().unwrap().iter();
    all.find(|one| one["name"] == name).unwrap()
}

#[test]
fn a_foreign_service_is_fitted_from_its_round_trips_alone() {
    let server = Server::start("");
    let url = server.url();
    // Four at a time, 20 ms each: 200/s.
    let _responder = Responder::start(&server, "foreign.ask", 4, Duration::from_millis(20));
    let runs = ["60/s", "140/s", "180/s"].map(|rate| {
        let out = server.folder().join(rate.trim_end_matches("/s"));
        let out = out.display().to_string();
        let load = ["--rate", rate, "--horizon", "6s", "--warmup", "500ms"];
        let place = ["--out", &out, "--seed", rate.trim_end_matches("/s")];
        let target = ["observe", "--url", &url, "--subject", "foreign.ask"];
        blis(&[&target[..], &load, &place].concat());
        out
    });
    let fitted = server.folder().join("fitted.yaml").display().to_string();
    let mut words = vec!["calibrate"];
    words.extend(runs.iter().map(String::as_str));
    // A busy machine delays the generator, and the fit is to this service all the same.
    words.extend(["--anyway", "--json", "--output", &fitted]);
    let found: Value = serde_json::from_slice(&blis(&words)).unwrap();
    let capacity = named(&found["follows"], "capacity");
    let value = capacity["value"].as_f64().unwrap();
    assert!((value / 200.0 - 1.0).abs() < 0.2, "{found}");
    let time = named(&found["numbers"], "services.backend.time.mean");
    let mean = time["value"].as_f64().unwrap();
    assert!((15.0..=26.0).contains(&mean), "{found}");
    // The spec that is written simulates.
    let run: Value = serde_json::from_slice(&simulated(&fitted)).expect("a result");
    assert!(run["throughput_rps"].as_f64().unwrap() > 0.0);
}

fn simulated(spec: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_blis"))
        .args(["run", "--spec", spec, "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
