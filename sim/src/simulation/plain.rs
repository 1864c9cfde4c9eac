//! The plain way to simulate: users without retries, and services that serve in the order of arrival.
//!
//! A model is plain if requests have one try, wait for no more than their reply and are never held back, if their paths are
//! visits and a reply, and if every service serves in the order of arrival and lets work stay whose client has given up.
//! Errors, full queues, members and the network may be there. The events of such a model are those of the general way, in their
//! order; what differs is how many questions are asked for each, and that a request and its work are one record.
//!
//! The numbers by which requests and visitors are known in events are used again in another order than in the general way
//! once requests time out; they mean nothing beyond the life of what they name.

use super::course::{Came, Owner, Way};
use super::deadlines::Deadlines;
use crate::backend::{Op, Paths, Replies, Reply, Station, ordinal, plain_stations, request_keys};
use crate::engine::{Ahead, Arena, Calendar, GivenUp, Lifecycle, LoadEnd, Task, Turn};
use crate::event::{Event, FlightId, Outcome, Request, Sink, VisitStep};
use crate::model::{Client, Model, ServiceId};
use crate::random::Key;
use crate::time::{Span, Time};
use crate::users::{Users, Wake};

const NONE: u32 = u32::MAX;
/// Which try every request is.
const FIRST_TRY: u16 = 0;

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The path's visit of this number to a service.
    Visit(ServiceId, u16),
    /// The request is answered, and nothing follows.
    Reply,
}

/// What is known of a client.
#[derive(Debug, Clone, Copy)]
struct Sender {
    /// The key of its requests' identities.
    identities: Key,
    /// The deadlines of its requests; behind the last where they have none.
    deadlines: u16,
}

/// Where the work of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// On its way.
    Moving,
    /// In a queue.
    Waiting,
    /// With a worker.
    Running,
}

/// A request from its sending to the end of its work: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Visitor {
    request: Request,
    /// Since when it waits or runs.
    since: Time,
    generation: u32,
    /// The one behind it in the queue.
    next: u32,
    /// The queue it waits in or is served from.
    line: u32,
    /// The next step of its path.
    step: u16,
    state: State,
    /// Whether its client still waits for the reply.
    awaited: bool,
}

/// A queue and its idle workers.
#[derive(Debug, Clone, Copy)]
struct Line {
    service: ServiceId,
    idle: u32,
    waiting: u32,
    head: u32,
    tail: u32,
}

/// A model that is plain.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    users: Users,
    lifecycle: Lifecycle,
    attention: Time,
    calendar: Calendar<Task>,
    senders: Vec<Sender>,
    /// The first step of each action.
    entries: Vec<u16>,
    steps: Vec<Step>,
    stations: Vec<Station>,
    lines: Vec<Line>,
    replies: Replies,
    visitors: Arena<Visitor>,
    /// The generation of the next request.
    generation: u32,
    deadlines: Vec<Deadlines>,
    /// The earliest of all deadlines.
    earliest: Time,
    given_up: GivenUp,
}

impl Plain {
    /// The model, if it is plain.
    pub(super) fn new(model: &Model) -> Option<Plain> {
        let clients = model.clients.iter();
        let mut actions = model.actions.iter();
        let sends_plainly = model.max_in_flight.is_none()
            && clients.clone().all(sends_once_and_at_once)
            && actions.all(|action| action.awaited.is_none() && !action.path.fire_and_forget)
            && model.streams.is_empty()
            && model.fan_outs.is_empty();
        if !sends_plainly {
            return None;
        }
        let (entries, steps) = steps(model)?;
        let (stations, workers) = plain_stations(model)?;
        let line = |(line, idle)| {
            let of_line = |station: &Station| station.all_lines().contains(&line);
            let service = stations.iter().position(of_line)?;
            Some(Line {
                service: ServiceId(u16::try_from(service).ok()?),
                idle,
                waiting: 0,
                head: NONE,
                tail: NONE,
            })
        };
        let lines: Vec<Line> = (0..).zip(workers).map(line).collect::<Option<_>>()?;
        let mut deadlines = Vec::new();
        let keys = request_keys(model).into_iter();
        let senders = clients.zip(keys).map(|(client, identities)| Sender {
            identities,
            deadlines: deadlines_of(client, &mut deadlines),
        });
        let mut users = Users::new(model);
        let mut calendar = Calendar::new();
        users.start(|at, wake| calendar.push(at, Task::of(wake)));
        let lifecycle = Lifecycle::new(&model.limits);
        Some(Plain {
            senders: senders.collect(),
            users,
            attention: lifecycle.attention(),
            lifecycle,
            calendar,
            entries,
            steps,
            stations,
            lines,
            replies: Replies::new(model),
            visitors: Arena::new(),
            generation: 0,
            deadlines,
            earliest: Time::NEVER,
            given_up: GivenUp::default(),
        })
    }

