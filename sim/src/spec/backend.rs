//! The typed syntax of the backend beyond a plain service: orders of queues, disturbances of services, streams and fan-outs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::or_default;
use super::distribution::{Distribution, Duration, Number};
use super::named::{Named, as_name, optional_name};
use super::spanned::Spanned;
use super::steps::Step;
use super::units::{Count, Rate, Share};

/// Parameters of a priority order.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a priority order", deny_unknown_fields)]
#[schemars(rename = "Priority")]
pub struct Priority {
    /// Classes, the most urgent first; requests of none come last. The class is that of the action, or else of the
    /// client.
    pub classes: Option<Spanned<Vec<Spanned<String>>>>,
    /// Waiting time that makes up for one rank [default: unlimited].
    pub ageing: Option<Spanned<Duration>>,
    /// Whether a request interrupts a less urgent one, which goes back into the queue, even a full one, and resumes
    /// later. A held worker is not preempted [default: false].
    pub preempt: Option<Spanned<bool>>,
}

/// Parameters of a fair order.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a fair order", deny_unknown_fields)]
#[schemars(rename = "Fair")]
pub struct Fair {
    /// Weights of clients [default: 1].
    pub weights: Option<Named<Spanned<Number>>>,
}

/// Parameters of processor sharing.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a shared order", deny_unknown_fields)]
#[schemars(rename = "Shared")]
pub struct Shared {
    /// Number of requests that share the workers of a member at once; others wait [default: all].
    pub limit: Option<Spanned<Count>>,
}

/// Growth of service times with the number of busy workers of a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`slower_when_busy`", rename_all = "snake_case")]
#[schemars(rename = "SlowerWhenBusy")]
pub enum SlowerWhenBusy {
    /// The universal scalability law.
    Usl(Scalability),
    /// Measured factors, linear between the points.
    Table(Spanned<Vec<LoadPoint>>),
}

/// The universal scalability law: the factor 1 + contention (n - 1) + coherency n (n - 1) at n busy workers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "the universal scalability law", deny_unknown_fields)]
#[schemars(rename = "Scalability")]
pub struct Scalability {
    /// Serial share.
    pub contention: Spanned<Share>,
    /// Cost of coherency between two workers [default: 0].
    pub coherency: Option<Spanned<Share>>,
}

/// A measured factor of the service time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a point of a table", deny_unknown_fields)]
#[schemars(rename = "LoadPoint")]
pub struct LoadPoint {
    /// Busy workers.
    pub busy: Spanned<Number>,
    /// Factor of the service time.
    pub factor: Spanned<Number>,
}

/// Longer service times after the start and after an outage.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`cold_start`", deny_unknown_fields)]
#[schemars(rename = "ColdStart")]
pub struct ColdStart {
    /// Factor of the service time at first.
    pub factor: Spanned<Number>,
    /// Time in which the factor falls evenly to 1.
    pub lasts: Spanned<Duration>,
}

/// Admission control: a bucket of tokens, a limit on visits, or both. A request that is not let in is `rejected`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`admission`", deny_unknown_fields)]
#[schemars(rename = "Admission")]
pub struct Admission {
    /// Rate of tokens; every visit takes one.
    pub rate: Option<Spanned<Rate>>,
    /// Maximum number of saved tokens [default: 1].
    pub burst: Option<Spanned<Count>>,
    /// Maximum number of visits that wait or are served at the whole service.
    pub in_flight: Option<Spanned<Count>>,
}

/// A time in which a service or a member is down.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an outage", deny_unknown_fields)]
#[schemars(rename = "Outage")]
pub struct Outage {
    /// Start time.
    pub from: Spanned<Duration>,
    /// End time.
    pub to: Spanned<Duration>,
    /// Number of the member, from 1 [default: all].
    pub member: Option<Spanned<Count>>,
    /// Kind of outage [default: gone].
    #[serde(serialize_with = "or_default")]
    pub down: Option<Spanned<Down>>,
}

/// Kind of outage.
#[derive(Debug, Clone, Default, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a way of being down", rename_all = "snake_case")]
#[schemars(rename = "Down")]
pub enum Down {
    /// The process is gone. Work that waits or runs there is lost as `transport_error`; other members get what
    /// comes, and with none left it ends as `transport_error`.
    #[default]
    Gone,
    /// The process hangs. Running work is finished; no work is started.
    Hung,
}

/// A time in which service times are longer.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a slow-down", deny_unknown_fields)]
#[schemars(rename = "SlowDown")]
pub struct SlowDown {
    /// Start time.
    pub from: Spanned<Duration>,
    /// End time.
    pub to: Spanned<Duration>,
    /// Number of the member, from 1 [default: all].
    pub member: Option<Spanned<Count>>,
    /// Factor of the service time of work that starts in this time.
    pub factor: Spanned<Number>,
}

/// A time with another share of errors.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an error burst", deny_unknown_fields)]
#[schemars(rename = "ErrorBurst")]
pub struct ErrorBurst {
    /// Start time.
    pub from: Spanned<Duration>,
    /// End time.
    pub to: Spanned<Duration>,
    /// Share of visits that end in an error.
    pub errors: Spanned<Share>,
}

