//! Users and load in front of a scripted world: the second implementation of that seam.
//!
//! The world answers by a script and has no backend, so what is tested here is what users do with an answer, also with
//! those that no backend gives.

use std::collections::VecDeque;

use blis_sim::engine::{Load, LoadEnd, World};
use blis_sim::event::{FlightId, Outcome, Request, SessionEnd, Sink};
use blis_sim::measure::Measure;
use blis_sim::time::{Span, Time};
use blis_sim::users::Wake;
use blis_sim::users::mailbox::Key;

use crate::record::{Kept, Recorder, model};

const MS: u64 = 1_000_000;

/// What the world does with a request.
#[derive(Debug, Clone, Copy)]
enum Answer {
    AtOnce(Outcome),
    /// So many milliseconds later.
    After(u64, Outcome),
    Never,
}

use Answer::{After, AtOnce, Never};
use Outcome::{AppError, Dropped, Ok, Rejected, TimedOut, TransportError, Unresolved};
use SessionEnd::{BudgetExhausted, Cancelled, Completed, HorizonInterrupted};

#[derive(Debug, Clone, Copy)]
enum Coming {
    Wake(Wake),
    Reply(FlightId, Outcome),
}

/// Answers the n-th request by the n-th line of the script, and everything after its last line like that.
struct Scripted {
    script: VecDeque<Answer>,
    coming: Vec<(Time, Coming)>,
    gave_up: Vec<Time>,
}

impl Scripted {
    /// Takes the earliest of what is coming; of one instant, what was announced first.
    fn next(&mut self, before: Time) -> Option<(Time, Coming)> {
        let at = self
            .coming
            .iter()
            .map(|(at, _)| *at)
            .min()
            .filter(|at| *at <= before)?;
        let index = self.coming.iter().position(|(other, _)| *other == at)?;
        Some(self.coming.remove(index))
    }
}

impl World for Scripted {
    fn key(&mut self, flight: FlightId) -> Option<Key> {
        Some(Key::of_flight(flight))
    }

    fn dropped(&mut self, _: &Request) {}

    fn send<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        _: &Request,
        _: Time,
        _: &mut S,
    ) -> Option<Outcome> {
        let answer = if self.script.len() > 1 {
            self.script.pop_front()
        } else {
            self.script.front().copied()
        };
        match answer {
            Some(AtOnce(outcome)) => Some(outcome),
            Some(After(millis, outcome)) => {
                let at = now + Span::from_nanos(millis * MS);
                self.coming.push((at, Coming::Reply(flight, outcome)));
                None
            }
            Some(Never) | None => None,
        }
    }

    fn wake_at(&mut self, at: Time, wake: Wake) {
        self.coming.push((at, Coming::Wake(wake)));
    }

    fn gave_up<S: Sink>(&mut self, now: Time, _: FlightId, _: &mut S) {
        self.gave_up.push(now);
    }
}

/// What is expected of a run: requests as (millisecond, client, user, number, attempt), ends as (millisecond, outcome),
/// and the ends of sessions in their order.
struct Case {
    what: &'static str,
    limits: &'static str,
    clients: &'static str,
    script: &'static [Answer],
    requests: &'static [(u64, u16, u64, u64, u16)],
    ends: &'static [(u64, Outcome)],
    sessions: &'static [SessionEnd],
    load_end: LoadEnd,
}

fn text(case: &Case) -> String {
    format!(
        "blis: 1\nname: scripted\nrun: {{{}}}\nclients: {{{}}}\nactions: {{ask: {{path: [{{delay: 1ms}}, reply]}}}}\n",
        case.limits, case.clients
    )
}

/// Drives the load until nothing more comes or the instant `stop`, then ends the run.
fn drive(case: &Case) -> (Recorder, Scripted, Load) {
    let model = model(&text(case));
    let mut load = Load::new(&model);
    let script = case.script.iter().copied().collect();
    let mut world = Scripted {
        script,
        coming: Vec::new(),
        gave_up: Vec::new(),
    };
    let mut sink = Recorder::default();
    load.start(&mut world);
    let mut now = Time::ZERO;
    loop {
        let deadline = load.next_deadline();
        match world.next(deadline) {
            Some((at, coming)) => {
                now = at;
                sink.advance(now);
                match coming {
                    Coming::Wake(wake) => {
                        load.wake(now, now, wake, &mut world, &mut sink);
                    }
                    Coming::Reply(flight, outcome) => {
                        load.reply(now, flight, outcome, &mut world, &mut sink);
                    }
                }
            }
            None if deadline < Time::NEVER => {
                now = deadline;
                sink.advance(now);
                load.time_out(now, &mut world, &mut sink);
            }
            None => break,
        }
    }
    if let Some(horizon) = model.limits.horizon.filter(|horizon| *horizon > now) {
        sink.advance(horizon);
        now = horizon;
        load.end(now, LoadEnd::Horizon, &mut sink);
    }
    load.finish(now, &mut world, &mut sink);
    (sink, world, load)
}

