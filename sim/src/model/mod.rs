//! The model: a spec lowered to what an engine can run.
//!
//! Names have become indices, paths one flat program, percentages shares and distributions checked samplers. A [`Model`] is
//! always runnable: [`lower`](crate::spec::lower) has found all errors of the spec before. Nothing in it changes during a run,
//! and both worlds read the same one. A spec with actions that can only be sent, without a path, is lowered to a [`LiveModel`],
//! which no simulation takes.

mod action;
mod arrival;
mod client;
mod deliveries;
mod ids;
mod live;
mod load_curve;
mod members;
mod paths;
pub mod rendered;
mod service;
mod shape;
mod size;
mod slo;
mod step;
mod stream;
mod template;
mod texts;

pub use action::Action;
pub use arrival::{Arrival, Recording};
pub use client::{Client, Mix, OnFailure, Rounds, Session, Source};
pub use deliveries::{Await, DOUBLES, Deliverer, token};
pub use ids::{ActionId, ClassId, ClientId, ConsumerId, FanOutId, ServiceId, StreamId};
pub use live::{
    Answer, By, Choice, Condition, Connections, DeliveredAt, InFlightPolicy, MEMBER, MaxInFlight,
    Payload, REQUEST_ID, SERVICE_TIME, SendKind, Sending, VISITS, Variable,
};
pub use load_curve::LoadCurve;
pub use members::{MemberKind, Members};
pub use paths::NoPath;
pub use service::{
    Admission, ColdStart, Dispatch, Down, ErrorBurst, OnTimeout, Order, Outage, Service, SlowDown,
    TokenBucket,
};
pub use shape::{Shape, Then};
pub use size::{SizeDraws, Sizes};
pub use slo::{DeliveryLimits, QuantileLimit, Slo};
pub use step::{Failure, Join, Path, Step, Visit};
pub use stream::{Batch, Consumer, Exhausted, FanOut, Stream};
pub use template::{ENVIRONMENT, PLACES, Piece, Template};
pub use texts::{Looked, Texts};

use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dist::Dist;
use crate::time::{Span, Time};

/// Everything a run needs to know, checked. Whatever has a name is in the order of the names.
///
/// `P` is what is known of the paths of actions. A model is simulated where each action has a [`Path`]; users, measurement
/// and the live world take a [`LiveModel`] as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Model<P = Path> {
    /// The spec's name.
    pub name: String,
    /// Seed of every draw.
    pub seed: u64,
    /// What ends the load, and what is measured of it.
    pub limits: Limits,
    /// Who sends requests; never empty.
    pub clients: Vec<Client>,
    /// What requests are; never empty.
    pub actions: Vec<Action<P>>,
    /// What requests visit.
    pub services: Vec<Service>,
    /// Where messages are kept until their consumers have worked on them.
    pub streams: Vec<Stream>,
    /// Who works on the messages of streams, stream by stream.
    pub consumers: Vec<Consumer>,
    /// Who else gets a message.
    pub fan_outs: Vec<FanOut>,
    /// The names of the classes of requests.
    pub classes: Vec<String>,
    /// Delay of each message between a client and the backend.
    pub one_way: Option<Dist>,
    /// The paths of all actions, one after another, and then those of all consumers.
    pub program: Vec<Step>,
    /// Over which connections users send to a real cluster.
    pub connections: Connections,
    /// How many requests may be in flight together.
    pub max_in_flight: Option<MaxInFlight>,
    /// Words of the spec's own for what is sent to a real cluster.
    pub variables: Vec<Variable>,
    /// Where it comes from, if it was fitted.
    pub fitted: Option<Fitted>,
}

/// A model for a real backend: of actions without a path only their sending is known.
pub type LiveModel = Model<Option<Path>>;

/// Where a fitted model comes from, as its spec has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fitted {
    /// What fitted it.
    pub by: String,
    /// The runs that it was fitted to.
    pub runs: Vec<String>,
    /// Their loads; absent where the spec does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loads: Option<String>,
    /// How well it explains them; absent where the spec does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<String>,
}

/// What bounds a run. At least one of `requests` and `horizon` is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The budget: how many requests may be intended, first ones and follow-ups together.
    pub requests: Option<NonZeroU64>,
    /// No request is intended after this instant.
    pub horizon: Option<Time>,
    /// The measured window starts at this instant.
    pub warmup: Time,
    /// Whether that instant is to be found by a pilot run; until it is, it is 0.
    pub find_warmup: bool,
    /// How long after the end of the load requests in flight may still finish.
    pub drain: Span,
}

impl<P> Model<P> {
    /// The name of a consumer with that of its stream, which only together are unique: `audit/indexer`.
    pub fn consumer_name(&self, id: ConsumerId) -> String {
        let consumer = &self.consumers[id.index()];
        let stream = &self.streams[consumer.stream.index()].name;
        format!("{stream}/{}", consumer.name)
    }

    /// The names of all consumers, each with that of its stream, in their order.
    pub fn consumer_names(&self) -> impl Iterator<Item = String> {
        let ids = (0u16..).map(ConsumerId).zip(&self.consumers);
        ids.map(|(id, _)| self.consumer_name(id))
    }

    /// Whether requests wait where as many are in flight as may be.
    pub fn holds_back(&self) -> bool {
        let own = self.clients.iter().map(|client| client.max_in_flight);
        let mut limits = own.chain([self.max_in_flight]).flatten();
        limits.any(MaxInFlight::delays)
    }
}
