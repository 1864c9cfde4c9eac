//! The live world beside the simulated one: paired runs of several models, with the same arrivals, members and service times.
//!
//! `cargo bench --bench accuracy` observes doubles on a `nats-server` of its own at 40, 60, 80 and 90 % of their ceiling, predicts the same,
//! and prints a table for each model in Markdown. It takes about 40 minutes, and with `-- --short` less than 15. `-- --write` puts the
//! tables into docs/explanation/accuracy.md as well; `-- --only NAME` takes the models whose names contain that, `-- --repetitions 3
//! --seconds 10` are other lengths. [`pair`] says how the two are compared.

#![allow(missing_docs, reason = "a bench has no public items to document")]

mod models;
mod pair;
#[allow(dead_code, reason = "another bench needs more of it")]
mod programs;
#[path = "../../tests/live/server.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod server;
mod table;

use std::process::ExitCode;

use models::{MODELS, Modelled};
use pair::Setting;
use server::Server;

/// Shares of the ceiling.
const LOADS: [f64; 4] = [0.4, 0.6, 0.8, 0.9];
/// Seeds are those of repetitions, from this one on.
const FIRST_SEED: u64 = 1;
/// Seconds of each live run, and of a short one.
const SECONDS: u64 = 20;
const SHORT: u64 = 6;
/// What a pair takes beside its live run: starting and stopping, the replay, and waiting for what is in flight.
const AROUND: f64 = 2.5;

/// What is asked for.
struct Options {
    repetitions: u64,
    seconds: u64,
    only: Option<String>,
    write: bool,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!(
            "usage: cargo bench --bench accuracy [-- [--short] [--repetitions N] [--seconds S] [--only NAME] [--write]], with N at least 2"
        );
        return ExitCode::from(2);
    };
    match compare(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The options; `None` where they are none.
fn options() -> Option<Options> {
    let mut options = Options {
        repetitions: 3,
        seconds: SECONDS,
        only: None,
        write: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = |least| {
            let number: u64 = words.next()?.parse().ok()?;
            (number >= least).then_some(number)
        };
        match word.as_str() {
            // `cargo bench` adds a flag of its own.
            "--bench" => {}
            "--short" => options.seconds = SHORT,
            "--write" => options.write = true,
            "--repetitions" => options.repetitions = number(2)?,
            "--seconds" => options.seconds = number(1)?,
            "--only" => options.only = Some(words.next()?),
            _ => return None,
        }
    }
    Some(options)
}

fn compare(options: &Options) -> Result<(), String> {
    let is_asked = |model: &&Modelled| {
        let only = options.only.as_deref();
        only.is_none_or(|only| model.name.contains(only))
    };
    let models: Vec<&Modelled> = MODELS.iter().filter(is_asked).collect();
    let pairs = (models.len() * LOADS.len()) as f64 * options.repetitions as f64;
    let minutes = pairs * (options.seconds as f64 + AROUND) / 60.0;
    eprintln!("{pairs} pairs, about {minutes:.0} minutes");
    let server = Server::start("");
    let mut text = table::heading(options.repetitions, options.seconds);
    for model in models {
        text.push_str(&of_model(&server, model, options)?);
    }
    println!("{text}");
    match (options.write, &options.only) {
        (true, None) => table::write(&text),
        (true, Some(_)) => Err(
            "--write replaces the tables of all models, and --only measured some: leave one of them out".to_owned(),
        ),
        (false, _) => Ok(()),
    }
}

/// The tables of a model.
fn of_model(server: &Server, model: &Modelled, options: &Options) -> Result<String, String> {
    let mut levels = Vec::new();
    for load in LOADS {
        let mut pairs = Vec::new();
        for seed in FIRST_SEED..FIRST_SEED + options.repetitions {
            let setting = Setting {
                model,
                load,
                seconds: options.seconds,
                seed,
            };
            let pair =
                pair::run(server, setting).map_err(|why| format!("{}: {why}", model.name))?;
            eprintln!("{}", table::line(setting, &pair));
            pairs.push(pair);
        }
        levels.push((load, pairs));
    }
    Ok(table::text(model, &levels))
}
