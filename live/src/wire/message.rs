//! The contents of a NATS message.

use async_nats::Message;
use serde_json::Value;

/// The value of a header.
pub fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    Some(message.headers.as_ref()?.get(name)?.as_str())
}

/// What a stream says to a publication: that it is stored, or not.
///
/// # Errors
/// Why the message was not stored, as far as the stream says.
pub fn acknowledged(payload: &[u8]) -> Result<(), Option<String>> {
    let answer: Option<Value> = serde_json::from_slice(payload).ok();
    let has = |answer: &Value, field| answer.get(field).is_some();
    match answer {
        Some(answer) if has(&answer, "stream") && has(&answer, "seq") && !has(&answer, "error") => {
            Ok(())
        }
        answer => {
            Err(answer
                .and_then(|answer| Some(answer.get("error")?.get("description")?.to_string())))
        }
    }
}

/// A message with these headers.
#[cfg(test)]
pub fn message(subject: &str, headers: &[(&str, &str)], payload: &str) -> Message {
    let mut map = async_nats::HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    Message {
        subject: subject.into(),
        reply: None,
        payload: payload.to_owned().into(),
        headers: Some(map),
        status: None,
        description: None,
        length: 0,
    }
}
