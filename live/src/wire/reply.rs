//! The outcome of a request from its reply.
//!
//! A reply is examined where it is received: first for missing responders, then for headers of service errors and the
//! conditions of the spec; if none applies, the status line decides.

use async_nats::{Message, StatusCode};
use blis_sim::event::{Reply, ReplyHeaders};
use blis_sim::model::{ActionId, By, Condition, Model, SendKind};
use blis_sim::users::mailbox::Key;
use serde_json::Value;

use crate::wire::identity::{REJECTED, SERVICE_ERROR, SERVICE_ERROR_CODE};
use crate::wire::message::{acknowledged, header};
use crate::wire::reason::{Ending, Reason};
use crate::wire::told::Told;

/// How replies are read, by action.
#[derive(Debug, Clone, Default)]
pub struct Replies(Vec<Conditions>);

#[derive(Debug, Clone, Default)]
struct Conditions {
    error: Vec<Condition>,
    rejected: Vec<Condition>,
    /// The headers that are recorded.
    recorded: Vec<String>,
}

impl Replies {
    /// Of a model.
    pub fn new<P>(model: &Model<P>) -> Replies {
        let actions = model.actions.iter().map(|action| match &action.sending {
            Some(sending) => Conditions {
                error: sending.error_when.clone(),
                rejected: sending.rejected_when.clone(),
                recorded: sending.record_headers.clone(),
            },
            None => Conditions::default(),
        });
        Replies(actions.collect())
    }

    /// What of a reply is recorded.
    pub fn told(&self, action: ActionId, message: &Message) -> Reply {
        let recorded = self.0.get(action.index()).map(|of| of.recorded.as_slice());
        let headers = match message.headers {
            Some(_) => {
                let names = recorded.unwrap_or_default().iter().enumerate();
                ReplyHeaders::of(names.filter_map(|(at, name)| Some((at, header(message, name)?))))
            }
            None => ReplyHeaders::default(),
        };
        Reply {
            bytes: u32::try_from(message.payload.len()).unwrap_or(u32::MAX),
            headers,
        }
    }

    /// How a request ended, by the reply to it.
    pub fn ending(&self, action: ActionId, message: &Message) -> Ending {
        self.told_by_all(action, message)?;
        match is_acknowledgement(&message.payload) {
            true => Err(Reason::CapturedByStream),
            false => Ok(()),
        }
    }

    /// How the reading of a stored message ended.
    pub fn of_stored(
        &self,
        kind: SendKind,
        action: ActionId,
        message: &Message,
        told: &Told,
    ) -> Ending {
        self.told_by_all(action, message)?;
        let removed = is_removal(header(message, OPERATION)) || header(message, MARKER).is_some();
        if kind == SendKind::KvGet && removed {
            return Err(Reason::NotFound);
        }
        if header(message, SEQUENCE).is_none() {
            let why = acknowledged(&message.payload).err().flatten();
            told.tell(
                why.unwrap_or_else(|| "the reply to a read was not a stored message".to_owned()),
            );
            return Err(Reason::StreamError);
        }
        Ok(())
    }

    /// What any reply may say of how its request ended.
    fn told_by_all(&self, action: ActionId, message: &Message) -> Ending {
        if nobody_there(message) {
            return Err(Reason::NoResponders);
        }
        let header = |name: &str| header(message, name);
        let mut body = Body::new(&message.payload);
        let none = Conditions::default();
        let conditions = self.0.get(action.index()).unwrap_or(&none);
        let mut any = |conditions: &[Condition]| {
            let mut conditions = conditions.iter();
            conditions.any(|condition| holds(condition, message, &mut body))
        };
        if header(SERVICE_ERROR_CODE) == Some(REJECTED) || any(&conditions.rejected) {
            return Err(Reason::Rejected);
        }
        let told_error = header(SERVICE_ERROR).is_some() || header(SERVICE_ERROR_CODE).is_some();
        if told_error || any(&conditions.error) {
            return Err(Reason::ServiceError);
        }
        match message.status.map(|status| status.as_u16()) {
            Some(TOO_MANY) => Err(Reason::Rejected),
            Some(NOT_FOUND) => Err(Reason::NotFound),
            Some(400..=599) => Err(Reason::StatusError),
            _ => Ok(()),
        }
    }
}

