//! The live world of `blis`: the same users, sessions and measurement as in simulated time, against a real NATS server.
//!
//! ```text
//! target ─► connection ─► world ─┐
//!                clock ──────────┼─► driver ─► the events that a simulation gives
//!                load (of blis-sim) ┘
//! ```
//!
//! - [`target`] decides, before any socket is opened, whether a server may be loaded at all.
//! - [`wire`] is what is between a load and a server: connections, what is sent over them, and what comes back.
//! - [`generator`] sends a load at its times, and sees how well it does so; [`clock`] is the time of everything.
//! - [`preflight`] finds before the load what would be in its way. [`observers`] look on over a connection of their own.
//! - [`run`] puts them together: a run from its preflight to its end, sessions of several loads, and the trials of a search.
//! - [`double`] is the backend of a spec in real time, played on NATS.
//! - [`journal`] is the record of a run on disk, which survives what the run may not.
//! - [`os_error`] shows errors of the operating system.

pub mod clock;
pub mod double;
pub mod generator;
pub mod journal;
pub mod observers;
pub mod os_error;
pub mod preflight;
pub mod run;
pub mod target;
pub mod wire;
