//! How long a model remembers: for how long a queue that is longer than usual stays so.
//!
//! Observations that lie closer together than that say the same thing twice, so that what a run is worth is its length
//! in these times, not its number of requests. The time is known from the model before anything is run. That of a queue
//! with c workers, a mean service time S and the utilisation ρ is S v / (c (1 − ρ)²), where v is half the sum of the
//! squared coefficients of variation of arrivals and service times: what a Brownian motion with the drift and the
//! variance of the queue takes (Whitt 1989, Planning queueing simulations). The backlog of a consumer is the queue of its
//! window, whose places are its workers.

use crate::analysis::constraints::{Binds, Constraint, Constraints};
use crate::analysis::demand::{PathDemand, answers, path_demand};
use crate::model::{
    Action, Arrival, Client, Consumer, Dispatch, MaxInFlight, Model, OnTimeout, Service, Source,
    Step,
};

/// Of a service time, what the number of busy workers remembers even where nothing ever waits.
const WITHOUT_LINE: f64 = 0.25;
/// From this utilisation on a queue without bounds has no steady state.
const FULL: f64 = 1.0 - 1e-9;

/// How long a model remembers.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// By service, in the order of the model.
    services: Vec<LineMemory>,
    /// By consumer, in the order of the model: that of the backlog before its window.
    consumers: Vec<LineMemory>,
    /// What waits because as many requests are in flight as may be.
    rooms: Vec<Room>,
    /// By action: the clients that ask for it.
    asked_by: Vec<Vec<usize>>,
    /// By action: the queues that its replies wait for.
    meets: Vec<Vec<Line>>,
    /// What the model has that changes over time, so that it has no one memory.
    changes: Option<&'static str>,
}

/// What something waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// That of the service at this position.
    Service(usize),
    /// The backlog of the consumer at this position.
    Consumer(usize),
    /// What is held back because as many requests are in flight as may be: of the client at this position, or of all.
    Room(Option<usize>),
}

/// What is held back by a limit of requests in flight.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Room {
    /// The client whose limit it is; `None` for that of all.
    client: Option<usize>,
    memory: LineMemory,
}

/// How long a queue remembers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LineMemory {
    /// This many seconds; 0 where nothing comes to it.
    Seconds(f64),
    /// For ever: its queue grows as long as the load lasts. The load is this many times what it carries.
    Grows(f64),
}

/// The longest memory among some queues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Longest {
    /// This many seconds, of this queue; `None` where nothing is met.
    Seconds(f64, Option<Line>),
    /// This queue grows as long as the load lasts, which is this many times what it carries.
    Grows(f64, Line),
}

impl Memory {
    /// That of a backend that is not in the spec: nothing is known to remember anything.
    pub fn unknown<P>(model: &Model<P>) -> Memory {
        Memory {
            services: vec![LineMemory::Seconds(0.0); model.services.len()],
            consumers: vec![LineMemory::Seconds(0.0); model.consumers.len()],
            meets: vec![Vec::new(); model.actions.len()],
            rooms: Vec::new(),
            asked_by: vec![Vec::new(); model.actions.len()],
            changes: None,
        }
    }

    /// The memory of a queue.
    pub fn line(&self, line: Line) -> LineMemory {
        match line {
            Line::Service(at) => self.services[at],
            Line::Consumer(at) => self.consumers[at],
            Line::Room(client) => {
                let room = self.rooms.iter().find(|room| room.client == client);
                room.map_or(LineMemory::Seconds(0.0), |room| room.memory)
            }
        }
    }

    /// The longest memory among the queues that replies of these actions wait for: all that their requests meet, where a service
    /// works before some reply and after some, so that one queue carries on what another one did.
    pub fn of_actions(&self, actions: impl Iterator<Item = usize>) -> Longest {
        let mut met: Vec<Line> = vec![Line::Room(None)];
        for action in actions {
            met.extend(&self.meets[action]);
            let clients = self.asked_by[action].iter();
            met.extend(clients.map(|client| Line::Room(Some(*client))));
        }
        self.of_lines(self.lines().filter(|line| met.contains(line)))
    }

