//! How many requests may be in flight together: never more, and nobody waits while there is room.

use blis_sim::event::{Event, Outcome, Request, Sink};
use blis_sim::measure::Measure;
use blis_sim::model::{ClientId, InFlightPolicy, MaxInFlight, Model};
use blis_sim::simulation::Simulation;
use blis_sim::time::{Span, Time};
use proptest::prelude::*;

use crate::cases;
use crate::record::model;

const MS: u64 = 1_000_000;

fn ms(number: u64) -> Time {
    Time::from_nanos(number * MS)
}

/// A request from its intention to its end.
#[derive(Debug, Clone, Copy)]
struct Life {
    request: Request,
    sent: Time,
    end: Time,
    outcome: Outcome,
}

#[derive(Default)]
struct Lives {
    all: Vec<Life>,
    clock: Time,
}

impl Sink for Lives {
    fn advance(&mut self, now: Time) {
        assert!(now >= self.clock);
        self.clock = now;
    }

    fn record(&mut self, at: Time, event: Event<'_>) {
        assert!(at <= self.clock, "{at:?} lies ahead: {event:?}");
        if let Event::Done {
            request,
            sent,
            outcome,
            ..
        } = event
        {
            self.all.push(Life {
                request: *request,
                sent,
                end: at,
                outcome,
            });
        }
    }
}

/// Requests in the order in which they ended, and what was measured.
fn lives(model: &Model) -> (Vec<Life>, Measure, Time) {
    let mut simulation = Simulation::new(model, (Measure::new(model), Lives::default()));
    simulation.run().unwrap();
    let (intended, end) = (simulation.intended(), simulation.now());
    let (mut measure, lives) = simulation.into_sink();
    measure.finish(intended).unwrap();
    assert_eq!(lives.all.len() as u64, intended, "every request ends once");
    (lives.all, measure, end)
}

/// Ten arrivals in 100 ms, each answered after 25 ms or never, with a limit of two requests in flight.
fn limited(policy: &str, path: &str) -> (Vec<Life>, Measure, Time) {
    lives(&model(&format!(
        "{{blis: 1, name: t, run: {{horizon: 100ms, drain: 1s}}, clients: {{c: {{rate: 100/s, arrival: constant, do: a}}}}, \
         actions: {{a: {{path: [{path}]}}}}, services: {{s: {{workers: 20, time: 25ms}}, never: {{workers: 1, time: 1h}}}}, \
         max_in_flight: {{limit: 2, policy: {policy}}}}}"
    )))
}

/// When requests were sent, in the order in which they were intended.
fn sent(lives: &[Life]) -> Vec<Time> {
    let mut lives = lives.to_vec();
    lives.sort_by_key(|life| life.request.intended);
    let sent = lives
        .iter()
        .filter(|life| life.outcome != Outcome::Dropped)
        .map(|life| life.sent);
    sent.collect()
}

// The instants of these three are those of the live driver's own tests.

#[test]
fn a_limit_that_drops_counts_what_it_does_not_send() {
    let (lives, measure, _) = limited("drop", "{visit: s}, reply");
    assert_eq!(sent(&lives), [10, 20, 40, 50, 70, 80, 100].map(ms));
    let requests = measure.total().requests();
    assert_eq!(requests.ended(Outcome::Dropped), 3);
    assert_eq!(
        measure.total().window.latencies.lag().max(),
        Some(Span::ZERO)
    );
}

#[test]
fn a_limit_that_delays_shows_as_lag_and_keeps_the_schedule() {
    let (lives, measure, end) = limited("delay", "{visit: s}, reply");
    let at = [10, 20, 35, 45, 60, 70, 85, 95, 110, 120].map(ms);
    assert_eq!(sent(&lives), at);
    for (life, number) in lives.iter().zip(1..) {
        assert_eq!(life.request.intended, ms(10 * number));
    }
    let latencies = &measure.total().window.latencies;
    assert_eq!(latencies.lag().max(), Some(Span::from_nanos(20 * MS)));
    assert_eq!(latencies.response().max(), Some(Span::from_nanos(45 * MS)));
    // The load ends at its horizon, and what had to wait for room is sent in the drain.
    assert_eq!(measure.load_end(), Some(ms(100)));
    assert_eq!(end, ms(145));
}

#[test]
fn what_a_limit_delays_for_ever_is_dropped_after_the_drain() {
    let (lives, measure, end) = limited("delay", "{visit: never}, reply");
    assert_eq!(sent(&lives).len(), 2);
    let requests = measure.total().requests();
    assert_eq!(requests.ended(Outcome::Unresolved), 2);
    assert_eq!(requests.ended(Outcome::Dropped), 8);
    assert_eq!(end, ms(1100));
}

#[test]
fn a_client_s_own_limit_holds_back_nobody_else() {
    let (lives, ..) = lives(&model(
        "{blis: 1, name: t, run: {horizon: 100ms, drain: 1s}, services: {s: {workers: 20, time: 25ms}}, \
         actions: {a: {path: [{visit: s}, reply]}}, clients: {\
         b: {rate: 100/s, arrival: constant, do: a}, \
         c: {rate: 100/s, arrival: constant, do: a, max_in_flight: {limit: 1, policy: delay}}}}",
    ));
    let of = |client| {
        let own = lives
            .iter()
            .filter(|life| life.request.client == ClientId(client));
        sent(&own.copied().collect::<Vec<_>>())
    };
    let on_time: Vec<Time> = (1..=10).map(|number| ms(10 * number)).collect();
    assert_eq!(of(0), on_time);
    let one_by_one: Vec<Time> = (0..10).map(|number| ms(10 + 25 * number)).collect();
    assert_eq!(of(1), one_by_one);
}

