//! Parsers of flag values: the quantities of a spec, with advice on errors.

use std::str::FromStr;

use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::{Count, Duration, Rate, Share, UnitError};
use blis_sim::spec::{Assignment, Objectives, SpecError};

/// A quantity as a spec writes it. Values may start with a hyphen so that a negative one is refused as such.
pub fn quantity<T: FromStr<Err = UnitError>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: UnitError| format!("{error}; {}", error.help))
}

/// A time, or `auto`.
pub fn warmup(text: &str) -> Result<Warmup, String> {
    match text {
        "auto" => Ok(Warmup::Auto),
        time => quantity(time)
            .map(Warmup::At)
            .map_err(|error| format!("{error}, or auto")),
    }
}

/// A count that is not 0.
pub fn positive(text: &str) -> Result<u64, String> {
    match quantity::<Count>(text)? {
        Count(0) => Err("`0` is too few; give at least 1".to_owned()),
        Count(count) => Ok(count),
    }
}

/// A relative precision.
pub fn precision(text: &str) -> Result<f64, String> {
    let Share(share) = quantity(text)?;
    if share > 0.0 && share < 1.0 {
        return Ok(share);
    }
    Err(format!(
        "`{text}` is not above 0 and below 100%; give a share such as 1%"
    ))
}

/// A tolerated shortfall.
pub fn tolerance(text: &str) -> Result<f64, String> {
    let Share(share) = quantity(text)?;
    match share < 1.0 {
        true => Ok(share),
        false => Err(format!(
            "`{text}` is not below 100%; give a share below 100%, such as 5%"
        )),
    }
}

/// A key with its value.
pub fn assignment(text: &str) -> Result<Assignment, String> {
    text.parse().map_err(told)
}

/// Objectives as `--slo` takes them.
pub fn objectives(text: &str) -> Result<Objectives, String> {
    text.parse().map_err(told)
}

/// An error of a spec about a flag, in one line.
pub fn told(error: SpecError) -> String {
    match error.help.as_deref() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

/// A number of milliseconds.
pub fn millis(text: &str) -> Result<Duration, String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        let accepted = "give one that is not negative, such as 500 or 0.5";
        return Err(format!(
            "`{text}` is not a number of milliseconds; {accepted}"
        ));
    }
    quantity(&format!("{text}ms"))
}

/// A rate with its unit, or a bare number per second.
pub fn per_second(text: &str) -> Result<Rate, String> {
    let is_number = text.ends_with(|last: char| last.is_ascii_digit() || ".kM".contains(last));
    match is_number {
        true => quantity(&format!("{text}/s")),
        false => quantity(text),
    }
}

/// A header as `Name: value`.
pub fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!(
            "`{text}` is not a header; write name, colon and value, such as 'Tenant: north'"
        )),
    }
}
