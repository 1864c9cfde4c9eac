//! What is measured of streams and fan-outs: event sequences are fed to the measurement by hand, and held against
//! figures worked out on paper or against a naive book.

#![allow(clippy::unwrap_used)]

mod book;
mod consumers;
mod documents;
mod fan_outs;
mod feed;
