//! The backend's disciplines and streams against closed forms and hand-made cases.

use std::collections::{BTreeMap, BTreeSet};

use blis_sim::analysis::exact as closed_form;
use blis_sim::event::{Event, Outcome, Sink};
use blis_sim::measure::Measure;
use blis_sim::model::{ActionId, Model, ServiceId};
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::theory::{Priorities, PriorityClass, ProcessorSharing};
use blis_sim::time::{Span, Time};

fn model(text: &str) -> Model {
    let read = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    let lowered = spec::lower(&read).unwrap_or_else(|errors| panic!("{errors:?}"));
    lowered.model
}

/// The measurements of a spec, with all identities checked.
fn measured(text: &str) -> Measure {
    let model = model(text);
    let mut simulation = Simulation::new(&model, Measure::new(&model));
    simulation.run().expect("time goes on");
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure.finish(intended).expect("the books balance");
    measure
}

/// Mean response time of an action in seconds.
fn response(measure: &Measure, action: u16) -> f64 {
    let cell = measure.action(ActionId(action));
    cell.window
        .latencies
        .response()
        .mean_nanos()
        .expect("requests")
        / 1e9
}

fn near(simulated: f64, exact: f64, within: f64) {
    let off = simulated / exact - 1.0;
    assert!(off.abs() < within, "{simulated} is {off:+.4} off {exact}");
}

/// Two classes of Poisson requests at one worker, with this order.
fn two_classes(order: &str) -> Measure {
    let class = match order.contains("classes") {
        true => "class: urgent, ",
        false => "",
    };
    measured(&format!(
        "{{blis: 1, name: t, seed: 5, run: {{horizon: 20000s, warmup: 200s}},\n \
         clients: {{a: {{rate: 30/s, do: fast, timeout: 100h}}, b: {{rate: 40/s, do: slow, timeout: 100h}}}},\n \
         actions: {{fast: {{{class}path: [{{visit: s}}, reply]}}, slow: {{path: [{{visit: s}}, reply]}}}},\n \
         services: {{s: {{workers: 1, time: {{exponential: {{mean: 12ms}}}}, queue: {{order: {order}}}}}}}}}"
    ))
}

fn exact(preemptive: bool) -> [f64; 2] {
    let class = |rate| PriorityClass {
        rate,
        service: 0.012,
        scv: 1.0,
    };
    let classes = [class(30.0), class(40.0)];
    let forms = match preemptive {
        true => Priorities::preemptive_resume(&classes),
        false => Priorities::non_preemptive(&classes),
    };
    let forms = forms.expect("stable");
    [forms.classes[0].response, forms.classes[1].response]
}

#[test]
fn priorities_are_those_of_cobham() {
    let measure = two_classes("{priority: {classes: [urgent]}}");
    let [urgent, other] = exact(false);
    near(response(&measure, 0), urgent, 0.02);
    near(response(&measure, 1), other, 0.05);
}

#[test]
fn preempted_work_goes_on_from_where_it_was() {
    let measure = two_classes("{priority: {classes: [urgent], preempt: true}}");
    let [urgent, other] = exact(true);
    near(response(&measure, 0), urgent, 0.02);
    near(response(&measure, 1), other, 0.05);
    assert!(measure.stations()[0].visits().preempted > 10_000);
}

#[test]
fn long_ageing_is_priority_and_short_ageing_is_fifo() {
    let long = two_classes("{priority: {classes: [urgent], ageing: 100h}}");
    let plain = two_classes("{priority: {classes: [urgent]}}");
    assert_eq!(response(&long, 1), response(&plain, 1));
    let short = two_classes("{priority: {classes: [urgent], ageing: 1ns}}");
    let fifo = two_classes("fifo");
    near(response(&short, 0), response(&fifo, 0), 1e-3);
}

#[test]
fn equal_timeouts_make_the_earliest_deadline_the_first_come() {
    let deadline = two_classes("deadline");
    let fifo = two_classes("fifo");
    assert_eq!(response(&deadline, 0), response(&fifo, 0));
}