    #[inline(always)]
    fn wake<S: Sink>(&mut self, now: Time, wake: Wake, sink: &mut S) -> Came {
        if self.lifecycle.ended_at().is_some() {
            return Came::Nothing;
        }
        let woken = self.users.wake(now, wake, sink);
        if let Some((at, wake)) = woken.next {
            self.calendar.push(at, Task::of(wake));
        }
        if let Some(request) = woken.send {
            self.send(now, request, sink);
            if self.users.exhausted() {
                self.end(now, LoadEnd::Budget, sink);
            }
        }
        Came::Event
    }

    #[inline(always)]
    fn send<S: Sink>(&mut self, now: Time, request: Request, sink: &mut S) {
        // Wraps after 2^32 requests, by when no reply of the first is on its way.
        let generation = self.generation;
        self.generation = generation.wrapping_add(1);
        let queue = self.senders[request.client.index()].deadlines;
        let slot = self.visitors.insert(Visitor {
            generation,
            since: now,
            next: NONE,
            line: NONE,
            step: self.entries[request.action.index()],
            state: State::Moving,
            awaited: true,
            request,
        });
        let Plain {
            visitors,
            deadlines,
            ..
        } = self;
        if let Some(deadlines) = deadlines.get_mut(usize::from(queue)) {
            let id = FlightId { slot, generation };
            deadlines.set(now, id, |id| waits(visitors, id).is_some());
            self.earliest = self.earliest.min(deadlines.first());
        }
        if let Some(delay) = self.delay(slot, 0) {
            self.calendar.push(now + delay, Task::Arrived(slot));
        } else if let Some(outcome) = self.walk(now, slot, sink) {
            self.reply_at_once(now, slot, outcome, sink);
        }
    }

    /// A reply comes at the instant of the request: seldom, so that it is kept out of the way of what happens all the time.
    #[cold]
    #[inline(never)]
    fn reply_at_once<S: Sink>(&mut self, now: Time, slot: u32, outcome: Outcome, sink: &mut S) {
        self.reply(now, slot, outcome, sink);
    }

    /// How long a request or, at place 1, its reply is on its way through the network, where that takes time.
    #[inline(always)]
    fn delay(&self, slot: u32, place: u32) -> Option<Span> {
        match self.replies.take_time() {
            true => {
                let identity = identity(&self.senders, &self.visitors[slot].request);
                self.replies.delay(identity, ordinal(place, FIRST_TRY))
            }
            false => None,
        }
    }

    /// Takes a request to its next step. Its work is over when there is an answer.
    #[inline(always)]
    fn walk<S: Sink>(&mut self, now: Time, slot: u32, sink: &mut S) -> Option<Outcome> {
        let visitor = &mut self.visitors[slot];
        let step = visitor.step;
        visitor.step += 1;
        match self.steps[usize::from(step)] {
            Step::Visit(service, nth) => self.visit(now, slot, service, nth, sink),
            Step::Reply => Some(Outcome::Ok),
        }
    }

    #[inline(always)]
    fn visit<S: Sink>(
        &mut self,
        now: Time,
        slot: u32,
        service: ServiceId,
        nth: u16,
        sink: &mut S,
    ) -> Option<Outcome> {
        let visitor = &mut self.visitors[slot];
        let station = &self.stations[service.index()];
        visitor.line = match station.lines {
            1 => station.first_line,
            _ => {
                let identity = identity(&self.senders, &visitor.request);
                station.draw_line(identity, visit_ordinal(nth))
            }
        };
        visitor.since = now;
        let line = &mut self.lines[visitor.line as usize];
        if line.idle > 0 {
            record(sink, now, slot, visitor, service, VisitStep::TakenAtOnce);
            line.idle -= 1;
            let identity = identity(&self.senders, &visitor.request);
            let end = serve(now, visitor, station, identity, nth);
            self.calendar.push(end, Task::Served(slot));
            return None;
        }
        if line.waiting >= station.queue_limit {
            record(sink, now, slot, visitor, service, VisitStep::Rejected);
            return Some(Outcome::Rejected);
        }
        record(sink, now, slot, visitor, service, VisitStep::Joined);
        visitor.state = State::Waiting;
        visitor.next = NONE;
        line.waiting += 1;
        match std::mem::replace(&mut line.tail, slot) {
            NONE => line.head = slot,
            before => self.visitors[before].next = slot,
        }
        None
    }

