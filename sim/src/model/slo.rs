//! Service-level objectives of actions and of the deliveries that their requests await.

use crate::time::Span;

/// Service-level objectives of an action; a run is judged when there is at least one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slo {
    /// Limits on quantiles of the response time, ascending by quantile.
    pub quantiles: Vec<QuantileLimit>,
    /// Largest share of failed requests.
    pub errors: Option<f64>,
    /// The objectives of the deliveries that its requests await.
    pub deliveries: Option<Box<DeliveryLimits>>,
    /// The same of what users wait over all tries; without any of its own.
    pub overall: Option<Box<Slo>>,
}

impl Slo {
    /// Whether it has objectives on single tries.
    pub fn judges_tries(&self) -> bool {
        !self.quantiles.is_empty() || self.errors.is_some()
    }
}

/// A limit on one quantile of the response time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileLimit {
    /// The quantile, between 0 and 1.
    pub quantile: f64,
    /// Its largest allowed value.
    pub limit: Span,
}

/// The objectives of the deliveries of an action. Times count from the intended time of the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeliveryLimits {
    /// Limits on quantiles of the time to the first delivery, ascending by quantile, as the others.
    pub first: Vec<QuantileLimit>,
    /// Of the time to each delivery.
    pub each: Vec<QuantileLimit>,
    /// Of the time to the last delivery.
    pub last: Vec<QuantileLimit>,
    /// Largest share of the deliveries that do not come in time for their requests.
    pub missing: Option<f64>,
}
