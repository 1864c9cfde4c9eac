//! Which visit belongs to which request, where the events tell: every path begins with a visit and there is no
//! network, so that the first visit follows its request directly. With that, what must become of work whose client
//! gave up, and the demands of every request.

use std::collections::HashMap;

use blis_sim::event::{Outcome, Request, VisitStep};
use blis_sim::model::{Dispatch, Model, OnTimeout, ServiceId, Step};
use blis_sim::time::{Span, Time};

use crate::record::Kept;

/// (client, user, number, attempt) of a request.
pub type RequestKey = (String, u64, u64, u16);

/// What a completed visit took: service, time, whether it ended in an error, and the member that was drawn for it.
pub type Demand = (String, Span, bool, Option<u32>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Waiting,
    Running,
    Elsewhere,
}

struct Job {
    request: Request,
    place: Place,
    service: ServiceId,
    /// How its client's wait ended.
    outcome: Option<Outcome>,
}

pub struct LinksBook<'a> {
    model: &'a Model,
    jobs: HashMap<u32, Job>,
    visitors: HashMap<RequestKey, u32>,
    just_sent: Option<Request>,
    first_lines: Vec<u32>,
    /// The completed visits of each request, in their order.
    pub demands: HashMap<RequestKey, Vec<Demand>>,
}

impl<'a> LinksBook<'a> {
    /// A book, if the events of this model tell which visit belongs to which request.
    pub fn new(model: &'a Model) -> Option<LinksBook<'a>> {
        let first = |entry: u32| matches!(model.program[entry as usize], Step::Visit(_));
        let linked =
            model.one_way.is_none() && model.actions.iter().all(|action| first(action.path.entry));
        linked.then(|| LinksBook {
            model,
            jobs: HashMap::new(),
            visitors: HashMap::new(),
            just_sent: None,
            first_lines: first_lines(model),
            demands: HashMap::new(),
        })
    }

    /// The key of a request, the same in any variant of its spec.
    pub fn key(&self, request: &Request) -> RequestKey {
        let client = self.model.clients[request.client.index()].name.clone();
        (client, request.user_number, request.number, request.attempt)
    }

    fn deadline(&self, request: &Request) -> Time {
        let timeout = self.model.clients[request.client.index()].timeout;
        timeout.map_or(Time::NEVER, |timeout| request.intended + timeout)
    }

    /// Whether an action's path goes on after the reply: then its work outlives its client's interest.
    fn goes_on(&self, request: &Request) -> bool {
        let path =
            &self.model.program[self.model.actions[request.action.index()].path.entry as usize..];
        let path = path
            .split(|step| *step == Step::End)
            .next()
            .unwrap_or_default();
        let after = path.iter().skip_while(|step| **step != Step::Reply);
        after
            .into_iter()
            .any(|step| matches!(step, Step::Visit(_) | Step::Delay(_)))
    }

    /// Takes the next event of the run.
    pub fn event(&mut self, at: Time, event: &Kept) {
        match *event {
            Kept::Intended(request) => self.just_sent = Some(request),
            Kept::Done {
                request, outcome, ..
            } => self.done(at, &request, outcome),
            Kept::Visit {
                service,
                line,
                visitor,
                step,
            } => {
                if let Some(request) = self.just_sent.take() {
                    let key = self.key(&request);
                    self.visitors.insert(key, visitor);
                    let job = Job {
                        request,
                        place: Place::Elsewhere,
                        service,
                        outcome: None,
                    };
                    self.jobs.insert(visitor, job);
                }
                self.visit(at, service, line, visitor, step);
            }
            _ => {}
        }
    }

    fn visit(&mut self, at: Time, service: ServiceId, line: u32, visitor: u32, step: VisitStep) {
        let on_timeout = self.model.services[service.index()].on_timeout;
        let job = &self.jobs[&visitor];
        let request = job.request;
        let (deadline, gone) = (
            self.deadline(&request),
            job.outcome == Some(Outcome::TimedOut),
        );
        let heeded = on_timeout != OnTimeout::Stay && !self.goes_on(&request);
        let place = match step {
            VisitStep::TakenAtOnce | VisitStep::Rejected => {
                assert!(
                    !(heeded && gone),
                    "work of a client that gave up is not taken in: {request:?}"
                );
                if step == VisitStep::TakenAtOnce {
                    Place::Running
                } else {
                    Place::Elsewhere
                }
            }
            VisitStep::Joined => Place::Waiting,
            VisitStep::Started { .. } => {
                assert!(
                    !(heeded && gone),
                    "work of a client that gave up is not started: {request:?}"
                );
                Place::Running
            }
            VisitStep::Completed { served, error } => {
                let demand = self.demand(service, line, served, error);
                self.demands
                    .entry(self.key(&request))
                    .or_default()
                    .push(demand);
                Place::Elsewhere
            }
            VisitStep::Left { .. } => {
                let answered = job
                    .outcome
                    .is_some_and(|outcome| outcome != Outcome::TimedOut);
                assert!(
                    !answered && (at == deadline || (gone && at > deadline)),
                    "left early: {request:?}"
                );
                Place::Elsewhere
            }
            VisitStep::Abandoned { .. } => {
                assert_eq!(
                    (at, job.outcome),
                    (deadline, None),
                    "abandoned at another time: {request:?}"
                );
                Place::Elsewhere
            }
            VisitStep::CutWaiting { .. } | VisitStep::CutRunning { .. } => Place::Elsewhere,
            VisitStep::Held { .. }
            | VisitStep::Preempted { .. }
            | VisitStep::LostWaiting { .. }
            | VisitStep::LostRunning { .. }
            | VisitStep::Unreachable
            | VisitStep::WorkerBusy
            | VisitStep::WorkerIdle => unreachable!("these services do not do that: {step:?}"),
        };
        if let Some(job) = self.jobs.get_mut(&visitor) {
            (job.place, job.service) = (place, service);
        }
    }

    fn demand(&self, id: ServiceId, line: u32, served: Span, error: bool) -> Demand {
        let service = &self.model.services[id.index()];
        let member = line - self.first_lines[id.index()];
        let drawn = (service.dispatch == Dispatch::Random).then_some(member);
        (service.name.clone(), served, error, drawn)
    }

    fn done(&mut self, at: Time, request: &Request, outcome: Outcome) {
        let visitor = self.visitors[&self.key(request)];
        let Some(job) = self.jobs.get_mut(&visitor) else {
            return;
        };
        // The visitor's number may already belong to a later request.
        if job.request != *request {
            return;
        }
        job.outcome = Some(outcome);
        let on_timeout = self.model.services[job.service.index()].on_timeout;
        let stays = match (job.place, on_timeout) {
            (Place::Waiting, OnTimeout::Stay)
            | (Place::Running, OnTimeout::Stay | OnTimeout::Leave) => true,
            (Place::Elsewhere, _) => true,
            (Place::Waiting, _) | (Place::Running, OnTimeout::Abandon) => false,
        };
        assert!(
            outcome != Outcome::TimedOut || stays,
            "at {at:?} the client gave up, its work is still {:?} at a service that says {on_timeout:?}: {request:?}",
            job.place
        );
    }
}

/// The first line of each service: lines are numbered in the order of the services.
fn first_lines(model: &Model) -> Vec<u32> {
    let mut next = 0;
    let mut first = Vec::new();
    for service in &model.services {
        first.push(next);
        next += match service.dispatch {
            Dispatch::Shared => 1,
            Dispatch::Random | Dispatch::LeastLoaded => service.members.count(),
        };
    }
    first
}
