//! The typed syntax of paths: their steps, and the paths within them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::or_default;
use super::distribution::{Distribution, Duration, Number};
use super::named::as_name;
use super::spanned::Spanned;
use super::units::{Count, Share};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a path step", rename_all = "snake_case")]
#[schemars(rename = "Step")]
pub enum Step {
    /// Wait for a worker of a service and be served. The worker is free when the service time is over.
    Visit(Spanned<Visit>),
    /// Wait, without a worker.
    Delay(Spanned<Distribution<Duration>>),
    /// Reply to the user; what follows goes on without it.
    Reply,
    /// Take one of several paths, drawn by weight. What follows the branch is common to all.
    Branch(Vec<Arm>),
    /// Take several paths in parallel; none of them replies to the user.
    Parallel(Spanned<Parallel>),
    /// Look up a cache, and take the path of a hit or of a miss.
    Cache(Spanned<Cache>),
    /// Take the path of this action, without the `reply` that it ends with.
    #[serde(serialize_with = "as_name")]
    Call(Spanned<String>),
    /// Publish a message to a stream, and wait until it is stored.
    Publish(Spanned<Publish>),
    /// Send a message to all subscribers of this fan-out, and continue at once.
    #[serde(serialize_with = "as_name")]
    Emit(Spanned<String>),
    /// Reply to the user with a failure; the path ends.
    Fail(Failure),
}

/// One path of a branch.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an arm of a branch", deny_unknown_fields)]
#[schemars(rename = "Arm")]
pub struct Arm {
    /// Weight of this path, relative to the others.
    pub weight: Spanned<Number>,
    /// Steps of the path; may be empty.
    pub path: Vec<Spanned<Step>>,
}

/// Failure of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a failure", rename_all = "snake_case")]
#[schemars(rename = "Failure")]
pub enum Failure {
    /// The service replies with an error.
    AppError,
    /// Refused by admission.
    Rejected,
    /// There is no responder, or the connection breaks.
    TransportError,
}

/// A visit of a service.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a visit; write `visit: api` or `visit: {service: api, during: [...]}`")]
#[schemars(rename = "Visit")]
pub enum Visit {
    /// This service.
    #[serde(rename = "$bare", serialize_with = "as_name")]
    Service(String),
    /// A service, with options.
    #[serde(rename = "$mapping")]
    As(Box<VisitAs>),
}

/// A visit with options.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a visit", deny_unknown_fields)]
#[schemars(rename = "VisitAs")]
pub struct VisitAs {
    /// The service.
    #[serde(serialize_with = "as_name")]
    pub service: Spanned<String>,
    /// Service time of this visit [default: `time` of the service].
    pub time: Option<Spanned<Distribution<Duration>>>,
    /// Steps after the service time, while the worker is held: a database, a call, a publication that is waited
    /// for.
    pub during: Option<Spanned<Vec<Spanned<Step>>>>,
}

/// Parallel paths.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`parallel`", deny_unknown_fields)]
#[schemars(rename = "Parallel")]
pub struct Parallel {
    /// What the path waits for [default: all].
    #[serde(serialize_with = "or_default")]
    pub join: Option<Spanned<Join>>,
    /// The parallel paths.
    pub paths: Spanned<Vec<Vec<Spanned<Step>>>>,
}

/// What a path waits for after parallel paths.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a join", rename_all = "snake_case")]
#[schemars(rename = "Join")]
pub enum Join {
    /// Until all paths are done. A failure of one does not fail the others.
    #[default]
    All,
    /// Until one path is done, which decides.
    First,
    /// It does not wait.
    None,
}

/// A publication to a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a publication; write `publish: orders` or `publish: {stream: orders, subject: orders.created}`"
)]
#[schemars(rename = "Publish")]
pub enum Publish {
    /// To this stream, with its name as the subject.
    #[serde(rename = "$bare", serialize_with = "as_name")]
    Stream(String),
    /// To a stream, with options.
    #[serde(rename = "$mapping")]
    As(PublishAs),
}

/// A publication with options.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a publication", deny_unknown_fields)]
#[schemars(rename = "PublishAs")]
pub struct PublishAs {
    /// The stream.
    #[serde(serialize_with = "as_name")]
    pub stream: Spanned<String>,
    /// Subject, matched by the filters of consumers [default: the name of the stream].
    pub subject: Option<Spanned<String>>,
    /// Whether the path waits until the message is stored [default: true].
    pub ack: Option<Spanned<bool>>,
}

/// A cache: `hit`, or `size` and `keys`, from which the hit ratio follows by the approximation of Che, Tung and
/// Wang (2002).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`cache`", deny_unknown_fields)]
#[schemars(rename = "Cache")]
pub struct Cache {
    /// Share of hits.
    pub hit: Option<Spanned<Share>>,
    /// Number of objects that the cache holds, the least recently used out first.
    pub size: Option<Spanned<Count>>,
    /// Number of objects that there are.
    pub keys: Option<Spanned<Count>>,
    /// Exponent of the Zipf law by which objects are asked for [default: 0, all alike].
    pub zipf: Option<Spanned<Number>>,
    /// Steps after a hit [default: none].
    pub found: Option<Vec<Spanned<Step>>>,
    /// Steps after a miss.
    pub miss: Vec<Spanned<Step>>,
}
