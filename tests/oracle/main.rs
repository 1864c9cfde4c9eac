//! Closed forms of queueing theory against simulation.
//!
//! Each model is a spec, simulated in independent replications. The 99.9 % interval over them must contain the exact
//! figure and may be at most so wide, so that neither a bias of a percent nor a lack of precision goes unnoticed. The
//! seeds are fixed: a check passes everywhere or nowhere.

#![allow(clippy::unwrap_used)]

mod closed;
mod limits;
mod networks;
mod open;
mod orders;
mod replicate;
mod sensitivity;
mod statistics;
mod tries;
