//! Fits a model to measured runs, and reports what the runs determine and what they do not.
//!
//! The summary of a run ([`summary`]) is simulated with the same arrivals and other draws; the fitted numbers are those whose
//! simulations differ least ([`least_squares`]), each figure weighted by its own chance ([`weight`]): the method of simulated
//! moments (McFadden 1989), with the engine itself, for any model that it runs. The search moves between neighbouring structures
//! ([`explain`]). What the runs cannot tell apart stays apart: every structure as good as the best one contributes to every
//! interval ([`knowledge`]).
//!
//! The caller gives the simulation as a function of a structure, its numbers and the number of a sample path; nothing here knows
//! how runs are stored or how a spec is made of them.

mod document;
pub mod explain;
mod findings;
pub mod goodness;
pub mod knowledge;
pub mod least_squares;
mod likelihood;
mod neighbours;
pub mod next_load;
mod question;
mod search;
pub mod structure;
pub mod summary;
pub mod weight;

pub use document::{
    CALIBRATION_SCHEMA, CalibrationResult, ChoiceResult, ExplanationResult, FitResult,
    GoodnessResult, NextLoadResult, NumberResult, RunCalibration, SourceResult,
    calibration_json_schema,
};
pub use findings::findings;
