//! Errors for command lines that name a file where none is expected, with the command that takes it.

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
        ErrorKind::UnknownArgument => too_many(word(ContextKind::InvalidArg)?),
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
