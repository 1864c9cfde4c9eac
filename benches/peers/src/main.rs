//! The Rust side of the peers benchmark: one run of one tool, printed as one line of JSON.
//!
//! ```text
//! blis-peers simcore   CASE REQUESTS SEED
//! blis-peers nexosim   CASE REQUESTS SEED
//! blis-peers reference CASE REQUESTS SEED RUNS WARMUP_S
//! ```
//!
//! The first two time a run; `reference` times nothing and prints the mean response that such a
//! run should show when it leaves out WARMUP_S simulated seconds. Called by the `run` script of this folder, which see.

mod case;
mod nexosim_peer;
mod reference;
mod run;
mod simcore_peer;
mod tally;

use std::error::Error;
use std::process::ExitCode;

use case::Case;
use run::{Job, Timed};
use serde_json::{Value, json};

const USAGE: &str = "usage: blis-peers simcore|nexosim CASE REQUESTS SEED\n       \
                     blis-peers reference CASE REQUESTS SEED RUNS WARMUP_S";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match answer(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("blis-peers: {error}");
            ExitCode::from(2)
        }
    }
}

fn answer(arguments: &[String]) -> Result<Value, Box<dyn Error>> {
    let [tool, name, requests, seed, rest @ ..] = arguments else {
        return Err(USAGE.into());
    };
    let (case, requests) = (Case::named(name)?, requests.parse()?);
    let job = Job {
        case,
        requests,
        seed: seed.parse()?,
        warmup_s: case.warmup_for(requests),
    };
    match (tool.as_str(), rest) {
        ("simcore", []) => Ok(line(tool, name, &job, &simcore_peer::run(&job))),
        ("nexosim", []) => Ok(line(tool, name, &job, &nexosim_peer::run(&job)?)),
        ("reference", [runs, warmup_s]) => {
            let job = Job {
                warmup_s: warmup_s.parse()?,
                ..job
            };
            let found = reference::estimate(&job, runs.parse()?)
                .ok_or("too few requests or runs to measure anything")?;
            Ok(json!({
                "case": name,
                "requests": job.requests,
                "warmup_s": job.warmup_s,
                "mean_response_s": found.mean_response_s,
                "deviation_s": found.deviation_s,
            }))
        }
        _ => Err(USAGE.into()),
    }
}

fn line(tool: &str, name: &str, job: &Job, timed: &Timed) -> Value {
    json!({
        "tool": tool,
        "case": name,
        "requests": timed.tally.completed,
        "seconds": timed.seconds,
        "setup_seconds": timed.setup_seconds,
        "mean_response_s": timed.tally.mean_response_s(),
        "throughput_rps": timed.tally.throughput_rps(timed.simulated_s),
        "warmup_s": job.warmup_s,
        "peak_mb": peak_mb(),
    })
}

/// Peak resident memory of this process in MB, where `/proc` tells (Linux); elsewhere `null`.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status
        .lines()
        .find_map(|each| each.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
