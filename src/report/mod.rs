//! Reports for people: text for a terminal, Markdown for a document, and a page for a browser.
//!
//! Every figure of a report is in the JSON document of its command too; a report only chooses, words and aligns. A
//! command builds a [`parts::Report`], which knows none of the three forms.

mod absence;
mod breakdown;
mod calibration;
mod ceiling;
mod check;
mod compare;
mod course;
mod csv;
mod deliveries;
mod difference;
mod ends;
mod explain;
mod figures;
mod html;
mod junit;
mod limits;
mod live;
mod markdown;
pub mod messages;
pub mod number;
mod observers;
mod overload;
mod parts;
mod plot;
mod provenance;
mod record;
mod run;
pub mod served;
mod table;
mod text;
mod theory;
mod validation;
mod verdict;
mod whatif;

pub use calibration::calibration;
pub use ceiling::ceiling;
pub use check::check;
pub use compare::compare;
pub use csv::{series, summary};
pub use explain::explain;
pub use figures::Sides;
pub use html::html;
pub use junit::{of_ceiling, of_comparison, of_run, of_validation};
pub use markdown::markdown;
pub use overload::{Overload, overloads};
pub use parts::Report;
pub use run::{missed_precision, run};
pub use text::text;
pub use validation::validation;
pub use verdict::status_name;
pub use whatif::whatif;
