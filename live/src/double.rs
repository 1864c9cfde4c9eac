//! The double of a backend: the model of a spec, played on NATS in real time.
//!
//! Requests that arrive are handed to the very model that the simulation runs, at the instant at which they arrived, and
//! its clock is the real one: who waits for whom, for how long, what fails and what is refused is decided there, from the
//! identity that the request carries. What the model answers is sent when the model says, or as soon after that as
//! the machine lets it; how late that was is the overrun, which is reported.

use std::collections::BTreeMap;

use async_nats::{Client, HeaderMap, Subject};
use blis_sim::backend::{Backend, Reply};
use blis_sim::engine::{Calendar, FlightId, InFlight, Task};
use blis_sim::event::{Event, Outcome, Request, Sink, UserId, VisitStep};
use blis_sim::measure::Times;
use blis_sim::model::{ActionId, Model, SendKind};
use blis_sim::time::{Span, Time};
use bytes::Bytes;

use crate::clock::Clock;
use crate::identity::{
    Identity, MEMBER, REJECTED, SERVICE_ERROR, SERVICE_ERROR_CODE, SERVICE_TIME,
};
use crate::nats::at_once;

/// A request that has arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// What is asked for.
    pub action: ActionId,
    /// Who asks, as far as the header says.
    pub identity: Option<Identity>,
    /// Where the answer goes; nowhere for a publication.
    pub reply: Option<Subject>,
    /// When it arrived.
    pub at: Time,
}

/// The subjects that a double listens to, with what they ask for.
pub fn subjects(model: &Model) -> Vec<(String, ActionId)> {
    let actions = (0u16..).map(ActionId).zip(&model.actions);
    let listened = actions.filter_map(|(id, action)| {
        let sending = action.sending.as_ref()?;
        (sending.kind != SendKind::Jetstream).then(|| (sending.subject.wildcards(), id))
    });
    listened.collect()
}

/// What a double did.
#[derive(Debug, Default, Clone)]
pub struct Played {
    /// Requests that arrived.
    pub requests: u64,
    /// Those of them whose header named no request of this spec.
    pub unknown: u64,
    /// Answers by outcome.
    pub answers: BTreeMap<&'static str, u64>,
    /// How much later than the model said things happened.
    pub overrun: Times,
    /// The most work that was there together.
    pub most_present: usize,
}

/// Where a request was served, and for how long.
#[derive(Debug, Clone, Copy, Default)]
struct Served {
    member: u32,
    time: Span,
}

/// Keeps where each request was served.
#[derive(Debug, Default)]
struct Record(Vec<Served>);

impl Sink for Record {
    fn advance(&mut self, _now: Time) {}

    fn record(&mut self, _at: Time, event: Event<'_>) {
        let Event::Visit {
            line,
            flight,
            step: VisitStep::Completed { served, .. },
            ..
        } = event
        else {
            return;
        };
        if let Some(of) = self.0.get_mut(flight.slot()) {
            of.member = line;
            of.time = of.time + served;
        }
    }
}

/// A backend in real time.
pub struct Double<C> {
    model: Model,
    backend: Backend,
    calendar: Calendar<Task>,
    in_flight: InFlight,
    reply_to: Vec<Option<Subject>>,
    record: Record,
    client: Client,
    clock: C,
    /// The instant up to which the model has come.
    reached: Time,
    played: Played,
}

impl<C: Clock<Arrived>> Double<C> {
    /// The double of a model. Delays of the network are left to the network.
    pub fn new(model: &Model, client: Client, clock: C) -> Double<C> {
        let mut model = model.clone();
        model.one_way = None;
        // A client's giving up is its own affair; here a request ends with its answer.
        model
            .clients
            .iter_mut()
            .for_each(|client| client.timeout = None);
        let backend = Backend::new(&model);
        let mut calendar = Calendar::new();
        backend.schedule_outages(&mut calendar);
        Double {
            in_flight: InFlight::new(&model),
            backend,
            calendar,
            model,
            reply_to: Vec::new(),
            record: Record::default(),
            client,
            clock,
            reached: Time::ZERO,
            played: Played::default(),
        }
    }

