//! What is played elsewhere: a backend whose services, streams and subscribers are not all its own.
//!
//! A simulation plays everything itself. The double of a backend leaves members of services to other processes, streams
//! to a real server and fan-outs to real subscribers. What a path asks of them is an [`Errand`], which whoever drives the
//! backend carries out; what comes of it is told by [`Backend::returned`]. Work that others hand in enters by
//! [`Backend::take_call`] and [`Backend::work`].
//!
//! Guarantees:
//! - A job that waits for an errand does nothing else until it returns, and holds the workers that it held before.
//! - The demands of what is handed on are those that they would be here: a [`Call`] and a [`Message`] carry the identity
//!   that they are drawn from.
//! - A visit that holds its worker while the path goes on is never handed on: its path holds a worker here.

use std::collections::VecDeque;

use super::frame::{Ending, Frame};
use super::job::{Job, NONE, State};
use super::program::{Op, Program};
use super::{Backend, Reply};
use crate::engine::{Arena, Calendar, FlightId, Task};
use crate::event::{Outcome, Request, Sink};
use crate::model::{ActionId, ConsumerId, FanOutId, Model, ServiceId, StreamId};
use crate::time::{Span, Time};

/// What a path asks of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// A visit of a service whose member is elsewhere. The job waits.
    Visit {
        /// Who waits.
        job: u32,
        /// The request on whose behalf the visit is.
        flight: FlightId,
        /// Where to.
        service: ServiceId,
        /// What is handed on.
        call: Call,
    },
    /// A message for a stream.
    Publish {
        /// Who waits until it is stored, if anybody does.
        job: Option<u32>,
        /// The request on whose behalf it is published.
        flight: FlightId,
        /// The stream.
        stream: StreamId,
        /// Its subject.
        subject: String,
        /// The id by which the stream knows a retry, unlike for every request and every publishing step.
        id: u64,
        /// What its consumers need to know.
        message: Message,
    },
    /// The work that was handed in under this ticket has ended.
    Settled {
        /// Which.
        ticket: u32,
        /// How.
        end: WorkEnd,
    },
    /// A delivery of a fan-out.
    Deliver {
        /// Of which.
        fan_out: FanOutId,
        /// Its number within the emission.
        number: u32,
        /// When it reaches its subscriber, which may lie ahead.
        at: Time,
        /// The request on whose behalf it is.
        flight: FlightId,
    },
}

/// A visit that is handed on, with all that its demand depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What its draws are made from.
    pub identity: u64,
    /// The position of the visit in the program, which is the same wherever the same spec is played.
    pub step: u32,
    /// Whose path it is.
    pub path: u16,
    /// On whose behalf.
    pub client: u16,
    /// Which try.
    pub attempt: u16,
}

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

/// How work on a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkEnd {
    /// It was done.
    Acknowledged,
    /// It failed.
    Naked,
    /// The process that worked on it is gone: nobody tells the stream.
    Lost,
}

/// Work that was handed in.
#[derive(Debug, Clone, Copy)]
struct Work {
    ticket: u32,
    member: u32,
    /// What a batch costs.
    cost: Option<Span>,
}

/// What a backend keeps that is not alone.
#[derive(Debug, Clone)]
pub(super) struct Outside {
    errands: VecDeque<Errand>,
    works: Arena<Work>,
    /// The member that the next visit joins, where somebody else has chosen it.
    given: Option<u32>,
    /// Which lines are played here.
    here: Vec<bool>,
}

impl Backend {
    /// The backend of a model that leaves streams and subscribers to others, and services as [`Backend::play`] says; all
    /// are played here at first.
    pub fn open(model: &Model) -> Backend {
        let mut backend = Backend::new(model);
        backend.program.add_calls();
        // Only visits that take the longer way can be handed on.
        for station in &mut backend.stations {
            station.special = true;
        }
        backend.outside = Some(Box::new(Outside {
            errands: VecDeque::new(),
            works: Arena::new(),
            given: None,
            here: vec![true; backend.lines.len()],
        }));
        backend
    }

    /// Which members of a service are played here; those that are not get no further visits. A service whose members
    /// take from one line has one place.
    pub fn play(&mut self, service: ServiceId, places: &[bool]) {
        let lines = self.stations[service.index()].all_lines();
        let all = places.iter().any(|here| *here);
        if let Some(outside) = &mut self.outside {
            for (place, line) in lines.enumerate() {
                outside.here[line as usize] = places.get(place).copied().unwrap_or(all);
            }
        }
    }

