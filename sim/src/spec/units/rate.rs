//! Occurrences per time.

use std::fmt;
use std::str::FromStr;

use super::reading::{UnitError, complain, decimal, refuse, split_number, suggest};
use crate::spec::error::shown;

/// The highest rate per second. Times between arrivals are rounded to the nanosecond, which at this rate shifts a
/// Poisson process by less than 0.05 %.
pub const MAX_RATE: f64 = 1e8;

const RATE_FORMS: &str = "a rate is a number per s, m or h: `200/s`, `1.5k/s`, `12/m`";

const RATE_UNITS: [(&str, &[&str]); 3] = [
    (
        "/s",
        &[
            "rps",
            "qps",
            "tps",
            "hz",
            "/sec",
            "/second",
            "per second",
            "ps",
        ],
    ),
    ("/m", &["rpm", "/min", "/minute", "per minute"]),
    ("/h", &["rph", "/hr", "/hour", "per hour"]),
];

/// Occurrences per second, not negative, at most [`MAX_RATE`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Rate, UnitError> {
        let (digits, rest) = split_number(text);
        let (exponent, rest) = match rest.strip_prefix('k') {
            Some(rest) => (3, rest),
            None => rest.strip_prefix('M').map_or((0, rest), |rest| (6, rest)),
        };
        let divisor = match rest.trim() {
            "/s" => 1.0,
            "/m" => 60.0,
            "/h" => 3600.0,
            "" if !digits.is_empty() => {
                return refuse(
                    format!("the rate `{}` has no unit", shown(text)),
                    RATE_FORMS,
                );
            }
            _ => {
                let number = &text[..text.len() - rest.len()];
                let error = complain(text, "a rate", RATE_FORMS);
                return Err(suggest(text, (number, rest), &RATE_UNITS, error));
            }
        };
        let Some(value) = decimal(digits, exponent) else {
            return Err(complain(text, "a rate", RATE_FORMS));
        };
        let rate = value / divisor;
        if rate > MAX_RATE {
            return refuse(
                format!("`{}` is too high a rate", shown(text)),
                "give up to 100M/s",
            );
        }
        Ok(Rate(rate))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}
