//! The times of recorded arrivals: read to the nanosecond, also where they count from 1970.
//!
//! Dates are beyond what a float keeps to the nanosecond, so digits are read as digits.

use crate::spec::error::shown;
use crate::spec::files::Flaw;
use crate::spec::syntax::TimeUnit;
use crate::spec::units::{Duration, MAX_DURATION_NS, Number};
use crate::time::{Span, Time};

/// How a time may be written.
pub(super) const TIME_FORMS: &str =
    "give a number of seconds, or a time with a unit, not negative: `12.5`, `12500ms`";

/// A recorded time in nanoseconds, since whatever the recording counts from.
pub type Moment = u128;

/// From this many nanoseconds on (three years), the first time of a recording is not one since the start of a run.
const ABSOLUTE: Moment = 100_000_000 * 1_000_000_000;

/// Most characters of a time.
const LONGEST: usize = 40;

/// Reads a time: with its unit, or a number of `unit`s, which may have an exponent.
pub fn read(line: usize, text: &str, unit: TimeUnit) -> Result<Moment, Flaw> {
    let moment = match text.len() <= LONGEST {
        true => digits(text, unit).or_else(|| rounded(text, unit)),
        false => None,
    };
    moment.ok_or_else(|| {
        let what = if text.starts_with('-') {
            "negative"
        } else if is_date(text) {
            "a date"
        } else {
            "not a time"
        };
        let help = match what {
            "a date" => {
                "write dates as seconds since 1970, and `arrival: {trace: {file: …, offset: first}}` in the spec"
            }
            _ => TIME_FORMS,
        };
        Flaw::new(line, format!("`{}` is {what}", shown(text)), help)
    })
}

/// A decimal number of units, exactly.
fn digits(text: &str, unit: TimeUnit) -> Option<Moment> {
    let (number, unit) = with_unit(text).unwrap_or((text, unit));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let kept = fraction.len().min(unit.digits());
    let padded = format!(
        "0{whole}{}{}",
        &fraction[..kept],
        "0".repeat(unit.digits() - kept)
    );
    let nanos: Moment = padded.parse().ok()?;
    let rounds_up = fraction[kept..]
        .bytes()
        .next()
        .is_some_and(|next| next >= b'5');
    nanos.checked_add(Moment::from(rounds_up))
}

/// The number and the unit of a time that says it, where that is a power of ten.
fn with_unit(text: &str) -> Option<(&str, TimeUnit)> {
    // `ms`, `us` and `ns` end in `s` too.
    [TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns, TimeUnit::S]
        .into_iter()
        .find_map(|unit| Some((text.strip_suffix(unit.word())?.trim_end(), unit)))
}

/// Minutes, hours, and numbers with an exponent.
fn rounded(text: &str, unit: TimeUnit) -> Option<Moment> {
    let nanos = match text.ends_with(|last: char| last.is_ascii_digit()) {
        true => text.parse::<Number>().ok()?.0 * 10f64.powi(unit.digits() as i32),
        false => text.parse::<Duration>().ok()?.0,
    };
    // Beyond this nothing is a time, and a float would saturate.
    (nanos < 1e30).then_some((nanos + 0.5) as Moment)
}

/// Whether a text begins like `2026-11-29`.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && [4, 7].iter().all(|&at| bytes[at] == b'-')
        && bytes[..4].iter().all(u8::is_ascii_digit)
}

/// The instant of a run at which so much time has passed since `offset`.
pub fn instant(line: usize, text: &str, moment: Moment, offset: Moment) -> Result<Time, Flaw> {
    let Some(nanos) = moment.checked_sub(offset) else {
        let message = format!("`{}` is before the offset", shown(text));
        let help = "give an offset that no time is before, such as `offset: first`";
        return Err(Flaw::new(line, message, help));
    };
    match u64::try_from(nanos) {
        Ok(nanos) if (nanos as f64) <= MAX_DURATION_NS => Ok(Time::ZERO + Span::from_nanos(nanos)),
        _ => {
            let message = format!("`{}` is later than the clock allows", shown(text));
            let help = "a run may take up to 100 years (876600h); for absolute times write \
                        `arrival: {trace: {file: …, offset: first}}`";
            Err(Flaw::new(line, message, help))
        }
    }
}

/// Refuses a first time that counts from 1970 where nothing says so.
pub fn refuse_absolute(
    line: usize,
    text: &str,
    moment: Moment,
    unit: TimeUnit,
) -> Result<(), Flaw> {
    if moment < ABSOLUTE {
        return Ok(());
    }
    // A bare number says by its size what it counts: the years 1973 to 5138 in each unit.
    let says_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
    let guess = match moment / 10u128.pow(unit.digits() as u32) {
        _ if says_unit => unit,
        0..100_000_000_000 => TimeUnit::S,
        100_000_000_000..100_000_000_000_000 => TimeUnit::Ms,
        100_000_000_000_000..100_000_000_000_000_000 => TimeUnit::Us,
        _ => TimeUnit::Ns,
    };
    let (noun, in_unit) = match guess {
        TimeUnit::S => ("seconds", ""),
        TimeUnit::Ms => ("milliseconds", ", unit: ms"),
        TimeUnit::Us => ("microseconds", ", unit: us"),
        TimeUnit::Ns => ("nanoseconds", ", unit: ns"),
    };
    let noun = match says_unit {
        true => "a time",
        false => noun,
    };
    let message = format!(
        "`{}` looks like {noun} since 1970, not like a time since the start of the run",
        shown(text)
    );
    let in_unit = match guess == unit {
        true => "",
        false => in_unit,
    };
    let help = format!(
        "count from the first arrival: `arrival: {{trace: {{file: …, offset: first{in_unit}}}}}`"
    );
    Err(Flaw::new(line, message, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let cases: [(&str, TimeUnit, Moment); 13] = [
            ("1.5", TimeUnit::S, 1_500_000_000),
            (".25", TimeUnit::S, 250_000_000),
            ("7.", TimeUnit::S, 7_000_000_000),
            ("12500ms", TimeUnit::S, 12_500_000_000),
            ("12500 ms", TimeUnit::S, 12_500_000_000),
            ("2m", TimeUnit::Ms, 120_000_000_000),
            ("1e3", TimeUnit::Ms, 1_000_000_000),
            ("0.0000000004", TimeUnit::S, 0),
            ("0.0000000005", TimeUnit::S, 1),
            (
                "1718900000.123456789",
                TimeUnit::S,
                1_718_900_000_123_456_789,
            ),
            (
                "1718900000123456789",
                TimeUnit::Ns,
                1_718_900_000_123_456_789,
            ),
            (
                "1718900000123.456789",
                TimeUnit::Ms,
                1_718_900_000_123_456_789,
            ),
            (
                "1718900000123456789ns",
                TimeUnit::S,
                1_718_900_000_123_456_789,
            ),
        ];
        for (text, unit, nanos) in cases {
            assert_eq!(read(1, text, unit), Ok(nanos), "{text}");
        }
        for text in [
            "",
            ".",
            "-1",
            "nan",
            "1.2.3",
            "1e300",
            "later",
            &"9".repeat(41),
        ] {
            assert!(read(1, text, TimeUnit::S).is_err(), "{text}");
        }
    }
}
