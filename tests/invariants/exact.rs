//! Small specs whose whole course is known beforehand, to the nanosecond.

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Outcome, SessionEnd, VisitStep};
use blis_sim::simulation::Simulation;
use blis_sim::time::{Span, Time};

use crate::record::{Kept, Recorder, Run, model, run};

const MS: u64 = 1_000_000;

/// A spec with one client `users` that does `ask`, one service `api` and a path.
fn spec(limits: &str, users: &str, path: &str, api: &str) -> String {
    format!(
        "blis: 1\nname: exact\nrun: {{{limits}}}\nclients: {{users: {{do: ask, {users}}}}}\n\
         actions: {{ask: {{path: [{path}]}}}}\nservices: {{api: {{{api}}}}}\n"
    )
}

/// When requests were intended, in nanoseconds.
fn intended(run: &Run) -> Vec<u64> {
    run.requests()
        .map(|request| request.intended.as_nanos())
        .collect()
}

/// When and how requests ended.
fn ended(run: &Run) -> Vec<(u64, Outcome)> {
    run.ends()
        .map(|(at, _, outcome)| (at.as_nanos(), outcome))
        .collect()
}

#[test]
fn a_budget_of_500_with_50_users_is_50_and_450() {
    for think in ["0s", "20ms", "{exponential: {mean: 20ms}}"] {
        let users = format!("concurrency: 50, think: {think}");
        let run = run(&spec(
            "requests: 500",
            &users,
            "{visit: api}, reply",
            "workers: 4, time: 1ms",
        ));
        let first = run.requests().filter(|request| request.number == 0).count();
        assert_eq!((first, run.requests().count()), (50, 500));
        assert_eq!(run.load_end, Some(LoadEnd::Budget));
        assert_eq!(run.count(Outcome::Ok), 500);
        assert_eq!(run.sessions(SessionEnd::BudgetExhausted), 50);
    }
}

#[test]
fn a_budget_of_100_with_200_users_is_100_and_none() {
    for think in ["0s", "20ms"] {
        let users = format!("concurrency: 200, think: {think}");
        let run = run(&spec(
            "requests: 100",
            &users,
            "{visit: api}, reply",
            "workers: 4, time: 1s",
        ));
        let users: Vec<u64> = run.requests().map(|request| request.user_number).collect();
        assert_eq!(users, (0..100).collect::<Vec<_>>());
        assert!(run.requests().all(|request| request.number == 0));
        assert_eq!(run.sessions(SessionEnd::BudgetExhausted), 100);
    }
}

#[test]
fn a_budget_is_shared_by_closed_open_and_session_clients() {
    let text = "
blis: 1
name: shared
run: {requests: 1000}
clients:
  closed: {concurrency: 7, think: 3ms, do: ask}
  open: {rate: 500/s, arrival: constant, do: ask}
  talk: {rate: 200/s, session: {rounds: 4, think: 2ms}, do: ask}
actions: {ask: {path: [{visit: api}, reply]}}
services: {api: {workers: 2, time: 1ms}}
";
    let run = run(text);
    assert_eq!(run.requests().count(), 1000);
    for client in 0..3 {
        assert!(
            run.requests()
                .filter(|request| request.client.0 == client)
                .count()
                > 50
        );
    }
    let after = run
        .events
        .iter()
        .skip_while(|(_, event)| *event != Kept::LoadEnded);
    assert_eq!(
        after
            .filter(|(_, event)| matches!(event, Kept::Intended(_)))
            .count(),
        0
    );
}

#[test]
fn first_requests_are_spread_over_the_mean_think_time() {
    let users = "concurrency: 7, think: {exponential: {mean: 10ms}}";
    let run = run(&spec(
        "requests: 7",
        users,
        "{visit: api}, reply",
        "workers: 9, time: 1h",
    ));
    assert_eq!(
        intended(&run),
        (0..7).map(|user| user * 10 * MS / 7).collect::<Vec<_>>()
    );
    let at_once = spec(
        "requests: 7",
        "concurrency: 7",
        "{visit: api}, reply",
        "workers: 9, time: 1h",
    );
    assert_eq!(intended(&crate::record::run(&at_once)), [0; 7]);
}