    /// The longest memory of all.
    pub fn of_all(&self) -> Longest {
        self.of_lines(self.lines())
    }

    /// All queues, in the order of the model, so that of equals the first by name is told.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let services = (0..self.services.len()).map(Line::Service);
        let lines = services.chain((0..self.consumers.len()).map(Line::Consumer));
        lines.chain(self.rooms.iter().map(|room| Line::Room(room.client)))
    }

    /// The longest memory among these services.
    pub fn of_services(&self, services: impl Iterator<Item = usize>) -> Longest {
        self.of_lines(services.map(Line::Service))
    }

    /// The longest memory among these queues, of equals that of the first.
    pub fn of_lines(&self, lines: impl Iterator<Item = Line>) -> Longest {
        let mut longest = Longest::Seconds(0.0, None);
        for line in lines {
            longest = match (longest, self.line(line)) {
                (Longest::Grows(..), _) => return longest,
                (_, LineMemory::Grows(load)) => Longest::Grows(load, line),
                (Longest::Seconds(most, _), LineMemory::Seconds(own)) if own > most => {
                    Longest::Seconds(own, Some(line))
                }
                (before, _) => before,
            };
        }
        longest
    }

    /// What the model has that changes over time, such as `outages`: its memory is then that of its means, and what
    /// happens at one instant of the run is no chance. Retries are such a thing: they add load where requests fail, of
    /// which the model knows nothing.
    pub fn changes(&self) -> Option<&'static str> {
        self.changes
    }
}

/// The memory of a model with these limits.
pub fn memory(model: &Model, limits: Constraints) -> Memory {
    let actions = model.actions.iter();
    let demands: Vec<PathDemand> = actions.map(|action| path_demand(model, action)).collect();
    let load = Load::new(model, &demands, limits);
    let are_apart = replies_are_apart(&demands);
    let services = model.services.iter().enumerate();
    let consumers = model.consumers.iter().enumerate();
    Memory {
        services: services
            .map(|(at, service)| load.memory(at, service))
            .collect(),
        consumers: consumers
            .map(|(at, consumer)| load.backlog(at, consumer))
            .collect(),
        rooms: load.rooms(),
        asked_by: asked_by(model),
        meets: model
            .actions
            .iter()
            .zip(&demands)
            .map(|(action, demand)| meets(action, demand, are_apart))
            .collect(),
        changes: changes(model),
    }
}

/// The clients that ask for each action.
fn asked_by(model: &Model) -> Vec<Vec<usize>> {
    let mut asked_by = vec![Vec::new(); model.actions.len()];
    for (at, client) in model.clients.iter().enumerate() {
        for (action, _) in &client.mix.shares {
            asked_by[action.index()].push(at);
        }
    }
    asked_by
}

/// Whether no service works both before a reply and after one.
fn replies_are_apart(demands: &[PathDemand]) -> bool {
    let any =
        |at: usize, of: fn(&PathDemand) -> &Vec<bool>| demands.iter().any(|demand| of(demand)[at]);
    let services = demands.first().map_or(0, |demand| demand.visits.len());
    (0..services).all(|at| {
        !(any(at, |demand| &demand.reply.services) && any(at, |demand| &demand.reply.later))
    })
}

/// The queues that a reply waits for, those of services first; all that a request meets where that cannot be told apart, or where
/// it is not done with its reply.
fn meets(action: &Action, demand: &PathDemand, are_apart: bool) -> Vec<Line> {
    let only_reply = are_apart && action.awaited.is_none() && !action.path.fire_and_forget;
    let met = |much: &[f64], waits: &[bool], line: fn(usize) -> Line| {
        let is_met = |at: &usize| much[*at] > 0.0 && (!only_reply || waits[*at]);
        let some = (0..much.len()).filter(is_met);
        some.map(line).collect::<Vec<_>>()
    };
    let reply = &demand.reply;
    let mut lines = met(&demand.visits, &reply.services, Line::Service);
    lines.extend(met(&demand.messages, &reply.consumers, Line::Consumer));
    lines
}