    /// A worker has served a request to the end: the next one is taken up, and the request goes on.
    #[inline(always)]
    fn served<S: Sink>(&mut self, now: Time, slot: u32, sink: &mut S) {
        let visitor = &mut self.visitors[slot];
        let at = visitor.line;
        let service = self.lines[at as usize].service;
        let station = &self.stations[service.index()];
        let error = station.errors > 0.0 && {
            let ordinal = visit_ordinal(nth_visit(&self.steps, visitor));
            let identity = identity(&self.senders, &visitor.request);
            station.error_key.draw(identity, ordinal).unit() < station.errors
        };
        let step = VisitStep::Completed {
            served: now.since(visitor.since),
            error,
        };
        record(sink, now, slot, visitor, service, step);
        visitor.state = State::Moving;
        self.next_in_line(now, at, service, sink);
        let answer = match error {
            true => Some(Outcome::AppError),
            false => self.walk(now, slot, sink),
        };
        if let Some(outcome) = answer {
            self.answer(now, slot, outcome, sink);
        }
    }

    /// A worker has become free.
    #[inline(always)]
    fn next_in_line<S: Sink>(&mut self, now: Time, at: u32, service: ServiceId, sink: &mut S) {
        let line = &mut self.lines[at as usize];
        let slot = line.head;
        if slot == NONE {
            line.idle += 1;
            return;
        }
        let visitor = &mut self.visitors[slot];
        // Read before a field beside it is written: what reads both would have to wait for that.
        let nth = nth_visit(&self.steps, visitor);
        line.waiting -= 1;
        let second = visitor.next;
        line.head = second;
        if second == NONE {
            line.tail = NONE;
        }
        let step = VisitStep::Started {
            waited: now.since(visitor.since),
        };
        record(sink, now, slot, visitor, service, step);
        let identity = identity(&self.senders, &visitor.request);
        let end = serve(now, visitor, &self.stations[service.index()], identity, nth);
        let user = visitor.request.user;
        self.calendar.push(end, Task::Served(slot));
        // By the time they are needed, they have come from memory.
        self.users.touch(user);
        if let Some(second) = self.visitors.get(second) {
            std::hint::black_box(second.next);
        }
    }

    /// The work of a request is over: its answer goes to its client, through the network where there is one.
    #[inline(always)]
    fn answer<S: Sink>(&mut self, now: Time, slot: u32, outcome: Outcome, sink: &mut S) {
        let Some(delay) = self.delay(slot, 1) else {
            return self.reply(now, slot, outcome, sink);
        };
        let flight = self.visitors[slot].id(slot);
        let reply = self.replies.leaves(Reply { flight, outcome });
        self.calendar.push(now + delay, Task::Delivered(reply));
    }

    /// A request has come through the network.
    #[inline(never)]
    fn arrived<S: Sink>(&mut self, now: Time, slot: u32, sink: &mut S) {
        if let Some(outcome) = self.walk(now, slot, sink) {
            self.answer(now, slot, outcome, sink);
        }
    }

    /// A reply has come through the network.
    #[inline(never)]
    fn delivered<S: Sink>(&mut self, now: Time, reply: u32, sink: &mut S) {
        let Reply { flight, outcome } = self.replies.comes(reply);
        self.reply(now, flight.slot, outcome, sink);
    }

    /// A reply reaches its client, or nobody.
    #[inline(always)]
    fn reply<S: Sink>(&mut self, now: Time, slot: u32, outcome: Outcome, sink: &mut S) {
        let visitor = &mut self.visitors[slot];
        let id = visitor.id(slot);
        let awaited = visitor.awaited;
        visitor.awaited = false;
        self.visitors.remove(slot);
        match awaited {
            true => self.done(now, id, outcome, sink),
            false => self.late(now, id, sink),
        }
    }

    #[cold]
    fn late<S: Sink>(&mut self, now: Time, id: FlightId, sink: &mut S) {
        let event = match self.given_up.is_first_reply(id) {
            true => Event::LateReply,
            false => Event::DuplicateReply,
        };
        sink.record(now, event);
    }