/// The status of a refusal.
const TOO_MANY: u16 = 429;
/// The status of what is not there.
const NOT_FOUND: u16 = 404;
/// The header of a stored message that says what it does to its key.
const OPERATION: &str = "KV-Operation";
/// The header of a stored message that stands for one that the stream has removed.
const MARKER: &str = "Nats-Marker-Reason";
/// The header of a stored message with its number in the stream.
const SEQUENCE: &str = "Nats-Sequence";

fn is_removal(operation: Option<&str>) -> bool {
    matches!(operation, Some("DEL" | "PURGE"))
}

/// Whether this is what a server says where nobody subscribes: a status without a body. Whoever answers with that status and a
/// body is there.
pub fn nobody_there(message: &Message) -> bool {
    message.status == Some(StatusCode::NO_RESPONDERS) && message.payload.is_empty()
}

/// How a publication to a stream ended, by the stream's answer.
pub fn of_stream(kind: SendKind, message: &Message, told: &Told) -> Ending {
    if nobody_there(message) {
        return Err(Reason::NoResponders);
    }
    match acknowledged(&message.payload) {
        Ok(()) => Ok(()),
        Err(_) if kind == SendKind::KvCreate && is_there(&message.payload) => {
            Err(Reason::KeyExists)
        }
        Err(why) => {
            told.tell(why.unwrap_or_else(|| {
                "the reply to a publication was not an acknowledgement".to_owned()
            }));
            Err(Reason::StreamError)
        }
    }
}

/// What a stream answers where the last message of a subject is another one than was expected.
const WRONG_LAST: [u64; 2] = [10071, 10164];

/// Whether a bucket says that a key is there.
fn is_there(payload: &[u8]) -> bool {
    let answer: Option<Value> = serde_json::from_slice(payload).ok();
    let code = answer.and_then(|answer| answer.pointer("/error/err_code")?.as_u64());
    code.is_some_and(|code| WRONG_LAST.contains(&code))
}

/// Which request a delivery is for; `None` where it does not say.
pub fn key_of(by: &By, message: &Message) -> Option<Key> {
    match by {
        By::Header(name) => header(message, name).map(Key::of),
        By::Token(number) => {
            let token = message.subject.split('.').nth(number.get() - 1);
            token.map(Key::of)
        }
        By::Json(pointer) => {
            let body: Value = serde_json::from_slice(&message.payload).ok()?;
            Some(Key::of(&text_of(body.pointer(pointer)?)))
        }
    }
}

/// Whether one of these conditions holds for a message.
pub fn any_holds(conditions: &[Condition], message: &Message) -> bool {
    let mut body = Body::new(&message.payload);
    let mut conditions = conditions.iter();
    conditions.any(|condition| holds(condition, message, &mut body))
}

/// A body that is read as JSON when that is first asked for.
struct Body<'a> {
    bytes: &'a [u8],
    json: Option<Option<Value>>,
}

