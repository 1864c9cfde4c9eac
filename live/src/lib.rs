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
//! - [`nats`] is the transport that sends to NATS, [`observe`] a run from its preflight to its end.
//! - [`double`] is the backend of a spec in real time, [`serve`] plays it on NATS, where it [`listen`]s. [`peers`] shares the
//!   members of services among processes, [`micro`] answers for them as NATS services, [`saturation`] says whether the
//!   double was the bottleneck.
//! - [`plan`] says what a run would do, and opens nothing.

pub mod clock;
pub mod connection;
pub mod double;
pub mod driver;
pub mod identity;
pub mod listen;
pub mod micro;
pub mod nats;
pub mod observe;
pub mod peers;
pub mod plan;
pub mod saturation;
pub mod serve;
pub mod streams;
pub mod target;
