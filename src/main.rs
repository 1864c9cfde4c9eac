//! The blis binary.
fn main() {}
