//! Checks before the load: the permissions of the user, and the streams that capture its subjects.
//!
//! Nothing is changed on the server. What the server does not tell is not a failure: it shows when the load runs.
//!
//! Beside it: [`limits`] of the system for this process, [`environment`] for texts that a spec must not have, and [`ready`],
//! which judges what is sent once it is complete.

pub mod environment;
pub mod limits;
pub mod ready;

use std::collections::BTreeSet;

use blis_sim::model::rendered::BUCKET;
use blis_sim::model::{Action, Answer, Model, SendKind, Sending};
use serde_json::{Value, json};

use crate::observers::asking::{Asker, Unanswered};
use crate::wire::subjects::{covers, overlap};

/// Where a server tells a user of itself.
const USER_INFO: &str = "$SYS.REQ.USER.INFO";

/// What is in the way of a load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The user may not publish there.
    #[error(
        "this user may not publish to {subject}, the subject of action {action}; grant the permission, or use another subject"
    )]
    MayNotPublish {
        /// The action.
        action: String,
        /// Its subject.
        subject: String,
    },
    /// The user may not receive replies.
    #[error(
        "this user may not subscribe to {subject}, the subject of replies; grant the permission, or use another prefix \
         with --inbox-prefix"
    )]
    MayNotSubscribe {
        /// The subject of the inbox.
        subject: String,
    },
    /// The user may not receive what requests await.
    #[error(
        "this user may not subscribe to {subject}, where action {action} awaits deliveries; grant the permission, or \
         await another subject"
    )]
    MayNotAwait {
        /// The action.
        action: String,
        /// Its subject.
        subject: String,
    },
    /// A double may not receive what is sent to it.
    #[error(
        "this user may not subscribe to {subject}, where the double listens; grant the permission, or use another subject"
    )]
    MayNotListen {
        /// The subject.
        subject: String,
    },
    /// There is no JetStream.
    #[error(
        "action {action} is sent to a stream, but JetStream is not enabled{place}; enable it, or send with `publish`"
    )]
    NoJetStream {
        /// The action.
        action: String,
        /// Where it is not.
        place: &'static str,
    },
    /// No stream has the subject.
    #[error(
        "no stream captures {subject}, to which action {action} publishes; create one, or send with `publish`"
    )]
    NoStream {
        /// The action.
        action: String,
        /// Its subject.
        subject: String,
    },
    /// A stream or a bucket is not there.
    #[error("there is no {what}, which action {action} needs; create it, or use another")]
    Absent {
        /// The action.
        action: String,
        /// The stream or the bucket.
        what: String,
    },
    /// A stream is there and does not let anybody read from it like that.
    #[error(
        "the stream {stream}, which action {action} reads from, does not allow direct gets; set `allow_direct` of the stream"
    )]
    NoDirectGet {
        /// The action.
        action: String,
        /// The stream.
        stream: String,
    },
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What may make the figures mean something else than they seem to.
    pub warnings: Vec<String>,
    /// The streams that the spec's actions publish to.
    pub streams: BTreeSet<String>,
}

/// Looks around at a server.
///
/// # Errors
/// What would make every request of some action fail.
pub async fn look<P>(model: &Model<P>, asker: &Asker) -> Result<Found, Obstacle> {
    let actions = sent(model);
    permissions(&actions, asker).await?;
    let mut found = Found::default();
    streams(&actions, asker, &mut found).await?;
    if asker.hears_nothing() {
        found.warnings.push(
            "the server accepts connections but answered no preflight check, so requests may get no reply either; check \
             the server"
                .to_owned(),
        );
    }
    Ok(found)
}

