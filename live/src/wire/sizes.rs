//! The sizes of messages, checked before they are sent: servers limit payload and headers together.

use async_nats::HeaderMap;
use blis_sim::event::Request;
use blis_sim::model::{
    ActionId, Answer, ClientId, Model, Payload, Piece, SendKind, Sending, Template,
};
use blis_sim::runner::Epoch;
use blis_sim::time::Time;

use crate::wire::prepared::{FIRST, LAST_OF_SUBJECT, MESSAGE_ID, message_id};
use crate::wire::text::Filler;

/// What frames the headers of a message.
const FRAME: usize = "NATS/1.0\r\n\r\n".len();
/// What frames each of them.
const LINE: usize = ": \r\n".len();

/// More than a server takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "action {action} sends {bytes} bytes, {headers} of them headers, but the server accepts {most}; make the payload \
     smaller, or raise max_payload of the server"
)]
pub struct TooLarge {
    /// The action.
    action: String,
    /// Of its payload, at most.
    bytes: usize,
    /// Of its headers, at most.
    headers: usize,
    /// What the server takes.
    most: usize,
}

/// Whether the largest message of every action is one that the server takes. `run` is what sets the ids of this run's
/// messages apart.
///
/// # Errors
/// The first action with one that is not.
pub fn check<P>(model: &Model<P>, run: &str, most: usize) -> Result<(), TooLarge> {
    let too_large = largest_of_each(model, run)
        .into_iter()
        .find(|one| one.sum() > most);
    too_large.map_or(Ok(()), |one| {
        Err(TooLarge {
            action: model.actions[one.action.index()].name.clone(),
            bytes: one.bytes,
            headers: one.headers,
            most,
        })
    })
}

/// The bytes of headers, as a server counts them.
pub fn of_headers(headers: &HeaderMap) -> usize {
    let lines = headers.iter().flat_map(|(name, values)| {
        let name: &str = name.as_ref();
        values
            .iter()
            .map(|value| name.len() + value.as_str().len() + LINE)
    });
    FRAME + lines.sum::<usize>()
}

/// The bytes of the largest message that a client of the model sends, headers included.
pub fn largest<P>(model: &Model<P>, run: &str) -> usize {
    let all = largest_of_each(model, run);
    all.iter().map(Largest::sum).max().unwrap_or(0)
}

/// The largest message of an action, as a client sends it.
struct Largest {
    action: ActionId,
    bytes: usize,
    headers: usize,
}

impl Largest {
    fn sum(&self) -> usize {
        self.bytes.saturating_add(self.headers)
    }
}

/// Those of the actions that some client sends.
fn largest_of_each<P>(model: &Model<P>, run: &str) -> Vec<Largest> {
    let filler = Filler::new(Epoch::FIRST, model);
    let mut all = Vec::new();
    for (client, of_model) in (0u16..).map(ClientId).zip(&model.clients) {
        // Numbers grow until the budget is spent, or as far as numbers go.
        let budget = model.limits.requests.map_or(u64::MAX, |most| most.get());
        let users = of_model.closed_users().max(budget);
        for (id, _) in &of_model.mix.shares {
            let action = &model.actions[id.index()];
            let Some(sending) = &action.sending else {
                continue;
            };
            let largest = Request {
                user: Default::default(),
                client,
                action: *id,
                attempt: of_model.on_failure.retries,
                user_number: users - 1,
                number: budget - 1,
                intended: Time::ZERO,
            };
            let length = |template: &Template| filler.most_bytes(template, &largest, budget);
            let bytes = match &sending.payload {
                Payload::Size(bytes) | Payload::Drawn { most: bytes } => *bytes,
                Payload::Text(text) => length(text),
            };
            let headers = headers(sending, run, length);
            all.push(Largest {
                action: *id,
                bytes,
                headers,
            });
        }
    }
    all
}

fn headers(sending: &Sending, run: &str, length: impl Fn(&Template) -> usize) -> usize {
    let line = |name: &str, value: usize| name.len() + value + LINE;
    let id = Template(vec![Piece::Id]);
    let mut bytes = 0;
    if let Some(name) = &sending.request_id {
        bytes += line(name, length(&id));
    }
    for (name, text) in &sending.headers {
        bytes += line(name, length(text));
    }
    if sending.kind.answer() == Answer::Acknowledgement {
        bytes += line(MESSAGE_ID, run.len() + 1 + length(&message_id()));
    }
    if sending.kind == SendKind::KvCreate {
        bytes += line(LAST_OF_SUBJECT, FIRST.len());
    }
    match bytes {
        0 => 0,
        lines => FRAME + lines,
    }
}