#[test]
fn processor_sharing_is_insensitive_to_the_service_time() {
    for time in [
        "{exponential: {mean: 12ms}}",
        "12ms",
        "{hyperexponential: {mean: 12ms, cv: 2}}",
    ] {
        let measure = measured(&format!(
            "{{blis: 1, name: t, seed: 9, run: {{horizon: 20000s, warmup: 200s}}, clients: {{a: {{rate: 60/s, do: a}}}},\n \
             actions: {{a: {{path: [{{visit: s}}, reply]}}}},\n \
             services: {{s: {{workers: 1, time: {time}, queue: {{order: shared}}}}}}}}"
        ));
        let form = ProcessorSharing::new(1, 60.0, 0.012).expect("stable");
        near(response(&measure, 0), form.means.response, 0.04);
    }
}

#[test]
fn fair_queueing_shields_a_modest_client_from_a_greedy_one() {
    let order = |order: &str| {
        measured(&format!(
            "{{blis: 1, name: t, seed: 5, run: {{horizon: 2000s}},\n \
             clients: {{modest: {{rate: 10/s, do: a}}, greedy: {{rate: 100/s, do: b}}}},\n \
             actions: {{a: {{path: [{{visit: s}}, reply]}}, b: {{path: [{{visit: s}}, reply]}}}},\n \
             services: {{s: {{workers: 1, time: 10ms, queue: {{limit: 100, order: {order}}}}}}}}}"
        ))
    };
    let (fair, fifo) = (order("fair"), order("fifo"));
    assert!(response(&fair, 0) < 0.025, "{}", response(&fair, 0));
    assert!(response(&fifo, 0) > 0.5, "{}", response(&fifo, 0));
}

#[test]
fn a_held_worker_is_busy_until_the_nested_steps_are_done() {
    let measure = measured(
        "{blis: 1, name: t, run: {horizon: 100s}, clients: {a: {rate: 10/s, arrival: constant, do: a}},\n \
         actions: {a: {path: [{visit: {service: gate, during: [{visit: store}, {delay: 5ms}]}}, reply]}},\n \
         services: {gate: {workers: 1, time: 10ms}, store: {workers: 1, time: 20ms}}}",
    );
    near(response(&measure, 0), 0.035, 1e-9);
    let busy = measure.stations()[0].window_areas().busy as f64 / 1e9;
    near(busy, 35.0, 0.01);
}

/// Whatever goes wrong while a worker is held answers the user at once, as it would without the worker.
#[test]
fn a_failure_while_a_worker_is_held_answers_the_user() {
    let cases = [
        ("{visit: store}", "errors: 100%", Outcome::AppError),
        (
            "{visit: store}",
            "admission: {in_flight: 1}, outages: [{from: 0s, to: 100s}]",
            Outcome::TransportError,
        ),
        ("{visit: full}", "errors: 100%", Outcome::Rejected),
        (
            "{branch: [{weight: 999, path: [{fail: app_error}]}, {weight: 1, path: []}]}",
            "errors: 100%",
            Outcome::AppError,
        ),
        (
            "{branch: [{weight: 999, path: [{fail: transport_error}]}, {weight: 1, path: []}]}",
            "errors: 100%",
            Outcome::TransportError,
        ),
        (
            "{visit: {service: store, during: [{branch: [{weight: 999, path: [{fail: rejected}]}, {weight: 1, path: []}]}]}}",
            "errors: 0%",
            Outcome::Rejected,
        ),
    ];
    for (during, store, expected) in cases {
        let measure = measured(&format!(
            "{{blis: 1, name: t, run: {{horizon: 10s}}, clients: {{a: {{rate: 100/s, do: ask, timeout: 5s}}, \
             b: {{rate: 1/s, arrival: constant, do: block}}}},\n \
             actions: {{ask: {{path: [{{visit: {{service: gate, during: [{during}]}}}}, reply]}}, \
             block: {{path: [{{visit: full}}, {{visit: store}}, reply]}}}},\n \
             services: {{gate: {{workers: 50, time: 1ms}}, store: {{workers: 50, time: 2ms, {store}}}, \
             full: {{workers: 1, time: 100s, queue: {{limit: 0}}}}}}}}"
        ));
        let cell = measure.action(ActionId(0));
        let requests = cell.requests();
        let held_up = requests.ended(Outcome::TimedOut) + requests.ended(Outcome::Unresolved);
        // The first to come may be the one that fills the service that has no line.
        assert!(held_up <= 1, "{during}: {requests:?}");
        assert!(
            requests.ended(expected) + 10 >= requests.intended,
            "{during}: {requests:?}"
        );
        let response = cell.window.latencies.response().max().unwrap_or(Span::ZERO);
        assert!(
            held_up == 1 || response < Span::from_nanos(1_000_000_000),
            "{during}: {response:?}"
        );
    }
}

