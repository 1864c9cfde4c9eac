//! The backend model: what happens to a request between sending and reply.
//!
//! A request enters as a job and walks the path of its action, a small program of steps. It knows nothing of its client, and
//! the client sees only the reply: a timeout concerns the client alone, unless the service lets work leave or abandons it.
//!
//! Guarantees:
//! - A queue is first-in, first-out, and no worker is idle while a request that it could serve waits in its queue.
//! - The demands of a request (service times, errors, branches, member, network) are drawn from its identity, the visit and
//!   the attempt: they do not depend on other events.
//! - Every visit that arrives is completed, leaves, is abandoned, or is reported as cut off at the end.

//!
//! It consists of parts, each of which owns what it keeps: requests and replies at its edge, the jobs that walk along paths,
//! their visits of services, streams, fan-outs, what is handed out, and what is played elsewhere. What concerns one part is a function of that part;
//! what leads from one to another is one of the backend, and stands in the file of the part where it begins.

mod fan_out;
mod moment;
mod output;
mod outside;
mod recorded;
mod reply;
mod request;
mod streams;
mod timers;
mod visits;
mod walk;

pub use output::Output;
pub use outside::{Call, Delivered, Message, WorkEnd};
pub use recorded::{RecordedVisit, RecordedVisits};
pub(crate) use reply::Replies;
pub use reply::Reply;
pub(crate) use request::keys as request_keys;
pub(crate) use visits::{Station, plain_stations};
pub(crate) use walk::{Op, Paths, ordinal};

use crate::engine::{Calendar, Task};
use crate::event::Sink;
use crate::model::Model;
use crate::time::Time;
use fan_out::FanOuts;
use moment::Moment;
use output::Outputs;
use outside::Outside;
use request::Requests;
use streams::Streams;
use visits::Visits;
use walk::Jobs;

/// The simulated backend.
#[derive(Debug, Clone)]
pub struct Backend {
    requests: Requests,
    paths: Paths,
    jobs: Jobs,
    visits: Visits,
    replies: Replies,
    streams: Streams,
    fan_outs: FanOuts,
    outputs: Outputs,
    /// What there is beside it, where it does not play everything itself.
    outside: Option<Box<Outside>>,
    /// What was recorded of visits, where a record is replayed with them.
    recorded: Option<Box<RecordedVisits>>,
}

impl Backend {
    /// The backend of a model, with nothing in it.
    pub fn new(model: &Model) -> Backend {
        let paths = Paths::new(model);
        let visits = Visits::new(
            model,
            paths.program.visits.iter().map(|visit| visit.service),
        );
        let keeps_sides = visits.keep_sides() || !model.fan_outs.is_empty();
        Backend {
            requests: Requests::new(model, visits.heed_timeouts(), keeps_sides),
            paths,
            jobs: Jobs::new(keeps_sides),
            visits,
            replies: Replies::new(model),
            streams: Streams::new(model),
            fan_outs: FanOuts::new(model),
            outputs: Outputs::default(),
            outside: None,
            recorded: None,
        }
    }

    /// How much work there is, with or without a client.
    pub fn len(&self) -> usize {
        self.jobs.len() + self.replies.len() + self.streams.len() + self.fan_outs.len()
    }

    /// Whether no work is left, with or without a client.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reports what is still waiting or running when the run ends.
    pub fn finish<S: Sink>(&mut self, now: Time, calendar: &mut Calendar<Task>, sink: &mut S) {
        self.cut_visits(now, sink);
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        self.cut_busy_workers(m);
        self.streams.cut_messages(m);
        self.fan_outs.cut_emissions(m);
    }
}
