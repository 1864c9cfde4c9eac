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

mod admission;
mod condition;
mod fan_out;
mod frame;
mod job;
mod loads;
mod outage;
mod outside;
mod program;
mod ranked;
mod sharing;
mod special;
mod station;
mod stream;
mod timers;

use crate::dist::Dist;
use crate::engine::{Arena, Calendar, FlightId, Task};
use crate::event::{Event, Outcome, Request, Sink, VisitStep};
use crate::model::{ClassId, ConsumerId, Model, OnTimeout, Order, ServiceId, SizeDraws};
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};
pub use outside::{Call, Delivered, Errand, Message, WorkEnd};

use fan_out::{EmissionState, FanOutState};
use frame::{Ending, Frame, Joins};
use job::{Job, Jobs, NONE, State};
use loads::Loads;
use outage::Turn;
use program::{Branch, Delay, Op, Program};
use ranked::{Ranked, Side};
use sharing::Sharing;
use special::Completion;
use station::{Discipline, Line, Station};
use stream::{BatchState, Streams};

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
    /// Requests present by member, of the services that ask for the least loaded one.
    loads: Vec<Loads>,
    jobs: Jobs,
    /// Replies on their way through the network.
    replies: Arena<Reply>,
    program: Program,
    paths: Vec<Path>,
    /// The keys of the requests' identities, by client.
    request_keys: Vec<Key>,
    /// How much requests carry, where service times depend on it.
    sizes: Option<SizeDraws>,
    one_way: Option<(Dist, Key)>,
    /// The job of each request in flight, by slot, kept only if some service heeds timeouts.
    job_of: Option<Vec<u32>>,
    frames: Arena<Frame>,
    joins: Joins,
    ranked: Vec<Ranked>,
    sharings: Vec<Sharing>,
    completions: Arena<(Completion, Time)>,
    /// What is kept beside each job, by its number, if anything is.
    sides: Vec<Side>,
    keeps_sides: bool,
    /// Whether there is more to the sending of some requests than their jobs.
    submits_more: bool,
    classes_of_clients: Vec<Option<ClassId>>,
    classes_of_paths: Vec<Option<ClassId>>,
    /// How long after its intended instant a request of a path is due.
    due_after: Vec<Option<Span>>,
    turns: Vec<Turn>,
    streams: Streams,
    batches: Arena<BatchState>,
    /// The consumers that work at each service.
    consumers_at: Vec<Vec<ConsumerId>>,
    fan_outs: Vec<FanOutState>,
    emissions: Arena<EmissionState>,
    /// A buffer for the deliveries of an emission.
    arrivals: Vec<(Time, u64)>,
    /// What there is beside it, where it does not play everything itself.
    outside: Option<Box<outside::Outside>>,
}

/// Where a path starts, and the keys of its draws.
#[derive(Debug, Clone, Copy)]
struct Path {
    entry: u32,
    branch: Key,
    delay: Key,
    /// What its emissions and publications are known by, wherever it stands among the paths.
    place: Key,
    /// Whether its requests are done when they are sent.
    fire_and_forget: bool,
}

/// How a service receives a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// It waits or is served.
    Taken,
    /// The line is full.
    Refused,
    /// Nobody is there.
    Unreachable,
    /// Its client has given up before it came, and the service heeds that.
    Gone,
}

/// An instant at which something happens: when, what is to come of it, and who hears of it.
struct Moment<'a, S> {
    now: Time,
    calendar: &'a mut Calendar<Task>,
    sink: &'a mut S,
}

impl<S: Sink> Moment<'_, S> {
    /// Reports what happened to a visit.
    fn record(
        &mut self,
        visitor: u32,
        flight: FlightId,
        service: ServiceId,
        line: u32,
        step: VisitStep,
    ) {
        let event = Event::Visit {
            service,
            line,
            visitor,
            flight,
            step,
        };
        self.sink.record(self.now, event);
    }
}