    /// The next thing that a path asks of others.
    pub fn take_errand(&mut self) -> Option<Errand> {
        self.outside.as_mut()?.errands.pop_front()
    }

    fn ask(&mut self, errand: Errand) {
        if let Some(outside) = &mut self.outside {
            outside.errands.push_back(errand);
        }
    }

    /// The lines of a service: those of its members, or the one that all take from.
    pub fn lines_of(&self, service: ServiceId) -> std::ops::Range<u32> {
        self.stations[service.index()].all_lines()
    }

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

    /// The line of the member that somebody else chose for the visit that begins now, unless it is gone.
    pub(super) fn given_line(&mut self, service: ServiceId) -> Option<u32> {
        let member = self.outside.as_mut()?.given.take()?;
        let line = self.stations[service.index()].first_line + member;
        let known = self.stations[service.index()].all_lines().contains(&line);
        (known && !self.lines[line as usize].gone).then_some(line)
    }

    /// Hands a visit on when its line is not played here; whether it was.
    pub(super) fn hand_on(&mut self, id: u32, service: ServiceId, line: u32) -> bool {
        let Some(outside) = &self.outside else {
            return false;
        };
        if outside.here[line as usize] || self.holds_here(id) || self.dealt_to(id).is_some() {
            return false;
        }
        let job = &mut self.jobs[id];
        job.service = service;
        let (flight, call) = (
            job.flight,
            Call {
                identity: job.identity,
                step: job.step - 1,
                path: job.path,
                client: job.client,
                attempt: job.attempt,
            },
        );
        self.ask(Errand::Visit {
            job: id,
            flight,
            service,
            call,
        });
        true
    }

    /// Whether the visit that a job begins holds its worker for the path.
    fn holds_here(&self, id: u32) -> bool {
        match self.program.ops[self.jobs[id].step as usize - 1] {
            Op::VisitAs(visit) => self.program.visits[visit as usize].holds,
            _ => false,
        }
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
            failure => self.fail_now(now, job, Ending::Failed(failure), calendar, sink),
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
        let entry = *self.program.calls.get(&call.step)?;
        let known = usize::from(call.path) < self.paths.len()
            && usize::from(call.client) < self.request_keys.len();
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
        let id = self.add_job(job, now);
        self.remember(flight, id);
        self.give(member);
        let reply = self.walk(now, id, calendar, sink);
        self.give(None);
        Some(reply)
    }

