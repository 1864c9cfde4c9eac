//! Sizes of requests, and service times that depend on them.

use std::collections::BTreeMap;

use blis_sim::analysis::{exact, offered};
use blis_sim::dist::Dist;
use blis_sim::event::{Event, Request, Sink, VisitStep};
use blis_sim::model::{Model, SizeDraws};
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::time::Time;

/// The sent requests, and what their visits took in nanoseconds, in the order of their ends.
#[derive(Debug, Default)]
struct Visits {
    sent: BTreeMap<u64, Request>,
    served: Vec<(u64, u64)>,
}

impl Sink for Visits {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, _: Time, event: Event<'_>) {
        match event {
            Event::Intended { request } => {
                self.sent.insert(request.user_number, *request);
            }
            Event::Visit {
                flight,
                step: VisitStep::Completed { served, .. },
                ..
            } => self.served.push((flight.slot() as u64, served.as_nanos())),
            _ => {}
        }
    }
}

/// One visit of `send` for each request, at services that never let anybody wait.
fn text(client: &str, payload: &str, service: &str) -> String {
    format!(
        "blis: 1\nname: sizes\nseed: 7\nrun: {{horizon: 20s}}\nclients: {{feed: {{{client}, do: send}}}}\n\
         actions: {{send: {{path: [{{visit: store}}, reply], payload: {{{payload}}}}}}}\n\
         services: {{store: {{workers: 1M, {service}}}}}\n"
    )
}

fn model(text: &str) -> Model {
    let read = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let lowered = spec::lower(&read).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    lowered.model
}

fn visits(model: &Model) -> Visits {
    let mut simulation = Simulation::new(model, Visits::default());
    simulation.run().expect("time goes by");
    simulation.into_sink()
}

/// The service times of a model in nanoseconds, ascending.
fn served(model: &Model) -> Vec<u64> {
    let mut served: Vec<u64> = visits(model)
        .served
        .iter()
        .map(|(_, nanos)| *nanos)
        .collect();
    served.sort_unstable();
    served
}

const PER_BYTE: &str = "time: 0s, by_size: {time: 1us, per: 1kB}";

#[test]
fn a_size_adds_to_the_service_time_what_its_bytes_take() {
    let of = |payload: &str, service: &str| {
        let served = served(&model(&text("rate: 100/s", payload, service)));
        assert!(served.len() > 1_000);
        assert_eq!(served.first(), served.last());
        served[0]
    };
    assert_eq!(
        of("size: 4KiB", "time: 2ms, by_size: {time: 1ms, per: 1KiB}"),
        6_000_000
    );
    assert_eq!(
        of("size: 4KiB", "time: 2ms, by_size: {time: 10ms, per: 1MiB}"),
        2_039_063
    );
    assert_eq!(of("text: twelve bytes", PER_BYTE), 12);
    let slow =
        "time: 0s, by_size: {time: 1us, per: 1B}, slow_downs: [{from: 0s, to: 1h, factor: 3}]";
    assert_eq!(of("size: 1kB", slow), 3_000_000);
}

/// A nanosecond for each byte: the service times are the sizes (Kolmogorov 1933, at the level of one in a thousand).
#[test]
fn drawn_sizes_have_their_distribution() {
    for (written, law) in [
        (
            "{lognormal: {median: 2KiB, p95: 20KiB}}",
            Dist::lognormal_median_p95(2048.0, 20480.0),
        ),
        (
            "{uniform: {min: 100B, max: 64kB}}",
            Dist::uniform(100.0, 64_000.0),
        ),
        ("{exponential: {mean: 10kB}}", Dist::exponential(10_000.0)),
    ] {
        let law = law.expect("a distribution");
        let model = model(&text("rate: 1k/s", &format!("size: {written}"), PER_BYTE));
        let sizes = served(&model);
        let n = sizes.len() as f64;
        assert!(n > 15_000.0);
        // A size is a whole number: the distribution function is that up to half a byte more.
        let distance = |(rank, size): (usize, &u64)| {
            let (below, upto) = (law.cdf(*size as f64 - 0.5), law.cdf(*size as f64 + 0.5));
            (below - (rank as f64 + 1.0) / n).max(rank as f64 / n - upto)
        };
        let distance = sizes.iter().enumerate().map(distance).fold(0.0, f64::max);
        assert!(distance * n.sqrt() < 1.95, "{written}: {distance} of {n}");
        let mean = sizes.iter().sum::<u64>() as f64 / n;
        let told = model.actions[0].size.as_ref().expect("a law").mean();
        let error = law.variance().sqrt() / n.sqrt();
        assert!(
            (mean - told).abs() < 4.0 * error + 1.0,
            "{written}: {mean} and {told}"
        );
    }
}

