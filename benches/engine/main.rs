//! The engine beside a hand-written kernel of the same work, in the same run.
//!
//! `cargo bench --bench engine` runs every case; `-- A D` just those; `-- --rounds 9` more often. Engine and
//! kernel take turns, and the ratio is taken within each round, so that a machine that slows down slows both.
//! `cargo bench --bench engine -- once CASE REQUESTS` runs the engine once and prints what it took as JSON;
//! `-- backend` runs priority lines, processor sharing, batches and fan-outs at two sizes each;
//! `-- calendar` compares the future-event list with a binary heap; `-- memory` runs case C, one million closed
//! users, at two lengths, each in a process of its own; `-- long [EVENTS]` runs case A for 10^9 events or as many as
//! are given, which must be exact and take no more memory than 10^7.

#![allow(missing_docs, reason = "a bench has no public items to document")]

mod backend;
mod cases;
mod hold;
mod kernel;

use std::process::{Command, ExitCode};

use cases::{CASES, Case};

const DEFAULT_ROUNDS: usize = 5;

fn main() -> ExitCode {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["memory"] => memory(),
        ["calendar"] => calendar(),
        ["backend"] => match backend::compare() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        ["long"] => long(LONG),
        ["long", events] => match events.parse() {
            Ok(events) if events >= SHORT => long(events),
            _ => usage(),
        },
        ["once", case, requests] => once(case, requests),
        words => compare(words),
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: cargo bench --bench engine [-- [--rounds N] [CASE ...] | once CASE REQUESTS | memory | calendar | backend | long [EVENTS]]; cases: A B1 B2 C D"
    );
    ExitCode::from(2)
}

fn compare(words: &[&str]) -> ExitCode {
    let mut rounds = DEFAULT_ROUNDS;
    let mut chosen = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--rounds" {
            match words.next().and_then(|count| count.parse().ok()) {
                Some(count) if count > 0 => rounds = count,
                _ => return usage(),
            }
        } else if let Some(case) = cases::case(word) {
            chosen.push(case);
        } else {
            return usage();
        }
    }
    if chosen.is_empty() {
        chosen.extend(CASES);
    }
    println!(
        "| case | requests | engine ns/event | kernel ns/event | engine requests/s | engine rate / kernel rate |"
    );
    println!("|---|---|---|---|---|---|");
    for case in chosen {
        row(&case, rounds);
    }
    ExitCode::SUCCESS
}

/// Median and range of a sample.
fn summary(mut sample: Vec<f64>, digits: usize) -> String {
    sample.sort_by(f64::total_cmp);
    let (low, high) = (sample[0], sample[sample.len() - 1]);
    format!(
        "{:.digits$} [{low:.digits$}-{high:.digits$}]",
        sample[sample.len() / 2]
    )
}

fn row(case: &Case, rounds: usize) {
    let events = 2.0 * case.requests as f64;
    let mut engine_times = Vec::new();
    let mut kernel_times = Vec::new();
    for round in 0..rounds {
        let kernel_first = round % 2 == 1;
        if kernel_first {
            kernel_times.push(kernel::run(case, case.requests));
        }
        let timed = case.run(case.requests);
        assert_eq!(
            timed.events,
            2 * case.requests,
            "an event more or less than arrival and completion"
        );
        engine_times.push(timed.seconds);
        if !kernel_first {
            kernel_times.push(kernel::run(case, case.requests));
        }
    }
    let per_event = |times: &[f64]| times.iter().map(|seconds| seconds * 1e9 / events).collect();
    let ratios = kernel_times
        .iter()
        .zip(&engine_times)
        .map(|(kernel, engine)| kernel / engine);
    let rates = engine_times
        .iter()
        .map(|seconds| case.requests as f64 / seconds / 1e6);
    println!(
        "| {} | {} | {} | {} | {} M | {} |",
        case.name,
        case.requests,
        summary(per_event(&engine_times), 1),
        summary(per_event(&kernel_times), 1),
        summary(rates.collect(), 2),
        summary(ratios.collect(), 2)
    );
}