/// A stream: a log of messages.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a stream", deny_unknown_fields)]
#[schemars(rename = "Stream")]
pub struct Stream {
    /// Time from a publication until the message is stored and acknowledged [default: 0s].
    #[serde(serialize_with = "or_default")]
    pub append: Option<Spanned<Distribution<Duration>>>,
    /// Time in which a message with the id of a stored one is not stored again. The id is that of the request and
    /// the step: a retry publishes under the same [default: none].
    pub duplicate_window: Option<Spanned<Duration>>,
    /// Consumers, which work on the messages, by name.
    pub consumers: Option<Named<Consumer>>,
}

/// A consumer of a stream.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a consumer", deny_unknown_fields)]
#[schemars(rename = "Consumer")]
pub struct Consumer {
    /// Service whose workers work on the deliveries.
    #[serde(serialize_with = "as_name")]
    pub service: Spanned<String>,
    /// Subjects of its messages; `*` stands for one token, `>` for the rest [default: all].
    pub filter: Option<Spanned<Vec<Spanned<String>>>>,
    /// Service time of a delivery, without `during`; not with `batch` [default: `time` of the service].
    pub time: Option<Spanned<Distribution<Duration>>>,
    /// Steps after `time` while the worker is held: the worker is busy for both. Their end is the acknowledgement.
    /// A step `fail` is one too, and answers the user if it waits; any other failure is a nak.
    pub during: Option<Spanned<Vec<Spanned<Step>>>>,
    /// Class of its work at services that serve by priority [default: that of the publishing client].
    pub class: Option<Spanned<String>>,
    /// Maximum number of delivered, not yet acknowledged messages [default: 1000].
    pub max_ack_pending: Option<Spanned<Count>>,
    /// Number of deliveries, or batches, that each member requests beyond its workers; they wait inside the member
    /// [default: 0].
    pub prefetch: Option<Spanned<Count>>,
    /// Time after which an unacknowledged message is redelivered, even while the delivery before is worked on
    /// [default: 30s].
    pub ack_wait: Option<Spanned<Duration>>,
    /// Maximum number of deliveries of a message [default: unlimited].
    pub max_deliver: Option<Spanned<Count>>,
    /// What happens to a message after `max_deliver` deliveries [default: drop].
    pub after_max_deliver: Option<Spanned<AfterMaxDeliver>>,
    /// Delays from a nak to the next delivery, by number of deliveries so far; the last one holds for all further
    /// ones [default: 0s].
    pub nak_delay: Option<Spanned<Vec<Spanned<Duration>>>>,
    /// Messages that are worked on together, in one visit [default: none].
    pub batch: Option<Spanned<Batch>>,
    /// Objectives of the consumer [default: not judged].
    pub slo: Option<Spanned<ConsumerSlo>>,
}

/// Objectives of a consumer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "the `slo` of a consumer", deny_unknown_fields)]
#[schemars(rename = "ConsumerSlo")]
pub struct ConsumerSlo {
    /// Largest allowed growth of the backlog (pending and not acknowledged) over the window.
    pub backlog_growth: Option<Spanned<Rate>>,
    /// Whether the backlog may not grow by more than chance explains; needs 20,000 messages [default: not judged].
    pub no_growth: Option<Spanned<bool>>,
}

/// What happens to a message after `max_deliver` deliveries.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`after_max_deliver`", rename_all = "snake_case")]
#[schemars(rename = "AfterMaxDeliver")]
pub enum AfterMaxDeliver {
    /// It is dropped.
    Drop,
    /// It is published to this stream, with the name of the stream as the subject.
    #[serde(serialize_with = "as_name")]
    Publish(Spanned<String>),
}

/// Batches of messages. Give `size`, `linger`, or both.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "`batch`", deny_unknown_fields)]
#[schemars(rename = "Batch")]
pub struct Batch {
    /// Maximum number of messages, up to `max_ack_pending` [default: `max_ack_pending`].
    pub size: Option<Spanned<Count>>,
    /// Time after its first message at which a batch is closed, full or not [default: unlimited].
    pub linger: Option<Spanned<Duration>>,
    /// Service time of a batch [default: 0s].
    pub per_batch: Option<Spanned<Distribution<Duration>>>,
    /// Service time added by each message in it [default: 0s].
    pub per_item: Option<Spanned<Distribution<Duration>>>,
}

/// A fan-out: a message to many subscribers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a fan-out", deny_unknown_fields)]
#[schemars(rename = "FanOut")]
pub struct FanOut {
    /// Number of subscribers: a whole number, or a distribution (rounded); 1 to 10^6 on average.
    pub subscribers: Spanned<Distribution<Number>>,
    /// Time of a delivery on its way [default: 0s].
    pub delay: Option<Spanned<Distribution<Duration>>>,
    /// Time that the server spends on each delivery, one after another [default: 0s].
    pub each: Option<Spanned<Duration>>,
    /// Share of lost deliveries [default: 0].
    pub loss: Option<Spanned<Share>>,
    /// Time after the emission until which a delivery counts for the completion ratio [default: unlimited].
    pub within: Option<Spanned<Duration>>,
    /// Service, on the side of the subscribers, that each delivery queues for [default: none].
    #[serde(serialize_with = "optional_name")]
    pub service: Option<Spanned<String>>,
}