#[test]
fn the_next_request_comes_at_completion_plus_think_time() {
    let run = run(&spec(
        "requests: 4",
        "concurrency: 1, think: 10ms",
        "{visit: api}, reply",
        "workers: 1, time: 3ms",
    ));
    assert_eq!(intended(&run), [0, 13 * MS, 26 * MS, 39 * MS]);
}

#[test]
fn a_retry_comes_at_the_failure_plus_backoff() {
    let users = "concurrency: 1, think: 10ms, on_failure: {retry: {times: 2, backoff: 4ms}}";
    let run = run(&spec(
        "requests: 7",
        users,
        "{visit: api}, reply",
        "workers: 1, time: 3ms, errors: 100%",
    ));
    let tries: Vec<(u64, u64, u16)> = run
        .requests()
        .map(|request| {
            (
                request.intended.as_nanos() / MS,
                request.number,
                request.attempt,
            )
        })
        .collect();
    // Three tries 7 ms apart, then the think time from the last failure.
    let expected = [
        (0, 0, 0),
        (7, 0, 1),
        (14, 0, 2),
        (27, 1, 0),
        (34, 1, 1),
        (41, 1, 2),
        (54, 2, 0),
    ];
    assert_eq!(tries, expected);
    assert_eq!(run.sessions(SessionEnd::Cancelled), 2);
    assert_eq!(run.sessions(SessionEnd::BudgetExhausted), 1);
}

#[test]
fn a_user_who_does_not_respawn_is_retired() {
    let users = "concurrency: 3, think: 10ms, on_failure: {respawn: false}";
    let run = run(&spec(
        "requests: 100",
        users,
        "{visit: api}, reply",
        "workers: 3, time: 1ms, errors: 100%",
    ));
    assert_eq!(run.requests().count(), 3);
    assert_eq!(run.load_end, Some(LoadEnd::Idle));
    assert_eq!(run.sessions(SessionEnd::Cancelled), 3);
}

#[test]
fn a_reply_at_the_instant_of_the_timeout_is_in_time() {
    let cases = [
        ("{visit: api}, reply", "5ms", "5ms", ""),
        (
            "{visit: api}, {delay: 0s}, {delay: 0s}, {visit: api}, {delay: 0s}, reply",
            "10ms",
            "5ms",
            "",
        ),
        ("{delay: 5ms}, reply", "5ms", "1h", ""),
        (
            "{visit: api}, {delay: 0s}, reply",
            "7ms",
            "5ms",
            "network: {one_way: 1ms}\n",
        ),
    ];
    for (path, timeout, time, network) in cases {
        for on_timeout in ["stay", "leave", "abandon"] {
            let users = format!("concurrency: 1, timeout: {timeout}");
            let api = format!("workers: 1, time: {time}, on_timeout: {on_timeout}");
            let text = spec("requests: 3", &users, path, &api) + network;
            let run = run(&text);
            assert_eq!(run.count(Outcome::Ok), 3, "{text}");
        }
    }
}

#[test]
fn a_reply_a_nanosecond_after_the_timeout_is_late() {
    for (path, network, time) in [
        ("{visit: api}, reply", "", "5000001ns"),
        ("{delay: 5000001ns}, reply", "", "1h"),
        (
            "{visit: api}, reply",
            "network: {one_way: 1ns}\n",
            "4999999ns",
        ),
    ] {
        let text = spec(
            "requests: 3",
            "concurrency: 1, timeout: 5ms, think: 10ms",
            path,
            &format!("workers: 1, time: {time}"),
        );
        let run = run(&(text + network));
        let expected = [
            (5, Outcome::TimedOut),
            (20, Outcome::TimedOut),
            (35, Outcome::TimedOut),
        ];
        assert_eq!(
            ended(&run),
            expected.map(|(at, outcome)| (at * MS, outcome))
        );
        assert_eq!(run.measure.late_replies(), 3);
    }
}

