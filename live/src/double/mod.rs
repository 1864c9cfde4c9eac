//! The double of a backend: the model of a spec, run on NATS in real time.
//!
//! Requests are handed to the model of the simulation at their arrival time, and the clock of the model is the real one. The
//! model decides who waits for whom and how long, what fails and what is rejected, from the identity that the request
//! carries. Replies are sent at the time of the model, or as soon after it as the machine allows; the difference is the
//! overrun, which is reported as timing error.
//!
//! A process runs all services of a spec or some, and shares the members of each with other processes. Visits of members
//! of other processes are handed on ([`handed_out`]).

pub mod consumers;
pub mod entrances;
pub mod handed_out;
pub mod listen;
pub mod messages;
pub mod peers;
pub mod record;
pub mod saturation;
pub mod serve;
pub mod service_protocol;
pub mod state;
pub mod streams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::{HeaderMap, Subject};
use blis_sim::backend::{Backend, Reply};
use blis_sim::engine::{Arena, Calendar, InFlight, Task};
use blis_sim::event::{FlightId, Outcome, Request, UserId};
use blis_sim::model::{ActionId, ClientId, Model, Step};
use blis_sim::runner::Epoch;
use blis_sim::time::{Span, Time};
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::Clock;
use crate::double::peers::{BEAT, Roster};
use crate::double::saturation::Usage;
use crate::double::service_protocol::Instance;
use crate::generator::jitter::Control;
use crate::wire::identity::{
    Identity, MEMBER, REJECTED, SERVICE_ERROR, SERVICE_ERROR_CODE, SERVICE_TIME, UNREACHABLE,
    VISITS,
};
use consumers::Deliveries;
use entrances::{Listening, PlayedServices, Purpose};
use handed_out::Waiting;
use messages::{Arrived, Called, Heard, Outgoing, Outlet, Returned};
use record::{Record, Visited};
use state::{DoubleWatch, Played, Statement};

/// How often the double looks around while nothing is due.
const LOOK: Span = Span::from_nanos(50_000_000);
/// How much is heard at most before it looks around again.
const BURST: usize = 256;
/// How often it shows how it keeps up.
const SHOW: Span = Span::from_nanos(10_000_000_000);
/// How far the numbers that users of neighbouring loads draw by are apart: the odd number nearest to 2^64 over the golden ratio, so
/// that those of many loads do not meet.
const APART: u64 = 0x9E37_79B9_7F4A_7C15;
/// How long it goes on with what it has taken when it is told to stop.
pub(crate) const PATIENCE: Span = Span::from_nanos(5_000_000_000);

/// What a double is given beside its model.
pub struct Setup<O> {
    /// Where its messages go.
    pub outlet: O,
    /// Who plays what.
    pub roster: Roster,
    /// What the subjects of answers to it start with, the dot included.
    pub inbox: String,
    /// The same for messages that it asks streams for.
    pub pulls: String,
    /// What the subjects of the JetStream API start with.
    pub api: String,
    /// Is told of its subscriptions whenever they change.
    pub listener: UnboundedSender<BTreeSet<Listening>>,
    /// How many subscriptions are open.
    pub open: Arc<AtomicUsize>,
    /// The idle thread whose lateness is shown beside the double's.
    pub control: Option<Control>,
}

/// Somebody who waits for an answer.
#[derive(Debug, Clone, Default)]
struct Asked {
    reply: Option<Subject>,
    identity: Option<Identity>,
    flight: FlightId,
    at: Time,
    /// What was asked for, where it is a request.
    action: Option<ActionId>,
    /// The service and the endpoint that it came to.
    endpoint: Option<(usize, usize)>,
    /// Whether it is a visit that another process handed on.
    is_visit: bool,
    /// Whether it is work on deliveries.
    is_work: bool,
}

