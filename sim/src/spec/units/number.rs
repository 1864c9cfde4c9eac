//! Plain numbers.

use std::fmt;
use std::str::FromStr;

use super::reading::{UnitError, complain, refuse};
use crate::spec::error::shown;

const NUMBER_FORMS: &str = "a number is written like `2`, `0.8` or `1e3`";

/// A plain number, finite and not negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Number(pub f64);

impl FromStr for Number {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Number, UnitError> {
        // The standard parser also takes signs, `nan` and `inf`.
        let digits_first = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        match text.parse::<f64>() {
            Ok(value) if digits_first && value.is_finite() => Ok(Number(value)),
            Ok(_) if digits_first => {
                refuse(format!("`{}` is too large", shown(text)), NUMBER_FORMS)
            }
            _ => Err(complain(text, "a number", NUMBER_FORMS)),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