    /// Takes the work on deliveries of a consumer: one, or those of a batch. Its end is an errand with this ticket.
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
        let begun = self.delivery_of(consumer, deliveries)?;
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
            frame: self.frames.insert(Frame::Handed { work }),
            answered: begun.cost.is_some() || first.message.answered,
            ..blank(now, flight)
        };
        let id = self.add_job(job, now);
        self.remember(flight, id);
        self.walk(now, id, calendar, sink)
    }

    /// The member that work was handed to.
    pub(super) fn handed_to(&self, work: u32) -> Option<u32> {
        Some(self.outside.as_ref()?.works[work].member)
    }

    /// What a batch that was handed in costs.
    pub(super) fn handed_cost(&self, work: u32) -> Option<Span> {
        self.outside.as_ref()?.works[work].cost
    }

    /// Work that was handed in has ended.
    pub(super) fn work_ended(&mut self, work: u32, ending: Ending) {
        let Some(outside) = &mut self.outside else {
            return;
        };
        let Work { ticket, .. } = outside.works[work];
        outside.works.remove(work);
        let end = match ending {
            Ending::Well | Ending::Declined(_) => WorkEnd::Acknowledged,
            Ending::Failed(_) | Ending::GaveUp => WorkEnd::Naked,
            Ending::Lost => WorkEnd::Lost,
        };
        self.ask(Errand::Settled { ticket, end });
    }

    /// A job publishes to a stream that is elsewhere; whether it waits.
    pub(super) fn publish_outside(&mut self, id: u32, publication: u32) -> bool {
        let job = self.jobs[id];
        let step = &self.program.publications[publication as usize];
        let (stream, subject, waits) = (step.stream, step.subject.clone(), step.acknowledged);
        let (message_id, identity) =
            self.message_identity(publication, job.path, job.identity, job.attempt);
        self.ask(Errand::Publish {
            job: waits.then_some(id),
            flight: job.flight,
            stream,
            subject,
            id: message_id,
            message: Message {
                identity,
                client: job.client,
                answered: job.answered,
            },
        });
        waits
    }

    /// The message that a user sends to a stream with its own hands: that of the publication that the path of its action
    /// begins with, if it begins with one.
    pub fn message_of(&self, request: &Request) -> Option<Message> {
        let path = self.paths.get(request.action.index())?;
        let Op::Publish(publication) = *self.program.ops.get(path.entry as usize)? else {
            return None;
        };
        let key = self.request_keys.get(request.client.index())?;
        let identity = key.identity(request.user_number, request.number);
        let (_, identity) =
            self.message_identity(publication, request.action.0, identity, request.attempt);
        Some(Message {
            identity,
            client: request.client.0,
            answered: true,
        })
    }

    /// The stream that the path of an action publishes to before anything else, if it begins so.
    pub fn begins_with_stream(&self, action: ActionId) -> Option<StreamId> {
        let path = self.paths.get(action.index())?;
        let Op::Publish(publication) = *self.program.ops.get(path.entry as usize)? else {
            return None;
        };
        Some(self.program.publications[publication as usize].stream)
    }

    /// The message that a consumer publishes in place of one that it has given up.
    pub fn dead(&self, consumer: ConsumerId, message: Message) -> Message {
        let delivered = Delivered {
            message,
            delivery: 1,
        };
        let begun = self.delivery_of(consumer, &[delivered]);
        Message {
            identity: begun.map_or(message.identity, |begun| begun.identity),
            ..message
        }
    }

    /// Whether the path of an action answers its user itself, on some way at least; otherwise a consumer does.
    pub fn answers_itself(&self, action: ActionId) -> bool {
        let path = self.path_ops(action).unwrap_or_default();
        path.iter()
            .any(|op| matches!(op, Op::Reply | Op::ReplyAndEnd))
    }

    /// The steps of an action's path.
    fn path_ops(&self, action: ActionId) -> Option<&[Op]> {
        let entry = self.paths.get(action.index())?.entry as usize;
        let others = self.paths.iter().map(|path| path.entry as usize);
        let end = others.filter(|at| *at > entry).min();
        let end = end.unwrap_or(self.program.end as usize);
        self.program.ops.get(entry..end)
    }

    /// The service that the path of an action visits first, and whether that is its first step; `None` when it visits
    /// none.
    pub fn entrance(&self, action: ActionId) -> Option<(ServiceId, bool)> {
        let path = self.path_ops(action)?;
        let mut visits = path.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Visit(service, _) => Some((*service, at == 0)),
            Op::VisitAs(visit) => Some((self.program.visits[*visit as usize].service, at == 0)),
            _ => None,
        });
        visits.next()
    }

    /// Hands on the deliveries of an emission whose subscribers are elsewhere.
    pub(super) fn deliver_outside(
        &mut self,
        fan_out: FanOutId,
        flight: FlightId,
        reached: impl Iterator<Item = (u32, Time)>,
    ) {
        if let Some(outside) = &mut self.outside {
            outside
                .errands
                .extend(reached.map(|(number, at)| Errand::Deliver {
                    fan_out,
                    number,
                    at,
                    flight,
                }));
        }
    }

    /// Whether streams and subscribers are elsewhere.
    pub(super) fn is_open(&self) -> bool {
        self.outside.is_some()
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

impl Program {
    /// For every visit a path of its own, which ends with it: what a process does for another one.
    fn add_calls(&mut self) {
        for at in 0..self.ops.len() as u32 {
            let visit = match self.ops[at as usize] {
                Op::VisitAs(visit) => {
                    let mut alone = self.visits[visit as usize].clone();
                    (alone.holds, alone.begins_delivery) = (false, false);
                    self.visits.push(alone);
                    Op::VisitAs(self.visits.len() as u32 - 1)
                }
                visit @ Op::Visit(..) => visit,
                _ => continue,
            };
            self.calls.insert(at, self.ops.len() as u32);
            self.ops.extend([visit, Op::ReplyAndEnd]);
        }
    }
}
