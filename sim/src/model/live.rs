//! The live part of a model: how requests are sent to a real cluster. A simulation ignores it.

use std::num::{NonZeroU32, NonZeroUsize};

use super::template::Template;

/// How the requests of an action are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// What ends a request.
    pub kind: SendKind,
    /// Where it is sent, as far as the JetStream API is where it always is.
    pub subject: Template,
    /// The stream that is read, or that has the bucket which is written to.
    pub stream: Option<String>,
    /// Headers beside the request's id, in the order of the spec.
    pub headers: Vec<(String, Template)>,
    /// What it carries.
    pub payload: Payload,
    /// The header with the request's id, where somebody needs one: the subject of the reply says whose request it is.
    pub request_id: Option<String>,
    /// What makes a reply an error; one that says so in the header of a service error always is one.
    pub error_when: Vec<Condition>,
    /// What makes a reply a refusal.
    pub rejected_when: Vec<Condition>,
    /// The headers of replies that are recorded.
    pub record_headers: Vec<String>,
    /// Where the deliveries come that its requests await.
    pub delivery: Option<DeliveredAt>,
}

/// The header with the request's id, unless the spec names another one.
pub const REQUEST_ID: &str = "Blis-Request";
/// The header of a double's reply with the line that served the request: the member, from 0.
pub const MEMBER: &str = "Blis-Member";
/// The header of a double's reply with the pure service time in nanoseconds, all visits together.
pub const SERVICE_TIME: &str = "Blis-Service-Time-Ns";

/// The header of a double's reply with each visit of the request, where they are not one visit of one service:
/// `SERVICE/MEMBER/NANOSECONDS`, with commas between.
pub const VISITS: &str = "Blis-Visits";

/// What may hold for a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It has this header, with this value if one is given.
    Header {
        /// The header.
        name: String,
        /// Its value.
        is: Option<String>,
    },
    /// Its body is JSON and has something at this pointer (RFC 6901), which is this text if one is given.
    Json {
        /// The pointer.
        pointer: String,
        /// A string as it is, anything else as JSON writes it.
        is: Option<String>,
    },
    /// Its body holds this text.
    Text(String),
    /// Its status line has this code, with this description if one is given.
    Status {
        /// The code, such as 404.
        code: u16,
        /// What stands after it.
        is: Option<String>,
    },
}

/// Where deliveries come that requests await, and what says which request they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredAt {
    /// Where they are delivered; its places are wildcards of the subscription.
    pub subject: Template,
    /// What names the request in a delivery.
    pub by: By,
    /// What is found there.
    pub equals: Template,
    /// A message for which none of these holds is no delivery; without any, every message is one.
    pub when: Vec<Condition>,
}

/// What names the request in a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// This header.
    Header(String),
    /// The token of the subject with this number, from 1.
    Token(NonZeroUsize),
    /// What is at this pointer (RFC 6901) of a body that is JSON.
    Json(String),
}

/// A word of the spec's own for templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The word.
    pub name: String,
    /// What it may stand for, each equally likely.
    pub choice: Choice,
    /// Whether each user has one value for all its requests.
    pub of_user: bool,
}

/// What a variable may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// One of these; never empty.
    OneOf(Vec<String>),
    /// A whole number from the first to the last.
    Range(u64, u64),
}

impl Choice {
    /// The most bytes of what it may stand for.
    pub fn longest(&self) -> usize {
        match self {
            Choice::OneOf(texts) => texts.iter().map(String::len).max().unwrap_or(0),
            Choice::Range(_, to) => to.to_string().len(),
        }
    }
}

/// How many requests may be in flight together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxInFlight {
    /// This many.
    pub limit: NonZeroU32,
    /// What happens to one that is too many.
    pub policy: InFlightPolicy,
}

impl MaxInFlight {
    /// Whether requests wait until there is room for them.
    pub fn delays(self) -> bool {
        self.policy == InFlightPolicy::Delay
    }
}

/// What happens to a request that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlightPolicy {
    /// It is not sent.
    Drop,
    /// It is sent when there is room.
    Delay,
}

/// What ends a request in the live world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendKind {
    /// The reply.
    Request,
    /// The connection has taken it.
    Publish,
    /// The acknowledgement of a stream.
    Jetstream,
    /// The acknowledgement of a bucket, for a key that is written.
    KvPut,
    /// The same for a key that must not be there yet.
    KvCreate,
    /// The value of a key, or that there is none.
    KvGet,
    /// A message of a stream, or that there is none.
    DirectGet,
}

/// What answers a request in the live world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// The reply of a service.
    Reply,
    /// The acknowledgement of a stream.
    Acknowledgement,
    /// A message that a stream has stored.
    Stored,
}

impl SendKind {
    /// What answers it.
    pub fn answer(self) -> Answer {
        match self {
            SendKind::Publish => Answer::Nothing,
            SendKind::Request => Answer::Reply,
            SendKind::Jetstream | SendKind::KvPut | SendKind::KvCreate => Answer::Acknowledgement,
            SendKind::KvGet | SendKind::DirectGet => Answer::Stored,
        }
    }

    /// The key of a spec that says so.
    pub fn word(self) -> &'static str {
        match self {
            SendKind::Request => "request",
            SendKind::Publish => "publish",
            SendKind::Jetstream => "jetstream",
            SendKind::KvPut => "kv_put",
            SendKind::KvCreate => "kv_create",
            SendKind::KvGet => "kv_get",
            SendKind::DirectGet => "direct_get",
        }
    }
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// This many bytes of filling.
    Size(usize),
    /// As many bytes of filling as the action's [`Sizes`](super::Sizes) say, up to these.
    Drawn {
        /// The largest size.
        most: usize,
    },
    /// A text.
    Text(Template),
}

/// Over which connections users send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connections {
    /// Each closed user has its own, and all sessions of open clients share one.
    #[default]
    PerUser,
    /// This many are shared by all, in turn.
    Pool(NonZeroU32),
}
