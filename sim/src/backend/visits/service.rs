//! Service at special stations: how long it takes, how it is shared, and how it is stopped before its end.

use super::Visits;
use crate::backend::walk::{Ending, NONE, Op, State};
use crate::backend::{Backend, Moment, Reply};
use crate::dist::Dist;
use crate::engine::{Task, Timer};
use crate::event::{Outcome, Sink, VisitStep};
use crate::model::{ActionId, OnTimeout};
use crate::time::{Span, Time};

/// The completion of a job that may be called off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Completion {
    job: u32,
    valid: bool,
}

impl Backend {
    /// A worker begins to serve a job, or goes on with it.
    pub(super) fn start<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let time = self.demand(id, m.now);
        let job = &mut self.jobs[id];
        job.state = State::Running;
        job.since = m.now;
        let (service, line, flight) = (job.service, job.line, job.flight);
        let (answered, deadline) = (job.answered, job.deadline);
        if let Some(sharing) = self.visits.sharing_index(service, line) {
            let shared = &mut self.visits.sharings[sharing as usize];
            let busy = shared.busy();
            shared.enter(m.now, id, time);
            if shared.busy() > busy {
                m.record(id, flight, service, line, VisitStep::WorkerBusy);
            }
            return self.call_for_share(sharing, m);
        }
        let end = m.now + time;
        let rare = &self.visits.stations[service.index()].rare;
        if rare.tentative {
            let completion = Completion {
                job: id,
                valid: true,
            };
            let slot = self.visits.completions.insert((completion, end));
            self.jobs.side(id).completion = slot;
            m.calendar.push(end, Task::Timer(Timer::Completion(slot)));
            if rare.preemptive
                && let Some(ranked) = self.visits.ranked_index(service, line)
            {
                let place = self.jobs.side(id).place;
                self.visits.ranked[ranked].runs(id, place);
            }
            return;
        }
        let abandons = self.visits.stations[service.index()].on_timeout == OnTimeout::Abandon;
        // Work that will be abandoned before its end never has an end: the timeout stops it.
        if !(abandons && !answered && deadline < end) {
            m.calendar.push(end, Task::Served(id));
        }
    }

    /// The service time of a job that is taken up now: what is left of it, what was recorded, or a new draw.
    fn demand(&mut self, id: u32, now: Time) -> Span {
        if let Some(left) = self.jobs.take_left(id) {
            return Span::from_nanos(left);
        }
        if let Some(time) = self.recorded_time(id) {
            return time;
        }
        let job = &self.jobs[id];
        let station = &self.visits.stations[job.service.index()];
        let line = &self.visits.lines[job.line as usize];
        let time = match self.dealt(id).and_then(|dealt| dealt.cost) {
            Some(cost) => cost,
            None => {
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

    /// The service time of a job's visit as the spec has it.
    pub(super) fn visit_time(&self, id: u32) -> &Dist {
        let job = &self.jobs[id];
        let own = match self.paths.program.ops[job.step as usize - 1] {
            Op::VisitAs(visit) => self.paths.program.visits[visit as usize].time.as_ref(),
            _ => None,
        };
        own.unwrap_or(&self.visits.stations[job.service.index()].time)
    }

    /// Nanoseconds that the size of a job's request adds to its visit.
    pub(super) fn size_time(&self, id: u32) -> f64 {
        let job = &self.jobs[id];
        let per_byte = self.visits.stations[job.service.index()].per_byte;
        match (per_byte, &self.visits.sizes) {
            (Some(per_byte), Some(sizes)) => {
                per_byte * f64::from(sizes.drawn(ActionId(job.path), job.identity))
            }
            _ => 0.0,
        }
    }

    fn call_for_share<S: Sink>(&mut self, sharing: u32, m: &mut Moment<'_, S>) {
        if let Some(at) = self.visits.sharings[sharing as usize].next_call() {
            m.calendar.push(at, Task::Timer(Timer::Share(sharing)));
        }
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
        if let Some(ranked) = self.visits.ranked_index(service, line) {
            self.visits.ranked[ranked].stops(id);
        }
        let station = &self.visits.stations[service.index()];
        let share = station.error_share(m.now);
        let error = share > 0.0
            && station
                .error_key
                .draw(job.identity, job.visit_ordinal())
                .unit()
                < share;
        let holds = match self.paths.program.ops[job.step as usize - 1] {
            Op::VisitAs(visit) => self.paths.program.visits[visit as usize].holds,
            _ => false,
        };
        let served = m.now.since(since);
        self.jobs[id].state = State::Moving;
        if holds && !error {
            m.record(id, flight, service, line, VisitStep::Held { served });
            self.jobs.hold(id);
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

    /// Calls off the completion of a job, and returns when it would have been.
    pub(super) fn call_off(&mut self, id: u32) -> Time {
        let slot = std::mem::replace(&mut self.jobs.side(id).completion, NONE);
        if slot == NONE {
            return Time::NEVER;
        }
        let (completion, end) = &mut self.visits.completions[slot];
        completion.valid = false;
        *end
    }

    /// Stops a job in service: its completion will not come. The worker is not yet free.
    pub(crate) fn stop_service<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let job = &self.jobs[id];
        let (service, line, flight) = (job.service, job.line, job.flight);
        if let Some(idle) = self.stops_sharing(id, m.now) {
            if idle {
                m.record(id, flight, service, line, VisitStep::WorkerIdle);
            }
            if let Some(sharing) = self.visits.sharing_index(service, line) {
                self.call_for_share(sharing, m);
            }
        } else if self.visits.stations[service.index()].rare.tentative {
            self.call_off(id);
            if let Some(ranked) = self.visits.ranked_index(service, line) {
                self.visits.ranked[ranked].stops(id);
            }
        }
    }

    /// Takes a job in service out of those who share a queue's workers; whether a worker is idle for it.
    pub(super) fn stops_sharing(&mut self, id: u32, now: Time) -> Option<bool> {
        let job = &self.jobs[id];
        let sharing = self.visits.sharing_index(job.service, job.line)?;
        let shared = &mut self.visits.sharings[sharing as usize];
        let busy = shared.busy();
        shared.leave(now, id);
        Some(shared.busy() < busy)
    }

    /// Those who share a queue's workers and have had their demand are done. All but the last answer go through the
    /// calendar, at this instant.
    pub(crate) fn shares_done<S: Sink>(
        &mut self,
        sharing: u32,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        self.visits.sharings[sharing as usize].answered();
        let mut reply: Option<Reply> = None;
        loop {
            let shared = &mut self.visits.sharings[sharing as usize];
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
                self.reply_later(before, m);
            }
            reply = self.served_special(id, m);
        }
        self.call_for_share(sharing, m);
        reply
    }

    /// A completion that could have been called off is due.
    pub(crate) fn completion_due<S: Sink>(
        &mut self,
        slot: u32,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        let (completion, _) = self.visits.completions[slot];
        self.visits.completions.remove(slot);
        if !completion.valid {
            return None;
        }
        self.jobs.side(completion.job).completion = NONE;
        self.served_special(completion.job, m)
    }

    /// The workers that are shared when the run ends are idle from then on.
    pub(crate) fn cut_busy_workers<S: Sink>(&mut self, m: &mut Moment<'_, S>) {
        for id in self.jobs.taken() {
            let job = self.jobs[id];
            if job.state == State::Running
                && let Some(idle) = self.stops_sharing(id, m.now)
                && idle
            {
                m.record(id, job.flight, job.service, job.line, VisitStep::WorkerIdle);
            }
        }
    }
}

impl Visits {
    /// Whether the call for those that share a queue's workers is the one that is waited for.
    pub(crate) fn is_called(&self, sharing: u32, now: Time) -> bool {
        self.sharings[sharing as usize].is_called(now)
    }

    /// The job that a completion is of.
    pub(crate) fn job_of_completion(&self, slot: u32) -> u32 {
        self.completions[slot].0.job
    }

    /// Whether a completion was called off.
    pub(crate) fn is_called_off(&self, slot: u32) -> bool {
        !self.completions[slot].0.valid
    }
}