#[test]
fn users_who_wait_for_room_are_woken_in_turn() {
    // Three users without think time and one place: each waits for the other two.
    let (lives, ..) = lives(&model(
        "{blis: 1, name: t, run: {requests: 9}, services: {s: {workers: 3, time: 10ms}}, \
         actions: {a: {path: [{visit: s}, reply]}}, clients: {c: {concurrency: 3, do: a}}, \
         max_in_flight: {limit: 1, policy: delay}}",
    ));
    let users: Vec<u64> = lives.iter().map(|life| life.request.user_number).collect();
    assert_eq!(users, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    let ends: Vec<Time> = lives.iter().map(|life| life.end).collect();
    assert_eq!(
        ends,
        (1..=9).map(|number| ms(10 * number)).collect::<Vec<_>>()
    );
}

/// A limit for a spec.
fn a_limit() -> impl Strategy<Value = Option<(u32, bool)>> {
    prop::option::of((1..6u32, any::<bool>()))
}

fn written(limit: Option<(u32, bool)>) -> String {
    limit.map_or(String::new(), |(limit, delays)| {
        let policy = if delays { "delay" } else { "drop" };
        format!(", max_in_flight: {{limit: {limit}, policy: {policy}}}")
    })
}

/// Whether a request of a client would have been let through at this instant, by who is in flight then.
fn is_full(model: &Model, client: ClientId, lives: &[Life], at: Time) -> Option<InFlightPolicy> {
    let in_flight = |of: Option<ClientId>| {
        let there = lives.iter().filter(|life| {
            let counts = of.is_none_or(|client| life.request.client == client);
            counts && life.outcome != Outcome::Dropped && life.sent <= at && at < life.end
        });
        there.count() as u32
    };
    let full =
        |limit: Option<MaxInFlight>, of| limit.filter(|one| in_flight(of) >= one.limit.get());
    let own = full(model.clients[client.index()].max_in_flight, Some(client));
    let all = full(model.max_in_flight, None);
    match [own, all] {
        [None, None] => None,
        full if full.iter().flatten().any(|one| !one.delays()) => Some(InFlightPolicy::Drop),
        _ => Some(InFlightPolicy::Delay),
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn nobody_waits_or_is_dropped_while_there_is_room(
        all in a_limit(),
        own in a_limit(),
        users in 1..6u32,
        rate in 20..400u32,
        seed in any::<u16>(),
    ) {
        // An own limit is never above that of all.
        let own = own.map(|(limit, delays)| (all.map_or(limit, |(all, _)| limit.min(all)), delays));
        let model = model(&format!(
            "{{blis: 1, name: t, seed: {seed}, run: {{horizon: 500ms, drain: 200ms}}, \
             services: {{s: {{workers: 3, time: {{exponential: {{mean: 11ms}}}}}}}}, actions: {{a: {{path: [{{visit: s}}, reply]}}}}, \
             clients: {{closed: {{concurrency: {users}, think: {{exponential: {{mean: 3ms}}}}, do: a, timeout: 40ms, \
             on_failure: {{respawn: true}}{}}}, open: {{rate: {rate}/s, do: a}}}}{}}}",
            written(own), written(all)
        ));
        let (lives, measure, _) = lives(&model);
        let horizon = ms(500);
        for life in &lives {
            let Request { client, intended, .. } = life.request;
            prop_assert!(intended <= life.sent && life.sent <= life.end);
            // Just before an instant: what happens at it may be before or after.
            let before = |at: Time| Time::from_nanos(at.as_nanos() - 1);
            if life.outcome == Outcome::Dropped {
                let held_to_the_end = life.sent >= horizon && life.sent > intended;
                let why = is_full(&model, client, &lives, before(life.sent));
                prop_assert!(why.is_some() && (why == Some(InFlightPolicy::Drop) || held_to_the_end), "{life:?}");
            } else if life.sent > intended {
                prop_assert_eq!(is_full(&model, client, &lives, before(life.sent)), Some(InFlightPolicy::Delay), "{:?}", life);
                prop_assert_eq!(is_full(&model, client, &lives, intended), Some(InFlightPolicy::Delay), "{:?}", life);
            }
            // With everybody counted, there never are too many.
            let crowd = |of: Option<ClientId>| {
                let there = lives.iter().filter(|other| {
                    of.is_none_or(|client| other.request.client == client)
                        && other.outcome != Outcome::Dropped && other.sent <= life.sent && life.sent < other.end
                });
                there.count() as u32
            };
            prop_assert!(model.max_in_flight.is_none_or(|one| crowd(None) <= one.limit.get()));
            let own = model.clients[client.index()].max_in_flight;
            prop_assert!(own.is_none_or(|one| crowd(Some(client)) <= one.limit.get()));
        }
        // Of one client, who was due first is sent first.
        for client in 0..2 {
            let mut of_client: Vec<&Life> = lives
                .iter()
                .filter(|life| life.request.client == ClientId(client) && life.outcome != Outcome::Dropped)
                .collect();
            of_client.sort_by_key(|life| life.request.intended);
            prop_assert!(of_client.windows(2).all(|two| two[0].sent <= two[1].sent));
        }
        prop_assert_eq!(measure.load_end(), Some(horizon));
    }
}
