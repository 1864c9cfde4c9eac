//! Checks of numbers that every part of a spec has: counts and weights.

use std::num::NonZeroU32;

use super::Findings;
use crate::spec::error::SpecError;
use crate::spec::spanned::Spanned;
use crate::spec::units::{Count, Number};

/// A count that is at least 1 and at most `most`.
pub fn at_least_one(
    count: &Spanned<Count>,
    one: &str,
    many: &str,
    most: u64,
    findings: &mut Findings,
) -> NonZeroU32 {
    let value = count.value.0;
    let accepted = || format!("give a whole number from 1 to {most}");
    if value == 0 {
        findings.error(
            count
                .error(format!("there must be at least one {one}"))
                .help(accepted()),
        );
    } else if value > most {
        findings.error(
            count
                .error(format!("{value} {many} are too many"))
                .help(accepted()),
        );
    }
    u32::try_from(value)
        .ok()
        .and_then(NonZeroU32::new)
        .unwrap_or(NonZeroU32::MIN)
}

/// A count from 1 to `most`.
pub fn count(
    written: &Spanned<Count>,
    what: &str,
    most: u64,
    of: &str,
    findings: &mut Findings,
) -> NonZeroU32 {
    let count = u32::try_from(written.value.0)
        .ok()
        .and_then(NonZeroU32::new);
    match count.filter(|count| u64::from(count.get()) <= most) {
        Some(count) => count,
        None => {
            let error = written.error(what);
            findings.error(error.help(format!("give 1 to {most} {of}")));
            NonZeroU32::MIN
        }
    }
}

/// A weight of a choice; `what` is chosen by it.
pub fn weight(weight: &Spanned<Number>, what: &str) -> Result<f64, SpecError> {
    // The bounds keep any sum of weights finite and any share above zero.
    let value = weight.value.0;
    if (1e-15..=1e15).contains(&value) {
        return Ok(value);
    }
    let message = match value {
        0.0 => format!("{what} of weight 0 is never chosen"),
        _ => format!("a weight of {} is out of range", weight.value),
    };
    Err(weight
        .error(message)
        .help("give a weight from 1e-15 to 1e15, or remove what is never chosen"))
}
