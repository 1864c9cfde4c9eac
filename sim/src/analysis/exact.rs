//! The closed form that applies to a model, or why none does.

use crate::dist::{Dist, Family};
use crate::model::{Arrival, Client, Dispatch, Model, OnTimeout, Service, Source, Step};
use crate::theory::{
    ClosedStation, DeterministicService, FiniteQueue, GeneralArrivals, GeneralService, Means,
    MultiServer, SplitQueues, TheoryError,
};

/// The exact steady state of a model, where a closed form gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// The form in Kendall's notation.
    pub form: String,
    /// The service it is of.
    pub service: String,
    /// Means of the service.
    pub means: Means,
    /// Mean response time in seconds, network included.
    pub response: f64,
    /// Quantiles of the response time in seconds, where the form has them: median, p95, p99.
    pub quantiles: Option<[f64; 3]>,
}

/// The quantiles of [`Exact::quantiles`].
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// With more servers than this, quantiles of a line with room for others take longer than the answer is worth.
const MANY_SERVERS: u64 = 100_000;

/// The closed form that applies to this model.
///
/// It describes the steady state of requests that do not time out; a run that starts empty and is short will
/// differ from it.
///
/// # Errors
/// The first assumption that does not hold, as the end of "no closed form applies: ...".
pub fn exact(model: &Model) -> Result<Exact, String> {
    let service = single_station(model)?;
    if service.errors > 0.0 {
        return Err(format!("service {} injects errors", service.name));
    }
    if model
        .clients
        .iter()
        .any(|client| client.on_failure.retries > 0)
    {
        return Err("failed requests are tried again".to_owned());
    }
    let impatient = model.clients.iter().any(|client| client.timeout.is_some());
    if impatient && service.on_timeout != OnTimeout::Stay {
        return Err(format!(
            "work leaves service {} when its client gives up",
            service.name
        ));
    }
    let network = model
        .one_way
        .as_ref()
        .map_or(0.0, |one_way| 2.0 * one_way.mean() / 1e9);
    let mut found = match open_arrivals(model)? {
        Some(arrivals) => open(&arrivals, service).map_err(|why| because(&why))?,
        None => closed(model, service, network)?,
    };
    found.response += network;
    if network > 0.0 {
        // The network's part of a quantile is not a sum.
        found.quantiles = None;
    }
    Ok(found)
}

/// Why a form has no answer, or that it was not one to ask.
enum Why {
    Theory(TheoryError),
    Assumption(String),
}

impl From<TheoryError> for Why {
    fn from(error: TheoryError) -> Why {
        Why::Theory(error)
    }
}

fn because(why: &Why) -> String {
    match why {
        Why::Theory(TheoryError::Unstable { utilisation }) => format!(
            "the offered load is {utilisation:.2} of what the workers can do, so that the line grows without end"
        ),
        Why::Theory(error) => error.to_string(),
        Why::Assumption(assumption) => assumption.clone(),
    }
}

/// The one service, if every request visits just it and is answered then.
fn single_station(model: &Model) -> Result<&Service, String> {
    let used = |index: usize| {
        let mut shares = model.clients.iter().flat_map(|client| &client.mix.shares);
        shares.any(|(action, _)| action.index() == index)
    };
    let mut station = None;
    for (index, action) in model.actions.iter().enumerate() {
        if !used(index) {
            continue;
        }
        let path = &model.program[action.entry as usize..];
        let [Step::Visit(visited), Step::Reply, Step::End, ..] = path else {
            return Err(format!(
                "the path of action {} is more than one visit and a reply",
                action.name
            ));
        };
        if station.is_some_and(|station| station != *visited) {
            return Err("requests visit different services".to_owned());
        }
        station = Some(*visited);
    }
    let station = station.ok_or("no service is visited")?;
    Ok(&model.services[station.index()])
}

/// How an open model's requests arrive.
enum Arrivals<'a> {
    Poisson { rate: f64 },
    General { interarrival: &'a Dist },
    Constant { rate: f64 },
}