/// What is offered, and by whom.
struct Load<'a> {
    model: &'a Model,
    limits: Constraints,
    /// By service: the load of its workers, and that by open clients alone.
    workers: Vec<[f64; 2]>,
    /// By consumer: messages per second of open clients.
    messages: Vec<f64>,
    /// Closed users of all clients.
    users: u64,
    /// The largest load of workers that closed users would cause if nothing waited: above 1 they wait there, and offer
    /// the others less.
    most: f64,
    /// The largest variation of arrivals, 1 at least.
    variation: f64,
    /// Whether visits may have times of their own, or hold workers.
    own_times: Vec<bool>,
}

impl Load<'_> {
    fn new<'a>(model: &'a Model, demands: &[PathDemand], limits: Constraints) -> Load<'a> {
        // Of all open clients together, what a request of an action asks for, per second.
        let open = |asks: &dyn Fn(&PathDemand) -> f64| {
            let clients = model.clients.iter().zip(&limits.offered.clients);
            let open = clients.filter(|(_, load)| !load.at_most);
            let rates = open.map(|(client, load)| {
                let shares = client.mix.shares.iter();
                let asked = shares.map(|(action, share)| share * asks(&demands[action.index()]));
                load.requests_per_second * asked.sum::<f64>()
            });
            rates.sum::<f64>()
        };
        let workers = |at: usize| {
            let servers = model.services[at].servers() as f64;
            let slower = slower(&limits, at);
            let all = limits.offered.services[at].utilisation();
            [all, open(&|demand| demand.busy[at]) / servers].map(|load| load * slower)
        };
        let mut own_times = vec![false; model.services.len()];
        for step in &model.program {
            if let Step::Visit(visit) = step {
                own_times[visit.service.index()] |= visit.time.is_some() || visit.holds;
            }
        }
        let workers: Vec<[f64; 2]> = (0..model.services.len()).map(workers).collect();
        let consumers = 0..model.consumers.len();
        Load {
            model,
            messages: consumers
                .map(|at| open(&|demand| demand.messages[at]))
                .collect(),
            users: model.clients.iter().map(Client::closed_users).sum(),
            most: workers.iter().map(|[all, _]| *all).fold(0.0, f64::max),
            variation: model.clients.iter().map(variation).fold(1.0, f64::max),
            workers,
            own_times,
            limits,
        }
    }

    fn memory(&self, at: usize, service: &Service) -> LineMemory {
        let load = self.limits.offered.services[at];
        let [_, open] = self.workers[at];
        if load.visits_per_second <= 0.0 {
            return LineMemory::Seconds(0.0);
        }
        let workers = match service.dispatch {
            Dispatch::LeastLoaded => service.servers(),
            _ => service.fewest_workers_of_a_line(),
        };
        let utilisation = self.utilisation(at, service);
        let mut slack = (1.0 - utilisation).abs();
        let patience = self.patience(service);
        match self.most_present(at, service, workers) {
            Some(most) => slack = slack.max(1.0 / most as f64),
            None if open < FULL && self.users > 0 => {
                slack = slack.max((1.0 - open) / self.users as f64);
            }
            None if utilisation >= FULL && patience.is_none() => {
                return LineMemory::Grows(utilisation);
            }
            None => {}
        }
        let served = match self.own_times[at] {
            true => service.time.scv().max(1.0),
            false => service.time.scv(),
        };
        let variation = (self.variation + served) / 2.0;
        // Of members that differ the slowest remembers longest.
        let slowest = service.members.slowest() / service.slowness();
        let line = slowest * load.service_time * variation / (workers as f64 * slack * slack);
        let line = patience.map_or(line, |patience| line.min(patience.max(load.service_time)));
        LineMemory::Seconds(line.max(WITHOUT_LINE * load.service_time))
    }

    /// The memory of the backlog before a consumer's window. The workers behind it have one of their own.
    fn backlog(&self, at: usize, consumer: &Consumer) -> LineMemory {
        let own = |one: &&Constraint| match one.binds {
            Binds::AckPending(id) | Binds::Asked(id) => id.index() == at,
            _ => false,
        };
        let Some(window) = self.limits.all.iter().find(own) else {
            return LineMemory::Seconds(0.0);
        };
        let load = self.held_back(window.load());
        let open = self.messages[at] / window.per_second();
        // Only users who wait for what the consumer does send less while it has a backlog.
        let users = match answers(self.model, consumer) {
            true => self.users,
            false => 0,
        };
        let service = consumer.service.index();
        let variation = (self.variation + self.model.services[service].time.scv().max(1.0)) / 2.0;
        match held_before(window, [load, open], users, variation) {
            LineMemory::Seconds(line) => {
                LineMemory::Seconds(line.max(WITHOUT_LINE * window.seconds))
            }
            grows @ LineMemory::Grows(_) => grows,
        }
    }

    /// What waits because as many requests are in flight as may be, and how long it remembers: of all clients, and of each
    /// that has its own limit.
    fn rooms(&self) -> Vec<Room> {
        let clients = || self.model.clients.iter().zip(&self.limits.offered.clients);
        let of = |window: &Constraint| {
            let (client, limit) = match window.binds {
                Binds::InFlight(None) => (None, self.model.max_in_flight),
                Binds::InFlight(Some(id)) => {
                    let client = &self.model.clients[id.index()];
                    (Some(id.index()), client.max_in_flight)
                }
                _ => return None,
            };
            limit.filter(|limit| limit.delays())?;
            let own = clients().enumerate();
            let own = own.filter(|(at, _)| client.is_none_or(|client| client == *at));
            let (mut open, mut users) = (0.0, 0);
            for (_, (client, load)) in own {
                users += client.closed_users();
                if !load.at_most {
                    open += load.requests_per_second;
                }
            }
            let loads = [window.load(), open / window.per_second()];
            let memory = held_before(window, loads, users, self.variation);
            Some(Room { client, memory })
        };
        self.limits.all.iter().filter_map(of).collect()
    }

    /// The most requests that may be with a service because only this many may be in flight. Those that their clients gave up
    /// may be there too, unless the service works through twice as many as may be in flight before anybody gives up.
    fn most_in_flight(&self, at: usize) -> Option<u64> {
        let model = self.model;
        let drops = |limit: Option<MaxInFlight>| {
            let limit = limit.filter(|limit| !limit.delays())?;
            Some(u64::from(limit.limit.get()))
        };
        let own = model
            .clients
            .iter()
            .map(|client| drops(client.max_in_flight));
        let own = own.sum::<Option<u64>>();
        let most = [drops(model.max_in_flight), own]
            .into_iter()
            .flatten()
            .min()?;
        let timeouts = model.clients.iter().filter_map(|client| client.timeout);
        let patience = timeouts
            .min()
            .map_or(f64::INFINITY, |least| least.as_secs_f64());
        let workers =
            |one: &&Constraint| matches!(one.binds, Binds::Workers(id) if id.index() == at);
        let carried = self.limits.all.iter().find(workers)?.per_second();
        (carried * patience >= 2.0 * most as f64).then_some(most)
    }

    /// A load, where closed users are all there is and wait elsewhere.
    fn held_back(&self, load: f64) -> f64 {
        let closed = self.workers.iter().all(|[_, open]| *open == 0.0)
            && self.messages.iter().all(|open| *open == 0.0);
        match closed && self.most > 1.0 && load < self.most {
            true => load / self.most,
            false => load,
        }
    }

    /// The share of the workers that the model keeps busy, or would if they could do all that is offered.
    fn utilisation(&self, at: usize, service: &Service) -> f64 {
        let [all, _] = self.workers[at];
        let own = self.held_back(all);
        match service.admission.tokens {
            Some(bucket) => {
                let visits = self.limits.offered.services[at].visits_per_second;
                let admitted = 1.0 / bucket.period.as_secs_f64();
                own.min(admitted * all / visits)
            }
            None => own,
        }
    }

    /// The most requests that can be in a queue and with its workers, where something but the users bounds them.
    fn most_present(&self, at: usize, service: &Service, workers: u64) -> Option<u64> {
        let in_line = service.queue_limit.map(|limit| u64::from(limit) + workers);
        let admitted = service
            .admission
            .in_flight
            .map(|limit| u64::from(limit.get()));
        let bounds = [in_line, admitted, self.most_in_flight(at)];
        bounds.into_iter().flatten().min()
    }

    /// The longest that a request waits for the service before it leaves, in seconds, where all of them do.
    fn patience(&self, service: &Service) -> Option<f64> {
        if service.on_timeout == OnTimeout::Stay {
            return None;
        }
        let timeouts = self.model.clients.iter().map(|client| client.timeout);
        let longest = timeouts.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        Some(longest.as_secs_f64())
    }
}