/// Which streams the actions need, and which are in their way.
async fn streams<P>(
    actions: &[&Action<P>],
    asker: &Asker,
    found: &mut Found,
) -> Result<(), Obstacle> {
    for action in actions {
        let Some(sending) = &action.sending else {
            continue;
        };
        if sending.kind == SendKind::Publish {
            continue;
        }
        if let Some(stream) = &sending.stream {
            named(asker, action, sending, stream, found).await?;
            continue;
        }
        let subject = sending.subject.wildcards();
        let of_stream = sending.kind == SendKind::Jetstream;
        match streams_of(asker, &subject).await {
            Streams::Are(names) if of_stream && names.is_empty() => {
                let action = action.name.clone();
                return Err(Obstacle::NoStream { action, subject });
            }
            Streams::Are(names) if of_stream => found.streams.extend(names),
            Streams::Are(names) => found
                .warnings
                .extend(names.iter().map(|name| captured(action, &subject, name))),
            Streams::NotEnabled(place) if of_stream => {
                let action = action.name.clone();
                return Err(Obstacle::NoJetStream { action, place });
            }
            Streams::Unknown(why) if of_stream => found.warnings.push(format!(
                "preflight could not check for a stream with the subject {subject}: {why}"
            )),
            Streams::NotEnabled(_) | Streams::Unknown(_) => {}
        }
    }
    Ok(())
}

/// The actions that some client sends.
fn sent<P>(model: &Model<P>) -> Vec<&Action<P>> {
    let shares = model.clients.iter().flat_map(|client| &client.mix.shares);
    let numbers: BTreeSet<usize> = shares.map(|(action, _)| action.index()).collect();
    numbers
        .into_iter()
        .map(|number| &model.actions[number])
        .collect()
}

fn captured<P>(action: &Action<P>, subject: &str, stream: &str) -> String {
    format!(
        "the stream {stream} captures {subject}, to which action {} sends requests, and acknowledges them instead of \
         the service; use another subject, or remove it from the stream",
        action.name
    )
}

/// Whether the user may do what the actions need, as far as the server tells.
async fn permissions<P>(actions: &[&Action<P>], asker: &Asker) -> Result<(), Obstacle> {
    let inbox = asker.inboxes();
    let answer = match asker.ask(USER_INFO, "").await {
        Err(Unanswered::NoInbox) => return Err(Obstacle::MayNotSubscribe { subject: inbox }),
        Err(_) => return Ok(()),
        Ok(answer) => answer,
    };
    let permissions = answer.pointer("/data/permissions");
    let list = |kind: &str| permissions.and_then(|all| all.get(kind));
    if !permits(list("subscribe"), &inbox) {
        return Err(Obstacle::MayNotSubscribe { subject: inbox });
    }
    for action in actions {
        let Some(sending) = &action.sending else {
            continue;
        };
        let subject = sending.subject.wildcards();
        if !permits(list("publish"), &subject) {
            let action = action.name.clone();
            return Err(Obstacle::MayNotPublish { action, subject });
        }
        let awaited = sending.delivery.as_ref();
        let awaited = awaited.map(|awaited| awaited.subject.wildcards());
        if let Some(subject) = awaited.filter(|subject| !permits(list("subscribe"), subject)) {
            let action = action.name.clone();
            return Err(Obstacle::MayNotAwait { action, subject });
        }
    }
    Ok(())
}

/// Whether a double may receive what is sent to these subjects, as far as the server tells.
///
/// # Errors
/// The first subject that it may not subscribe to.
pub async fn may_listen(asker: &Asker, subjects: &[String]) -> Result<(), Obstacle> {
    let Ok(answer) = asker.ask(USER_INFO, "").await else {
        return Ok(());
    };
    let list = answer.pointer("/data/permissions/subscribe");
    match subjects.iter().find(|subject| !permits(list, subject)) {
        Some(subject) => Err(Obstacle::MayNotListen {
            subject: subject.clone(),
        }),
        None => Ok(()),
    }
}

