//! Closed forms of networks: requests that visit several services, return, or take one of several paths.

use crate::analysis::closed_form::{Exact, QUANTILES, Why};
use crate::analysis::route::{Way, ways};
use crate::analysis::station_forms::MANY_SERVERS;
use crate::analysis::traffic::{Traffic, has_one_line, is_exponential};
use crate::model::{Model, Service, Source};
use crate::theory::{
    ClosedNetwork, ClosedStation, Demand, Means, MultiServer, OpenNetwork, OpenStation, Tandem,
    TheoryError, quantile,
};

/// The closed form of a network whose assumptions hold, without the network's time.
pub fn network(traffic: &Traffic<'_>) -> Result<Exact, Why> {
    match traffic.closed() {
        Some((users, think)) => closed(traffic, users, think),
        None => open(traffic),
    }
}

/// A service whose queues are alike as equal stations: how many, and the workers of each.
pub fn stations(service: &Service) -> (u64, u64) {
    (
        u64::from(service.lines()),
        service.fewest_workers_of_a_line(),
    )
}

/// The figures of `count` equal stations together, given those of one; a visit is to one of them.
fn together(count: u64, one: Means) -> Means {
    let count = count as f64;
    Means {
        throughput: one.throughput * count,
        queue: one.queue * count,
        in_system: one.in_system * count,
        ..one
    }
}

/// An open Jackson network: requests that all visit other services, or the same in an order of their own, are told apart
/// only by their ways, and each visit to a station meets what any visit does (Jackson 1963; for requests with fixed
/// ways and for thinking between the rounds of a session Baskett, Chandy, Muntz and Palacios 1975).
fn open(traffic: &Traffic<'_>) -> Result<Exact, Why> {
    let services = &traffic.model.services;
    let intended = |(at, _): (usize, &Service)| -> f64 {
        let clients = traffic.clients();
        let rates = clients
            .map(|(client, route)| Traffic::open_rate(client).unwrap_or(0.0) * route.visits[at]);
        rates.sum()
    };
    let total: f64 = traffic
        .clients()
        .filter_map(|(client, _)| Traffic::open_rate(client))
        .sum();
    let of = |service: &Service| OpenStation {
        servers: stations(service).1,
        service: service.time.mean() / 1e9,
    };
    let rates = services.iter().enumerate().map(intended);
    let rates = rates
        .zip(services)
        .map(|(rate, service)| rate / stations(service).0 as f64)
        .collect();
    let all: Vec<OpenStation> = services.iter().map(of).collect();
    let network = OpenNetwork::with_rates(&all, total, rates).map_err(|error| match error {
        TheoryError::UnstableStation {
            station,
            utilisation,
        } => Why::Overload {
            service: services[station].name.clone(),
            utilisation,
        },
        other => Why::Theory(other),
    })?;
    let mut found = Exact {
        form: String::new(),
        services: Vec::new(),
        throughput: 0.0,
        response: 0.0,
        quantiles: None,
        classes: Vec::new(),
    };
    for (service, queue) in services.iter().zip(&network.queues) {
        if let Some(queue) = queue {
            let means = together(stations(service).0, queue.means);
            found.services.push((service.name.clone(), means));
        }
    }
    found.form = match found.services.len() {
        1 => "open Jackson network, 1 service".to_owned(),
        several => format!("open Jackson network, {several} services"),
    };
    for (client, route) in traffic.clients() {
        let ok = Traffic::open_rate(client).unwrap_or(0.0) * route.ok;
        if ok > 0.0 {
            let at = |at: usize| {
                let queue = network.queues[at].as_ref();
                queue.map_or(f64::NAN, |queue| queue.means.response)
            };
            found.throughput += ok;
            found.response += ok * route.ok_response(at);
        }
    }
    found.response /= found.throughput;
    found.quantiles = open_quantiles(traffic, &network, found.response);
    Ok(found)
}

