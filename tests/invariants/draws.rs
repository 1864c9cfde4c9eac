//! Keyed draws: what a request demands depends on who sent it and on nothing else, so that variants of a spec meet
//! common random numbers.

use std::collections::{HashMap, HashSet};

use blis_sim::event::{Outcome, SessionEnd, VisitStep};
use blis_sim::model::ClientId;
use blis_sim::time::{Span, Time};
use proptest::prelude::*;

use crate::cases;
use crate::links_book::{Demand, LinksBook, RequestKey};
use crate::record::{Kept, Run, run};
use crate::specs::{Plan, Scope, plan};

/// What a run drew, by names: nothing of it may change when an entity is added.
#[derive(Default)]
struct Draws {
    actions: HashMap<RequestKey, String>,
    demands: HashMap<RequestKey, Vec<Demand>>,
    /// From the end of a request to the next one of the same user.
    thinks: HashMap<RequestKey, Span>,
    /// When the first request of an open client's session was intended.
    arrivals: HashMap<RequestKey, Time>,
    /// Rounds of the sessions that were completed.
    rounds: HashMap<(String, u64), u64>,
}

fn draws(run: &Run) -> Draws {
    let mut draws = Draws::default();
    let mut links =
        LinksBook::new(&run.model).expect("the events tell which visit belongs to which request");
    let mut ended: HashMap<(ClientId, u64), (RequestKey, Time)> = HashMap::new();
    let mut last_done = None;
    for (at, event) in &run.events {
        links.event(*at, event);
        match event {
            Kept::Intended(request) => {
                let (key, user) = (links.key(request), (request.client, request.user_number));
                let action = run.model.actions[request.action.index()].name.clone();
                draws.actions.insert(key.clone(), action);
                match ended.remove(&user) {
                    Some((before, end)) => {
                        draws.thinks.insert(before, at.since(end));
                    }
                    None => {
                        draws.arrivals.insert(key, *at);
                    }
                }
            }
            Kept::Done { request, .. } => {
                ended.insert(
                    (request.client, request.user_number),
                    (links.key(request), *at),
                );
                last_done = Some(*request);
            }
            Kept::SessionEnded(client, SessionEnd::Completed) => {
                let request = last_done.expect("a session is completed by the end of a request");
                let name = run.model.clients[client.index()].name.clone();
                draws
                    .rounds
                    .insert((name, request.user_number), request.number + 1);
            }
            _ => {}
        }
    }
    draws.demands = links.demands;
    draws
}

/// What both maps know must be the same; gives how much that is.
fn same<K: std::hash::Hash + Eq + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    before: &HashMap<K, V>,
    after: &HashMap<K, V>,
) -> usize {
    let common = before
        .iter()
        .filter_map(|(key, value)| Some((key, value, after.get(key)?)));
    common
        .map(|(key, before, after)| assert_eq!(before, after, "{key:?}"))
        .count()
}

/// The same demands as far as both got: a visit that one run cut off is missing there.
fn same_demands(
    before: &HashMap<RequestKey, Vec<Demand>>,
    after: &HashMap<RequestKey, Vec<Demand>>,
) -> usize {
    let common = before
        .iter()
        .filter_map(|(key, demands)| Some((key, demands, after.get(key)?)));
    let mut count = 0;
    for (key, before, after) in common {
        let both = before.len().min(after.len());
        assert_eq!(before[..both], after[..both], "{key:?}");
        count += both;
    }
    count
}

/// The plan with a client, an action and a service more, before those that were there.
fn with_more(plan: &Plan) -> Plan {
    let mut more = plan.clone();
    more.clients.insert(
        0,
        "b: {rate: 300/s, session: {rounds: 3, think: 1ms}, do: {b: 1, a0: 1}}".to_owned(),
    );
    more.actions
        .insert(0, "b: {path: [{visit: b}, {visit: s0}, reply]}".to_owned());
    more.services.insert(
        0,
        "b: {workers: 1, time: {exponential: {mean: 1ms}}, errors: 20%}".to_owned(),
    );
    more
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn an_added_entity_leaves_all_other_draws_as_they_were(plan in plan(Scope::Independent)) {
        let before = draws(&run(&plan.text()));
        let after = draws(&run(&with_more(&plan).text()));
        let actions = same(&before.actions, &after.actions);
        prop_assert!(actions > 0 || before.actions.is_empty());
        same(&before.arrivals, &after.arrivals);
        same(&before.thinks, &after.thinks);
        same(&before.rounds, &after.rounds);
        same_demands(&before.demands, &after.demands);
    }
}

