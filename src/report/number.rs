//! Numbers as people read them.

/// A count with its thousands apart: `12,345`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with four significant digits, its whole part in full: `98.03`, `1,999,989`.
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return UNBOUNDED.to_owned();
    }
    let magnitude = if value == 0.0 {
        0.0
    } else {
        value.abs().log10().floor()
    };
    let decimals = (3.0 - magnitude).clamp(0.0, 9.0) as usize;
    if decimals == 0 {
        return count(value.round() as u64);
    }
    format!("{value:.decimals$}")
}

/// Milliseconds in the unit that suits them: `10.05 ms`, `2.790 us`, `24.50 s`.
pub fn millis(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        0.0 => return "0 ms".to_owned(),
        large if large >= 10_000.0 => (value / 1e3, "s"),
        middle if middle >= 0.1 => (value, "ms"),
        small if small >= 1e-4 => (value * 1e3, "us"),
        _ => (value * 1e6, "ns"),
    };
    format!("{} {unit}", significant(scaled))
}

/// A share as a percentage: `24.5 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() {
        return UNBOUNDED.to_owned();
    }
    let decimals = if percent >= 0.095 || percent == 0.0 {
        1
    } else {
        4
    };
    format!("{percent:.decimals$} %")
}

/// What stands for a figure without a bound.
const UNBOUNDED: &str = "unbounded";

/// What stands where nothing was measured.
pub const NOT_MEASURED: &str = "not measured";

/// A figure, or that it was not measured.
pub fn or_not_measured(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NOT_MEASURED.to_owned(), write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_matters() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(significant(98.0290), "98.03");
        assert_eq!(significant(0.0123456), "0.01235");
        assert_eq!(significant(1_999_988.8), "1,999,989");
        assert_eq!(significant(0.0), "0.000");
        assert_eq!(millis(10.0531), "10.05 ms");
        assert_eq!(millis(0.00279278), "2.793 us");
        assert_eq!(millis(24_500.0), "24.50 s");
        assert_eq!(percent(0.2451), "24.5 %");
        assert_eq!(percent(0.00001), "0.0010 %");
    }
}
