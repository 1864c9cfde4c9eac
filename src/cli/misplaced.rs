//! Errors for command lines that name a file where none is expected, with the command that takes it, or that have a flag of
//! another load generator, with the one that does the same here.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The error for a command line with a file or the directory of a run where clap expects something else.
pub fn misplaced(error: &clap::Error) -> Option<String> {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => as_command(word(ContextKind::InvalidSubcommand)?),
        ErrorKind::UnknownArgument => {
            let word = word(ContextKind::InvalidArg)?;
            too_many(word).or_else(|| of_another(word))
        }
        _ => None,
    }
}

/// A file or a directory in the place of a command.
fn as_command(word: &str) -> Option<String> {
    let path = Path::new(word);
    if path.is_dir() {
        return Some(format!(
            "{word} is a directory, not a command; to show the run in it, use `blis report {word}`"
        ));
    }
    path.is_file().then(|| {
        format!(
            "{word} is a file, not a command: `blis run {word}` simulates a workload spec, `blis check {word}` checks \
             it, `blis observe --url URL {word}` sends it to a real NATS server"
        )
    })
}

/// A file after the one that a command takes.
fn too_many(word: &str) -> Option<String> {
    Path::new(word).is_file().then(|| {
        format!(
            "{word} is one file too many; name one, or combine several specs with `blis compose`"
        )
    })
}

/// Flags of k6, wrk2 and `nats bench`, and what does the same here.
const OF_OTHERS: [(&str, &str); 11] = [
    (
        "--vus",
        "--concurrency for users who wait for their replies",
    ),
    (
        "--clients",
        "--concurrency for users who wait for their replies",
    ),
    ("--duration", "--horizon for the end of the load"),
    (
        "--stages",
        "`shape: {ramp: …}` of a client with a `rate` in the spec",
    ),
    ("--iterations", "--num-requests"),
    ("--msgs", "--num-requests"),
    (
        "--rps",
        "--rate for requests that do not wait for one another",
    ),
    ("--threshold", "--slo"),
    ("--thresholds", "--slo"),
    (
        "--summary-export",
        "--format json, or --out for a directory",
    ),
    ("--size", "`size` of an action in the spec"),
];

/// A flag of another load generator.
fn of_another(word: &str) -> Option<String> {
    let flag = word.split('=').next()?;
    let (_, own) = OF_OTHERS.iter().find(|(other, _)| *other == flag)?;
    Some(format!("there is no {flag}; use {own}"))
}
