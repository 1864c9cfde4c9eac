//! `blis schema`: the JSON Schemas of what blis reads and writes.

use crate::cli::{Schema, SchemaArgs};
use crate::commands::print;
use crate::exit::{Done, Failure};

/// Prints the schema.
///
/// # Errors
/// [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &SchemaArgs) -> Result<Done, Failure> {
    let schema = match args.of {
        Schema::Spec => blis_sim::spec::json_schema(),
        Schema::Result => blis_sim::result::json_schema(),
        Schema::Check => blis_sim::result::check_json_schema(),
        Schema::Explain => blis_sim::explain::json_schema(),
        Schema::Manifest => blis_sim::result::manifest_json_schema(),
        Schema::Ceiling => blis_sim::result::ceiling_json_schema(),
        Schema::Validation => blis_sim::validation::validation_json_schema(),
        Schema::Calibration => blis_sim::calibration::calibration_json_schema(),
        Schema::Compare => blis_sim::compare::compare_json_schema(),
        Schema::Whatif => blis_sim::result::comparison_json_schema(),
    };
    print(&schema)?;
    Ok(Done::Well)
}
