//! Loads that are certainly empty. The verdict handles loads that are empty by chance.

use super::Findings;
use crate::model::{Arrival, Client, LiveModel, Source};
use crate::spec::error::SpecError;
use crate::spec::syntax::{self, Spec};
use crate::time::{Span, Time};

/// Refuses a load in which nobody can send before the horizon, and warns of clients that cannot.
pub fn check(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    let Some(horizon) = model.limits.horizon else {
        return;
    };
    let clients = spec.clients.value.0.iter().zip(&model.clients);
    let silent: Vec<SpecError> = clients
        .filter(|(_, client)| !can_send(client, horizon))
        .map(|((name, written), client)| {
            let message = format!(
                "the client `{}` sends nothing before the horizon ({})",
                name.value,
                horizon.since(Time::ZERO)
            );
            let error = match (&written.arrival, &written.rate) {
                (Some(arrival), _) if has_instants(client) => arrival.error(message),
                (_, Some(rate)) => rate.error(message),
                _ => name.error(message),
            };
            error.help(help(written, client))
        })
        .collect();
    let all = silent.len() == model.clients.len();
    for error in silent {
        match all {
            true => findings.error(error),
            false => findings.warn(error),
        }
    }
}

fn has_instants(client: &Client) -> bool {
    matches!(
        client.source,
        Source::Open {
            arrival: Arrival::Recorded(_) | Arrival::Burst { .. },
            ..
        }
    )
}

/// Whether a request of it may be intended up to the horizon.
fn can_send(client: &Client, horizon: Time) -> bool {
    let Source::Open { arrival, shape, .. } = &client.source else {
        // The first of its users sends at 0.
        return true;
    };
    // The arrival process runs on the operational time of the shape.
    let operational = match shape {
        Some(shape) => shape.operational(horizon),
        None => horizon.as_nanos() as f64,
    };
    match arrival {
        Arrival::Constant { rate } => operational >= 1e9 / rate - 1.0,
        Arrival::Renewal { .. } => operational > 0.0,
        Arrival::Recorded(recording) => recording
            .times
            .first()
            .is_some_and(|first| *first <= horizon),
        Arrival::Burst { at, .. } => *at <= horizon,
    }
}

fn help(written: &syntax::Client, client: &Client) -> String {
    let later = "lengthen the horizon (`run.horizon`, `--horizon`)";
    match &client.source {
        Source::Open {
            arrival: Arrival::Recorded(recording),
            ..
        } => {
            let first = recording
                .times
                .first()
                .map_or(Span::ZERO, |first| first.since(Time::ZERO));
            format!(
                "its first arrival is at {first}: {later}, or count from that arrival: \
                 `arrival: {{trace: {{file: …, offset: first}}}}`"
            )
        }
        Source::Open {
            arrival: Arrival::Burst { at, .. },
            ..
        } => {
            let at = at.since(Time::ZERO);
            format!("the burst is at {at}: {later}, or give an earlier `at`")
        }
        _ if written.shape.is_some() => {
            format!("its shape stays too low until then: {later}, or change `shape`")
        }
        _ => format!(
            "its first request is one period of its rate after the start: {later}, or raise `rate`"
        ),
    }
}
