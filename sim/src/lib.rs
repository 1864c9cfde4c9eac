//! The simulated world of `blis`: a workload spec becomes a model, the model is run, and what happened is measured.
//!
//! ```text
//! spec ─► model ─► users + backend ─► event ─► measure ─► verdict ─► result
//!                  └─ simulation ──┘
//! ```
//!
//! - [`spec`] reads text and lowers it to a [`model`]; [`analysis`] says what can be said of a model without running it,
//!   with the closed forms of [`theory`].
//! - [`users`] decide who sends what when, [`backend`] what becomes of it, [`engine`] holds what both worlds share of a
//!   run, and [`simulation`] is the run in simulated time.
//! - Everything that happens is an [`event`](mod@event), folded by [`measure`] as it occurs, judged by [`verdict`] and
//!   written down as a [`result`]; a [`trace`] hands on a row per request, and
//!   [`explain`] says where the time of some of them went.
//! - [`replication`] runs a model more than once, and [`statistics`] says how far off the figures may be.
//! - [`dist`] samples from [`random`]'s keyed draws, [`time`] is whole nanoseconds.
//!
//! [`simulate`] goes the whole way in one call.
//!
//! There is no clock here, no I/O and no logging, and no thread but for replications, whose results are taken in order: the
//! same input gives the same output, to the last byte.

pub mod analysis;
pub mod backend;
pub mod calibration;
pub mod compare;
pub mod dist;
pub mod engine;
pub mod event;
pub mod explain;
pub mod measure;
pub mod model;
pub mod number;
pub mod random;
pub mod replication;
pub mod result;
pub mod runner;
pub mod search;
mod simulate;
pub mod simulation;
pub mod spec;
pub mod statistics;
pub mod theory;
pub mod time;
pub mod trace;
pub mod users;
pub mod validation;
pub mod verdict;
pub mod visible;

pub use simulate::{Refused, simulate};
