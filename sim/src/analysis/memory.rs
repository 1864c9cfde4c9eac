//! How long a model remembers: for how long a line that is longer than usual stays so.
//!
//! Observations that lie closer together than that say the same thing twice, so that what a run is worth is its length
//! in these times, not its number of requests. The time is known from the model before anything is run. That of a line
//! with c workers, a mean service time S and the utilisation ρ is S v / (c (1 − ρ)²), where v is half the sum of the
//! squared coefficients of variation of arrivals and service times: what a Brownian motion with the drift and the
//! variance of the line takes (Whitt 1989, Planning queueing simulations).

use crate::analysis::demand::{PathDemand, path_demand};
use crate::analysis::offered::{Offered, offered};
use crate::analysis::traffic::has_one_line;
use crate::model::{Arrival, Client, Dispatch, Model, OnTimeout, Service, Source, Step};

/// Of a service time, what the number of busy workers remembers even where nothing ever waits.
const WITHOUT_LINE: f64 = 0.25;
/// From this utilisation on a line without bounds has no steady state.
const FULL: f64 = 1.0 - 1e-9;

/// How long a model remembers.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// By service, in the order of the model.
    services: Vec<ServiceMemory>,
    /// By action and then by service: whether its requests visit it.
    visits: Vec<Vec<bool>>,
    /// What the model has that changes over time, so that it has no one memory.
    changes: Option<&'static str>,
}

/// How long a service remembers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServiceMemory {
    /// So many seconds; 0 where nothing visits it.
    Seconds(f64),
    /// For ever: its line grows as long as the load lasts. The load is so many times what it carries.
    Grows(f64),
}

/// The longest memory among some services.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Longest {
    /// So many seconds, of the service at this position; `None` where nothing is visited.
    Seconds(f64, Option<usize>),
    /// The line of the service at this position grows as long as the load lasts, which is so many times what it
    /// carries.
    Grows(f64, usize),
}

impl Memory {
    /// The memory of a service.
    pub fn service(&self, service: usize) -> ServiceMemory {
        self.services[service]
    }

    /// The longest memory among the services that requests of these actions visit, those after the reply included.
    pub fn of_actions(&self, actions: impl Iterator<Item = usize>) -> Longest {
        let mut visited = vec![false; self.services.len()];
        for action in actions {
            for (any, visits) in visited.iter_mut().zip(&self.visits[action]) {
                *any |= visits;
            }
        }
        self.of_services((0..visited.len()).filter(|service| visited[*service]))
    }

    /// The longest memory of all services that requests meet.
    pub fn of_all(&self) -> Longest {
        self.of_services(0..self.services.len())
    }

    /// The longest memory among these services.
    pub fn of_services(&self, services: impl Iterator<Item = usize>) -> Longest {
        let mut longest = Longest::Seconds(0.0, None);
        for service in services {
            longest = match (longest, self.services[service]) {
                (Longest::Grows(..), _) => return longest,
                (_, ServiceMemory::Grows(load)) => Longest::Grows(load, service),
                (Longest::Seconds(most, _), ServiceMemory::Seconds(own)) if own > most => {
                    Longest::Seconds(own, Some(service))
                }
                (before, _) => before,
            };
        }
        longest
    }

    /// What the model has that changes over time, such as `outages`: its memory is then that of its means, and what
    /// happens at one instant of the run is no chance.
    pub fn changes(&self) -> Option<&'static str> {
        self.changes
    }
}

/// The memory of a model.
pub fn memory(model: &Model) -> Memory {
    let actions = model.actions.iter();
    let demands: Vec<PathDemand> = actions.map(|action| path_demand(model, action)).collect();
    let load = Load::new(model, &demands);
    let services = model.services.iter().enumerate();
    let visits = |demand: &PathDemand| demand.visits.iter().map(|visits| *visits > 0.0).collect();
    Memory {
        services: services
            .map(|(at, service)| load.memory(at, service))
            .collect(),
        visits: demands.iter().map(visits).collect(),
        changes: changes(model),
    }
}

