//! What a spec means: the model it is lowered to.

use blis_sim::dist::Dist;
use blis_sim::model::{
    Arrival, Client, Dispatch, Failure, Model, OnTimeout, Rounds, ServiceId, Source, Step, Visit,
};
use blis_sim::spec;
use blis_sim::time::{Span, Time};

/// A visit with the service's own time that holds no worker.
fn plain_visit(service: ServiceId) -> Step {
    Step::Visit(Visit {
        service,
        time: None,
        holds: false,
    })
}

fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .model
}

fn shipped(name: &str) -> Model {
    let path = format!("{}/../specs/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    model(&std::fs::read_to_string(path).expect("the spec is shipped"))
}

/// The smallest spec, with more keys for its client and its service.
fn small(client: &str, service: &str) -> Model {
    model(&format!(
        "blis: 1\nname: small\nrun: {{horizon: 1s}}\nclients:\n  c: {{{client}, do: a}}\n\
         actions: {{a: {{path: [visit: s, reply]}}}}\nservices:\n  s: {{{service}}}\n"
    ))
}

fn client<'a>(model: &'a Model, name: &str) -> &'a Client {
    model
        .clients
        .iter()
        .find(|client| client.name == name)
        .expect("the client is there")
}

fn millis(value: f64) -> Span {
    Span::from_nanos((value * 1e6) as u64)
}

#[test]
fn what_is_not_given_has_its_default() {
    let model = small("rate: 1/s", "workers: 2, time: 1ms");
    assert_eq!(model.seed, 1);
    assert_eq!(model.limits.requests, None);
    assert_eq!(model.limits.horizon, Some(Time::from_nanos(1_000_000_000)));
    assert_eq!(model.limits.warmup, Time::ZERO);
    assert_eq!(model.limits.drain, Span::from_secs(30));
    assert_eq!(model.one_way, None);
    let client = client(&model, "c");
    assert_eq!(client.timeout, None);
    assert_eq!(
        (client.on_failure.retries, client.on_failure.respawn),
        (0, true)
    );
    let poisson = Arrival::Renewal {
        interarrival: Dist::exponential(1e9).expect("a mean of a second"),
    };
    assert_eq!(
        client.source,
        Source::Open {
            arrival: poisson,
            shape: None,
            session: None
        }
    );
    let service = &model.services[0];
    assert_eq!(
        (
            service.members.count(),
            service.members.most_workers().get(),
            service.queue_limit
        ),
        (1, 2, None)
    );
    assert_eq!(
        (service.dispatch, service.errors, service.on_timeout),
        (Dispatch::Random, 0.0, OnTimeout::Stay)
    );
    assert_eq!(model.actions[0].slo, Default::default());
}

#[test]
fn weights_go_with_the_values_beside_them() {
    let time = |time: &str| {
        small("rate: 1/s", &format!("workers: 1, time: {time}")).services[0]
            .time
            .clone()
    };
    let seldom = time("{empirical: {values: [40ms, 8ms], weights: [1, 19]}}");
    let pairs = [(8e6, 19.0), (4e7, 1.0)];
    assert_eq!(
        seldom,
        Dist::empirical_weighted(&pairs).expect("two values")
    );
    assert!((seldom.mean() - 9.6e6).abs() < 1e-6);
    assert!((seldom.cdf(8e6) - 0.95).abs() < 1e-12);
    assert_eq!(time("1m30s").mean(), 9e10);
}

#[test]
fn a_mix_becomes_shares_and_sources_keep_their_kind() {
    let model = shipped("mixed");
    let shares: Vec<(usize, f64)> = client(&model, "browsers")
        .mix
        .shares
        .iter()
        .map(|(action, share)| (action.index(), *share))
        .collect();
    assert_eq!(shares, [(0, 0.9), (1, 0.1)]);
    let Source::Open {
        arrival,
        shape: None,
        session: None,
    } = &client(&model, "feed").source
    else {
        panic!("an open client")
    };
    assert_eq!(*arrival, Arrival::Constant { rate: 50.0 });
    let Source::Open {
        session: Some(session),
        ..
    } = &client(&model, "visitors").source
    else {
        panic!("sessions")
    };
    let Rounds::Uniform { min, max } = session.rounds else {
        panic!("uniform rounds")
    };
    assert_eq!((min.get(), max.get()), (2, 10));
    assert_eq!(session.think.mean(), 1.5e9);
    let names: Vec<&str> = model
        .clients
        .iter()
        .map(|client| client.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["browsers", "feed", "visitors"],
        "the order of the text is kept"
    );
}