/// A backend in real time.
pub struct Double<C, O> {
    model: Model,
    backend: Backend,
    calendar: Calendar<Task>,
    in_flight: InFlight,
    /// By slot of the request in flight.
    asked: Vec<Asked>,
    record: Record,
    plays: PlayedServices,
    setup: Setup<O>,
    instances: Vec<Instance>,
    /// Deliveries that are sent at an instant to come.
    outbound: Arena<Option<Outgoing>>,
    /// What other processes do for this one, by ticket.
    waiting: BTreeMap<u64, Waiting>,
    tickets: u64,
    /// What ended at once.
    bounced: Vec<Returned>,
    deliveries: Deliveries,
    /// Consumers and members that have become free.
    freed: Vec<(usize, usize)>,
    clock: C,
    usage: Usage,
    /// How long the thread waited.
    idle: Span,
    /// The instant up to which the model has come.
    reached: Time,
    last_beat: Time,
    leaving: Option<Time>,
    played: Played,
}

impl<C: Clock<Heard>, O: Outlet> Double<C, O> {
    /// The double of a model. Delays of the network are left to the network.
    ///
    /// # Errors
    /// [`entrances::Unplayable`] when there is nothing to listen to.
    pub fn new(
        model: &Model,
        setup: Setup<O>,
        clock: C,
    ) -> Result<Double<C, O>, entrances::Unplayable> {
        let mut model = model.clone();
        model.one_way = None;
        // A client's giving up is its own affair; here a request ends with its answer.
        model
            .clients
            .iter_mut()
            .for_each(|client| client.timeout = None);
        let backend = Backend::open(&model);
        let mut calendar = Calendar::new();
        backend.schedule_outages(&mut calendar);
        let plays = PlayedServices::new(&model)?;
        let started = crate::double::service_protocol::now_text();
        let instances = (0..model.services.len())
            .map(|service| handed_out::instance(&model, &plays, &setup.roster, service, &started));
        let now = clock.now();
        let mut double = Double {
            in_flight: InFlight::new(&model),
            deliveries: Deliveries::new(&model),
            freed: Vec::new(),
            record: Record::new(&model),
            instances: instances.collect(),
            backend,
            calendar,
            model,
            asked: Vec::new(),
            plays,
            setup,
            outbound: Arena::new(),
            waiting: BTreeMap::new(),
            tickets: 0,
            bounced: Vec::new(),
            clock,
            usage: Usage::begin(now),
            idle: Span::ZERO,
            reached: now,
            last_beat: now,
            leaving: None,
            played: Played::default(),
        };
        double.share();
        double.tell(false);
        Ok(double)
    }

