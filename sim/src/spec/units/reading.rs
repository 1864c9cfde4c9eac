//! How quantities are read from text, and why a text is none.

use std::borrow::Cow;

use crate::spec::error::shown;

/// Why a text is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnitError {
    /// What was found.
    pub message: String,
    /// What is accepted.
    pub help: Cow<'static, str>,
}

/// Refuses a text.
pub(super) fn refuse<T>(message: String, help: &'static str) -> Result<T, UnitError> {
    Err(UnitError {
        message,
        help: help.into(),
    })
}

/// `complain`, with a suggestion where the unit is one of another tool.
pub(super) fn suggest(
    text: &str,
    (number, unit): (&str, &str),
    units: &[(&str, &[&str])],
    error: UnitError,
) -> UnitError {
    let unit = unit.trim().to_ascii_lowercase();
    let written = units
        .iter()
        .find(|(written, others)| *written == unit || others.contains(&&*unit));
    let number = number.trim_end();
    match written {
        Some((written, _)) if !number.is_empty() && format!("{number}{written}") != text => {
            UnitError {
                help: format!("did you mean `{}{written}`? {}", shown(number), error.help).into(),
                ..error
            }
        }
        _ => error,
    }
}

/// The digits, with at most one point, that a text starts with, and the rest; a sign and an exponent are not digits.
pub(super) fn split_number(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `digits` times ten to the `exponent`, rounded once.
pub(super) fn decimal(digits: &str, exponent: i32) -> Option<f64> {
    let dots = digits.matches('.').count();
    if dots > 1 || digits.len() == dots {
        return None;
    }
    format!("{digits}e{exponent}")
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
}

/// What is wrong with a text that does not start like an unsigned number, or with its number.
pub(super) fn complain(text: &str, what: &str, help: &'static str) -> UnitError {
    let lower = text
        .trim_start_matches(['+', '-', '.'])
        .to_ascii_lowercase();
    let message = if lower.starts_with("nan") || lower.starts_with("inf") {
        format!("`{}` is not {what}: it must be finite", shown(text))
    } else if text.starts_with('-') {
        format!("`{}` is negative", shown(text))
    } else if text.is_empty() {
        format!("an empty text is not {what}")
    } else {
        format!("`{}` is not {what}", shown(text))
    };
    UnitError {
        message,
        help: help.into(),
    }
}
