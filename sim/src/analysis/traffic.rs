//! A model as the closed forms see it: its clients, their routes, and the visited services.

use crate::analysis::offered::mean_rounds;
use crate::analysis::route::{Route, client_route};
use crate::dist::Family;
use crate::model::{Arrival, Client, Model, Service, Source};

/// A model with what its requests do, which assumptions and forms look at.
pub struct Traffic<'a> {
    /// The model.
    pub model: &'a Model,
    /// The routes of the clients, in the order of the model.
    pub routes: Vec<Route>,
}

impl<'a> Traffic<'a> {
    /// The traffic of a model.
    pub fn new(model: &'a Model) -> Traffic<'a> {
        let routes = model.clients.iter();
        Traffic {
            model,
            routes: routes.map(|client| client_route(model, client)).collect(),
        }
    }

    /// The services that any request visits, with their positions.
    pub fn visited(&self) -> impl Iterator<Item = (usize, &'a Service)> {
        let services = self.model.services.iter().enumerate();
        services.filter(|(at, _)| self.routes.iter().any(|route| route.visits[*at] > 0.0))
    }

    /// The clients with their routes.
    pub fn clients(&self) -> impl Iterator<Item = (&'a Client, &Route)> {
        self.model.clients.iter().zip(&self.routes)
    }

    /// Requests that a client intends per second, `None` for a closed one.
    pub fn open_rate(client: &Client) -> Option<f64> {
        match &client.source {
            Source::Closed { .. } => None,
            Source::Open {
                arrival, session, ..
            } => {
                let rounds = session.as_ref().map(|session| mean_rounds(&session.rounds));
                let members = f64::from(client.population.get());
                Some(arrival.rate() * members * rounds.unwrap_or(1.0))
            }
        }
    }

    /// The users and the mean think time in seconds of the one client, if it is closed and alone.
    pub fn closed(&self) -> Option<(u64, f64)> {
        match self.model.clients.as_slice() {
            [
                client @ Client {
                    source: Source::Closed { think, .. },
                    ..
                },
            ] => Some((client.closed_users(), think.mean() / 1e9)),
            _ => None,
        }
    }

    /// Whether all clients are open.
    pub fn is_open(&self) -> bool {
        let mut clients = self.model.clients.iter();
        clients.all(|client| Traffic::open_rate(client).is_some())
    }

    /// Seconds that the network takes of each request, on average.
    pub fn network(&self) -> f64 {
        let one_way = self.model.one_way.as_ref();
        one_way.map_or(0.0, |one_way| 2.0 * one_way.mean() / 1e9)
    }

    /// Whether the network takes the same time of each request.
    pub fn network_is_constant(&self) -> bool {
        let one_way = self.model.one_way.as_ref();
        one_way.is_none_or(|one_way| one_way.scv() == 0.0)
    }

    /// Whether nobody ever waits at a service, because it has a worker for each of the closed users.
    pub fn never_waits(&self, service: &Service) -> bool {
        let workers = service.fewest_workers_of_a_line();
        self.closed().is_some_and(|(users, _)| users <= workers)
    }

    /// Whether a queue of a service can be full.
    pub fn can_refuse(&self, service: &Service) -> bool {
        let Some(limit) = service.queue_limit else {
            return false;
        };
        let workers = service.fewest_workers_of_a_line();
        let room = workers + u64::from(limit);
        self.closed().is_none_or(|(users, _)| room < users)
    }
}

/// Whether all workers of a service take from one queue.
pub fn has_one_line(service: &Service) -> bool {
    service.lines() == 1
}

/// Whether the service time is exponential.
pub fn is_exponential(service: &Service) -> bool {
    service.time.family() == Family::Exponential
}

/// Whether a process is Poisson.
pub fn is_poisson(arrival: &Arrival) -> bool {
    matches!(arrival, Arrival::Renewal { interarrival } if interarrival.family() == Family::Exponential)
}
