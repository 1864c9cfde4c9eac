//! Numbers of bytes.

use std::fmt;
use std::str::FromStr;

use super::reading::{UnitError, complain, refuse, split_number};
use crate::spec::error::shown;

const SIZE_FORMS: &str =
    "a size is a number of bytes with its unit: `256B`, `4KiB`, `1MiB`, `64kB`";

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Size, UnitError> {
        let (digits, unit) = split_number(text);
        let factor: u64 = match unit.trim_start() {
            "B" => 1,
            "kB" => 1_000,
            "MB" => 1_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "" if !digits.is_empty() => {
                return refuse(
                    format!("the size `{}` has no unit", shown(text)),
                    SIZE_FORMS,
                );
            }
            _ => return Err(complain(text, "a size", SIZE_FORMS)),
        };
        let Ok(number) = digits.parse::<u64>() else {
            return Err(complain(text, "a size", SIZE_FORMS));
        };
        match number.checked_mul(factor) {
            Some(bytes) => Ok(Size(bytes)),
            None => refuse(format!("`{}` is too large", shown(text)), SIZE_FORMS),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B", self.0)
    }
}