#[test]
fn a_fork_waits_for_all_for_the_first_or_for_none() {
    for (join, expected) in [("all", 0.030), ("first", 0.010), ("none", 0.001)] {
        let measure = measured(&format!(
            "{{blis: 1, name: t, run: {{horizon: 10s}}, clients: {{a: {{rate: 10/s, arrival: constant, do: a}}}},\n \
             actions: {{a: {{path: [{{delay: 1ms}}, {{parallel: {{join: {join}, paths: [[{{delay: 9ms}}], [{{delay: 29ms}}]]}}}}, reply]}}}}}}"
        ));
        near(response(&measure, 0), expected, 1e-9);
    }
}

/// A stream of 100 messages a second whose one consumer has these keys.
fn stream(consumer: &str, service: &str) -> Measure {
    measured(&format!(
        "{{blis: 1, name: t, run: {{horizon: 100s, drain: 1h}},\n \
         clients: {{a: {{rate: 100/s, arrival: constant, do: a}}}}, actions: {{a: {{path: [{{publish: log}}, reply]}}}},\n \
         streams: {{log: {{consumers: {{c: {{service: s{consumer}}}}}}}}}, services: {{s: {{{service}}}}}}}"
    ))
}

#[test]
fn every_message_is_worked_on_once() {
    let measure = stream("", "workers: 2, time: 15ms");
    let counts = measure.consumers()[0].messages();
    assert_eq!((counts.stored, counts.acknowledged), (10_000, 10_000));
    assert_eq!((counts.redelivered, counts.naks), (0, 0));
    assert_eq!(measure.stations()[0].visits().completed, 10_000);
}

#[test]
fn a_failed_delivery_is_made_again_up_to_the_limit() {
    let measure = stream(", max_deliver: 3", "workers: 4, time: 1ms, errors: 50%");
    let counts = measure.consumers()[0].messages();
    assert_eq!(counts.acknowledged + counts.exhausted, 10_000);
    near(counts.exhausted as f64, 1250.0, 0.1);
    near(counts.redelivered as f64, 7500.0, 0.05);
}

#[test]
fn work_that_takes_longer_than_ack_wait_is_delivered_again_while_it_runs() {
    let measure = stream(
        ", ack_wait: 20ms, max_deliver: 2",
        "workers: 10, time: 30ms",
    );
    let counts = measure.consumers()[0].messages();
    assert_eq!((counts.expired, counts.redelivered), (10_000, 10_000));
    assert_eq!((counts.acknowledged, counts.repeated), (10_000, 10_000));
}

#[test]
fn no_more_messages_are_out_than_may_be_unacknowledged() {
    let measure = stream(", max_ack_pending: 3", "workers: 10, time: 50ms");
    assert_eq!(measure.consumers()[0].peaks().each.ack_pending, 3);
    // 3 of 50 ms each carry 60 of 100 messages per second.
    assert!(measure.consumers()[0].peaks().total > 3_900);
}

#[test]
fn a_batch_closes_by_size_or_by_linger() {
    let by_size = stream(
        ", batch: {size: 10, per_batch: 20ms, per_item: 1ms}",
        "workers: 1, time: 1ms",
    );
    assert_eq!(by_size.stations()[0].visits().completed, 1_000);
    let busy = by_size.stations()[0].window_areas().busy as f64 / 1e9;
    near(busy, 30.0, 0.01);
    let by_linger = stream(", batch: {linger: 95ms}", "workers: 1, time: 1ms");
    // The first message and the nine of the next 95 ms.
    assert_eq!(by_linger.stations()[0].visits().completed, 1_000);
}

