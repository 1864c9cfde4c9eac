//! What holds of every run, whatever the model: checked over generated inputs against the raw events, and against
//! naive stand-ins of the engine's data structures.
//!
//! The generator of every property has a fixed seed and a fixed number of cases, so a run of these tests is the
//! same everywhere; a failure prints the input it was shrunk to.

#![allow(clippy::unwrap_used)]

mod awaited;
mod calendar;
mod coverage;
mod draws;
mod exact;
mod explained;
mod far;
mod generated;
mod in_flight;
mod lines_book;
mod links_book;
mod orders;
mod record;
mod room;
mod scripted;
mod specs;
mod trace;
mod users_book;
mod ways;

use proptest::test_runner::{Config, RngSeed};

/// So many cases from a fixed seed. Nothing is written beside the tests.
fn cases(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(0x5EED),
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..Config::default()
    }
}
