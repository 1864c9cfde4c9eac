//! The limits on requests per second: workers, and every window with a limited number of places.
//!
//! A window of W places, each held for S seconds without waiting, lets at most W/S per second through (Little 1961). Such
//! windows are workers, the unacknowledged messages of a consumer, the requests that a service admits at a time, the tokens of
//! a bucket, and the requests in flight.

use crate::analysis::demand::delivery_time;
use crate::analysis::offered::{Offered, ServiceLoad, offered};
use crate::model::{ClientId, Consumer, ConsumerId, MaxInFlight, Model, Service, ServiceId};
use crate::time::Time;

/// What it is that lets only this many through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binds {
    /// The workers of a service.
    Workers(ServiceId),
    /// The requests that a service admits at a time.
    Admitted(ServiceId),
    /// The tokens of a service, each of which comes after its period.
    Tokens(ServiceId),
    /// The messages of a consumer that may be delivered and not acknowledged.
    AckPending(ConsumerId),
    /// The deliveries, or the messages of batches, that the members of a consumer's service ask for, where that is more
    /// than their workers.
    Asked(ConsumerId),
    /// The requests that may be in flight: of a client, or of all together.
    InFlight(Option<ClientId>),
}

/// One limit of the throughput.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constraint {
    /// Whose.
    pub binds: Binds,
    /// How many places there are.
    pub places: f64,
    /// Seconds for which each is held when nothing has to wait.
    pub seconds: f64,
    /// Share of the time, or of the work, that is left by outages and slow-downs within the window of measurement.
    pub available: f64,
    /// Share of the workers' work that is done when a member is the first to have more than it can do; 1 but where members
    /// differ and are drawn at random.
    pub usable: f64,
    /// How many a request needs: visits of a service, messages of a consumer.
    pub per_request: f64,
    /// How many are offered per second.
    pub offered_per_second: f64,
}

impl Constraint {
    /// How many it lets through per second: visits, messages or requests.
    pub fn per_second(&self) -> f64 {
        self.places * self.available * self.usable / self.seconds
    }

    /// Requests per second that it lets through at this mix.
    pub fn capacity(&self) -> f64 {
        self.per_second() / self.per_request
    }

    /// Whether it limits the requests of all clients.
    pub fn is_of_all(&self) -> bool {
        !matches!(self.binds, Binds::InFlight(Some(_)))
    }

    /// The offered load as a share of what it lets through; from 1 on it cannot keep up.
    pub fn load(&self) -> f64 {
        self.offered_per_second / self.per_second()
    }
}

/// All limits of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraints {
    /// The load that they are held against.
    pub offered: Offered,
    /// The one of the smallest capacity first; of equals, workers first, in the order of the model.
    pub all: Vec<Constraint>,
}

impl Constraints {
    /// The first to limit the throughput, if any does. What limits one client alone does not limit the others.
    pub fn binding(&self) -> Option<&Constraint> {
        self.all.iter().find(|one| one.is_of_all())
    }

    /// Others of the same capacity, but for rounding.
    pub fn tied_with<'a>(&'a self, with: &'a Constraint) -> impl Iterator<Item = &'a Constraint> {
        let same = |one: &&Constraint| {
            one.is_of_all() && (one.capacity() / with.capacity() - 1.0).abs() < 1e-9
        };
        let all = self.all.iter().filter(same);
        all.filter(|one| one.binds != with.binds)
    }
}

/// The limits of a model.
///
/// They are those of requests that meet no full queue, no timeout and no error: retries, redeliveries and refused requests
/// take places too, and are not known here.
pub fn constraints(model: &Model) -> Constraints {
    let offered = offered(model);
    let mut all = Vec::new();
    for (id, service) in (0u16..).zip(&model.services) {
        let load = &offered.services[usize::from(id)];
        all.extend(of_service(model, ServiceId(id), service, load));
    }
    for (id, consumer) in (0u16..).zip(&model.consumers) {
        all.extend(of_consumer(model, &offered, ConsumerId(id), consumer));
    }
    all.extend(in_flight(model, &offered));
    all.retain(|one| one.capacity().is_finite());
    // The sort keeps the order of those that are equal but for rounding, which is that of their names.
    let rounded = |one: &Constraint| libm::round(libm::log(one.capacity()) * 1e10);
    all.sort_by(|a, b| rounded(a).total_cmp(&rounded(b)));
    Constraints { offered, all }
}