/// Three requests at one worker, 4 ms each, whose clients wait 6 ms: what the second and third one leave behind.
#[test]
fn work_whose_client_gave_up_stays_leaves_or_is_abandoned() {
    let course = |on_timeout: &str| {
        let api = format!("workers: 1, time: 4ms, on_timeout: {on_timeout}");
        let users = "concurrency: 3, timeout: 6ms, on_failure: {respawn: false}, think: {empirical: {values: [0s]}}";
        run(&spec("horizon: 1ms", users, "{visit: api}, reply", &api))
    };
    let steps = |run: &Run| {
        let visits = run.events.iter().filter_map(|(at, event)| match event {
            Kept::Visit { step, .. } => Some((at.as_nanos() / MS, *step)),
            _ => None,
        });
        let end = visits.filter_map(|(at, step)| match step {
            VisitStep::Completed { .. } => Some((at, "completed")),
            VisitStep::Left { .. } => Some((at, "left")),
            VisitStep::Abandoned { .. } => Some((at, "abandoned")),
            _ => None,
        });
        end.collect::<Vec<_>>()
    };
    let stay = course("stay");
    assert_eq!(
        steps(&stay),
        [(4, "completed"), (8, "completed"), (12, "completed")]
    );
    assert_eq!(stay.measure.late_replies(), 2);
    let leave = course("leave");
    assert_eq!(
        steps(&leave),
        [(4, "completed"), (6, "left"), (8, "completed")]
    );
    let abandon = course("abandon");
    // The second one is abandoned first and its worker takes up the third, whose client gives up at the same instant.
    assert_eq!(
        steps(&abandon),
        [(4, "completed"), (6, "abandoned"), (6, "abandoned")]
    );
    for run in [stay, leave, abandon] {
        assert_eq!(
            ended(&run),
            [
                (4 * MS, Outcome::Ok),
                (6 * MS, Outcome::TimedOut),
                (6 * MS, Outcome::TimedOut)
            ]
        );
    }
}

/// A request of another user takes the slot of one whose work is still running: the late reply of that work must not
/// touch it.
#[test]
fn a_late_reply_does_not_touch_the_request_that_has_its_slot() {
    let text = "
blis: 1
name: slots
run: {horizon: 30ms}
clients:
  first: {concurrency: 1, do: slow, timeout: 2ms, think: 1ms, on_failure: {respawn: false}}
  second: {rate: 400/s, arrival: constant, do: quick, timeout: 10ms}
actions:
  slow: {path: [{visit: slow}, reply]}
  quick: {path: [{visit: quick}, reply]}
services:
  slow: {workers: 1, time: 5ms}
  quick: {workers: 1, time: 1h, on_timeout: abandon}
";
    let run = run(text);
    let abandoned = |event: &Kept| {
        matches!(
            event,
            Kept::Visit {
                step: VisitStep::Abandoned { .. },
                ..
            }
        )
    };
    let first = run.events.iter().find(|(_, event)| abandoned(event));
    // Sent at 2.5 ms into the slot that was freed at 2 ms; the slow work replies at 5 ms; given up at 12.5 ms.
    assert_eq!(first.map(|(at, _)| at.as_nanos()), Some(12_500_000));
    assert_eq!(run.measure.late_replies(), 1);
}

#[test]
fn nothing_is_intended_after_the_horizon_and_what_is_due_at_it_is() {
    let constant = "rate: 1000/s, arrival: constant";
    let run_of = |horizon: &str| {
        run(&spec(
            &format!("horizon: {horizon}"),
            constant,
            "{visit: api}, reply",
            "workers: 9, time: 1ms",
        ))
    };
    assert_eq!(run_of("10ms").requests().count(), 10);
    assert_eq!(run_of("9999999ns").requests().count(), 9);
    let closed = run(&spec(
        "horizon: 26ms",
        "concurrency: 1, think: 10ms",
        "{visit: api}, reply",
        "workers: 1, time: 3ms",
    ));
    assert_eq!(intended(&closed), [0, 13 * MS, 26 * MS]);
    assert_eq!(closed.sessions(SessionEnd::HorizonInterrupted), 1);
    assert_eq!(closed.load_end, Some(LoadEnd::Horizon));
    assert_eq!(closed.end.as_nanos(), 29 * MS);
}

