//! Simulated time.
//!
//! An instant ([`Time`]) and a length of time ([`Span`]) are whole nanoseconds in a `u64`, so that the
//! order of events never depends on rounding. Both saturate instead of wrapping: the clock's end,
//! some 584 years after the start, means "never".

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// An instant: nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// A length of time in nanoseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// The end of the clock: no event happens at or after it.
    pub const NEVER: Time = Time(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the start.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time since `earlier`, or zero when `earlier` is the later one.
    #[inline]
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest length of time.
    pub const MAX: Span = Span(u64::MAX);

    /// `nanos` nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// `secs` whole seconds.
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs.saturating_mul(1_000_000_000))
    }

    /// The nearest whole nanosecond to `nanos`; negative values and NaN become zero.
    #[inline]
    pub fn from_nanos_f64(nanos: f64) -> Span {
        // A cast to a signed number takes half the instructions of one to an unsigned number.
        const SIGNED: f64 = (1u64 << 62) as f64;
        match nanos < SIGNED {
            true => Span(((nanos + 0.5) as i64).max(0) as u64),
            // A float-to-integer cast saturates, which is what "never" wants; NaN becomes zero.
            false => Span::from_large_nanos(nanos),
        }
    }

    #[cold]
    fn from_large_nanos(nanos: f64) -> Span {
        Span((nanos + 0.5) as u64)
    }

    /// The length in nanoseconds.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The length in milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add<Span> for Time {
    type Output = Time;
    #[inline]
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    #[inline]
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Span {
    /// The length to four significant digits, in the unit that suits it: `850.9ms`, `2.79us`, `61.5s`.
    pub fn brief(self) -> String {
        let nanos = self.0 as f64;
        let (scaled, unit) = match self.0 {
            0..1_000 => return self.to_string(),
            1_000..1_000_000 => (nanos / 1e3, "us"),
            1_000_000..10_000_000_000 => (nanos / 1e6, "ms"),
            _ => (nanos / 1e9, "s"),
        };
        let decimals = match scaled {
            small if small < 10.0 => 3,
            middle if middle < 100.0 => 2,
            large if large < 1000.0 => 1,
            _ => 0,
        };
        let text = format!("{scaled:.decimals$}");
        let text = if decimals > 0 {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        format!("{text}{unit}")
    }
}

/// Writes a span as people write it in a spec: the largest unit that keeps it exact (`60s`, `1500ms`, `150us`).
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ];
        // "60s" reads better than "1m": minutes and hours only from two of them on.
        for (nanos, unit) in UNITS {
            let large = nanos > 1_000_000_000;
            let enough = if large {
                self.0 >= 2 * nanos
            } else {
                self.0 >= nanos
            };
            if enough && self.0.is_multiple_of(nanos) {
                return write!(f, "{}{unit}", self.0 / nanos);
            }
        }
        match self.0 {
            0 => write!(f, "0s"),
            nanos => write!(f, "{nanos}ns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_exactly() {
        let written = |nanos| Span::from_nanos(nanos).to_string();
        assert_eq!(written(0), "0s");
        assert_eq!(written(60_000_000_000), "60s");
        assert_eq!(written(120_000_000_000), "2m");
        assert_eq!(written(1_500_000_000), "1500ms");
        assert_eq!(written(150_000), "150us");
        assert_eq!(written(1_001), "1001ns");
    }

    #[test]
    fn brief_spans_keep_four_digits() {
        let brief = |nanos| Span::from_nanos(nanos).brief();
        assert_eq!(brief(850_919_423), "850.9ms");
        assert_eq!(brief(120_000_000), "120ms");
        assert_eq!(brief(2_790), "2.79us");
        assert_eq!(brief(61_500_000_000), "61.5s");
        assert_eq!(brief(100_000_000_000), "100s");
        assert_eq!(brief(9_999_700_000), "10000ms");
        assert_eq!(brief(7), "7ns");
    }

    #[test]
    fn the_clock_saturates() {
        assert_eq!(Time::NEVER + Span::from_secs(1), Time::NEVER);
        assert_eq!(Time::ZERO.since(Time::from_nanos(5)), Span::ZERO);
        assert_eq!(Span::from_nanos_f64(f64::INFINITY), Span::MAX);
        assert_eq!(Span::from_nanos_f64(-3.0), Span::ZERO);
        assert_eq!(Span::from_nanos_f64(2.5), Span::from_nanos(3));
    }
}
