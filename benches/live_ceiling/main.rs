//! The ceiling that a live search finds beside the simulated one, on doubles whose ceilings are known.
//!
//! `cargo bench --bench live_ceiling` searches each case on a `nats-server` of its own, three times in a row, simulates the same
//! search, and prints by how much the two differ, as a table in Markdown: the live answer is to be within 5 % of the simulated
//! one. `-- --repetitions 1 --time-limit 60s --only window` is shorter.

#![allow(missing_docs, reason = "a bench has no public items to document")]

#[path = "../accuracy/programs.rs"]
#[allow(dead_code, reason = "another bench needs more of it")]
mod programs;
#[path = "../../tests/live/server.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod server;

use std::process::ExitCode;
use std::time::Instant;

use programs::{Double, any_document, number};
use server::Server;

/// How far the live answer may be from the simulated one.
const TOLERANCE: f64 = 0.05;

/// A system whose ceiling is known. Near its ceiling a queue of so many requests each second forgets within a second, so that a
/// trial of half a minute tells on which side of its limit it is; limits are many times as long as what a busy machine adds.
struct Case {
    name: &'static str,
    what: &'static str,
    /// Actions, streams and services.
    parts: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        name: "service",
        what: "one service of 40 workers, 20 ms each: 2000/s",
        parts: "actions: {ask: {path: [{visit: work}, reply], slo: {p90: 80ms}, live: {request: bench.ask}}}\nservices: {work: \
                {workers: 40, time: {gamma: {mean: 20ms, cv: 0.2}}}}\n",
    },
    Case {
        name: "members",
        what: "four single-worker members of a queue group, 4 ms each: 1000/s",
        parts: "actions: {ask: {path: [{visit: work}, reply], slo: {p90: 100ms}, live: {request: bench.ask}}}\nservices: {work: \
                {members: 4, workers: 1, time: {gamma: {mean: 4ms, cv: 0.2}}}}\n",
    },
    Case {
        name: "window",
        what: "a stream with a window of 40 messages, 40 ms each: 1000/s",
        parts: "actions: {ask: {path: [{publish: {stream: orders, subject: orders.new}}], slo: {p90: 150ms}, live: {request: \
                bench.ask}}}\nstreams: {orders: {consumers: {worker: {service: work, max_ack_pending: 40, prefetch: 50, during: \
                [reply]}}}}\nservices: {work: {workers: 50, time: {gamma: {mean: 40ms, cv: 0.2}}}}\n",
    },
];

struct Options {
    repetitions: u64,
    time_limit: String,
    longest_trial: String,
    only: Option<String>,
}

fn main() -> ExitCode {
    let mut options = Options {
        repetitions: 3,
        time_limit: "8m".to_owned(),
        longest_trial: "60s".to_owned(),
        only: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            // `cargo bench` adds a flag of its own.
            "--bench" => continue,
            _ => words.next(),
        };
        match (word.as_str(), value) {
            ("--repetitions", Some(value)) => match value.parse() {
                Ok(number) if number >= 1 => options.repetitions = number,
                _ => return usage(),
            },
            ("--time-limit", Some(value)) => options.time_limit = value,
            ("--longest-trial", Some(value)) => options.longest_trial = value,
            ("--only", Some(value)) => options.only = Some(value),
            _ => return usage(),
        }
    }
    match compare(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: cargo bench --bench live_ceiling [-- [--repetitions N] [--time-limit TIME] [--longest-trial TIME] [--only CASE]]"
    );
    ExitCode::from(2)
}

/// Whether every answer is within the tolerance.
fn compare(options: &Options) -> Result<bool, String> {
    println!("| case | simulated | live | error | trials | time |");
    println!("|---|---|---|---|---|---|");
    let mut all_within = true;
    for case in &CASES {
        if options
            .only
            .as_deref()
            .is_some_and(|only| only != case.name)
        {
            continue;
        }
        let simulated = case.simulated()?;
        for seed in 1..=options.repetitions {
            all_within &= case.compare(simulated, seed, options)?;
        }
    }
    Ok(all_within)
}

impl Case {
    fn spec(&self, seed: u64) -> String {
        format!(
            "blis: 1\nname: bench\nseed: {seed}\nrun: {{horizon: 60s, drain: 20s}}\nconnections: {{pool: 2}}\nclients: {{users: \
             {{rate: 500/s, do: ask}}}}\n{}",
            self.parts
        )
    }

    /// The simulated answer, whose interval is far narrower than the tolerance. Nearer than this the window takes minutes: a
    /// load just below what it lets through is remembered for long.
    fn simulated(&self) -> Result<f64, String> {
        let folder = Server::start("");
        let path = folder.folder().join("bench.yaml");
        std::fs::write(&path, self.spec(1)).map_err(|why| why.to_string())?;
        let path = path.display().to_string();
        let found = any_document(&[
            "max-rps",
            "--spec",
            &path,
            "--precision",
            "2%",
            "--json",
            "--quiet",
        ])?;
        number(&found, "/answer/value")
    }

    /// Searches a double, and prints a row. Whether the answer is within the tolerance.
    fn compare(&self, simulated: f64, seed: u64, options: &Options) -> Result<bool, String> {
        let server = Server::start("");
        let path = server.folder().join("bench.yaml");
        std::fs::write(&path, self.spec(seed)).map_err(|why| why.to_string())?;
        let (path, url) = (path.display().to_string(), server.url());
        let double =
            Double::start(&["serve", "--url", &url, "--spec", &path, "--json", "--quiet"])?;
        let began = Instant::now();
        let live = any_document(&[
            "max-rps",
            "--spec",
            &path,
            "--url",
            &url,
            "--warmup",
            "2s",
            "--cooldown",
            "500ms",
            "--longest-trial",
            &options.longest_trial,
            "--time-limit",
            &options.time_limit,
            "--json",
            "--quiet",
        ])?;
        let took = began.elapsed().as_secs_f64();
        double.stop()?;
        let trials = live["trials"].as_array().map_or(0, Vec::len);
        let Ok(found) = number(&live, "/answer/value") else {
            let why = live["next_limit"].to_string();
            println!(
                "| {} | {simulated:.1}/s | none: {why} | - | {trials} | {took:.0} s |",
                self.what
            );
            return Ok(false);
        };
        let error = found / simulated - 1.0;
        println!(
            "| {} | {simulated:.1}/s | {found:.1}/s | {:+.1} % | {trials} | {took:.0} s |",
            self.what,
            error * 100.0
        );
        Ok(error.abs() <= TOLERANCE)
    }
}
