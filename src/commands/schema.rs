//! `blis schema`: the JSON Schemas of what blis reads and writes.

use crate::cli::{Schema, SchemaArgs};
use crate::commands::print;
use crate::exit::{Done, Failure};
use crate::schemas;

/// Prints the schema.
///
/// # Errors
/// [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &SchemaArgs) -> Result<Done, Failure> {
    let schema = match args.of {
        Schema::Spec => schemas::SPEC,
        Schema::Result => schemas::RESULT,
        Schema::Check => schemas::CHECK,
        Schema::Explain => schemas::EXPLAIN,
        Schema::Manifest => schemas::MANIFEST,
        Schema::Ceiling => schemas::CEILING,
        Schema::Validation => schemas::VALIDATION,
        Schema::Calibration => schemas::CALIBRATION,
        Schema::Compare => schemas::COMPARE,
        Schema::Whatif => schemas::WHATIF,
    };
    print(schema)?;
    Ok(Done::Well)
}
