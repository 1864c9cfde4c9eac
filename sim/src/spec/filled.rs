//! A spec with the defaults that depend on other keys in place. Those that do not are beside the types.

use super::distribution::Distribution;
use super::error::Origin;
use super::shape::{Diurnal, Shape, Stage};
use super::spanned::Spanned;
use super::syntax::{Arrival, Client, Member, Members, OnFailure, Service, Spec};
use super::units::{Count, Duration, Number};

/// The spec with these defaults in place. It lowers to the same model.
pub fn filled(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    for (_, client) in &mut spec.clients.value.0 {
        fill_client(client);
    }
    let services = spec.services.iter_mut();
    for (_, service) in services.flat_map(|services| &mut services.value.0) {
        fill_service(service);
    }
    spec
}

fn default<T>(value: T) -> Spanned<T> {
    Spanned {
        value,
        origin: Origin::Default,
    }
}

/// The value, which is there from now on.
fn fill<T>(place: &mut Option<Spanned<T>>, value: T) -> &mut T {
    &mut place.get_or_insert_with(|| default(value)).value
}

/// Closed clients think and come back; open ones with a rate arrive by a process.
fn fill_client(client: &mut Client) {
    if client.concurrency.is_some() {
        let no_time = Distribution::Bare(default(Duration(0.0)));
        fill(&mut client.think, no_time);
        let on_failure = fill(&mut client.on_failure, OnFailure::default());
        fill(&mut on_failure.respawn, true);
    }
    if client.rate.is_some() {
        fill(&mut client.arrival, Arrival::default());
    }
    match client.shape.as_mut().map(|shape| &mut shape.value) {
        Some(Shape::Stages(stages)) => fill_stages(&mut stages.value),
        Some(Shape::Diurnal(Diurnal {
            low: Some(_), high, ..
        })) => {
            fill(high, Number(1.0));
        }
        _ => {}
    }
}

/// Each stage starts where the one before ended.
fn fill_stages(stages: &mut [Spanned<Stage>]) {
    let mut level = Number(0.0);
    for stage in stages {
        fill(&mut stage.value.from, level);
        level = stage.value.to.value;
    }
}

/// The workers stand once: with the members where these differ, beside their number where they do not.
fn fill_service(service: &mut Service) {
    let workers = service.workers.as_ref().map(|workers| workers.value);
    let members = match fill(&mut service.members, Members::Alike(default(Count(1)))) {
        Members::Alike(members) => {
            let members = members.value.0;
            fill(&mut service.workers, Count(1));
            members
        }
        Members::Each(list) => {
            let all = list.iter_mut().map(|member| {
                let Member {
                    count,
                    workers: own,
                    speed,
                } = &mut member.value;
                fill(own, workers.unwrap_or(Count(1)));
                fill(speed, Number(1.0));
                fill(count, Count(1)).0
            });
            let members = all.fold(0, u64::saturating_add);
            service.workers = None;
            members
        }
    };
    if members > 1 {
        fill(&mut service.dispatch, Default::default());
    }
}