#[test]
fn what_is_in_flight_at_the_end_of_the_drain_is_unresolved() {
    for (drain, ok) in [("0s", 0), ("4999999ns", 0), ("5ms", 1), ("10ms", 2)] {
        let limits = format!("requests: 2, drain: {drain}");
        let run = run(&spec(
            &limits,
            "concurrency: 2",
            "{visit: api}, reply",
            "workers: 1, time: 5ms",
        ));
        assert_eq!(
            (run.count(Outcome::Ok), run.count(Outcome::Unresolved)),
            (ok, 2 - ok),
            "drain {drain}"
        );
        assert_eq!(run.sessions(SessionEnd::HorizonInterrupted), 2 - ok);
        assert_eq!(run.sessions(SessionEnd::BudgetExhausted), ok);
    }
}

#[test]
fn a_line_takes_as_many_as_its_limit() {
    for (limit, rejected) in [(0, 6), (1, 5), (3, 3), (6, 0), (9, 0)] {
        let api = format!("workers: 2, time: 5ms, queue: {{limit: {limit}}}");
        let run = run(&spec(
            "requests: 8",
            "concurrency: 8",
            "{visit: api}, reply",
            &api,
        ));
        assert_eq!(run.count(Outcome::Rejected), rejected, "limit {limit}");
    }
}

#[test]
fn the_nth_arrival_of_a_constant_rate_has_no_accumulated_error() {
    let run = run(&spec(
        "requests: 30000",
        "rate: 3/s, arrival: constant",
        "{visit: api}, reply",
        "workers: 1, time: 1ms",
    ));
    let last = run.requests().last().unwrap();
    assert_eq!(last.intended.as_nanos(), 10_000_000_000_000);
}

#[test]
fn the_response_is_the_sum_of_hops_delays_and_visits() {
    let text = spec(
        "requests: 3",
        "concurrency: 1",
        "{delay: 1ms}, {visit: api}, {delay: 4ms}, {visit: api}, reply, {delay: 100ms}",
        "workers: 1, time: 16ms",
    ) + "network: {one_way: 64ms}\n";
    let run = run(&text);
    let response = (1 + 4 + 2 * 16 + 2 * 64) * MS;
    assert_eq!(ended(&run), [1, 2, 3].map(|n| (n * response, Outcome::Ok)));
}

#[test]
fn a_model_that_goes_round_at_one_instant_is_reported() {
    let text = spec(
        "requests: 1000",
        "concurrency: 3",
        "reply",
        "workers: 1, time: 1ms",
    );
    // A budget ends it; without one nothing would.
    let mut model = model(&text);
    let mut bounded = Simulation::new(&model, Recorder::default());
    bounded.run().unwrap();
    assert_eq!(bounded.intended(), 1000);
    model.limits.requests = None;
    model.limits.horizon = Some(Time::from_nanos(MS));
    let mut simulation = Simulation::new(&model, Recorder::default());
    let error = simulation.run().unwrap_err();
    assert_eq!(error.at, Span::ZERO);
}

#[test]
fn a_burst_of_all_users_at_one_instant_is_no_standstill() {
    let users = "concurrency: 300000, timeout: 1s, on_failure: {respawn: false, retry: {times: 2}}";
    let path = "{delay: 0s}, {visit: api}, reply";
    let run = run(&spec(
        "horizon: 1ms",
        users,
        path,
        "workers: 1, time: 1h, queue: {limit: 0}",
    ));
    assert_eq!(run.count(Outcome::Rejected), 3 * 299_999);
}

#[test]
fn an_interruption_in_the_drain_is_one() {
    let text = spec(
        "horizon: 1ms, drain: 1h",
        "concurrency: 2",
        "{visit: api}, reply",
        "workers: 1, time: 1m",
    );
    let model = model(&text);
    let mut simulation = Simulation::new(&model, Recorder::default());
    while simulation.load_end().is_none() {
        simulation.advance(1).unwrap();
    }
    assert_eq!(simulation.load_end(), Some(LoadEnd::Horizon));
    simulation.interrupt();
    assert_eq!(simulation.load_end(), Some(LoadEnd::Interrupted));
}
