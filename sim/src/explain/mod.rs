//! Where the time of requests goes: for those whose response time lies in a band, how long they waited, were served and
//! were held at each service, and what was left.
//!
//! [`Explain`] is a [`Sink`](crate::event::Sink). It keeps the visits of each request in flight, and of those that have
//! ended only sums, in whole nanoseconds: the parts of a request add up to its response time exactly. A run is
//! deterministic, so that a second run with this sink explains the first one.
//!
//! Time is followed backwards along the way that the reply waited for. While a worker is held by a request, the time
//! belongs to wherever the request is meanwhile, and is held time where it is nowhere else. Of parallel ways, the one
//! that ended last counts; a delay on one of them counts as the visit of another one beside it, since delays are no
//! events. Visits of services that the action meets only after its reply, or that only consumers of streams make, do
//! not count.

mod before_reply;
mod document;
mod sink;
mod slow;
mod walk;

pub use document::{
    ExplainedBand, Explanation, QuantileExplained, SCHEMA, StationTime, Target, TimeShare,
    document, json_schema, quantile,
};
pub use sink::{Band, Explain, StationSums, Sums};
pub use slow::{slow, targets};