/// Quantiles where each way's response has a known distribution.
fn open_quantiles(traffic: &Traffic<'_>, network: &OpenNetwork, scale: f64) -> Option<[f64; 3]> {
    let mut all: Vec<(f64, Way)> = Vec::new();
    for (client, _) in traffic.clients() {
        let rate = Traffic::open_rate(client)?;
        for way in ways(traffic.model, client)? {
            all.push((rate * way.probability, way));
        }
    }
    let tandem = series(traffic, &all);
    let total: f64 = all.iter().map(|(weight, _)| weight).sum();
    let mut terms: Vec<(f64, f64, Response<'_>)> = Vec::new();
    for (weight, way) in &all {
        let response = match way.before_reply.as_slice() {
            [] => Response::Nothing,
            [only] => Response::Station(network.queues[*only].as_ref()?),
            _ => Response::Series(tandem.as_ref()?),
        };
        terms.push((weight / total, way.delay?, response));
    }
    let tail = |t: f64| -> f64 {
        let terms = terms.iter();
        terms
            .map(|(weight, delay, response)| weight * response.tail(t - delay))
            .sum()
    };
    Some(QUANTILES.map(|p| quantile(p, scale, tail)))
}

/// A response time whose distribution is known.
enum Response<'a> {
    Nothing,
    Station(&'a MultiServer),
    Series(&'a Tandem),
}

impl Response<'_> {
    fn tail(&self, t: f64) -> f64 {
        match self {
            Response::Nothing => f64::from(u8::from(t < 0.0)),
            Response::Station(station) => station.response_tail(t),
            Response::Series(tandem) => tandem.response_tail(t),
        }
    }
}

/// The stations in series, if all requests pass the same ones in the same order, each once, and nobody can overtake.
fn series(traffic: &Traffic<'_>, all: &[(f64, Way)]) -> Option<Tandem> {
    let model = traffic.model;
    let sessions = |source: &Source| {
        matches!(
            source,
            Source::Open {
                session: Some(_),
                ..
            }
        )
    };
    if model.clients.iter().any(|client| sessions(&client.source)) {
        return None;
    }
    let ((_, first), others) = all.split_first()?;
    let same = |way: &Way| {
        way.before_reply == first.before_reply
            && way.after_reply == first.after_reply
            && way.delay == first.delay
    };
    let mut passed = first.before_reply.clone();
    passed.extend(&first.after_reply);
    passed.sort_unstable();
    let once = passed.windows(2).all(|pair| pair[0] != pair[1]);
    // An error on the way thins the stream behind it, whose rate the first station does not have.
    let whole = traffic.routes.iter().all(|route| route.ok > 1.0 - 1e-12);
    let mut services = first.before_reply.iter().map(|at| &model.services[*at]);
    if !once || !whole || !others.iter().all(|(_, way)| same(way)) || !services.all(has_one_line) {
        return None;
    }
    let rate: f64 = all.iter().map(|(weight, _)| weight).sum();
    let stations = first.before_reply.iter().map(|at| {
        let service = &model.services[*at];
        (service.servers(), service.time.mean() / 1e9)
    });
    Tandem::new(rate, &stations.collect::<Vec<_>>()).ok()
}

/// A closed network: one client's users, thinking, delays and the network's time as one delay, every queue a station.
fn closed(traffic: &Traffic<'_>, users: u64, think: f64) -> Result<Exact, Why> {
    let (model, route) = (traffic.model, &traffic.routes[0]);
    let away = think + traffic.network() + route.delay;
    let visited: Vec<(usize, &Service)> = traffic.visited().collect();
    if let [(at, service)] = visited.as_slice()
        && has_one_line(service)
        && is_exponential(service)
    {
        return closed_station(traffic, users, away, *at, service);
    }
    let mut demands = Vec::new();
    for (at, service) in &visited {
        let (count, servers) = stations(service);
        let seconds = route.before_reply[*at] * service.time.mean() / 1e9 / count as f64;
        // Each member is a station, and of each a share of the visits.
        if count > MOST_MEMBERS {
            return Err(Why::Assumption(format!(
                "service {} has too many members",
                service.name
            )));
        }
        demands.extend((0..count).map(|_| Demand { seconds, servers }));
    }
    let solved = ClosedNetwork::new(users, away, &demands)?;
    let mut services = Vec::new();
    let mut responses = vec![f64::NAN; model.services.len()];
    let mut next = 0;
    for (at, service) in &visited {
        let (count, _) = stations(service);
        let one = solved.stations[next];
        next += count as usize;
        let visits = route.before_reply[*at];
        responses[*at] = one.response * count as f64 / visits;
        // From rounds to visits.
        let means = Means {
            throughput: one.throughput * visits / count as f64,
            wait: one.wait * count as f64 / visits,
            response: responses[*at],
            ..one
        };
        services.push((service.name.clone(), together(count, means)));
    }
    Ok(Exact {
        form: format!("closed network, {} services, {users} users", visited.len()),
        services,
        throughput: solved.throughput * route.ok,
        response: route.ok_response(|at| responses[at]),
        quantiles: None,
        classes: Vec::new(),
    })
}

/// The most members of a service with queues of their own in a closed network.
pub const MOST_MEMBERS: u64 = 10_000;

/// The one queue of a closed model, which need not be visited just once in a round.
fn closed_station(
    traffic: &Traffic<'_>,
    users: u64,
    away: f64,
    at: usize,
    service: &Service,
) -> Result<Exact, Why> {
    let route = &traffic.routes[0];
    let visits = route.before_reply[at];
    let servers = service.servers();
    // Between two visits a user is away for that share of a round.
    let station = ClosedStation::new(users, away / visits, servers, service.time.mean() / 1e9)?;
    let response = route.ok_response(|_| station.means.response);
    Ok(Exact {
        form: format!("M/M/{servers}//{users}"),
        services: vec![(service.name.clone(), station.means)],
        throughput: station.means.throughput / visits * route.ok,
        response,
        classes: Vec::new(),
        quantiles: (servers <= MANY_SERVERS)
            .then(|| closed_quantiles(traffic.model, &station, response))
            .flatten(),
    })
}

/// Quantiles where every way visits the station at most once: each visit meets what the arrival theorem says.
fn closed_quantiles(model: &Model, station: &ClosedStation, scale: f64) -> Option<[f64; 3]> {
    let ways = ways(model, &model.clients[0])?;
    let total: f64 = ways.iter().map(|way| way.probability).sum();
    let mut terms = Vec::new();
    for way in &ways {
        match way.before_reply.len() {
            0 | 1 => terms.push((
                way.probability / total,
                way.delay?,
                way.before_reply.is_empty(),
            )),
            _ => return None,
        }
    }
    let tail = |t: f64| -> f64 {
        let terms = terms.iter();
        terms
            .map(|&(weight, delay, empty)| match empty {
                true => weight * f64::from(u8::from(t < delay)),
                false => weight * station.response_tail(t - delay),
            })
            .sum()
    };
    Some(QUANTILES.map(|p| quantile(p, scale, tail)))
}
