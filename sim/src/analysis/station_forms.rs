//! Closed forms of models whose requests all visit one service once before the reply.

use crate::analysis::arrivals::{Arrivals, arrivals};
use crate::analysis::assumptions::{Scope, broken};
use crate::analysis::closed_form::{Exact, QUANTILES, Why};
use crate::analysis::order_forms::{ordered, times};
use crate::analysis::traffic::{Traffic, has_one_line, is_exponential};
use crate::analysis::uneven_forms::uneven;
use crate::dist::{Dist, Family, Phases};
use crate::model::{Dispatch, Order, Service, Source, Step};
use crate::theory::{
    ClosedStation, DeterministicService, ErlangLoss, FiniteQueue, GeneralArrivals, GeneralService,
    Means, MultiServer, PhaseService, SplitQueues,
};

/// With more servers than this, quantiles of a line with room for others take longer than the answer is worth.
pub const MANY_SERVERS: u64 = 100_000;

/// The one service, if every request visits just it once, is answered then, and no client has sessions.
pub fn single_station<'a>(traffic: &Traffic<'a>) -> Option<&'a Service> {
    let model = traffic.model;
    let mut station = None;
    for client in &model.clients {
        if matches!(
            &client.source,
            Source::Open {
                session: Some(_),
                ..
            }
        ) {
            return None;
        }
        for (action, _) in &client.mix.shares {
            let entry = model.actions[action.index()].path.entry as usize;
            let [Step::Visit(visited), Step::Reply, Step::End, ..] = &model.program[entry..] else {
                return None;
            };
            if *station.get_or_insert(visited.service) != visited.service {
                return None;
            }
        }
    }
    station.map(|station| &model.services[station.index()])
}

/// The closed form of a model with a single station, without the network. What ends in an error of the service was
/// served as anything else.
pub fn station(traffic: &Traffic<'_>, service: &Service) -> Result<Exact, Why> {
    if !service.is_even() {
        return uneven(traffic, service);
    }
    if service.order != Order::Fifo {
        return ordered(traffic, service);
    }
    if let Some(why) = broken(traffic, Scope::Lines) {
        return Err(Why::Assumption(why));
    }
    let mut found = match traffic.closed() {
        Some((users, think)) => closed(traffic, service, users, think)?,
        None => match arrivals(traffic)? {
            Arrivals::Poisson { rate } => poisson(rate, service)?,
            Arrivals::General { interarrival } => renewal(interarrival, service)?,
            Arrivals::Constant { rate } => {
                let interarrival = Dist::constant(1e9 / rate)
                    .map_err(|error| Why::Assumption(error.to_string()))?;
                renewal(&interarrival, service)?
            }
        },
    };
    if service.errors > 0.0 {
        found.throughput *= 1.0 - service.errors;
    }
    Ok(found)
}

fn found(form: String, service: &Service, means: Means, quantiles: Option<[f64; 3]>) -> Exact {
    Exact {
        form,
        services: vec![(service.name.clone(), means)],
        throughput: means.throughput,
        response: means.response,
        quantiles,
        classes: Vec::new(),
    }
}

fn closed(traffic: &Traffic<'_>, service: &Service, users: u64, think: f64) -> Result<Exact, Why> {
    let not = |what: &str| Err(Why::Assumption(format!("service {} {what}", service.name)));
    if !is_exponential(service) {
        return not("is not exponential");
    }
    if !has_one_line(service) {
        return not("has several queues in a closed model");
    }
    if traffic.can_refuse(service) {
        return Err(Why::Assumption(format!(
            "the queue of service {} is limited",
            service.name
        )));
    }
    let servers = service.servers();
    let away = think + traffic.network();
    let station = ClosedStation::new(users, away, servers, service.time.mean() / 1e9)?;
    let quantiles =
        (servers <= MANY_SERVERS).then(|| QUANTILES.map(|p| station.response_quantile(p)));
    let form = format!("M/M/{servers}//{users}");
    Ok(found(form, service, station.means, quantiles))
}