#[test]
fn retries_within_the_duplicate_window_are_stored_once() {
    let measure = measured(
        "{blis: 1, name: t, run: {horizon: 10s}, clients: {a: {rate: 10/s, arrival: constant, do: a, timeout: 5ms,\n \
         on_failure: {retry: {times: 2}}}}, actions: {a: {path: [{publish: log}, {delay: 50ms}, reply]}},\n \
         streams: {log: {duplicate_window: 1s, consumers: {c: {service: s}}}}, services: {s: {workers: 1, time: 1ms}}}",
    );
    let publications = measure.streams()[0].publications();
    assert_eq!(publications.stored, 100);
    // The retries of the last request would come after the horizon.
    assert_eq!(publications.duplicates, 198);
}

#[test]
fn a_consumer_can_answer_the_request_that_published() {
    let measure = measured(
        "{blis: 1, name: t, run: {horizon: 10s}, clients: {a: {rate: 10/s, arrival: constant, do: a}},\n \
         actions: {a: {path: [{publish: log}]}}, services: {s: {workers: 1, time: 4ms}},\n \
         streams: {log: {append: 1ms, consumers: {c: {service: s, during: [{delay: 3ms}, reply, {delay: 9ms}]}}}}}",
    );
    near(response(&measure, 0), 0.008, 1e-9);
}

#[test]
fn what_answers_nobody_is_done_when_it_is_sent() {
    let measure = measured(
        "{blis: 1, name: t, run: {horizon: 10s}, clients: {a: {rate: 10/s, do: a}}, network: {one_way: 1ms},\n \
         actions: {a: {path: [{visit: s}]}}, services: {s: {workers: 1, time: 4ms}}}",
    );
    assert_eq!(response(&measure, 0), 0.0);
    assert!(measure.stations()[0].visits().completed > 50);
}

#[test]
fn an_emission_reaches_all_subscribers_and_costs_one_event() {
    let text = |subscribers: u32| {
        format!(
            "{{blis: 1, name: t, run: {{horizon: 10s}}, clients: {{a: {{rate: 10/s, arrival: constant, do: a}}}},\n \
             actions: {{a: {{path: [{{emit: room}}, reply]}}}}, fan_outs: {{room: {{subscribers: {subscribers}, each: 1us}}}}}}"
        )
    };
    let events = |text: &str| {
        let model = spec::lower(&spec::read(text).expect("a spec"))
            .expect("sound")
            .model;
        let mut simulation = Simulation::new(&model, Measure::new(&model));
        simulation.run().expect("time goes on");
        simulation.events()
    };
    assert_eq!(events(&text(1)), events(&text(1000)));
    let measure = measured(&text(1000));
    let counts = measure.fan_outs()[0].window_emissions();
    assert_eq!((counts.emissions, counts.deliveries), (100, 100_000));
}

#[test]
fn an_outage_loses_what_runs_and_turns_away_what_comes() {
    let outage = |down: &str| {
        measured(&format!(
            "{{blis: 1, name: t, run: {{horizon: 30s}}, clients: {{a: {{rate: 100/s, arrival: constant, do: a}}}},\n \
             actions: {{a: {{path: [{{visit: s}}, reply]}}}},\n \
             services: {{s: {{workers: 1, time: 9ms, outages: [{{from: 10.005s, to: 12s, down: {down}}}]}}}}}}"
        ))
    };
    let gone = outage("gone");
    let visits = gone.stations()[0].visits();
    assert_eq!((visits.lost_running, visits.unreachable), (1, 199));
    let hung = outage("hung");
    let visits = hung.stations()[0].visits();
    assert_eq!((visits.lost_running, visits.unreachable), (0, 0));
    assert_eq!(visits.completed, 3000);
    assert!(hung.stations()[0].max_waiting() >= 199);
}