    /// Plays until it is told to stop, and then to the end of what it has taken.
    pub fn play(mut self, watch: DoubleWatch<'_>) -> Statement {
        let (mut looked, mut shown) = (self.clock.now(), self.clock.now());
        loop {
            for _ in 0..BURST {
                let Some(heard) = self.clock.poll() else {
                    break;
                };
                self.hear(heard);
            }
            let now = self.clock.now();
            self.go_on(now);
            self.close_due(now);
            self.take_back();
            self.go_for_more();
            if now >= looked + LOOK {
                looked = now;
                self.look(now, (watch.stop)());
                if self.is_over(now) {
                    return self.statement(now);
                }
                if now >= shown + SHOW {
                    shown = now;
                    (watch.show)(&self.statement(now));
                }
            }
            let due = self.calendar.next_time().min(self.deliveries.next());
            let until = due.min(looked + LOOK);
            let before = self.clock.now();
            let heard = self.clock.wait(until);
            self.idle = self.idle + self.clock.now().since(before);
            if let Some(heard) = heard {
                self.hear(heard);
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Request(arrived) => self.arrive(arrived),
            Heard::Visit(called) => self.take_visit(called),
            Heard::Returned(returned) => self.take_returned(returned),
            Heard::Fetched(fetched) => self.fetched(fetched),
            Heard::Peer(told, at) => self.meet(&told, at),
            Heard::Asked(question) => self.answer_question(&question),
        }
    }

    /// Looks around: whether to stop, and who is still there.
    fn look(&mut self, now: Time, stop: bool) {
        if stop && self.leaving.is_none() {
            self.leaving = Some(now);
            self.tell(true);
            self.give_back();
            // What was sent before is still heard.
            let _ = self.setup.listener.send(BTreeSet::new());
        }
        self.give_up_lost(now);
        if self.leaving.is_some() {
            return;
        }
        if now >= self.last_beat + BEAT {
            self.last_beat = now;
            self.tell(false);
        }
        self.pull_forgotten(now);
        if self.setup.roster.forget_silent(now) {
            self.share();
        }
    }

    fn is_over(&self, now: Time) -> bool {
        let done = self.setup.open.load(Ordering::Relaxed) == 0
            && self.in_flight.is_empty()
            && self.backend.is_empty()
            && self.outbound.is_empty();
        self.leaving
            .is_some_and(|since| done || now >= since + PATIENCE)
    }

    fn publish(&mut self, message: Outgoing) -> bool {
        let taken = self.setup.outlet.publish(message);
        self.played.not_sent += u64::from(!taken);
        taken
    }

    /// Lets the model do what is due up to `now`, each thing at its instant.
    fn go_on(&mut self, now: Time) {
        while self.calendar.next_time() <= now {
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
                Task::Delivery(slot) => {
                    self.send_delivery(slot);
                    None
                }
                // A double has no users.
                Task::User(_) | Task::Arrival(_) => None,
            };
            self.played.overrun.record(self.clock.now().since(at));
            self.after(reply);
        }
    }

    /// Sees to what came of a step of the model.
    fn after(&mut self, reply: Option<Reply>) {
        self.played.most_present = self.played.most_present.max(self.backend.len());
        if let Some(reply) = reply {
            self.answer(reply);
        }
        self.carry_out();
    }

    /// Lets the model come up to the arrival of something, and gives the time at which it happens there.
    fn come_to(&mut self, at: Time) -> Time {
        // What was due before it arrived happened before it.
        self.go_on(at);
        self.reached = at.max(self.reached);
        self.reached
    }

    fn arrive(&mut self, arrived: Arrived) {
        let at = self.come_to(arrived.at);
        self.played.requests += 1;
        self.played.unknown += u64::from(arrived.identity.is_none());
        let identity = arrived.identity.unwrap_or(Identity {
            client: ClientId(0),
            user: u64::MAX,
            number: self.played.requests,
            attempt: 0,
            epoch: Epoch::FIRST,
        });
        let request = request(&identity, arrived.action, at);
        let endpoint = self.plays.endpoint(Purpose::Action(arrived.action));
        let flight = self.admit(
            request,
            Asked {
                reply: arrived.reply,
                identity: arrived.identity,
                at,
                action: Some(arrived.action),
                endpoint,
                ..Asked::default()
            },
        );
        let Double {
            backend,
            calendar,
            record,
            ..
        } = self;
        let reply = backend.submit_to(arrived.member, at, flight, &request, calendar, record);
        self.after(reply);
    }

    fn take_visit(&mut self, called: Called) {
        let at = self.come_to(called.at);
        self.played.taken += 1;
        let asked = Asked {
            reply: called.reply,
            at,
            endpoint: self.plays.endpoint(Purpose::Visit(called.service)),
            is_visit: true,
            ..Asked::default()
        };
        let client = called.call.map_or(0, |call| call.client);
        let client = usize::from(client).min(self.model.clients.len() - 1);
        let identity = Identity {
            client: ClientId(client as u16),
            user: u64::MAX,
            number: self.played.taken,
            attempt: 0,
            epoch: Epoch::FIRST,
        };
        let flight = self.admit(request(&identity, ActionId(0), at), asked);
        let Double {
            backend,
            calendar,
            record,
            ..
        } = self;
        let taken = called
            .call
            .and_then(|call| backend.take_call(called.member, at, flight, call, calendar, record));
        match taken {
            Some(reply) => self.after(reply),
            // Whoever sent that plays another spec.
            None => self.answer(Reply {
                flight,
                outcome: Outcome::AppError,
            }),
        }
    }

