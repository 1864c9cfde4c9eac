//! The streams of a double: real streams with real durable pull consumers, created for a run and removed with it.
//!
//! Guarantees:
//! - An existing stream that no double created is not touched.
//! - The API prefix is that of the caller, for another domain or account.
//! - Every stream has the id of its run, the name of its spec and the subject of the processes of the run in its metadata.
//!   Processes of one spec share one run. Streams left by a crash are found by that metadata, and only such streams are
//!   ever removed.
//! - Anybody can write metadata. Nothing is published to subjects in it, and a stream is removed only if all its metadata is
//!   what a double would have written.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use async_nats::jetstream::{self, Context, ErrorCode};
use blis_sim::model::{ActionId, Consumer, Exhausted, Model, SendKind, Step};
use blis_sim::spec::LONGEST_NAME;
use blis_sim::time::Span;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::double::entrances::peers_subject;
use crate::double::peers::{Announcement, Roster};
use crate::wire::subjects::covers;

/// How long other processes may take to tell that they are there.
const ANSWER: Duration = Duration::from_secs(1);
/// Requests for messages that a consumer may have open unless it needs more, as the server has it.
const MOST_WAITING: i64 = 512;
/// Streams that the server is asked about at the same time.
const TOGETHER: usize = 16;
/// The longest id of a run, in characters.
const LONGEST_ID: usize = 64;

const RUN: &str = "blis.run";
const SPEC: &str = "blis.spec";
const PEERS: &str = "blis.peers";

/// Why streams are not there.
#[derive(Debug, thiserror::Error)]
pub enum StreamFailure {
    /// The server keeps no streams.
    #[error(
        "the spec has streams, but JetStream is not available: {0}; start the server with JetStream (nats-server -js)"
    )]
    NoStreams(String),
    /// Somebody else's.
    #[error(
        "the stream {0} exists and was not created by blis; rename the stream in the spec, or use another server"
    )]
    Foreign(String),
    /// What a crash left behind.
    #[error(
        "the stream {stream} is left over from run {run}; remove it with blis cleanup {run} and the same --url or --context"
    )]
    LeftOver {
        /// The stream.
        stream: String,
        /// The run.
        run: String,
    },
    /// Another spec has a stream of that name.
    #[error(
        "the stream {stream} belongs to the spec {spec}, which runs at this server; rename it, or use another server"
    )]
    OtherSpec {
        /// The stream.
        stream: String,
        /// The other spec.
        spec: String,
    },
    /// It says that a double made it, and what it says does not hold together.
    #[error(
        "the stream {stream} is marked as created by run {run}, but {doubt}: nothing was removed; check the stream, and \
         remove it by hand if nobody needs it"
    )]
    Doubtful {
        /// The stream.
        stream: String,
        /// The run.
        run: String,
        /// What is wrong with it.
        doubt: String,
    },
    /// The run is not over.
    #[error("run {0} is still going on and removes its streams at its end; end it with Ctrl-C")]
    Alive(String),
    /// The server does not answer.
    #[error(
        "the server did not remove the streams of run {0} in time; remove them later with blis cleanup {0} and the same --url or --context"
    )]
    Remains(String),
    /// The server does not do it.
    #[error("the server failed to {what}: {why}")]
    Refused {
        /// What it was asked to do.
        what: String,
        /// What it says.
        why: String,
    },
}

fn refused(what: String) -> impl FnOnce(&dyn std::fmt::Display) -> StreamFailure {
    move |why| StreamFailure::Refused {
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
    /// Why a double cannot have made it as it is.
    pub doubt: Option<&'static str>,
}

impl Made {
    fn of(config: &Config) -> Option<Made> {
        let field = |name| config.metadata.get(name).cloned();
        let (run, spec, peers) = (field(RUN)?, field(SPEC)?, field(PEERS)?);
        let in_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let doubt = if run.is_empty() || run.len() > LONGEST_ID || !run.chars().all(in_id) {
            Some("that is not the id of a run")
        } else if spec.len() > LONGEST_NAME {
            Some("its spec has no name that a spec can have")
        } else if peers != peers_subject(&spec) {
            Some("its blis.peers is not the subject of its spec")
        } else if config.description.as_ref() != Some(&description(&spec, &run)) {
            Some("its description is not from blis")
        } else {
            None
        };
        Some(Made {
            run,
            spec,
            stream: config.name.clone(),
            doubt,
        })
    }

    fn doubtful(&self, doubt: impl Into<String>) -> StreamFailure {
        StreamFailure::Doubtful {
            stream: self.stream.clone(),
            run: self.run.clone(),
            doubt: doubt.into(),
        }
    }
}

/// What a stream says of itself to people.
fn description(spec: &str, run: &str) -> String {
    format!("the double of {spec}; blis cleanup {run} removes it")
}

/// The subjects of each stream: those that paths publish to, dead letters, and what users send to it themselves.
fn subjects(model: &Model) -> Vec<BTreeSet<String>> {
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
        let stream = model.begins_with_stream(ActionId(id));
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
        (PEERS, peers_subject(&model.name)),
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
) -> Result<String, StreamFailure> {
    let context = jetstream::with_prefix(client.clone(), api);
    let mut tries = 1;
    loop {
        let mut run = roster.own().to_owned();
        for stream in &model.streams {
            if let Some(made) = find(&context, &stream.name).await? {
                run = joined(client, model, roster, made).await?;
            }
        }
        let provided = make(&context, model, &run, subjects(model)).await;
        let Err(failure) = provided else {
            return Ok(run);
        };
        if run == roster.own() {
            // What is in the way is what has to be told.
            let _ = remove(client, api, &run).await;
        }
        // Another process of the spec may have made the stream in this moment: then its run is joined.
        tries -= 1;
        if !matches!(failure, StreamFailure::Refused { .. }) || tries < 0 {
            return Err(failure);
        }
    }
}

/// The stream of this name, if there is one and it was made by a double.
async fn find(context: &Context, stream: &str) -> Result<Option<Made>, StreamFailure> {
    match context.get_stream(stream).await {
        Ok(found) => {
            let made = Made::of(&found.cached_info().config);
            made.filter(|made| made.doubt.is_none())
                .map(Some)
                .ok_or_else(|| StreamFailure::Foreign(stream.to_owned()))
        }
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(why)
                if why.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            GetStreamErrorKind::Request => Err(StreamFailure::NoStreams(error.to_string())),
            _ => Err(refused(format!("describe the stream {stream}"))(&error)),
        },
    }
}

