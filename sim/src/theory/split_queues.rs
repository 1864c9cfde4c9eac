//! Queues under random dispatch.

use super::error::at_least;
use super::{Means, MultiServer, TheoryError};

/// Members with a line each, among which a Poisson stream is dispatched at random, each with the same probability,
/// busy or not: independent M/M/w queues at an equal share of the rate.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitQueues {
    /// The means over all members together; `wait` and `response` are those of a request.
    pub means: Means,
    /// One member, which has the distributions of wait and response.
    pub member: MultiServer,
}

impl SplitQueues {
    /// `members` members with `workers` workers of mean service time `service` seconds each, under `rate` arrivals per
    /// second in total.
    pub fn new(
        members: u64,
        workers: u64,
        rate: f64,
        service: f64,
    ) -> Result<SplitQueues, TheoryError> {
        at_least("members", members, 1, "of at least 1")?;
        let count = members as f64;
        let member = MultiServer::new(workers, rate / count, service)?;
        let means = Means {
            throughput: rate,
            queue: member.means.queue * count,
            in_system: member.means.in_system * count,
            ..member.means
        };
        Ok(SplitQueues { means, member })
    }
}