/// The arrivals if all clients are open, `None` if the one client is closed.
fn open_arrivals(model: &Model) -> Result<Option<Arrivals<'_>>, String> {
    if let [
        Client {
            source: Source::Closed { .. },
            ..
        },
    ] = model.clients.as_slice()
    {
        return Ok(None);
    }
    let mut poisson = 0.0;
    for client in &model.clients {
        let Source::Open {
            arrival,
            shape,
            session: None,
        } = &client.source
        else {
            return Err("clients are mixed or have sessions".to_owned());
        };
        if shape.is_some() || matches!(arrival, Arrival::Recorded(_)) {
            return Err(format!("the rate of client {} changes", client.name));
        }
        let members = client.population.get();
        let alone = members == 1 && model.clients.len() == 1;
        match arrival {
            Arrival::Renewal { interarrival } if interarrival.family() == Family::Exponential => {
                poisson += arrival.rate() * f64::from(members);
            }
            Arrival::Renewal { interarrival } if alone => {
                return Ok(Some(Arrivals::General { interarrival }));
            }
            Arrival::Constant { rate } if alone => {
                return Ok(Some(Arrivals::Constant { rate: *rate }));
            }
            _ => return Err("several clients arrive, and not all as Poisson processes".to_owned()),
        }
    }
    // Superposed Poisson processes are a Poisson process.
    Ok(Some(Arrivals::Poisson { rate: poisson }))
}

fn is_exponential(service: &Service) -> bool {
    service.time.family() == Family::Exponential
}

/// Whether all workers take from one line.
fn has_one_line(service: &Service) -> bool {
    service.members.get() == 1 || service.dispatch == Dispatch::Shared
}

fn found(form: String, service: &Service, means: Means, quantiles: Option<[f64; 3]>) -> Exact {
    Exact {
        form,
        service: service.name.clone(),
        response: means.response,
        means,
        quantiles,
    }
}

fn closed(model: &Model, service: &Service, network: f64) -> Result<Exact, String> {
    let [
        client @ Client {
            source: Source::Closed { think, .. },
            ..
        },
    ] = model.clients.as_slice()
    else {
        return Err("clients are mixed".to_owned());
    };
    if !is_exponential(service) {
        return Err(format!("service {} is not exponential", service.name));
    }
    if !has_one_line(service) {
        return Err(format!(
            "service {} has several lines in a closed model",
            service.name
        ));
    }
    let users = client.closed_users();
    let servers = service.servers();
    let room = service.queue_limit.map(|limit| servers + u64::from(limit));
    if room.is_some_and(|room| room < users) {
        return Err(format!("the line of service {} is limited", service.name));
    }
    let away = think.mean() / 1e9 + network;
    let station = ClosedStation::new(users, away, servers, service.time.mean() / 1e9)
        .map_err(|error| error.to_string())?;
    let quantiles =
        (servers <= MANY_SERVERS).then(|| QUANTILES.map(|p| station.response_quantile(p)));
    Ok(found(
        format!("M/M/{servers}//{users}"),
        service,
        station.means,
        quantiles,
    ))
}

