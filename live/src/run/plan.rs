//! The plan of a live run: who sends what, how fast and where. No connection is opened here.

use blis_sim::event::Request;
use blis_sim::model::{
    ActionId, ClientId, Connections, InFlightPolicy, Model, Payload, Piece, SendKind, Sending,
    Source, Template,
};
use blis_sim::runner::Epoch;
use blis_sim::time::Time;

use crate::wire::allotment::Allotment;
use crate::wire::text::Filler;

/// Why a model cannot be sent to a real cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The spec does not say how an action is sent.
    #[error("action {0} has no `live`; give it `live: {{request: SUBJECT}}`")]
    NoLive(String),
    /// A warm-up that only a simulation can find.
    #[error("`warmup: auto` works only in simulations; give a time, such as --warmup 5s")]
    AutoWarmup,
}

/// Whether every request of a model can be sent.
///
/// # Errors
/// The first thing that is in the way.
pub fn sendable<P>(model: &Model<P>) -> Result<(), Unsendable> {
    for client in &model.clients {
        for (action, _) in &client.mix.shares {
            let action = &model.actions[action.index()];
            if action.sending.is_none() {
                return Err(Unsendable::NoLive(action.name.clone()));
            }
        }
    }
    match model.limits.find_warmup {
        true => Err(Unsendable::AutoWarmup),
        false => Ok(()),
    }
}

/// The most bytes of a payload that a plan shows.
const SHOWN: usize = 200;

/// The lines of a plan, each a thing and what there is to say of it.
pub fn lines<P>(model: &Model<P>, targets: &[String]) -> Vec<(String, String)> {
    let mut lines = vec![
        ("target".to_owned(), targets.join(", ")),
        ("connections".to_owned(), connections(model)),
    ];
    if let Some(limit) = model.max_in_flight {
        let then = match limit.policy {
            InFlightPolicy::Drop => "dropped",
            InFlightPolicy::Delay => "delayed",
        };
        let line = format!("{}; requests above are {then}", limit.limit);
        lines.push(("max in flight".to_owned(), line));
    }
    for client in &model.clients {
        let who = match &client.source {
            Source::Closed { think, .. } => format!(
                "{} closed-loop users, mean think time {:.1} ms",
                client.closed_users(),
                think.mean() / 1e6
            ),
            Source::Open { arrival, .. } => {
                let rate = arrival.rate() * f64::from(client.population.get());
                format!("{rate} sessions/s, open arrivals")
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
    let filler = Filler::new(Epoch::FIRST, model);
    for (id, action) in (0u16..).map(ActionId).zip(&model.actions) {
        if let Some(sending) = &action.sending {
            let name = format!("action {}", action.name);
            lines.extend(
                sample(model, &filler, id, sending)
                    .into_iter()
                    .map(|line| (name.clone(), line)),
            );
        }
    }
    lines.push(("expected".to_owned(), expected(model)));
    let limits = &model.limits;
    let horizon = limits.horizon.map(|at| format!("{} s", at.as_secs_f64()));
    let budget = limits
        .requests
        .map(|requests| format!("{requests} requests"));
    let ends: Vec<String> = [horizon, budget].into_iter().flatten().collect();
    lines.push(("until".to_owned(), ends.join(" or ")));
    lines
}

fn connections<P>(model: &Model<P>) -> String {
    let number = Allotment::new(model).number();
    if model
        .clients
        .iter()
        .any(|client| client.connections.is_some())
    {
        return format!("{number}, as each client sets");
    }
    match model.connections {
        Connections::PerUser => format!("{number}, one per closed-loop user and open client"),
        Connections::Pool(_) => format!("{number}, shared by all users"),
    }
}

/// How many requests there will be, as far as that does not depend on the answers.
fn expected<P>(model: &Model<P>) -> String {
    let budget = model.limits.requests.map(|budget| budget.get());
    let horizon = model.limits.horizon.map(Time::as_secs_f64);
    let mut open = 0.0;
    let mut closed = false;
    for client in &model.clients {
        match &client.source {
            Source::Open { arrival, .. } => {
                open += arrival.rate() * f64::from(client.population.get());
            }
            Source::Closed { .. } => closed = true,
        }
    }
    let arrivals = horizon.map(|seconds| (open * seconds).round());
    match (budget, arrivals, closed) {
        (Some(budget), None, _) => format!("{budget} requests"),
        (budget, Some(arrivals), closed) => {
            let most = budget.map_or(String::new(), |budget| {
                format!(", at most {budget} requests")
            });
            let users = match closed {
                true => ", plus the requests of closed-loop users, which depend on the replies",
                false => "",
            };
            format!("about {arrivals} open sessions{users}{most}")
        }
        (None, None, _) => "not bounded".to_owned(),
    }
}

/// What the first request of an action looks like.
fn sample<P>(
    model: &Model<P>,
    filler: &Filler,
    action: ActionId,
    sending: &Sending,
) -> Vec<String> {
    let mut clients = (0u16..).map(ClientId).zip(&model.clients);
    let sends = |client: &blis_sim::model::Client| {
        let mut shares = client.mix.shares.iter();
        shares.any(|(of, _)| *of == action)
    };
    let Some((client, _)) = clients.find(|(_, client)| sends(client)) else {
        return vec!["no client sends it".to_owned()];
    };
    let request = Request {
        user: Default::default(),
        client,
        action,
        attempt: 0,
        user_number: 0,
        number: 0,
        intended: Time::ZERO,
    };
    let text = |template: &Template| filler.text(template, &request, 1);
    let kind = match sending.kind {
        SendKind::Request => "request to",
        SendKind::Publish => "publication to",
        SendKind::Jetstream => "publication to the stream of",
        SendKind::KvPut => "write of key",
        SendKind::KvCreate => "creation of key",
        SendKind::KvGet => "read of key",
        SendKind::DirectGet => "read of message",
    };
    let payload = match &sending.payload {
        Payload::Size(bytes) => format!("{bytes} bytes"),
        Payload::Drawn { most } => format!("up to {most} bytes"),
        Payload::Text(template) => {
            let text = text(template);
            let shown: String = text.chars().take(SHOWN).collect();
            let rest = match shown.len() < text.len() {
                true => " and more",
                false => "",
            };
            format!("{} bytes: {shown:?}{rest}", text.len())
        }
    };
    let mut lines = vec![format!("{kind} {}, with {payload}", text(&sending.subject))];
    let id = Template(vec![Piece::Id]);
    let header = sending.request_id.as_ref();
    let header = header.map(|name| format!("{name}: {}", text(&id)));
    let names = sending.headers.iter().map(|(name, _)| name.clone());
    let headers: Vec<String> = header.into_iter().chain(names).collect();
    if !headers.is_empty() {
        lines.push(format!("headers {}", headers.join(", ")));
    }
    let awaited = model.actions[action.index()].awaited;
    if let (Some(awaited), Some(delivery)) = (awaited, &sending.delivery) {
        lines.push(format!(
            "answered after {} of {} deliveries on {}, to {} subscribers",
            awaited.until,
            awaited.deliveries,
            delivery.subject.wildcards(),
            awaited.subscribers
        ));
    }
    lines
}
