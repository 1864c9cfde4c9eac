//! Prepared requests of an action: what is the same for each of them is made once.

use async_nats::{HeaderMap, HeaderName, HeaderValue, Subject};
use blis_sim::model::{Answer, Model, Payload, Piece, SendKind, Sending, Template, rendered};
use bytes::Bytes;

use crate::wire::denied::key;

/// What a payload of a size is filled with.
const FILLING: u8 = b'x';
/// The header by which a stream knows a message again.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";
/// The header by which a message is stored only if the last one of its subject has this number.
pub const LAST_OF_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence";
/// The number of the last one where there is none.
pub const FIRST: &str = "0";

/// How the requests of an action are sent.
pub struct Prepared {
    /// What ends them.
    pub kind: SendKind,
    /// Where they are sent.
    pub subject: To,
    /// The one with the request's id first, where there is one.
    headers: Vec<(HeaderName, Template)>,
    /// What they carry.
    pub payload: Filled,
    /// What is found in deliveries of a request.
    pub awaited: Option<Template>,
    /// Whether the subject of the reply says whose request it is, since no header does.
    pub reply_names_it: bool,
}

/// Where requests are sent.
pub enum To {
    /// Always to the same subject, which may be sent to, with its [`key`].
    Always(Subject, u64),
    /// To another one each time.
    Each(Template),
}

/// What requests carry.
pub enum Filled {
    /// Always the same text.
    Text(Bytes),
    /// Always as many bytes.
    Size(usize),
    /// As many bytes as the request is drawn.
    Drawn,
    /// Another text each time.
    Each(Template),
}

/// Why a request is not sent, to be told.
pub struct NotSent(pub String);

impl Prepared {
    /// `None` where a header cannot have its name, which the reading of the spec has seen to.
    fn new(sending: &Sending, api: &str) -> Option<Prepared> {
        let payload = match &sending.payload {
            Payload::Size(bytes) => Filled::Size(*bytes),
            Payload::Drawn { .. } => Filled::Drawn,
            Payload::Text(text) => match text.fixed() {
                Some(text) => Filled::Text(Bytes::from(text.to_owned())),
                None => Filled::Each(text.clone()),
            },
        };
        let sendable = |text: &&str| rendered::flaw_of(sending.kind, text, api).is_none();
        let subject = match sending.subject.fixed().filter(sendable) {
            Some(text) => To::Always(Subject::from(text), key(text)),
            None => To::Each(sending.subject.clone()),
        };
        let id = sending.request_id.clone();
        let id = id.map(|name| (name, Template(vec![Piece::Id])));
        let reply_names_it = id.is_none() && sending.kind.answer() == Answer::Reply;
        let headers = id.into_iter().chain(sending.headers.clone());
        let headers = headers.map(|(name, template)| Some((name.parse().ok()?, template)));
        let delivery = sending.delivery.as_ref();
        Some(Prepared {
            kind: sending.kind,
            subject,
            headers: headers.collect::<Option<_>>()?,
            payload,
            awaited: delivery.map(|delivery| delivery.equals.clone()),
            reply_names_it,
        })
    }

    /// The headers of a request where it has any, unless one of them is not sent. `text` writes one into the buffer.
    pub fn headers(
        &self,
        buffer: &mut String,
        text: impl Fn(&Template, &mut String),
    ) -> Result<Option<HeaderMap>, NotSent> {
        let is_creation = self.kind == SendKind::KvCreate;
        if self.headers.is_empty() && !is_creation {
            return Ok(None);
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            buffer.clear();
            text(template, buffer);
            let flaw = rendered::header_flaw(name.as_ref(), buffer);
            let value = buffer.parse::<HeaderValue>();
            let (None, Ok(value)) = (flaw, value) else {
                let flaw = flaw.unwrap_or(rendered::Flaw::SeveralLines);
                return Err(NotSent(format!(
                    "the header {} {flaw}",
                    name.as_ref() as &str
                )));
            };
            headers.insert(name.clone(), value);
        }
        if is_creation {
            headers.insert(LAST_OF_SUBJECT, FIRST);
        }
        Ok(Some(headers))
    }
}

/// How the actions are sent that some client sends, by action.
pub fn prepare<P>(model: &Model<P>, api: &str) -> Vec<Option<Prepared>> {
    let mut prepared: Vec<Option<Prepared>> = model.actions.iter().map(|_| None).collect();
    let shares = model.clients.iter().flat_map(|client| &client.mix.shares);
    for (id, _) in shares {
        let place = &mut prepared[id.index()];
        if place.is_none() {
            let sending = model.actions[id.index()].sending.as_ref();
            *place = sending.and_then(|sending| Prepared::new(sending, api));
        }
    }
    prepared
}

/// The bytes that payloads are cut from: as many as the largest that some client sends.
pub fn filling<P>(model: &Model<P>, prepared: &[Option<Prepared>]) -> Bytes {
    let sent = model.actions.iter().zip(prepared);
    let sent = sent.filter_map(|(action, prepared)| prepared.as_ref().and(action.sending.as_ref()));
    let largest = sent.map(|sending| match sending.payload {
        Payload::Size(bytes) | Payload::Drawn { most: bytes } => bytes,
        Payload::Text(_) => 0,
    });
    Bytes::from(vec![FILLING; largest.max().unwrap_or(0)])
}

/// Client, user and number: by which a stream knows a message again, also when it is tried again.
pub fn message_id() -> Template {
    let slash = || Piece::Text("/".to_owned());
    Template(vec![
        Piece::Client,
        slash(),
        Piece::User,
        slash(),
        Piece::Number,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(clients: &str, more: &str) -> Model {
        let mut spec = format!(
            "blis: 1\nname: a\nrun: {{requests: 9, horizon: 1s}}\nclients: {{{clients}}}\nactions:\n  small: {{path: [reply], live: \
             {{request: a}}, payload: {{size: 10B}}}}\n  text: {{path: [reply], live: {{request: a}}, payload: {{text: \
             hello}}}}\n  drawn: {{path: [reply], live: {{request: a}}, payload: {{size: {{uniform: {{min: 1B, max: 50B}}}}}}}}\n"
        );
        for number in 0..300 {
            spec += &format!(
                "  unused-{number}: {{path: [reply], live: {{request: a}}, payload: {{size: 1MB}}}}\n"
            );
        }
        spec += more;
        let spec = blis_sim::spec::read(&spec).expect("it reads");
        blis_sim::spec::lower(&spec).expect("it lowers").model
    }

    #[test]
    fn payloads_are_cut_from_one_that_is_as_large_as_what_is_sent() {
        let of = |does: &str, largest: usize, number: usize| {
            let model = model(&format!("c: {{concurrency: 1, do: {does}}}"), "");
            let prepared = prepare(&model, "$JS.API");
            assert_eq!(prepared.iter().flatten().count(), number, "{does}");
            assert_eq!(filling(&model, &prepared).len(), largest, "{does}");
        };
        of("small", 10, 1);
        of("text", 0, 1);
        of("{small: 1, drawn: 1}", 50, 2);
        of("{unused-7: 1, small: 1, unused-250: 1}", 1_000_000, 3);
    }
}
