//! Whether intervals are what they claim to be: nominal 95 % intervals cover the exact figure about so often,
//! replications give the same document on any number of threads, and common random numbers narrow a comparison.
//!
//! The seeds are fixed: a test passes everywhere or nowhere.

#![allow(clippy::unwrap_used)]

mod batches;
mod compare;
mod comparison;
mod coverage;
mod parallel;
mod permuted;
mod rules;
mod shares;
mod support;
mod validation;
