//! Bounds and approximations, for models that no closed form applies to.

use crate::analysis::arrivals::{Arrivals, arrivals};
use crate::analysis::assumptions::{Scope, broken};
use crate::analysis::offered::Offered;
use crate::analysis::station_forms::single_station;
use crate::analysis::traffic::{Traffic, has_one_line, is_poisson};
use crate::model::{Dispatch, Model, Service, Source};
use crate::theory::{general_servers, kingman_bound};

/// What is known of a model without being exact.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimate {
    /// Limits that the steady state keeps to.
    Bounds(Bounds),
    /// A figure that is near the steady state.
    Approximation(Approximation),
}

/// Asymptotic bounds of a closed model (Denning and Buzen 1978; Muntz and Wong 1974): no request takes less than it does
/// when nothing has to wait, and no service does more than all its workers can. They hold for any distributions.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// The most requests per second that can end as `ok`.
    pub throughput_at_most: f64,
    /// The least mean response time in seconds, network included; `None` where requests can fail, since it is a bound
    /// on all of them.
    pub response_at_least: Option<f64>,
    /// N*, the number of users from which on some must wait.
    pub saturation_users: f64,
}

/// An approximation of an open model: each service as a queue by itself whose wait is that of exponential times, scaled
/// by the variability of arrivals and service (Allen 1978, after Cunneen).
#[derive(Debug, Clone, PartialEq)]
pub struct Approximation {
    /// What it is an approximation of.
    pub form: String,
    /// Mean response time in seconds, network included.
    pub response: f64,
    /// Where there is one: an upper bound on the mean response time in seconds (Kingman 1962).
    pub response_at_most: Option<f64>,
}

/// Bounds of a closed model, or an approximation of an open one.
///
/// `None` where their assumptions fail too: when failures are tried again, work leaves, queues are limited, members differ, users
/// are lost, or the offered load is more than the workers can do.
pub fn estimate(model: &Model, load: &Offered) -> Option<Estimate> {
    let traffic = Traffic::new(model);
    let uneven = traffic.visited().any(|(_, service)| !service.is_even());
    let refuses = traffic
        .visited()
        .any(|(_, service)| traffic.can_refuse(service));
    let fails = [Scope::Any, Scope::Lines]
        .into_iter()
        .any(|scope| broken(&traffic, scope).is_some());
    if fails || refuses || uneven {
        return None;
    }
    match traffic.closed() {
        Some((users, think)) => bounds(&traffic, load, users, think).map(Estimate::Bounds),
        None => approximation(&traffic, load).map(Estimate::Approximation),
    }
}

fn bounds(traffic: &Traffic<'_>, load: &Offered, users: u64, think: f64) -> Option<Bounds> {
    let capacity = load.capacity()?;
    let route = &traffic.routes[0];
    let unloaded = load.clients[0].unloaded_response;
    let users = users as f64;
    let succeeds = route.ok > 1.0 - 1e-12;
    Some(Bounds {
        throughput_at_most: capacity.min(users / (think + unloaded)) * route.ok,
        response_at_least: succeeds.then(|| unloaded.max(users / capacity - think)),
        saturation_users: capacity * (think + unloaded),
    })
}

fn approximation(traffic: &Traffic<'_>, load: &Offered) -> Option<Approximation> {
    let single = single_station(traffic);
    let poisson =
        |source: &Source| matches!(source, Source::Open { arrival, .. } if is_poisson(arrival));
    let clients = &traffic.model.clients;
    if let Some(service) = single
        && !clients.iter().all(|client| poisson(&client.source))
    {
        return renewal(traffic, service);
    }
    if !clients.iter().all(|client| poisson(&client.source)) {
        return None;
    }
    let mut responses = vec![f64::NAN; traffic.model.services.len()];
    for (at, service) in traffic.visited() {
        let (lines, servers) = lines(service)?;
        let rate = load.services[at].visits_per_second / lines;
        let (seconds, scv) = (service.time.mean() / 1e9, service.time.scv());
        responses[at] = match seconds {
            // No work, no wait.
            0.0 => 0.0,
            _ => {
                general_servers(servers, rate, 1.0, seconds, scv)
                    .ok()?
                    .response
            }
        };
    }
    let (mut response, mut throughput) = (0.0, 0.0);
    for (client, route) in traffic.clients() {
        let ok = Traffic::open_rate(client).unwrap_or(0.0) * route.ok;
        if ok > 0.0 {
            throughput += ok;
            response += ok * route.ok_response(|at| responses[at]);
        }
    }
    let form = match single {
        Some(service) => format!("M/G/{} at service {}", service.servers(), service.name),
        None => "every service as M/G/c under Poisson arrivals".to_owned(),
    };
    Some(Approximation {
        form,
        response: response / throughput + traffic.network(),
        response_at_most: None,
    })
}

