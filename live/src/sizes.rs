//! The sizes of what is sent, before it is: what a server takes is payload and headers together.

use blis_sim::model::{ClientId, Model, Payload, SendKind, Sending, Values};

use crate::identity::{Identity, REQUEST};
use crate::nats::{MESSAGE_ID, message_id};

/// What frames the headers of a message.
const FRAME: usize = "NATS/1.0\r\n\r\n".len();
/// What frames each of them.
const LINE: usize = ": \r\n".len();

/// More than a server takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "action {action} sends {bytes} bytes with {headers} of headers and the server takes {most} of both: make the \
     payload smaller, or raise max_payload of the server"
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
pub fn check(model: &Model, run: &str, most: usize) -> Result<(), TooLarge> {
    for (client, of_model) in (0u16..).map(ClientId).zip(&model.clients) {
        // Numbers grow until the budget is spent, or as far as numbers go.
        let budget = model.limits.requests.map_or(u64::MAX, |most| most.get());
        let users = of_model.closed_users().max(budget);
        let largest = Values {
            client: &of_model.name,
            user: users - 1,
            number: budget - 1,
            attempt: of_model.on_failure.retries,
            sequence: budget,
        };
        for (action, _) in &of_model.mix.shares {
            let action = &model.actions[action.index()];
            let Some(sending) = &action.sending else {
                continue;
            };
            let bytes = match &sending.payload {
                Payload::Size(bytes) => *bytes,
                Payload::Text(text) => text.text(&largest).len(),
            };
            let headers = headers(model, client, sending, &largest, run);
            if bytes.saturating_add(headers) > most {
                return Err(TooLarge {
                    action: action.name.clone(),
                    bytes,
                    headers,
                    most,
                });
            }
        }
    }
    Ok(())
}

fn headers(
    model: &Model,
    client: ClientId,
    sending: &Sending,
    values: &Values<'_>,
    run: &str,
) -> usize {
    let identity = Identity {
        client,
        user: values.user,
        number: values.number,
        attempt: values.attempt,
    };
    let line = |name: &str, value: usize| name.len() + value + LINE;
    let mut bytes = FRAME + line(REQUEST, identity.header(model).len());
    for (name, text) in &sending.headers {
        bytes += line(name, text.text(values).len());
    }
    if sending.kind == SendKind::Jetstream {
        bytes += line(MESSAGE_ID, message_id(run, values).len());
    }
    bytes
}
