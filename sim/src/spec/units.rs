//! Quantities with their units: durations, rates, counts, shares and plain numbers.
//!
//! Each is read from the characters it was written with, so that `1.5k` is exactly 1500 and `0.1ms` exactly 100,000
//! nanoseconds, and each is written back in a form that reads to the same value. NaN, infinities and negative values
//! do not exist here; whether zero makes sense is decided where the quantity is used.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::error::shown;

/// The longest duration: 100 years, so that any few of them can be added on a clock of 584 years.
pub const MAX_DURATION_NS: f64 = 100.0 * 8_766.0 * 3.6e12;
/// The highest rate per second. Times between arrivals are rounded to the nanosecond, which at this rate shifts a
/// Poisson process by less than 0.05 %.
pub const MAX_RATE: f64 = 1e8;

const DURATION_FORMS: &str = "a duration is a number with one of the units ns, us, ms, s, m, h: `500ms`, `2.5s`, `1h`, or several such parts: `1m30s`";
const RATE_FORMS: &str = "a rate is a number per s, m or h: `200/s`, `1.5k/s`, `12/m`";
const COUNT_FORMS: &str =
    "a count is a whole number, with k or M for thousands and millions: `500`, `10k`, `1.5M`";
const SHARE_FORMS: &str = "a share is a percentage or a fraction from 0 to 1: `0.1%`, `0.001`";
const SIZE_FORMS: &str =
    "a size is a number of bytes with its unit: `256B`, `4KiB`, `1MiB`, `64kB`";
const NUMBER_FORMS: &str = "a number is written like `2`, `0.8` or `1e3`";

/// Why a text is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnitError {
    /// What was found.
    pub message: String,
    /// What is accepted.
    pub help: Cow<'static, str>,
}

fn refuse<T>(message: String, help: &'static str) -> Result<T, UnitError> {
    Err(UnitError {
        message,
        help: help.into(),
    })
}

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