/// Response times of a spec in which nobody ever waits: sums of draws of the network, delays, branches and services.
fn responses(more: [&str; 3]) -> HashMap<RequestKey, (String, Span, Outcome)> {
    let [clients, actions, services] = more;
    let text = format!(
        "
blis: 1
name: roomy
seed: 3
run: {{horizon: 200ms}}
clients:{clients}
  users: {{concurrency: 20, think: {{exponential: {{mean: 5ms}}}}, do: {{ask: 1, tell: 2}}}}
actions:{actions}
  ask:
    path:
      - branch:
          - {{weight: 1, path: [{{delay: {{exponential: {{mean: 1ms}}}}}}]}}
          - {{weight: 1, path: [{{visit: api}}, {{visit: api}}]}}
      - delay: {{uniform: {{min: 0s, max: 3ms}}}}
      - reply
  tell: {{path: [{{visit: group}}, {{delay: {{exponential: {{mean: 1ms}}}}}}, reply]}}
services:{services}
  api: {{workers: 1000, time: {{exponential: {{mean: 2ms}}}}, errors: 20%}}
  group: {{workers: 1000, members: 3, time: {{lognormal: {{mean: 2ms, cv: 1}}}}}}
network: {{one_way: {{exponential: {{mean: 1ms}}}}}}
"
    );
    let run = run(&text);
    let ends = run.ends().map(|(at, request, outcome)| {
        let client = run.model.clients[request.client.index()].name.clone();
        let action = run.model.actions[request.action.index()].name.clone();
        let key = (client, request.user_number, request.number, request.attempt);
        (key, (action, at.since(request.intended), outcome))
    });
    ends.collect()
}

#[test]
fn responses_without_waiting_are_the_same_beside_other_entities() {
    let before = responses(["", "", ""]);
    assert!(before.len() > 300);
    let after = responses([
        "\n  others: {rate: 500/s, do: {tell: 1, other: 1}}",
        "\n  other: {path: [{visit: other}, {visit: api}, reply]}",
        "\n  other: {workers: 1, time: 1ms}",
    ]);
    assert_eq!(same(&before, &after), before.len());
}

/// The times of all completed visits of a run.
fn served(run: &Run) -> Vec<Span> {
    let completed = |event: &Kept| match event {
        Kept::Visit {
            step: VisitStep::Completed { served, .. },
            ..
        } => Some(*served),
        _ => None,
    };
    run.events
        .iter()
        .filter_map(|(_, event)| completed(event))
        .collect()
}

/// Every client, user, request, try, visit, service and seed has a draw of its own.
#[test]
fn no_two_visits_share_a_service_time() {
    let spec = |seed: u64, path: &str| {
        format!(
            "
blis: 1
name: distinct
seed: {seed}
run: {{requests: 1000}}
clients:
  users: {{concurrency: 20, think: 5ms, do: ask, on_failure: {{retry: {{times: 3}}}}}}
  others: {{concurrency: 20, think: 5ms, do: ask}}
actions:
  ask: {{path: [{path}, {{fail: app_error}}]}}
services:
  a: {{workers: 100, time: {{exponential: {{mean: 1s}}}}}}
  b: {{workers: 100, time: {{exponential: {{mean: 1s}}}}}}
"
        )
    };
    let paths = ["{visit: a}, {visit: a}", "{visit: b}, {visit: b}"];
    let runs = paths.map(|path| [1, 2].map(|seed| served(&run(&spec(seed, path)))));
    let all: Vec<Span> = runs.into_iter().flatten().flatten().collect();
    assert!(all.len() > 7500);
    // Times of a second in nanoseconds: a chance tie of two among so many is an event of about two in a hundred.
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

/// A retry has its own chance.
#[test]
fn a_retry_does_not_repeat_the_error_of_the_try_before() {
    let text = "
blis: 1
name: chances
run: {requests: 4000}
clients:
  users: {concurrency: 20, think: 5ms, do: ask, on_failure: {retry: {times: 1}}}
actions:
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 100, time: 1ms, errors: 50%}
";
    let run = run(text);
    let (mut retries, mut ok) = (0u32, 0);
    for (_, request, outcome) in run.ends().filter(|(_, request, _)| request.attempt > 0) {
        retries += u32::from(request.attempt);
        ok += u32::from(outcome == Outcome::Ok);
    }
    // Ten standard deviations to either side of a half.
    let spread = 5.0 * f64::from(retries).sqrt();
    assert!(retries > 1000);
    assert!(
        (f64::from(ok) - f64::from(retries) / 2.0).abs() < spread,
        "{ok} of {retries} retries"
    );
}
