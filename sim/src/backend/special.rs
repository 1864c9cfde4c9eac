//! Visits of special stations: those with another order than first-in, first-out, with admission, outages or
//! service times that vary, and those whose workers are held or that work on deliveries.

use super::frame::{Ending, Frame};
use super::program::Op;
use super::ranked::{Place, Rank};
use super::station::Discipline;
use super::{Backend, Entry, Moment, Reply};
use crate::backend::job::{NONE, State};
use crate::dist::Dist;
use crate::engine::{Task, Timer};
use crate::event::{Outcome, Sink, VisitStep};
use crate::model::{ActionId, OnTimeout, Order, ServiceId};
use crate::time::{Span, Time};

/// The completion of a job that may be called off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Completion {
    job: u32,
    valid: bool,
}

impl Backend {
    /// Takes a job to a special station.
    #[inline(never)]
    pub(super) fn visit_special<S: Sink>(
        &mut self,
        id: u32,
        service: ServiceId,
        m: &mut Moment<'_, S>,
    ) -> Entry {
        let given = self.given_line(service);
        let Some(line) = given.or_else(|| self.special_line(id, service)) else {
            let first = self.stations[service.index()].first_line;
            let job = &mut self.jobs[id];
            (job.service, job.line) = (service, first);
            m.record(id, job.flight, service, first, VisitStep::Unreachable);
            return Entry::Unreachable;
        };
        if given.is_none() && self.hand_on(id, service, line) {
            return Entry::Taken;
        }
        let job = &mut self.jobs[id];
        (job.service, job.line, job.since) = (service, line, m.now);
        let (flight, client_gone) = (job.flight, !job.answered && job.deadline < m.now);
        let station = &mut self.stations[service.index()];
        if station.on_timeout != OnTimeout::Stay && client_gone {
            m.record(id, flight, service, line, VisitStep::Joined);
            let waited = Span::ZERO;
            m.record(id, flight, service, line, VisitStep::Left { waited });
            self.unwind(id, Ending::GaveUp, m);
            return Entry::Gone;
        }
        let present = station.rare.present;
        if !station.rare.gate.admits(m.now, present) {
            m.record(id, flight, service, line, VisitStep::Rejected);
            return Entry::Refused;
        }
        let here = self.lines[line as usize];
        let idle = here.idle > 0 && !here.hung;
        let full = here.waiting >= station.queue_limit;
        // Whoever is refused for certain takes no place, which would count against its client where turns are fair.
        let place = match idle || !full || station.rare.preemptive {
            true => self.place(id, m.now),
            false => None,
        };
        if idle {
            self.lines[line as usize].idle -= 1;
            self.take_at_once(id, place, m);
        } else if self.preempt(service, line, place, m) {
            self.take_at_once(id, place, m);
        } else if full {
            m.record(id, flight, service, line, VisitStep::Rejected);
            return Entry::Refused;
        } else {
            m.record(id, flight, service, line, VisitStep::Joined);
            self.join(id, place);
        }
        self.stations[service.index()].rare.present += 1;
        self.came_to_member(service, line);
        Entry::Taken
    }

    /// The line of a visit: that of the member that a delivery was dealt to, or one that the service chooses.
    fn special_line(&self, id: u32, service: ServiceId) -> Option<u32> {
        let job = &self.jobs[id];
        let station = &self.stations[service.index()];
        if let Some(member) = self.dealt_to(id) {
            let line = station.first_line + member;
            return (!self.lines[line as usize].gone).then_some(line);
        }
        station.choose_reachable(&self.loads, job.identity, job.visit_ordinal())
    }

    /// The member that the delivery was dealt to that now begins.
    pub(super) fn dealt_to(&self, id: u32) -> Option<u32> {
        let job = &self.jobs[id];
        let Op::VisitAs(visit) = self.program.ops[job.step as usize - 1] else {
            return None;
        };
        if !self.program.visits[visit as usize].begins_delivery {
            return None;
        }
        match self.frames.get(job.frame)? {
            Frame::Delivery { member, .. } => Some(*member),
            Frame::Batch { batch } => Some(self.batches[*batch].member),
            Frame::Handed { work } => self.handed_to(*work),
            _ => None,
        }
    }

    fn ranked_index(&self, service: ServiceId, line: u32) -> Option<usize> {
        let station = &self.stations[service.index()];
        match station.rare.discipline {
            Discipline::Ranked(first) => Some((first + line - station.first_line) as usize),
            Discipline::Fifo | Discipline::Shared(_) => None,
        }
    }

    fn sharing_index(&self, service: ServiceId, line: u32) -> Option<u32> {
        let station = &self.stations[service.index()];
        match station.rare.discipline {
            Discipline::Shared(first) => Some(first + line - station.first_line),
            Discipline::Fifo | Discipline::Ranked(_) => None,
        }
    }