#[test]
fn rounds_are_whole_numbers_or_rounded_draws() {
    let rounds = |written: &str| {
        let model = small(
            &format!("rate: 1/s, session: {{rounds: {written}}}"),
            "workers: 1, time: 1ms",
        );
        match model.clients.into_iter().next().map(|client| client.source) {
            Some(Source::Open {
                session: Some(session),
                ..
            }) => session.rounds,
            source => panic!("{source:?}"),
        }
    };
    assert!(matches!(rounds("3"), Rounds::Constant(number) if number.get() == 3));
    assert!(matches!(rounds("{constant: 4}"), Rounds::Constant(number) if number.get() == 4));
    assert_eq!(
        rounds("{exponential: {mean: 2.5}}"),
        Rounds::Rounded(Dist::exponential(2.5).expect("a mean"))
    );
}

#[test]
fn services_keep_what_they_were_given() {
    let model = shipped("overload");
    let service = |name: &str| {
        model
            .services
            .iter()
            .find(|service| service.name == name)
            .expect("it is there")
    };
    let orders = service("orders");
    assert_eq!(
        (orders.queue_limit, orders.errors, orders.on_timeout),
        (Some(100), 0.005, OnTimeout::Leave)
    );
    assert_eq!(
        (
            service("catalogue").queue_limit,
            service("catalogue").on_timeout
        ),
        (Some(10), OnTimeout::Abandon)
    );
    let burst = client(&model, "burst");
    assert_eq!(
        (burst.on_failure.retries, burst.on_failure.backoff.mean()),
        (2, 1e8)
    );
    assert_eq!(burst.timeout, Some(millis(250.0)));
    assert!(
        client(&model, "patient").on_failure.respawn
            && !client(&model, "impatient").on_failure.respawn
    );
    let groups = shipped("queue-groups");
    let dispatch: Vec<Dispatch> = groups
        .services
        .iter()
        .map(|service| service.dispatch)
        .collect();
    assert_eq!(
        dispatch,
        [Dispatch::LeastLoaded, Dispatch::Random, Dispatch::Shared]
    );
    assert_eq!(groups.services[0].servers(), 16);
}

#[test]
fn paths_become_one_program() {
    let model = shipped("branches");
    let two_ms = Dist::constant(2e6).expect("two milliseconds");
    let expected = [
        plain_visit(ServiceId(0)),
        Step::Branch(vec![(0.9, 2), (1.0, 3)]),
        Step::Jump(10),
        Step::Delay(two_ms),
        Step::Branch(vec![(0.96, 5), (0.98, 7), (0.99, 8), (1.0, 9)]),
        plain_visit(ServiceId(1)),
        Step::Jump(10),
        Step::Fail(Failure::AppError),
        Step::Fail(Failure::Rejected),
        Step::Fail(Failure::TransportError),
        Step::Reply,
        Step::End,
    ];
    assert_eq!(model.program, expected);
    assert_eq!(model.actions[0].path.entry, 0);

    let model = shipped("queue-groups");
    let entries: Vec<u32> = model
        .actions
        .iter()
        .map(|action| action.path.entry)
        .collect();
    assert_eq!(entries, [0, 3, 6]);
}

#[test]
fn objectives_are_ascending_quantiles() {
    let model = shipped("mixed");
    let limits: Vec<(f64, f64)> = model.actions[0]
        .slo
        .quantiles
        .iter()
        .map(|limit| (limit.quantile, limit.limit.as_millis_f64()))
        .collect();
    assert_eq!(limits, [(0.5, 20.0), (0.99, 250.0)]);
    assert_eq!(
        (model.actions[0].slo.errors, model.actions[1].slo.errors),
        (Some(0.01), None)
    );
}