    /// A request ends for its client, who no longer waits.
    #[inline(always)]
    fn done<S: Sink>(&mut self, now: Time, id: FlightId, outcome: Outcome, sink: &mut S) {
        let Plain {
            visitors,
            deadlines,
            ..
        } = self;
        let request = &visitors[id.slot].request;
        let queue = usize::from(self.senders[request.client.index()].deadlines);
        if let Some(own) = deadlines.get_mut(queue)
            && own.forget(id, |id| waits(visitors, id))
        {
            self.earliest = match deadlines.as_slice() {
                [only] => only.first(),
                all => all
                    .iter()
                    .map(Deadlines::first)
                    .fold(Time::NEVER, Time::min),
            };
        }
        let sent = request.intended;
        let event = Event::Done {
            request,
            flight: id,
            sent,
            outcome,
        };
        sink.record(now, event);
        if let Some((at, wake)) = self.users.done(now, request, sent, outcome, sink) {
            self.calendar.push(at, Task::of(wake));
        }
        if !outcome.is_reply() {
            self.given_up.add(id, outcome == Outcome::TimedOut);
        }
    }

    /// Reports the visits that are not over when the run ends.
    fn cut_visits<S: Sink>(&self, now: Time, sink: &mut S) {
        for slot in self.visitors.taken() {
            let visitor = &self.visitors[slot];
            let spent = now.since(visitor.since);
            let step = match visitor.state {
                State::Moving => continue,
                State::Waiting => VisitStep::CutWaiting { waited: spent },
                State::Running => VisitStep::CutRunning { served: spent },
            };
            let service = self.lines[visitor.line as usize].service;
            record(sink, now, slot, visitor, service, step);
        }
    }
}

impl Visitor {
    #[inline(always)]
    fn id(&self, slot: u32) -> FlightId {
        FlightId {
            slot,
            generation: self.generation,
        }
    }
}

impl Way for Plain {
    #[inline(always)]
    fn calendar(&mut self) -> &mut Calendar<Task> {
        &mut self.calendar
    }

    #[inline(always)]
    fn next_deadline(&self) -> Time {
        self.earliest
    }

    #[inline(always)]
    fn attention(&self) -> Time {
        self.attention
    }

    #[inline(never)]
    fn look_ahead(&mut self) {
        for task in self.calendar.upcoming() {
            if let Task::User(user) = task {
                self.users.touch(user);
            }
        }
    }

    #[inline(always)]
    fn takes_effect(&mut self, _at: Time, _task: Task) -> bool {
        true
    }

    #[inline(always)]
    fn happen<S: Sink>(&mut self, now: Time, task: Task, sink: &mut S) -> Came {
        match task {
            Task::User(user) => return self.wake(now, Wake::User(user), sink),
            Task::Arrival(process) => return self.wake(now, Wake::Arrival(process), sink),
            Task::Served(slot) => self.served(now, slot, sink),
            Task::Arrived(slot) => self.arrived(now, slot, sink),
            Task::Delivered(reply) => self.delivered(now, reply, sink),
            // Nothing of a plain model asks for these.
            Task::Delivery(_) | Task::Timer(_) => {}
        }
        Came::Event
    }

    #[inline(never)]
    fn time_out<S: Sink>(&mut self, now: Time, sink: &mut S) {
        let mut deadlines = self.deadlines.iter();
        let due = deadlines.find(|one| one.first() == self.earliest);
        if let Some(id) = due.and_then(Deadlines::first_due) {
            self.visitors[id.slot].awaited = false;
            self.done(now, id, Outcome::TimedOut, sink);
        }
    }

    fn turn(&self, at: Time) -> Turn {
        let ahead = Ahead {
            wake: at,
            held: false,
            busy: !self.visitors.is_empty(),
        };
        self.lifecycle.turn(at, ahead)
    }

    fn drop_held<S: Sink>(&mut self, _now: Time, _sink: &mut S) {}

    #[inline(never)]
    fn end<S: Sink>(&mut self, now: Time, why: LoadEnd, sink: &mut S) {
        if self.lifecycle.end(why, now) {
            sink.record(now, Event::LoadEnded);
        }
        self.attention = self.lifecycle.attention();
    }

    fn finish<S: Sink>(&mut self, now: Time, sink: &mut S) {
        self.cut_visits(now, sink);
        self.end(now, LoadEnd::Idle, sink);
        for slot in self.visitors.taken() {
            let visitor = &mut self.visitors[slot];
            if std::mem::replace(&mut visitor.awaited, false) {
                let id = visitor.id(slot);
                self.done(now, id, Outcome::Unresolved, sink);
            }
        }
        self.users.finish(now, sink);
    }