/// What is offered, and by whom.
struct Load<'a> {
    model: &'a Model,
    offered: Offered,
    /// By service: the utilisation by open clients alone.
    open: Vec<f64>,
    /// Closed users of all clients.
    users: u64,
    /// The largest utilisation that closed users would cause if nothing waited: above 1 they wait there, and offer the
    /// others less.
    most: f64,
    /// The largest variation of arrivals, 1 at least.
    variation: f64,
    /// Whether visits may have times of their own, or hold workers.
    own_times: Vec<bool>,
}

impl Load<'_> {
    fn new<'a>(model: &'a Model, demands: &[PathDemand]) -> Load<'a> {
        let offered = offered(model);
        let open = |at: usize| {
            let clients = model.clients.iter().zip(&offered.clients);
            let open = clients.filter(|(_, load)| !load.at_most);
            let erlangs = open.map(|(client, load)| {
                let shares = client.mix.shares.iter();
                let busy = shares.map(|(action, share)| share * demands[action.index()].busy[at]);
                load.requests_per_second * busy.sum::<f64>()
            });
            erlangs.sum::<f64>() / model.services[at].servers() as f64
        };
        let mut own_times = vec![false; model.services.len()];
        for step in &model.program {
            if let Step::Visit(visit) = step {
                own_times[visit.service.index()] |= visit.time.is_some() || visit.holds;
            }
        }
        let utilisations = offered.services.iter().map(|load| load.utilisation());
        Load {
            model,
            open: (0..model.services.len()).map(open).collect(),
            users: model.clients.iter().map(Client::closed_users).sum(),
            most: utilisations.fold(0.0, f64::max),
            variation: model.clients.iter().map(variation).fold(1.0, f64::max),
            own_times,
            offered,
        }
    }

    fn memory(&self, at: usize, service: &Service) -> ServiceMemory {
        let load = self.offered.services[at];
        if load.visits_per_second <= 0.0 {
            return ServiceMemory::Seconds(0.0);
        }
        let workers = match has_one_line(service) || service.dispatch == Dispatch::LeastLoaded {
            true => service.servers(),
            false => u64::from(service.workers.get()),
        };
        let utilisation = self.utilisation(at, service);
        let mut slack = (1.0 - utilisation).abs();
        let patience = self.patience(service);
        match self.most_present(service, workers) {
            Some(most) => slack = slack.max(1.0 / most as f64),
            None if self.open[at] < FULL && self.users > 0 => {
                slack = slack.max((1.0 - self.open[at]) / self.users as f64);
            }
            None if utilisation >= FULL && patience.is_none() => {
                return ServiceMemory::Grows(utilisation);
            }
            None => {}
        }
        let served = match self.own_times[at] {
            true => service.time.scv().max(1.0),
            false => service.time.scv(),
        };
        let variation = (self.variation + served) / 2.0;
        let line = load.service_time * variation / (workers as f64 * slack * slack);
        let line = patience.map_or(line, |patience| line.min(patience.max(load.service_time)));
        ServiceMemory::Seconds(line.max(WITHOUT_LINE * load.service_time))
    }

    /// The share of the workers that the model keeps busy, or would if they could do all that is offered.
    fn utilisation(&self, at: usize, service: &Service) -> f64 {
        let load = self.offered.services[at];
        let own = load.utilisation();
        let held_back = self.open.iter().all(|open| *open == 0.0) && self.most > 1.0;
        let own = match held_back && own < self.most {
            true => own / self.most,
            false => own,
        };
        match service.admission.tokens {
            Some(bucket) => {
                let admitted = 1.0 / bucket.period.as_secs_f64();
                own.min(admitted * load.service_time / service.servers() as f64)
            }
            None => own,
        }
    }

    /// The most requests that can be in a line and with its workers, where something but the users bounds them.
    fn most_present(&self, service: &Service, workers: u64) -> Option<u64> {
        let in_line = service.queue_limit.map(|limit| u64::from(limit) + workers);
        let admitted = service
            .admission
            .in_flight
            .map(|limit| u64::from(limit.get()));
        let cap = self.model.max_in_flight.filter(|cap| !cap.delays());
        let sent = cap.map(|cap| u64::from(cap.limit.get()));
        let bounds = [in_line, admitted, sent];
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
    ];
    let found = reasons.into_iter().find(|(there, _)| *there);
    found.map(|(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    /// The memory of one service that Poisson arrivals ask.
    fn of(rate: &str, service: &str) -> Memory {
        of_client(
            &format!("{{rate: {rate}/s, do: ask, timeout: 2s}}"),
            service,
        )
    }

    fn of_client(client: &str, service: &str) -> Memory {
        let text = format!(
            "
blis: 1
name: memory
run: {{horizon: 60s}}
clients: {{feed: {client}}}
actions: {{ask: {{path: [{{visit: api}}, reply]}}, idle: {{path: [{{visit: rest}}, reply]}}}}
services: {{api: {{{service}}}, rest: {{workers: 1, time: 10ms}}}}
"
        );
        let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:#?}"));
        memory(&lowered.model)
    }

    #[track_caller]
    fn is(memory: &Memory, seconds: f64) {
        match memory.service(0) {
            ServiceMemory::Seconds(own) if (own / seconds - 1.0).abs() < 1e-6 => {}
            other => panic!("{other:?} is not {seconds} s"),
        }
    }

    const MM: &str = "time: {exponential: {mean: 10ms}}";

    #[test]
    fn a_line_remembers_longer_the_busier_its_workers_are() {
        is(&of("90", &format!("workers: 1, {MM}")), 1.0);
        is(&of("80", &format!("workers: 1, {MM}")), 0.25);
        is(&of("380", &format!("workers: 4, {MM}")), 1.0);
        // Service times that do not vary make half of it.
        is(&of("90", "workers: 1, time: 10ms"), 0.5);
        // Where members have lines of their own, each has its share.
        let members = format!("members: 4, workers: 1, dispatch: random, {MM}");
        is(&of("380", &members), 4.0);
        // Where nothing waits, the workers remember.
        is(&of("1", &format!("workers: 1000, {MM}")), 0.0025);
    }

    #[test]
    fn a_line_that_grows_has_no_memory_unless_something_bounds_it() {
        let full = format!("workers: 1, {MM}");
        let grows = of("120", &full);
        assert!(
            matches!(grows.service(0), ServiceMemory::Grows(load) if (load - 1.2).abs() < 1e-9)
        );
        assert!(matches!(grows.of_all(), Longest::Grows(_, 0)));
        assert_eq!(
            grows.of_actions(std::iter::once(1)),
            Longest::Seconds(0.0, None)
        );
        is(&of("100", &format!("{full}, queue: {{limit: 9}}")), 1.0);
        is(&of("120", &format!("{full}, queue: {{limit: 9}}")), 0.25);
        // Who leaves after two seconds bounds it too.
        is(&of("100.1", &format!("{full}, on_timeout: leave")), 2.0);
    }

    #[test]
    fn closed_users_bound_a_line() {
        let users = |think: &str| format!("{{concurrency: 10, think: {think}, do: ask}}");
        // 10 users, 10 ms and 90 ms: 100/s would fill the worker, and 10 may be present.
        is(
            &of_client(&users("90ms"), &format!("workers: 1, {MM}")),
            1.0,
        );
        // At most 50/s: half of the worker.
        is(
            &of_client(&users("190ms"), &format!("workers: 1, {MM}")),
            0.04,
        );
    }

    #[test]
    fn what_changes_over_time_is_told() {
        assert_eq!(of("90", &format!("workers: 1, {MM}")).changes(), None);
        let outage = format!("workers: 1, {MM}, outages: [{{from: 1s, to: 2s}}]");
        assert_eq!(of("90", &outage).changes(), Some("outages"));
    }
}