fn check(case: &Case) {
    let (sink, world, load) = drive(case);
    let millis = |at: Time| {
        assert!(at.as_nanos().is_multiple_of(MS), "{}: {at:?}", case.what);
        at.as_nanos() / MS
    };
    let (mut requests, mut ends, mut sessions, mut started) =
        (Vec::new(), Vec::new(), Vec::new(), 0);
    for (at, event) in &sink.events {
        match event {
            Kept::Intended(r) => {
                requests.push((millis(*at), r.client.0, r.user_number, r.number, r.attempt));
            }
            Kept::Done { outcome, .. } => ends.push((millis(*at), *outcome)),
            Kept::SessionStarted(_) => started += 1,
            Kept::SessionEnded(_, end) => sessions.push(*end),
            _ => {}
        }
    }
    assert_eq!(requests, case.requests, "requests: {}", case.what);
    assert_eq!(ends, case.ends, "ends: {}", case.what);
    assert_eq!(sessions, case.sessions, "sessions: {}", case.what);
    assert_eq!(started, sessions.len(), "sessions started: {}", case.what);
    assert_eq!(load.ended(), Some(case.load_end), "{}", case.what);
    assert_eq!(
        (load.intended(), load.in_flight()),
        (requests.len() as u64, 0),
        "{}",
        case.what
    );
    let timeouts = ends
        .iter()
        .filter(|(_, outcome)| *outcome == TimedOut)
        .count();
    assert_eq!(
        world.gave_up.len(),
        timeouts,
        "the world hears of every timeout: {}",
        case.what
    );
}

