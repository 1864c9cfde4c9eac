//! Properties of runs of generated specs.

use std::collections::HashMap;

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Outcome, Request};
use blis_sim::measure::{Requests, Sessions};
use blis_sim::model::{ActionId, ClientId};
use blis_sim::time::Time;
use proptest::prelude::*;

use crate::cases;
use crate::lines_book::LinesBook;
use crate::links_book::LinksBook;
use crate::record::{Kept, Run, interrupted, model, run, run_model};
use crate::specs::{Scope, plan};
use crate::users_book::UsersBook;

/// Holds a run against all books.
fn check(run: &Run) {
    let mut users = UsersBook::new(&run.model);
    let mut lines = LinesBook::new(&run.model);
    let mut links = LinksBook::new(&run.model);
    for (index, (at, event)) in run.events.iter().enumerate() {
        users.event(*at, event);
        lines.event(*at, event, run.events.get(index + 1));
        if let Some(links) = &mut links {
            links.event(*at, event);
        }
    }
    users.close(run);
    lines.close(run);
    check_end(run);
    check_timeouts_come_last(run);
    check_counts(run);
    check_window(run);
    check_tries(run);
    check_in_flight(run);
}

/// All tries of a request, by the events of the tries.
struct Tried {
    action: ActionId,
    first: Time,
    last: u16,
    end: Option<(Time, Outcome)>,
    /// How the last try that was sent ended.
    sent: Option<Outcome>,
}

/// What users waited over all tries, from the tries, against what the users said and what was measured.
fn check_tries(run: &Run) {
    let mut tried: HashMap<(ClientId, u64, u64), Tried> = HashMap::new();
    let key = |request: &Request| (request.client, request.user_number, request.number);
    let mut settled = 0;
    let mut by_action: HashMap<ActionId, (Requests, u128, u64)> = HashMap::new();
    for (at, event) in &run.events {
        match event {
            Kept::Intended(request) => {
                let tries = tried.entry(key(request)).or_insert(Tried {
                    action: request.action,
                    first: *at,
                    last: 0,
                    end: None,
                    sent: None,
                });
                assert_eq!(
                    tries.action, request.action,
                    "another try asks for something else"
                );
                tries.last = request.attempt;
                tries.end = None;
            }
            Kept::Done {
                request, outcome, ..
            } => {
                let tries = tried.get_mut(&key(request)).unwrap();
                tries.end = Some((*at, *outcome));
                if *outcome != Outcome::Dropped {
                    tries.sent = Some(*outcome);
                }
            }
            Kept::Settled {
                request,
                first,
                outcome,
            } => {
                let tries = tried.remove(&key(request)).unwrap();
                let retries = run.model.clients[request.client.index()].on_failure.retries;
                assert!(retries > 0 && tries.last == request.attempt);
                assert_eq!(*first, tries.first);
                let (end, last) = tries.end.unwrap();
                let expected = match last {
                    Outcome::Ok | Outcome::Unresolved => last,
                    _ if tries.last == retries => tries.sent.unwrap_or(last),
                    _ => Outcome::Unresolved,
                };
                assert_eq!(*outcome, expected);
                assert!(end == *at || expected == Outcome::Unresolved);
                settled += 1;
                if *first >= run.model.limits.warmup {
                    let (requests, waited, made) = by_action.entry(request.action).or_default();
                    requests.intended += 1;
                    requests.end(expected);
                    *made += u64::from(tries.last) + 1;
                    if matches!(
                        expected,
                        Outcome::Ok | Outcome::TimedOut | Outcome::Unresolved
                    ) {
                        *waited += u128::from(at.since(*first).as_nanos());
                    }
                }
            }
            _ => {}
        }
    }
    // Who tries again hears of the end of everything; of the others nothing is said.
    let again = |client: ClientId| run.model.clients[client.index()].on_failure.retries > 0;
    assert!(tried.keys().all(|(client, _, _)| !again(*client)));
    for (key, tries) in &tried {
        let single = by_action.entry(tries.action).or_default();
        let (at, outcome) = tries.end.unwrap();
        assert_eq!(tries.last, 0, "{key:?}");
        if tries.first >= run.model.limits.warmup {
            single.0.intended += 1;
            single.0.end(outcome);
            single.2 += 1;
            if matches!(
                outcome,
                Outcome::Ok | Outcome::TimedOut | Outcome::Unresolved
            ) {
                single.1 += u128::from(at.since(tries.first).as_nanos());
            }
        }
    }
    for id in (0..run.model.actions.len() as u16).map(ActionId) {
        let Some(overall) = run.measure.overall(id) else {
            continue;
        };
        let (requests, waited, made) = by_action.get(&id).copied().unwrap_or_default();
        assert_eq!(overall.cell.window.requests, requests);
        assert_eq!(overall.cell.window.latencies.response().sum_nanos(), waited);
        assert_eq!(overall.tries, made);
    }
    assert_eq!(
        settled > 0,
        run.requests().any(|request| again(request.client))
    );
}