    /// Takes up who waits for an answer.
    fn admit(&mut self, request: Request, asked: Asked) -> FlightId {
        let (flight, _) = self.in_flight.insert(request.intended, request);
        let slot = flight.slot();
        if slot >= self.asked.len() {
            self.asked.resize(slot + 1, Asked::default());
        }
        self.asked[slot] = Asked { flight, ..asked };
        self.record.begin(slot);
        flight
    }

    fn answer(&mut self, reply: Reply) {
        let Reply { flight, outcome } = reply;
        let known = &self.asked[flight.slot()];
        // Work on a delivery is in flight until its end, whoever was answered meanwhile.
        let there = match known.is_work {
            true => known.flight == flight,
            false => self.in_flight.remove(flight).is_some(),
        };
        if !there {
            return;
        }
        let asked = &mut self.asked[flight.slot()];
        let (subject, is_visit) = (asked.reply.take(), asked.is_visit);
        if let Some((service, endpoint)) = asked.endpoint {
            let took = self.clock.now().since(asked.at);
            self.instances[service].endpoints[endpoint].count(took, error_text(outcome));
        }
        if !is_visit {
            *self.played.answers.entry(outcome.name()).or_default() += 1;
        }
        let Some(subject) = subject else {
            return;
        };
        // Nobody answers for a process that is gone, but the process that handed on a visit has to know.
        if outcome == Outcome::TransportError && !is_visit {
            return;
        }
        let headers = self.headers(flight, outcome);
        self.publish(Outgoing::bare(subject, headers));
    }

    /// What a reply says of each visit that has ended, unless it is the only one that there can be: member and service time say it then.
    fn visits(&self, slot: usize) -> Option<String> {
        let action = self.asked[slot].action?;
        let visits = self.record.visits(slot);
        let steps = self.model.steps_of(action).iter();
        let possible = steps.filter(|step| matches!(step, Step::Visit(_))).count();
        if possible == 0 || (possible == 1 && visits.len() == 1) {
            return None;
        }
        let text = |visited: &Visited| {
            let time = visited.time.map(|time| time.as_nanos().to_string());
            let service = &self.model.services[visited.service.index()].name;
            let time = time.as_deref().unwrap_or("-");
            format!("{service}/{}/{time}", visited.member)
        };
        Some(visits.iter().map(text).collect::<Vec<_>>().join(","))
    }

    fn headers(&self, flight: FlightId, outcome: Outcome) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let served = self.record.served(flight.slot());
        headers.insert(MEMBER, served.member.to_string());
        headers.insert(SERVICE_TIME, served.time.as_nanos().to_string());
        if let Some(visits) = self.visits(flight.slot()) {
            headers.insert(VISITS, visits);
        }
        let code = match outcome {
            Outcome::AppError => "500",
            Outcome::Rejected => REJECTED,
            Outcome::TransportError => UNREACHABLE,
            _ => return headers,
        };
        headers.insert(SERVICE_ERROR, error_text(outcome).unwrap_or_default());
        headers.insert(SERVICE_ERROR_CODE, code);
        headers
    }
}

/// What is told of an outcome that is an error.
fn error_text(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::AppError => Some("an injected error"),
        Outcome::Rejected => Some("the queue is full"),
        Outcome::TransportError => Some("no responders"),
        _ => None,
    }
}

/// A request as the model knows it. Those of a later load have draws of their own, though the users are counted from 0 again.
fn request(identity: &Identity, action: ActionId, at: Time) -> Request {
    let of_epoch = u64::from(identity.epoch.number()).wrapping_mul(APART);
    Request {
        user: UserId::default(),
        client: identity.client,
        action,
        attempt: identity.attempt,
        user_number: identity.user.wrapping_add(of_epoch),
        number: identity.number,
        intended: at,
    }
}
