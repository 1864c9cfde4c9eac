//! Requests: how they enter, and what becomes of their work when their clients give up.

use super::walk::{Ending, Job, NONE, Path, State};
use super::{Backend, Moment, Reply};
use crate::engine::{Calendar, Task};
use crate::event::{FlightId, Outcome, Request, Sink, VisitStep};
use crate::model::{Model, OnTimeout, ServiceId};
use crate::random::{Key, Kind, Purpose};
use crate::time::Time;

/// What is known of the requests that clients send.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    /// The keys of their identities, by client.
    keys: Vec<Key>,
    /// The job of each request in flight that is not answered, by slot, kept only if some service heeds timeouts.
    job_of: Option<Vec<(FlightId, u32)>>,
    /// Whether there is more to the sending of some requests than their jobs.
    submits_more: bool,
}

/// The keys of requests' identities, by client.
pub(crate) fn keys(model: &Model) -> Vec<Key> {
    let clients = model.clients.iter();
    let key = |name| Key::new(model.seed, Kind::Client, name, Purpose::Request);
    clients.map(|client| key(&client.name)).collect()
}

impl Requests {
    pub(super) fn new(model: &Model, heeds_timeouts: bool, keeps_sides: bool) -> Requests {
        let mut actions = model.actions.iter();
        Requests {
            keys: keys(model),
            job_of: heeds_timeouts.then(Vec::new),
            submits_more: keeps_sides || actions.any(|action| action.path.fire_and_forget),
        }
    }

    /// How many clients there are.
    pub(super) fn clients(&self) -> usize {
        self.keys.len()
    }

    /// What the draws of a request are made from; `None` where there is no such client.
    pub(super) fn identity(&self, request: &Request) -> Option<u64> {
        let key = self.keys.get(request.client.index())?;
        Some(key.identity(request.user_number, request.number))
    }

    /// Notes which job a request has, where that is kept.
    #[inline(always)]
    pub(super) fn remember(&mut self, flight: FlightId, job: u32) {
        if let Some(job_of) = &mut self.job_of {
            if flight.slot() >= job_of.len() {
                job_of.resize(flight.slot() + 1, (flight, NONE));
            }
            job_of[flight.slot()] = (flight, job);
        }
    }

    /// A request is answered, by whichever job: its own is no longer concerned if its client gives up.
    #[inline(always)]
    pub(super) fn forget(&mut self, flight: FlightId) {
        if let Some(job_of) = &mut self.job_of
            && let Some((known, job)) = job_of.get_mut(flight.slot())
            // The slot may belong to a later request by now.
            && *known == flight
        {
            *job = NONE;
        }
    }

    /// A job is over that may be a request's own, which somebody else will answer.
    #[inline(never)]
    pub(super) fn is_over(&mut self, flight: FlightId, id: u32) {
        let known = self.job_of.as_ref().and_then(|of| of.get(flight.slot()));
        if known == Some(&(flight, id)) {
            self.forget(flight);
        }
    }

    /// The job of a request that is not answered, which is forgotten.
    fn take(&mut self, flight: FlightId) -> Option<u32> {
        let (known, job) = self.job_of.as_mut()?.get_mut(flight.slot())?;
        let job = std::mem::replace(job, NONE);
        (*known == flight && job != NONE).then_some(job)
    }
}

impl Backend {
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
        let key = self.requests.keys[request.client.index()];
        let identity = key.identity(request.user_number, request.number);
        let Path {
            entry: step,
            fire_and_forget: answered,
            ..
        } = self.paths[request.action.0];
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
        if self.requests.submits_more {
            if self.jobs.keeps_sides() {
                self.jobs.keep_side(id, request.intended);
            }
            if answered {
                return Some(self.submit_and_forget(now, id, calendar, sink));
            }
        }
        self.requests.remember(flight, id);
        if let Some(delay) = self.replies.delay(identity, ordinal) {
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
        if let Some(delay) = self.replies.delay(job.identity, job.ordinal(0)) {
            calendar.push(now + delay, Task::Arrived(id));
        } else {
            // Nothing on the path answers.
            self.walk(now, id, calendar, sink);
        }
        reply
    }

    /// The client of a request has given up: its work leaves or stops where the service heeds that.
    pub fn gave_up<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) {
        let Some(id) = self.requests.take(flight) else {
            return;
        };
        let mut m = Moment {
            now,
            calendar,
            sink,
        };
        self.give_up(id, &mut m);
    }

    /// The client of a job has given up.
    pub(super) fn give_up<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let Job {
            flight,
            service,
            line,
            since,
            state,
            ..
        } = self.jobs[id];
        let spent = m.now.since(since);
        let heeds = self.visits.on_timeout(service);
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
}