/// One client with other than Poisson arrivals at one queue.
fn renewal(traffic: &Traffic<'_>, service: &Service) -> Option<Approximation> {
    let (rate, scv) = match arrivals(traffic).ok()? {
        Arrivals::Poisson { rate } => (rate, 1.0),
        Arrivals::General { interarrival } => (1e9 / interarrival.mean(), interarrival.scv()),
        Arrivals::Constant { rate } => (rate, 0.0),
    };
    if !has_one_line(service) {
        return None;
    }
    let servers = service.servers();
    let (seconds, service_scv) = (service.time.mean() / 1e9, service.time.scv());
    let means = general_servers(servers, rate, scv, seconds, service_scv).ok()?;
    let most = match servers {
        1 => kingman_bound(rate, scv, seconds, service_scv).ok(),
        _ => None,
    };
    Some(Approximation {
        form: format!("GI/G/{servers} at service {}", service.name),
        response: means.response + traffic.network(),
        response_at_most: most.map(|wait| wait + seconds + traffic.network()),
    })
}

/// How many equal queues a service has under Poisson arrivals, and the workers of each; `None` where queues depend on
/// each other.
fn lines(service: &Service) -> Option<(f64, u64)> {
    if has_one_line(service) {
        return Some((1.0, service.servers()));
    }
    (service.dispatch == Dispatch::Random).then(|| {
        let members = f64::from(service.lines());
        (members, service.fewest_workers_of_a_line())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::offered::offered;
    use crate::spec;

    fn estimated(clients: &str, services: &str) -> Option<Estimate> {
        let text = format!(
            "{{blis: 1, name: t, run: {{horizon: 1s}}, clients: {{{clients}}},\n \
             actions: {{do: {{path: [{{visit: a}}, reply]}}, on: {{path: [{{visit: a}}, {{visit: a}}, reply]}}}},\n \
             services: {{{services}}}, network: {{one_way: 1ms}}}}"
        );
        let read = spec::read(&text).expect("the spec is well-formed");
        let model = spec::lower(&read).expect("the spec is sound").model;
        estimate(&model, &offered(&model))
    }

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn closed_models_have_bounds() {
        let service = "a: {workers: 2, time: 10ms}";
        let Some(Estimate::Bounds(few)) =
            estimated("c: {concurrency: 5, think: 88ms, do: do}", service)
        else {
            panic!("bounds");
        };
        near(few.throughput_at_most, 50.0);
        near(few.response_at_least.expect("nothing fails"), 0.012);
        near(few.saturation_users, 20.0);
        let Some(Estimate::Bounds(many)) =
            estimated("c: {concurrency: 40, think: 88ms, do: do}", service)
        else {
            panic!("bounds");
        };
        near(many.throughput_at_most, 200.0);
        near(many.response_at_least.expect("nothing fails"), 0.2 - 0.088);
        let Some(Estimate::Bounds(failing)) = estimated(
            "c: {concurrency: 40, think: 88ms, do: do}",
            "a: {workers: 2, time: 10ms, errors: 10%}",
        ) else {
            panic!("bounds");
        };
        near(failing.throughput_at_most, 180.0);
        assert_eq!(failing.response_at_least, None);
        let limited = "a: {workers: 2, time: 10ms, queue: {limit: 1}}";
        assert_eq!(estimated("c: {concurrency: 40, do: do}", limited), None);
        assert!(estimated("c: {concurrency: 3, do: do}", limited).is_some());
    }

    #[test]
    fn open_models_have_an_approximation() {
        let near_to = |clients: &str, services: &str| match estimated(clients, services) {
            Some(Estimate::Approximation(near)) => near,
            other => panic!("{other:?}"),
        };
        // M/D/1 exactly, where the form would be known.
        let found = near_to("c: {rate: 80/s, do: do}", "a: {workers: 1, time: 10ms}");
        near(found.response, 0.03 + 0.002);
        let found = near_to(
            "c: {rate: 80/s, arrival: {gamma: {cv: 2}}, do: do}",
            "a: {workers: 1, time: 10ms}",
        );
        assert_eq!(found.form, "GI/G/1 at service a");
        near(found.response, 0.04 * 4.0 / 2.0 + 0.01 + 0.002);
        near(
            found.response_at_most.expect("one worker"),
            80.0 * 4.0 / 6400.0 / 0.4 + 0.01 + 0.002,
        );
        // Two visits each.
        let found = near_to("c: {rate: 40/s, do: on}", "a: {workers: 1, time: 10ms}");
        near(found.response, 2.0 * 0.03 + 0.002);
        assert_eq!(found.form, "every service as M/G/c under Poisson arrivals");
        let found = near_to(
            "c: {rate: 160/s, do: do}",
            "a: {members: 2, workers: 1, time: 10ms}",
        );
        near(found.response, 0.03 + 0.002);
        assert_eq!(
            estimated("c: {rate: 101/s, do: do}", "a: {workers: 1, time: 10ms}"),
            None
        );
        assert_eq!(
            estimated(
                "c: {rate: 40/s, arrival: constant, do: on}",
                "a: {workers: 1, time: 10ms}"
            ),
            None
        );
    }
}
