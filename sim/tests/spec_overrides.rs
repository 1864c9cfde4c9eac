//! Values from the command line take the place of those of the spec, and errors about them name the flag.

use blis_sim::model::{Arrival, Client, Model, Source};
use blis_sim::spec::live::InFlightPolicy;
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::{Count, Duration, Rate};
use blis_sim::spec::{self, ClientFlags, Overrides, Spec, overrides};

fn quickstart() -> Spec {
    spec::read(include_str!("../../specs/quickstart.yaml")).expect("the quickstart can be read")
}

fn lowered(spec: &Spec) -> Model {
    spec::lower(spec).expect("the spec can be lowered").model
}

fn only_client(model: &Model) -> &Client {
    match model.clients.as_slice() {
        [client] => client,
        clients => panic!("{} clients", clients.len()),
    }
}

#[test]
fn overrides_take_the_place_of_the_values() {
    let mut spec = quickstart();
    let given = Overrides {
        seed: Some(7),
        requests: Some(Count(100)),
        horizon: Some(Duration(9e9)),
        warmup: Some(Warmup::At(Duration(1e9))),
        timeout: Some(Duration(2e9)),
        max_in_flight: Some((Count(40), InFlightPolicy::Delay)),
    };
    overrides::apply(&mut spec, &given);
    let model = lowered(&spec);
    assert_eq!(model.seed, 7);
    assert_eq!(model.limits.requests.map(u64::from), Some(100));
    assert_eq!(model.limits.horizon.map(|t| t.as_secs_f64()), Some(9.0));
    assert_eq!(model.limits.warmup.as_secs_f64(), 1.0);
    assert_eq!(
        only_client(&model).timeout.map(|t| t.as_secs_f64()),
        Some(2.0)
    );
    let limit = model.max_in_flight.map(|of| (of.limit.get(), of.delays()));
    assert_eq!(limit, Some((40, true)));
    let again = spec::read(&spec::resolved(&spec)).expect("the resolved spec can be read");
    assert_eq!(lowered(&again), model);
}

#[test]
fn an_error_about_an_override_names_the_flag() {
    let mut spec = quickstart();
    let given = Overrides {
        requests: Some(Count(0)),
        warmup: Some(Warmup::At(Duration(61e9))),
        timeout: Some(Duration(0.0)),
        max_in_flight: Some((Count(0), InFlightPolicy::Drop)),
        ..Overrides::default()
    };
    overrides::apply(&mut spec, &given);
    let errors = spec::lower(&spec).expect_err("four values are wrong");
    assert!(errors.iter().all(|error| error.span.is_none()));
    let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "--timeout: a timeout of 0s fails every request",
            "--num-requests: a budget of 0 requests runs nothing",
            "--warmup: the warm-up (61s) is not before the horizon (60s)",
            "--max-in-flight: a limit of 0 requests in flight",
        ]
    );
}

#[test]
fn client_flags_replace_the_clients_and_the_budget() {
    let mut spec = quickstart();
    let flags = ClientFlags {
        concurrency: Some(Count(7)),
        think_time: Some(spec::Spanned::flag("--think-time-ms", Duration(5e6))),
        rate: None,
    };
    overrides::replace_clients(&mut spec, &flags).expect("the flags agree");
    let model = lowered(&spec);
    let Source::Closed { concurrency, think } = &only_client(&model).source else {
        panic!("a closed client")
    };
    assert_eq!(
        (concurrency.get(), think.mean(), think.variance()),
        (7, 5e6, 0.0)
    );
    assert_eq!(model.limits.requests, None);
    assert_eq!(model.limits.horizon.map(|t| t.as_secs_f64()), Some(60.0));

    let mut spec = quickstart();
    let flags = ClientFlags {
        rate: Some(Rate(50.0)),
        ..ClientFlags::default()
    };
    overrides::replace_clients(&mut spec, &flags).expect("the flags agree");
    let model = lowered(&spec);
    let Source::Open {
        arrival,
        shape: None,
        session: None,
    } = &only_client(&model).source
    else {
        panic!("an open client")
    };
    assert!(matches!(arrival, Arrival::Renewal { .. }));
    assert_eq!(arrival.rate(), 50.0);
}

#[test]
fn client_flags_that_do_not_agree_are_refused() {
    let message = |flags: ClientFlags| {
        overrides::replace_clients(&mut quickstart(), &flags).map_err(|error| error.to_string())
    };
    let (concurrency, think_time, rate) = (
        Some(Count(1)),
        Some(spec::Spanned::flag("--think-time-ms", Duration(1.0))),
        Some(Rate(1.0)),
    );
    let none = ClientFlags::default();
    let both = "--concurrency and --rate are both given".to_owned();
    assert_eq!(
        message(ClientFlags {
            concurrency,
            rate,
            ..none.clone()
        }),
        Err(both)
    );
    let think = "--think-time-ms: a think time has no effect with --rate".to_owned();
    assert_eq!(
        message(ClientFlags {
            think_time,
            rate,
            ..none.clone()
        }),
        Err(think)
    );
    assert_eq!(message(none), Ok(()));
}

#[test]
fn an_impossible_flag_is_an_error_of_the_flag() {
    let mut spec = quickstart();
    let flags = ClientFlags {
        concurrency: Some(Count(0)),
        ..ClientFlags::default()
    };
    overrides::replace_clients(&mut spec, &flags).expect("the flags agree");
    let errors = spec::lower(&spec).expect_err("nobody is there");
    assert_eq!(
        errors[0].to_string(),
        "--concurrency: there must be at least one user"
    );
}

#[test]
fn a_flag_alone_can_bound_a_run_or_not() {
    let text = include_str!("../../specs/quickstart.yaml");
    let start = text.find("run:").expect("the run is there");
    let end = text.find("clients:").expect("the clients are there");
    let mut spec = spec::read(&text.replace(&text[start..end], "")).expect("the spec can be read");
    let warmup = Overrides {
        warmup: Some(Warmup::At(Duration(1e9))),
        ..Overrides::default()
    };
    overrides::apply(&mut spec, &warmup);
    let errors = spec::lower(&spec).expect_err("the load has no end");
    assert_eq!(
        errors[0].to_string(),
        "the load has no end: there is neither a budget nor a horizon"
    );
    let horizon = Overrides {
        horizon: Some(Duration(5e9)),
        ..Overrides::default()
    };
    overrides::apply(&mut spec, &horizon);
    assert_eq!(
        lowered(&spec).limits.horizon.map(|t| t.as_secs_f64()),
        Some(5.0)
    );
}
