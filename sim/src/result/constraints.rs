//! The parts of the documents about the limits of the system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rates::{mean_over, per_second, utilisation};
use crate::analysis::{Analysis, Binds, Constraint, Constraints};
use crate::measure::Measure;
use crate::model::{Model, Source};

/// A limit on requests per second: `places` at a time, each held for `held_ms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConstraintResult {
    /// Kind of limit.
    pub limit: LimitKind,
    /// Service, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Consumer, if it belongs to one, with its stream: `orders/indexer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Client, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Maximum at a time: workers, messages, requests; 1 for tokens.
    pub places: f64,
    /// Time for which each is held without waiting: W places of S seconds let W/S per second through.
    pub held_ms: f64,
    /// Share of them that outages and slow-downs leave over the window; absent if they leave all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<f64>,
    /// Share of the total capacity at which the slowest member is saturated: members that are drawn at random get equal
    /// numbers of visits. Absent if it is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usable: Option<f64>,
    /// Capacity per second: visits of the service, messages of the consumer, or requests.
    pub capacity_per_s: f64,
    /// Capacity in requests per second at this mix; absent if closed-loop users beside other clients make the mix depend
    /// on the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_rps: Option<f64>,
    /// Share of it that was in use; in a check, the offered load as a share of the capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
}

/// Kinds of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The workers of a service.
    Workers,
    /// `admission.in_flight` of a service.
    AdmissionInFlight,
    /// `admission.rate` of a service.
    AdmissionRate,
    /// `max_ack_pending` of a consumer.
    MaxAckPending,
    /// The deliveries that a consumer requests: the workers of its service and its `prefetch`.
    Prefetch,
    /// `max_in_flight`, of the run or of a client.
    MaxInFlight,
}

/// The bottleneck: the limit of the smallest capacity, or of the highest utilisation if the mix of requests depends on the
/// load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bottleneck {
    /// The limit.
    #[serde(flatten)]
    pub constraint: ConstraintResult,
    /// Others of the same capacity: services for their workers, or limit and owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tied_with: Vec<String>,
    /// Closed models with one client: number of users above which some must wait, N* = (D + Z) / Dmax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturation_users: Option<f64>,
}

impl LimitKind {
    /// The key of the spec that sets it.
    pub fn key(self) -> &'static str {
        match self {
            LimitKind::Workers => "workers",
            LimitKind::AdmissionInFlight => "admission.in_flight",
            LimitKind::AdmissionRate => "admission.rate",
            LimitKind::MaxAckPending => "max_ack_pending",
            LimitKind::Prefetch => "prefetch",
            LimitKind::MaxInFlight => "max_in_flight",
        }
    }
}

impl ConstraintResult {
    /// Whose it is: a service, a consumer, a client, or nobody's in particular.
    pub fn of(&self) -> Option<&str> {
        let of = self.service.as_deref().or(self.consumer.as_deref());
        of.or(self.client.as_deref())
    }
}

/// What limits a system, and what does first.
pub(super) struct Limits {
    pub(super) all: Vec<ConstraintResult>,
    pub(super) bottleneck: Option<Bottleneck>,
}

/// The limits of a simulated model, and how much of each was in use.
pub(super) fn measured(analysis: &Analysis<'_>, measure: &Measure) -> Limits {
    let (model, limits) = (analysis.model, &analysis.constraints);
    let used = |one: &Constraint| used(model, measure, one);
    let binding = match limits.offered.mix_is_fixed() {
        true => limits.binding(),
        false => {
            let all = limits.all.iter().filter(|one| one.is_of_all());
            let all = all.filter_map(|one| Some((one, used(one)?)));
            // Of equals the first.
            let most = all.reduce(|most, one| if one.1 > most.1 { one } else { most });
            most.filter(|(_, used)| *used > 0.0).map(|(one, _)| one)
        }
    };
    let all = limits.all.iter();
    Limits {
        bottleneck: binding.map(|one| bottleneck(model, limits, one, used(one))),
        all: all
            .map(|one| result(model, limits, one, used(one)))
            .collect(),
    }
}

/// What limits a model first, which is absent where closed users beside other clients make that depend on the load, and
/// all limits, the tightest first; with how much of each the offered load is.
pub fn offered_limits(analysis: &Analysis<'_>) -> (Option<Bottleneck>, Vec<ConstraintResult>) {
    let limits = offered(analysis);
    (limits.bottleneck, limits.all)
}

