//! The ceiling under objectives, measured and predicted: the largest load at which a quantile meets its objective.
//!
//! Between two loads the logarithm of the quantile is taken to be a straight line, in both worlds alike, so that what the line is off by
//! is in neither world's favour.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::crossing;
use super::load::{ErrorResult, LoadValidation};
use crate::compare::OutcomeResult;

/// The quantiles that are compared at every load.
const COMPARED: [(f64, &str); 3] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];

/// A limit on a quantile of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// The action.
    pub action: String,
    /// The quantile, such as `p99`.
    pub name: &'static str,
    /// The same as a share of the requests.
    quantile: f64,
    /// Its limit, in milliseconds.
    pub limit_ms: f64,
}

impl Objective {
    /// That of an action; `None` where the quantile is none that is compared.
    pub fn of(action: &str, quantile: f64, limit_ms: f64) -> Option<Objective> {
        let mut compared = COMPARED.iter();
        let (_, name) = compared.find(|(one, _)| (one - quantile).abs() < 1e-9)?;
        Some(Objective {
            action: action.to_owned(),
            name,
            quantile,
            limit_ms,
        })
    }
}

/// The largest load at which an objective is met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectiveResult {
    /// The action.
    pub action: String,
    /// The quantile: `p50`, `p95` or `p99`.
    pub name: String,
    /// Its limit.
    pub limit_ms: f64,
    /// Measured.
    pub measured: MetUpTo,
    /// Predicted.
    pub predicted: MetUpTo,
    /// (predicted - measured) / measured; absent if one of them is only a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
}

/// The largest load at which an objective is met, interpolated between loads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetUpTo {
    /// Load; the smallest one if the objective is missed there.
    pub load: f64,
    /// Whether it is met at the smallest load.
    pub is_met: bool,
    /// Whether it is missed at a larger load.
    pub is_reached: bool,
    /// Whether the load is interpolated between two loads; `false` if it is the last load that met the objective, because too
    /// many requests failed at the next, or there is none.
    pub is_between: bool,
}

impl MetUpTo {
    /// Of a quantile by load, in ascending order of loads; `None` where it is not known at any.
    fn of(points: &[(f64, f64)], limit: f64) -> Option<MetUpTo> {
        let (first, last) = (points.first()?, points.last()?);
        let mut pairs = points.windows(2);
        let missed = pairs.find(|pair| pair[0].1 <= limit && pair[1].1 > limit);
        Some(match missed {
            _ if first.1 > limit => MetUpTo {
                load: first.0,
                is_met: false,
                is_reached: true,
                is_between: false,
            },
            None => MetUpTo {
                load: last.0,
                is_met: true,
                is_reached: false,
                is_between: false,
            },
            Some(pair) => {
                let is_between = pair[0].1 > 0.0 && pair[1].1.is_finite();
                MetUpTo {
                    load: match is_between {
                        true => crossing([pair[0], pair[1]], limit),
                        false => pair[0].0,
                    },
                    is_met: true,
                    is_reached: true,
                    is_between,
                }
            }
        })
    }
}

/// Up to which load each objective is met in both worlds.
pub(super) fn met_up_to(
    loads: &[LoadValidation],
    objectives: &[Objective],
) -> Vec<ObjectiveResult> {
    let one = |objective: &Objective| {
        let value = |load: &LoadValidation, of: fn(&ErrorResult) -> Option<f64>| {
            let own = load.actions.get(&objective.action);
            let mut figures = own.unwrap_or(&load.figures).iter();
            of(figures.find(|figure| figure.name == objective.name)?)
        };
        // Requests that failed are over every limit; those that were given up or still open are among the response times already.
        let is_timed = |one: &&OutcomeResult| {
            ["ok", "timed_out", "unresolved"].contains(&one.outcome.as_str())
        };
        let failed = |load: &LoadValidation, of: fn(&OutcomeResult) -> f64| {
            let timed = load.outcomes.iter().filter(is_timed);
            1.0 - timed.map(of).sum::<f64>() > 1.0 - objective.quantile
        };
        let points = |of: fn(&ErrorResult) -> Option<f64>, share: fn(&OutcomeResult) -> f64| {
            let known = loads.iter().filter_map(|load| {
                let latency = match failed(load, share) {
                    true => f64::INFINITY,
                    false => value(load, of)?,
                };
                Some((load.load, latency))
            });
            known.collect::<Vec<(f64, f64)>>()
        };
        let measured = points(|figure| figure.measured, |one| one.baseline);
        let predicted = points(|figure| figure.predicted, |one| one.other);
        let measured = MetUpTo::of(&measured, objective.limit_ms)?;
        let predicted = MetUpTo::of(&predicted, objective.limit_ms)?;
        let are_known = measured.is_between && predicted.is_between;
        Some(ObjectiveResult {
            action: objective.action.clone(),
            name: objective.name.to_owned(),
            limit_ms: objective.limit_ms,
            error: are_known.then(|| predicted.load / measured.load - 1.0),
            measured,
            predicted,
        })
    };
    objectives.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_met_up_to_where_its_quantile_crosses_the_limit() {
        let points = [(10.0, 1.0), (20.0, 4.0), (30.0, 64.0)];
        let load = |limit: f64| MetUpTo::of(&points, limit).expect("there are points");
        // Half way from 1 to 4 as logarithms is 2, and from 4 to 64 is 16.
        assert!((load(2.0).load - 15.0).abs() < 1e-9 && load(2.0).is_between);
        assert!((load(16.0).load - 25.0).abs() < 1e-9);
        let [missed, met] = [load(0.5), load(64.0)];
        assert_eq!((missed.load, missed.is_met), (10.0, false));
        assert_eq!((met.load, met.is_reached), (30.0, false));
        assert_eq!(MetUpTo::of(&[], 1.0), None);
        // Met at a limit, and missed beyond it.
        assert_eq!(load(4.0).load, 20.0);
        // Where too many failed it is missed, however fast the others were.
        let failed = [(10.0, 1.0), (20.0, f64::INFINITY)];
        let failed = MetUpTo::of(&failed, 2.0).expect("there are points");
        assert_eq!(
            (failed.load, failed.is_reached, failed.is_between),
            (10.0, true, false)
        );
        // What comes back under the limit after a miss counts for nothing.
        let again = MetUpTo::of(&[(1.0, 5.0), (2.0, 1.0)], 2.0).expect("there are points");
        assert!(!again.is_met);
    }

    #[test]
    fn quantiles_that_are_not_compared_are_no_objectives_here() {
        let of = |quantile: f64| Objective::of("ask", quantile, 5.0).map(|one| one.name);
        assert_eq!(
            [0.5, 0.95, 0.99].map(of),
            [Some("p50"), Some("p95"), Some("p99")]
        );
        assert_eq!([0.9, 0.999].map(of), [None, None]);
    }
}