#[test]
fn every_distribution_has_the_moments_it_was_given() {
    let model = shipped("distributions");
    let mean = |name: &str| {
        let service = model
            .services
            .iter()
            .find(|service| service.name == name)
            .expect("it is there");
        service.time.mean() / 1e6
    };
    let close = |name: &str, expected: f64| {
        assert!(
            (mean(name) - expected).abs() < 1e-9,
            "{name}: {}",
            mean(name)
        )
    };
    for name in [
        "constant",
        "uniform",
        "exponential",
        "erlang",
        "gamma-by-mean",
        "gamma-by-shape",
        "weibull-by-mean",
        "lognormal-by-mean",
        "mixture-by-mean",
    ] {
        close(name, 1.0);
    }
    close("mixture-by-branches", 0.9 * 0.5 + 0.1 * 6.0);
    close("measured", 1.24);
    let by_shape = model
        .services
        .iter()
        .find(|service| service.name == "weibull-by-shape")
        .expect("it is there");
    assert_eq!(
        by_shape.time,
        Dist::weibull(2.0, 1e6).expect("shape and scale")
    );
    let by_quantile = model
        .services
        .iter()
        .find(|service| service.name == "lognormal-by-quantile")
        .expect("it is there");
    assert_eq!(
        by_quantile.time,
        Dist::lognormal_median_p95(8e5, 3e6).expect("median and p95")
    );
    let Source::Open { arrival, .. } = &client(&model, "weibull").source else {
        panic!("an open client")
    };
    assert!((arrival.rate() - 100.0).abs() < 1e-9, "360k/h is 100/s");
}

#[test]
fn the_digest_is_of_the_text() {
    assert_eq!(
        spec::sha256("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_warmup_can_be_left_to_a_pilot_run() {
    let text = |warmup: &str| {
        format!(
            "blis: 1\nname: pilot\nrun: {{horizon: 10s, warmup: {warmup}}}\nclients: {{u: {{rate: 1/s, do: a}}}}\n\
             actions: {{a: {{path: [reply]}}}}\n"
        )
    };
    let spec = |warmup| spec::read(&text(warmup)).expect("a spec");
    let limits = |spec: &spec::Spec| spec::lower(spec).expect("a model").model.limits;
    let auto = spec("auto");
    assert!(limits(&auto).find_warmup && limits(&auto).warmup == Time::ZERO);
    assert!(!limits(&spec("5s")).find_warmup);
    assert!(spec::resolved(&auto).contains("\n  warmup: auto\n"));
    let again = spec::read(&spec::resolved(&auto)).expect("it reads its own writing");
    assert_eq!(limits(&again), limits(&auto));
    assert_eq!(spec::settings(&auto)["run.warmup"].value, "auto");
}

/// What is said of a service time of a few nanoseconds: times are whole ones, and zero or more.
#[test]
fn times_that_rounding_changes_are_a_warning() {
    let warned = |time: &str| -> Vec<String> {
        let text = format!(
            "blis: 1\nname: small\nrun: {{horizon: 1us}}\nclients: {{c: {{concurrency: 1, do: a}}}}\n\
             actions: {{a: {{path: [visit: s, reply]}}}}\nservices: {{s: {{workers: 1, time: {time}}}}}\n"
        );
        let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:?}"));
        lowered.warnings.iter().map(ToString::to_string).collect()
    };
    // Of an exponential time of mean m, rounded to whole numbers, the mean is 1 / (2 sinh(1 / 2m)).
    let rounded = |mean: f64| 1.0 / (2.0 * (0.5 / mean).sinh());
    for mean in [1.0, 2.0, 5.0] {
        let told = warned(&format!("{{exponential: {{mean: {mean}ns}}}}"));
        let found = rounded(mean);
        let expected = format!(
            "times are rounded to whole nanoseconds: their mean is {found:.3} ns, {:.1} % below the given {mean} ns",
            (1.0 - found / mean) * 100.0
        );
        assert_eq!(told, [expected]);
    }
    let none: [String; 0] = [];
    for time in [
        "{exponential: {mean: 10ns}}",
        "{exponential: {mean: 1us}}",
        "1ns",
        "{uniform: {min: 0ns, max: 20ns}}",
    ] {
        assert_eq!(warned(time), none, "{time}");
    }
    // Arrivals of a few nanoseconds too.
    let text = "blis: 1\nname: fast\nrun: {horizon: 1us}\nclients: {c: {rate: 100M/s, arrival: {weibull: {cv: 9}}, do: a}}\n\
                actions: {a: {path: [delay: 1us, reply]}}\n";
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:?}"));
    let told = lowered.warnings[0].to_string();
    assert!(
        told.starts_with("times are rounded to whole nanoseconds"),
        "{told}"
    );
    assert!(told.ends_with("the given 10 ns"), "{told}");
}
