//! Shares of something.

use std::fmt;
use std::str::FromStr;

use super::reading::{UnitError, complain, decimal, refuse, split_number};
use crate::spec::error::shown;

const SHARE_FORMS: &str = "a share is a percentage or a fraction from 0 to 1: `0.1%`, `0.001`";

/// A share of something, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Share, UnitError> {
        let (digits, unit) = split_number(text);
        let exponent = match unit.trim_start() {
            "" => 0,
            "%" => -2,
            // Only a fraction may have an exponent: `1e-4`.
            _ if unit.starts_with(['e', 'E']) => return share_of_number(text),
            _ => return Err(complain(text, "a share", SHARE_FORMS)),
        };
        match decimal(digits, exponent) {
            Some(share) => checked_share(share, text),
            None => Err(complain(text, "a share", SHARE_FORMS)),
        }
    }
}

fn share_of_number(text: &str) -> Result<Share, UnitError> {
    match text.parse::<f64>() {
        Ok(share) => checked_share(share, text),
        Err(_) => Err(complain(text, "a share", SHARE_FORMS)),
    }
}

fn checked_share(share: f64, text: &str) -> Result<Share, UnitError> {
    if (0.0..=1.0).contains(&share) {
        return Ok(Share(share));
    }
    refuse(
        format!("the share `{}` is above 100%", shown(text)),
        SHARE_FORMS,
    )
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
