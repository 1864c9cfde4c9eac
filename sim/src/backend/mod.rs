//! The backend model: what becomes of a request between its sending and its reply.
//!
//! A request enters as a job and walks the path of its action, a small program of steps. It learns nothing
//! of its client, and its client nothing of it but the reply: a timeout is the client's affair unless the
//! service says that work whose client has given up leaves or is abandoned.
//!
//! Guarantees:
//! - A line is first-in, first-out, and no worker is idle while a request that it could serve waits in its line.
//! - The demands of a request (service times, errors, branches, member, network) are drawn from its identity,
//!   the visit and the attempt: they do not depend on what else happens.
//! - Every visit that arrives is completed, leaves, is abandoned, or is reported as cut off at the end.

mod job;
mod program;
mod station;

use crate::dist::Dist;
use crate::engine::{Arena, Calendar, FlightId, Task};
use crate::event::{Event, Outcome, Request, Sink, VisitStep};
use crate::model::{Model, OnTimeout, ServiceId};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};
use job::{Job, Jobs, NONE, State};
use program::{Branch, Delay, Op, Program};
use station::{Line, Station};

/// A reply that has reached its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Of which request.
    pub flight: FlightId,
    /// How it ended.
    pub outcome: Outcome,
}

/// The simulated backend.
#[derive(Debug, Clone)]
pub struct Backend {
    stations: Vec<Station>,
    lines: Vec<Line>,
    jobs: Jobs,
    /// Replies on their way through the network.
    replies: Arena<Reply>,
    program: Program,
    paths: Vec<Path>,
    /// The keys of the requests' identities, by client.
    request_keys: Vec<Key>,
    one_way: Option<(Dist, Key)>,
    /// The job of each request in flight, by slot, kept only if some service heeds timeouts.
    job_of: Option<Vec<u32>>,
}

/// Where an action's path starts, and the keys of its draws.
#[derive(Debug, Clone, Copy)]
struct Path {
    entry: u32,
    branch: Key,
    delay: Key,
}

/// How a service receives a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// It waits or is served.
    Taken,
    /// The line is full.
    Refused,
    /// Its client has given up before it came, and the service heeds that.
    Gone,
}

impl Backend {
    /// The backend of a model, with nothing in it.
    pub fn new(model: &Model) -> Backend {
        let mut lines = Vec::new();
        let services = model.services.iter();
        let stations: Vec<Station> = services
            .map(|service| Station::new(model.seed, service, &mut lines))
            .collect();
        let paths = model.actions.iter().map(|action| {
            let key = |purpose| Key::new(model.seed, Kind::Action, &action.name, purpose);
            let (branch, delay) = (key(Purpose::Branch), key(Purpose::Delay));
            Path {
                entry: action.entry,
                branch,
                delay,
            }
        });
        let request_keys = model
            .clients
            .iter()
            .map(|client| Key::new(model.seed, Kind::Client, &client.name, Purpose::Request));
        let network_key = Key::new(model.seed, Kind::Network, "network", Purpose::Network);
        let heeds = stations
            .iter()
            .any(|station| station.on_timeout != OnTimeout::Stay);
        Backend {
            paths: paths.collect(),
            request_keys: request_keys.collect(),
            stations,
            lines,
            jobs: Arena::new(),
            replies: Arena::new(),
            program: Program::new(model),
            one_way: model.one_way.clone().map(|one_way| (one_way, network_key)),
            job_of: heeds.then(Vec::new),
        }
    }

    /// How much work there is, with or without a client.
    pub fn len(&self) -> usize {
        self.jobs.len() + self.replies.len()
    }

