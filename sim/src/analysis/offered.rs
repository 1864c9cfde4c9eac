//! The offered load of clients, and the load of each service.

use crate::analysis::demand::{PathDemand, path_demand};
use crate::dist::Dist;
use std::num::NonZeroU32;

use crate::model::{
    Arrival, Client, Dispatch, MemberKind, Model, Rounds, Service, Session, Shape, Source, Step,
};
use crate::time::Time;

/// The offered load of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    /// By client, in the order of the model.
    pub clients: Vec<ClientLoad>,
    /// By service, in the order of the model.
    pub services: Vec<ServiceLoad>,
    /// By consumer, in the order of the model.
    pub consumers: Vec<ConsumerLoad>,
    /// Seconds that a request takes when nothing has to wait, averaged over all requests.
    pub unloaded_response: f64,
}

/// What one client offers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientLoad {
    /// Requests per second: of an open client exactly, of a closed one if nothing ever had to wait. Where the rate
    /// changes, its mean from the start to the horizon.
    pub requests_per_second: f64,
    /// The largest rate of requests within the horizon; `None` where arrivals were recorded or come in a burst, which have
    /// no rate.
    pub peak_requests_per_second: Option<f64>,
    /// Whether waiting slows the client down, so that the rate is an upper bound.
    pub at_most: bool,
    /// Seconds that a request takes when nothing has to wait, averaged over the client's actions.
    pub unloaded_response: f64,
}

/// What one service is offered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceLoad {
    /// Visits per second.
    pub visits_per_second: f64,
    /// Mean time in seconds that a visit keeps a worker busy, or holds it, when nothing has to wait.
    pub service_time: f64,
    /// Workers of all members.
    pub servers: u64,
    /// Visits per request, averaged over all requests.
    pub visits_per_request: f64,
    /// Share of what all its workers can do that visits have when a member is the first to have more than it can do: below 1
    /// where members differ and are drawn at random.
    pub usable: f64,
}

/// What one consumer is offered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConsumerLoad {
    /// Messages per second.
    pub messages_per_second: f64,
    /// Messages per request, averaged over all requests.
    pub messages_per_request: f64,
}

impl ServiceLoad {
    /// Mean number of workers the offered load would keep busy (erlangs).
    pub fn erlangs(&self) -> f64 {
        self.visits_per_second * self.service_time
    }

    /// Offered load per worker; from 1 on the service cannot keep up.
    pub fn utilisation(&self) -> f64 {
        self.erlangs() / self.servers as f64
    }

    /// Requests per second that its workers can carry at this mix, `None` if no request visits it.
    pub fn capacity(&self) -> Option<f64> {
        let demand = self.visits_per_request * self.service_time;
        (demand > 0.0).then(|| self.servers as f64 * self.usable / demand)
    }
}

impl Offered {
    /// Whether the mix of requests is the same at any load: that of a single client, or of open ones. Closed users slow
    /// down as they wait, and so change their share beside others.
    pub fn mix_is_fixed(&self) -> bool {
        self.clients.len() == 1 || self.clients.iter().all(|client| !client.at_most)
    }

    /// The smallest capacity of a service, which is the first to limit the throughput, if any is visited.
    pub fn capacity(&self) -> Option<f64> {
        let capacities = self.services.iter().filter_map(ServiceLoad::capacity);
        capacities.min_by(f64::total_cmp)
    }
}

