//! Specs: from text to a checked model.
//!
//! [`read`] turns text into the typed syntax, [`lower`] turns that into a [`Model`](crate::model::Model). Both report
//! several errors in one go, each with its place in the text. Between the two, [`overrides`] puts in what the
//! command line says. Nothing here touches the file system, and no text makes it panic, overflow the stack or take
//! more than 48 MB of memory and a million allocations.

pub mod backend;
pub mod compose;
mod de;
mod defaults;
pub mod deliveries;
pub mod distribution;
pub mod error;
pub mod files;
mod filled;
mod layout;
pub mod live;
mod lower;
pub mod named;
pub mod node;
pub mod objectives;
pub mod overrides;
mod quantity;
mod resolved;
mod schema;
pub mod service;
pub mod set;
mod settings;
pub mod shape;
mod spanned;
pub mod steps;
pub mod syntax;
pub mod units;
mod vocabulary;
mod written;
pub mod yaml;

pub use error::{SpecError, SpecErrors};
pub use files::Files;
pub use lower::{
    Lowered, MAX_NAME as LONGEST_NAME, MOST_RUNS, lower, lower_live, lower_with, wanted_files,
};
pub use objectives::Objectives;
pub use overrides::{ClientFlags, Overrides};
pub use resolved::{resolved, with_paths};
pub use schema::json_schema;
pub use set::Assignment;
pub use settings::{Setting, settings};
pub use spanned::Spanned;
pub use syntax::Spec;

use std::ops::Range;

use sha2::{Digest, Sha256};

/// Reads the text of a spec. The errors are in the order of the text, at most [`error::MAX_ERRORS`], and include those
/// that [`lower`] would find in what could be read, as far as they do not follow from the others.
pub fn read(text: &str) -> Result<Spec, SpecErrors> {
    read_with(text, &[])
}

/// Reads the text of a spec with values set in it, as [`set`] says. An error about a set value names the assignment, also
/// one that [`lower`] finds.
pub fn read_with(text: &str, assignments: &[Assignment]) -> Result<Spec, SpecErrors> {
    let (mut tree, mut errors) = yaml::parse(text)?;
    errors.truncate(error::MAX_ERRORS);
    let assigned = match set::apply(&mut tree, assignments) {
        Ok(assigned) => assigned,
        Err(refused) => {
            errors.extend(refused);
            errors.truncate(error::MAX_ERRORS);
            return Err(errors.into());
        }
    };
    let spec: Option<Spec> = de::read(&tree, &mut errors);
    if let Some(mut spec) = spec {
        if errors.is_empty() {
            spec.set = assigned;
            return Ok(spec);
        }
        errors.extend(lower::standing_errors(&spec, &tree));
    }
    error::sort(&mut errors);
    errors.truncate(error::MAX_ERRORS);
    assigned.name(&mut errors);
    Err(errors.into())
}

/// What stands under a key of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under<'a> {
    /// Nothing.
    Nothing,
    /// A single value, as it is written.
    Scalar(&'a str),
    /// A list or a mapping.
    Several,
}

/// The values of a spec's text by their places, for messages that name the field.
#[derive(Debug)]
pub struct Fields(Option<node::Node>);

impl Fields {
    /// The fields of a text; none when the text cannot be read.
    pub fn new(text: &str) -> Fields {
        Fields(yaml::parse(text).ok().map(|(tree, _)| tree))
    }

    /// What stands under a key.
    pub fn under(&self, key: &Assignment) -> Under<'_> {
        let node = self.0.as_ref().and_then(|tree| key.find(tree));
        match node.map(|node| &node.value) {
            None | Some(node::Value::Null) => Under::Nothing,
            Some(node::Value::Scalar(scalar)) => Under::Scalar(&scalar.text),
            Some(node::Value::Sequence(_) | node::Value::Mapping(_)) => Under::Several,
        }
    }

    /// The path of keys to a place, such as `services.api.workers` or `actions.ask.path[1].visit`.
    pub fn at(&self, place: &Range<usize>) -> Option<String> {
        self.0.as_ref().and_then(|tree| tree.path_to(place))
    }
}

/// Reads the bytes of a spec, which must be UTF-8.
pub fn read_bytes(bytes: &[u8]) -> Result<Spec, SpecErrors> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!(
            "the spec is not UTF-8: byte {} cannot be read",
            error.valid_up_to() + 1
        );
        SpecError::new(message).help("save the file as UTF-8")
    })?;
    read(text)
}

/// The SHA-256 of a spec's text, in hexadecimal.
pub fn sha256(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
