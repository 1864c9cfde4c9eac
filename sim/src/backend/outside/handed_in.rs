//! Work handed in: requests and visits whose members others have chosen, and deliveries.

use super::{Call, Work};
use crate::backend::visits::Dealt;
use crate::backend::walk::{Ending, Frame, Job, NONE, Op, State};
use crate::backend::{Backend, Moment, Reply};
use crate::engine::{Calendar, Task};
use crate::event::{FlightId, Outcome, Request, Sink};
use crate::model::{ConsumerId, ServiceId};
use crate::time::Time;

/// A message of a stream, with all that the demands of its deliveries depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// What its draws are made from.
    pub identity: u64,
    /// On whose behalf.
    pub client: u16,
    /// Whether nobody waits for an answer.
    pub answered: bool,
}

/// A delivery of a message to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The message.
    pub message: Message,
    /// Which delivery of it this is, from 1.
    pub delivery: u32,
}

impl Backend {
    /// Takes a request that is sent now, as [`Backend::submit`] does, whose first visit joins this member.
    #[allow(clippy::too_many_arguments)]
    pub fn submit_to<S: Sink>(
        &mut self,
        member: Option<u32>,
        now: Time,
        flight: FlightId,
        request: &Request,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        self.give(member);
        let reply = self.submit(now, flight, request, Time::NEVER, calendar, sink);
        self.give(None);
        reply
    }

    fn give(&mut self, member: Option<u32>) {
        if let Some(outside) = &mut self.outside {
            outside.given = member;
        }
    }

    /// The queue of the member that somebody else chose for the visit that begins now, unless it is gone.
    pub(crate) fn given_line(&mut self, service: ServiceId) -> Option<u32> {
        let member = self.outside.as_mut()?.given.take()?;
        self.visits.line_of(service, member)
    }

    /// What a job waited for has come to this end.
    pub fn returned<S: Sink>(
        &mut self,
        now: Time,
        job: u32,
        outcome: Outcome,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        match outcome {
            Outcome::Ok => self.arrived(now, job, calendar, sink),
            failure => {
                let m = &mut Moment {
                    now,
                    calendar,
                    sink,
                };
                self.fail(job, Ending::Failed(failure), m)
            }
        }
    }

    /// Takes a visit that was handed on. `None` when it is no visit of this program.
    #[allow(clippy::too_many_arguments)]
    pub fn take_call<S: Sink>(
        &mut self,
        member: Option<u32>,
        now: Time,
        flight: FlightId,
        call: Call,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Option<Reply>> {
        let entry = *self.paths.program.calls.get(&call.step)?;
        let known = usize::from(call.path) < self.paths.len()
            && usize::from(call.client) < self.requests.clients();
        if !known {
            return None;
        }
        let job = Job {
            identity: call.identity,
            path: call.path,
            client: call.client,
            attempt: call.attempt,
            step: entry,
            ..blank(now, flight)
        };
        let id = self.jobs.add(job, now);
        self.requests.remember(flight, id);
        self.give(member);
        let reply = self.walk(now, id, calendar, sink);
        self.give(None);
        Some(reply)
    }

    /// Takes the work on deliveries of a consumer: one, or those of a batch. Its end is handed out with this ticket.
    #[allow(clippy::too_many_arguments)]
    pub fn work<S: Sink>(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        member: u32,
        ticket: u32,
        flight: FlightId,
        deliveries: &[Delivered],
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let begun = self.streams.delivery_of(consumer, deliveries)?;
        let Some(outside) = &mut self.outside else {
            return None;
        };
        let work = outside.works.insert(Work {
            ticket,
            member,
            cost: begun.cost,
        });
        let first = deliveries.first()?;
        let job = Job {
            identity: begun.identity,
            path: begun.path,
            client: first.message.client,
            attempt: u16::try_from(first.delivery.saturating_sub(1)).unwrap_or(u16::MAX),
            step: begun.entry,
            answered: begun.cost.is_some() || first.message.answered,
            ..blank(now, flight)
        };
        let id = self.jobs.add_owing(Frame::Handed { work }, job, now);
        self.requests.remember(flight, id);
        self.walk(now, id, calendar, sink)
    }

    /// To whom work was handed, and what it costs where it is a batch.
    pub(crate) fn handed_work(&self, work: u32) -> Option<Dealt> {
        let Work { member, cost, .. } = self.outside.as_ref()?.works[work];
        Some(Dealt { member, cost })
    }

    /// The message that a user sends to a stream with its own hands: that of the publication that the path of its action
    /// begins with, if it begins with one.
    pub fn message_of(&self, request: &Request) -> Option<Message> {
        let entry = self.paths.entry(request.action.0)?;
        let Op::Publish(publication) = *self.paths.program.ops.get(entry as usize)? else {
            return None;
        };
        let identity = self.requests.identity(request)?;
        let (_, identity) =
            self.message_identity(publication, request.action.0, identity, request.attempt);
        Some(Message {
            identity,
            client: request.client.0,
            answered: true,
        })
    }

    /// The message that a consumer publishes in place of one that it has given up.
    pub fn dead(&self, consumer: ConsumerId, message: Message) -> Message {
        let delivered = Delivered {
            message,
            delivery: 1,
        };
        let begun = self.streams.delivery_of(consumer, &[delivered]);
        Message {
            identity: begun.map_or(message.identity, |begun| begun.identity),
            ..message
        }
    }
}

/// A job that stands nowhere yet.
fn blank(now: Time, flight: FlightId) -> Job {
    Job {
        flight,
        identity: 0,
        deadline: Time::NEVER,
        since: now,
        step: 0,
        line: NONE,
        previous: NONE,
        next: NONE,
        frame: NONE,
        path: 0,
        client: 0,
        service: ServiceId(0),
        attempt: 0,
        visit: 0,
        state: State::Moving,
        answered: false,
    }
}
