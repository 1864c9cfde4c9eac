//! Deliveries that requests await: each counts once, and those of a simulation are exactly those that its fan-outs and
//! consumers make.

use blis_sim::event::Outcome;
use blis_sim::measure::{DeliveryCounts, Measure};
use blis_sim::model::{ActionId, ConsumerId, FanOutId};
use blis_sim::simulation::Simulation;
use blis_sim::time::Span;
use proptest::prelude::*;

use crate::cases;
use crate::record::model;

const SAY: ActionId = ActionId(0);

fn measured(text: &str) -> Measure {
    let model = model(text);
    let mut simulation = Simulation::new(&model, Measure::new(&model));
    simulation.run().unwrap();
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure.finish(intended).unwrap();
    measure
}

/// A broadcast to five, awaited like this, by 400 users that come at once: the window has all of their deliveries.
fn broadcast(awaits: &str, timeout: &str, fan_out: &str) -> Measure {
    measured(&format!(
        "{{blis: 1, name: t, run: {{horizon: 10m, drain: 10s}}, clients: {{c: {{arrival: {{burst: {{count: 400, at: 0s}}}}, timeout: \
         {timeout}, do: say}}}}, actions: {{say: {{path: [{{visit: s}}, {{emit: \
         room}}, reply], await: {awaits}}}}}, services: {{s: {{workers: 4, time: {{exponential: {{mean: 3ms}}}}}}, t: {{workers: 1, time: 500us}}}}, fan_outs: \
         {{room: {{subscribers: 5, {fan_out}}}}}}}"
    ))
}

fn counts(measure: &Measure) -> DeliveryCounts {
    measure.deliveries(SAY).unwrap().whole()
}

/// What the fan-out delivered and lost.
fn fan_out(measure: &Measure) -> (u64, u64) {
    let emissions = measure.fan_outs()[FanOutId(0).index()].emissions();
    (emissions.deliveries, emissions.lost)
}

#[test]
fn a_request_is_done_with_its_last_delivery() {
    let measure = broadcast(
        "{deliveries: 5}",
        "10s",
        "delay: {exponential: {mean: 4ms}}",
    );
    let meter = measure.deliveries(SAY).unwrap();
    let counts = counts(&measure);
    assert_eq!((counts.expected, counts.delivered), (2000, 2000));
    assert_eq!(counts.duplicates + counts.late + counts.unmatched, 0);
    let total = measure.total();
    assert_eq!(total.window.requests.ended(Outcome::Ok), 400);
    // The reply comes with the emission, so that the last delivery is the end.
    let response = total.window.latencies.response();
    assert_eq!(response.sum_nanos(), meter.last().from_intended.sum_nanos());
    assert_eq!(meter.each().from_intended.count(), 2000);
    assert_eq!(meter.first().from_intended.count(), 400);
    // And the deliveries are those of the fan-out.
    let delivered = measure.fan_outs()[0].deliveries();
    assert_eq!(
        delivered.times.sum_nanos(),
        meter.each().from_intended.sum_nanos()
    );
}

#[test]
fn the_first_or_some_of_them_end_a_request_sooner() {
    for (until, share) in [("first", 0.0), ("3", 0.5)] {
        let awaits = format!("{{subscribers: 5, until: {until}}}");
        let measure = broadcast(&awaits, "10s", "delay: {exponential: {mean: 4ms}}");
        let meter = measure.deliveries(SAY).unwrap();
        let counts = counts(&measure);
        assert_eq!((counts.expected, counts.delivered), (2000, 2000), "{until}");
        let response = measure.total().window.latencies.response().sum_nanos();
        let [first, last] = [meter.first(), meter.last()].map(|of| of.from_intended.sum_nanos());
        match share {
            0.0 => assert_eq!(response, first),
            _ => assert!(first < response && response < last, "{until}"),
        }
    }
}

#[test]
fn what_a_fan_out_loses_is_missing() {
    let measure = broadcast("{deliveries: 5}", "1s", "delay: 1ms, loss: 20%");
    let (delivered, lost) = fan_out(&measure);
    let counts = counts(&measure);
    assert!(lost > 300, "{lost}");
    assert_eq!((counts.expected, counts.missing()), (2000, lost));
    assert_eq!(counts.delivered, delivered);
    assert_eq!(counts.duplicates + counts.late + counts.unmatched, 0);
    let requests = measure.total().window.requests;
    assert!(requests.ended(Outcome::TimedOut) > 200);
    assert_eq!(
        requests.ended(Outcome::Ok) + requests.ended(Outcome::TimedOut),
        400
    );
}

