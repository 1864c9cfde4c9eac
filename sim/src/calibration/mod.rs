//! Fits a model to runs that were measured, and says what the runs tell of it and what they do not.
//!
//! What a run is summed up by ([`summary`]) is simulated with the same arrivals and other draws, and the numbers of the model are those
//! whose simulations are least off ([`least_squares`]), each figure by its own chance ([`weight`]): the method of simulated moments
//! (McFadden 1989), by the engine itself, for any model that it runs. From one structure to another the search goes by
//! neighbours ([`explain`]). What the runs cannot tell apart stays apart: every structure that explains them as well as the best
//! one has a part in every interval ([`knowledge`]).
//!
//! Whoever calls it gives the simulation as a function of a structure, its numbers and the number of a sample path; nothing here knows
//! how runs are kept or what makes a spec of them.

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