/// Why and when the run ended.
fn check_end(run: &Run) {
    let limits = run.model.limits;
    let load_ended = run.measure.load_end().unwrap();
    let budget = limits.requests.map(|budget| budget.get());
    assert_eq!(
        run.load_end == Some(LoadEnd::Budget),
        budget == Some(run.intended)
    );
    assert!(budget.is_none_or(|budget| run.intended <= budget));
    if run.load_end == Some(LoadEnd::Horizon) {
        assert_eq!(Some(load_ended), limits.horizon);
    }
    assert!(load_ended <= run.end && run.end <= load_ended + limits.drain);
    let cut = run.events.iter().any(|(_, event)| match event {
        Kept::Done { outcome, .. } => *outcome == Outcome::Unresolved,
        _ => false,
    });
    assert!(
        !cut || run.end == load_ended + limits.drain,
        "requests were cut before the drain ended"
    );
}

/// A timeout fires only when nothing else is left at its instant: no reply follows it there.
fn check_timeouts_come_last(run: &Run) {
    let mut last_timeout = None;
    for (at, event) in &run.events {
        match event {
            Kept::Done {
                outcome: Outcome::TimedOut,
                ..
            } => last_timeout = Some(*at),
            Kept::LateReply => assert_ne!(
                last_timeout,
                Some(*at),
                "the reply came at the instant of the timeout"
            ),
            _ => {}
        }
    }
}

/// Conservation by client and action, from the events, against what was measured.
fn check_counts(run: &Run) {
    let mut requests: HashMap<(ClientId, ActionId), Requests> = HashMap::new();
    let mut sessions: HashMap<ClientId, Sessions> = HashMap::new();
    let (mut late, mut retries) = (0, 0);
    for (_, event) in &run.events {
        match event {
            Kept::Intended(request) => {
                requests
                    .entry((request.client, request.action))
                    .or_default()
                    .intended += 1;
                retries += u64::from(request.attempt > 0);
            }
            Kept::Done {
                request, outcome, ..
            } => {
                requests
                    .entry((request.client, request.action))
                    .or_default()
                    .end(*outcome);
            }
            Kept::SessionStarted(client) => sessions.entry(*client).or_default().started += 1,
            Kept::SessionEnded(client, end) => sessions.entry(*client).or_default().end(*end),
            Kept::LateReply => late += 1,
            _ => {}
        }
    }
    for requests in requests.values() {
        assert_eq!(requests.intended, requests.ended_total());
    }
    let sum = |filter: &dyn Fn(&(ClientId, ActionId)) -> bool| {
        let mut sum = Requests::default();
        requests
            .iter()
            .filter(|(key, _)| filter(key))
            .for_each(|(_, requests)| sum.add(requests));
        sum
    };
    for (id, measured) in (0..).map(ClientId).zip(run.measure.sessions()) {
        assert_eq!(run.measure.client(id).requests(), sum(&|key| key.0 == id));
        let sessions = sessions.get(&id).copied().unwrap_or_default();
        assert_eq!(sessions.started, sessions.ended_total());
        assert_eq!(*measured, sessions);
    }
    for id in (0..run.model.actions.len() as u16).map(ActionId) {
        assert_eq!(run.measure.action(id).requests(), sum(&|key| key.1 == id));
    }
    assert_eq!(run.measure.total().requests(), sum(&|_| true));
    assert_eq!(
        (run.measure.late_replies(), run.measure.retries()),
        (late, retries)
    );
    assert!(
        late <= sum(&|_| true).ended(Outcome::TimedOut),
        "at most one late reply for each timeout"
    );
    let mut rows = Requests::default();
    run.measure
        .series()
        .rows()
        .iter()
        .for_each(|row| rows.add(&row.requests));
    assert_eq!(
        rows,
        sum(&|_| true),
        "the rows of the series add up to the run"
    );
}