/// The load that a model's clients offer when nothing slows them down.
pub fn offered(model: &Model) -> Offered {
    let demands: Vec<PathDemand> = model
        .actions
        .iter()
        .map(|action| path_demand(model, action))
        .collect();
    let clients: Vec<ClientLoad> = model
        .clients
        .iter()
        .map(|client| client_load(client, &demands, model.limits.horizon))
        .collect();
    // Beside a client that nothing holds back, the others are nothing.
    let unbounded = clients
        .iter()
        .any(|load| load.requests_per_second == f64::INFINITY);
    let weight = |load: &ClientLoad| match unbounded {
        true => f64::from(u8::from(load.requests_per_second == f64::INFINITY)),
        false => load.requests_per_second,
    };
    let total: f64 = clients.iter().map(weight).sum();
    let services = model.services.iter().enumerate().map(|(index, service)| {
        let (mut visits_per_second, mut weighted) = (0.0, 0.0);
        let (mut busy, mut work, mut all_visits) = (0.0, 0.0, 0.0);
        for (client, load) in model.clients.iter().zip(&clients) {
            let shares = client.mix.shares.iter();
            let visits: f64 = shares
                .map(|(action, share)| share * demands[action.index()].visits[index])
                .sum();
            let mean = |of: fn(&PathDemand) -> &Vec<f64>| -> f64 {
                let shares = client.mix.shares.iter();
                shares
                    .map(|(action, share)| share * of(&demands[action.index()])[index])
                    .sum()
            };
            if visits > 0.0 {
                busy += weight(load) * mean(|demand| &demand.busy);
                work += weight(load) * mean(|demand| &demand.work);
                all_visits += weight(load) * visits;
                visits_per_second += load.requests_per_second * visits;
                weighted += weight(load) * visits;
            }
        }
        let own = service.time.mean() * service.slowness() / 1e9;
        // What is held counts as service, and visits may have times of their own.
        let service_time = mean_time(own, busy, all_visits);
        let work = mean_time(service.time.mean() / 1e9, work, all_visits);
        ServiceLoad {
            visits_per_second,
            service_time,
            usable: match service.is_even() {
                true => 1.0,
                false => usable(service, service_time, work, is_drawn(model, index)),
            },
            servers: service.servers(),
            visits_per_request: if total > 0.0 { weighted / total } else { 0.0 },
        }
    });
    let consumers = (0..model.consumers.len()).map(|index| {
        let (mut messages_per_second, mut weighted) = (0.0, 0.0);
        for (client, load) in model.clients.iter().zip(&clients) {
            let shares = client.mix.shares.iter();
            let messages: f64 = shares
                .map(|(action, share)| share * demands[action.index()].messages[index])
                .sum();
            if messages > 0.0 {
                messages_per_second += load.requests_per_second * messages;
                weighted += weight(load) * messages;
            }
        }
        ConsumerLoad {
            messages_per_second,
            messages_per_request: if total > 0.0 { weighted / total } else { 0.0 },
        }
    });
    let responses = clients
        .iter()
        .map(|load| weight(load) * load.unloaded_response);
    let responses: f64 = responses.sum();
    Offered {
        services: services.collect(),
        consumers: consumers.collect(),
        unloaded_response: if total > 0.0 { responses / total } else { 0.0 },
        clients,
    }
}

/// The mean time of a visit: the service's own, unless visits have times of their own or hold workers.
fn mean_time(own: f64, busy: f64, visits: f64) -> f64 {
    match (busy - visits * own).abs() > 1e-12 * busy {
        true => busy / visits,
        false => own,
    }
}

/// The share of what all workers can do that visits have when one member is the first to have more than it can do. A visit
/// takes `service_time` seconds on average, `work` of them at a speed of 1 and the rest whatever the speed.
fn usable(service: &Service, service_time: f64, work: f64, drawn: bool) -> f64 {
    let held = (service_time - work * service.slowness()).max(0.0);
    let held = if held < 1e-12 * service_time {
        0.0
    } else {
        held
    };
    let carries = |kind: &MemberKind| f64::from(kind.workers.get()) / (work / kind.speed + held);
    let kinds = service.members.kinds().iter();
    let all = match drawn {
        true => f64::from(service.members.count()) * kinds.map(carries).fold(f64::MAX, f64::min),
        false => kinds
            .map(|kind| f64::from(kind.count.get()) * carries(kind))
            .sum(),
    };
    let usable = all * service_time / service.servers() as f64;
    if usable.is_finite() { usable } else { 1.0 }
}

/// Whether visits of a service have their member drawn at random, all of them or some: deliveries of streams are dealt
/// as members ask for them.
fn is_drawn(model: &Model, service: usize) -> bool {
    if model.services[service].dispatch != Dispatch::Random {
        return false;
    }
    let deals = |at: u32| model.consumers.iter().any(|consumer| consumer.entry == at);
    let mut steps = (0..).zip(&model.program);
    let mut copies = model.fan_outs.iter().filter_map(|one| one.service);
    let own = |step: &Step| matches!(step, Step::Visit(visit) if visit.service.index() == service);
    steps.any(|(at, step)| own(step) && !deals(at)) || copies.any(|id| id.index() == service)
}

/// Requests per second of a client.
struct Rates {
    mean: f64,
    peak: Option<f64>,
    at_most: bool,
}

/// Mean and peak arrivals per second of one member, from the start to the horizon.
fn arrival_rates(
    arrival: &Arrival,
    shape: Option<&Shape>,
    horizon: Option<Time>,
) -> (f64, Option<f64>) {
    match (arrival, shape) {
        (given, _) if !given.has_rate() => (given.mean_rate(horizon), None),
        (stationary, None) => (stationary.rate(), Some(stationary.rate())),
        (stationary, Some(shape)) => {
            let rate = stationary.rate();
            (rate * shape.mean(horizon), Some(rate * shape.peak(horizon)))
        }
    }
}

/// Mean and peak requests per second of an open client, from the start to the horizon.
fn open_rates(
    population: NonZeroU32,
    arrival: &Arrival,
    shape: Option<&Shape>,
    session: Option<&Session>,
    horizon: Option<Time>,
) -> (f64, Option<f64>) {
    let rounds = session.map_or(1.0, |session| mean_rounds(&session.rounds));
    let each = rounds * f64::from(population.get());
    let (mean, peak) = arrival_rates(arrival, shape, horizon);
    (mean * each, peak.map(|peak| peak * each))
}

