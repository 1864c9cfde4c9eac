//! Members of a queue group that are not alike: how they are written, what is refused, and what follows from it.

use blis_sim::analysis::{Binds, constraints, estimate, exact, offered};
use blis_sim::measure::Measure;
use blis_sim::model::{Model, ServiceId};
use blis_sim::simulation::Simulation;
use blis_sim::spec;

fn text(client: &str, service: &str) -> String {
    format!(
        "blis: 1\nname: m\nrun: {{horizon: 100s}}\nclients: {{c: {{{client}, do: a, timeout: 100h}}}}\n\
         actions: {{a: {{path: [{{visit: s}}, reply]}}}}\nservices:\n  s: {{{service}}}\n"
    )
}

fn lowered(text: &str) -> Result<Model, Vec<String>> {
    let told = |errors: spec::SpecErrors| {
        let told = errors.iter().map(|error| match &error.help {
            Some(help) => format!("{error}; {help}"),
            None => error.to_string(),
        });
        told.collect::<Vec<_>>()
    };
    let read = spec::read(text).map_err(told)?;
    Ok(spec::lower(&read).map_err(told)?.model)
}

fn model(client: &str, service: &str) -> Model {
    lowered(&text(client, service)).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn measured(model: &Model) -> Measure {
    let mut simulation = Simulation::new(model, Measure::new(model));
    simulation.run().expect("time goes on");
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure.finish(intended).expect("the books balance");
    measure
}

fn mean_response(model: &Model) -> f64 {
    let measure = measured(model);
    let total = measure.total();
    let response = total.window.latencies.response();
    response.mean_nanos().expect("requests") / 1e9
}

fn near(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
}

/// The same model has the same draws and the same figures.
#[test]
fn a_list_of_members_that_are_alike_is_their_number() {
    let open = "rate: 50/s";
    for (listed, number) in [
        (
            "members: [{workers: 2}, {workers: 2}, {workers: 2}]",
            "workers: 2, members: 3",
        ),
        (
            "members: [{workers: 2, count: 3}]",
            "workers: 2, members: 3",
        ),
        (
            "workers: 2, members: [{}, {count: 2, speed: 1}]",
            "workers: 2, members: 3",
        ),
        ("members: [{workers: 4}]", "workers: 4"),
        (
            "workers: 1, members: [{count: 2}], dispatch: shared",
            "workers: 1, members: 2, dispatch: shared",
        ),
    ] {
        let [listed, number] =
            [listed, number].map(|members| model(open, &format!("{members}, time: 10ms")));
        assert_eq!(listed, number);
    }
}

#[test]
fn what_is_written_back_is_the_same_model() {
    let text = text(
        "rate: 50/s",
        "workers: 3, members: [{count: 2, speed: 0.5}, {workers: 1}], dispatch: least_loaded, time: 10ms",
    );
    let read = spec::read(&text).expect("a spec");
    let resolved = spec::resolved(&read);
    assert!(
        resolved.contains("      - {count: 2, workers: 3, speed: 0.5}\n      - {count: 1, workers: 1, speed: 1}\n    dispatch: least_loaded\n"),
        "{resolved}"
    );
    assert_eq!(lowered(&resolved), lowered(&text));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |service: &str| {
        lowered(&text("rate: 1/s", &format!("{service}, time: 1ms"))).expect_err(service)
    };
    for (service, told) in [
        ("members: []", "there must be at least one member"),
        (
            "members: [{workers: 0}]",
            "there must be at least one worker",
        ),
        (
            "members: [{workers: 1, count: 0}]",
            "there must be at least one member",
        ),
        (
            "members: [{workers: 1}, {speed: 2}]",
            "a member needs the key `workers`, because its service has none",
        ),
        (
            "members: [{workers: 1, speed: 0}]",
            "a speed of 0 is out of range",
        ),
        (
            "members: [{workers: 1, speed: 1e7}]",
            "a speed of 10000000 is out of range",
        ),
        (
            "members: [{workers: 1, speed: 0.0000001}]",
            "a speed of 0.0000001 is out of range",
        ),
        (
            "members: [{workers: 1, speed: 0.5}, {workers: 1}], dispatch: shared",
            "members that share one queue must have the same speed",
        ),
        (
            "members: [{workers: 1, count: 600000}, {workers: 2, count: 600000}]",
            "1200000 members are too many",
        ),
        (
            "members: [{workers: 1, pace: 2}]",
            "`pace` is not a key of a member",
        ),
        (
            "workers: 2, members: [{workers: 1}, {workers: 1}]",
            "`workers` has no effect: every member has its own `workers`",
        ),
        (
            "members: [{workers: 1}], dispatch: random",
            "`dispatch` has no effect on a service with one member",
        ),
        ("members: 2", "a service needs the key `workers`"),
        ("errors: 1%", "a service needs the key `workers`"),
        (
            "workers: 1, members: {workers: 1}",
            "is not a number of members or a list of them; write `members: 4`, or a list such as",
        ),
        (
            "members: [{workers: 2}, {workers: 9}], queue: {order: {shared: {limit: 5}}}",
            "a limit of 5 requests leaves some of the 9 workers always idle",
        ),
        (
            "members: [{workers: 1}, {workers: 2}], outages: [{from: 1s, to: 2s, member: 3}]",
            "there is no member 3",
        ),
    ] {
        let errors = refused(service);
        assert!(
            errors.iter().any(|error| error.contains(told)),
            "{service}: {errors:#?}"
        );
    }
    let negative = refused("members: [{workers: 1, speed: -1}]");
    assert_eq!(negative.len(), 1, "{negative:#?}");
}

#[test]
fn a_service_time_is_divided_by_the_speed() {
    for (service, seconds) in [
        ("members: [{workers: 1, speed: 0.5}], time: 10ms", 0.02),
        ("members: [{workers: 1, speed: 4}], time: 10ms", 0.0025),
        // Both shares of a worker that is shared.
        (
            "members: [{workers: 1, speed: 0.5}], time: 10ms, queue: {order: shared}",
            0.02,
        ),
        (
            "members: [{workers: 1, speed: 2}], time: 10ms, slow_downs: [{from: 0s, to: 200s, factor: 3}]",
            0.015,
        ),
        (
            "members: [{workers: 1, speed: 2, count: 3}], dispatch: shared, time: 10ms",
            0.005,
        ),
    ] {
        near(
            mean_response(&model("rate: 10/s, arrival: constant", service)),
            seconds,
        );
    }
}

#[test]
fn each_member_has_its_own_workers_and_its_own_speed() {
    // One at a time: the first of equals is asked, the slow one.
    let one = "concurrency: 1";
    let service =
        "members: [{workers: 1, speed: 0.5}, {workers: 2}], dispatch: least_loaded, time: 10ms";
    near(mean_response(&model(one, service)), 0.02);
    // Of four at once two go to each: the slow one has one worker for both, the other two.
    let four = "arrival: {burst: {count: 4}}";
    near(
        mean_response(&model(four, service)),
        (0.02 + 0.04 + 0.01 + 0.01) / 4.0,
    );
}

/// Deliveries are asked for by as many requests as a member has workers.
#[test]
fn members_of_a_consumer_ask_for_what_they_can_do() {
    let text = "blis: 1\nname: m\nrun: {horizon: 10s}\nclients: {c: {rate: 100/s, arrival: constant, do: a}}\n\
         actions: {a: {path: [{publish: q}, reply]}}\n\
         services: {w: {members: [{workers: 1}, {workers: 3}], time: 30ms}}\n\
         streams: {q: {consumers: {c: {service: w}}}}\n";
    let model = lowered(text).expect("a model");
    let measure = measured(&model);
    let areas = measure.stations()[0].window_areas();
    // 3 of 4 workers are busy all the time: were one of the members asked as often as the other, 2 would be.
    let busy = areas.busy as f64 / 1e10;
    assert!((2.9..=3.01).contains(&busy), "{busy}");
    // What a member has not asked for does not wait there.
    assert_eq!(areas.waiting, 0);
    near(offered(&model).services[0].utilisation(), 0.75);
}

#[test]
fn what_a_service_carries_is_what_its_members_do() {
    let carried = |service: &str| {
        let model = model("rate: 60/s", &format!("{service}, time: 10ms"));
        let all = constraints(&model);
        let workers = all
            .all
            .iter()
            .find(|one| one.binds == Binds::Workers(ServiceId(0)));
        let workers = *workers.expect("it is visited");
        near(
            all.offered.services[0].capacity().expect("it is visited"),
            workers.per_second(),
        );
        (workers.per_second(), all.offered.services[0].utilisation())
    };
    let is = |found: (f64, f64), capacity: f64, utilisation: f64| {
        near(found.0, capacity);
        near(found.1, utilisation);
    };
    is(carried("members: [{workers: 1}, {workers: 1}]"), 200.0, 0.3);
    // Of two that are drawn as often as each other, the slow one is full when half of 100/s are for it.
    let slow = "members: [{workers: 1, speed: 0.5}, {workers: 1}]";
    is(carried(slow), 100.0, (0.6 + 0.3) / 2.0);
    let preferred = format!("{slow}, dispatch: least_loaded");
    is(carried(&preferred), 150.0, 0.6 / 1.5);
    is(
        carried("members: [{workers: 1}, {workers: 3}]"),
        200.0,
        0.15,
    );
    is(
        carried("members: [{workers: 1}, {workers: 3}], dispatch: shared"),
        400.0,
        0.15,
    );
    is(
        carried("members: [{workers: 2, speed: 0.5, count: 2}]"),
        200.0,
        0.3,
    );
}

#[test]
fn the_busy_share_is_what_the_load_says() {
    let model = model(
        "rate: 60/s",
        "members: [{workers: 1, speed: 0.5}, {workers: 1}], time: 10ms",
    );
    let areas = measured(&model).stations()[0].window_areas();
    let simulated = areas.busy as f64 / 1e11 / 2.0;
    let expected = offered(&model).services[0].utilisation();
    assert!(
        (simulated / expected - 1.0).abs() < 0.05,
        "{simulated} {expected}"
    );
}

#[test]
fn members_that_are_drawn_at_random_are_queues_of_their_own() {
    let time = "time: {exponential: {mean: 10ms}}";
    let found = exact(&model(
        "rate: 60/s",
        &format!("members: [{{workers: 1, speed: 0.5}}, {{workers: 1}}], {time}"),
    ));
    let found = found.expect("two queues");
    assert_eq!(found.form, "M/M/1 + M/M/1");
    // 30/s at 50/s and at 100/s.
    let (slow, fast) = (1.0 / 20.0, 1.0 / 70.0);
    near(found.response, (slow + fast) / 2.0);
    let (_, means) = &found.services[0];
    near(means.utilisation, 0.45);
    near(means.in_system, 60.0 * found.response);
    let median = found.quantiles.expect("exponential")[0];
    near((-20.0 * median).exp() + (-70.0 * median).exp(), 1.0);

    let one = exact(&model(
        "rate: 60/s",
        &format!("members: [{{workers: 1, speed: 2}}], {time}"),
    ));
    near(one.expect("one queue").response, 1.0 / 140.0);
    let constant = exact(&model(
        "rate: 60/s",
        "members: [{workers: 1, speed: 0.5}, {workers: 1}], time: 10ms",
    ));
    let constant = constant.expect("two queues");
    // Pollaczek and Khinchine, at 0.6 and at 0.3.
    near(
        constant.response,
        (0.02 + 0.6 * 0.02 / 0.8 + 0.01 + 0.3 * 0.01 / 1.4) / 2.0,
    );
    let none = |client: &str, service: &str, why: &str| {
        let model = model(client, &format!("{service}, {time}"));
        assert_eq!(exact(&model).expect_err("no form"), why);
        assert_eq!(estimate(&model, &blis_sim::analysis::offered(&model)), None);
    };
    let differ = "members: [{workers: 1, speed: 0.5}, {workers: 1}]";
    none(
        "concurrency: 2",
        differ,
        "the members of service s differ in a closed model",
    );
    none(
        "rate: 1/s",
        &format!("{differ}, dispatch: least_loaded"),
        "the members of service s differ",
    );
    none(
        "rate: 1/s",
        &format!("{differ}, queue: {{limit: 3}}"),
        "the members of service s differ",
    );
    let full = exact(&model("rate: 100/s", &format!("{differ}, {time}")));
    assert!(
        full.expect_err("it is full")
            .contains("1.00 of the capacity of the workers")
    );
}
