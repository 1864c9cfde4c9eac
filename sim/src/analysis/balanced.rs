//! Balanced job bounds of closed networks, which hold besides the closed form.

use crate::analysis::assumptions::{Scope, broken};
use crate::analysis::network_forms::{MOST_MEMBERS, stations};
use crate::analysis::traffic::Traffic;
use crate::model::Model;
use crate::theory::{ClosedBounds, Demand};

/// Balanced job bounds (Zahorjan, Sevcik, Eager and Galler 1982) of a closed model: what a network of the same total
/// demand carries when its stations differ as much as they can, and when they do not differ at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balanced {
    /// The least and the most requests per second that end as `ok`.
    pub throughput: (f64, f64),
    /// The least and the largest mean response time in seconds, network included; `None` where requests can fail,
    /// since they are bounds on all of them.
    pub response: Option<(f64, f64)>,
}

/// The bounds of a model, where they hold: one closed client at several stations, each with one worker or with a worker
/// for every user, to which the assumptions of closed networks apply.
pub fn balanced(model: &Model) -> Option<Balanced> {
    let traffic = Traffic::new(model);
    let (users, think) = traffic.closed()?;
    let scopes = [Scope::Any, Scope::Lines, Scope::Network];
    if scopes
        .iter()
        .any(|scope| broken(&traffic, *scope).is_some())
    {
        return None;
    }
    let route = &traffic.routes[0];
    let mut away = think + traffic.network() + route.delay;
    let mut demands = Vec::new();
    for (at, service) in traffic.visited() {
        let seconds = route.before_reply[at] * service.time.mean() / 1e9;
        let (count, servers) = stations(service);
        if count > MOST_MEMBERS {
            return None;
        }
        match traffic.never_waits(service) {
            // Where nobody waits there is a delay.
            true => away += seconds,
            false => demands.extend((0..count).map(|_| Demand {
                seconds: seconds / count as f64,
                servers,
            })),
        }
    }
    // Of a single station the form says all.
    if demands.len() < 2 {
        return None;
    }
    let users = users as f64;
    let bounds = ClosedBounds::new(&demands, away).ok()?;
    let (least, most) = bounds.balanced_throughput(users)?;
    let succeeds = route.ok > 1.0 - 1e-12;
    Some(Balanced {
        throughput: (least * route.ok, most * route.ok),
        // The interactive response time law, a consequence of Little's.
        response: succeeds.then(|| (users / most - think, users / least - think)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::exact;
    use crate::spec;

    fn model(client: &str, services: &str) -> Model {
        let text = format!(
            "{{blis: 1, name: t, run: {{horizon: 1s}}, clients: {{c: {{{client}, do: do}}}},\n \
             actions: {{do: {{path: [{{visit: a}}, {{visit: b}}, {{visit: b}}, {{delay: 6ms}}, reply]}}}},\n \
             services: {{{services}}}, network: {{one_way: 1ms}}}}"
        );
        let read = spec::read(&text).expect("the spec is well-formed");
        spec::lower(&read).expect("the spec is sound").model
    }

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    }

    const TWO: &str = "a: {workers: 1, time: {exponential: {mean: 10ms}}}, \
                       b: {workers: 1, time: {exponential: {mean: 3ms}}}";

    #[test]
    fn the_bounds_are_those_of_the_formula_and_hold_the_exact_figure_between_them() {
        let model = model("concurrency: 5, think: 92ms", TWO);
        let found = balanced(&model).expect("a closed network");
        // Total demand 16 ms, the largest 10 ms, the average 8 ms; 100 ms elsewhere.
        let least = 5.0 / (0.116 + 4.0 * 0.01 / (1.0 + 0.1 / (5.0 * 0.016)));
        let most = 5.0 / (0.116 + 4.0 * 0.008 / (1.0 + 0.1 / 0.016));
        near(found.throughput.0, least);
        near(found.throughput.1, most);
        let response = found.response.expect("nothing fails");
        near(response.0, 5.0 / most - 0.092);
        near(response.1, 5.0 / least - 0.092);
        let exact = exact(&model).expect("a closed network");
        assert!(least < exact.throughput && exact.throughput < most);
        assert!(response.0 < exact.response && exact.response < response.1);
    }

    #[test]
    fn many_users_fill_the_slowest_station() {
        let model = model("concurrency: 500", TWO);
        let found = balanced(&model).expect("a closed network");
        near(found.throughput.1, 100.0);
    }

    #[test]
    fn members_are_stations_and_a_worker_for_everybody_is_a_delay() {
        let members = "a: {workers: 1, members: 2, dispatch: random, time: {exponential: {mean: 20ms}}}, \
                       b: {workers: 5, time: 3ms}";
        let found = balanced(&model("concurrency: 5, think: 86ms", members)).expect("stations");
        let (least, most) = found.throughput;
        near(
            least,
            5.0 / (0.12 + 4.0 * 0.01 / (1.0 + 0.1 / (5.0 * 0.02))),
        );
        near(most, 5.0 / (0.12 + 4.0 * 0.01 / (1.0 + 0.1 / 0.02)));
    }

    #[test]
    fn failures_leave_the_throughput_of_what_succeeds() {
        let failing = TWO.replace(
            "{workers: 1, time: {exp",
            "{workers: 1, errors: 10%, time: {exp",
        );
        let found = balanced(&model("concurrency: 500", &failing)).expect("a closed network");
        near(found.throughput.1, 100.0 * 0.9 * 0.9 * 0.9);
        assert_eq!(found.response, None);
    }

    #[test]
    fn where_they_do_not_hold_there_are_none() {
        let none =
            |client: &str, services: &str| assert_eq!(balanced(&model(client, services)), None);
        none("rate: 1/s", TWO);
        none(
            "concurrency: 5",
            &TWO.replacen("workers: 1", "workers: 2", 1),
        );
        none(
            "concurrency: 5",
            &TWO.replace("{exponential: {mean: 3ms}}", "3ms"),
        );
        none(
            "concurrency: 5",
            &TWO.replace("3ms}}", "3ms}}, queue: {limit: 1}"),
        );
        none(
            "concurrency: 5",
            "a: {workers: 1, time: {exponential: {mean: 9ms}}}, b: {workers: 5, time: 3ms}",
        );
    }
}
