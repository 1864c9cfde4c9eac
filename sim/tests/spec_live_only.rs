//! Actions without a path: what a spec that has some is good for, and what it is refused for.

use blis_sim::result::{self, Checked};
use blis_sim::spec::{self, Files, SpecError, SpecErrors};

/// A spec with these actions, which one client sends in equal shares.
fn with(actions: &str, more: &str) -> String {
    format!(
        "blis: 1\nname: stranger\nrun: {{horizon: 1s}}\nclients:\n  feed: {{rate: 50/s, do: {{ask: 1, tell: 1}}}}\n\
         actions:\n{actions}\n{more}\n"
    )
}

const LIVE_ONLY: &str =
    "  ask: {live: {request: my.svc}, slo: {p95: 5ms}}\n  tell: {live: {publish: my.log}}";
const MIXED: &str = "  ask: {path: [{visit: api}, reply], live: {request: my.svc}}\n  tell: {live: {publish: my.log}}";
const API: &str = "services: {api: {workers: 1, time: 1ms}}";

fn live(text: &str) -> Result<spec::Lowered<Option<blis_sim::model::Path>>, SpecErrors> {
    spec::lower_live(&spec::read(text)?, &Files::default())
}

/// The place of an error in the text, as a person would quote it.
fn quoted<'a>(text: &'a str, error: &SpecError) -> &'a str {
    error.span.clone().map_or("", |span| &text[span])
}

/// The only error of a spec as it is lowered for a real backend: its message, its place and its advice.
fn refused(text: &str) -> (String, String, String) {
    let errors = live(text).expect_err(text);
    let [error] = &errors[..] else {
        panic!("{errors:?}");
    };
    let help = error.help.clone().unwrap_or_default();
    (error.message.clone(), quoted(text, error).to_owned(), help)
}

#[test]
fn a_model_knows_which_of_its_actions_have_a_path() {
    let only = live(&with(LIVE_ONLY, "")).expect("a model");
    assert!(only.warnings.is_empty(), "{:?}", only.warnings);
    let without: Vec<&str> = only.model.without_path().collect();
    assert_eq!(without, ["ask", "tell"]);
    assert!(only.model.program.is_empty());
    assert!(only.model.simulable().is_err());
    let mixed = live(&with(MIXED, API)).expect("a model").model;
    let without: Vec<&str> = mixed.without_path().collect();
    assert_eq!(without, ["tell"]);
    let missing = mixed.simulable().expect_err("a path is missing");
    assert_eq!(missing.to_string(), "action tell has no path");
}

#[test]
fn a_model_with_all_paths_is_the_same_for_both_worlds() {
    let text = with(
        "  ask: {path: [{visit: api}, reply]}\n  tell: {path: [{visit: api}, reply]}",
        API,
    );
    let read = spec::read(&text).expect("a spec");
    let simulated = spec::lower(&read).expect("a model").model;
    let sent = live(&text).expect("a model").model;
    assert_eq!(simulated.live(), sent);
    assert_eq!(sent.simulable(), Ok(simulated));
}

#[test]
fn a_simulation_names_each_action_that_lacks_a_path() {
    for (actions, more, lacking) in [
        (LIVE_ONLY, "", vec!["ask", "tell"]),
        (MIXED, API, vec!["tell"]),
    ] {
        let text = with(actions, more);
        let errors = spec::lower(&spec::read(&text).expect("a spec")).expect_err("no simulation");
        let places: Vec<&str> = errors.iter().map(|error| quoted(&text, error)).collect();
        assert_eq!(places, lacking);
        for error in &errors {
            assert!(
                error
                    .message
                    .ends_with("has no path and cannot be simulated"),
                "{error}"
            );
            let help = error.help.as_deref().unwrap_or_default();
            assert!(
                help.contains("`path: [{visit: api}, reply]`") && help.contains("`blis observe`"),
                "{help}"
            );
        }
    }
}

#[test]
fn what_has_no_effect_without_a_path_is_refused_at_its_place() {
    let ranked =
        "services: {api: {workers: 1, time: 1ms, queue: {order: {priority: {classes: [high]}}}}}";
    let due = "services: {api: {workers: 1, time: 1ms, queue: {order: deadline}}}";
    let of_ask = "  ask: {path: [{visit: api}, reply], live: {request: my.svc}";
    for (actions, more, what, place) in [
        (
            format!("{of_ask}}}\n  tell: {{}}"),
            API,
            "the action `tell` has neither `path` nor `live`",
            "tell",
        ),
        (
            format!("{of_ask}, class: high}}\n  tell: {{live: {{publish: l}}, class: high}}"),
            ranked,
            "`class` has no effect on an action without a path",
            "high",
        ),
        (
            format!("{of_ask}, deadline: 1s}}\n  tell: {{live: {{publish: l}}, deadline: 2s}}"),
            due,
            "`deadline` has no effect on an action without a path",
            "2s",
        ),
        (
            "  ask: {path: [{visit: api}, {call: tell}, reply]}\n  tell: {live: {publish: l}}"
                .to_owned(),
            API,
            "the action `tell` has no path",
            "tell",
        ),
        (
            LIVE_ONLY.to_owned(),
            "network: {one_way: 1ms}",
            "`network` has no effect: no action has a path",
            "1ms",
        ),
    ] {
        let (message, found, help) = refused(&with(&actions, more));
        assert_eq!((message.as_str(), found.as_str()), (what, place));
        assert!(!help.is_empty());
    }
}

#[test]
fn users_without_think_time_may_wait_for_a_backend_that_is_not_known() {
    let text = with(LIVE_ONLY, "").replace("rate: 50/s", "concurrency: 3");
    assert!(live(&text).is_ok());
    // Where it is known to take no time, they may not.
    let instant = with(
        "  ask: {path: [{visit: api}, reply]}\n  tell: {path: [{visit: api}, reply]}",
        "services: {api: {workers: 1, time: 0s}}",
    );
    let (message, _, _) = refused(&instant.replace("rate: 50/s", "concurrency: 3"));
    assert!(message.starts_with("zero-time loop"), "{message}");
}

#[test]
fn a_resolved_spec_means_the_same_without_paths_too() {
    for (actions, more) in [(LIVE_ONLY, ""), (MIXED, API)] {
        let read = spec::read(&with(actions, more)).expect("a spec");
        let again = spec::resolved(&read);
        let first = spec::lower_live(&read, &Files::default()).expect("a model");
        assert_eq!(live(&again).expect("a model").model, first.model);
    }
}

#[test]
fn a_check_says_what_clients_offer_and_nothing_of_a_backend_that_is_not_known() {
    let model = live(&with(LIVE_ONLY, "")).expect("a model").model;
    let checked = Checked {
        sha256: String::new(),
        resolved: String::new(),
        files: Default::default(),
        configuration: Default::default(),
        warnings: Vec::new(),
    };
    let check = result::check(&model, None, checked);
    assert_eq!(check.without_path, ["ask", "tell"]);
    assert_eq!(check.offered.clients["feed"].requests_per_s, Some(50.0));
    assert_eq!(check.offered.clients["feed"].unloaded_response_ms, None);
    assert!(check.offered.services.is_empty() && check.constraints.is_empty());
    assert!(check.bottleneck.is_none() && check.theory.exact.is_none());
    assert!(check.theory.bounds.is_none() && check.theory.approximation.is_none());
}