impl Backend {
    /// The backend of a model, with nothing in it.
    pub fn new(model: &Model) -> Backend {
        let (mut lines, mut loads) = (Vec::new(), Vec::new());
        let services = model.services.iter();
        let mut stations: Vec<Station> = services
            .map(|service| Station::new(model.seed, service, &mut lines, &mut loads))
            .collect();
        let program = Program::new(model);
        for visit in &program.visits {
            stations[visit.service.index()].special = true;
        }
        let (ranked, sharings) = disciplines(model, &mut stations);
        let request_keys = model
            .clients
            .iter()
            .map(|client| Key::new(model.seed, Kind::Client, &client.name, Purpose::Request));
        let network_key = Key::new(model.seed, Kind::Network, "network", Purpose::Network);
        let heeds = stations
            .iter()
            .any(|station| station.on_timeout != OnTimeout::Stay);
        let mut consumers_at = vec![Vec::new(); stations.len()];
        for (consumer, id) in model.consumers.iter().zip(0u16..) {
            consumers_at[consumer.service.index()].push(ConsumerId(id));
        }
        let classes = model.actions.iter().map(|action| action.class);
        let consumers = model.consumers.iter().map(|consumer| consumer.class);
        let due = model.actions.iter().map(|action| action.deadline);
        let turns = outage::turns(model);
        let keeps_sides = !ranked.is_empty()
            || !model.fan_outs.is_empty()
            || stations.iter().any(|station| station.rare.tentative);
        let forgets = model
            .actions
            .iter()
            .any(|action| action.path.fire_and_forget);
        Backend {
            paths: paths(model),
            request_keys: request_keys.collect(),
            sizes: model
                .services
                .iter()
                .any(|service| service.per_byte.is_some())
                .then(|| SizeDraws::new(model)),
            keeps_sides,
            submits_more: keeps_sides || forgets,
            stations,
            lines,
            loads,
            jobs: Arena::new(),
            replies: Arena::new(),
            program,
            one_way: model.one_way.clone().map(|one_way| (one_way, network_key)),
            job_of: heeds.then(Vec::new),
            frames: Arena::new(),
            joins: Arena::new(),
            ranked,
            sharings,
            completions: Arena::new(),
            sides: Vec::new(),
            classes_of_clients: model.clients.iter().map(|client| client.class).collect(),
            classes_of_paths: classes.chain(consumers).collect(),
            due_after: due.chain(model.consumers.iter().map(|_| None)).collect(),
            turns,
            streams: Streams::new(model),
            batches: Arena::new(),
            consumers_at,
            fan_outs: model
                .fan_outs
                .iter()
                .map(|fan_out| FanOutState::new(model, fan_out))
                .collect(),
            emissions: Arena::new(),
            arrivals: Vec::new(),
            outside: None,
        }
    }

    /// How much work there is, with or without a client.
    pub fn len(&self) -> usize {
        self.jobs.len() + self.replies.len() + self.streams.len() + self.emissions.len()
    }

    /// Whether no work is left, with or without a client.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the request of a job was intended, where that is kept.
    fn intended(&self, id: u32) -> Time {
        self.sides
            .get(id as usize)
            .map_or(Time::ZERO, |side| side.intended)
    }

    /// Takes up a job that is not a request of its own.
    fn add_job(&mut self, job: Job, intended: Time) -> u32 {
        let id = self.jobs.insert(job);
        if self.keeps_sides {
            self.keep_side(id, intended);
        }
        id
    }

    #[inline(never)]
    fn keep_side(&mut self, id: u32, intended: Time) {
        let index = id as usize;
        if index >= self.sides.len() {
            self.sides.resize(index + 1, Side::BLANK);
        }
        self.sides[index] = Side {
            intended,
            ..Side::BLANK
        };
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
        let Path {
            entry: step,
            fire_and_forget: answered,
            ..
        } = self.paths[request.action.index()];
        let id = self.jobs.take(|| Job {
            flight,
            identity,
            deadline,
            since: now,
            step,
            line: NONE,
            previous: NONE,
            next: NONE,
            frame: NONE,
            path: request.action.0,
            client: request.client.0,
            service: ServiceId(0),
            attempt: request.attempt,
            visit: 0,
            state: State::Moving,
            answered,
        });
        // What a visit sets is left as it is.
        let job = &mut self.jobs[id];
        job.flight = flight;
        job.identity = identity;
        job.deadline = deadline;
        job.step = step;
        job.frame = NONE;
        job.path = request.action.0;
        job.client = request.client.0;
        job.attempt = request.attempt;
        job.state = State::Moving;
        job.answered = answered;
        let ordinal = job.ordinal(0);
        if self.submits_more {
            if self.keeps_sides {
                self.keep_side(id, request.intended);
            }
            if answered {
                return Some(self.submit_and_forget(now, id, calendar, sink));
            }
        }
        self.remember(flight, id);
        if let Some((one_way, key)) = &self.one_way {
            let delay = one_way.sample_span(&mut key.draw(identity, ordinal));
            calendar.push(now + delay, Task::Arrived(id));
            return None;
        }
        self.walk(now, id, calendar, sink)
    }

