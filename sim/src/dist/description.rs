//! Distributions in words.

use std::fmt;

use super::{Dist, Form};
use crate::time::Span;

/// What the values of a distribution are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Times in nanoseconds, written as durations.
    Time,
    /// Plain numbers.
    Number,
}

impl fmt::Display for Dist {
    /// As [`Dist::describe`] with times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe(Unit::Time))
    }
}

impl Dist {
    /// The family and its parameters, as in `exponential, mean 10ms` or `lognormal, mean 10ms, cv 0.8`. Numbers have
    /// four significant digits, except that whole ones and short durations are written in full.
    pub fn describe(&self, unit: Unit) -> String {
        let family = self.family().name();
        let mean = || value(self.mean(), unit);
        let cv = || number(self.scv().sqrt());
        match &self.0 {
            Form::Constant(constant) => format!("{family} {}", value(*constant, unit)),
            Form::Exponential(_) => format!("{family}, mean {}", mean()),
            Form::Uniform { min, max } => {
                format!("{family}, {} to {}", value(*min, unit), value(*max, unit))
            }
            Form::Erlang { shape, .. } => format!("{family}, shape {shape}, mean {}", mean()),
            Form::Gamma { .. } | Form::Weibull { .. } | Form::Lognormal { .. } => {
                format!("{family}, mean {}, cv {}", mean(), cv())
            }
            Form::Hyperexponential(branches) => {
                let count = branches.iter().count();
                format!("{family}, {count} branches, mean {}, cv {}", mean(), cv())
            }
            Form::Pareto(pareto) => {
                let (min, max) = (value(pareto.min, unit), value(pareto.max, unit));
                let shape = number(pareto.shape);
                format!("{family}, {min} to {max}, shape {shape}, mean {}", mean())
            }
            Form::Normal(normal) => {
                let upto = match normal.max.is_finite() {
                    true => format!(" to {}", value(normal.max, unit)),
                    false => String::new(),
                };
                let from = value(normal.min, unit);
                format!("{family}, from {from}{upto}, mean {}, cv {}", mean(), cv())
            }
            Form::Empirical(points) => {
                let (min, max) = points.range();
                let (min, max) = (value(min, unit), value(max, unit));
                format!(
                    "{family}, {} values from {min} to {max}, mean {}",
                    points.len(),
                    mean()
                )
            }
        }
    }
}

fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Time => duration(value),
        Unit::Number => number(value),
    }
}

/// A number with at most four significant digits after a whole part that is kept.
fn number(value: f64) -> String {
    let rounded = round_to(value, 4);
    let shown = if value.round() == value || rounded >= 1000.0 {
        value.round()
    } else {
        rounded
    };
    format!("{shown}")
}

/// A time as people write it, rounded to four significant digits unless it is a short whole number as it is.
fn duration(nanos: f64) -> String {
    if nanos != 0.0 && nanos < 0.5 {
        return format!("{}ns", round_to(nanos, 4));
    }
    // Moments computed from other parameters may miss a round number by a rounding error.
    let near = round_to(nanos, 12);
    let exact = near.round() == near && Span::from_nanos_f64(near).to_string().len() <= 8;
    let shown = if exact { near } else { round_to(nanos, 4) };
    if shown >= 1000.0 || shown.round() == shown {
        return Span::from_nanos_f64(shown).to_string();
    }
    format!("{shown}ns")
}

/// The nearest number with this many significant digits. Decimal notation does the rounding, which is exact.
fn round_to(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}
