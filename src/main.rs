//! The blis binary.

#[allow(dead_code, reason = "the commands that read specs use it")]
mod diagnostics;

fn main() {}
