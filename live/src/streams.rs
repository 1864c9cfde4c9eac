//! The streams of a double: real ones with real durable pull consumers, made for a run and removed with it.
//!
//! Guarantees:
//! - A stream that is there and was not made by a double is not touched.
//! - The API is asked at the prefix that the caller names, which another domain or account may have.
//! - Every stream carries the id of its run, the name of its spec and the subject at which the run's processes speak, in
//!   its metadata. Processes of one spec share one run. What a crash leaves behind is found by that metadata, and only
//!   such streams are ever removed.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use async_nats::jetstream::{self, Context, ErrorCode};
use blis_sim::backend::Backend;
use blis_sim::model::{Consumer, Exhausted, Model, SendKind, Step};
use blis_sim::time::Span;
use futures_util::StreamExt as _;

use crate::double::part::peers_subject;
use crate::peers::{Announcement, Roster};
use crate::subjects::covers;

/// How long other processes may take to tell that they are there.
const ANSWER: Duration = Duration::from_secs(1);
/// Requests for messages that a consumer may have open unless it needs more, as the server has it.
const MOST_WAITING: i64 = 512;

const RUN: &str = "blis.run";
const SPEC: &str = "blis.spec";
const PEERS: &str = "blis.peers";

/// Why streams are not there.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server keeps no streams.
    #[error(
        "the spec has streams and the server keeps none: {0}; start it with JetStream (nats-server -js)"
    )]
    NoStreams(String),
    /// Somebody else's.
    #[error(
        "the stream {0} is there and was not made by blis, so it is not touched: rename the stream in the spec, or choose \
         another server"
    )]
    Foreign(String),
    /// What a crash left behind.
    #[error(
        "the stream {stream} is left over from run {run}, which is over: remove it with blis cleanup {run}"
    )]
    LeftOver {
        /// The stream.
        stream: String,
        /// The run.
        run: String,
    },
    /// Another spec has a stream of that name.
    #[error(
        "the stream {stream} belongs to the spec {spec}, which is played at this server: rename it, or choose another server"
    )]
    OtherSpec {
        /// The stream.
        stream: String,
        /// The other spec.
        spec: String,
    },
    /// The run is not over.
    #[error("run {0} is still played, and removes its streams itself: end it with Ctrl-C")]
    Alive(String),
    /// The server does not answer.
    #[error(
        "the server did not remove the streams of run {0} in time: when it is there again, remove them with blis cleanup {0}"
    )]
    Remains(String),
    /// The server does not do it.
    #[error("the server does not {what}: {why}")]
    Refused {
        /// What it was asked to do.
        what: String,
        /// What it says.
        why: String,
    },
}

fn refused(what: String) -> impl FnOnce(&dyn std::fmt::Display) -> Failure {
    move |why| Failure::Refused {
        what,
        why: why.to_string(),
    }
}

/// A stream that a double made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// The run.
    pub run: String,
    /// The spec.
    pub spec: String,
    /// Its name.
    pub stream: String,
    /// Where the run's processes speak.
    peers: String,
}

impl Made {
    fn of(config: &Config) -> Option<Made> {
        let field = |name| config.metadata.get(name).cloned();
        Some(Made {
            run: field(RUN)?,
            spec: field(SPEC)?,
            stream: config.name.clone(),
            peers: field(PEERS)?,
        })
    }
}

/// The subjects of each stream: those that paths publish to, dead letters, and what users send to it themselves.
fn subjects(model: &Model, backend: &Backend) -> Vec<BTreeSet<String>> {
    let mut subjects = vec![BTreeSet::new(); model.streams.len()];
    for step in &model.program {
        if let Step::Publish {
            stream, subject, ..
        } = step
        {
            subjects[stream.index()].insert(subject.clone());
        }
    }
    for consumer in &model.consumers {
        if let Exhausted::Publish(stream, _) = &consumer.exhausted {
            subjects[stream.index()].insert(model.streams[stream.index()].name.clone());
        }
    }
    for (action, id) in model.actions.iter().zip(0u16..) {
        let sending = action.sending.as_ref();
        let sent = sending.filter(|sending| sending.kind == SendKind::Jetstream);
        let stream = backend.begins_with_stream(blis_sim::model::ActionId(id));
        if let (Some(sending), Some(stream)) = (sent, stream) {
            subjects[stream.index()].insert(sending.subject.wildcards());
        }
    }
    // A subject that another one covers would be there twice.
    for of in &mut subjects {
        let all = of.clone();
        of.retain(|one| !all.iter().any(|other| other != one && covers(other, one)));
    }
    subjects
}

