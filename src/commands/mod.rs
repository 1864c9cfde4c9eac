//! The commands, one file each.

pub mod check;
pub mod run;
pub mod schema;

use std::io::{self, Write};

use crate::exit::Failure;

/// Writes a result to stdout.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|why| Failure::Output {
        to: "stdout".to_owned(),
        why,
    })
}