/// The run that has made a stream, if this process may join it.
async fn joined(
    client: &Client,
    model: &Model,
    roster: &Roster,
    made: Made,
) -> Result<String, StreamFailure> {
    let Made {
        run, spec, stream, ..
    } = made;
    let alive = is_played(client, &model.name, roster.own(), &run).await?;
    match (alive, spec == model.name) {
        (true, true) => Ok(run),
        (_, false) => Err(StreamFailure::OtherSpec { stream, spec }),
        (false, true) => Err(StreamFailure::LeftOver { stream, run }),
    }
}

/// Whether some process plays a run of the spec of this name.
async fn is_played(
    client: &Client,
    spec: &str,
    own: &str,
    run: &str,
) -> Result<bool, StreamFailure> {
    let peers = peers_subject(spec);
    let fail = |why: &dyn std::fmt::Display| {
        refused("accept a subscription for the processes of a run".to_owned())(why)
    };
    let mut told = client
        .subscribe(peers.clone())
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
        let sent = client.publish(peers.clone(), text).await;
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
) -> Result<(), StreamFailure> {
    for (stream, subjects) in model.streams.iter().zip(subjects) {
        let config = Config {
            name: stream.name.clone(),
            subjects: subjects.into_iter().collect(),
            description: Some(description(&model.name, run)),
            // What all consumers have acknowledged is not kept.
            retention: RetentionPolicy::Interest,
            duplicate_window: stream.duplicate_window.map(duration).unwrap_or_default(),
            metadata: metadata(model, run),
            ..Config::default()
        };
        let made = context.create_stream(config).await;
        made.map_err(|why| refused(format!("create the stream {}", stream.name))(&why))?;
    }
    for consumer in &model.consumers {
        let stream = &model.streams[consumer.stream.index()].name;
        let config = consumer_config(model, consumer, run);
        let made = context.create_consumer_on_stream(config, stream).await;
        made.map_err(|why| {
            refused(format!("create the consumer {} of {stream}", consumer.name))(&why)
        })?;
    }
    Ok(())
}

