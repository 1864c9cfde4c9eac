//! A request of a user, and its outcomes.

use serde::{Deserialize, Serialize};

use crate::model::{ActionId, ClientId};
use crate::time::Time;

/// A virtual user: a closed client's user, or a session of an open client while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UserId(pub(crate) u32);

impl UserId {
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A request as its user intends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Who waits for the reply.
    pub user: UserId,
    /// The client that the user belongs to.
    pub client: ClientId,
    /// What is asked for.
    pub action: ActionId,
    /// Which try this is: 0 for the first, then the number of the retry.
    pub attempt: u16,
    /// The user's number within its client, or the session's.
    pub user_number: u64,
    /// The request's number within its user, from 0.
    pub number: u64,
    /// When the request should be sent.
    pub intended: Time,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered.
    Ok,
    /// The service answered with an error.
    AppError,
    /// Refused by a full queue or by admission.
    Rejected,
    /// The client gave up waiting.
    TimedOut,
    /// Nobody there to answer, or the connection broke.
    TransportError,
    /// The generator did not send it.
    Dropped,
    /// Still in flight when the drain ended.
    Unresolved,
}

impl Outcome {
    /// Every outcome, in the order of the result document.
    pub const ALL: [Outcome; 7] = [
        Outcome::Ok,
        Outcome::AppError,
        Outcome::Rejected,
        Outcome::TimedOut,
        Outcome::TransportError,
        Outcome::Dropped,
        Outcome::Unresolved,
    ];

    /// Whether a reply ended the request, so that another one is its second.
    #[inline]
    pub fn is_reply(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::AppError | Outcome::Rejected)
    }

    /// The name in the result document.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::AppError => "app_error",
            Outcome::Rejected => "rejected",
            Outcome::TimedOut => "timed_out",
            Outcome::TransportError => "transport_error",
            Outcome::Dropped => "dropped",
            Outcome::Unresolved => "unresolved",
        }
    }
}

/// How a session ended. Every session ends in exactly one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionEnd {
    /// Its last round was answered.
    Completed,
    /// A request of it failed, and retries did not help or were not asked for.
    Cancelled,
    /// Its next request would fall after the horizon, or a request of it was unresolved.
    HorizonInterrupted,
    /// The budget was used up before its next request.
    BudgetExhausted,
}

impl SessionEnd {
    /// Every way, in the order of the result document.
    pub const ALL: [SessionEnd; 4] = [
        SessionEnd::Completed,
        SessionEnd::Cancelled,
        SessionEnd::HorizonInterrupted,
        SessionEnd::BudgetExhausted,
    ];
}
