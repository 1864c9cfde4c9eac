//! Counts and time integrals as figures: per second, as means over a span, and as shares.

use crate::measure::Areas;
use crate::model::Service;
use crate::time::Span;

/// A count per second of a span.
pub(super) fn per_second(count: u64, span: Span) -> Option<f64> {
    (span > Span::ZERO).then(|| count as f64 / span.as_secs_f64())
}

/// A time integral as a mean over a span.
pub(super) fn mean_over(area: u128, span: Span) -> Option<f64> {
    (span > Span::ZERO).then(|| area as f64 / span.as_nanos() as f64)
}

/// The share of the workers of a service that was busy.
pub(super) fn utilisation(service: &Service, areas: Areas, span: Span) -> Option<f64> {
    Some(mean_over(areas.busy, span)? / service.servers() as f64)
}
