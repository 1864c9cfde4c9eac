//! From measurements to evidence.

use crate::event::Outcome;
use crate::measure::{Cell, Measure};
use crate::model::{Action, ActionId, Consumer, ConsumerId, Model};
use crate::verdict::{Evidence, Limit, Measured, Signal};

/// How a generator did that sends to a real cluster. A simulation has none, which is the default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Generator {
    /// Whether requests lagged because of its own scheduling, rather than an in-flight cap.
    pub lagged: bool,
    /// Why it was the limit, in sentences; empty when it was not.
    pub limits: Vec<String>,
}

/// The evidence of a run, or `None` when no action has a service-level objective and no consumer a limit on the growth
/// of its backlog.
///
/// `interrupted` says that the run did not come to its own end.
pub fn evidence(
    model: &Model,
    measure: &Measure,
    interrupted: bool,
    generator: &Generator,
) -> Option<Evidence> {
    let mut signals = Vec::new();
    for (action, id) in model.actions.iter().zip(0u16..) {
        let judged = !action.slo.quantiles.is_empty() || action.slo.errors.is_some();
        if judged {
            signals.extend(signals_of(action, &measure.action(ActionId(id))));
        }
    }
    for (consumer, id) in model.consumers.iter().zip(0u16..) {
        signals.extend(growth(model, measure, consumer, ConsumerId(id)));
    }
    if signals.is_empty() {
        return None;
    }
    let requests = measure.total().window.requests;
    Some(Evidence {
        intended: requests.intended,
        sent: requests.intended - requests.ended(Outcome::Dropped),
        generator_lagged: generator.lagged,
        generator_limits: generator.limits.clone(),
        interrupted,
        signals,
    })
}

fn signals_of(action: &Action, cell: &Cell) -> Vec<Signal> {
    let latencies = &cell.window.latencies;
    let signal = |limit, measured| Signal {
        of: format!("Action {}", action.name),
        limit,
        measured,
    };
    let quantiles = action
        .slo
        .quantiles
        .iter()
        .zip(&cell.exceedances)
        .map(|(promise, over)| {
            let measured = match latencies.response().quantile(promise.quantile) {
                None => Measured::Missing,
                Some(response) => Measured::Quantile {
                    samples: latencies.response().count(),
                    response_over: over.response,
                    service_over: over.service,
                    response,
                },
            };
            signal(
                Limit::Quantile {
                    quantile: promise.quantile,
                    limit: promise.limit,
                },
                measured,
            )
        });
    let requests = &cell.window.requests;
    let errors = action.slo.errors.map(|share| {
        let samples = requests.intended - requests.ended(Outcome::Dropped);
        let measured = match samples {
            0 => Measured::Missing,
            _ => Measured::Errors {
                samples,
                failed: requests.failed(),
            },
        };
        signal(Limit::Errors { share }, measured)
    });
    quantiles.chain(errors).collect()
}

/// The growth of a consumer's backlog, if it has a limit.
fn growth(model: &Model, measure: &Measure, consumer: &Consumer, id: ConsumerId) -> Option<Signal> {
    let per_second = consumer.growth_limit?;
    let measured = match measure.backlog_growth(id) {
        None => Measured::Missing,
        Some(growth) => Measured::BacklogGrowth {
            per_second: growth.slope_per_second,
        },
    };
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
