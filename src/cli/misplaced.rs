//! Command lines that name a file where none is expected, told with the command that would take it.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What to say of a command line that was not read because a file or the directory of a run stands where clap expects
/// something else.
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
            "{word} is a directory and not a command: `blis report {word}` shows the run that it holds"
        ));
    }
    path.is_file().then(|| {
        format!(
            "{word} is a file and not a command: `blis run {word}` simulates a workload spec, `blis check {word}` \
             validates it, `blis observe --url URL {word}` sends it to a real NATS server"
        )
    })
}

/// A file after the one that a command takes.
fn too_many(word: &str) -> Option<String> {
    Path::new(word).is_file().then(|| {
        format!(
            "{word} is one file too many: name one, or make one spec of several with `blis compose`"
        )
    })
}
