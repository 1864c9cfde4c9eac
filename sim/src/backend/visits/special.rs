//! Visits of special stations: those with another order than first-in, first-out, with admission, outages or
//! service times that vary, and those whose workers are held or that work on deliveries.

use super::ranked::{Place, Rank};
use super::{Dealt, Entry};
use crate::backend::walk::{Ending, Frame, Op, State};
use crate::backend::{Backend, Moment};
use crate::event::{Sink, VisitStep};
use crate::model::{OnTimeout, Order, ServiceId};
use crate::time::{Span, Time};

impl Backend {
    /// Takes a job to a special station.
    #[inline(never)]
    pub(crate) fn visit_special<S: Sink>(
        &mut self,
        id: u32,
        service: ServiceId,
        m: &mut Moment<'_, S>,
    ) -> Entry {
        let given = self.given_line(service);
        let Some(line) = given.or_else(|| self.special_line(id, service)) else {
            let first = self.visits.stations[service.index()].first_line;
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
        let station = &mut self.visits.stations[service.index()];
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
        let here = self.visits.lines[line as usize];
        let idle = here.idle > 0 && !here.hung;
        let full = here.waiting >= station.queue_limit;
        // Whoever is refused for certain takes no place, which would count against its client where turns are fair.
        let place = match idle || !full || station.rare.preemptive {
            true => self.place(id, m.now),
            false => None,
        };
        if idle {
            self.visits.lines[line as usize].idle -= 1;
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
        self.visits.stations[service.index()].rare.present += 1;
        self.visits.came_to_member(service, line);
        Entry::Taken
    }

    /// The queue of a visit: that of the member that was recorded or that a delivery was dealt to, or one that the service chooses.
    fn special_line(&mut self, id: u32, service: ServiceId) -> Option<u32> {
        let recorded = self.recorded_line(id, service);
        if recorded.is_some() {
            return recorded;
        }
        let job = &self.jobs[id];
        let station = &self.visits.stations[service.index()];
        if let Some(Dealt { member, .. }) = self.dealt(id) {
            let line = station.first_line + member;
            return (!self.visits.lines[line as usize].gone).then_some(line);
        }
        station.choose_reachable(&self.visits.loads, job.identity, job.visit_ordinal())
    }

    /// To whom the delivery was dealt that now begins, or is worked on.
    pub(crate) fn dealt(&self, id: u32) -> Option<Dealt> {
        let job = &self.jobs[id];
        let Op::VisitAs(visit) = self.paths.program.ops[job.step as usize - 1] else {
            return None;
        };
        if !self.paths.program.visits[visit as usize].begins_delivery {
            return None;
        }
        match *self.jobs.innermost(id)? {
            Frame::Delivery { member, .. } => Some(Dealt { member, cost: None }),
            Frame::Batch { batch } => Some(self.streams.batch(batch)),
            Frame::Handed { work } => self.handed_work(work),
            _ => None,
        }
    }

    /// The place of a job in its queue, where queues are ranked.
    fn place(&mut self, id: u32, now: Time) -> Option<Place> {
        let job = &self.jobs[id];
        let (service, line) = (job.service, job.line);
        let ranked = self.visits.ranked_index(service, line)?;
        let station = &self.visits.stations[service.index()];
        let client = usize::from(job.client);
        let rank = match &station.rare.order {
            Order::Priority { ranks, ageing, .. } => {
                let class = self.visits.classes_of_paths[usize::from(job.path)]
                    .or(self.visits.classes_of_clients[client]);
                let last = ranks.len() as u64;
                let rank = class.map_or(last, |class| u64::from(ranks[class.index()]));
                // Whoever has waited `ageing` longer than another makes up for one rank, so that the time at which a
                // job would have caught up with the most urgent class orders them for good.
                Rank::Whole(ageing.map_or(rank, |ageing| {
                    let handicap = rank.saturating_mul(ageing.as_nanos());
                    now.as_nanos().saturating_add(handicap)
                }))
            }
            Order::Deadline => {
                let due = self.visits.due_after[usize::from(job.path)]
                    .map_or(job.deadline, |after| self.jobs.intended(id) + after);
                Rank::Whole(due.as_nanos())
            }
            Order::Fair { weights } => {
                let cost = self.visit_time(id).mean() + self.size_time(id);
                let clock = self.visits.ranked[ranked].fair();
                if self.visits.lines[line as usize].is_empty() {
                    clock.fell_idle();
                }
                clock.tag(client, cost, weights[client])
            }
            Order::Fifo | Order::Shared { .. } => return None,
        };
        let place = self.visits.ranked[ranked].place(rank);
        self.jobs.side(id).place = place;
        Some(place)
    }

    fn take_at_once<S: Sink>(&mut self, id: u32, place: Option<Place>, m: &mut Moment<'_, S>) {
        let job = &self.jobs[id];
        let (service, line) = (job.service, job.line);
        m.record(id, job.flight, service, line, VisitStep::TakenAtOnce);
        if let (Some(ranked), Some((rank, _))) = (self.visits.ranked_index(service, line), place) {
            self.visits.ranked[ranked].taken_at_once(rank);
        }
        self.start(id, m);
    }

    fn join(&mut self, id: u32, place: Option<Place>) {
        let job = &mut self.jobs[id];
        job.state = State::Waiting;
        let (service, line) = (job.service, job.line);
        match (self.visits.ranked_index(service, line), place) {
            (Some(ranked), Some(place)) => {
                self.visits.lines[line as usize].waiting += 1;
                self.visits.ranked[ranked].join(id, place);
            }
            _ => self.visits.lines[line as usize].join(&mut self.jobs, id),
        }
    }

    /// Frees a worker for a more urgent job, if there is one that works on a less urgent one, which goes back into the
    /// queue even if that is full: the service has let it in.
    fn preempt<S: Sink>(
        &mut self,
        service: ServiceId,
        line: u32,
        place: Option<Place>,
        m: &mut Moment<'_, S>,
    ) -> bool {
        if !self.visits.stations[service.index()].rare.preemptive
            || self.visits.lines[line as usize].hung
        {
            return false;
        }
        let (Some(ranked), Some((rank, _))) = (self.visits.ranked_index(service, line), place)
        else {
            return false;
        };
        let Some((victim, least)) = self.visits.ranked[ranked].least_urgent() else {
            return false;
        };
        if rank >= least {
            return false;
        }
        let end = self.call_off(victim);
        self.visits.ranked[ranked].stops(victim);
        let job = &mut self.jobs[victim];
        let served = m.now.since(job.since);
        job.since = m.now;
        let flight = job.flight;
        let side = self.jobs.side(victim);
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

    /// A worker of a queue has become free, because a job is done or gone.
    pub(crate) fn worker_free<S: Sink>(
        &mut self,
        service: ServiceId,
        line: u32,
        m: &mut Moment<'_, S>,
    ) {
        if !self.visits.stations[service.index()].special {
            return self.next_in_line(m.now, service, line, m.calendar, m.sink);
        }
        self.visits.stations[service.index()].rare.present -= 1;
        self.visits.lines[line as usize].idle += 1;
        self.visits.went_from_member(service, line);
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
            let here = &mut self.visits.lines[line as usize];
            if here.idle == 0 || here.waiting == 0 || here.hung {
                return;
            }
            here.idle -= 1;
            let next = match self.visits.ranked_index(service, line) {
                Some(ranked) => {
                    self.visits.lines[line as usize].waiting -= 1;
                    self.visits.ranked[ranked].take()
                }
                None => self.visits.lines[line as usize].take(&mut self.jobs),
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

    /// Takes a job that waits out of its queue.
    pub(crate) fn leave_line(&mut self, id: u32) {
        let job = &self.jobs[id];
        let (service, line) = (job.service, job.line);
        match self.visits.ranked_index(service, line) {
            Some(ranked) => {
                self.visits.lines[line as usize].waiting -= 1;
                self.visits.ranked[ranked].leave(id);
                self.jobs.side(id).left = None;
            }
            None => self.visits.lines[line as usize].leave(&mut self.jobs, id),
        }
        let station = &mut self.visits.stations[service.index()];
        if station.special {
            station.rare.present -= 1;
        }
        self.visits.went_from_member(service, line);
    }
}