/// The memory of a queue before a window, of which all clients and open ones alone offer these shares, and in which this many
/// closed users wait.
fn held_before(
    window: &Constraint,
    [load, open]: [f64; 2],
    users: u64,
    variation: f64,
) -> LineMemory {
    let mut slack = (1.0 - load).abs();
    if open < FULL && users > 0 {
        slack = slack.max((1.0 - open) / users as f64);
    } else if load >= FULL {
        return LineMemory::Grows(load);
    }
    LineMemory::Seconds(window.seconds * variation / (window.places * slack * slack))
}

/// How many times as long as its service time the workers of a service take, with what all of them at work slow each other
/// down and what outages and slow-downs take.
fn slower(limits: &Constraints, service: usize) -> f64 {
    let own = |one: &&Constraint| matches!(one.binds, Binds::Workers(id) if id.index() == service);
    let workers = limits.all.iter().find(own);
    workers.map_or(1.0, |workers| {
        let load = limits.offered.services[service];
        load.servers as f64 / load.service_time / workers.per_second()
    })
}

/// The squared coefficient of variation of the times between a client's arrivals.
fn variation(client: &Client) -> f64 {
    match &client.source {
        Source::Open {
            arrival: Arrival::Renewal { interarrival },
            ..
        } => interarrival.scv(),
        _ => 1.0,
    }
}

