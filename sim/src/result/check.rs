//! The document of a check: what a spec resolves to and the load it offers, without running it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::constraints::{self, Bottleneck, ConstraintResult};
use super::identity::SpecIdentity;
use super::theory::{NO_BACKEND, Theory, no_theory, theory};
use crate::analysis::{Analysis, ClientLoad, ServiceLoad, scheduled};
use crate::model::LiveModel;
use crate::spec::Setting;

/// The identifier of the document of a check.
pub const CHECK_SCHEMA: &str = "blis.check/1";

/// Analysis of a spec without a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Always `blis.check/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// The spec that was checked.
    pub spec: SpecIdentity,
    /// The seed of every draw.
    pub seed: u64,
    /// Values of a run by key of the spec, with the source of each.
    pub configuration: BTreeMap<String, Setting>,
    /// Resolved text of the spec, with defaults and flags.
    pub resolved: String,
    /// Actions without a path. Their work in the backend is not known, so neither are the load of services, the bottleneck
    /// and closed forms. Absent without such actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_path: Vec<String>,
    /// Offered load, if nothing slows the clients down.
    pub offered: OfferedLoad,
    /// Bottleneck; absent if closed-loop users beside other clients make it depend on the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<Bottleneck>,
    /// All limits on requests per second, the tightest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<ConstraintResult>,
    /// The closed form that applies.
    pub theory: Theory,
    /// Warnings about the load.
    pub warnings: Vec<String>,
}

/// The offered load. Unbounded figures are absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedLoad {
    /// By client.
    pub clients: BTreeMap<String, OfferedByClient>,
    /// By service.
    pub services: BTreeMap<String, OfferedToService>,
}

/// What one client offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedByClient {
    /// Requests per second: exact for an open client; for a closed one as if no request waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<f64>,
    /// Whether the rate is an upper bound, because waiting slows the client down.
    pub at_most: bool,
    /// Mean response time without waiting, over the actions of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unloaded_response_ms: Option<f64>,
}

/// What one service is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedToService {
    /// Workers of all members.
    pub workers: u64,
    /// Visits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visits_per_s: Option<f64>,
    /// Mean service time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_time_ms: Option<f64>,
    /// Offered load per worker; from 1 on the service cannot keep up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
    /// Capacity of its workers in requests per second at this mix; absent if no request visits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_rps: Option<f64>,
}

/// Origin of the spec of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// SHA-256 of the spec's text.
    pub sha256: String,
    /// The resolved spec's text.
    pub resolved: String,
    /// SHA-256 of each file that the resolved spec refers to, by its path there.
    pub files: BTreeMap<String, String>,
    /// The values that would decide a run, by key.
    pub configuration: BTreeMap<String, Setting>,
    /// What is remarkable about the load.
    pub warnings: Vec<String>,
}

/// The document of a check, with what can be said of the same model where each action has a path. What cannot be said of one
/// some of whose actions have none is absent, and they are named.
pub fn check(model: &LiveModel, analysis: Option<&Analysis<'_>>, checked: Checked) -> Check {
    let (offered, limits, theory) = match analysis {
        Some(analysis) => {
            let limits = constraints::offered(analysis);
            let found = (limits.bottleneck, limits.all);
            (offered_load(analysis), found, theory(analysis, 0))
        }
        None => (
            scheduled_load(model),
            (None, Vec::new()),
            no_theory(NO_BACKEND),
        ),
    };
    let (bottleneck, constraints) = limits;
    Check {
        schema: CHECK_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        spec: SpecIdentity {
            name: model.name.clone(),
            sha256: checked.sha256,
            resolved_sha256: crate::spec::sha256(&checked.resolved),
            files: checked.files,
            fitted: model.fitted.clone(),
        },
        seed: model.seed,
        configuration: checked.configuration,
        resolved: checked.resolved,
        without_path: model.without_path().map(str::to_owned).collect(),
        offered,
        bottleneck,
        constraints,
        theory,
        warnings: checked.warnings,
    }
}

fn offered_load(analysis: &Analysis<'_>) -> OfferedLoad {
    let (model, load) = (analysis.model, analysis.offered());
    let clients = model.clients.iter().zip(&load.clients);
    let services = model.services.iter().zip(&load.services);
    OfferedLoad {
        clients: clients
            .map(|(client, load)| (client.name.clone(), by_client(load)))
            .collect(),
        services: services
            .map(|(service, load)| (service.name.clone(), to_service(load)))
            .collect(),
    }
}

/// What clients offer whatever the backend is.
fn scheduled_load(model: &LiveModel) -> OfferedLoad {
    let clients = model.clients.iter().map(|client| {
        let rate = scheduled(client, model.limits.horizon);
        let offered = OfferedByClient {
            requests_per_s: rate.and_then(bounded),
            at_most: rate.is_none(),
            unloaded_response_ms: None,
        };
        (client.name.clone(), offered)
    });
    OfferedLoad {
        clients: clients.collect(),
        services: BTreeMap::new(),
    }
}

fn by_client(load: &ClientLoad) -> OfferedByClient {
    OfferedByClient {
        requests_per_s: bounded(load.requests_per_second),
        at_most: load.at_most,
        unloaded_response_ms: bounded(load.unloaded_response * 1e3),
    }
}

fn to_service(load: &ServiceLoad) -> OfferedToService {
    OfferedToService {
        workers: load.servers,
        visits_per_s: bounded(load.visits_per_second),
        service_time_ms: bounded(load.service_time * 1e3),
        utilisation: bounded(load.utilisation()),
        capacity_rps: load.capacity().and_then(bounded),
    }
}

/// JSON knows no infinity.
fn bounded(figure: f64) -> Option<f64> {
    figure.is_finite().then_some(figure)
}
