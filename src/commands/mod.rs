//! The commands, one file each.

pub mod check;
pub mod completions;
pub mod compose;
pub mod explain;
pub mod man;
pub mod observe;
pub mod run;
pub mod schema;
pub mod serve;
pub mod whatif;

use std::io::{self, Write};

use crate::exit::{Failure, tell};

/// Writes a result to stdout. A reader that has seen enough and closed the pipe is not an error.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output {
            to: "stdout".to_owned(),
            why,
        }),
        _ => Ok(()),
    }
}

/// The first of these failures; those after it are told.
pub fn first_failure<const N: usize>(outcomes: [Result<(), Failure>; N]) -> Result<(), Failure> {
    let mut first = Ok(());
    for outcome in outcomes {
        match (&first, outcome) {
            (Ok(()), outcome) => first = outcome,
            (Err(_), Err(another)) => tell(&format!("blis: {another}\n")),
            (Err(_), Ok(())) => {}
        }
    }
    first
}
