//! From measurements to evidence.

use crate::event::Outcome;
use crate::measure::{Cell, Exceedances, Measure};
use crate::model::{ActionId, Consumer, ConsumerId, Model, QuantileLimit as Objective, Slo};
use crate::verdict::{Evidence, Limit, Measured, Requests, Signal};

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
        of: format!(
            "Consumer {}/{}",
            model.streams[consumer.stream.index()].name,
            consumer.name
        ),
        limit: Limit::BacklogGrowth { per_second },
        measured,
    })
}
