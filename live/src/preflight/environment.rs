//! Texts from the environment in headers and payloads: secrets, which must not be in a spec.
//!
//! They are filled in right before a run, in a copy of the model that only the transport sees; the plan, the record and the
//! result have the name of the variable.

use std::env::VarError;

use blis_sim::model::{Model, Payload, Piece, Template};

/// Why a text cannot be filled in. The value is never told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// There is no such variable.
    #[error(
        "the environment variable {name}, which action {action} sends as {{env:{name}}}, is not set; set it"
    )]
    Unset {
        /// The variable.
        name: String,
        /// The action.
        action: String,
    },
    /// It is there and no text.
    #[error(
        "the environment variable {name}, which action {action} sends as {{env:{name}}}, is not UTF-8; correct it"
    )]
    NoText {
        /// The variable.
        name: String,
        /// The action.
        action: String,
    },
    /// A header has one line.
    #[error(
        "the environment variable {name}, which a header of action {action} contains, has several lines; set it to one line"
    )]
    SeveralLines {
        /// The variable.
        name: String,
        /// The action.
        action: String,
    },
}

/// The model with what its texts take from the environment.
///
/// # Errors
/// The first text that cannot be filled in.
pub fn filled<P: Clone>(
    model: &Model<P>,
    variable: impl Fn(&str) -> Result<String, VarError>,
) -> Result<Model<P>, Missing> {
    let mut model = model.clone();
    for action in &mut model.actions {
        let Some(sending) = &mut action.sending else {
            continue;
        };
        for (_, text) in &mut sending.headers {
            fill(text, true, &action.name, &variable)?;
        }
        if let Some(delivery) = &mut sending.delivery {
            fill(&mut delivery.equals, false, &action.name, &variable)?;
        }
        if let Payload::Text(text) = &mut sending.payload {
            fill(text, false, &action.name, &variable)?;
        }
    }
    Ok(model)
}

fn fill(
    text: &mut Template,
    one_line: bool,
    action: &str,
    variable: &impl Fn(&str) -> Result<String, VarError>,
) -> Result<(), Missing> {
    for piece in &mut text.0 {
        let Piece::Environment(name) = piece else {
            continue;
        };
        let (name, action) = (name.clone(), action.to_owned());
        let value = match variable(&name) {
            Ok(value) => value,
            Err(VarError::NotPresent) => return Err(Missing::Unset { name, action }),
            Err(VarError::NotUnicode(_)) => return Err(Missing::NoText { name, action }),
        };
        if one_line && value.contains(['\r', '\n']) {
            return Err(Missing::SeveralLines { name, action });
        }
        *piece = Piece::Text(value);
    }
    Ok(())
}
