//! Handler times that services report, and whether they can be the time of the work.

use blis_sim::result::{ObservedService, Run};

/// A handler's time is doubted where it is less than this share of the time to the reply,
const DOUBTED: f64 = 0.1;
/// this much longer is between the two,
const BETWEEN_MS: f64 = 1.0;
/// and instances were so seldom busy that requests had nothing to wait for.
const BUSY: f64 = 0.5;

/// What a service says of its handlers, beside what those who asked it saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The mean time of its handler.
    pub handler_ms: f64,
    /// The mean time from the sending of a request to its reply.
    pub reply_ms: f64,
    /// The share of the load for which the handlers of an instance were busy, as it says.
    pub busy: f64,
}

impl Claim {
    /// What an endpoint says, as far as requests of the run went there.
    pub fn of(run: &Run, service: &ObservedService) -> Option<Claim> {
        // Without the drain, in which hardly anything comes.
        let load_s = run.window.warmup_s + run.window.measured_s;
        let actions = service
            .actions
            .iter()
            .filter_map(|name| run.actions.get(name));
        let times = actions.map(|action| &action.latency_ms.service);
        let (mut sum, mut number) = (0.0, 0);
        for times in times {
            sum += times.mean.unwrap_or(0.0) * times.count as f64;
            number += times.count;
        }
        let handler_ms = service.handler_mean_ms?;
        let room_ms = load_s * 1e3 * service.instances as f64;
        (number > 0 && room_ms > 0.0).then(|| Claim {
            handler_ms,
            reply_ms: sum / number as f64,
            busy: handler_ms * service.requests as f64 / room_ms,
        })
    }

    /// Whether the handler's time is too short to be that of the work, which asynchronous code hands on; `way_ms` is the way to the server
    /// and back.
    pub fn is_too_short(&self, way_ms: Option<f64>) -> bool {
        // The service has its own way to the server.
        let there_and_back = 2.0 * way_ms.unwrap_or(0.0);
        let behind = self.reply_ms - there_and_back;
        self.handler_ms < DOUBTED * behind
            && behind - self.handler_ms > BETWEEN_MS
            && self.busy < BUSY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_is_much_faster_than_its_replies_is_doubted() {
        for (handler_ms, reply_ms, busy, way_ms, doubted) in [
            (0.005, 12.0, 0.01, Some(0.1), true),
            (0.005, 12.0, 0.01, None, true),
            (11.0, 12.0, 0.4, Some(0.1), false),
            (1.3, 12.0, 0.1, Some(0.1), false),
            (1.1, 12.0, 0.1, Some(0.1), true),
            // All of it is on the way,
            (0.005, 12.0, 0.01, Some(6.0), false),
            // or in the line before a busy service,
            (1.0, 120.0, 0.99, Some(0.1), false),
            // or too little to tell.
            (0.01, 0.9, 0.01, Some(0.1), false),
        ] {
            let claim = Claim {
                handler_ms,
                reply_ms,
                busy,
            };
            assert_eq!(claim.is_too_short(way_ms), doubted, "{claim:?}");
        }
    }
}