#[test]
fn messages_survive_the_outage_of_their_consumer() {
    let measure = stream(
        ", ack_wait: 3s",
        "workers: 2, time: 15ms, outages: [{from: 20s, to: 25s, down: gone}]",
    );
    let counts = measure.consumers()[0].messages();
    assert_eq!(counts.acknowledged, 10_000);
    assert_eq!(counts.expired, measure.stations()[0].visits().lost_running);
    assert!(counts.expired > 0);
}

/// Kleinrock 1976, 4.4: every request takes the same multiple of its own service time, however that is distributed.
#[test]
fn visits_of_different_lengths_that_share_a_worker_have_the_slowdown_that_theory_says() {
    let text = "{blis: 1, name: t, seed: 5, run: {horizon: 20000s, warmup: 200s},\n \
         clients: {a: {rate: 30/s, do: short}, b: {rate: 10/s, do: long}},\n \
         actions: {short: {path: [{visit: s}, reply]},\n \
         long: {path: [{visit: {service: s, time: {lognormal: {mean: 40ms, cv: 2}}}}, reply]}},\n \
         services: {s: {workers: 1, time: 10ms, queue: {order: shared}}}}";
    let model = spec::lower(&spec::read(text).expect("a spec"))
        .expect("sound")
        .model;
    let theory = closed_form(&model).expect("processor sharing");
    assert_eq!(theory.form, "M/G/1 with processor sharing");
    // In the order of their names.
    let [(long, slow), (short, fast)] = theory.classes.as_slice() else {
        panic!("{:?}", theory.classes);
    };
    assert_eq!(
        (short.as_str(), long.as_str()),
        ("action short", "action long")
    );
    // A load of 0.3 and 0.4.
    near(*fast, 0.01 / 0.3, 1e-9);
    near(*slow, 0.04 / 0.3, 1e-9);
    let measure = measured(text);
    near(response(&measure, 0), *slow, 0.03);
    near(response(&measure, 1), *fast, 0.02);
}

#[test]
fn an_outage_that_nobody_notices_does_not_make_a_run_longer() {
    // One user, who does not come back after its first request, and whose message is worked on for 10 ms.
    let ends = |outage: &str| {
        let text = format!(
            "{{blis: 1, name: t, run: {{requests: 9, warmup: 0s}},\n \
             clients: {{a: {{concurrency: 1, think: 1s, on_failure: {{respawn: false}}, do: a}}}},\n \
             actions: {{a: {{path: [{{delay: 1s}}, {{publish: log}}, {{fail: app_error}}]}}}},\n \
             streams: {{log: {{consumers: {{c: {{service: s}}}}}}}},\n \
             services: {{s: {{workers: 1, time: 10ms{outage}}}}}}}"
        );
        let model = spec::lower(&spec::read(&text).expect("a spec"))
            .expect("sound")
            .model;
        let mut simulation = Simulation::new(&model, Measure::new(&model));
        simulation.run().expect("time goes on");
        let (now, events, intended) =
            (simulation.now(), simulation.events(), simulation.intended());
        let mut measure = simulation.into_sink();
        measure.finish(intended).expect("the books balance");
        let counts = measure.consumers()[0].messages();
        assert_eq!((counts.delivered, counts.acknowledged), (1, 1), "{outage}");
        (now.since(Time::ZERO).as_millis_f64(), events)
    };
    let (end, events) = ends("");
    assert!(end < 50_000.0, "{end}");
    for down in ["gone", "hung"] {
        let late = format!(", outages: [{{from: 50s, to: 60s, down: {down}}}]");
        assert_eq!(ends(&late), (end, events), "{down}");
        // This one has the message wait for its end.
        let noticed = format!(", outages: [{{from: 0s, to: 60s, down: {down}}}]");
        let (end, _) = ends(&noticed);
        assert_eq!(end, 60_010.0, "{down}");
    }
}