/// What belongs to the window, from the events, against what was measured.
fn check_window(run: &Run) {
    let warmup = run.model.limits.warmup;
    let held = |outcome| {
        matches!(
            outcome,
            Outcome::Ok | Outcome::TimedOut | Outcome::Unresolved
        )
    };
    let (mut window, mut times, mut sum, mut censored) = (Requests::default(), 0, 0u128, 0);
    let (mut completed, mut end) = (0, Time::NEVER);
    for (at, event) in &run.events {
        match event {
            Kept::LoadEnded => end = *at,
            Kept::Intended(_) if *at >= warmup => window.intended += 1,
            Kept::Done {
                request, outcome, ..
            } => {
                let in_time = warmup <= *at && *at <= end;
                completed += u64::from(in_time && *outcome == Outcome::Ok);
                if request.intended < warmup {
                    continue;
                }
                window.end(*outcome);
                if held(*outcome) {
                    times += 1;
                    sum += u128::from(at.since(request.intended).as_nanos());
                    censored += u64::from(*outcome != Outcome::Ok);
                }
            }
            _ => {}
        }
    }
    let total = run.measure.total();
    assert_eq!(total.window.requests, window);
    assert_eq!(total.completed, completed);
    let latencies = &total.window.latencies;
    assert_eq!(latencies.response().count(), times);
    assert_eq!(latencies.response().sum_nanos(), sum);
    assert_eq!(latencies.service().sum_nanos(), sum);
    assert_eq!(latencies.lag().sum_nanos(), 0);
    assert_eq!(latencies.censored(), censored);
}

/// Little's law over the whole system from empty to empty, and at most one request in flight of a closed user.
fn check_in_flight(run: &Run) {
    let (mut number, mut area, mut times, mut now) = (0u128, 0u128, 0u128, Time::ZERO);
    for (at, event) in &run.events {
        area += number * u128::from(at.since(now).as_nanos());
        now = *at;
        match event {
            Kept::Intended(_) => number += 1,
            Kept::Done { request, .. } => {
                number -= 1;
                times += u128::from(at.since(request.intended).as_nanos());
            }
            _ => {}
        }
    }
    assert_eq!(number, 0);
    assert_eq!(area, times);
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn every_run_keeps_the_rules(plan in plan(Scope::Whole)) {
        check(&run(&plan.text()));
    }

    #[test]
    fn every_visit_heeds_its_client(plan in plan(Scope::Linked)) {
        check(&run(&plan.text()));
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_run_is_the_same_however_it_is_cut(plan in plan(Scope::Whole), piece in 1u64..100) {
        let model = model(&plan.text());
        let whole = run_model(model.clone(), u64::MAX);
        let again = run_model(model.clone(), u64::MAX);
        let pieces = run_model(model, piece);
        for other in [&again, &pieces] {
            prop_assert!(whole.events == other.events);
            prop_assert_eq!((whole.end, whole.steps), (other.end, other.steps));
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn an_interrupted_run_is_accounted_for(plan in plan(Scope::Whole), events in 0u64..3000) {
        let run = interrupted(model(&plan.text()), events);
        let mut lines = LinesBook::new(&run.model);
        for (index, (at, event)) in run.events.iter().enumerate() {
            lines.event(*at, event, run.events.get(index + 1));
        }
        lines.close(&run);
        check_counts(&run);
        check_window(&run);
        check_in_flight(&run);
    }
}
