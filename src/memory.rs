//! Whether a model fits into the memory of this machine, asked before it is built.

use blis_sim::model::{Model, Source};

use crate::exit::Failure;

/// Bytes that a closed user takes at most: itself, its event, and its request in flight inside the backend.
const PER_USER: u64 = 256;

/// Refuses a model whose users alone would not fit into the memory that is free.
///
/// Where the machine does not say how much that is, the model is let through.
///
/// # Errors
/// [`Failure::Usage`] with the memory it would take.
pub fn suffices(model: &Model) -> Result<(), Failure> {
    let users: u64 = model
        .clients
        .iter()
        .map(|client| match &client.source {
            Source::Closed { concurrency, .. } => u64::from(concurrency.get()),
            Source::Open { .. } => 0,
        })
        .sum();
    let needed = users.saturating_mul(PER_USER);
    match available() {
        Some(available) if needed > available => Err(Failure::Usage(format!(
            "{users} users may take {} MB of memory, and {} MB are free; use fewer users",
            needed / 1_000_000,
            available / 1_000_000
        ))),
        _ => Ok(()),
    }
}

/// Bytes that can be had without swapping, as Linux tells it.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