fn open(arrivals: &Arrivals<'_>, service: &Service) -> Result<Exact, Why> {
    let seconds = service.time.mean() / 1e9;
    let servers = service.servers();
    match arrivals {
        Arrivals::Poisson { rate } if !has_one_line(service) => split(*rate, service),
        Arrivals::Poisson { rate } => match service.queue_limit {
            Some(limit) => {
                require_exponential(service, "and its line is limited")?;
                let capacity = servers + u64::from(limit);
                let queue = FiniteQueue::new(servers, capacity, *rate, seconds)?;
                let few = servers <= MANY_SERVERS;
                let quantiles = few.then(|| QUANTILES.map(|p| queue.response_quantile(p)));
                Ok(found(
                    format!("M/M/{servers}/{capacity}"),
                    service,
                    queue.means,
                    quantiles,
                ))
            }
            None if is_exponential(service) => {
                let queue = MultiServer::new(servers, *rate, seconds)?;
                let quantiles = QUANTILES.map(|p| queue.response_quantile(p));
                Ok(found(
                    format!("M/M/{servers}"),
                    service,
                    queue.means,
                    Some(quantiles),
                ))
            }
            None => general(*rate, servers, service),
        },
        Arrivals::General { interarrival } => renewal(interarrival, service),
        Arrivals::Constant { rate } => {
            let interarrival =
                Dist::constant(1e9 / rate).map_err(|error| Why::Assumption(error.to_string()))?;
            renewal(&interarrival, service)
        }
    }
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
            "the lines of service {} are limited",
            service.name
        )));
    }
    let (members, workers) = (service.members.get(), service.workers.get());
    if !is_exponential(service) {
        return general(rate / f64::from(members), u64::from(workers), service).map(|mut exact| {
            exact.form = format!("{members} × {}", exact.form);
            exact.means.throughput *= f64::from(members);
            exact.means.queue *= f64::from(members);
            exact.means.in_system *= f64::from(members);
            exact
        });
    }
    let seconds = service.time.mean() / 1e9;
    let queues = SplitQueues::new(u64::from(members), u64::from(workers), rate, seconds)?;
    let quantiles = QUANTILES.map(|p| queues.member.response_quantile(p));
    Ok(found(
        format!("{members} × M/M/{workers}"),
        service,
        queues.means,
        Some(quantiles),
    ))
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
        return Ok(found(
            "M/D/1".to_owned(),
            service,
            queue.means,
            Some(quantiles),
        ));
    }
    let queue = GeneralService::new(rate, seconds, service.time.scv())?;
    Ok(found("M/G/1".to_owned(), service, queue.means, None))
}

/// Independent inter-arrival times of any kind at one exponential worker.
fn renewal(interarrival: &Dist, service: &Service) -> Result<Exact, Why> {
    require_exponential(service, "and arrivals are not Poisson")?;
    if service.servers() != 1 || service.queue_limit.is_some() {
        let name = &service.name;
        return Err(Why::Assumption(format!(
            "arrivals are not Poisson and service {name} is more than one worker with an unlimited line"
        )));
    }
    let queue = GeneralArrivals::new(interarrival, service.time.mean() / 1e9)?;
    let quantiles = QUANTILES.map(|p| queue.response_quantile(p));
    Ok(found(
        "GI/M/1".to_owned(),
        service,
        queue.means,
        Some(quantiles),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    /// What is found for a spec of one open client at one service, each with these further keys.
    fn found_for(client: &str, service: &str) -> Result<Exact, String> {
        let text = format!(
            "{{blis: 1, name: t, run: {{horizon: 1s}},\n \
             clients: {{c: {{rate: 50/s, do: a{client}}}}},\n actions: {{a: {{path: [{{visit: s}}, reply]}}}},\n \
             services: {{s: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}{service}}}}}}}"
        );
        let read = spec::read(&text).expect("the spec is well-formed");
        exact(&spec::lower(&read).expect("the spec is sound").model)
    }

    #[test]
    fn a_form_is_only_given_where_its_assumptions_hold() {
        let form = |client, service| found_for(client, service).map(|exact| exact.form);
        assert_eq!(form("", ""), Ok("M/M/1".to_owned()));
        assert_eq!(form(", timeout: 5s", ""), Ok("M/M/1".to_owned()));
        assert_eq!(form("", ", queue: {limit: 3}"), Ok("M/M/1/4".to_owned()));
        let refused = |client, service| form(client, service).expect_err("no form applies");
        let retry = ", on_failure: {retry: {times: 1}}";
        assert_eq!(
            refused(retry, ", queue: {limit: 3}"),
            "failed requests are tried again"
        );
        for on_timeout in [", on_timeout: leave", ", on_timeout: abandon"] {
            let why = refused(", timeout: 5s", on_timeout);
            assert_eq!(why, "work leaves service s when its client gives up");
        }
        assert_eq!(refused("", ", errors: 1%"), "service s injects errors");
        assert!(refused(", arrival: constant", ", queue: {limit: 3}").contains("not Poisson"));
    }
}
