//! The limits of the generator that a trial reached, besides those of every live run.

use blis_sim::event::Reason;
use blis_sim::model::Model;
use blis_sim::time::Span;

use crate::run::observed::{Observed, lateness_matters};

/// The share of requests from which on it matters that they were not sent.
const UNSENT: f64 = 0.05;
/// The share of the processors from which on they were the limit.
const BUSY: f64 = 0.9;

/// What of the generator may have been a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    intended: u64,
    /// Not sent, because as many were in flight as may be.
    over_limit: u64,
    /// Not sent, because connections were full.
    full: u64,
    /// Mean times in nanoseconds: from intended to sent, the same on the generator's own account, and the response.
    lag: f64,
    own_lag: f64,
    response: f64,
    /// Whether it was late at all.
    is_late: bool,
    /// The largest share of the machine's processors that was busy over an interval.
    busy: Option<f64>,
}

/// Why the generator was the limit, in sentences that say what to do.
pub fn of<S, P>(model: &Model<P>, observed: &Observed<S>) -> Vec<String> {
    let total = observed.measure.total();
    let latencies = &total.window.latencies;
    let mean = |times: &blis_sim::measure::Times| times.mean_nanos().unwrap_or(0.0);
    let reasons = &observed.ended.reasons;
    let rows = observed.seen.rows.iter();
    let figures = Figures {
        intended: total.requests().intended,
        over_limit: reasons.of(Reason::OverInFlightLimit),
        full: reasons.of(Reason::ConnectionFull),
        lag: match model.holds_back() {
            true => mean(&latencies.lag()),
            false => 0.0,
        },
        own_lag: mean(&observed.ended.own_lag),
        response: mean(latencies.response()),
        is_late: lateness_matters(&observed.ended.own_lag, latencies.response())
            || lateness_matters(&observed.seen.scheduling, latencies.response()),
        busy: rows
            .filter_map(|row| row.machine_share())
            .fold(None, |most, share| {
                Some(most.map_or(share, |most: f64| most.max(share)))
            }),
    };
    figures.limits()
}

impl Figures {
    fn limits(&self) -> Vec<String> {
        let percent = |number: u64| 100.0 * number as f64 / self.intended.max(1) as f64;
        let many = |number: u64| number as f64 > UNSENT * self.intended as f64;
        let mut limits = Vec::new();
        if many(self.over_limit) {
            limits.push(format!(
                "{:.1} % of the requests were dropped by `max_in_flight`; raise it with --max-in-flight.",
                percent(self.over_limit)
            ));
        }
        let held = self.lag - self.own_lag;
        if Span::from_nanos(held.max(0.0) as u64) > crate::run::observed::LATE
            && held > crate::run::observed::LATE_SHARE * self.response
        {
            limits.push(format!(
                "Requests waited {:.2} ms on average because of `max_in_flight`; raise it with --max-in-flight.",
                held / 1e6
            ));
        }
        if many(self.full) {
            limits.push(format!(
                "{:.1} % of the requests were not sent because connections were full; use more connections \
                 (`connections: {{pool: N}}`).",
                percent(self.full)
            ));
        }
        if let Some(busy) = self.busy.filter(|busy| self.is_late && *busy >= BUSY) {
            limits.push(format!(
                "The CPUs of the generator's machine were {:.0} % busy; run the backend elsewhere, or use a larger machine.",
                busy * 100.0
            ));
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Figures = Figures {
        intended: 1000,
        over_limit: 50,
        full: 50,
        lag: 2e6,
        own_lag: 1.1e6,
        response: 10e6,
        is_late: false,
        busy: Some(0.99),
    };

    #[test]
    fn a_generator_that_keeps_up_is_no_limit() {
        assert_eq!(WELL.limits(), Vec::<String>::new());
        let idle = Figures {
            is_late: true,
            busy: Some(0.89),
            ..WELL
        };
        assert_eq!(idle.limits(), Vec::<String>::new());
        // A wait for room that is nothing beside the response.
        let slow = Figures {
            lag: 9e6,
            response: 1e9,
            ..WELL
        };
        assert_eq!(slow.limits(), Vec::<String>::new());
    }

    #[test]
    fn each_limit_is_named_with_what_to_do() {
        for (figures, said) in [
            (
                Figures {
                    over_limit: 51,
                    ..WELL
                },
                "5.1 % of the requests were dropped by `max_in_flight`",
            ),
            (
                Figures { lag: 2.2e6, ..WELL },
                "Requests waited 1.10 ms on average because of `max_in_flight`",
            ),
            (
                Figures { full: 51, ..WELL },
                "5.1 % of the requests were not sent because connections were full; use more connections",
            ),
            (
                Figures {
                    is_late: true,
                    ..WELL
                },
                "The CPUs of the generator's machine were 99 % busy; run the backend elsewhere",
            ),
        ] {
            let limits = figures.limits();
            assert_eq!(limits.len(), 1, "{limits:?}");
            assert!(limits[0].starts_with(said), "{limits:?}");
        }
    }
}