/// Whether some subject of a pattern is permitted by a list of what is allowed and what is denied.
fn permits(list: Option<&Value>, pattern: &str) -> bool {
    let subjects = |kind: &str| -> Vec<&str> {
        let subjects = list
            .and_then(|list| list.get(kind))
            .and_then(Value::as_array);
        subjects
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let (allowed, denied) = (subjects("allow"), subjects("deny"));
    let allows = allowed.is_empty() || allowed.iter().any(|one| overlap(one, pattern));
    allows && !denied.iter().any(|one| covers(one, pattern))
}

/// The streams that have a subject.
enum Streams {
    Are(Vec<String>),
    NotEnabled(&'static str),
    Unknown(String),
}

/// What JetStream answers an account that may not use it.
const NOT_FOR_ACCOUNT: u64 = 10039;
/// What it answers where there is no such stream.
const NO_STREAM: u64 = 10059;
/// What it answers on a server that has none.
const NOT_ENABLED: u64 = 10076;

/// Whether a stream that an action names is there, and answers what is asked of it.
async fn named<P>(
    asker: &Asker,
    action: &Action<P>,
    sending: &Sending,
    stream: &str,
    found: &mut Found,
) -> Result<(), Obstacle> {
    let reads = sending.kind.answer() == Answer::Stored;
    let unknown = |why: String| format!("preflight could not check for the stream {stream}: {why}");
    let action = action.name.clone();
    let answer = match asker.ask_api(&format!("STREAM.INFO.{stream}"), "").await {
        Ok(answer) => answer,
        Err(Unanswered::NoResponders) => {
            let place = " on the server";
            return Err(Obstacle::NoJetStream { action, place });
        }
        Err(why) => {
            found.warnings.push(unknown(why.to_string()));
            return Ok(());
        }
    };
    match answer.pointer("/error/err_code").and_then(Value::as_u64) {
        Some(NOT_FOR_ACCOUNT) => {
            let place = " for the account of this user";
            return Err(Obstacle::NoJetStream { action, place });
        }
        Some(NOT_ENABLED) => {
            let place = " on the server";
            return Err(Obstacle::NoJetStream { action, place });
        }
        Some(NO_STREAM) => {
            let bucket = stream
                .strip_prefix(BUCKET)
                .filter(|_| sending.kind != SendKind::DirectGet);
            let what = match bucket {
                Some(bucket) => format!("bucket {bucket}"),
                None => format!("stream {stream}"),
            };
            return Err(Obstacle::Absent { action, what });
        }
        _ => {}
    }
    if let Some(why) = answer.pointer("/error/description").and_then(Value::as_str) {
        found.warnings.push(unknown(why.to_owned()));
        return Ok(());
    }
    let allows = answer
        .pointer("/config/allow_direct")
        .and_then(Value::as_bool);
    if reads && allows != Some(true) {
        let stream = stream.to_owned();
        return Err(Obstacle::NoDirectGet { action, stream });
    }
    if !reads {
        found.streams.insert(stream.to_owned());
    }
    Ok(())
}

async fn streams_of(asker: &Asker, subject: &str) -> Streams {
    let asked = json!({ "subject": subject }).to_string();
    let answer = match asker.ask_api("STREAM.NAMES", &asked).await {
        Ok(answer) => answer,
        Err(Unanswered::NoResponders) => return Streams::NotEnabled(" on the server"),
        Err(why) => return Streams::Unknown(why.to_string()),
    };
    match answer.pointer("/error/err_code").and_then(Value::as_u64) {
        Some(NOT_FOR_ACCOUNT) => return Streams::NotEnabled(" for the account of this user"),
        Some(NOT_ENABLED) => return Streams::NotEnabled(" on the server"),
        _ => {}
    }
    if let Some(why) = answer.pointer("/error/description").and_then(Value::as_str) {
        return Streams::Unknown(why.to_owned());
    }
    let names = answer.get("streams").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    Streams::Are(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_read_as_the_server_means_them() {
        let allows = |list: Value, pattern| permits(Some(&list), pattern);
        assert!(permits(None, "a.b"));
        assert!(allows(json!({}), "a.b"));
        assert!(allows(json!({"allow": ["a.>"]}), "a.b"));
        assert!(!allows(json!({"allow": ["b.>"]}), "a.b"));
        assert!(!allows(json!({"deny": ["a.*"]}), "a.b"));
        assert!(!allows(json!({"allow": [">"], "deny": ["a.>"]}), "a.*"));
        // Some of them are permitted: which are not shows when the load runs.
        assert!(allows(json!({"allow": ["a.b"]}), "a.*"));
        assert!(allows(json!({"deny": ["a.b"]}), "a.*"));
    }
}
