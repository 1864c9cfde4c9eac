//! The search for a ceiling: the varied quantity, the trials, and the document.

mod bracketed;
mod csv;
mod document;
mod key;
pub mod live;
pub mod live_range;
mod objectives;
mod own;
mod places;
mod plan;
mod predicted;
mod remedies;
mod requests;
mod simulated;
mod slow;
mod steps;
mod tiers;
mod unit;
mod varied;

pub use document::{About, Tried, document, figure, status};
pub use live_range::refuse_model_key;
pub use objectives::refuse_none as refuse_no_objective;
pub use places::Places;
pub use plan::{
    Sought, after_trip, example, lines, ramp, refuse_live_flags, refuse_no_time, sought, steps_of,
    wall,
};
pub use predicted::{LONGEST_TRIAL, Prediction, TheModel};
pub use remedies::{check as check_remedies, failed as failed_remedies, run as remedies};
pub use requests::MOST as MOST_REQUESTS;
pub use simulated::{eyes, run as search, run_tiers as search_tiers};
pub use slow::slow;
pub use steps::{Ramp, simulated as simulate_steps, spec_of_trial};
pub use tiers::{OfTiers, Tiers};
pub use unit::{Unit, ascending};
pub use varied::Varied;
