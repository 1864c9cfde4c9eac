//! Reports for people: text on stdout.
//!
//! Every figure of a report is in the result document too; a report only chooses, words and aligns.

mod check;
mod number;
mod run;
mod table;
mod whatif;

pub use check::{check, overload_warnings};
pub use run::{missed_precision, run};
pub use whatif::whatif;