impl<'a> Body<'a> {
    fn new(bytes: &'a [u8]) -> Body<'a> {
        Body { bytes, json: None }
    }

    fn json(&mut self) -> Option<&Value> {
        let bytes = self.bytes;
        let json = self
            .json
            .get_or_insert_with(|| serde_json::from_slice(bytes).ok());
        json.as_ref()
    }
}

fn holds(condition: &Condition, message: &Message, body: &mut Body<'_>) -> bool {
    match condition {
        Condition::Header { name, is } => {
            let found = header(message, name);
            found.is_some_and(|found| is.as_ref().is_none_or(|is| is == found))
        }
        Condition::Json { pointer, is } => {
            let found = body.json().and_then(|json| json.pointer(pointer));
            found.is_some_and(|found| is.as_ref().is_none_or(|is| *is == text_of(found)))
        }
        Condition::Status { code, is } => {
            let found = message.status.filter(|found| found.as_u16() == *code);
            let described = message.description.as_deref().unwrap_or_default();
            found.is_some() && is.as_ref().is_none_or(|is| is == described)
        }
        Condition::Text(text) => {
            let text = text.as_bytes();
            body.bytes
                .windows(text.len().max(1))
                .any(|part| part == text)
        }
    }
}

/// A string as it is, anything else as JSON writes it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a reply is what a stream answers, which then has the subject that the request was sent to.
fn is_acknowledgement(payload: &[u8]) -> bool {
    // Most replies are told apart by their first bytes.
    if ![&b"{\"stream\""[..], b"{\"error\""]
        .iter()
        .any(|start| payload.starts_with(start))
    {
        return false;
    }
    let read: Option<Value> = serde_json::from_slice(payload).ok();
    read.is_some_and(|answer| answer.get("stream").is_some() && answer.get("seq").is_some())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::wire::message;

    fn message(headers: &[(&str, &str)], payload: &str) -> Message {
        message::message("told.north.17", headers, payload)
    }

    fn replies(conditions: &str) -> Replies {
        let spec = format!(
            "{{blis: 1, name: a, run: {{requests: 9}}, clients: {{users: {{concurrency: 9, do: ask}}}}, \
             actions: {{ask: {{path: [reply], live: {{request: a, {conditions}}}}}}}}}"
        );
        let spec = blis_sim::spec::read(&spec).expect("it reads");
        Replies::new(&blis_sim::spec::lower(&spec).expect("it lowers").model)
    }

    #[test]
    fn what_the_spec_calls_an_error_is_one() {
        let conditions = "error_when: [{header: Status, is: \"500\"}, {json: /error}, {json: /code, is: \"7\"}, \
                          {text: PANIC}], rejected_when: [{json: /error/kind, is: busy}]";
        let replies = replies(conditions);
        let ending = |headers: &[(&str, &str)], payload: &str| {
            replies.ending(ActionId(0), &message(headers, payload))
        };
        assert_eq!(ending(&[], "fine"), Ok(()));
        assert_eq!(ending(&[("Status", "200")], "{}"), Ok(()));
        assert_eq!(
            ending(&[("Status", "500")], "{}"),
            Err(Reason::ServiceError)
        );
        assert_eq!(ending(&[], r#"{"error": null}"#), Err(Reason::ServiceError));
        assert_eq!(ending(&[], r#"{"code": 7}"#), Err(Reason::ServiceError));
        assert_eq!(ending(&[], r#"{"code": "7"}"#), Err(Reason::ServiceError));
        assert_eq!(ending(&[], r#"{"code": 8}"#), Ok(()));
        assert_eq!(
            ending(&[], "it said PANIC today"),
            Err(Reason::ServiceError)
        );
        assert_eq!(
            ending(&[], r#"{"error": {"kind": "busy"}}"#),
            Err(Reason::Rejected)
        );
    }

    #[test]
    fn what_services_and_streams_say_needs_no_condition() {
        let told = Told::default();
        let replies = replies("headers: {A: b}");
        let ending = |headers: &[(&str, &str)], payload: &str| {
            replies.ending(ActionId(0), &message(headers, payload))
        };
        assert_eq!(
            ending(&[(SERVICE_ERROR, "no")], ""),
            Err(Reason::ServiceError)
        );
        let refused = [(SERVICE_ERROR, "full"), (SERVICE_ERROR_CODE, "429")];
        assert_eq!(ending(&refused, ""), Err(Reason::Rejected));
        let acknowledgement = r#"{"stream":"orders","seq":3}"#;
        assert_eq!(ending(&[], acknowledgement), Err(Reason::CapturedByStream));
        // A stream that refuses is none either.
        let refusal = r#"{"error":{"code":503},"stream":"orders","seq":0}"#;
        assert_eq!(ending(&[], refusal), Err(Reason::CapturedByStream));
        assert_eq!(ending(&[], r#"{"error":{"code":503}}"#), Ok(()));
        let nobody = Message {
            status: Some(StatusCode::NO_RESPONDERS),
            ..message(&[], "")
        };
        assert_eq!(
            replies.ending(ActionId(0), &nobody),
            Err(Reason::NoResponders)
        );
        assert_eq!(
            of_stream(SendKind::Jetstream, &message(&[], acknowledgement), &told),
            Ok(())
        );
        let refused = r#"{"error":{"code":503,"description":"maximum messages exceeded"}}"#;
        assert_eq!(
            of_stream(SendKind::Jetstream, &message(&[], refused), &told),
            Err(Reason::StreamError)
        );
        assert_eq!(told.messages(), [r#""maximum messages exceeded""#]);
    }

    /// A reply with a status line, as it comes from the wire.
    fn with_status(code: u16, description: &str, payload: &str) -> Message {
        Message {
            status: Some(StatusCode::from_u16(code).expect("a code")),
            description: Some(description.to_owned()),
            ..message(&[], payload)
        }
    }

    #[test]
    fn a_status_line_decides_where_no_condition_does() {
        let replies = replies("headers: {A: b}");
        let ending = |code, payload| replies.ending(ActionId(0), &with_status(code, "so", payload));
        assert_eq!(ending(503, ""), Err(Reason::NoResponders));
        assert_eq!(ending(503, "down"), Err(Reason::StatusError));
        assert_eq!(ending(429, ""), Err(Reason::Rejected));
        assert_eq!(ending(404, ""), Err(Reason::NotFound));
        for code in [400, 408, 409, 500, 599] {
            assert_eq!(ending(code, ""), Err(Reason::StatusError), "{code}");
        }
        for code in [100, 200, 600] {
            assert_eq!(ending(code, ""), Ok(()), "{code}");
        }
    }

    #[test]
    fn conditions_see_status_and_description() {
        let conditions = "error_when: [{status: 200, is: Empty}], rejected_when: [{status: 408}, \
                          {status: 409, is: Busy}, {status: 503}]";
        let replies = replies(conditions);
        let ending = |code, description, payload| {
            replies.ending(ActionId(0), &with_status(code, description, payload))
        };
        assert_eq!(ending(200, "Empty", ""), Err(Reason::ServiceError));
        assert_eq!(ending(200, "Full", ""), Ok(()));
        assert_eq!(ending(408, "Request Timeout", ""), Err(Reason::Rejected));
        assert_eq!(ending(409, "Busy", ""), Err(Reason::Rejected));
        assert_eq!(ending(409, "Gone", ""), Err(Reason::StatusError));
        assert_eq!(ending(503, "Down", "body"), Err(Reason::Rejected));
        // That nobody is there is no word of a service.
        assert_eq!(ending(503, "No Responders", ""), Err(Reason::NoResponders));
    }

    #[test]
    fn stored_messages_are_understood() {
        let replies = replies("headers: {A: b}");
        let told = Told::default();
        let read = |kind, headers: &[(&str, &str)], payload: &str| {
            replies.of_stored(kind, ActionId(0), &message(headers, payload), &told)
        };
        let stored = [(SEQUENCE, "7")];
        let acknowledgement = r#"{"stream":"orders","seq":3}"#;
        // A value may look like anything.
        assert_eq!(read(SendKind::KvGet, &stored, acknowledgement), Ok(()));
        let deleted = [(SEQUENCE, "8"), (OPERATION, "DEL")];
        assert_eq!(read(SendKind::KvGet, &deleted, ""), Err(Reason::NotFound));
        assert_eq!(read(SendKind::DirectGet, &deleted, ""), Ok(()));
        let expired = [(SEQUENCE, "9"), (MARKER, "MaxAge")];
        assert_eq!(read(SendKind::KvGet, &expired, ""), Err(Reason::NotFound));
        let refused = r#"{"error":{"code":400,"description":"bad request"}}"#;
        let read = read(SendKind::DirectGet, &[], refused);
        assert_eq!(read, Err(Reason::StreamError));
        assert_eq!(told.messages(), [r#""bad request""#]);
        let there =
            r#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"}}"#;
        let of = |kind| of_stream(kind, &message(&[], there), &told);
        assert_eq!(of(SendKind::KvCreate), Err(Reason::KeyExists));
        assert_eq!(of(SendKind::KvPut), Err(Reason::StreamError));
    }

    #[test]
    fn a_delivery_names_its_request() {
        let told = message(&[("Answer-To", "users/1/2/0")], r#"{"a": {"id": 17}}"#);
        let named = |by| key_of(&by, &told);
        let header = By::Header("Answer-To".to_owned());
        assert_eq!(named(header), Some(Key::of("users/1/2/0")));
        assert_eq!(named(By::Header("Other".to_owned())), None);
        let token = |number| By::Token(NonZeroUsize::new(number).expect("not 0"));
        assert_eq!(named(token(3)), Some(Key::of("17")));
        assert_eq!(named(token(4)), None);
        assert_eq!(named(By::Json("/a/id".to_owned())), Some(Key::of("17")));
        assert_eq!(named(By::Json("/b".to_owned())), None);
    }
}
