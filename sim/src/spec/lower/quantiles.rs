//! Lowers limits on quantiles: of responses, and of deliveries.

use super::Findings;
use super::run::span;
use crate::model::QuantileLimit;
use crate::spec::distribution::Duration;
use crate::spec::spanned::Spanned;
use crate::time::Span;

/// Limits on quantiles, in ascending order of the quantiles, which `what` can meet.
pub fn limits(
    what: &str,
    written: [(&str, f64, &Option<Spanned<Duration>>); 5],
    findings: &mut Findings,
) -> Vec<QuantileLimit> {
    let mut lowered = Vec::new();
    let mut before: Option<(&str, Span)> = None;
    for (name, quantile, limit) in written {
        let Some(limit) = limit else { continue };
        let length = span(limit.value);
        if length == Span::ZERO {
            findings.error(
                limit
                    .error(format!(
                        "`{name}` is {}, which no {what} can meet",
                        limit.value
                    ))
                    .help("give a time above 0s"),
            );
        } else if let Some((lower, shorter)) = before
            && length < shorter
        {
            let message = format!("`{name}` ({}) is below `{lower}` ({shorter})", limit.value);
            findings.error(
                limit
                    .error(message)
                    .help("give the higher quantile at least the limit of the lower one"),
            );
        }
        before = Some((name, length));
        lowered.push(QuantileLimit {
            quantile,
            limit: length,
        });
    }
    lowered
}