fn consumer_config(model: &Model, consumer: &Consumer, run: &str) -> pull::Config {
    let service = &model.services[consumer.service.index()];
    let requests =
        service.servers() + u64::from(consumer.prefetch) * u64::from(service.members.count());
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
pub async fn made(client: &Client, api: &str) -> Result<Vec<Made>, StreamFailure> {
    let context = jetstream::with_prefix(client.clone(), api);
    let mut streams = context.streams();
    let mut all = Vec::new();
    while let Some(stream) = streams.next().await {
        let stream = stream.map_err(|why| refused("list its streams".to_owned())(&why))?;
        all.extend(Made::of(&stream.config));
    }
    all.sort();
    Ok(all)
}

/// The streams that say that they are of a run.
async fn of_run(client: &Client, api: &str, run: &str) -> Result<Vec<Made>, StreamFailure> {
    let mut all = made(client, api).await?;
    all.retain(|one| one.run == run);
    Ok(all)
}

/// Removes the streams of a run, and gives their names. Others that only say that they are stay.
///
/// # Errors
/// When the server does not do it.
pub async fn remove(client: &Client, api: &str, run: &str) -> Result<Vec<String>, StreamFailure> {
    let mut all = of_run(client, api, run).await?;
    all.retain(|one| one.doubt.is_none());
    delete(&jetstream::with_prefix(client.clone(), api), all).await
}

async fn delete(context: &Context, all: Vec<Made>) -> Result<Vec<String>, StreamFailure> {
    let removals = all.into_iter().map(|one| async move {
        match context.delete_stream(&one.stream).await {
            Ok(_) => Ok(Some(one.stream)),
            // Another process of the run may have removed it meanwhile.
            Err(why) => match find(context, &one.stream).await? {
                Some(_) => Err(refused(format!("remove the stream {}", one.stream))(&why)),
                None => Ok(None),
            },
        }
    });
    let removed = stream::iter(removals).buffered(TOGETHER);
    let removed: Vec<Option<String>> = removed.try_collect().await?;
    Ok(removed.into_iter().flatten().collect())
}

/// Removes the streams of a run that is over, and gives their names: all of them, or none where one of them is not what
/// a double made.
///
/// # Errors
/// [`StreamFailure::Doubtful`] for such a stream; [`StreamFailure::Alive`] when the run is not over; when the server does not do it.
pub async fn clean_up(client: &Client, api: &str, run: &str) -> Result<Vec<String>, StreamFailure> {
    let context = jetstream::with_prefix(client.clone(), api);
    let all = of_run(client, api, run).await?;
    if let Some((one, doubt)) = all.iter().find_map(|one| Some((one, one.doubt?))) {
        return Err(one.doubtful(doubt));
    }
    // Each spec is asked once, and all together: the answer takes its time.
    let own = client.new_inbox();
    let specs: BTreeSet<&str> = all.iter().map(|one| one.spec.as_str()).collect();
    let asked = specs
        .into_iter()
        .map(|spec| is_played(client, spec, &own, run));
    if try_join_all(asked).await?.contains(&true) {
        return Err(StreamFailure::Alive(run.to_owned()));
    }
    let looks = all.iter().map(|one| strange_consumer(&context, one));
    let looks: Vec<Option<String>> = stream::iter(looks).buffered(TOGETHER).try_collect().await?;
    for (one, consumer) in all.iter().zip(looks) {
        if let Some(consumer) = consumer {
            return Err(one.doubtful(format!("its consumer {consumer} was made by somebody else")));
        }
    }
    delete(&context, all).await
}

/// A consumer of a stream that is not of the stream's run.
async fn strange_consumer(context: &Context, made: &Made) -> Result<Option<String>, StreamFailure> {
    let stream = match context.get_stream(&made.stream).await {
        Ok(stream) => stream,
        // Another process may have removed it meanwhile.
        Err(why) => match find(context, &made.stream).await? {
            Some(_) => {
                return Err(refused(format!("describe the stream {}", made.stream))(
                    &why,
                ));
            }
            None => return Ok(None),
        },
    };
    let mut consumers = stream.consumers();
    while let Some(consumer) = consumers.next().await {
        let consumer = consumer
            .map_err(|why| refused(format!("list the consumers of {}", made.stream))(&why))?;
        let says = |name, value: &String| consumer.config.metadata.get(name) == Some(value);
        if !says(RUN, &made.run) || !says(SPEC, &made.spec) {
            return Ok(Some(consumer.name));
        }
    }
    Ok(None)
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
        let made = Made::of(&config(&[RUN, SPEC, PEERS, "more"])).expect("it says so");
        assert_eq!((made.run.as_str(), made.stream.as_str()), ("x", "orders"));
        assert!(made.doubt.is_some());
    }

    #[test]
    fn what_a_double_did_not_write_is_doubted() {
        let config = |run: &str, spec: &str, peers: &str, description: &str| Config {
            name: "orders".to_owned(),
            description: Some(description.to_owned()),
            metadata: [(RUN, run), (SPEC, spec), (PEERS, peers)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Config::default()
        };
        let doubt = |config: &Config| Made::of(config).expect("it says so").doubt;
        let ours = description("my shop", "r1");
        assert_eq!(
            doubt(&config("r1", "my shop", "blis.my_shop.peers", &ours)),
            None
        );
        for peers in [
            "",
            "blis.other.peers",
            "$JS.API.STREAM.PURGE.ORDERS",
            "blis.>",
        ] {
            let doubt = doubt(&config("r1", "my shop", peers, &ours));
            assert_eq!(doubt, Some("its blis.peers is not the subject of its spec"));
        }
        for said in ["", "orders of the shop", &description("my shop", "r2")] {
            let doubt = doubt(&config("r1", "my shop", "blis.my_shop.peers", said));
            let expected = "its description is not from blis";
            assert_eq!(doubt, Some(expected), "{said}");
        }
        for run in ["", "r1; rm", "$(id)", "r\u{1b}1", &"r".repeat(65)] {
            let said = description("my shop", run);
            let doubt = doubt(&config(run, "my shop", "blis.my_shop.peers", &said));
            assert_eq!(doubt, Some("that is not the id of a run"), "{run:?}");
        }
    }
}
