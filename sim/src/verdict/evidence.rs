//! From measurements to evidence.

use crate::event::Outcome;
use crate::measure::{Against, Cell, DeliveryMeter, Measure, Which};
use crate::model::{
    ActionId, Consumer, ConsumerId, DeliveryLimits, Model, QuantileLimit as Objective, Slo,
};
use crate::time::Span;
use crate::verdict::{Counts, Evidence, Limit, Measured, Requests, Signal};

/// Evidence of a live run alone. The default is that of a simulation.
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
/// of its backlog. A run in which nothing was intended, or nothing succeeded, is always judged: it cannot have gone well.
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
        let of = format!("Consumer {}", model.consumer_name(ConsumerId(id)));
        signals.extend(growth(&of, consumer, measured));
    }
    let whole = measure.total();
    if signals.is_empty() && whole.requests().ended(Outcome::Ok) > 0 {
        return None;
    }
    let requests = whole.window.requests;
    Some(Evidence {
        intended: requests.intended,
        sent: requests.intended - requests.ended(Outcome::Dropped),
        succeeded: whole.requests().ended(Outcome::Ok),
        generator_lagged: live.generator_lagged,
        generator_limits: live.generator_limits.clone(),
        interrupted,
        signals,
    })
}

fn signals_of(of: &str, slo: &Slo, cell: &Cell) -> Vec<Signal> {
    let requests_of = &cell.window.requests;
    let sent = requests_of.intended - requests_of.ended(Outcome::Dropped);
    let signal = |limit, measured| Signal {
        of: of.to_owned(),
        counts: Counts::Requests,
        requests: None,
        limit,
        measured,
        worth: None,
    };
    let quantiles = slo.quantiles.iter().enumerate().map(|(nth, objective)| {
        let Objective { quantile, limit } = *objective;
        let measured = match sent {
            0 => Measured::Missing,
            sent => Measured::Quantile(requests(
                (sent, requests_of.ended(Outcome::Ok)),
                cell.against(slo, nth),
                cell.window.latencies.response().quantile(quantile),
            )),
        };
        signal(Limit::Quantile { quantile, limit }, measured)
    });
    let errors = slo.errors.map(|share| {
        let measured = match sent {
            0 => Measured::Missing,
            samples => Measured::Errors {
                samples,
                failed: requests_of.failed(),
            },
        };
        signal(Limit::Errors { share }, measured)
    });
    quantiles.chain(errors).collect()
}

/// The objectives of deliveries.
fn deliveries_of(of: &str, limits: &DeliveryLimits, meter: &DeliveryMeter) -> Vec<Signal> {
    let counts = meter.window();
    let mut signals = Vec::new();
    for which in Which::ALL {
        let name = match which {
            Which::First => "first delivery",
            Which::Each => "each delivery",
            Which::Last => "last delivery",
        };
        let times = &which.times(meter).from_intended;
        for (nth, objective) in which.limits(limits).iter().enumerate() {
            let Objective { quantile, limit } = *objective;
            let measured = match which.expected(&counts) {
                0 => Measured::Missing,
                sent => Measured::Quantile(requests(
                    (sent, times.count()),
                    meter.against(limits, which, nth),
                    times.quantile(quantile),
                )),
            };
            signals.push(Signal {
                of: format!("{of}, {name}"),
                counts: Counts::Deliveries,
                requests: Some(counts.requests),
                limit: Limit::Quantile { quantile, limit },
                measured,
                worth: None,
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
        worth: None,
    }));
    signals
}

/// The requests that a quantile objective is judged by, of those that were sent and answered.
fn requests((sent, answered): (u64, u64), against: Against, response: Option<Span>) -> Requests {
    Requests {
        sent,
        answered,
        failed: against.failed,
        held: against.held,
        response_over: against.over.response,
        service_over: against.over.service,
        response,
    }
}

fn simulated(measure: &Measure, consumer: ConsumerId) -> Measured {
    match measure.backlog_growth(consumer) {
        None => Measured::Missing,
        Some(growth) => Measured::BacklogGrowth {
            per_second: growth.slope_per_second,
            grows: growth.grows,
            arrivals: measure.consumers()[consumer.index()].window_arrivals(),
        },
    }
}

/// The growth of the backlog of a consumer, by its limit and by a test, if it has these objectives.
fn growth(of: &str, consumer: &Consumer, measured: Measured) -> Vec<Signal> {
    let limit = consumer.growth_limit;
    let limit = limit.map(|per_second| Limit::BacklogGrowth { per_second });
    let none = consumer.no_growth.then_some(Limit::NoGrowth);
    let signal = |limit| Signal {
        counts: Counts::Requests,
        requests: None,
        of: of.to_owned(),
        limit,
        measured,
        worth: None,
    };
    limit.into_iter().chain(none).map(signal).collect()
}
