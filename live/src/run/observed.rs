//! What a live run measured, and what of it the verdict needs: whether the figures are of the servers or of the generator.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use blis_sim::event::Outcome;
use blis_sim::measure::{Imbalance, Measure, Times};
use blis_sim::model::Model;
use blis_sim::result::Observers;
use blis_sim::runner::Epoch;
use blis_sim::time::Span;
use blis_sim::verdict::{LiveEvidence, Measured};

use crate::generator::driver::Ended;
use crate::generator::health::Seen;
use crate::run::recent_ends::Recent;
use crate::wire::reason::Reason;
use crate::wire::told::Told;

/// The mean lag of its own from which on the generator may have been the limit.
pub(crate) const LATE: Span = Span::from_nanos(1_000_000);
/// The share of the mean response time from which on such a lag matters.
pub(crate) const LATE_SHARE: f64 = 0.05;

/// What a run is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// How many connections there are.
    pub connections: u32,
    /// The version of the server.
    pub server: String,
}

/// What hears of a live run: what is kept of it, and what is shown of it meanwhile.
pub type Heard = (Measure, Recent);

/// What a live run measured.
#[derive(Debug)]
pub struct Observed<S> {
    /// Which load of its session it was.
    pub epoch: Epoch,
    /// What came for requests of earlier loads meanwhile.
    pub late_of_earlier: u64,
    /// As a simulation.
    pub measure: Measure,
    /// The sink that saw the same events.
    pub also: S,
    /// How it ended.
    pub ended: Ended,
    /// What servers and connections told.
    pub told: Arc<Told>,
    /// What it was connected to.
    pub connected: Connected,
    /// The messages that connections took and did not send, at least.
    pub never_left: u64,
    /// The generator, seen by itself.
    pub seen: Seen,
    /// What the observers saw; `None` when they did not come to their end.
    pub observers: Option<Observers>,
}

/// What the verdict needs to know of a live run: whether what was measured is of the servers or of the generator itself,
/// and what was observed of promises that no request tells of.
pub fn evidence<S, P>(model: &Model<P>, observed: &Observed<S>) -> LiveEvidence {
    let total = observed.measure.total();
    let latencies = &total.window.latencies;
    let own = &observed.ended.own_lag;
    let mut limits = Vec::new();
    let response = latencies.response();
    limits.extend(lateness("The generator was late", own, response));
    let runtime = &observed.seen.scheduling;
    limits.extend(lateness(
        "The generator's connections were late",
        runtime,
        response,
    ));
    let dropped = observed.told.slow_consumer.load(Ordering::Relaxed);
    if dropped > 0 {
        limits.push(format!(
            "The generator dropped deliveries {dropped} times because it could not process them in time; use more \
             connections, a faster machine or a lower rate."
        ));
    }
    limits.extend(never_left(observed.never_left));
    let p99 = |times: &Times| times.quantile(0.99).unwrap_or_default();
    LiveEvidence {
        // With a limit that delays, most of the lag is that limit's.
        generator_lagged: !model.holds_back() || p99(own) + p99(own) >= p99(&latencies.lag()),
        generator_limits: limits,
        backlogs: Some(backlogs(
            model,
            observed.observers.as_ref(),
            observed.measure.warmup().as_secs_f64(),
        )),
    }
}

/// How the backlog of each consumer of the model grew, at the consumer of its name.
fn backlogs<P>(model: &Model<P>, observers: Option<&Observers>, warmup_s: f64) -> Vec<Measured> {
    let consumers = model.consumer_names().map(|name| {
        let seen = observers.and_then(|observers| observers.consumers.get(&name));
        match seen {
            Some(seen) if seen.vanished => Measured::Vanished,
            Some(seen) => {
                seen.growth(warmup_s)
                    .map_or(Measured::Missing, |growth| Measured::BacklogGrowth {
                        per_second: growth.slope_per_second,
                        grows: growth.grows,
                        arrivals: seen.arrivals(warmup_s),
                    })
            }
            None => Measured::Missing,
        }
    });
    consumers.collect()
}

/// That messages never left, if so.
fn never_left(messages: u64) -> Option<String> {
    let were = match messages {
        0 => return None,
        1 => "1 message".to_owned(),
        several => format!("{several} messages"),
    };
    Some(format!(
        "At least {were} never left the generator, because the server stopped reading: publications without a reply \
         count as transport_error (reason {}), requests as unanswered; check the server, and run again.",
        Reason::NotWritten.name()
    ))
}

/// Whether the generator was so late that it may have been the limit.
pub(crate) fn lateness_matters(own: &Times, response: &Times) -> bool {
    let means = own.mean_nanos().zip(response.mean_nanos());
    means.is_some_and(|(late, took)| late > LATE.as_nanos() as f64 && late > LATE_SHARE * took)
}

/// Why lateness of its own made the generator the limit, if it did.
fn lateness(what: &str, own: &Times, response: &Times) -> Option<String> {
    let (late, took) = (own.mean_nanos()?, response.mean_nanos()?);
    lateness_matters(own, response).then(|| {
        format!(
            "{what} by {:.2} ms on average, at a mean response time of {:.2} ms: it could not keep up; use a faster \
             machine or a lower load.",
            late / 1e6,
            took / 1e6
        )
    })
}

/// Whether the reasons of every outcome add up to its count: those of failures, which alone have reasons.
///
/// # Errors
/// The first outcome of which they do not.
pub fn check<S>(observed: &Observed<S>) -> Result<(), Imbalance> {
    let requests = observed.measure.total().requests();
    let reasons = &observed.ended.reasons;
    let failures = [
        Outcome::AppError,
        Outcome::Rejected,
        Outcome::TransportError,
        Outcome::Dropped,
    ];
    let differs = |outcome: &Outcome| reasons.of_outcome(*outcome) != requests.ended(*outcome);
    match failures.into_iter().find(differs) {
        None => Ok(()),
        Some(outcome) => Err(Imbalance {
            what: format!("the sum of the reasons of {}", outcome.name()),
            left: reasons.of_outcome(outcome).into(),
            against: "its count".to_owned(),
            right: requests.ended(outcome).into(),
        }),
    }
}

/// What happened to connections, as often as it did, by what it was, and the messages that never left them; what did not
/// happen is absent.
pub fn incidents<S>(observed: &Observed<S>) -> Vec<(&'static str, u64)> {
    let told = &observed.told;
    let counts = [
        ("connections_lost", &told.lost),
        ("slow_consumer", &told.slow_consumer),
    ];
    let counts = counts
        .into_iter()
        .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)));
    let counts = counts.chain([("never_left", observed.never_left)]);
    counts.filter(|(_, number)| *number > 0).collect()
}