/// The limits of requests in flight: that of all, and those of clients.
fn in_flight(model: &Model, offered: &Offered) -> Vec<Constraint> {
    let window = |binds, limit: MaxInFlight, seconds, offered_per_second| Constraint {
        binds: Binds::InFlight(binds),
        places: f64::from(limit.limit.get()),
        seconds,
        available: 1.0,
        usable: 1.0,
        per_request: 1.0,
        offered_per_second,
    };
    let clients = (0u16..).zip(model.clients.iter().zip(&offered.clients));
    let own = clients.filter_map(|(id, (client, load))| {
        let (seconds, rate) = (load.unloaded_response, load.requests_per_second);
        Some(window(
            Some(ClientId(id)),
            client.max_in_flight?,
            seconds,
            rate,
        ))
    });
    let rates = offered.clients.iter().map(|one| one.requests_per_second);
    let all = model
        .max_in_flight
        .map(|limit| window(None, limit, offered.unloaded_response, rates.sum()));
    all.into_iter().chain(own).collect()
}

fn of_service(
    model: &Model,
    id: ServiceId,
    service: &Service,
    load: &ServiceLoad,
) -> impl Iterator<Item = Constraint> {
    let servers = service.servers();
    let of_line = service.most_workers_of_a_line();
    let slower = service.load.as_ref().map_or(1.0, |curve| {
        curve.factor(u32::try_from(of_line).unwrap_or(u32::MAX))
    });
    let workers = Constraint {
        binds: Binds::Workers(id),
        places: servers as f64,
        seconds: load.service_time * slower,
        available: available(model, service),
        usable: load.usable,
        per_request: load.visits_per_request,
        offered_per_second: load.visits_per_second,
    };
    let admitted = service
        .admission
        .in_flight
        .map(|limit| u64::from(limit.get()));
    // Where there are as many places as workers, the workers are the limit.
    let admitted = admitted
        .filter(|limit| *limit < servers)
        .map(|limit| Constraint {
            binds: Binds::Admitted(id),
            places: limit as f64,
            seconds: load.service_time,
            usable: 1.0,
            ..workers
        });
    let tokens = service.admission.tokens.map(|bucket| Constraint {
        binds: Binds::Tokens(id),
        places: 1.0,
        seconds: bucket.period.as_secs_f64(),
        available: 1.0,
        usable: 1.0,
        ..workers
    });
    [Some(workers), admitted, tokens].into_iter().flatten()
}

fn of_consumer(
    model: &Model,
    offered: &Offered,
    id: ConsumerId,
    consumer: &Consumer,
) -> impl Iterator<Item = Constraint> {
    let service = &model.services[consumer.service.index()];
    let seconds = delivery_time(model, consumer);
    let load = &offered.consumers[id.index()];
    let pending = Constraint {
        binds: Binds::AckPending(id),
        places: unacknowledged(consumer, seconds),
        seconds,
        available: available(model, service),
        usable: 1.0,
        per_request: load.messages_per_request,
        offered_per_second: load.messages_per_second,
    };
    let size = consumer.batch.as_ref().map_or(1, |batch| batch.size.get());
    let prefetched = u64::from(service.lines()) * u64::from(consumer.prefetch);
    let asked = (service.servers() + prefetched) as f64;
    let asked = (consumer.prefetch > 0).then_some(Constraint {
        binds: Binds::Asked(id),
        places: asked * f64::from(size),
        ..pending
    });
    [Some(pending), asked].into_iter().flatten()
}

/// How many messages of a consumer are worked on at a time at most. Full batches only: what is left of the window beside
/// them waits for its batch to fill, unless that is closed sooner because of its `linger`.
fn unacknowledged(consumer: &Consumer, seconds: f64) -> f64 {
    let most = consumer.max_ack_pending.get();
    let whole = match &consumer.batch {
        Some(batch)
            if batch
                .linger
                .is_none_or(|linger| linger.as_secs_f64() >= seconds) =>
        {
            most / batch.size * batch.size.get()
        }
        _ => most,
    };
    f64::from(whole)
}

/// What outages and slow-downs leave of a service between the end of the warm-up and the horizon.
fn available(model: &Model, service: &Service) -> f64 {
    let Some(horizon) = model.limits.horizon else {
        return 1.0;
    };
    let from = model.limits.warmup;
    let length = horizon.since(from).as_secs_f64();
    if length <= 0.0 {
        return 1.0;
    }
    let share = |start: Time, end: Time, member: Option<u32>| {
        let within = end
            .min(horizon)
            .since(start.max(from).min(end.min(horizon)));
        let of_members = member.map_or(1.0, |member| service.members.share(member));
        within.as_secs_f64() / length * of_members
    };
    let down = service.outages.iter();
    let down = down.map(|outage| share(outage.from, outage.to, outage.member));
    let slow = service.slow_downs.iter();
    let slow = slow.map(|slow| share(slow.from, slow.to, slow.member) * (1.0 - 1.0 / slow.factor));
    (1.0 - down.chain(slow).sum::<f64>()).max(0.0)
}
