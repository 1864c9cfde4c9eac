//! The live world of `blis`: the same users, sessions and measurement as in simulated time, against a real NATS server.
//!
//! ```text
//! target ─► connection ─► world ─┐
//!                clock ──────────┼─► driver ─► the events that a simulation gives
//!                load (of blis-sim) ┘
//! ```
//!
//! - [`target`] decides, before any socket is opened, whether a server may be loaded at all.
//! - [`connection`] opens connections and receives what comes back over them.
//! - [`driver`] is the run: it wakes users when they are due, hands what they send to a [`Transport`](driver::Transport),
//!   and tells them of replies and timeouts. It is the one place that knows the [`clock`].
//! - [`nats`] is the transport that sends to NATS, [`text`] what it sends, [`reply`] what comes back means, [`awaiting`]
//!   what requests wait for besides; [`observe`] is a run from its preflight to its end.
//! - [`health`] is the generator seen by itself, [`control`] a thread that keeps time and does nothing else, [`machine`]
//!   what the system says.
//! - [`double`] is the backend of a spec in real time, [`serve`] plays it on NATS.
//! - [`journal`] is the record of a run on disk, which survives what the run may not.
//! - [`plan`] says what a run would do, and opens nothing.

pub mod awaiting;
pub mod clock;
pub mod connection;
pub mod control;
pub mod deliveries;
pub mod double;
pub mod driver;
pub mod health;
pub mod identity;
pub mod journal;
pub mod machine;
pub mod nats;
pub mod observe;
pub mod plan;
pub mod recent;
pub mod reply;
pub mod serve;
pub mod target;
pub mod text;
