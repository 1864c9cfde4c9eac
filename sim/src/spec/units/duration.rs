//! Lengths of time.

use std::fmt;
use std::str::FromStr;

use super::reading::{UnitError, complain, decimal, refuse, split_number, suggest};
use crate::spec::error::shown;

/// The longest duration: 100 years, so that any few of them can be added on a clock of 584 years.
pub const MAX_DURATION_NS: f64 = 100.0 * 8_766.0 * 3.6e12;

pub(super) const DURATION_FORMS: &str = "a duration is a number with one of the units ns, us, ms, s, m, h: `500ms`, `2.5s`, `1h`, or several such parts: `1m30s`";

/// Units as other tools write them, and as they are written here.
const DURATION_UNITS: [(&str, &[&str]); 6] = [
    (
        "ns",
        &["nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"],
    ),
    (
        "us",
        &["usec", "usecs", "micros", "microsecond", "microseconds"],
    ),
    (
        "ms",
        &["msec", "msecs", "millis", "millisecond", "milliseconds"],
    ),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["min", "mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
];

/// A length of time in nanoseconds, not negative, at most [`MAX_DURATION_NS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Duration(pub f64);

/// The parts of a duration that is written in several, such as `1m30s`; `None` for any other text.
fn parts(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    loop {
        let (digits, after) = split_number(rest);
        let unit = after.len() - after.trim_start().len();
        let next = after[unit..].find(|c: char| c.is_ascii_digit() || c.is_whitespace());
        // Each part has a number and a unit.
        if digits.is_empty() || next == Some(0) || after.len() == unit {
            return None;
        }
        let Some(next) = next else {
            parts.push(rest);
            return (parts.len() > 1).then_some(parts);
        };
        let end = digits.len() + unit + next;
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
}

/// The sum of the parts of a duration: from large units to small ones, all but the last one whole.
fn sum_of_parts(text: &str, parts: &[&str]) -> Result<Duration, UnitError> {
    let unit = |part: &str| split_number(part).1.trim_start().to_owned();
    let mut sum = 0.0;
    let mut before: Option<f64> = None;
    for (at, part) in parts.iter().enumerate() {
        let one = format!("1{}", unit(part)).parse::<Duration>();
        let (Ok(Duration(one)), Ok(Duration(nanos))) = (one, part.parse()) else {
            return Err(complain(text, "a duration", DURATION_FORMS));
        };
        if before.is_some_and(|before| before <= one) {
            let message = format!(
                "the units of `{}` are not ordered from large to small",
                shown(text)
            );
            return refuse(message, DURATION_FORMS);
        }
        if at + 1 < parts.len() && split_number(part).0.contains('.') {
            let message = format!(
                "`{}` is not a whole number, and more follows it in `{}`",
                shown(part),
                shown(text)
            );
            return refuse(
                message,
                "only the last part of a duration may have a fraction",
            );
        }
        sum += nanos;
        before = Some(one);
    }
    within_clock(sum, text)
}

/// A duration of this many nanoseconds, if the clock has as many.
fn within_clock(nanos: f64, text: &str) -> Result<Duration, UnitError> {
    match nanos > MAX_DURATION_NS {
        true => refuse(
            format!("`{}` is too long", shown(text)),
            "give up to 100 years (876600h)",
        ),
        false => Ok(Duration(nanos)),
    }
}

impl FromStr for Duration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Duration, UnitError> {
        if let Some(parts) = parts(text) {
            return sum_of_parts(text, &parts);
        }
        let (digits, unit) = split_number(text);
        // Powers of ten go into the exponent, so that only minutes and hours round a second time.
        let (exponent, factor) = match unit.trim_start() {
            "ns" => (0, 1.0),
            "us" | "µs" | "μs" => (3, 1.0),
            "ms" => (6, 1.0),
            "s" => (9, 1.0),
            "m" => (10, 6.0),
            "h" => (11, 36.0),
            "" if !digits.is_empty() => {
                return refuse(
                    format!("the duration `{}` has no unit", shown(text)),
                    DURATION_FORMS,
                );
            }
            _ => {
                let error = complain(text, "a duration", DURATION_FORMS);
                return Err(suggest(text, (digits, unit), &DURATION_UNITS, error));
            }
        };
        let Some(value) = decimal(digits, exponent) else {
            return Err(complain(text, "a duration", DURATION_FORMS));
        };
        if value * factor > 0.0 && value * factor < 1.0 {
            return refuse(
                format!("`{}` is shorter than a nanosecond", shown(text)),
                "give 0 or at least `1ns`",
            );
        }
        within_clock(value * factor, text)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A whole number of nanoseconds has the same value as an integer, and any integer reads back to it.
        if self.0.fract() == 0.0 && self.0 < 1.8e19 {
            write!(f, "{}", crate::time::Span::from_nanos(self.0 as u64))
        } else {
            write!(f, "{}ns", self.0)
        }
    }
}
