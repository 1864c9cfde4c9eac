//! From measurements to evidence.

use crate::event::Outcome;
use crate::measure::{Cell, Measure};
use crate::model::{ActionId, Consumer, ConsumerId, Model, Slo};
use crate::verdict::{Evidence, Limit, Measured, Signal};

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
pub fn evidence(
    model: &Model,
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
    let latencies = &cell.window.latencies;
    let signal = |limit, measured| Signal {
        of: of.to_owned(),
        limit,
        measured,
    };
    let quantiles = slo
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
    let errors = slo.errors.map(|share| {
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

fn simulated(measure: &Measure, consumer: ConsumerId) -> Measured {
    match measure.backlog_growth(consumer) {
        None => Measured::Missing,
        Some(growth) => Measured::BacklogGrowth {
            per_second: growth.slope_per_second,
        },
    }
}

/// The growth of a consumer's backlog, if it has a limit.
fn growth(model: &Model, consumer: &Consumer, measured: Measured) -> Option<Signal> {
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