    /// The place of a job in its line, where lines are ranked.
    fn place(&mut self, id: u32, now: Time) -> Option<Place> {
        let job = &self.jobs[id];
        let (service, line) = (job.service, job.line);
        let ranked = self.ranked_index(service, line)?;
        let station = &self.stations[service.index()];
        let client = usize::from(job.client);
        let rank = match &station.rare.order {
            Order::Priority { ranks, ageing, .. } => {
                let class = self.classes_of_paths[usize::from(job.path)]
                    .or(self.classes_of_clients[client]);
                let last = ranks.len() as u64;
                let rank = class.map_or(last, |class| u64::from(ranks[class.index()]));
                // Whoever has waited `ageing` longer than another makes up for one rank, so that the instant at which a
                // job would have caught up with the most urgent class orders them for good.
                Rank::Whole(ageing.map_or(rank, |ageing| {
                    let handicap = rank.saturating_mul(ageing.as_nanos());
                    now.as_nanos().saturating_add(handicap)
                }))
            }
            Order::Deadline => {
                let due = self.due_after[usize::from(job.path)]
                    .map_or(job.deadline, |after| self.intended(id) + after);
                Rank::Whole(due.as_nanos())
            }
            Order::Fair { weights } => {
                let cost = self.visit_time(id).mean() + self.size_time(id);
                let clock = self.ranked[ranked].fair();
                if self.lines[line as usize].is_empty() {
                    clock.fell_idle();
                }
                clock.tag(client, cost, weights[client])
            }
            Order::Fifo | Order::Shared { .. } => return None,
        };
        let place = self.ranked[ranked].place(rank);
        self.sides[id as usize].place = place;
        Some(place)
    }

    /// The service time of a job's visit as the spec has it.
    fn visit_time(&self, id: u32) -> &Dist {
        let job = &self.jobs[id];
        let own = match self.program.ops[job.step as usize - 1] {
            Op::VisitAs(visit) => self.program.visits[visit as usize].time.as_ref(),
            _ => None,
        };
        own.unwrap_or(&self.stations[job.service.index()].time)
    }

    /// Nanoseconds that the size of a job's request adds to its visit.
    fn size_time(&self, id: u32) -> f64 {
        let job = &self.jobs[id];
        let per_byte = self.stations[job.service.index()].per_byte;
        match (per_byte, &self.sizes) {
            (Some(per_byte), Some(sizes)) => {
                per_byte * f64::from(sizes.drawn(ActionId(job.path), job.identity))
            }
            _ => 0.0,
        }
    }

    fn take_at_once<S: Sink>(&mut self, id: u32, place: Option<Place>, m: &mut Moment<'_, S>) {
        let job = &self.jobs[id];
        let (service, line) = (job.service, job.line);
        m.record(id, job.flight, service, line, VisitStep::TakenAtOnce);
        if let (Some(ranked), Some((rank, _))) = (self.ranked_index(service, line), place) {
            self.ranked[ranked].taken_at_once(rank);
        }
        self.start(id, m);
    }

    fn join(&mut self, id: u32, place: Option<Place>) {
        let job = &mut self.jobs[id];
        job.state = State::Waiting;
        let (service, line) = (job.service, job.line);
        match (self.ranked_index(service, line), place) {
            (Some(ranked), Some(place)) => {
                self.lines[line as usize].waiting += 1;
                self.ranked[ranked].join(id, place);
            }
            _ => self.lines[line as usize].join(&mut self.jobs, id),
        }
    }

    /// Frees a worker for a more urgent job, if there is one that works on a less urgent one, which goes back into the
    /// line even if that is full: the service has let it in.
    fn preempt<S: Sink>(
        &mut self,
        service: ServiceId,
        line: u32,
        place: Option<Place>,
        m: &mut Moment<'_, S>,
    ) -> bool {
        if !self.stations[service.index()].rare.preemptive || self.lines[line as usize].hung {
            return false;
        }
        let (Some(ranked), Some((rank, _))) = (self.ranked_index(service, line), place) else {
            return false;
        };
        let Some((victim, least)) = self.ranked[ranked].least_urgent() else {
            return false;
        };
        if rank >= least {
            return false;
        }
        let end = self.call_off(victim);
        self.ranked[ranked].stops(victim);
        let job = &mut self.jobs[victim];
        let served = m.now.since(job.since);
        job.since = m.now;
        let flight = job.flight;
        let side = &mut self.sides[victim as usize];
        side.left = Some(end.since(m.now).as_nanos());
        let place = side.place;
        m.record(
            victim,
            flight,
            service,
            line,
            VisitStep::Preempted { served },
        );
        self.join(victim, Some(place));
        true
    }