#[test]
fn closed_users() {
    let cases = [
        Case {
            what: "an answer at once and think time",
            limits: "requests: 3",
            clients: "users: {concurrency: 1, think: 4ms, do: ask}",
            script: &[AtOnce(Ok)],
            requests: &[(0, 0, 0, 0, 0), (4, 0, 0, 1, 0), (8, 0, 0, 2, 0)],
            ends: &[(0, Ok), (4, Ok), (8, Ok)],
            sessions: &[BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "an answer later, two users half a think time apart",
            limits: "requests: 4",
            clients: "users: {concurrency: 2, think: 4ms, do: ask}",
            script: &[After(3, Ok)],
            requests: &[
                (0, 0, 0, 0, 0),
                (2, 0, 1, 0, 0),
                (7, 0, 0, 1, 0),
                (9, 0, 1, 1, 0),
            ],
            ends: &[(3, Ok), (5, Ok), (10, Ok), (12, Ok)],
            sessions: &[BudgetExhausted, BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "a failure cancels the session and the user starts a new one after its think time",
            limits: "requests: 3",
            clients: "users: {concurrency: 1, think: 4ms, do: ask}",
            script: &[After(1, TransportError), AtOnce(Dropped), AtOnce(Ok)],
            requests: &[(0, 0, 0, 0, 0), (5, 0, 0, 1, 0), (9, 0, 0, 2, 0)],
            ends: &[(1, TransportError), (5, Dropped), (9, Ok)],
            sessions: &[Cancelled, Cancelled, BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "without respawn a failure retires the user",
            limits: "requests: 9",
            clients: "users: {concurrency: 2, think: 4ms, do: ask, on_failure: {respawn: false}}",
            script: &[AtOnce(Rejected), AtOnce(Ok), AtOnce(AppError)],
            requests: &[(0, 0, 0, 0, 0), (2, 0, 1, 0, 0), (6, 0, 1, 1, 0)],
            ends: &[(0, Rejected), (2, Ok), (6, AppError)],
            sessions: &[Cancelled, Cancelled],
            load_end: LoadEnd::Idle,
        },
        Case {
            what: "retries share the number, come after the backoff and end with an answer",
            limits: "requests: 4",
            clients: "users: {concurrency: 1, think: 9ms, do: ask, on_failure: {retry: {times: 2, backoff: 2ms}}}",
            script: &[After(1, AppError), AtOnce(Rejected), AtOnce(Ok)],
            requests: &[
                (0, 0, 0, 0, 0),
                (3, 0, 0, 0, 1),
                (5, 0, 0, 0, 2),
                (14, 0, 0, 1, 0),
            ],
            ends: &[(1, AppError), (3, Rejected), (5, Ok), (14, Ok)],
            sessions: &[BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "the last retry cancels; its count begins anew with the next request",
            limits: "requests: 4",
            clients: "users: {concurrency: 1, think: 9ms, do: ask, on_failure: {retry: {times: 1, backoff: 2ms}}}",
            script: &[AtOnce(AppError)],
            requests: &[
                (0, 0, 0, 0, 0),
                (2, 0, 0, 0, 1),
                (11, 0, 0, 1, 0),
                (13, 0, 0, 1, 1),
            ],
            ends: &[(0, AppError), (2, AppError), (11, AppError), (13, AppError)],
            sessions: &[Cancelled, Cancelled],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "a budget used up before a retry",
            limits: "requests: 1",
            clients: "users: {concurrency: 1, do: ask, on_failure: {retry: {times: 1}}}",
            script: &[AtOnce(AppError)],
            requests: &[(0, 0, 0, 0, 0)],
            ends: &[(0, AppError)],
            sessions: &[BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "a timeout, and the late reply after it",
            limits: "requests: 2",
            clients: "users: {concurrency: 1, think: 1ms, do: ask, timeout: 5ms}",
            script: &[After(6, Ok), After(5, Ok)],
            requests: &[(0, 0, 0, 0, 0), (6, 0, 0, 1, 0)],
            ends: &[(5, TimedOut), (11, Ok)],
            sessions: &[Cancelled, BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "a request that is never answered is unresolved",
            limits: "requests: 1",
            clients: "users: {concurrency: 1, do: ask, on_failure: {retry: {times: 3}}}",
            script: &[Never],
            requests: &[(0, 0, 0, 0, 0)],
            ends: &[(0, Unresolved)],
            sessions: &[HorizonInterrupted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "the next request would fall after the horizon",
            limits: "horizon: 10ms",
            clients: "users: {concurrency: 1, think: 5ms, do: ask}",
            script: &[AtOnce(Ok)],
            requests: &[(0, 0, 0, 0, 0), (5, 0, 0, 1, 0), (10, 0, 0, 2, 0)],
            ends: &[(0, Ok), (5, Ok), (10, Ok)],
            sessions: &[HorizonInterrupted],
            load_end: LoadEnd::Idle,
        },
        Case {
            what: "a retry would fall after the horizon",
            limits: "horizon: 10ms",
            clients: "users: {concurrency: 1, think: 5ms, do: ask, on_failure: {retry: {times: 9, backoff: 7ms}}}",
            script: &[AtOnce(AppError)],
            requests: &[(0, 0, 0, 0, 0), (7, 0, 0, 0, 1)],
            ends: &[(0, AppError), (7, AppError)],
            sessions: &[HorizonInterrupted],
            load_end: LoadEnd::Horizon,
        },
        Case {
            what: "a user whose first request would fall after the horizon never starts",
            limits: "horizon: 5ms",
            clients: "users: {concurrency: 2, think: 12ms, do: ask}",
            script: &[AtOnce(Ok)],
            requests: &[(0, 0, 0, 0, 0)],
            ends: &[(0, Ok)],
            sessions: &[HorizonInterrupted],
            load_end: LoadEnd::Horizon,
        },
    ];
    cases.iter().for_each(check);
}

#[test]
fn open_clients_and_sessions() {
    let cases = [
        Case {
            what: "arrivals wait for nobody",
            limits: "requests: 3",
            clients: "feed: {rate: 500/s, arrival: constant, do: ask}",
            script: &[Never, After(1, Ok), After(9, AppError)],
            requests: &[(2, 0, 0, 0, 0), (4, 0, 1, 0, 0), (6, 0, 2, 0, 0)],
            ends: &[(5, Ok), (15, AppError), (15, Unresolved)],
            sessions: &[Completed, Cancelled, HorizonInterrupted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "retries of an open client's request",
            limits: "horizon: 9ms",
            clients: "feed: {rate: 200/s, arrival: constant, do: ask, on_failure: {retry: {times: 1, backoff: 1ms}}}",
            script: &[AtOnce(AppError), AtOnce(Ok)],
            requests: &[(5, 0, 0, 0, 0), (6, 0, 0, 0, 1)],
            ends: &[(5, AppError), (6, Ok)],
            sessions: &[Completed],
            load_end: LoadEnd::Horizon,
        },
        Case {
            what: "a session of three rounds with think times, beside the next one",
            limits: "horizon: 21ms",
            clients: "talk: {rate: 100/s, arrival: constant, do: ask, session: {rounds: 3, think: 3ms}}",
            script: &[After(1, Ok)],
            requests: &[
                (10, 0, 0, 0, 0),
                (14, 0, 0, 1, 0),
                (18, 0, 0, 2, 0),
                (20, 0, 1, 0, 0),
            ],
            ends: &[(11, Ok), (15, Ok), (19, Ok), (21, Ok)],
            sessions: &[Completed, HorizonInterrupted],
            load_end: LoadEnd::Idle,
        },
        Case {
            what: "a failure cancels an open session, which never starts anew",
            limits: "horizon: 15ms",
            clients: "talk: {rate: 100/s, arrival: constant, do: ask, session: {rounds: 3, think: 1ms}}",
            script: &[AtOnce(Ok), AtOnce(Rejected)],
            requests: &[(10, 0, 0, 0, 0), (11, 0, 0, 1, 0)],
            ends: &[(10, Ok), (11, Rejected)],
            sessions: &[Cancelled],
            load_end: LoadEnd::Horizon,
        },
        Case {
            what: "a budget that ends while a session thinks",
            limits: "requests: 2",
            clients: "talk: {rate: 100/s, arrival: constant, do: ask, session: {rounds: 3, think: 10ms}}",
            script: &[AtOnce(Ok)],
            requests: &[(10, 0, 0, 0, 0), (20, 0, 1, 0, 0)],
            ends: &[(10, Ok), (20, Ok)],
            sessions: &[BudgetExhausted, BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
        Case {
            what: "one budget for clients of every kind, in the order of events",
            limits: "requests: 6",
            clients: "users: {concurrency: 1, think: 4ms, do: ask}, feed: {rate: 500/s, arrival: constant, do: ask}, \
                      talk: {rate: 250/s, arrival: constant, do: ask, session: {rounds: 2, think: 1ms}}",
            script: &[AtOnce(Ok)],
            requests: &[
                // A model has its clients by name: feed, talk, users.
                (0, 2, 0, 0, 0),
                (2, 0, 0, 0, 0),
                (4, 1, 0, 0, 0),
                (4, 2, 0, 1, 0),
                (4, 0, 1, 0, 0),
                (5, 1, 0, 1, 0),
            ],
            ends: &[(0, Ok), (2, Ok), (4, Ok), (4, Ok), (4, Ok), (5, Ok)],
            sessions: &[Completed, Completed, Completed, BudgetExhausted],
            load_end: LoadEnd::Budget,
        },
    ];
    cases.iter().for_each(check);
}

/// A world that polls three milliseconds late and answers at once.
#[derive(Default)]
struct Late {
    due: Vec<(Time, Wake)>,
}

impl World for Late {
    fn key(&mut self, flight: FlightId) -> Option<Key> {
        Some(Key::of_flight(flight))
    }

    fn dropped(&mut self, _: &Request) {}

    fn send<S: Sink>(
        &mut self,
        _: Time,
        _: FlightId,
        _: &Request,
        _: Time,
        _: &mut S,
    ) -> Option<Outcome> {
        Some(Ok)
    }

    fn wake_at(&mut self, at: Time, wake: Wake) {
        self.due.push((at, wake));
    }

    fn gave_up<S: Sink>(&mut self, _: Time, _: FlightId, _: &mut S) {}
}

#[test]
fn a_late_world_lags_and_keeps_its_schedule() {
    let model = model(
        "{blis: 1, name: late, run: {requests: 50}, \
         clients: {c: {rate: 1000/s, arrival: constant, do: a}}, \
         actions: {a: {path: [{delay: 1ms}, reply]}}}",
    );
    let late = Span::from_nanos(3 * MS);
    let mut load = Load::new(&model);
    let mut world = Late::default();
    let mut measure = Measure::new(&model);
    load.start(&mut world);
    let mut now = Time::ZERO;
    while let Some((due, wake)) = world.due.pop() {
        now = due + late;
        measure.advance(now);
        load.wake(now, due, wake, &mut world, &mut measure);
    }
    load.finish(now, &mut world, &mut measure);
    measure.finish(load.intended()).expect("the books balance");

    // Arrivals at one a millisecond, however late each was polled; the fifty-first found the budget used up.
    assert_eq!(now, Time::from_nanos(51 * MS) + late);
    let latencies = measure.total().window.latencies;
    for times in [latencies.lag(), latencies.response().clone()] {
        assert_eq!(
            (times.count(), times.min(), times.max()),
            (50, Some(late), Some(late))
        );
    }
    assert_eq!(latencies.service().max(), Some(Span::ZERO));
}
