//! Whole numbers.

use std::fmt;
use std::str::FromStr;

use super::reading::{UnitError, complain, refuse, split_number};
use crate::spec::error::shown;

const COUNT_FORMS: &str =
    "a count is a whole number, with k or M for thousands and millions: `500`, `10k`, `1.5M`";

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl FromStr for Count {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Count, UnitError> {
        let (digits, suffix) = split_number(text);
        let zeros = match suffix {
            "" => 0,
            "k" => 3,
            "M" => 6,
            _ => return Err(complain(text, "a count", COUNT_FORMS)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty() || fraction.contains('.') {
            return Err(complain(text, "a count", COUNT_FORMS));
        }
        if fraction.len() > zeros {
            return refuse(
                format!("`{}` is not a whole number", shown(text)),
                COUNT_FORMS,
            );
        }
        let padded = format!("{whole}{fraction}{}", "0".repeat(zeros - fraction.len()));
        match padded.parse() {
            Ok(value) => Ok(Count(value)),
            Err(_) => refuse(
                format!("`{}` is too large", shown(text)),
                "give up to 18446744073709551615 (2^64 - 1)",
            ),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