    /// Calls off the completion of a job, and returns when it would have been.
    fn call_off(&mut self, id: u32) -> Time {
        let slot = std::mem::replace(&mut self.sides[id as usize].completion, NONE);
        if slot == NONE {
            return Time::NEVER;
        }
        let (completion, end) = &mut self.completions[slot];
        completion.valid = false;
        *end
    }

    /// A worker begins to serve a job, or goes on with it.
    fn start<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let time = self.demand(id, m.now);
        let job = &mut self.jobs[id];
        job.state = State::Running;
        job.since = m.now;
        let (service, line, flight) = (job.service, job.line, job.flight);
        let (answered, deadline) = (job.answered, job.deadline);
        if let Some(sharing) = self.sharing_index(service, line) {
            let shared = &mut self.sharings[sharing as usize];
            let busy = shared.busy();
            shared.enter(m.now, id, time);
            if shared.busy() > busy {
                m.record(id, flight, service, line, VisitStep::WorkerBusy);
            }
            return self.call_for_share(sharing, m);
        }
        let end = m.now + time;
        let rare = &self.stations[service.index()].rare;
        if rare.tentative {
            let completion = Completion {
                job: id,
                valid: true,
            };
            let slot = self.completions.insert((completion, end));
            self.sides[id as usize].completion = slot;
            m.calendar.push(end, Task::Timer(Timer::Completion(slot)));
            if rare.preemptive
                && let Some(ranked) = self.ranked_index(service, line)
            {
                let place = self.sides[id as usize].place;
                self.ranked[ranked].runs(id, place);
            }
            return;
        }
        let abandons = self.stations[service.index()].on_timeout == OnTimeout::Abandon;
        // Work that will be abandoned before its end never has an end: the timeout stops it.
        if !(abandons && !answered && deadline < end) {
            m.calendar.push(end, Task::Served(id));
        }
    }

    fn call_for_share<S: Sink>(&mut self, sharing: u32, m: &mut Moment<'_, S>) {
        if let Some(at) = self.sharings[sharing as usize].next_call() {
            m.calendar.push(at, Task::Timer(Timer::Share(sharing)));
        }
    }

    /// The service time of a job that is taken up now: what is left of it, or a new draw.
    fn demand(&mut self, id: u32, now: Time) -> Span {
        let left = self
            .sides
            .get_mut(id as usize)
            .and_then(|side| side.left.take());
        if let Some(left) = left {
            return Span::from_nanos(left);
        }
        let job = &self.jobs[id];
        let station = &self.stations[job.service.index()];
        let line = &self.lines[job.line as usize];
        let time = match self.frames.get(job.frame) {
            Some(Frame::Batch { batch }) if self.dealt_to(id).is_some() => {
                self.batches[*batch].cost
            }
            Some(Frame::Handed { work })
                if self.dealt_to(id).is_some() && self.handed_cost(*work).is_some() =>
            {
                self.handed_cost(*work).unwrap_or_default()
            }
            _ => {
                let mut draw = station.service_key.draw(job.identity, job.visit_ordinal());
                let time = self.visit_time(id).sample_span(&mut draw);
                match station.per_byte {
                    Some(_) => time + Span::from_nanos_f64(self.size_time(id)),
                    None => time,
                }
            }
        };
        let member = job.line - station.first_line;
        let busy = line.workers - line.idle;
        station.rare.condition.stretch(now, member, busy, time)
    }

    /// A job at a special station has been served to the end of its own service time.
    #[inline(never)]
    pub(super) fn served_special<S: Sink>(
        &mut self,
        id: u32,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        let job = &self.jobs[id];
        let (service, line, flight, since) = (job.service, job.line, job.flight, job.since);
        if let Some(ranked) = self.ranked_index(service, line) {
            self.ranked[ranked].stops(id);
        }
        let station = &self.stations[service.index()];
        let share = station.error_share(m.now);
        let error = share > 0.0
            && station
                .error_key
                .draw(job.identity, job.visit_ordinal())
                .unit()
                < share;
        let holds = match self.program.ops[job.step as usize - 1] {
            Op::VisitAs(visit) => self.program.visits[visit as usize].holds,
            _ => false,
        };
        let served = m.now.since(since);
        self.jobs[id].state = State::Moving;
        if holds && !error {
            m.record(id, flight, service, line, VisitStep::Held { served });
            self.hold(id);
            return self.walk(m.now, id, m.calendar, m.sink);
        }
        m.record(
            id,
            flight,
            service,
            line,
            VisitStep::Completed { served, error },
        );
        self.worker_free(service, line, m);
        if error {
            return self.fail(id, Ending::Failed(Outcome::AppError), m);
        }
        self.walk(m.now, id, m.calendar, m.sink)
    }

    /// A worker of a line has become free, because a job is done or gone.
    pub(super) fn worker_free<S: Sink>(
        &mut self,
        service: ServiceId,
        line: u32,
        m: &mut Moment<'_, S>,
    ) {
        if !self.stations[service.index()].special {
            return self.next_in_line(m.now, service, line, m.calendar, m.sink);
        }
        self.stations[service.index()].rare.present -= 1;
        self.lines[line as usize].idle += 1;
        self.went_from_member(service, line);
        self.take_up(service, line, m);
    }

    /// Takes up who waits as long as there is a worker for it.
    pub(super) fn take_up<S: Sink>(
        &mut self,
        service: ServiceId,
        line: u32,
        m: &mut Moment<'_, S>,
    ) {
        loop {
            let here = &mut self.lines[line as usize];
            if here.idle == 0 || here.waiting == 0 || here.hung {
                return;
            }
            here.idle -= 1;
            let next = match self.ranked_index(service, line) {
                Some(ranked) => {
                    self.lines[line as usize].waiting -= 1;
                    self.ranked[ranked].take()
                }
                None => self.lines[line as usize].take(&mut self.jobs),
            };
            let Some(next) = next else { return };
            let job = &self.jobs[next];
            let waited = m.now.since(job.since);
            m.record(
                next,
                job.flight,
                service,
                line,
                VisitStep::Started { waited },
            );
            self.start(next, m);
        }
    }

    /// Takes a job that waits out of its line.
    pub(super) fn leave_line(&mut self, id: u32) {
        let job = &self.jobs[id];
        let (service, line) = (job.service, job.line);
        match self.ranked_index(service, line) {
            Some(ranked) => {
                self.lines[line as usize].waiting -= 1;
                self.ranked[ranked].leave(id);
                self.sides[id as usize].left = None;
            }
            None => self.lines[line as usize].leave(&mut self.jobs, id),
        }
        let station = &mut self.stations[service.index()];
        if station.special {
            station.rare.present -= 1;
        }
        self.went_from_member(service, line);
    }

    /// Stops a job in service: its completion will not come. The worker is not yet free.
    pub(super) fn stop_service<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let job = &self.jobs[id];
        let (service, line, flight) = (job.service, job.line, job.flight);
        if let Some(idle) = self.stops_sharing(id, m.now) {
            if idle {
                m.record(id, flight, service, line, VisitStep::WorkerIdle);
            }
            if let Some(sharing) = self.sharing_index(service, line) {
                self.call_for_share(sharing, m);
            }
        } else if self.stations[service.index()].rare.tentative {
            self.call_off(id);
            if let Some(ranked) = self.ranked_index(service, line) {
                self.ranked[ranked].stops(id);
            }
        }
    }

    /// Takes a job in service out of those who share a line's workers; whether a worker is idle for it.
    pub(super) fn stops_sharing(&mut self, id: u32, now: Time) -> Option<bool> {
        let job = &self.jobs[id];
        let sharing = self.sharing_index(job.service, job.line)?;
        let shared = &mut self.sharings[sharing as usize];
        let busy = shared.busy();
        shared.leave(now, id);
        Some(shared.busy() < busy)
    }

    /// Those who share a line's workers and have had their demand are done. All but the last answer go through the
    /// calendar, at this instant.
    pub(super) fn shares_done<S: Sink>(
        &mut self,
        sharing: u32,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        self.sharings[sharing as usize].answered();
        let mut reply: Option<Reply> = None;
        loop {
            let shared = &mut self.sharings[sharing as usize];
            let busy = shared.busy();
            let Some(id) = shared.take_done(m.now) else {
                break;
            };
            let fewer = shared.busy() < busy;
            if fewer {
                let job = &self.jobs[id];
                m.record(id, job.flight, job.service, job.line, VisitStep::WorkerIdle);
            }
            if let Some(before) = reply.take() {
                let before = self.replies.insert(before);
                m.calendar.push(m.now, Task::Delivered(before));
            }
            reply = self.served_special(id, m);
        }
        self.call_for_share(sharing, m);
        reply
    }

    /// A completion that could have been called off is due.
    pub(super) fn completion_due<S: Sink>(
        &mut self,
        slot: u32,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        let (completion, _) = self.completions[slot];
        self.completions.remove(slot);
        if !completion.valid {
            return None;
        }
        self.sides[completion.job as usize].completion = NONE;
        self.served_special(completion.job, m)
    }

    /// The job that a completion is of.
    pub(super) fn job_of_completion(&self, slot: u32) -> u32 {
        self.completions[slot].0.job
    }

    /// Whether a completion was called off.
    pub(super) fn is_called_off(&self, slot: u32) -> bool {
        !self.completions[slot].0.valid
    }
}
