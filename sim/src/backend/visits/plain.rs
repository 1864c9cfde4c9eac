//! Visits of plain stations: the way of most, and the one that has to be short.

use super::Entry;
use super::station::Station;
use crate::backend::moment::seldom;
use crate::backend::walk::{Ending, Job, NONE, State};
use crate::backend::{Backend, Reply};
use crate::engine::{Calendar, Task};
use crate::event::{Event, Outcome, Sink, VisitStep};
use crate::model::{OnTimeout, ServiceId};
use crate::time::{Span, Time};

impl Backend {
    /// Takes a job to a service.
    #[inline(always)]
    pub(crate) fn visit<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        service: ServiceId,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Entry {
        let station = &self.visits.stations[service.index()];
        if station.special {
            return seldom(now, calendar, sink, move |m| {
                self.visit_special(id, service, m)
            });
        }
        let job = &mut self.jobs[id];
        let at = station.choose_line(&self.visits.loads, job.identity, job.visit_ordinal());
        let line = &mut self.visits.lines[at as usize];
        job.service = service;
        job.line = at;
        job.since = now;
        if station.on_timeout != OnTimeout::Stay && !job.answered && job.deadline < now {
            record(sink, now, id, job, VisitStep::Joined);
            let waited = Span::ZERO;
            record(sink, now, id, job, VisitStep::Left { waited });
            return seldom(now, calendar, sink, move |m| {
                self.unwind(id, Ending::GaveUp, m);
                Entry::Gone
            });
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
            self.visits.came_to_member(service, at);
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
        let station = &self.visits.stations[service.index()];
        if station.special {
            return seldom(now, calendar, sink, move |m| self.served_special(id, m));
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
            return seldom(now, calendar, sink, move |m| self.fail(id, ending, m));
        }
        self.walk(now, id, calendar, sink)
    }

    /// A worker has become free.
    #[inline(always)]
    pub(crate) fn next_in_line<S: Sink>(
        &mut self,
        now: Time,
        service: ServiceId,
        line: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) {
        let station = &self.visits.stations[service.index()];
        if station.loads != NONE {
            self.visits.went_from_member(service, line);
        }
        let Some(next) = self.visits.lines[line as usize].take(&mut self.jobs) else {
            return;
        };
        let job = &mut self.jobs[next];
        let step = VisitStep::Started {
            waited: now.since(job.since),
        };
        record(sink, now, next, job, step);
        serve(
            now,
            next,
            job,
            &self.visits.stations[service.index()],
            calendar,
        );
    }

    /// Reports the visits that are not over when the run ends.
    pub(crate) fn cut_visits<S: Sink>(&mut self, now: Time, sink: &mut S) {
        for id in self.jobs.taken() {
            let job = self.jobs[id];
            let spent = now.since(job.since);
            match job.state {
                State::Moving | State::Joining => {}
                State::Waiting => {
                    record(sink, now, id, &job, VisitStep::CutWaiting { waited: spent });
                }
                State::Running => {
                    record(sink, now, id, &job, VisitStep::CutRunning { served: spent });
                }
            }
            for (service, line, since) in self.jobs.held(id) {
                let held = Job {
                    service,
                    line,
                    ..job
                };
                let served = now.since(since);
                record(sink, now, id, &held, VisitStep::CutRunning { served });
            }
        }
    }
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
