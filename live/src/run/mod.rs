//! Runs: from a model and a target to what was measured.
//!
//! - [`plan`] says what a run would do, and opens nothing.
//! - [`session`] is a server with connections, over which loads run one after another; [`mod@observe`] is one load from its
//!   preflight to its end, [`trials`] those of a search, which [`ceiling`] runs for as long as somebody asks for more.
//! - [`observed`] is what was measured, [`failure`] why nothing was, [`recent_ends`] what is shown meanwhile.
//!
//! It stands on everything but the doubles.

pub mod ceiling;
pub mod failure;
pub mod observe;
pub mod observed;
pub mod plan;
pub mod recent_ends;
pub mod session;
pub mod trials;