/// The future-event list against a binary heap, at three sizes.
fn calendar() -> ExitCode {
    println!("| entries | calendar ns/hold | binary heap ns/hold | heap / calendar |");
    println!("|---|---|---|---|");
    for entries in [50, 10_000, 1_000_000] {
        let runs: Vec<(f64, f64)> = (0..DEFAULT_ROUNDS)
            .map(|_| hold::compare(entries))
            .collect();
        println!(
            "| {entries} | {} | {} | {} |",
            summary(runs.iter().map(|(calendar, _)| *calendar).collect(), 1),
            summary(runs.iter().map(|(_, heap)| *heap).collect(), 1),
            summary(
                runs.iter()
                    .map(|(calendar, heap)| heap / calendar)
                    .collect(),
                1
            )
        );
    }
    ExitCode::SUCCESS
}

/// Runs case C in processes of their own, so that each has its own peak.
fn memory() -> ExitCode {
    let Ok(this) = std::env::current_exe() else {
        return ExitCode::FAILURE;
    };
    for requests in ["3000000", "12000000"] {
        match Command::new(&this).args(["once", "C", requests]).status() {
            Ok(status) if status.success() => {}
            _ => return ExitCode::FAILURE,
        }
    }
    ExitCode::SUCCESS
}

/// Events of the long run unless they are given, and of the short one that it is held against.
const LONG: u64 = 1_000_000_000;
const SHORT: u64 = 10_000_000;
/// How much more memory the long run may take: pages that the system counts late.
const SLACK_MB: f64 = 1.0;

/// Runs case A at two lengths in processes of their own. Each checks every identity of the ledger at its end, and that
/// a request was two events; here the peaks of memory and the means are held against one another.
fn long(events: u64) -> ExitCode {
    println!("| events | seconds | peak MB | mean response ms | requests/s answered |");
    println!("|---|---|---|---|---|");
    let mut lengths = Vec::new();
    for events in [SHORT, events] {
        let Some(line) = in_a_process("A", events / 2) else {
            eprintln!("the run of {events} events did not come to its end");
            return ExitCode::FAILURE;
        };
        let number = |key: &str| line[key].as_f64().unwrap_or(f64::NAN);
        println!(
            "| {} | {:.1} | {:.1} | {:.4} | {:.3} |",
            line["events"],
            number("seconds"),
            number("peak_mb"),
            number("mean_response_s") * 1e3,
            number("throughput_rps")
        );
        let two_each = line["events"].as_u64() == Some(events / 2 * 2);
        lengths.push((number("peak_mb"), number("mean_response_s"), two_each));
    }
    let [
        (short_peak, short_mean, short_events),
        (long_peak, long_mean, long_events),
    ] = lengths[..]
    else {
        return ExitCode::FAILURE;
    };
    // The standard error of the short run's mean is below 0.05 %.
    let same_mean = (long_mean / short_mean - 1.0).abs() < 0.002;
    let same_peak = long_peak - short_peak <= SLACK_MB;
    match short_events && long_events && same_mean && same_peak {
        true => ExitCode::SUCCESS,
        false => {
            eprintln!("the long run grew, drifted or lost events");
            ExitCode::FAILURE
        }
    }
}

/// What `once` prints, run in a process of its own.
fn in_a_process(case: &str, requests: u64) -> Option<serde_json::Value> {
    let this = std::env::current_exe().ok()?;
    let ran = Command::new(this)
        .args(["once", case, &requests.to_string()])
        .output()
        .ok()?;
    match ran.status.success() {
        true => serde_json::from_slice(&ran.stdout).ok(),
        false => None,
    }
}

/// Runs one case once and prints what it took as a line of JSON.
fn once(name: &str, requests: &str) -> ExitCode {
    let (Some(case), Ok(requests)) = (cases::case(name), requests.parse::<u64>()) else {
        return usage();
    };
    let timed = case.run(requests);
    let line = serde_json::json!({
        "case": case.name,
        "requests": requests,
        "events": timed.events,
        "seconds": timed.seconds,
        "setup_seconds": timed.setup,
        "mean_response_s": timed.mean_response,
        "throughput_rps": timed.throughput,
        "warmup_s": case.warmup_s,
        "peak_mb": peak_mb(),
    });
    println!("{line}");
    ExitCode::SUCCESS
}

/// The largest resident set of this process so far in megabytes, where the system tells it.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
