//! The part of the documents about queueing theory: what is known of the same model in steady state.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, Balanced, Estimate, Exact};

/// Queueing theory of the same model in steady state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Theory {
    /// The closed form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<Exactly>,
    /// Why no closed form applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// Balanced job bounds of a closed network of single workers; they hold besides the closed form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_bounds: Option<BalancedBounds>,
    /// Without a closed form: asymptotic bounds of a closed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<TheoryBounds>,
    /// Without a closed form: an approximation of an open model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximation: Option<Approximately>,
}

/// Bounds of the steady state of a closed model, for any distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TheoryBounds {
    /// Largest number of requests per second that can end as `ok`.
    pub throughput_at_most_rps: f64,
    /// Smallest mean response time; absent if requests can fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_at_least_ms: Option<f64>,
    /// N*: number of users above which some must wait.
    pub saturation_users: f64,
}

/// Balanced job bounds of a closed network: the least and the largest value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalancedBounds {
    /// Requests that end as `ok` per second.
    pub throughput_rps: [f64; 2],
    /// Mean response time; absent if requests can fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_ms: Option<[f64; 2]>,
}

/// An approximation of the steady state of an open model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approximately {
    /// Form of the approximation.
    pub form: String,
    /// Mean response time.
    pub response_ms: f64,
    /// An upper bound on the mean response time, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_at_most_ms: Option<f64>,
}

/// The figures of a closed form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exactly {
    /// In Kendall's notation for a single service.
    pub form: String,
    /// Its service, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Requests that end as `ok` per second.
    pub throughput_rps: f64,
    /// Mean response time.
    pub response_ms: f64,
    /// Utilisation of the one service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
    /// Mean number of requests that wait at the one service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_queue: Option<f64>,
    /// Median, 95th and 99th percentile of the response time, if the form has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_p50_p95_p99_ms: Option<[f64; 3]>,
    /// Mean response time by class of requests, the most urgent first, if the service has priorities; by action if visits
    /// of different lengths share it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_response_ms: Vec<ExactClass>,
    /// By service, if there are several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ExactService>,
}

/// A class of requests at a service with priorities, or an action whose visits share a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExactClass {
    /// Its name, or `no class` for the requests without one; `action` and its name for an action.
    pub class: String,
    /// Mean response time.
    pub response_ms: f64,
}

/// The figures of one service of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExactService {
    /// Share of its workers that is busy.
    pub utilisation: f64,
    /// Mean number of requests that wait.
    pub mean_queue: f64,
    /// Mean wait of a visit.
    pub wait_ms: f64,
}

/// The closed form, or what is known instead, unless the run did what neither knows: give up.
pub(super) fn theory(analysis: &Analysis<'_>, timed_out: u64) -> Theory {
    let mut theory = Theory {
        exact: None,
        not_applicable: None,
        balanced_bounds: None,
        bounds: None,
        approximation: None,
    };
    match &analysis.exact {
        Ok(_) if timed_out > 0 => {
            theory.not_applicable = Some(format!("{timed_out} requests timed out"));
        }
        Ok(exact) => theory.exact = Some(exactly(exact)),
        Err(why) => theory.not_applicable = Some(why.clone()),
    }
    if timed_out == 0 {
        theory.balanced_bounds = analysis.balanced.map(balanced_bounds);
    }
    if theory.exact.is_some() || timed_out > 0 {
        return theory;
    }
    match &analysis.estimate {
        Some(Estimate::Bounds(bounds)) => {
            theory.bounds = Some(TheoryBounds {
                throughput_at_most_rps: bounds.throughput_at_most,
                response_at_least_ms: bounds.response_at_least.map(|seconds| seconds * 1e3),
                saturation_users: bounds.saturation_users,
            });
        }
        Some(Estimate::Approximation(near)) => {
            theory.approximation = Some(Approximately {
                form: near.form.clone(),
                response_ms: near.response * 1e3,
                response_at_most_ms: near.response_at_most.map(|seconds| seconds * 1e3),
            });
        }
        None => {}
    }
    theory
}

/// Why something cannot be said of a model some of whose actions have no path.
pub(super) const NO_BACKEND: &str = "the spec does not say what the backend does";

/// That nothing is derived from a model, and why.
pub(super) fn no_theory(why: &str) -> Theory {
    Theory {
        exact: None,
        not_applicable: Some(why.to_owned()),
        balanced_bounds: None,
        bounds: None,
        approximation: None,
    }
}

fn balanced_bounds(found: Balanced) -> BalancedBounds {
    let (least, most) = found.throughput;
    BalancedBounds {
        throughput_rps: [least, most],
        response_ms: found
            .response
            .map(|(least, most)| [least * 1e3, most * 1e3]),
    }
}

fn exactly(exact: &Exact) -> Exactly {
    let several = exact.services.len() > 1;
    let only = exact.services.first().filter(|_| !several);
    let figures = exact.services.iter().filter(|_| several);
    let figures = figures.map(|(name, means)| {
        let figures = ExactService {
            utilisation: means.utilisation,
            mean_queue: means.queue,
            wait_ms: means.wait * 1e3,
        };
        (name.clone(), figures)
    });
    let classes = exact.classes.iter().map(|(name, response)| ExactClass {
        class: name.clone(),
        response_ms: response * 1e3,
    });
    Exactly {
        service: only.map(|(name, _)| name.clone()),
        throughput_rps: exact.throughput,
        response_ms: exact.response * 1e3,
        utilisation: only.map(|(_, means)| means.utilisation),
        mean_queue: only.map(|(_, means)| means.queue),
        response_p50_p95_p99_ms: exact.quantiles.map(|quantiles| quantiles.map(|q| q * 1e3)),
        class_response_ms: classes.collect(),
        services: figures.collect(),
        form: exact.form.clone(),
    }
}