fn duration(span: Span) -> Duration {
    Duration::from_nanos(span.as_nanos())
}

fn metadata(model: &Model, run: &str) -> HashMap<String, String> {
    [
        (RUN, run.to_owned()),
        (SPEC, model.name.clone()),
        (PEERS, peers_subject(model)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Makes the streams and consumers of a model, or joins the run that has made them and is still played. Gives the
/// id of the run.
///
/// # Errors
/// What is in the way. What was made before that is removed again.
pub async fn provide(
    client: &Client,
    api: &str,
    model: &Model,
    roster: &Roster,
) -> Result<String, Failure> {
    let context = jetstream::with_prefix(client.clone(), api);
    let backend = Backend::new(model);
    let mut tries = 1;
    loop {
        let mut run = roster.own().to_owned();
        for stream in &model.streams {
            if let Some(made) = find(&context, &stream.name).await? {
                run = joined(client, model, roster, made).await?;
            }
        }
        let provided = make(&context, model, &run, subjects(model, &backend)).await;
        let Err(failure) = provided else {
            return Ok(run);
        };
        if run == roster.own() {
            // What is in the way is what has to be told.
            let _ = remove(client, api, &run).await;
        }
        // Another process of the spec may have made the stream in this moment: then its run is joined.
        tries -= 1;
        if !matches!(failure, Failure::Refused { .. }) || tries < 0 {
            return Err(failure);
        }
    }
}

/// The stream of this name, if there is one and it was made by a double.
async fn find(context: &Context, stream: &str) -> Result<Option<Made>, Failure> {
    match context.get_stream(stream).await {
        Ok(found) => {
            let made = Made::of(&found.cached_info().config);
            made.map(Some)
                .ok_or_else(|| Failure::Foreign(stream.to_owned()))
        }
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(why)
                if why.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            GetStreamErrorKind::Request => Err(Failure::NoStreams(error.to_string())),
            _ => Err(refused(format!("tell of the stream {stream}"))(&error)),
        },
    }
}

/// The run that has made a stream, if this process may join it.
async fn joined(
    client: &Client,
    model: &Model,
    roster: &Roster,
    made: Made,
) -> Result<String, Failure> {
    let Made {
        run, spec, stream, ..
    } = made;
    let alive = is_played(client, &peers_subject(model), roster.own(), &run).await?;
    match (alive, spec == model.name) {
        (true, true) => Ok(run),
        (_, false) => Err(Failure::OtherSpec { stream, spec }),
        (false, true) => Err(Failure::LeftOver { stream, run }),
    }
}

/// Whether some process plays a run.
async fn is_played(client: &Client, peers: &str, own: &str, run: &str) -> Result<bool, Failure> {
    let fail =
        |why: &dyn std::fmt::Display| refused("let blis ask who plays a run".to_owned())(why);
    let mut told = client
        .subscribe(peers.to_owned())
        .await
        .map_err(|why| fail(&why))?;
    // Whoever hears of a process that it does not know tells of itself.
    let asks = Announcement {
        id: format!("{own}-asks"),
        run: String::new(),
        services: Vec::new(),
        leaves: false,
    };
    for announcement in [
        asks.clone(),
        Announcement {
            leaves: true,
            ..asks
        },
    ] {
        let text = announcement.text().into();
        let sent = client.publish(peers.to_owned(), text).await;
        sent.map_err(|why| fail(&why))?;
    }
    let answered = tokio::time::timeout(ANSWER, async {
        while let Some(message) = told.next().await {
            let peer = Announcement::parse(&message.payload);
            if peer.is_some_and(|peer| peer.run == run && !peer.leaves) {
                return true;
            }
        }
        false
    });
    Ok(answered.await.unwrap_or(false))
}

async fn make(
    context: &Context,
    model: &Model,
    run: &str,
    subjects: Vec<BTreeSet<String>>,
) -> Result<(), Failure> {
    for (stream, subjects) in model.streams.iter().zip(subjects) {
        let config = Config {
            name: stream.name.clone(),
            subjects: subjects.into_iter().collect(),
            description: Some(format!(
                "the double of {}; blis cleanup {run} removes it",
                model.name
            )),
            // What all consumers have acknowledged is not kept.
            retention: RetentionPolicy::Interest,
            duplicate_window: stream.duplicate_window.map(duration).unwrap_or_default(),
            metadata: metadata(model, run),
            ..Config::default()
        };
        let made = context.create_stream(config).await;
        made.map_err(|why| refused(format!("make the stream {}", stream.name))(&why))?;
    }
    for consumer in &model.consumers {
        let stream = &model.streams[consumer.stream.index()].name;
        let config = consumer_config(model, consumer, run);
        let made = context.create_consumer_on_stream(config, stream).await;
        made.map_err(|why| {
            refused(format!("make the consumer {} of {stream}", consumer.name))(&why)
        })?;
    }
    Ok(())
}

fn consumer_config(model: &Model, consumer: &Consumer, run: &str) -> pull::Config {
    let service = &model.services[consumer.service.index()];
    let requests =
        service.servers() + u64::from(consumer.prefetch) * u64::from(service.members.get());
    let most = consumer
        .max_deliver
        .map_or(-1, |most| i64::from(most.get()));
    pull::Config {
        durable_name: Some(consumer.name.clone()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: duration(consumer.ack_wait),
        max_deliver: most,
        filter_subjects: consumer.filter.clone(),
        max_waiting: i64::try_from(requests)
            .unwrap_or(i64::MAX)
            .max(MOST_WAITING),
        max_ack_pending: i64::from(consumer.max_ack_pending.get()),
        metadata: metadata(model, run),
        ..pull::Config::default()
    }
}

/// The streams that doubles have made at a server, run by run.
///
/// # Errors
/// When the server does not tell.
pub async fn made(client: &Client, api: &str) -> Result<Vec<Made>, Failure> {
    let context = jetstream::with_prefix(client.clone(), api);
    let mut streams = context.streams();
    let mut all = Vec::new();
    while let Some(stream) = streams.next().await {
        let stream = stream.map_err(|why| refused("tell of its streams".to_owned())(&why))?;
        all.extend(Made::of(&stream.config));
    }
    all.sort();
    Ok(all)
}

/// Removes the streams of a run, and gives their names.
///
/// # Errors
/// When the server does not do it.
pub async fn remove(client: &Client, api: &str, run: &str) -> Result<Vec<String>, Failure> {
    let context = jetstream::with_prefix(client.clone(), api);
    let mut removed = Vec::new();
    for one in made(client, api).await? {
        if one.run != run {
            continue;
        }
        match context.delete_stream(&one.stream).await {
            Ok(_) => removed.push(one.stream),
            // Another process of the run may have removed it meanwhile.
            Err(why) => {
                if find(&context, &one.stream).await?.is_some() {
                    return Err(refused(format!("remove the stream {}", one.stream))(&why));
                }
            }
        }
    }
    Ok(removed)
}

/// Removes the streams of a run that is over, and gives their names.
///
/// # Errors
/// [`Failure::Alive`] when it is not over; when the server does not do it.
pub async fn clean_up(client: &Client, api: &str, run: &str) -> Result<Vec<String>, Failure> {
    let own = client.new_inbox();
    for one in made(client, api).await? {
        if one.run == run && is_played(client, &one.peers, &own, run).await? {
            return Err(Failure::Alive(run.to_owned()));
        }
    }
    remove(client, api, run).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cover_single_tokens() {
        assert!(covers("orders.*", "orders.created"));
        assert!(covers("orders.*", "orders.*"));
        assert!(!covers("orders.created", "orders.*"));
        assert!(!covers("orders.*", "orders.created.now"));
    }

    #[test]
    fn what_is_not_made_by_a_double_is_not_taken_for_it() {
        let config = |names: &[&str]| Config {
            name: "orders".to_owned(),
            metadata: names
                .iter()
                .map(|name| ((*name).to_owned(), "x".to_owned()))
                .collect(),
            ..Config::default()
        };
        assert_eq!(Made::of(&config(&[])), None);
        assert_eq!(Made::of(&config(&[RUN, SPEC])), None);
        let made = Made::of(&config(&[RUN, SPEC, PEERS, "more"])).expect("one of ours");
        assert_eq!((made.run.as_str(), made.stream.as_str()), ("x", "orders"));
    }
}