#[test]
fn admission_lets_in_what_its_tokens_allow() {
    let measure = measured(
        "{blis: 1, name: t, run: {horizon: 100s}, clients: {a: {rate: 100/s, arrival: constant, do: a}},\n \
         actions: {a: {path: [{visit: s}, reply]}},\n \
         services: {s: {workers: 10, time: 9ms, admission: {rate: 50/s, burst: 10}}}}",
    );
    let visits = measure.stations()[0].visits();
    assert!((5_000..=5_010).contains(&visits.completed), "{visits:?}");
}

#[test]
fn who_goes_round_at_one_instant_is_named() {
    let text = "{blis: 1, name: t, run: {horizon: 10s}, clients: {a: {rate: 1/s, do: a}},\n \
        actions: {a: {path: [{publish: log}, reply]}}, services: {s: {workers: 1, time: 0s, errors: 100%}},\n \
        streams: {log: {consumers: {c: {service: s}}}}}";
    let model = spec::lower(&spec::read(text).expect("a spec"))
        .expect("sound")
        .model;
    let still = Simulation::new(&model, Measure::new(&model)).run();
    let told = still.expect_err("naks without end").to_string();
    assert!(told.contains("mostly of consumer log/c"), "{told}");
}

/// Notes which services visits are of, and at which lines.
#[derive(Default)]
struct Lines(BTreeMap<ServiceId, BTreeSet<u32>>);

impl Sink for Lines {
    fn advance(&mut self, _now: Time) {}

    fn record(&mut self, _at: Time, event: Event<'_>) {
        if let Event::Visit { service, line, .. } = event {
            self.0.entry(service).or_default().insert(line);
        }
    }
}

#[test]
fn the_model_knows_the_lines_of_each_service_that_visits_are_told_of() {
    let model = model(
        "{blis: 1, name: t, seed: 5, run: {requests: 500}, clients: {u: {rate: 100/s, do: ask}},\n \
         actions: {ask: {path: [{visit: a}, {visit: b}, {visit: c}, reply]}},\n \
         services: {a: {members: 3, dispatch: random, workers: 1, time: 1ms},\n \
         b: {members: 4, dispatch: shared, workers: 2, time: 1ms},\n \
         c: {members: 2, dispatch: least_loaded, workers: 1, time: 20ms}}}",
    );
    let mut simulation = Simulation::new(&model, Lines::default());
    simulation.run().expect("time goes on");
    let seen = simulation.into_sink().0;
    assert_eq!(seen.len(), model.services.len());
    for (service, lines) in seen {
        let known: BTreeSet<u32> = model.lines_of(service).collect();
        assert_eq!(lines, known, "{service:?}");
    }
}

#[test]
fn a_model_is_asked_what_paths_do_without_a_backend() {
    let model = model(
        "{blis: 1, name: t, run: {requests: 1}, clients: {u: {rate: 1/s, do: {ask: 1, later: 1, log: 1, tell: 1}}},\n \
         actions: {ask: {path: [{visit: a}, reply]}, later: {path: [{delay: 1ms}, {visit: b}, {publish: audit}, reply]},\n \
         log: {path: [{publish: events}]}, tell: {path: [{publish: {stream: audit, subject: told}}, reply]}},\n \
         services: {a: {workers: 1, time: 1ms}, b: {workers: 1, time: 1ms}},\n \
         streams: {events: {consumers: {c: {service: b, during: [reply]}}}, audit: {consumers: {c: {service: b}}}}}",
    );
    let asked = |name: &str| {
        let at = model.actions.iter().position(|action| action.name == name);
        let id = ActionId(at.expect("an action") as u16);
        let entrance = model.entrance(id).map(|(service, at_once)| {
            let name = model.services[service.index()].name.clone();
            (name, at_once)
        });
        let stream = model.begins_with_stream(id).is_some();
        (entrance, stream, model.answers_itself(id))
    };
    assert_eq!(asked("ask"), (Some(("a".to_owned(), true)), false, true));
    // Its second visit, and what it publishes on its way, are not what it begins with.
    assert_eq!(asked("later"), (Some(("b".to_owned(), false)), false, true));
    // The path of the consumer, which stands after it, is not its own.
    assert_eq!(asked("tell"), (None, true, true));
    assert_eq!(asked("log"), (None, true, false));
}