    fn load_end(&self) -> Option<LoadEnd> {
        self.lifecycle.ended()
    }

    fn intended(&self) -> u64 {
        self.users.intended()
    }

    fn given_arrivals(&self) -> u64 {
        self.users.given_arrivals()
    }

    fn present(&self) -> usize {
        self.users.open_sessions() + self.visitors.len()
    }

    fn owner(&self, task: Task) -> Option<Owner> {
        match task {
            Task::User(user) => Some(Owner::Client(self.users.client_of(user).index())),
            Task::Arrival(process) => {
                let client = self.users.client_of_process(process)?;
                Some(Owner::Client(client.index()))
            }
            Task::Served(slot) | Task::Arrived(slot) => {
                let visitor = self.visitors.get(slot)?;
                Some(Owner::Path(visitor.request.action.index()))
            }
            Task::Delivered(_) | Task::Delivery(_) | Task::Timer(_) => None,
        }
    }
}

/// When a request was sent, if its client still waits for it.
#[inline(always)]
fn waits(visitors: &Arena<Visitor>, id: FlightId) -> Option<Time> {
    let visitor = &visitors[id.slot];
    let waits = visitor.generation == id.generation && visitor.awaited;
    waits.then_some(visitor.request.intended)
}

/// The identity of a request, from which its demands are drawn.
#[inline(always)]
fn identity(senders: &[Sender], request: &Request) -> u64 {
    let key = senders[request.client.index()].identities;
    key.identity(request.user_number, request.number)
}

/// The ordinal of the draws of a path's visit of this number to a service.
#[inline(always)]
fn visit_ordinal(nth: u16) -> u64 {
    ordinal(u32::from(nth), FIRST_TRY)
}

/// A worker begins to serve a request; when it will be done.
#[inline(always)]
fn serve(now: Time, visitor: &mut Visitor, station: &Station, identity: u64, nth: u16) -> Time {
    visitor.state = State::Running;
    visitor.since = now;
    let mut draw = station.service_key.draw(identity, visit_ordinal(nth));
    now + station.time.sample_span(&mut draw)
}

/// The number of the visit that a request is at, among those of its path to the service.
#[inline(always)]
fn nth_visit(steps: &[Step], visitor: &Visitor) -> u16 {
    match steps[usize::from(visitor.step - 1)] {
        Step::Visit(_, nth) => nth,
        Step::Reply => 0,
    }
}

/// Reports what happened to a visit.
#[inline(always)]
fn record<S: Sink>(
    sink: &mut S,
    now: Time,
    slot: u32,
    visitor: &Visitor,
    service: ServiceId,
    step: VisitStep,
) {
    let event = Event::Visit {
        service,
        line: visitor.line,
        visitor: slot,
        flight: visitor.id(slot),
        step,
    };
    sink.record(now, event);
}

/// Whether a client tries every request once, and sends it when it is due.
fn sends_once_and_at_once(client: &Client) -> bool {
    client.on_failure.retries == 0 && client.max_in_flight.is_none()
}

/// The deadlines of a client's requests, which it shares with the clients of the same timeout.
fn deadlines_of(client: &Client, all: &mut Vec<Deadlines>) -> u16 {
    let Some(timeout) = client.timeout else {
        return u16::MAX;
    };
    let known = all.iter().position(|one| one.timeout() == timeout);
    let queue = known.unwrap_or_else(|| {
        all.push(Deadlines::new(timeout));
        all.len() - 1
    });
    // There are no more than clients, of which there are fewer than that.
    queue as u16
}

/// The first step of each action, and all steps, if they are visits and a reply.
fn steps(model: &Model) -> Option<(Vec<u16>, Vec<Step>)> {
    let paths = Paths::new(model);
    let (mut entries, mut steps) = (Vec::new(), Vec::new());
    for action in &model.actions {
        entries.push(u16::try_from(steps.len()).ok()?);
        let mut ops = paths.program.ops.get(action.path.entry as usize..)?.iter();
        loop {
            match ops.next()? {
                Op::Visit(service, nth) => steps.push(Step::Visit(*service, *nth)),
                Op::ReplyAndEnd => break steps.push(Step::Reply),
                _ => return None,
            }
        }
    }
    u16::try_from(steps.len()).ok()?;
    Some((entries, steps))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_visitor_is_one_cache_line() {
        assert_eq!(size_of::<super::Visitor>(), 64);
    }
}
