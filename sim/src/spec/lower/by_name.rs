//! A spec with everything that has a name in the order of the names.
//!
//! What comes first in a model is drawn first where weights decide, summed up first, listed first, and of what happens at
//! one instant it happens first. All of that hangs on names and not on where things stand in the text, so that two specs
//! that differ in the order of their keys alone are one and the same workload.

use std::borrow::Cow;

use crate::spec::syntax::{Do, Spec};

/// The spec in the order of its names.
pub(super) fn by_name(spec: &Spec) -> Cow<'_, Spec> {
    let mut in_order = Cow::Borrowed(spec);
    if !is_in_order(spec) {
        sort(in_order.to_mut());
    }
    in_order
}

fn is_in_order(spec: &Spec) -> bool {
    let mut mixes =
        spec.clients
            .value
            .0
            .iter()
            .filter_map(|(_, client)| match &client.r#do.as_ref()?.value {
                Do::Mix(weights) => Some(weights),
                Do::Action(_) => None,
            });
    let streams = spec.streams.as_ref().map(|streams| &streams.value);
    let consumers = streams.iter().flat_map(|streams| &streams.0);
    let mut consumers = consumers.filter_map(|(_, stream)| stream.consumers.as_ref());
    spec.clients.value.is_sorted()
        && spec.actions.value.is_sorted()
        && spec
            .services
            .as_ref()
            .is_none_or(|all| all.value.is_sorted())
        && streams.is_none_or(|streams| streams.is_sorted())
        && spec
            .fan_outs
            .as_ref()
            .is_none_or(|all| all.value.is_sorted())
        && spec
            .variables
            .as_ref()
            .is_none_or(|all| all.value.is_sorted())
        && mixes.all(|weights| weights.is_sorted())
        && consumers.all(|consumers| consumers.is_sorted())
}

fn sort(spec: &mut Spec) {
    spec.clients.value.sort();
    spec.actions.value.sort();
    for (_, client) in &mut spec.clients.value.0 {
        if let Some(written) = &mut client.r#do
            && let Do::Mix(weights) = &mut written.value
        {
            weights.sort();
        }
    }
    if let Some(services) = &mut spec.services {
        services.value.sort();
    }
    if let Some(streams) = &mut spec.streams {
        streams.value.sort();
        for (_, stream) in &mut streams.value.0 {
            if let Some(consumers) = &mut stream.consumers {
                consumers.sort();
            }
        }
    }
    if let Some(fan_outs) = &mut spec.fan_outs {
        fan_outs.value.sort();
    }
    if let Some(variables) = &mut spec.variables {
        variables.value.sort();
    }
}