/// The limits of a model that is not run, and how much of each the offered load is.
pub(super) fn offered(analysis: &Analysis<'_>) -> Limits {
    let (model, limits) = (analysis.model, &analysis.constraints);
    let fixed = limits.offered.mix_is_fixed();
    let load = |one: &Constraint| Some(one.load()).filter(|load| load.is_finite());
    let all = limits.all.iter();
    Limits {
        bottleneck: limits
            .binding()
            .filter(|_| fixed)
            .map(|one| bottleneck(model, limits, one, load(one))),
        all: all
            .map(|one| result(model, limits, one, load(one)))
            .collect(),
    }
}

fn bottleneck(
    model: &Model,
    limits: &Constraints,
    binding: &Constraint,
    utilisation: Option<f64>,
) -> Bottleneck {
    let constraint = result(model, limits, binding, utilisation);
    let saturation_users = match model.clients.as_slice() {
        [client] => match &client.source {
            Source::Closed { think, .. } => {
                let cycle = think.mean() / 1e9 + limits.offered.clients[0].unloaded_response;
                constraint.capacity_rps.map(|capacity| capacity * cycle)
            }
            Source::Open { .. } => None,
        },
        _ => None,
    };
    let tied: Vec<String> = match constraint.capacity_rps {
        Some(_) => limits
            .tied_with(binding)
            .map(|other| tie(&result(model, limits, other, None)))
            .collect(),
        None => Vec::new(),
    };
    Bottleneck {
        constraint,
        tied_with: tied,
        saturation_users,
    }
}

fn tie(other: &ConstraintResult) -> String {
    match (other.limit, other.of()) {
        (LimitKind::Workers, Some(of)) => of.to_owned(),
        (limit, Some(of)) => format!("{} of {of}", limit.key()),
        (limit, None) => limit.key().to_owned(),
    }
}

fn result(
    model: &Model,
    limits: &Constraints,
    one: &Constraint,
    utilisation: Option<f64>,
) -> ConstraintResult {
    let (limit, service, consumer) = match one.binds {
        Binds::Workers(id) => (LimitKind::Workers, Some(id), None),
        Binds::Admitted(id) => (LimitKind::AdmissionInFlight, Some(id), None),
        Binds::Tokens(id) => (LimitKind::AdmissionRate, Some(id), None),
        Binds::AckPending(id) => (LimitKind::MaxAckPending, None, Some(id)),
        Binds::Asked(id) => (LimitKind::Prefetch, None, Some(id)),
        Binds::InFlight(_) => (LimitKind::MaxInFlight, None, None),
    };
    let client = match one.binds {
        Binds::InFlight(client) => client,
        _ => None,
    };
    let fixed = limits.offered.mix_is_fixed();
    ConstraintResult {
        limit,
        service: service.map(|id| model.services[id.index()].name.clone()),
        consumer: consumer.map(|id| model.consumer_name(id)),
        client: client.map(|id| model.clients[id.index()].name.clone()),
        places: one.places,
        held_ms: one.seconds * 1e3,
        available: (one.available < 1.0).then_some(one.available),
        usable: (one.usable < 1.0 - 1e-9).then_some(one.usable),
        capacity_per_s: one.per_second(),
        capacity_rps: fixed.then(|| one.capacity()),
        utilisation,
    }
}

/// The share of a limit that was in use over the window.
fn used(model: &Model, measure: &Measure, one: &Constraint) -> Option<f64> {
    let span = measure.measured();
    match one.binds {
        Binds::Workers(id) => {
            let areas = measure.stations()[id.index()].window_areas();
            utilisation(&model.services[id.index()], areas, span)
        }
        Binds::Admitted(id) => {
            let areas = measure.stations()[id.index()].window_areas();
            Some(mean_over(areas.waiting + areas.busy, span)? / one.places)
        }
        Binds::Tokens(id) => {
            let visits = measure.stations()[id.index()].window_visits();
            Some(per_second(visits.arrived(), span)? / one.per_second())
        }
        Binds::AckPending(id) => {
            let areas = measure.consumers()[id.index()].window_areas();
            let most = f64::from(model.consumers[id.index()].max_ack_pending.get());
            Some(mean_over(areas.ack_pending, span)? / most)
        }
        Binds::Asked(_) | Binds::InFlight(_) => None,
    }
}
