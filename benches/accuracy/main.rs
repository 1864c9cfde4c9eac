//! The live world beside the simulated one: paired runs of one spec, with the same arrivals and demands.
//!
//! `cargo bench --bench accuracy` observes a double on a `nats-server` of its own at 30, 60 and 80 % utilisation, simulates
//! the same, and prints by how much the two differ, as a table in Markdown. `-- --write` puts the table into
//! docs/accuracy.md as well; `-- --repetitions 3 --seconds 10` is shorter. [`pair`] says how the two are compared.

#![allow(missing_docs, reason = "a bench has no public items to document")]

mod pair;
#[allow(dead_code, reason = "another bench needs more of it")]
mod programs;
#[path = "../../tests/live/server.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod server;
mod table;

use std::process::ExitCode;

use pair::{Figures, Setting};
use server::Server;
use table::Row;

/// Shares of the workers' time that the load takes.
const UTILISATIONS: [f64; 3] = [0.3, 0.6, 0.8];
/// Seeds are those of repetitions, from this one on.
const FIRST_SEED: u64 = 1;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut repetitions, mut seconds, mut write) = (6, 20, false);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse().ok());
        match word {
            // `cargo bench` adds a flag of its own.
            "--bench" => {}
            "--write" => write = true,
            "--repetitions" => match number() {
                Some(number) if number >= 2 => repetitions = number,
                _ => return usage(),
            },
            "--seconds" => match number() {
                Some(number) if number >= 1 => seconds = number,
                _ => return usage(),
            },
            _ => return usage(),
        }
    }
    match compare(repetitions, seconds, write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: cargo bench --bench accuracy [-- [--repetitions N] [--seconds S] [--write]], with N at least 2"
    );
    ExitCode::from(2)
}

fn compare(repetitions: u64, seconds: u64, write: bool) -> Result<(), String> {
    let server = Server::start("");
    let mut rows = Vec::new();
    for utilisation in UTILISATIONS {
        let mut pairs = Vec::new();
        for seed in FIRST_SEED..FIRST_SEED + repetitions {
            let setting = Setting {
                utilisation,
                seconds,
                seed,
            };
            let pair = pair::run(&server, setting)?;
            eprintln!("{}", table::line(setting, &pair));
            pairs.push(pair);
        }
        rows.push(Row::new(utilisation, &pairs)?);
    }
    let text = table::text(&rows, repetitions, seconds);
    println!("{text}");
    match write {
        true => table::write(&text),
        false => Ok(()),
    }
}

/// Figures of both worlds.
pub struct Pair {
    pub live: Figures,
    pub simulated: Figures,
    /// The one-way delay of the network that the simulation was given, in milliseconds.
    pub one_way: f64,
    /// How late the double's timers were, and those of an idle thread beside it: p50 and p99 in microseconds.
    pub overrun: [f64; 2],
    pub control: [f64; 2],
}