/// What changes over time in a model, if anything does.
fn changes(model: &Model) -> Option<&'static str> {
    let recorded = |client: &Client| {
        let source = &client.source;
        matches!(
            source,
            Source::Open {
                arrival: Arrival::Recorded(_),
                ..
            }
        )
    };
    let retries = |client: &Client| client.on_failure.retries > 0;
    let shaped = |client: &Client| matches!(client.source, Source::Open { shape: Some(_), .. });
    let services = &model.services;
    let reasons = [
        (model.clients.iter().any(recorded), "recorded arrivals"),
        (
            model.clients.iter().any(shaped),
            "a rate that changes over time",
        ),
        (services.iter().any(|of| !of.outages.is_empty()), "outages"),
        (
            services.iter().any(|of| !of.slow_downs.is_empty()),
            "times of slower service",
        ),
        (
            services.iter().any(|of| !of.error_bursts.is_empty()),
            "bursts of errors",
        ),
        (
            services.iter().any(|of| of.cold_start.is_some()),
            "a cold start",
        ),
        (
            services.iter().any(|of| of.load.is_some()),
            "service times that grow with the load",
        ),
        (
            model.clients.iter().any(retries),
            "retries, which add load where requests fail",
        ),
    ];
    let found = reasons.into_iter().find(|(there, _)| *there);
    found.map(|(_, reason)| reason)
}

#[cfg(test)]
mod tests;
