//! The typed syntax of the backend beyond a plain service: what holds a worker, what goes several ways, what is
//! published and emitted, and what a service can suffer.

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::{Distribution, Duration, Number};
use super::named::Named;
use super::spanned::Spanned;
use super::syntax::Step;
use super::units::{Count, Rate, Share};

/// A visit of a service.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum Visit {
    /// This service.
    #[serde(rename = "$bare")]
    Service(String),
    /// A service in a way of its own.
    #[serde(rename = "$mapping")]
    As(Box<VisitAs>),
}

/// A visit that is more than a service time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitAs {
    /// The service.
    pub service: Spanned<String>,
    /// Service time of this visit; the service's own unless given.
    pub time: Option<Spanned<Distribution<Duration>>>,
    /// What happens, after the service time, while the worker is held.
    pub during: Option<Spanned<Vec<Spanned<Step>>>>,
}

/// Several ways at once.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// What the path waits for; all unless given.
    pub join: Option<Spanned<Join>>,
    /// The ways.
    pub paths: Spanned<Vec<Vec<Spanned<Step>>>>,
}

/// What a path that goes several ways at once waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Until all ways are done.
    All,
    /// Until one way is done.
    First,
    /// For nothing.
    None,
}

/// A publication to a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum Publish {
    /// To this stream, under its name as the subject.
    #[serde(rename = "$bare")]
    Stream(String),
    /// To a stream in a way of its own.
    #[serde(rename = "$mapping")]
    As(PublishAs),
}

/// A publication that is more than a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishAs {
    /// The stream.
    pub stream: Spanned<String>,
    /// The subject, which the filters of consumers are about; the stream's name unless given.
    pub subject: Option<Spanned<String>>,
    /// Whether the path waits until the message is stored; true unless given.
    pub ack: Option<Spanned<bool>>,
}

/// A cache: a hit, or what a miss costs. The hit ratio is given, or follows from size and popularity.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Share of hits.
    pub hit: Option<Spanned<Share>>,
    /// How many objects the cache holds, least recently used out.
    pub size: Option<Spanned<Count>>,
    /// How many objects there are.
    pub keys: Option<Spanned<Count>>,
    /// Exponent of the Zipf law by which objects are asked for; 0 is all alike.
    pub zipf: Option<Spanned<Number>>,
    /// What a request does after a hit; nothing unless given.
    pub found: Option<Vec<Spanned<Step>>>,
    /// What a request does after a miss.
    pub miss: Vec<Spanned<Step>>,
}

/// The most urgent class first; within a class, who came first.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// The classes, the most urgent first; requests of none of them come last.
    pub classes: Option<Spanned<Vec<Spanned<String>>>>,
    /// Waiting so long makes up for one rank; for ever unless given.
    pub ageing: Option<Spanned<Duration>>,
    /// Whether a request stops a less urgent one, which goes on later from where it was; false unless given.
    pub preempt: Option<Spanned<bool>>,
}

/// Start-time fair queueing between clients.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fair {
    /// Weights of clients; 1 unless given.
    pub weights: Option<Named<Spanned<Number>>>,
}

/// Processor sharing.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// How many share the workers of a member at once; all unless given.
    pub limit: Option<Spanned<Count>>,
}

/// How service times grow with the number of busy workers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlowerWhenBusy {
    /// The universal scalability law.
    Usl(Scalability),
    /// Measured factors.
    Table(Spanned<Vec<LoadPoint>>),
}

/// The universal scalability law: the factor 1 + contention (n - 1) + coherency n (n - 1) at n busy workers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scalability {
    /// The serial share.
    pub contention: Spanned<Share>,
    /// The cost of keeping two workers in agreement; 0 unless given.
    pub coherency: Option<Spanned<Share>>,
}

/// A measured factor of the service time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadPoint {
    /// Busy workers.
    pub busy: Spanned<Number>,
    /// Factor of the service time.
    pub factor: Spanned<Number>,
}

/// Longer service times after a start.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColdStart {
    /// Factor of the service time at the start.
    pub factor: Spanned<Number>,
    /// How long it takes to fall to 1.
    pub lasts: Spanned<Duration>,
}

/// Who is let in; whoever is not is rejected.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Tokens come at this rate, and every visit takes one.
    pub rate: Option<Spanned<Rate>>,
    /// How many tokens may be saved up; 1 unless given.
    pub burst: Option<Spanned<Count>>,
    /// How many may wait or be served at the whole service.
    pub in_flight: Option<Spanned<Count>>,
}

/// A time in which a service or a member is down.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins.
    pub from: Spanned<Duration>,
    /// When it is over.
    pub to: Spanned<Duration>,
    /// Which member, from 1; all unless given.
    pub member: Option<Spanned<Count>>,
    /// What being down means; gone unless given.
    pub down: Option<Spanned<Down>>,
}

