//! Steps of paths, which stand one after another in the program of a model.

use super::ids::{ConsumerId, FanOutId, ServiceId, StreamId};
use crate::dist::Dist;

/// What the requests of an action do in the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Where it starts in [`Model::program`](super::Model::program).
    pub entry: u32,
    /// Whether the request is done when it is sent: nothing on its path ever answers.
    pub fire_and_forget: bool,
}

/// A step of a path. Targets are positions in [`Model::program`](super::Model::program).
///
/// The paths of other actions that an action calls stand where they are called. A cache is a branch.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Wait for a worker of a service and be served.
    Visit(Visit),
    /// The worker of the innermost visit that holds one is let go.
    Release,
    /// Wait, without a worker.
    Delay(Dist),
    /// Answer the user with `ok`; the rest of the path goes on without it.
    Reply,
    /// Answer the user with a failure, unless it has an answer; the path ends, and every worker that it holds is let go.
    Fail(Failure),
    /// Go on at one of these positions: (cumulative share, target); the last share is 1.
    Branch(Vec<(f64, u32)>),
    /// Go several ways at once.
    Fork {
        /// Where the arms start; each ends with [`Step::End`]. No arm answers the user.
        arms: Vec<u32>,
        /// What the path waits for before it goes on with the next step.
        join: Join,
    },
    /// Append a message to a stream.
    Publish {
        /// The stream.
        stream: StreamId,
        /// The subject of the message, by which a real stream knows it.
        subject: String,
        /// Whether the path waits until the message is stored.
        acknowledged: bool,
        /// The consumers whose filters match its subject; ascending.
        consumers: Vec<ConsumerId>,
    },
    /// Send a message to all subscribers of a fan-out; the path goes on at once.
    Emit(FanOutId),
    /// Go on at another position.
    Jump(u32),
    /// The path, or the arm of a fork, is done.
    End,
}

/// A visit of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Which service.
    pub service: ServiceId,
    /// Its service time where it is not the service's own.
    pub time: Option<Dist>,
    /// Whether the worker is held, after the service time, until the matching [`Step::Release`].
    pub holds: bool,
}

/// What a path that goes several ways at once waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Until all arms are done; a failure of an arm is a failure of the path.
    All,
    /// Until one arm is done, which decides; the others go on for themselves.
    First,
    /// For nothing; what becomes of the arms does not concern the path.
    None,
}

/// How a path can fail on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The service answers with an error.
    AppError,
    /// Refused by admission.
    Rejected,
    /// Nobody answers, or the connection breaks.
    TransportError,
}
