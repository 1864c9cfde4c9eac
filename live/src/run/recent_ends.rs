//! Recent ends of requests, for the progress of a run.

use blis_sim::event::{Event, Outcome, Sink};
use blis_sim::measure::Times;
use blis_sim::time::Time;

/// Requests that ended since this was last taken.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// Answered.
    pub ok: u64,
    /// Ended in any other way.
    pub failed: u64,
    /// Response times of those that were answered.
    pub response: Times,
}

impl Sink for Recent {
    fn advance(&mut self, _now: Time) {}

    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Event::Done {
            request, outcome, ..
        } = event
        {
            match outcome {
                Outcome::Ok => {
                    self.ok += 1;
                    self.response.record(at.since(request.intended));
                }
                _ => self.failed += 1,
            }
        }
    }
}