/// Poisson arrivals.
fn poisson(rate: f64, service: &Service) -> Result<Exact, Why> {
    let seconds = service.time.mean() / 1e9;
    let servers = service.servers();
    if !has_one_line(service) {
        return split(rate, service);
    }
    if service.queue_limit == Some(0) && !is_exponential(service) {
        // Only the mean of the service time matters (Sevastyanov 1957).
        let lost = ErlangLoss::new(servers, rate, seconds)?;
        let form = format!("M/G/{servers}/{servers}");
        return Ok(found(form, service, lost.means, None));
    }
    if let Some(limit) = service.queue_limit {
        require_exponential(service, "and its queue is limited")?;
        let capacity = servers + u64::from(limit);
        let queue = FiniteQueue::new(servers, capacity, rate, seconds)?;
        let few = servers <= MANY_SERVERS;
        let quantiles = few.then(|| QUANTILES.map(|p| queue.response_quantile(p)));
        let form = format!("M/M/{servers}/{capacity}");
        return Ok(found(form, service, queue.means, quantiles));
    }
    if !is_exponential(service) {
        return general(rate, servers, service);
    }
    let queue = MultiServer::new(servers, rate, seconds)?;
    let quantiles = QUANTILES.map(|p| queue.response_quantile(p));
    let form = format!("M/M/{servers}");
    Ok(found(form, service, queue.means, Some(quantiles)))
}

fn require_exponential(service: &Service, and: &str) -> Result<(), Why> {
    if is_exponential(service) {
        return Ok(());
    }
    Err(Why::Assumption(format!(
        "service {} is not exponential {and}",
        service.name
    )))
}

/// Members with lines of their own under random dispatch.
fn split(rate: f64, service: &Service) -> Result<Exact, Why> {
    if service.dispatch != Dispatch::Random {
        return Err(Why::Assumption(format!(
            "service {} prefers its least loaded member",
            service.name
        )));
    }
    if service.queue_limit.is_some() {
        return Err(Why::Assumption(format!(
            "the queues of service {} are limited",
            service.name
        )));
    }
    let (members, workers) = (service.lines(), service.fewest_workers_of_a_line());
    if !is_exponential(service) {
        let member = general(rate / f64::from(members), workers, service)?;
        return Ok(times(members, member));
    }
    let seconds = service.time.mean() / 1e9;
    let queues = SplitQueues::new(u64::from(members), workers, rate, seconds)?;
    let quantiles = QUANTILES.map(|p| queues.member.response_quantile(p));
    let form = format!("{members} × M/M/{workers}");
    Ok(found(form, service, queues.means, Some(quantiles)))
}

/// Poisson arrivals at one line with service of any kind.
fn general(rate: f64, servers: u64, service: &Service) -> Result<Exact, Why> {
    if servers != 1 {
        require_exponential(service, "and has several workers")?;
    }
    let seconds = service.time.mean() / 1e9;
    if service.time.family() == Family::Constant {
        let queue = DeterministicService::new(rate, seconds)?;
        let quantiles = QUANTILES.map(|p| queue.response_quantile(p));
        let form = "M/D/1".to_owned();
        return Ok(found(form, service, queue.means, Some(quantiles)));
    }
    let queue = GeneralService::new(rate, seconds, service.time.scv())?;
    let phases = service.time.phases().map(|phases| match phases {
        Phases::Series { count, .. } => {
            let queue = PhaseService::erlang(rate, count, seconds);
            (format!("M/E{count}/1"), queue)
        }
        Phases::Branches(branches) => {
            let branches: Vec<(f64, f64)> =
                branches.iter().map(|(p, mean)| (*p, mean / 1e9)).collect();
            let form = format!("M/H{}/1", branches.len());
            (form, PhaseService::hyperexponential(rate, &branches))
        }
    });
    // Where there are too many phases the means remain.
    let (form, quantiles) = match phases {
        Some((form, Ok(queue))) => (form, Some(QUANTILES.map(|p| queue.response_quantile(p)))),
        _ => ("M/G/1".to_owned(), None),
    };
    Ok(found(form, service, queue.means, quantiles))
}

/// Independent inter-arrival times of any kind at one exponential worker.
fn renewal(interarrival: &Dist, service: &Service) -> Result<Exact, Why> {
    require_exponential(service, "and arrivals are not Poisson")?;
    if service.servers() != 1 || service.queue_limit.is_some() {
        let name = &service.name;
        return Err(Why::Assumption(format!(
            "arrivals are not Poisson and service {name} is not a single worker with an unlimited queue"
        )));
    }
    let queue = GeneralArrivals::new(interarrival, service.time.mean() / 1e9)?;
    let quantiles = QUANTILES.map(|p| queue.response_quantile(p));
    let form = "GI/M/1".to_owned();
    Ok(found(form, service, queue.means, Some(quantiles)))
}
