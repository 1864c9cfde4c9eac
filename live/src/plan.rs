//! What a live run would do: who sends what, how fast and where. Nothing here opens a connection.

use blis_sim::model::{Model, SendKind, Sending, Source, Values};

use crate::nats::connections_of;

/// Why a model cannot be sent to a real cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The spec does not say how an action is sent.
    #[error(
        "action {0} does not say how it is sent: give it `live: {{request: SUBJECT}}`, `publish` or `jetstream`"
    )]
    NoLive(String),
    /// A promise that is not looked at.
    #[error(
        "consumer {0} promises how its backlog grows, which a live run does not observe yet: remove the `slo`, for \
         example with --set, or judge it with `blis run`"
    )]
    BacklogGrowth(String),
    /// A warm-up that only a simulation can find.
    #[error(
        "`warmup: auto` needs a simulation: give the warm-up as a time, for example with --warmup 5s"
    )]
    AutoWarmup,
}

/// Whether every request of a model can be sent.
///
/// # Errors
/// The first thing that is in the way.
pub fn sendable(model: &Model) -> Result<(), Unsendable> {
    for client in &model.clients {
        for (action, _) in &client.mix.shares {
            let action = &model.actions[action.index()];
            if action.sending.is_none() {
                return Err(Unsendable::NoLive(action.name.clone()));
            }
        }
    }
    let promised = model
        .consumers
        .iter()
        .find(|consumer| consumer.growth_limit.is_some());
    if let Some(consumer) = promised {
        return Err(Unsendable::BacklogGrowth(consumer.name.clone()));
    }
    match model.limits.find_warmup {
        true => Err(Unsendable::AutoWarmup),
        false => Ok(()),
    }
}

/// The lines of a plan, each a thing and what there is to say of it.
pub fn lines(model: &Model, targets: &[String]) -> Vec<(String, String)> {
    let mut lines = vec![("target".to_owned(), targets.join(", "))];
    lines.push(("connections".to_owned(), connections_of(model).to_string()));
    for client in &model.clients {
        let who = match &client.source {
            Source::Closed { think, .. } => format!(
                "{} users, think time {:.1} ms on average",
                client.closed_users(),
                think.mean() / 1e6
            ),
            Source::Open { arrival, .. } => {
                let rate = arrival.rate() * f64::from(client.population.get());
                format!("{rate} sessions/s, whatever comes back")
            }
        };
        let shares = client.mix.shares.iter().map(|(action, share)| {
            format!(
                "{} {:.1} %",
                model.actions[action.index()].name,
                share * 100.0
            )
        });
        let shares: Vec<String> = shares.collect();
        lines.push((
            format!("client {}", client.name),
            format!("{who}; {}", shares.join(", ")),
        ));
    }
    for action in &model.actions {
        if let Some(sending) = &action.sending {
            let what = sample(sending, &model.clients[0].name);
            lines.push((format!("action {}", action.name), what));
        }
    }
    let limits = &model.limits;
    let horizon = limits.horizon.map(|at| format!("{} s", at.as_secs_f64()));
    let budget = limits
        .requests
        .map(|requests| format!("{requests} requests"));
    let ends: Vec<String> = [horizon, budget].into_iter().flatten().collect();
    lines.push(("until".to_owned(), ends.join(" or ")));
    lines
}

/// What the first request of an action would look like.
fn sample(sending: &Sending, client: &str) -> String {
    let values = Values {
        client,
        user: 0,
        number: 0,
        attempt: 0,
        sequence: 1,
    };
    let kind = match sending.kind {
        SendKind::Request => "a request to",
        SendKind::Publish => "a publication to",
        SendKind::Jetstream => "a publication to the stream of",
    };
    let payload = match &sending.payload {
        blis_sim::model::Payload::Size(bytes) => format!("{bytes} bytes"),
        blis_sim::model::Payload::Text(text) => format!("{:?}", text.text(&values)),
    };
    format!("{kind} {}, with {payload}", sending.subject.text(&values))
}