    /// Plays until it shall stop.
    pub fn play(mut self, stop: &dyn Fn() -> bool, look: Span) -> Played {
        let mut looked = Time::ZERO;
        loop {
            while let Some(arrived) = self.clock.poll() {
                self.arrive(arrived);
            }
            let now = self.clock.now();
            self.go_on(now);
            if now >= looked + look {
                looked = now;
                if stop() {
                    return self.played;
                }
            }
            let until = self.calendar.next_time().min(looked + look);
            if let Some(arrived) = self.clock.wait(until) {
                self.arrive(arrived);
            }
        }
    }

    /// Lets the model do what is due up to `now`, each thing at its instant.
    fn go_on(&mut self, now: Time) {
        loop {
            let at = self.calendar.next_time();
            if at > now {
                return;
            }
            let Some((at, task)) = self.calendar.take() else {
                return;
            };
            let Double {
                backend,
                calendar,
                record,
                ..
            } = self;
            if let Task::Timer(timer) = task
                && !backend.takes_effect(at, timer, calendar)
            {
                continue;
            }
            self.reached = at;
            let reply = match task {
                Task::Served(job) => backend.served(at, job, calendar, record),
                Task::Arrived(job) => backend.arrived(at, job, calendar, record),
                Task::Delivered(reply) => Some(backend.delivered(reply)),
                Task::Timer(timer) => backend.timer(at, timer, calendar, record),
                // A double has no users.
                Task::User(_) | Task::Arrival(_) => None,
            };
            self.played.overrun.record(self.clock.now().since(at));
            if let Some(reply) = reply {
                self.answer(reply);
            }
        }
    }

    fn arrive(&mut self, arrived: Arrived) {
        // What was due before it arrived happened before it.
        self.go_on(arrived.at);
        let at = arrived.at.max(self.reached);
        self.played.requests += 1;
        self.played.unknown += u64::from(arrived.identity.is_none());
        let identity = arrived.identity.unwrap_or(Identity {
            client: blis_sim::model::ClientId(0),
            user: u64::MAX,
            number: self.played.requests,
            attempt: 0,
        });
        let request = Request {
            user: UserId::default(),
            client: identity.client,
            action: arrived.action,
            attempt: identity.attempt,
            user_number: identity.user,
            number: identity.number,
            intended: at,
        };
        let (flight, deadline) = self.in_flight.insert(at, request);
        let slot = flight.slot();
        if slot >= self.reply_to.len() {
            self.reply_to.resize(slot + 1, None);
            self.record.0.resize(slot + 1, Served::default());
        }
        self.reply_to[slot] = arrived.reply;
        self.record.0[slot] = Served::default();
        let Double {
            backend,
            calendar,
            record,
            ..
        } = self;
        let reply = backend.submit(at, flight, &request, deadline, calendar, record);
        self.played.most_present = self.played.most_present.max(self.backend.len());
        if let Some(reply) = reply {
            self.answer(reply);
        }
    }

    fn answer(&mut self, reply: Reply) {
        let Reply { flight, outcome } = reply;
        if self.in_flight.remove(flight).is_none() {
            return;
        }
        *self.played.answers.entry(outcome.name()).or_default() += 1;
        let Some(subject) = self.reply_to[flight.slot()].take() else {
            return;
        };
        // Nobody answers for a process that is gone.
        if outcome == Outcome::TransportError {
            return;
        }
        let headers = self.headers(flight, outcome);
        let sent = at_once(
            self.client
                .publish_with_headers(subject, headers, Bytes::new()),
        );
        if !matches!(sent, Some(Ok(()))) {
            *self.played.answers.entry("not sent").or_default() += 1;
        }
    }

    fn headers(&self, flight: FlightId, outcome: Outcome) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let served = self.record.0[flight.slot()];
        headers.insert(MEMBER, served.member.to_string());
        headers.insert(SERVICE_TIME, served.time.as_nanos().to_string());
        match outcome {
            Outcome::AppError => {
                headers.insert(SERVICE_ERROR, "an injected error");
                headers.insert(SERVICE_ERROR_CODE, "500");
            }
            Outcome::Rejected => {
                headers.insert(SERVICE_ERROR, "the line is full");
                headers.insert(SERVICE_ERROR_CODE, REJECTED);
            }
            _ => {}
        }
        headers
    }
}

impl<C> Double<C> {
    /// The model that is played.
    pub fn model(&self) -> &Model {
        &self.model
    }
}
