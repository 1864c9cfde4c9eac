//! The visits on the path of an action, and whether a reply identifies them.

use std::collections::BTreeSet;

use blis_sim::model::{ActionId, Model, Order, Path, ServiceId, Step};
use blis_sim::spec::error::shown;

use super::{Requests, Wanted};

/// The services that steps visit.
pub(super) fn visited(steps: &[Step]) -> impl Iterator<Item = ServiceId> {
    steps.iter().filter_map(|step| match step {
        Step::Visit(visit) => Some(visit.service),
        _ => None,
    })
}

/// The service of this name.
///
/// # Errors
/// Where the model has none.
pub(super) fn service_named(model: &Model<Path>, name: &str) -> Result<ServiceId, String> {
    let mut services = (0u16..).map(ServiceId).zip(&model.services);
    let found = services.find(|(_, service)| service.name == name);
    found.map(|(id, _)| id).ok_or_else(|| {
        format!(
            "the record has visits of the service {}, which the model lacks; replay a spec with it, or leave out --recorded",
            shown(name)
        )
    })
}

/// The service that a request was at, where the path that was recorded has a single visit. Where that path is not known, the model's
/// is taken for it.
///
/// # Errors
/// Where the model does not have that service.
pub(super) fn only_service(
    requests: Requests<'_>,
    action: ActionId,
) -> Result<Option<ServiceId>, String> {
    let Requests { model, of_run, .. } = requests;
    let single = |steps: &[Step]| {
        let mut all = visited(steps);
        all.next().filter(|_| all.next().is_none())
    };
    let Ok(recorded) = of_run.simulable() else {
        return Ok(single(model.steps_of(action)));
    };
    let name = &model.actions[action.index()].name;
    let mut known = (0u16..).map(ActionId).zip(&recorded.actions);
    let known = known.find(|(_, known)| known.name == *name);
    match known.and_then(|(id, _)| single(recorded.steps_of(id))) {
        Some(only) => service_named(model, &recorded.services[only.index()].name).map(Some),
        None => Ok(None),
    }
}

/// Refuses an action of which a reply does not say what is wanted.
///
/// # Errors
/// Why it does not.
pub(super) fn refuse_undetermined(
    model: &Model<Path>,
    action: ActionId,
    wanted: Wanted,
) -> Result<(), String> {
    let steps = model.steps_of(action);
    let name = |service: ServiceId| shown(&model.services[service.index()].name);
    let (why, what) = if consumer_answers(model, steps) {
        let why = "is answered by a consumer, whose member the stream chooses".to_owned();
        (why, "--recorded")
    } else if let Some(service) = copied(model, steps) {
        let why = format!(
            "has deliveries that {} serves, and a reply does not distinguish them from visits",
            name(service)
        );
        (why, "--recorded")
    } else if let Some(service) = ambiguous(steps) {
        let why = format!(
            "visits {} more than once in parallel, so a reply does not identify the visits",
            name(service)
        );
        (why, "--recorded")
    } else if let Some(service) = shared(model, steps).filter(|_| wanted.times) {
        let why = format!(
            "visits {}, whose workers are shared, so service times depend on the number of requests served together",
            name(service)
        );
        (why, "service of --recorded")
    } else {
        return Ok(());
    };
    let action = shown(&model.actions[action.index()].name);
    Err(format!("the action {action} {why}; leave out {what}"))
}

/// Whether a consumer of what is published here may answer the user.
fn consumer_answers(model: &Model<Path>, steps: &[Step]) -> bool {
    let consumers = steps.iter().filter_map(|step| match step {
        Step::Publish { consumers, .. } => Some(consumers),
        _ => None,
    });
    consumers.flatten().any(|id| {
        let consumer = model.consumers.get(id.index());
        consumer.is_some_and(|one| model.steps_from(one.entry).contains(&Step::Reply))
    })
}

/// The service that a fan-out of these steps has on the side of its subscribers.
fn copied(model: &Model<Path>, steps: &[Step]) -> Option<ServiceId> {
    steps.iter().find_map(|step| match step {
        Step::Emit(fan_out) => model.fan_outs[fan_out.index()].service,
        _ => None,
    })
}

/// A service that is visited more than once where steps go several ways.
fn ambiguous(steps: &[Step]) -> Option<ServiceId> {
    let mut seen = BTreeSet::new();
    let again = visited(steps).find(|service| !seen.insert(service.index()));
    again.filter(|_| steps.iter().any(|step| matches!(step, Step::Fork { .. })))
}

/// A service that is visited and shares its workers among all who are there.
fn shared(model: &Model<Path>, steps: &[Step]) -> Option<ServiceId> {
    let is_shared =
        |service: &ServiceId| matches!(model.services[service.index()].order, Order::Shared { .. });
    visited(steps).find(is_shared)
}