/// Requests per second that the schedule of a client asks for, whatever the backend is; `None` for closed users, who wait
/// for it.
pub fn scheduled(client: &Client, horizon: Option<Time>) -> Option<f64> {
    match &client.source {
        Source::Closed { .. } => None,
        Source::Open {
            arrival,
            shape,
            session,
        } => {
            let (shape, session) = (shape.as_ref(), session.as_ref());
            Some(open_rates(client.population, arrival, shape, session, horizon).0)
        }
    }
}

/// What the schedule of an open client asks for over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Mean number of requests, the rounds of sessions included.
    pub requests: f64,
    /// Its variance, roughly: that of a renewal process, and of the rounds as if they were one by one as variable as the
    /// widest of them.
    pub variance: f64,
}

/// What the schedule of a client asks for between two instants; `None` for closed users, and where instants are given
/// instead of a rate.
pub fn schedule(client: &Client, from: Time, to: Time) -> Option<Schedule> {
    let Source::Open {
        arrival,
        shape,
        session,
    } = &client.source
    else {
        return None;
    };
    if !arrival.has_rate() {
        return None;
    }
    let operational = |until: Time| match shape {
        None => until.as_nanos() as f64,
        Some(shape) => shape.operational(until),
    };
    let seconds = (operational(to) - operational(from)).max(0.0) / 1e9;
    let arrivals = arrival.rate() * seconds * f64::from(client.population.get());
    let scv = match arrival {
        Arrival::Renewal { interarrival } => interarrival.scv(),
        Arrival::Constant { .. } | Arrival::Recorded(_) | Arrival::Burst { .. } => 0.0,
    };
    let rounds = session.as_ref().map_or(1.0, |one| mean_rounds(&one.rounds));
    let of_rounds = f64::from(u8::from(session.is_some()));
    Some(Schedule {
        requests: arrivals * rounds,
        variance: arrivals * rounds * rounds * (scv + of_rounds),
    })
}

/// Mean and peak requests per second of all open clients together, whatever the backend is: from the start to the horizon.
pub fn open_requests<P>(model: &Model<P>) -> (f64, Option<f64>) {
    let horizon = model.limits.horizon;
    let clients = model
        .clients
        .iter()
        .filter_map(|client| match &client.source {
            Source::Closed { .. } => None,
            Source::Open {
                arrival,
                shape,
                session,
            } => Some(open_rates(
                client.population,
                arrival,
                shape.as_ref(),
                session.as_ref(),
                horizon,
            )),
        });
    clients.fold((0.0, Some(0.0)), |(mean, peak), (more, higher)| {
        (mean + more, peak.zip(higher).map(|(a, b)| a + b))
    })
}

fn client_load(client: &Client, demands: &[PathDemand], horizon: Option<Time>) -> ClientLoad {
    let shares = client.mix.shares.iter();
    let unloaded_response = shares
        .map(|(action, share)| share * demands[action.index()].unloaded_response)
        .sum();
    let rates = match &client.source {
        Source::Closed { think, .. } => {
            let cycle = think.mean() / 1e9 + unloaded_response;
            let most = client.closed_users() as f64 / cycle;
            Rates {
                mean: most,
                peak: Some(most),
                at_most: true,
            }
        }
        Source::Open {
            arrival,
            shape,
            session,
        } => {
            let (mean, peak) = open_rates(
                client.population,
                arrival,
                shape.as_ref(),
                session.as_ref(),
                horizon,
            );
            Rates {
                mean,
                peak,
                at_most: false,
            }
        }
    };
    ClientLoad {
        requests_per_second: rates.mean,
        peak_requests_per_second: rates.peak,
        at_most: rates.at_most,
        unloaded_response,
    }
}

/// The mean number of rounds.
pub(super) fn mean_rounds(rounds: &Rounds) -> f64 {
    match rounds {
        Rounds::Constant(rounds) => f64::from(rounds.get()),
        Rounds::Uniform { min, max } => (f64::from(min.get()) + f64::from(max.get())) / 2.0,
        Rounds::Rounded(dist) => mean_rounded(dist),
    }
}

/// The mean of a draw rounded to the nearest whole number and at least 1: the sum over k of the probability that it
/// is at least k, up to where that is negligible.
fn mean_rounded(dist: &Dist) -> f64 {
    const NEGLIGIBLE: f64 = 1e-9;
    const MOST: u32 = 1_000_000;
    let at_least = |k: u32| 1.0 - dist.cdf(f64::from(k) - 0.5);
    1.0 + (2..MOST)
        .map(at_least)
        .take_while(|p| *p > NEGLIGIBLE)
        .sum::<f64>()
}
