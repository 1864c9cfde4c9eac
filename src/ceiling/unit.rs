//! Units of the varied quantity: how values are read, written into a spec, and shown.

use std::str::FromStr;

use blis_sim::spec::units::{Count, Duration, Number, Rate, Share, Size, UnitError};

use crate::exit::Failure;
use crate::report::number::{count, significant};

/// The unit of what is varied. A value of it is a number: of milliseconds, of occurrences per second, of bytes, of the
/// whole that a share is of, or just a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A time.
    Milliseconds,
    /// A rate.
    PerSecond,
    /// A size.
    Bytes,
    /// A share, written as a percentage.
    Percent,
    /// A plain number or a share, written as a fraction.
    Number,
    /// A whole number.
    Whole,
}

impl Unit {
    /// The unit of a value as a spec writes it; `None` where it is not numeric. That a number without a unit is a whole one
    /// is to be found out elsewhere.
    pub fn of(text: &str) -> Option<Unit> {
        let is = |numeric: bool, unit| numeric.then_some(unit);
        is(text.parse::<Duration>().is_ok(), Unit::Milliseconds)
            .or(is(text.parse::<Rate>().is_ok(), Unit::PerSecond))
            .or(is(text.parse::<Size>().is_ok(), Unit::Bytes))
            .or(is(
                text.ends_with('%') && text.parse::<Share>().is_ok(),
                Unit::Percent,
            ))
            .or(is(text.parse::<Count>().is_ok(), Unit::Whole))
            .or(is(text.parse::<Number>().is_ok(), Unit::Number))
    }

    /// Reads a value.
    ///
    /// # Errors
    /// What is wrong with it, and what is accepted.
    pub fn read(self, text: &str) -> Result<f64, String> {
        fn parse<T: FromStr<Err = UnitError>>(text: &str) -> Result<T, String> {
            text.parse()
                .map_err(|error: UnitError| format!("{error}; {}", error.help))
        }
        let text = text.trim();
        match self {
            Unit::Milliseconds => parse::<Duration>(text).map(|time| time.0 / 1e6),
            Unit::PerSecond => {
                let bare =
                    text.ends_with(|last: char| last.is_ascii_digit() || ".kM".contains(last));
                let with_unit = if bare {
                    format!("{text}/s")
                } else {
                    text.to_owned()
                };
                parse::<Rate>(&with_unit).map(|rate| rate.0)
            }
            Unit::Bytes => parse::<Size>(text).map(|size| size.0 as f64),
            Unit::Percent => parse::<Share>(text).map(|share| share.0),
            Unit::Number => parse::<Number>(text).map(|number| number.0),
            Unit::Whole => {
                let Count(whole) = parse(text)?;
                // Larger ones have no exact number.
                match whole < 1 << 53 {
                    true => Ok(whole as f64),
                    false => Err(format!(
                        "`{text}` is too large; give at most {}",
                        1u64 << 53
                    )),
                }
            }
        }
    }

    /// A value as a spec reads it.
    pub fn written(self, value: f64) -> String {
        match self {
            Unit::Milliseconds => Duration((value * 1e6).round()).to_string(),
            Unit::PerSecond => Rate(value).to_string(),
            Unit::Bytes => Size(value.round() as u64).to_string(),
            Unit::Percent | Unit::Number => Number(value).to_string(),
            Unit::Whole => Count(value.round() as u64).to_string(),
        }
    }

    /// A value for people.
    pub fn shown(self, value: f64) -> String {
        match self {
            Unit::Milliseconds => match value {
                short if short < 1.0 => format!("{} us", brief(short * 1e3)),
                middle if middle < 1e3 => format!("{} ms", brief(middle)),
                long => format!("{} s", brief(long / 1e3)),
            },
            Unit::PerSecond => format!("{}/s", brief(value)),
            Unit::Bytes => format!("{} B", count(value.round() as u64)),
            Unit::Percent => format!("{} %", brief(value * 100.0)),
            Unit::Number => brief(value),
            Unit::Whole => count(value.round() as u64),
        }
    }

    /// Whether values are whole numbers.
    pub fn is_whole(self) -> bool {
        matches!(self, Unit::Whole | Unit::Bytes)
    }

    /// The unit of this name in a document, for what is varied; where it is empty, that says whether numbers are whole.
    pub fn named(name: &str, parameter: &str) -> Unit {
        match name {
            "ms" => Unit::Milliseconds,
            "1/s" => Unit::PerSecond,
            "B" => Unit::Bytes,
            "%" => Unit::Percent,
            _ if parameter == "concurrency" => Unit::Whole,
            _ => Unit::Number,
        }
    }

    /// Its name in a document; empty where a value is a plain number.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::PerSecond => "1/s",
            Unit::Bytes => "B",
            Unit::Percent | Unit::Number | Unit::Whole => "",
        }
    }
}

/// A number with four significant digits, without zeros that say nothing.
fn brief(value: f64) -> String {
    let text = significant(value);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Values with commas between, strictly ascending and above zero.
///
/// # Errors
/// [`Failure::Usage`] for whatever is not so.
pub fn ascending(flag: &str, text: &str, unit: Unit) -> Result<Vec<f64>, Failure> {
    let mut values: Vec<f64> = Vec::new();
    for one in text.split(',') {
        if one.trim().is_empty() {
            return Err(Failure::Usage(format!(
                "{flag} `{text}` has an empty entry; give comma-separated values, such as 500,1k,2k"
            )));
        }
        let value = value(flag, one, unit)?;
        let last = values.last().copied();
        if let Some(last) = last.filter(|last| *last >= value) {
            let why = match last == value {
                true => format!("{} is given twice", unit.shown(value)),
                false => format!("{} comes after {}", unit.shown(value), unit.shown(last)),
            };
            return Err(Failure::Usage(format!(
                "{flag} `{text}` is not strictly ascending: {why}; give each value once, smallest first"
            )));
        }
        values.push(value);
    }
    Ok(values)
}

/// The two ends of a range.
///
/// # Errors
/// [`Failure::Usage`] where it is none.
pub fn range(flag: &str, text: &str, unit: Unit) -> Result<[f64; 2], Failure> {
    let Some((low, high)) = text.split_once("..") else {
        return Err(Failure::Usage(format!(
            "{flag} `{text}` is not a range; give LO..HI, such as {}..{}",
            unit.written(1.0),
            unit.written(64.0)
        )));
    };
    let ends = [value(flag, low, unit)?, value(flag, high, unit)?];
    match ends[0] < ends[1] {
        true => Ok(ends),
        false => Err(Failure::Usage(format!(
            "{flag} `{text}` is {}; give the smaller end first, such as {}..{}",
            if ends[0] == ends[1] {
                "empty"
            } else {
                "inverted"
            },
            unit.written(ends[1]),
            unit.written(if ends[0] == ends[1] {
                ends[0] * 2.0
            } else {
                ends[0]
            }),
        ))),
    }
}

/// A value above zero.
///
/// # Errors
/// [`Failure::Usage`] where it is none.
pub fn value(flag: &str, text: &str, unit: Unit) -> Result<f64, Failure> {
    match unit.read(text) {
        Ok(value) if value > 0.0 => Ok(value),
        Ok(_) => Err(Failure::Usage(format!(
            "{flag}: `{}` is zero; give values above zero",
            text.trim()
        ))),
        Err(why) => Err(Failure::Usage(format!("{flag}: {why}"))),
    }
}