/// What being down means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// The process is gone, and what it worked on is lost.
    Gone,
    /// The process hangs: nothing is taken up.
    Hung,
}

/// A time in which service times are longer.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowDown {
    /// When it begins.
    pub from: Spanned<Duration>,
    /// When it is over.
    pub to: Spanned<Duration>,
    /// Which member, from 1; all unless given.
    pub member: Option<Spanned<Count>>,
    /// Factor of the service time.
    pub factor: Spanned<Number>,
}

/// A time in which the share of errors is another.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorBurst {
    /// When it begins.
    pub from: Spanned<Duration>,
    /// When it is over.
    pub to: Spanned<Duration>,
    /// Share of the visits that end in an error.
    pub errors: Spanned<Share>,
}

/// A stream: a log of messages.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Time from a publication until the message is stored and acknowledged; none unless given.
    pub append: Option<Spanned<Distribution<Duration>>>,
    /// Messages with the id of one that was stored no longer ago than this are not stored again.
    pub duplicate_window: Option<Spanned<Duration>>,
    /// Who works on the messages, by name.
    pub consumers: Option<Named<Consumer>>,
}

/// A consumer of a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// The service whose workers work on the messages.
    pub service: Spanned<String>,
    /// Subjects of the messages that it gets; all unless given. `*` stands for one token, `>` for the rest.
    pub filter: Option<Spanned<Vec<Spanned<String>>>>,
    /// Service time of a delivery; the service's own unless given.
    pub time: Option<Spanned<Distribution<Duration>>>,
    /// What happens, after the service time, while the worker is held; the acknowledgement follows.
    pub during: Option<Spanned<Vec<Spanned<Step>>>>,
    /// The class of its work; that of the publishing client unless given.
    pub class: Option<Spanned<String>>,
    /// How many messages may be delivered and not yet acknowledged; 1000 unless given.
    pub max_ack_pending: Option<Spanned<Count>>,
    /// How many deliveries, or batches, each member asks for beyond its workers; none unless given.
    pub prefetch: Option<Spanned<Count>>,
    /// A message that is not acknowledged in this time is delivered again; 30s unless given.
    pub ack_wait: Option<Spanned<Duration>>,
    /// How often a message is delivered at most; without limit unless given.
    pub max_deliver: Option<Spanned<Count>>,
    /// What happens to a message that was delivered as often as may be; drop unless given.
    pub after_max_deliver: Option<Spanned<AfterMaxDeliver>>,
    /// Times from a nak to the next delivery, by the number of deliveries so far; at once unless given.
    pub nak_delay: Option<Spanned<Vec<Spanned<Duration>>>>,
    /// Messages are worked on together.
    pub batch: Option<Spanned<Batch>>,
    /// What is promised of it.
    pub slo: Option<Spanned<ConsumerSlo>>,
}

/// What is promised of a consumer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSlo {
    /// Largest allowed growth of the backlog.
    pub backlog_growth: Option<Spanned<Rate>>,
    /// The backlog may not grow by more than chance explains, which takes 20,000 messages to tell; not judged unless given.
    pub no_growth: Option<Spanned<bool>>,
}

/// What happens to a message that was delivered as often as may be.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterMaxDeliver {
    /// It is given up.
    Drop,
    /// It is published to this stream, under the stream's name as the subject.
    Publish(Spanned<String>),
}

/// Messages that are worked on together.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// How many messages at most; as many as may be unacknowledged unless given.
    pub size: Option<Spanned<Count>>,
    /// How long after its first message a batch is closed, full or not.
    pub linger: Option<Spanned<Duration>>,
    /// Cost of a batch; none unless given.
    pub per_batch: Option<Spanned<Distribution<Duration>>>,
    /// Cost of each message in it; none unless given.
    pub per_item: Option<Spanned<Distribution<Duration>>>,
}

/// A fan-out: a message to many subscribers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FanOut {
    /// How many subscribers: a whole number, or a distribution (rounded).
    pub subscribers: Spanned<Distribution<Number>>,
    /// Time of a delivery on its way; none unless given.
    pub delay: Option<Spanned<Distribution<Duration>>>,
    /// Time that the server spends on each delivery, one after the other; none unless given.
    pub each: Option<Spanned<Duration>>,
    /// Share of deliveries that are lost; none unless given.
    pub loss: Option<Spanned<Share>>,
    /// A delivery that comes later than this after the emission does not count towards the completion ratio.
    pub within: Option<Spanned<Duration>>,
    /// The service that each delivery queues for, on the side of the subscribers.
    pub service: Option<Spanned<String>>,
}