#[test]
fn what_comes_after_the_timeout_is_late_and_missing() {
    let measure = broadcast(
        "{deliveries: 5}",
        "15ms",
        "delay: {exponential: {mean: 8ms}}",
    );
    let (delivered, lost) = fan_out(&measure);
    let counts = counts(&measure);
    assert_eq!(lost, 0);
    assert!(counts.late > 100, "{counts:?}");
    assert_eq!(counts.delivered + counts.late, delivered);
    assert_eq!(counts.missing(), counts.expected - counts.delivered);
    assert_eq!(counts.duplicates + counts.unmatched, 0);
}

#[test]
fn more_than_was_to_come_is_a_duplicate() {
    let measure = broadcast("{deliveries: 3}", "1s", "delay: {exponential: {mean: 1ms}}");
    let (delivered, _) = fan_out(&measure);
    let counts = counts(&measure);
    assert_eq!((counts.expected, counts.delivered), (1200, 1200));
    assert_eq!((counts.duplicates, delivered), (800, 2000));
}

#[test]
fn what_queues_for_a_subscriber_is_delivered_when_it_is_taken_in() {
    let awaits = "{deliveries: 5}";
    let measure = broadcast(awaits, "10s", "delay: 1ms, service: t");
    let counts = counts(&measure);
    assert_eq!((counts.expected, counts.delivered), (2000, 2000));
    let meter = measure.deliveries(SAY).unwrap();
    let delivered = measure.fan_outs()[0].deliveries();
    assert_eq!(
        delivered.times.sum_nanos(),
        meter.each().from_intended.sum_nanos()
    );
}

/// A publication whose consumer fails every third time, awaited from it.
#[test]
fn what_a_consumer_works_on_again_is_a_duplicate() {
    let measure = measured(
        "{blis: 1, name: t, run: {requests: 300, drain: 30s}, clients: {c: {concurrency: 5, think: 1ms, timeout: 10s, do: say}}, \
         actions: {say: {path: [{publish: log}, reply], await: {}}}, services: {s: {workers: 2, time: 1ms, errors: 30%}}, \
         streams: {log: {consumers: {reader: {service: s, max_deliver: 10}}}}}",
    );
    let counts = counts(&measure);
    let messages = measure.consumers()[ConsumerId(0).index()].messages();
    assert!(messages.redelivered > 50, "{messages:?}");
    assert_eq!((counts.expected, counts.delivered), (300, 300));
    assert_eq!(counts.duplicates, messages.redelivered);
    assert_eq!(counts.late + counts.unmatched, 0);
}

/// The way to a fan-out may lead over a stream, and the reply may be there long before.
#[test]
fn what_consumers_emit_is_for_the_request_that_published() {
    let measure = measured(
        "{blis: 1, name: t, run: {requests: 200, drain: 10s}, clients: {c: {rate: 100/s, timeout: 5s, do: say}}, actions: {say: \
         {path: [{publish: log}, reply], await: {deliveries: 4}}, tell: {path: [{emit: room}, reply]}}, services: {s: {workers: 2, \
         time: 5ms}}, streams: {log: {consumers: {reader: {service: s, during: [{emit: room}]}}}}, fan_outs: {room: {subscribers: \
         4, delay: 2ms}}}",
    );
    let counts = counts(&measure);
    assert_eq!((counts.expected, counts.delivered), (800, 800));
    let total = measure.total();
    let response = total.window.latencies.response();
    assert!(response.min().unwrap() >= Span::from_nanos(7_000_000));
}

/// Two messages of a request are two deliveries, wherever on its way they are emitted.
#[test]
fn each_message_of_a_request_is_delivered() {
    let measure = measured(
        "{blis: 1, name: t, run: {requests: 200, drain: 10s}, clients: {c: {rate: 100/s, timeout: 1s, do: say}}, actions: {say: \
         {path: [{publish: log}, {publish: log}, reply], await: {deliveries: 2}}}, services: {s: {workers: 2, time: 1ms}}, \
         streams: {log: {consumers: {reader: {service: s, during: [{emit: room}]}}}}, fan_outs: {room: {subscribers: 1, delay: \
         1ms}}}",
    );
    let counts = counts(&measure);
    assert_eq!((counts.expected, counts.delivered), (400, 400));
    assert_eq!(counts.duplicates, 0);
}