    /// Takes a request whose client does not wait for anything that happens on its path.
    #[inline(never)]
    fn submit_and_forget<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Reply {
        let job = &self.jobs[id];
        let reply = Reply {
            flight: job.flight,
            outcome: Outcome::Ok,
        };
        if let Some((one_way, key)) = &self.one_way {
            let delay = one_way.sample_span(&mut key.draw(job.identity, job.ordinal(0)));
            calendar.push(now + delay, Task::Arrived(id));
        } else {
            // Nothing on the path answers.
            self.walk(now, id, calendar, sink);
        }
        reply
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
                    let entry = self.visit(now, id, service, calendar, sink);
                    if entry == Entry::Taken {
                        return reply;
                    }
                    return self.turned_away_now(now, id, entry, reply, calendar, sink);
                }
                Op::ReplyAndEnd => {
                    reply = self.answer(now, id, Outcome::Ok, calendar);
                    self.end(now, id, calendar, sink);
                    return reply;
                }
                Op::Reply => reply = self.answer(now, id, Outcome::Ok, calendar),
                Op::End => {
                    self.end(now, id, calendar, sink);
                    return reply;
                }
                Op::Jump(target) => job.step = target,
                Op::Branch(branch) => {
                    let Branch { arms, ordinal } = &self.program.branches[branch as usize];
                    let key = self.paths[usize::from(job.path)].branch;
                    let unit = key.draw(job.identity, job.ordinal(*ordinal)).unit();
                    if let Some((_, target)) =
                        arms.iter().find(|(upto, _)| unit < *upto).or(arms.last())
                    {
                        job.step = *target;
                    }
                }
                Op::Delay(delay) => {
                    let Delay { length, ordinal } = &self.program.delays[delay as usize];
                    let key = self.paths[usize::from(job.path)].delay;
                    let mut draw = key.draw(job.identity, job.ordinal(*ordinal));
                    calendar.push(now + length.sample_span(&mut draw), Task::Arrived(id));
                    return reply;
                }
                Op::Fail(outcome) => {
                    let ending = Ending::Declined(outcome);
                    return reply.or(self.fail_now(now, id, ending, calendar, sink));
                }
                rare => match self.rare_step(now, id, rare, calendar, sink) {
                    Next::Walks => {}
                    Next::Waits => return reply,
                    Next::Ended(last) => return reply.or(last),
                },
            }
        }
    }

    /// A step that only some paths have.
    #[inline(never)]
    fn rare_step<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        op: Op,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Next {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        let waits = match op {
            Op::VisitAs(visit) => {
                let visit = &self.program.visits[visit as usize];
                let service = visit.service;
                self.jobs[id].visit = visit.ordinal;
                match self.visit_special(id, service, m) {
                    Entry::Taken => true,
                    entry => return Next::Ended(self.turned_away(id, entry, m)),
                }
            }
            Op::Release => {
                self.release(id, m);
                false
            }
            Op::Fork(fork) => self.fork(id, fork, m),
            Op::Publish(publication) => self.publish(id, publication, m),
            Op::Store(publication) => {
                self.store_own(id, publication, m);
                false
            }
            Op::Emit(emission) => {
                self.emit(id, emission, m);
                false
            }
            Op::Visit(..)
            | Op::Delay(_)
            | Op::Reply
            | Op::ReplyAndEnd
            | Op::Fail(_)
            | Op::Branch(_)
            | Op::Jump(_)
            | Op::End => false,
        };
        if waits { Next::Waits } else { Next::Walks }
    }

    /// A job's path is done.
    #[inline(always)]
    fn end<S: Sink>(&mut self, now: Time, id: u32, calendar: &mut Calendar<Task>, sink: &mut S) {
        if self.jobs[id].frame == NONE {
            self.jobs.remove(id);
        } else {
            self.unwind_now(now, id, Ending::Well, calendar, sink);
        }
    }

    /// [`turned_away`](Self::turned_away), out of the way of what happens all the time; `reply` was given before.
    #[cold]
    #[inline(never)]
    fn turned_away_now<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        entry: Entry,
        reply: Option<Reply>,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        reply.or(self.turned_away(id, entry, m))
    }

    /// [`fail`](Self::fail), out of the way of what happens all the time.
    #[cold]
    #[inline(never)]
    fn fail_now<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        ending: Ending,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        self.fail(id, ending, m)
    }

    /// [`unwind`](Self::unwind), out of the way of what happens all the time.
    #[cold]
    #[inline(never)]
    fn unwind_now<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        ending: Ending,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        self.unwind(id, ending, m);
    }

    /// [`visit_special`](Self::visit_special), out of the way of what happens all the time.
    #[cold]
    #[inline(never)]
    fn visit_special_now<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        service: ServiceId,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Entry {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        self.visit_special(id, service, m)
    }

    /// [`served_special`](Self::served_special), out of the way of what happens all the time.
    #[cold]
    #[inline(never)]
    fn served_special_now<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        self.served_special(id, m)
    }

    /// A service did not take a job in.
    #[cold]
    fn turned_away<S: Sink>(
        &mut self,
        id: u32,
        entry: Entry,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        match entry {
            Entry::Refused => self.fail(id, Ending::Failed(Outcome::Rejected), m),
            Entry::Unreachable => self.fail(id, Ending::Failed(Outcome::TransportError), m),
            Entry::Gone | Entry::Taken => None,
        }
    }

    /// Ends a job with a failure, which is the reply unless one was given before.
    #[inline(never)]
    fn fail<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) -> Option<Reply> {
        let reply = self.answer_failure(id, ending, m);
        self.unwind(id, ending, m);
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
        if station.special {
            return self.visit_special_now(now, id, service, calendar, sink);
        }
        let job = &mut self.jobs[id];
        let at = station.choose_line(&self.loads, job.identity, job.visit_ordinal());
        let line = &mut self.lines[at as usize];
        job.service = service;
        job.line = at;
        job.since = now;
        if station.on_timeout != OnTimeout::Stay && !job.answered && job.deadline < now {
            record(sink, now, id, job, VisitStep::Joined);
            let waited = Span::ZERO;
            record(sink, now, id, job, VisitStep::Left { waited });
            self.unwind_now(now, id, Ending::GaveUp, calendar, sink);
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
        if station.loads != NONE {
            self.came_to_member(service, at);
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
        if station.special {
            return self.served_special_now(now, id, calendar, sink);
        }
        let ordinal = job.visit_ordinal();
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
            let ending = Ending::Failed(Outcome::AppError);
            return self.fail_now(now, id, ending, calendar, sink);
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
        let station = &self.stations[service.index()];
        if station.loads != NONE {
            self.went_from_member(service, line);
        }
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

    /// A request is present at a member that was not.
    #[inline(never)]
    fn came_to_member(&mut self, service: ServiceId, line: u32) {
        let station = &self.stations[service.index()];
        if let Some(loads) = self.loads.get_mut(station.loads as usize) {
            loads.enter(line - station.first_line);
        }
    }

    /// A request is no longer present at a member.
    #[inline(never)]
    fn went_from_member(&mut self, service: ServiceId, line: u32) {
        let station = &self.stations[service.index()];
        if let Some(loads) = self.loads.get_mut(station.loads as usize) {
            loads.leave(line - station.first_line);
        }
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
        let mut m = Moment {
            now,
            calendar,
            sink,
        };
        if id != NONE {
            self.give_up(id, &mut m);
        }
    }

    /// The client of a job has given up.
    fn give_up<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let Job {
            flight,
            service,
            line,
            since,
            state,
            ..
        } = self.jobs[id];
        let spent = m.now.since(since);
        let heeds = self.stations[service.index()].on_timeout;
        match (state, heeds) {
            (State::Joining, _) => self.give_up_arms(line, m),
            (State::Moving, _) | (_, OnTimeout::Stay) | (State::Running, OnTimeout::Leave) => {}
            (State::Waiting, OnTimeout::Leave | OnTimeout::Abandon) => {
                let step = VisitStep::Left { waited: spent };
                m.record(id, flight, service, line, step);
                self.leave_line(id);
                self.unwind(id, Ending::GaveUp, m);
            }
            (State::Running, OnTimeout::Abandon) => {
                let step = VisitStep::Abandoned { served: spent };
                m.record(id, flight, service, line, step);
                self.stop_service(id, m);
                self.worker_free(service, line, m);
                self.unwind(id, Ending::GaveUp, m);
            }
        }
    }

    /// Reports what is still waiting or running when the run ends.
    pub fn finish<S: Sink>(&mut self, now: Time, calendar: &mut Calendar<Task>, sink: &mut S) {
        for id in self.jobs.taken() {
            let Job {
                since,
                state,
                mut frame,
                ..
            } = self.jobs[id];
            let spent = now.since(since);
            match state {
                State::Moving | State::Joining => {}
                State::Waiting => {
                    let step = VisitStep::CutWaiting { waited: spent };
                    record(sink, now, id, &self.jobs[id], step);
                }
                State::Running => {
                    let step = VisitStep::CutRunning { served: spent };
                    record(sink, now, id, &self.jobs[id], step);
                }
            }
            while let Some(&Frame::Held {
                service,
                line,
                since,
                outer,
            }) = self.frames.get(frame)
            {
                frame = outer;
                let job = Job {
                    service,
                    line,
                    ..self.jobs[id]
                };
                let served = now.since(since);
                record(sink, now, id, &job, VisitStep::CutRunning { served });
            }
        }
        let mut m = Moment {
            now,
            calendar,
            sink,
        };
        self.cut_busy_workers(&mut m);
        self.cut_messages(&mut m);
        self.cut_emissions(&mut m);
    }
}

/// What follows a step.
enum Next {
    /// The job goes on.
    Walks,
    /// It waits for something.
    Waits,
    /// It has ended, with this answer.
    Ended(Option<Reply>),
}

/// Where all paths start: those of the actions, then those of the consumers.
fn paths(model: &Model) -> Vec<Path> {
    let actions = model.actions.iter().map(|action| {
        let key = |purpose| Key::new(model.seed, Kind::Action, &action.name, purpose);
        Path {
            entry: action.path.entry,
            branch: key(Purpose::Branch),
            delay: key(Purpose::Delay),
            place: key(Purpose::Path),
            fire_and_forget: action.path.fire_and_forget,
        }
    });
    let consumers = model.consumers.iter().map(|consumer| {
        let stream = &model.streams[consumer.stream.index()].name;
        let name = format!("{stream}/{}", consumer.name);
        let key = |purpose| Key::new(model.seed, Kind::Consumer, &name, purpose);
        Path {
            entry: consumer.entry,
            branch: key(Purpose::Branch),
            delay: key(Purpose::Delay),
            place: key(Purpose::Path),
            fire_and_forget: false,
        }
    });
    actions.chain(consumers).collect()
}

/// The lines that are ranked and those whose workers are shared; each station learns which are its own.
fn disciplines(model: &Model, stations: &mut [Station]) -> (Vec<Ranked>, Vec<Sharing>) {
    let (mut ranked, mut sharings) = (Vec::new(), Vec::new());
    for (service, station) in model.services.iter().zip(stations) {
        match service.order {
            Order::Fifo => {}
            Order::Priority { .. } | Order::Deadline | Order::Fair { .. } => {
                station.rare.discipline = Discipline::Ranked(ranked.len() as u32);
                ranked.extend(station.all_lines().map(|_| Ranked::default()));
            }
            Order::Shared { .. } => {
                station.rare.discipline = Discipline::Shared(sharings.len() as u32);
                let each = service.workers_of_lines();
                let each = each.map(|workers| u32::try_from(workers).unwrap_or(u32::MAX));
                sharings.extend(each.map(Sharing::new));
            }
        }
    }
    (ranked, sharings)
}

/// A worker begins to serve a job.
#[inline(always)]
fn serve(now: Time, id: u32, job: &mut Job, station: &Station, calendar: &mut Calendar<Task>) {
    job.state = State::Running;
    job.since = now;
    let ordinal = job.visit_ordinal();
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
