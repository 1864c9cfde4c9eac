//! The closed form of a model, or why none applies.

use crate::analysis::assumptions::{Scope, broken};
use crate::analysis::closed_form::{Exact, Why};
use crate::analysis::network_forms::network;
use crate::analysis::station_forms::{single_station, station};
use crate::analysis::traffic::Traffic;
use crate::model::Model;

/// The closed form that applies to this model.
///
/// It describes the steady state of requests that do not time out; a run that starts empty and is short will
/// differ from it.
///
/// # Errors
/// The first assumption that does not hold, as the end of "no closed form applies: ...".
pub fn exact(model: &Model) -> Result<Exact, String> {
    let traffic = Traffic::new(model);
    if let Some(why) = broken(&traffic, Scope::Any) {
        return Err(why);
    }
    let as_network = || {
        let why = broken(&traffic, Scope::Lines).or_else(|| broken(&traffic, Scope::Network));
        why.map_or_else(|| network(&traffic), |why| Err(Why::Assumption(why)))
    };
    let mut found = match single_station(&traffic) {
        None => as_network(),
        // The queue of a single service is also a network of one, or of its members.
        Some(service) => station(&traffic, service).or_else(|why| as_network().map_err(|_| why)),
    }
    .map_err(|why| why.to_string())?;
    let network = traffic.network();
    found.response += network;
    found
        .classes
        .iter_mut()
        .for_each(|(_, response)| *response += network);
    found.quantiles = match traffic.network_is_constant() {
        true => found.quantiles.map(|all| all.map(|q| q + network)),
        // The quantile of a sum is not one of quantiles.
        false => None,
    };
    Ok(found)
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
            "failed requests are retried"
        );
        for on_timeout in [", on_timeout: leave", ", on_timeout: abandon"] {
            let why = refused(", timeout: 5s", on_timeout);
            let same = "after a constant time that is not exponential";
            assert_eq!(
                why,
                format!("work leaves service s when its client gives up, {same}")
            );
        }
        assert!(refused(", arrival: constant", ", queue: {limit: 3}").contains("not Poisson"));
    }

    #[test]
    fn other_orders_have_forms_of_their_own() {
        let shared = |limit: &str| format!(", queue: {{order: {limit}}}");
        let found = found_for("", &shared("shared")).expect("processor sharing");
        assert_eq!(found.form, "M/M/1 with processor sharing");
        near(found.response, 0.02);
        assert_eq!(found.services[0].1.queue, 0.0);
        let why = found_for("", &shared("{shared: {limit: 2}}")).expect_err("limited sharing");
        assert_eq!(why, "service s is shared by a limited number");
        let why = found_for(", timeout: 1s", &shared("deadline")).expect_err("deadlines");
        assert_eq!(why, "service s does not serve first come, first served");
        let loss = found_for("", ", members: 1, queue: {limit: 0}").expect("a loss system");
        assert_eq!(loss.form, "M/M/1/1");
    }

    #[test]
    fn lengths_of_their_own_are_known_to_sharing_alone() {
        let paths = "do: {path: [{visit: s}, reply]}, more: {path: [{visit: {service: s, time: 20ms}}, reply]}";
        let clients = "u: {rate: 20/s, do: {do: 3, more: 1}}";
        let found = |order: &str| {
            let service = format!("s: {{workers: 1, time: 10ms, queue: {{order: {order}}}}}");
            network_of(clients, paths, &service)
        };
        let shared = found("shared").expect("processor sharing");
        // A load of 15 times 10 ms and 5 times 20 ms.
        near(shared.response, 0.0125 / 0.75);
        near(shared.classes[1].1, 0.02 / 0.75);
        let own = Err("a visit of action more has its own service time".to_owned());
        assert_eq!(found("fifo"), own);
        let classes = clients.replace("rate", "class: urgent, rate");
        let service =
            "s: {workers: 1, time: 10ms, queue: {order: {priority: {classes: [urgent]}}}}";
        assert_eq!(network_of(&classes, paths, service), own);
    }

    #[test]
    fn priorities_tell_their_classes() {
        let clients = "u: {rate: 30/s, class: urgent, do: do}, v: {rate: 20/s, do: do}, w: {rate: 10/s, class: usual, do: do}";
        let path = "do: {path: [{visit: s}, reply]}";
        let service = |preempt: bool, more: &str| {
            format!(
                "s: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}, \
                 queue: {{order: {{priority: {{classes: [urgent, usual], preempt: {preempt}{more}}}}}}}}}"
            )
        };
        let found = network_of(clients, path, &service(true, "")).expect("priorities");
        assert_eq!(found.form, "M/M/1 with preemptive-resume priorities");
        let names: Vec<&str> = found
            .classes
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["urgent", "usual", "no class"]);
        // Alone with its like, and with all that are not less urgent.
        near(found.classes[0].1, 0.01 / (1.0 - 0.3));
        near(found.classes[1].1, 0.01 / ((1.0 - 0.3) * (1.0 - 0.4)));
        near(found.classes[2].1, 0.01 / ((1.0 - 0.4) * (1.0 - 0.6)));
        // Exponential times: all together are M/M/1 in any order.
        near(found.response, 0.01 / (1.0 - 0.6));
        let found = network_of(clients, path, &service(false, "")).expect("priorities");
        assert_eq!(found.form, "M/M/1 with non-preemptive priorities");
        near(found.classes[0].1, 0.01 + 0.006 / 0.7);
        near(found.response, 0.01 / (1.0 - 0.6));
        let why = network_of(clients, path, &service(false, ", ageing: 1s")).expect_err("ageing");
        assert_eq!(why, "service s lets requests age");
        let members = service(false, "").replace("workers: 1", "workers: 1, members: 2");
        let found = network_of(clients, path, &members).expect("two lines");
        assert_eq!(found.form, "2 × M/M/1 with non-preemptive priorities");
        near(found.throughput, 60.0);
        near(found.response, 0.01 / (1.0 - 0.3));
    }

    /// What is found for a spec with these clients, paths by action and services.
    fn network_of(clients: &str, actions: &str, services: &str) -> Result<Exact, String> {
        let text = format!(
            "{{blis: 1, name: t, run: {{horizon: 1s}}, clients: {{{clients}}}, actions: {{{actions}}},\n \
             services: {{{services}}}}}"
        );
        let read = spec::read(&text).expect("the spec is well-formed");
        exact(&spec::lower(&read).expect("the spec is sound").model)
    }

    const TWO: &str = "a: {workers: 1, time: {exponential: {mean: 10ms}}}, \
                       b: {workers: 1, time: {exponential: {mean: 4ms}}}";
    const IN_SERIES: &str = "do: {path: [{visit: a}, {visit: b}, reply]}";

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn errors_take_from_the_throughput_alone() {
        let plain = found_for("", "").expect("M/M/1");
        let failing = found_for("", ", errors: 10%").expect("M/M/1");
        near(failing.throughput, 0.9 * plain.throughput);
        assert_eq!(
            (failing.response, failing.quantiles),
            (plain.response, plain.quantiles)
        );
    }

    #[test]
    fn stations_in_series_have_quantiles() {
        let found = network_of("c: {rate: 50/s, do: do}", IN_SERIES, TWO).expect("a network");
        assert_eq!(found.form, "open Jackson network, 2 services");
        // Rates 50 and 200 of the two responses.
        near(found.response, 1.0 / 50.0 + 1.0 / 200.0);
        let median = found.quantiles.expect("a series")[0];
        let tail = (200.0 * (-50.0 * median).exp() - 50.0 * (-200.0 * median).exp()) / 150.0;
        near(tail, 0.5);
        // Where a request may be overtaken, the mean remains.
        let twice = "do: {path: [{visit: a}, {visit: b}, reply, {visit: a}]}";
        let found = network_of("c: {rate: 40/s, do: do}", twice, TWO).expect("a network");
        near(found.services[0].1.utilisation, 0.8);
        assert_eq!(found.quantiles, None);
    }

    #[test]
    fn ways_are_mixed_by_their_shares() {
        let ways = "x: {path: [{visit: a}, reply]}, y: {path: [{delay: 3ms}, {visit: b}, reply]}";
        let clients = "c: {rate: 80/s, do: {x: 1, y: 3}}";
        let found = network_of(clients, ways, TWO).expect("a network");
        let (a, b) = (1.0 / (100.0 - 20.0), 1.0 / (250.0 - 60.0));
        near(found.response, 0.25 * a + 0.75 * (b + 0.003));
        let p99 = found.quantiles.expect("one visit on each way")[2];
        near(
            0.25 * (-p99 / a).exp() + 0.75 * (-(p99 - 0.003) / b).exp(),
            0.01,
        );
    }

    #[test]
    fn branches_failures_and_sessions_are_followed() {
        // Three quarters visit b; of those a third fails after it.
        let path = "do: {path: [{visit: a}, {branch: [{weight: 1, path: []}, {weight: 2, path: [{visit: b}]}, \
                    {weight: 1, path: [{visit: b}, {fail: app_error}]}]}, reply, {visit: b}]}";
        let found = network_of("c: {rate: 40/s, do: do}", path, TWO).expect("a network");
        near(found.throughput, 30.0);
        // b: 40 * 3/4 before the reply, 30 after it.
        near(found.services[1].1.throughput, 60.0);
        let (a, b) = (1.0 / (100.0 - 40.0), 1.0 / (250.0 - 60.0));
        near(found.response, a + b * 0.5 / 0.75);
        let session =
            "c: {rate: 10/s, session: {rounds: 4, think: {lognormal: {mean: 1s, cv: 2}}}, do: do}";
        let found = network_of(session, IN_SERIES, TWO).expect("a network");
        near(found.throughput, 40.0);
        near(found.response, a + 1.0 / (250.0 - 40.0));
        assert_eq!(found.quantiles, None);
        let why = network_of(session, path, TWO).expect_err("sessions end early");
        assert_eq!(why, "a failure ends a session of client c");
    }

    /// Against an independent form: members drawn at random in a closed model, and stations for everybody.
    #[test]
    fn closed_networks_are_solved() {
        let clients = "c: {concurrency: 6, think: 50ms, do: do}";
        let found = network_of(clients, IN_SERIES, TWO).expect("a network");
        assert_eq!(found.form, "closed network, 2 services, 6 users");
        // Mean value analysis by hand.
        let (mut a, mut b, mut throughput) = (0.0, 0.0, 0.0);
        for n in 1..=6 {
            let (at_a, at_b) = (0.01 * (1.0 + a), 0.004 * (1.0 + b));
            throughput = f64::from(n) / (0.05 + at_a + at_b);
            (a, b) = (throughput * at_a, throughput * at_b);
        }
        near(found.throughput, throughput);
        near(found.response, (a + b) / throughput);
        near(found.services[0].1.in_system, a);
        let members = "a: {members: 2, workers: 1, time: {exponential: {mean: 10ms}}}";
        let one_visit = "do: {path: [{visit: a}, reply]}";
        let split = network_of(clients, one_visit, members).expect("a network");
        let (mut present, mut throughput) = (0.0, 0.0);
        for n in 1..=6 {
            let time = 0.01 * (1.0 + present);
            throughput = f64::from(n) / (0.05 + time);
            present = throughput * time / 2.0;
        }
        near(split.throughput, throughput);
        near(split.services[0].1.in_system, 2.0 * present);
        near(split.response, 2.0 * present / throughput);
        // A worker for everybody: any distribution, and nobody waits.
        let idle = "a: {workers: 6, time: {lognormal: {mean: 10ms, cv: 3}}}";
        let found = network_of(clients, one_visit, idle).expect("a delay");
        near(found.throughput, 100.0);
        near(found.response, 0.01);
        // Two visits of the same queue in a round.
        let twice = "do: {path: [{visit: a}, {delay: 5ms}, {visit: a}, reply]}";
        let one = "a: {workers: 1, time: {exponential: {mean: 10ms}}}";
        let found = network_of(clients, twice, one).expect("a station");
        assert_eq!(found.form, "M/M/1//6");
        let (mut present, mut throughput) = (0.0, 0.0);
        for n in 1..=6 {
            let time = 0.02 * (1.0 + present);
            throughput = f64::from(n) / (0.055 + time);
            present = throughput * time;
        }
        near(found.throughput, throughput);
        near(found.response, present / throughput + 0.005);
        assert_eq!(found.quantiles, None);
    }

    #[test]
    fn a_network_says_what_it_lacks() {
        let why = |clients: &str, services: &str| {
            network_of(clients, IN_SERIES, services).expect_err("no form applies")
        };
        let constant =
            "a: {workers: 1, time: 10ms}, b: {workers: 1, time: {exponential: {mean: 4ms}}}";
        let open = "c: {rate: 50/s, do: do}";
        assert_eq!(why(open, constant), "service a is not exponential");
        assert_eq!(
            why("c: {rate: 50/s, arrival: constant, do: do}", TWO),
            "client c does not arrive as a Poisson process"
        );
        assert_eq!(
            why("c: {rate: 150/s, do: do}", TWO),
            "the offered load of service a is 1.50 of the capacity of its workers, so its queue grows without bound"
        );
        let limited = TWO.replace("workers: 1,", "workers: 1, queue: {limit: 3},");
        assert_eq!(why(open, &limited), "the queue of service a is limited");
        let closed = "c: {concurrency: 4, do: do}";
        assert!(network_of(closed, IN_SERIES, &limited).is_ok());
        let least = TWO.replace(
            "workers: 1,",
            "members: 3, workers: 1, dispatch: least_loaded,",
        );
        assert_eq!(
            why(open, &least),
            "service a prefers its least loaded member"
        );
        assert_eq!(
            why("c: {rate: 50/s, do: do}, d: {concurrency: 4, do: do}", TWO),
            "closed clients share the services with others"
        );
        let audited = "do: {path: [{visit: a}, reply, {visit: b}]}";
        assert_eq!(
            network_of(closed, audited, TWO).expect_err("forks"),
            "work at service b continues after the reply"
        );
        let lossy = TWO.replace("workers: 1,", "workers: 1, errors: 1%,");
        let retire = "c: {concurrency: 4, do: do, on_failure: {respawn: false}}";
        assert_eq!(
            why(retire, &lossy),
            "users of client c do not return after a failure"
        );
        assert!(network_of(retire, IN_SERIES, TWO).is_ok());
        let fails = "do: {path: [{visit: a}, {fail: app_error}]}";
        assert_eq!(
            network_of(open, fails, TWO).expect_err("no reply"),
            "no request ends as ok"
        );
    }
}