/// A request that a consumer answered and that times out while it waits for deliveries has no work left to be given up.
#[test]
fn what_others_do_is_not_given_up_with_a_request() {
    for heed in ["leave", "abandon"] {
        let measure = measured(&format!(
            "{{blis: 1, name: t, run: {{requests: 3000, drain: 100s}}, clients: {{talkers: {{concurrency: 20, timeout: 100ms, do: say, \
             on_failure: {{respawn: true}}}}, askers: {{concurrency: 20, timeout: 60s, do: tell}}}}, actions: {{say: {{path: \
             [{{publish: log}}], await: {{}}}}, tell: {{path: [{{visit: api}}, reply]}}}}, services: {{s: {{workers: 2, time: 1ms}}, api: \
             {{workers: 4, time: 5ms, on_timeout: {heed}}}}}, streams: {{log: {{consumers: {{c: {{service: s, during: [reply, {{emit: \
             room}}]}}}}}}}}, fan_outs: {{room: {{subscribers: 1, delay: 1ms, loss: 50%}}}}}}"
        ));
        let told = measure.action(ActionId(1)).requests();
        assert_eq!(told.ended(Outcome::Ok), told.ended_total(), "{heed}");
        assert!(measure.action(SAY).requests().ended(Outcome::TimedOut) > 100);
    }
}

/// Without a timeout nobody gives up: what comes is delivered, however late.
#[test]
fn without_a_timeout_nothing_is_late() {
    let measure = measured(
        "{blis: 1, name: t, run: {horizon: 20s, drain: 4s}, clients: {c: {rate: 10/s, do: say}}, actions: {say: {path: [{emit: \
         room}, reply], await: {subscribers: 2, until: first}}}, fan_outs: {room: {subscribers: 2, each: 1500ms}}}",
    );
    let counts = counts(&measure);
    assert_eq!((counts.late, counts.missing()), (0, 0));
}

/// A crowd that a fan-out reaches at one instant is no model that goes round.
#[test]
fn a_large_fan_out_takes_no_time_and_is_told_apart_from_standing_still() {
    let measure = measured(
        "{blis: 1, name: t, run: {requests: 20}, clients: {c: {concurrency: 20, do: say}}, actions: {say: {path: [{emit: room}, \
         reply], await: {deliveries: 100000}}}, fan_outs: {room: {subscribers: 100000, delay: 1ms}}}",
    );
    assert_eq!(counts(&measure).delivered, 2_000_000);
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn whatever_arrives_counts_once(
        subscribers in 1u32..8,
        deliveries in 1u32..8,
        until in 1u32..8,
        loss in 0u32..40,
        timeout in 4u32..40,
        queues in any::<bool>(),
        stay in any::<bool>(),
    ) {
        let until = until.min(deliveries);
        let one = subscribers.min(deliveries);
        let service = if queues { ", service: t" } else { "" };
        let on_timeout = if stay { "stay" } else { "abandon" };
        let measure = measured(&format!(
            "{{blis: 1, name: t, run: {{requests: 150, drain: 10s}}, clients: {{c: {{concurrency: 9, think: 2ms, timeout: \
             {timeout}ms, do: {{say: 3, tell: 1}}, on_failure: {{respawn: true}}}}}}, actions: {{say: {{path: [{{visit: s}}, {{emit: \
             room}}, reply], await: {{subscribers: {one}, deliveries: {deliveries}, until: {until}}}}}, tell: {{path: [{{emit: room}}]}}}}, \
             services: {{s: {{workers: 2, time: {{exponential: {{mean: 5ms}}}}, on_timeout: {on_timeout}}}, t: {{workers: 3, time: \
             1ms}}}}, fan_outs: {{room: {{subscribers: {subscribers}, loss: {loss}%, delay: {{exponential: {{mean: 6ms}}}}{service}}}}}}}"
        ));
        let whole = counts(&measure);
        let requests = measure.action(SAY).requests();
        let sent = requests.ended_total() - requests.ended(Outcome::Dropped);
        prop_assert_eq!(whole.requests, sent);
        prop_assert_eq!(whole.expected, sent * u64::from(deliveries));
        prop_assert!(whole.delivered <= whole.expected);
        prop_assert_eq!(whole.expected, whole.delivered + whole.missing());
        prop_assert_eq!(whole.unmatched, 0);
        // Those of the other action are nobody's.
        let (arrived, _) = fan_out(&measure);
        prop_assert!(whole.delivered + whole.duplicates + whole.late <= arrived);
    }
}