/// `complain`, with a suggestion where the unit is one of another tool.
fn suggest(
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

/// A length of time in nanoseconds, not negative, at most [`MAX_DURATION_NS`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Duration(pub f64);

/// Occurrences per second, not negative, at most [`MAX_RATE`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

/// A share of something, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A plain number, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Number(pub f64);

/// The digits, with at most one point, that a text starts with, and the rest; a sign and an exponent are not digits.
fn split_number(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `digits` times ten to the `exponent`, rounded once.
fn decimal(digits: &str, exponent: i32) -> Option<f64> {
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
fn complain(text: &str, what: &str, help: &'static str) -> UnitError {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> f64 {
        text.parse::<Duration>().map_or(f64::NAN, |d| d.0)
    }

    #[test]
    fn sizes_have_units() {
        let bytes = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(bytes("256B"), Ok(256));
        assert_eq!(bytes("4KiB"), Ok(4096));
        assert_eq!(bytes("64 kB"), Ok(64_000));
        let refused = |text: &str| bytes(text).expect_err("refused").message;
        assert_eq!(refused("256"), "the size `256` has no unit");
        assert_eq!(refused("1.5KiB"), "`1.5KiB` is not a size");
        assert_eq!(refused("-1B"), "`-1B` is negative");
        assert_eq!(
            refused("18446744073709551615KiB"),
            "`18446744073709551615KiB` is too large"
        );
        assert_eq!(Size(4096).to_string().parse::<Size>(), Ok(Size(4096)));
    }

    #[test]
    fn durations_are_exact() {
        assert_eq!(nanos("0.1ms"), 100_000.0);
        assert_eq!(nanos("1.000000001s"), 1_000_000_001.0);
        assert_eq!(nanos("150us"), 150_000.0);
        assert_eq!(nanos("7ns"), 7.0);
        assert_eq!(nanos("1.5m"), 9e10);
        assert_eq!(nanos("2h"), 7.2e12);
        assert_eq!(nanos("0s"), 0.0);
        assert_eq!(nanos("876600h"), MAX_DURATION_NS);
    }

    #[test]
    fn durations_may_be_written_in_parts() {
        assert_eq!(nanos("1m30s"), 9e10);
        assert_eq!(nanos("1h30m"), 5.4e12);
        assert_eq!(nanos("2h 5m 0.5s"), 7_500.5e9);
        assert_eq!(nanos("1 m 30 s"), 9e10);
        assert_eq!(nanos("1s1ns"), 1_000_000_001.0);
        assert_eq!(nanos("1m90s"), 1.5e11);
        for (text, why) in [
            (
                "30s1m",
                "the units of `30s1m` are not ordered from large to small",
            ),
            (
                "1m1m",
                "the units of `1m1m` are not ordered from large to small",
            ),
            (
                "1.5m30s",
                "`1.5m` is not a whole number, and more follows it in `1.5m30s`",
            ),
            ("1m30", "`1m30` is not a duration"),
            ("1m30parsecs", "`1m30parsecs` is not a duration"),
            ("1m-30s", "`1m-30s` is not a duration"),
            ("-1m30s", "`-1m30s` is negative"),
            ("876600h1s", "`876600h1s` is too long"),
        ] {
            assert_eq!(message::<Duration>(text), why);
        }
    }

    fn message<T: FromStr<Err = UnitError> + fmt::Debug>(text: &str) -> String {
        match text.parse::<T>() {
            Ok(value) => panic!("`{text}` was read as {value:?}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        assert_eq!(message::<Duration>("5"), "the duration `5` has no unit");
        assert_eq!(message::<Duration>("0"), "the duration `0` has no unit");
        assert_eq!(message::<Duration>("-5s"), "`-5s` is negative");
        assert_eq!(
            message::<Duration>(".nan"),
            "`.nan` is not a duration: it must be finite"
        );
        assert_eq!(
            message::<Duration>("inf s"),
            "`inf s` is not a duration: it must be finite"
        );
        assert_eq!(
            message::<Duration>("5 parsecs"),
            "`5 parsecs` is not a duration"
        );
        assert_eq!(message::<Duration>("1.2.3s"), "`1.2.3s` is not a duration");
        assert_eq!(message::<Duration>(".s"), "`.s` is not a duration");
        assert_eq!(message::<Duration>("ms"), "`ms` is not a duration");
        assert_eq!(message::<Duration>(""), "an empty text is not a duration");
        assert_eq!(message::<Duration>("1e3s"), "`1e3s` is not a duration");
        assert_eq!(message::<Duration>("87660000h"), "`87660000h` is too long");
        let endless = format!("{}h", "9".repeat(400));
        assert!(message::<Duration>(&endless).starts_with("`999"));
    }

    #[test]
    fn what_the_clock_cannot_tell_from_zero_is_refused() {
        for text in ["0.1ns", "0.999ns", "0.0000001ms"] {
            let said = message::<Duration>(text);
            assert_eq!(said, format!("`{text}` is shorter than a nanosecond"));
        }
        assert_eq!(nanos("1.5ns"), 1.5);
        assert_eq!(nanos("0.0ns"), 0.0);
    }

    #[test]
    fn units_of_other_tools_are_understood_but_not_accepted() {
        let advice = |error: UnitError| error.help.split('?').next().unwrap_or_default().to_owned();
        for (text, meant) in [
            ("8 msec", "8ms"),
            ("8msec", "8ms"),
            ("1.5 Seconds", "1.5s"),
            ("10MS", "10ms"),
            ("3min", "3m"),
            ("2 hours", "2h"),
            ("5usec", "5us"),
        ] {
            let error = text.parse::<Duration>().expect_err(text);
            assert_eq!(advice(error), format!("did you mean `{meant}`"), "{text}");
        }
        for (text, meant) in [
            ("200rps", "200/s"),
            ("1.5k rps", "1.5k/s"),
            ("12 rpm", "12/m"),
            ("200/sec", "200/s"),
            ("200/S", "200/s"),
        ] {
            let error = text.parse::<Rate>().expect_err(text);
            assert_eq!(advice(error), format!("did you mean `{meant}`"), "{text}");
        }
        for text in ["msec", "-8msec", "8 parsecs"] {
            let error = text.parse::<Duration>().expect_err(text);
            assert_eq!(error.help, DURATION_FORMS, "{text}");
        }
    }

    #[test]
    fn rates_counts_shares_and_numbers() {
        assert_eq!("1.5k/s".parse(), Ok(Rate(1500.0)));
        assert_eq!("12/m".parse(), Ok(Rate(0.2)));
        assert_eq!("3600/h".parse(), Ok(Rate(1.0)));
        assert_eq!("10k".parse(), Ok(Count(10_000)));
        assert_eq!("1.5M".parse(), Ok(Count(1_500_000)));
        assert_eq!("5.0".parse(), Ok(Count(5)));
        assert_eq!("18446744073709551615".parse(), Ok(Count(u64::MAX)));
        assert_eq!("0.1%".parse(), Ok(Share(0.001)));
        assert_eq!("1".parse(), Ok(Share(1.0)));
        assert_eq!("1e-4".parse(), Ok(Share(0.0001)));
        assert_eq!("100%".parse(), Ok(Share(1.0)));
        assert_eq!("1e3".parse(), Ok(Number(1000.0)));
    }

    #[test]
    fn other_quantities_say_what_is_wrong() {
        assert_eq!(message::<Rate>("200"), "the rate `200` has no unit");
        assert_eq!(message::<Rate>("200/d"), "`200/d` is not a rate");
        assert_eq!(message::<Rate>("2000M/s"), "`2000M/s` is too high a rate");
        assert_eq!(message::<Count>("1.5"), "`1.5` is not a whole number");
        assert_eq!(message::<Count>("-3"), "`-3` is negative");
        assert_eq!(
            message::<Count>("18446744073709551616"),
            "`18446744073709551616` is too large"
        );
        assert_eq!(message::<Count>("1.2.3k"), "`1.2.3k` is not a count");
        assert_eq!(message::<Count>("0x10"), "`0x10` is not a count");
        assert_eq!(message::<Share>("101%"), "the share `101%` is above 100%");
        assert_eq!(message::<Share>("2"), "the share `2` is above 100%");
        assert_eq!(message::<Share>("-1%"), "`-1%` is negative");
        assert_eq!(
            message::<Number>("inf"),
            "`inf` is not a number: it must be finite"
        );
        assert_eq!(message::<Number>("1e999"), "`1e999` is too large");
        assert_eq!(message::<Number>("+1"), "`+1` is not a number");
    }

    #[test]
    fn quantities_read_back_as_they_were() {
        for nanos in [
            0.0,
            1.0,
            1.1,
            10.0 / 3.0,
            6e10,
            7.2e12,
            1e16,
            9.007_199_254_740_993e15,
            MAX_DURATION_NS,
        ] {
            assert_eq!(Duration(nanos).to_string().parse(), Ok(Duration(nanos)));
        }
        for rate in [0.2, 1.0 / 3.0, 1e8, 1e-9] {
            assert_eq!(Rate(rate).to_string().parse(), Ok(Rate(rate)));
        }
        for share in [0.001, 1.0 / 3.0, 1e-12, 1.0] {
            assert_eq!(Share(share).to_string().parse(), Ok(Share(share)));
        }
    }
}
