//! From measurements to evidence.

use crate::event::Outcome;
use crate::measure::{Cell, DeliveryMeter, Exceedances, Measure};
use crate::model::{
    ActionId, Consumer, ConsumerId, DeliveryLimits, Model, QuantileLimit as Objective, Slo,
};
use crate::verdict::{Counts, Evidence, Limit, Measured, Requests, Signal};

/// What only a live run testifies. A simulation has nothing of it, which is the default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveEvidence {
    /// Whether requests lagged because of the generator's own scheduling, rather than an in-flight cap.
    pub generator_lagged: bool,
    /// Why the generator was the limit, in sentences; empty when it was not.
    pub generator_limits: Vec<String>,
    /// How the backlog of each consumer grew, as it was observed.
    pub backlogs: Option<Vec<Measured>>,
}

/// The evidence of a run, or `None` when no action has a service-level objective and no consumer a limit on the growth
/// of its backlog. A run in which nothing was intended is always judged: it cannot have gone well.
///
/// `interrupted` says that the run did not come to its own end.
pub fn evidence<P>(
    model: &Model<P>,
    measure: &Measure,
    interrupted: bool,
    live: &LiveEvidence,
) -> Option<Evidence> {
    let mut signals = Vec::new();
    for (action, id) in model.actions.iter().zip(0u16..) {
        let (id, of) = (ActionId(id), format!("Action {}", action.name));
        if action.slo.judges_tries() {
            signals.extend(signals_of(&of, &action.slo, &measure.action(id)));
        }
        if let (Some(limits), Some(meter)) = (&action.slo.deliveries, measure.deliveries(id)) {
            signals.extend(deliveries_of(&of, limits, meter));
        }
        if let (Some(slo), Some(overall)) = (&action.slo.overall, measure.overall(id)) {
            let of = format!("{of} over all tries");
            signals.extend(signals_of(&of, slo, &overall.cell));
        }
    }
    for (consumer, id) in model.consumers.iter().zip(0u16..) {
        let observed = live.backlogs.as_ref();
        let observed = observed.map(|all| all.get(usize::from(id)).copied());
        let measured = match observed {
            Some(observed) => observed.unwrap_or(Measured::Missing),
            None => simulated(measure, ConsumerId(id)),
        };
        signals.extend(growth(model, consumer, measured));
    }
    if signals.is_empty() && measure.total().requests().intended > 0 {
        return None;
    }
    let requests = measure.total().window.requests;
    Some(Evidence {
        intended: requests.intended,
        sent: requests.intended - requests.ended(Outcome::Dropped),
        generator_lagged: live.generator_lagged,
        generator_limits: live.generator_limits.clone(),
        interrupted,
        signals,
    })
}

fn signals_of(of: &str, slo: &Slo, cell: &Cell) -> Vec<Signal> {
    let requests = &cell.window.requests;
    let sent = requests.intended - requests.ended(Outcome::Dropped);
    let signal = |limit, measured| Signal {
        of: of.to_owned(),
        counts: Counts::Requests,
        requests: None,
        limit,
        measured,
    };
    let limits = slo.quantiles.iter().zip(&cell.exceedances);
    let quantiles = limits.map(|(objective, over)| {
        let Objective { quantile, limit } = *objective;
        let measured = match sent {
            0 => Measured::Missing,
            _ => Measured::Quantile(counted(slo, cell, quantile, over)),
        };
        signal(Limit::Quantile { quantile, limit }, measured)
    });
    let errors = slo.errors.map(|share| {
        let measured = match sent {
            0 => Measured::Missing,
            samples => Measured::Errors {
                samples,
                failed: requests.failed(),
            },
        };
        signal(Limit::Errors { share }, measured)
    });
    quantiles.chain(errors).collect()
}

/// What is promised of deliveries. Every one that is missing was not within the limit of a time; where a limit of its own
/// judges those, only what came is judged by its time.
fn deliveries_of(of: &str, limits: &DeliveryLimits, meter: &DeliveryMeter) -> Vec<Signal> {
    let counts = meter.window();
    let kinds = [
        (
            "first delivery",
            &limits.first,
            meter.first(),
            counts.requests,
        ),
        ("each delivery", &limits.each, meter.each(), counts.expected),
        ("last delivery", &limits.last, meter.last(), counts.requests),
    ];
    let mut signals = Vec::new();
    for (which, limits_of_it, times, expected) in kinds {
        let came = times.from_intended.count();
        for (objective, over) in limits_of_it.iter().zip(&times.over) {
            let Objective { quantile, limit } = *objective;
            let failed = match limits.missing {
                None => Some(expected.saturating_sub(came)),
                Some(_) => None,
            };
            let measured = match expected {
                0 => Measured::Missing,
                sent => Measured::Quantile(Requests {
                    sent,
                    answered: came,
                    failed,
                    held: came,
                    response_over: over.response,
                    service_over: over.service,
                    response: times.from_intended.quantile(quantile),
                }),
            };
            signals.push(Signal {
                of: format!("{of}, {which}"),
                counts: Counts::Deliveries,
                requests: Some(counts.requests),
                limit: Limit::Quantile { quantile, limit },
                measured,
            });
        }
    }
    signals.extend(limits.missing.map(|share| Signal {
        of: of.to_owned(),
        counts: Counts::Deliveries,
        requests: Some(counts.requests),
        limit: Limit::Missing { share },
        measured: match counts.expected {
            0 => Measured::Missing,
            samples => Measured::Errors {
                samples,
                failed: counts.missing(),
            },
        },
    }));
    signals
}

/// The requests that a quantile objective is judged by: all that were sent, of which those that failed were not within the
/// limit; where an objective of their own judges failures, those that the distributions hold.
fn counted(slo: &Slo, cell: &Cell, quantile: f64, over: &Exceedances) -> Requests {
    let requests = &cell.window.requests;
    let response = cell.window.latencies.response();
    let answered = requests.ended(Outcome::Ok);
    let (failed, held, over) = match slo.errors {
        None => (Some(requests.failed()), answered, over.answered),
        Some(_) => (None, response.count(), over.held()),
    };
    Requests {
        sent: requests.intended - requests.ended(Outcome::Dropped),
        answered,
        failed,
        held,
        response_over: over.response,
        service_over: over.service,
        response: response.quantile(quantile),
    }
}

fn simulated(measure: &Measure, consumer: ConsumerId) -> Measured {
    match measure.backlog_growth(consumer) {
        None => Measured::Missing,
        Some(growth) => Measured::BacklogGrowth {
            per_second: growth.slope_per_second,
        },
    }
}

/// The growth of a consumer's backlog, if it has a limit.
fn growth<P>(model: &Model<P>, consumer: &Consumer, measured: Measured) -> Option<Signal> {
    let per_second = consumer.growth_limit?;
    Some(Signal {
        counts: Counts::Requests,
        requests: None,
        of: format!(
            "Consumer {}/{}",
            model.streams[consumer.stream.index()].name,
            consumer.name
        ),
        limit: Limit::BacklogGrowth { per_second },
        measured,
    })
}
