//! The generator: what sends a load at its times, and how well it does so.
//!
//! - [`driver`] is the run: it wakes users when they are due, hands what they send to a
//!   [`Transport`](crate::wire::transport::Transport), and tells them of replies and timeouts. [`load_clock`] is its clock.
//! - [`health`] is the generator seen by itself, [`jitter`] an idle thread that keeps time beside it, [`machine`] what the
//!   system reports.
//!
//! It stands on the wire and the clock, and knows nothing of sessions.

pub mod driver;
pub mod health;
pub mod jitter;
pub mod load_clock;
pub mod machine;