    /// Whether no work is left, with or without a client.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.replies.is_empty()
    }

    /// Takes a request that is sent now. The reply is returned if it comes at once.
    #[inline(always)]
    pub fn submit<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        request: &Request,
        deadline: Time,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let key = self.request_keys[request.client.index()];
        let identity = key.identity(request.user_number, request.number);
        let step = self.paths[request.action.index()].entry;
        let id = self.jobs.take(|| Job {
            flight,
            identity,
            deadline,
            since: now,
            step,
            action: request.action,
            service: ServiceId(0),
            line: NONE,
            previous: NONE,
            next: NONE,
            attempt: request.attempt,
            visit: 0,
            state: State::Moving,
            answered: false,
        });
        // What a visit sets is left as it is.
        let job = &mut self.jobs[id];
        job.flight = flight;
        job.identity = identity;
        job.deadline = deadline;
        job.step = step;
        job.action = request.action;
        job.attempt = request.attempt;
        job.state = State::Moving;
        job.answered = false;
        let ordinal = job.ordinal(0);
        self.remember(flight, id);
        if let Some((one_way, key)) = &self.one_way {
            let delay = one_way.sample_span(&mut key.draw(identity, ordinal));
            calendar.push(now + delay, Task::Arrived(id));
            return None;
        }
        self.walk(now, id, calendar, sink)
    }

    #[inline(always)]
    fn remember(&mut self, flight: FlightId, job: u32) {
        if let Some(job_of) = &mut self.job_of {
            if flight.slot() >= job_of.len() {
                job_of.resize(flight.slot() + 1, NONE);
            }
            job_of[flight.slot()] = job;
        }
    }

    /// A job has arrived at its next step.
    #[inline(never)]
    pub fn arrived<S: Sink>(
        &mut self,
        now: Time,
        job: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        self.walk(now, job, calendar, sink)
    }

    /// A reply has come through the network.
    pub fn delivered(&mut self, reply: u32) -> Reply {
        let delivered = self.replies[reply];
        self.replies.remove(reply);
        delivered
    }

    /// Walks a path until it waits for something or ends; at most one reply comes of it.
    #[inline(always)]
    fn walk<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let mut reply = None;
        loop {
            let job = &mut self.jobs[id];
            let at = job.step;
            job.step += 1;
            match self.program.ops[at as usize] {
                Op::Visit(service, ordinal) => {
                    job.visit = ordinal;
                    if self.visit(now, id, service, calendar, sink) == Entry::Refused {
                        return reply.or(self.fail(now, id, Outcome::Rejected, calendar));
                    }
                    return reply;
                }
                Op::ReplyAndEnd => {
                    reply = self.answer(now, id, Outcome::Ok, calendar);
                    self.jobs.remove(id);
                    return reply;
                }
                Op::Reply => reply = self.answer(now, id, Outcome::Ok, calendar),
                Op::End => {
                    self.jobs.remove(id);
                    return reply;
                }
                Op::Jump(target) => job.step = target,
                Op::Branch(branch) => {
                    let Branch { arms, ordinal } = &self.program.branches[branch as usize];
                    let key = self.paths[job.action.index()].branch;
                    let unit = key.draw(job.identity, job.ordinal(*ordinal)).unit();
                    if let Some((_, target)) =
                        arms.iter().find(|(upto, _)| unit < *upto).or(arms.last())
                    {
                        job.step = *target;
                    }
                }
                Op::Delay(delay) => {
                    let Delay { length, ordinal } = &self.program.delays[delay as usize];
                    let key = self.paths[job.action.index()].delay;
                    let mut draw = key.draw(job.identity, job.ordinal(*ordinal));
                    calendar.push(now + length.sample_span(&mut draw), Task::Arrived(id));
                    return reply;
                }
                Op::Fail(outcome) => return reply.or(self.fail(now, id, outcome, calendar)),
            }
        }
    }

    /// Ends a path with a failure, which is the reply unless one was given before.
    fn fail(
        &mut self,
        now: Time,
        id: u32,
        outcome: Outcome,
        calendar: &mut Calendar<Task>,
    ) -> Option<Reply> {
        let reply = if self.jobs[id].answered {
            None
        } else {
            self.answer(now, id, outcome, calendar)
        };
        self.jobs.remove(id);
        reply
    }

    /// Sends the job's reply: it is returned if it needs no time, otherwise the calendar delivers it.
    #[inline(always)]
    fn answer(
        &mut self,
        now: Time,
        id: u32,
        outcome: Outcome,
        calendar: &mut Calendar<Task>,
    ) -> Option<Reply> {
        let job = &mut self.jobs[id];
        job.answered = true;
        let reply = Reply {
            flight: job.flight,
            outcome,
        };
        if let Some(job_of) = &mut self.job_of {
            // The slot may belong to a later request by now.
            let job_there = &mut job_of[reply.flight.slot()];
            if *job_there == id {
                *job_there = NONE;
            }
        }
        let Some((one_way, key)) = &self.one_way else {
            return Some(reply);
        };
        let delay = one_way.sample_span(&mut key.draw(job.identity, job.ordinal(1)));
        calendar.push(now + delay, Task::Delivered(self.replies.insert(reply)));
        None
    }

    /// Takes a job to a service.
    #[inline(always)]
    fn visit<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        service: ServiceId,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Entry {
        let station = &self.stations[service.index()];
        let job = &mut self.jobs[id];
        let at = station.choose_line(&self.lines, job.identity, job.ordinal(job.visit));
        let line = &mut self.lines[at as usize];
        job.service = service;
        job.line = at;
        job.since = now;
        if station.on_timeout != OnTimeout::Stay && !job.answered && job.deadline < now {
            record(sink, now, id, job, VisitStep::Joined);
            let waited = Span::ZERO;
            record(sink, now, id, job, VisitStep::Left { waited });
            self.jobs.remove(id);
            return Entry::Gone;
        }
        if line.idle > 0 {
            record(sink, now, id, job, VisitStep::TakenAtOnce);
            line.idle -= 1;
            serve(now, id, job, station, calendar);
        } else if line.waiting >= station.queue_limit {
            record(sink, now, id, job, VisitStep::Rejected);
            return Entry::Refused;
        } else {
            record(sink, now, id, job, VisitStep::Joined);
            job.state = State::Waiting;
            line.join(&mut self.jobs, id);
        }
        Entry::Taken
    }

    /// A worker has served a job to the end: the next one is taken up, and the job goes on.
    #[inline(always)]
    pub fn served<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let job = &mut self.jobs[id];
        let (service, line) = (job.service, job.line);
        let station = &self.stations[service.index()];
        let ordinal = job.ordinal(job.visit);
        let error = station.errors > 0.0
            && station.error_key.draw(job.identity, ordinal).unit() < station.errors;
        let step = VisitStep::Completed {
            served: now.since(job.since),
            error,
        };
        record(sink, now, id, job, step);
        job.state = State::Moving;
        self.next_in_line(now, service, line, calendar, sink);
        if error {
            return self.fail(now, id, Outcome::AppError, calendar);
        }
        self.walk(now, id, calendar, sink)
    }

    /// A worker has become free.
    #[inline(always)]
    fn next_in_line<S: Sink>(
        &mut self,
        now: Time,
        service: ServiceId,
        line: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) {
        let Some(next) = self.lines[line as usize].take(&mut self.jobs) else {
            return;
        };
        let job = &mut self.jobs[next];
        let step = VisitStep::Started {
            waited: now.since(job.since),
        };
        record(sink, now, next, job, step);
        serve(now, next, job, &self.stations[service.index()], calendar);
    }

    /// The client of a request has given up: its work leaves or stops where the service heeds that.
    pub fn gave_up<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) {
        let Some(job_of) = &mut self.job_of else {
            return;
        };
        let id = std::mem::replace(&mut job_of[flight.slot()], NONE);
        if id == NONE || self.jobs[id].state == State::Moving {
            return;
        }
        let Job {
            service,
            line,
            since,
            state,
            ..
        } = self.jobs[id];
        let spent = now.since(since);
        let step = match (state, self.stations[service.index()].on_timeout) {
            (_, OnTimeout::Stay) | (State::Moving, _) | (State::Running, OnTimeout::Leave) => {
                return;
            }
            (State::Waiting, _) => VisitStep::Left { waited: spent },
            (State::Running, OnTimeout::Abandon) => VisitStep::Abandoned { served: spent },
        };
        record(sink, now, id, &self.jobs[id], step);
        self.jobs.remove(id);
        if state == State::Waiting {
            self.lines[line as usize].leave(&mut self.jobs, id);
        } else {
            self.next_in_line(now, service, line, calendar, sink);
        }
    }

    /// Reports what is still waiting or running when the run ends.
    pub fn finish<S: Sink>(&mut self, now: Time, sink: &mut S) {
        for id in self.jobs.taken() {
            let Job { since, state, .. } = self.jobs[id];
            let spent = now.since(since);
            let step = match state {
                State::Moving => continue,
                State::Waiting => VisitStep::CutWaiting { waited: spent },
                State::Running => VisitStep::CutRunning { served: spent },
            };
            record(sink, now, id, &self.jobs[id], step);
        }
    }
}

/// A worker begins to serve a job.
#[inline(always)]
fn serve(now: Time, id: u32, job: &mut Job, station: &Station, calendar: &mut Calendar<Task>) {
    job.state = State::Running;
    job.since = now;
    let ordinal = job.ordinal(job.visit);
    let end = now
        + station
            .time
            .sample_span(&mut station.service_key.draw(job.identity, ordinal));
    // Work that will be abandoned before its end never has an end: the timeout stops it.
    let stops = station.on_timeout == OnTimeout::Abandon && !job.answered && job.deadline < end;
    if !stops {
        calendar.push(end, Task::Served(id));
    }
}

/// Reports what happened to a job's visit.
#[inline(always)]
fn record<S: Sink>(sink: &mut S, now: Time, id: u32, job: &Job, step: VisitStep) {
    let event = Event::Visit {
        service: job.service,
        line: job.line,
        visitor: id,
        flight: job.flight,
        step,
    };
    sink.record(now, event);
}
