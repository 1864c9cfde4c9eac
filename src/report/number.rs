//! Numbers for people.

pub use blis_sim::number::count;

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
    if value == 0.0 {
        return "0 ms".to_owned();
    }
    let (factor, unit) = unit(value);
    format!("{} {unit}", significant(value * factor))
}

/// The unit that suits this many milliseconds, and how many of it a millisecond is.
pub fn unit(millis: f64) -> (f64, &'static str) {
    match millis.abs() {
        0.0 => (1.0, "ms"),
        large if large >= 10_000.0 => (1e-3, "s"),
        middle if middle >= 0.1 => (1.0, "ms"),
        small if small >= 1e-4 => (1e3, "us"),
        _ => (1e6, "ns"),
    }
}

/// How far a figure may be off to the side where it may be off more.
fn half_width(value: f64, interval: [f64; 2]) -> f64 {
    let [low, high] = interval;
    (value - low).max(high - value).max(0.0)
}

/// `value ± half-width unit`, or without an interval the value alone.
fn beside(value: f64, interval: Option<[f64; 2]>, factor: f64, unit: &str) -> String {
    let figure = significant(value * factor);
    match interval {
        None => format!("{figure}{unit}"),
        Some(interval) => {
            let half = half_width(value, interval) * factor;
            format!("{figure} ± {}{unit}", rough(half))
        }
    }
}

/// A number with two significant digits, its whole part in full.
pub fn rough(value: f64) -> String {
    // Less than the digits below show is nothing.
    if value.abs() < 0.5e-9 {
        return "0".to_owned();
    }
    // What rounds up to a power of ten has one digit less after the point.
    let magnitude = (value.abs() * (1.0 + 0.5e-2)).log10().floor();
    let decimals = (1.0 - magnitude).clamp(0.0, 9.0) as usize;
    match decimals {
        0 => count(value.round() as u64),
        _ => format!("{value:.decimals$}"),
    }
}

/// This many runs, in words.
pub fn runs_in_words(runs: usize) -> String {
    match runs {
        1 => "one run".to_owned(),
        runs => format!("{runs} runs"),
    }
}

/// A number with its interval: `98.03 ± 0.42`.
pub fn significant_within(value: f64, interval: Option<[f64; 2]>) -> String {
    beside(value, interval, 1.0, "")
}

/// Milliseconds with their interval: `10.05 ± 0.31 ms`.
pub fn millis_within(value: f64, interval: Option<[f64; 2]>) -> String {
    if interval.is_none() {
        return millis(value);
    }
    let (factor, unit) = unit(value);
    beside(value, interval, factor, &format!(" {unit}"))
}

/// The half-width of an interval of milliseconds, in the unit of its figure; nothing without one.
pub fn millis_off(value: f64, interval: Option<[f64; 2]>) -> String {
    let (factor, unit) = unit(value);
    interval.map_or("-".to_owned(), |interval| {
        format!("{} {unit}", rough(half_width(value, interval) * factor))
    })
}

/// A share with its interval as a percentage: `24.4 ± 0.5 %`.
pub fn percent_within(share: f64, interval: Option<[f64; 2]>) -> String {
    let Some(interval) = interval else {
        return percent(share);
    };
    let figure = percent(share);
    let half = rough(half_width(share, interval) * 100.0);
    format!("{} ± {half} %", figure.trim_end_matches(" %"))
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

/// What stands before a figure that may be larger: some of what it is of had not ended.
pub const AT_LEAST: &str = "≥ ";

/// Whether an objective of this name is about the growth of a backlog.
pub fn is_growth(objective: &str) -> bool {
    matches!(objective, "growth" | "backlog growth")
}

/// A value in the unit of an objective, by its name: a share, messages per second, or milliseconds.
pub fn of_objective(objective: &str, value: f64) -> String {
    match objective {
        "errors" | "missing" => percent(value),
        // What is added takes the sign from a zero.
        _ if is_growth(objective) => format!("{:.3}/s", value + 0.0),
        _ => millis(value),
    }
}

/// How a backlog grew, where it did: of one that shrank or only wandered a slope says nothing.
pub fn growth(slope: Option<f64>, grows: Option<bool>) -> String {
    or_not_measured(slope, |slope| match grows {
        Some(true) => format!("+{}/s", significant(slope)),
        Some(false) => "none".to_owned(),
        None => "too short".to_owned(),
    })
}

/// A figure, or that it was not measured.
pub fn or_not_measured(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NOT_MEASURED.to_owned(), write)
}

/// The counts that are not zero, or that there are none.
pub fn nonzero(counts: &[(&str, u64)]) -> String {
    let some = counts.iter().filter(|(_, number)| *number > 0);
    let some: Vec<String> = some
        .map(|(name, number)| format!("{} {name}", count(*number)))
        .collect();
    if some.is_empty() {
        "none ended".to_owned()
    } else {
        some.join(", ")
    }
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

    #[test]
    fn an_interval_has_the_unit_of_its_figure_and_two_digits() {
        assert_eq!(millis_within(10.0531, Some([9.7, 10.2])), "10.05 ± 0.35 ms");
        assert_eq!(millis_within(0.0027, Some([0.0, 0.0028])), "2.700 ± 2.7 us");
        assert_eq!(
            millis_within(24_500.0, Some([24_000.0, 24_600.0])),
            "24.50 ± 0.50 s"
        );
        assert_eq!(millis_within(10.0531, None), "10.05 ms");
        assert_eq!(millis_within(0.0, None), "0 ms");
        assert_eq!(millis_off(10.0531, Some([9.7, 10.2])), "0.35 ms");
        assert_eq!(millis_off(10.0531, None), "-");
        assert_eq!(
            ["0.0949", "0.0996", "9.94", "9.96"].map(|text| rough(text.parse().unwrap_or(0.0))),
            ["0.095", "0.10", "9.9", "10"]
        );
        assert_eq!(significant_within(98.03, Some([98.03, 98.03])), "98.03 ± 0");
        assert_eq!(
            millis_within(8.0, Some([7.999_999_999_999_9, 8.0])),
            "8.000 ± 0 ms"
        );
        assert_eq!(
            significant_within(12_345.0, Some([12_000.0, 12_400.0])),
            "12,345 ± 345"
        );
        assert_eq!(percent_within(0.244, Some([0.239, 0.245])), "24.4 ± 0.50 %");
    }

    #[test]
    fn objectives_have_units_of_their_own() {
        assert_eq!(of_objective("p99", 94.99), "94.99 ms");
        assert_eq!(of_objective("errors", 0.01), percent(0.01));
        assert_eq!(of_objective("missing", 0.01), percent(0.01));
        for name in ["growth", "backlog growth"] {
            assert_eq!(of_objective(name, 16.3142), "16.314/s");
            assert_eq!(of_objective(name, -0.0), "0.000/s");
        }
    }
}