#[test]
fn what_is_drawn_above_the_largest_size_is_cut() {
    let payload = "size: {exponential: {mean: 1kB}}, at_most: 2kB";
    let sizes = served(&model(&text("rate: 1k/s", payload, PER_BYTE)));
    let n = sizes.len() as f64;
    assert_eq!(sizes.last(), Some(&2_000));
    let cut = sizes.iter().filter(|size| **size == 2_000).count() as f64 / n;
    assert!(
        (cut - (-2.0_f64).exp()).abs() < 4.0 * (0.12 / n).sqrt(),
        "{cut}"
    );
    // Unless the spec says it, a megabyte.
    let payload = "size: {exponential: {mean: 10MB}}";
    let sizes = served(&model(&text("rate: 100/s", payload, PER_BYTE)));
    assert_eq!(sizes.last(), Some(&1_000_000));
}

/// What the transport of a live run asks, and the double by the identity that a request carries.
#[test]
fn whoever_asks_for_the_size_of_a_request_is_told_the_same() {
    let payload = "size: {exponential: {mean: 10kB}}";
    let model = model(&text("rate: 100/s", payload, PER_BYTE));
    let draws = SizeDraws::new(&model);
    let visits = visits(&model);
    let mut told: Vec<u64> = visits
        .sent
        .values()
        .map(|sent| u64::from(draws.of(sent)))
        .collect();
    told.sort_unstable();
    let mut served: Vec<u64> = visits.served.iter().map(|(_, nanos)| *nanos).collect();
    served.sort_unstable();
    assert_eq!(told.len(), visits.sent.len());
    assert_eq!(told, served);
}

#[test]
fn sizes_hang_on_names_and_a_retry_carries_what_the_try_before_did() {
    let payload = "size: {exponential: {mean: 10kB}}";
    let alone = text("rate: 100/s", payload, PER_BYTE);
    let beside = alone
        .replace("clients: {", "clients: {more: {rate: 1/s, do: also}, ")
        .replace(
            "actions: {",
            "actions: {also: {path: [reply], payload: {size: {uniform: {min: 1B, max: 9B}}}}, ",
        );
    assert_eq!(served(&model(&alone)), served(&model(&beside)));
    let another = alone.replace("send", "put");
    assert_ne!(
        served(&model(&alone)),
        served(&model(&another)),
        "the action's name is part of the key"
    );
    let failing = text(
        "rate: 100/s, on_failure: {retry: {times: 1}}",
        payload,
        &format!("{PER_BYTE}, errors: 100%"),
    );
    let twice = served(&model(&failing));
    assert!(twice.chunks(2).all(|pair| pair[0] == pair[1]), "{twice:?}");
    let once: Vec<u64> = twice.iter().copied().step_by(2).collect();
    assert_eq!(once, served(&model(&alone)));
}

#[test]
fn the_offered_load_knows_sizes_and_closed_forms_do_not() {
    let payload = "size: {exponential: {mean: 10kB}}, at_most: 20kB";
    let service = "time: 2ms, by_size: {time: 1ms, per: 1kB}";
    let model = model(&text("rate: 100/s", payload, service).replace("workers: 1M", "workers: 4"));
    let load = offered(&model).services[0];
    let expected = 0.002 + 0.010 * (1.0 - (-2.0_f64).exp());
    assert!(
        (load.service_time / expected - 1.0).abs() < 1e-4,
        "{}",
        load.service_time
    );
    let busy: u64 = visits(&model).served.iter().map(|(_, nanos)| nanos).sum();
    let simulated = busy as f64 / 20e9 / 4.0;
    assert!(
        (load.utilisation() / simulated - 1.0).abs() < 0.05,
        "{simulated}"
    );
    let why = exact(&model).expect_err("no closed form");
    assert!(
        why.to_string()
            .contains("the service time of store depends on the size"),
        "{why}"
    );
}

/// What is wrong with a spec, in messages.
fn errors(text: &str) -> Vec<String> {
    let errors = match spec::read(text) {
        Ok(read) => spec::lower(&read).expect_err(text),
        Err(errors) => errors,
    };
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn only_requests_of_a_known_size_have_one() {
    let places = text("rate: 1/s", "text: \"from {user}\"", PER_BYTE);
    assert_eq!(
        errors(&places),
        [
            "the size of this payload is not known before it is sent, but the service `store` is `by_size`"
        ]
    );
    let works = |streams: &str, step: &str| {
        let text = text("rate: 1/s", "size: 1kB", PER_BYTE);
        text.replace("reply]", &format!("{step}, reply]")) + streams
    };
    assert_eq!(
        errors(&works(
            "streams: {log: {consumers: {writer: {service: store}}}}\n",
            "{publish: log}"
        )),
        ["a consumer uses the service `store`, which is `by_size`, but deliveries have no size"]
    );
    assert_eq!(
        errors(&works(
            "fan_outs: {hall: {subscribers: 3, service: store}}\n",
            "{emit: hall}"
        )),
        ["a fan-out uses the service `store`, which is `by_size`, but deliveries have no size"]
    );
}
