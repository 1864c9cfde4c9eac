//! `--set PATH=VALUE`: what it changes, what it refuses, and that errors about a set value name the assignment.

use blis_sim::spec::{self, Assignment, Spec, SpecErrors, set::MAX_ASSIGNMENTS};

const BASE: &str = "\
blis: 1
name: base
run: {horizon: 60s, warmup: 5s}
clients:
  users:
    concurrency: 50
    think: {exponential: {mean: 500ms}}
    do: ask
actions:
  ask:
    path:
      - visit: api
      - reply
services:
  api:
    workers: 4
    time: {exponential: {mean: 10ms}}
  log: {workers: 1, time: 1ms}
";

fn assignments(written: &[&str]) -> Vec<Assignment> {
    let one = |text: &&str| -> Assignment {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    written.iter().map(one).collect()
}

fn set(written: &[&str]) -> Result<Spec, SpecErrors> {
    spec::read_with(BASE, &assignments(written))
}

fn accepted(written: &[&str]) -> Spec {
    set(written).unwrap_or_else(|errors| panic!("{written:?}: {errors:?}"))
}

/// Message with flag, and help, of the only error of reading and lowering.
fn refused(written: &[&str]) -> (String, String) {
    let errors = set(written)
        .and_then(|spec| spec::lower(&spec))
        .expect_err("refused");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(
        errors[0].span, None,
        "a set value has no place in the text: {errors:?}"
    );
    (
        errors[0].to_string(),
        errors[0].help.clone().unwrap_or_default(),
    )
}

/// The base with one piece of its text replaced must be the same model as the base with these values set.
fn same(written: &[&str], replaced: &[(&str, &str)]) {
    let mut text = BASE.to_owned();
    for (old, new) in replaced {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    let by_text = spec::lower(&spec::read(&text).expect("the text is a spec")).expect("lowered");
    let by_set = spec::lower(&accepted(written)).expect("lowered");
    assert_eq!(by_set.model, by_text.model, "{written:?}");
    let untouched = spec::lower(&spec::read(BASE).expect("the base")).expect("lowered");
    assert_ne!(
        by_set.model, untouched.model,
        "{written:?} changes the model"
    );
}

#[test]
fn a_set_value_is_the_value_as_if_it_were_written() {
    same(&["services.api.workers=5"], &[("workers: 4", "workers: 5")]);
    same(
        &["clients.users.think={lognormal: {mean: 1s, cv: 2}}"],
        &[(
            "{exponential: {mean: 500ms}}",
            "{lognormal: {mean: 1s, cv: 2}}",
        )],
    );
    same(
        &["clients.users.think.exponential.mean=1s"],
        &[("mean: 500ms", "mean: 1s")],
    );
    same(
        &["blis=1", "name=\"a = b\"", "seed=9"],
        &[("name: base", "name: a = b\nseed: 9")],
    );
}

#[test]
fn a_missing_key_is_created_with_the_mappings_on_the_way() {
    same(
        &["actions.ask.slo.p99=100ms"],
        &[("      - reply\n", "      - reply\n    slo: {p99: 100ms}\n")],
    );
    same(
        &[
            "services.api.queue.limit=7",
            "clients.users.on_failure.retry={times: 2}",
        ],
        &[
            ("workers: 4", "workers: 4\n    queue: {limit: 7}"),
            ("do: ask", "do: ask\n    on_failure: {retry: {times: 2}}"),
        ],
    );
    same(
        &[
            "services.store.workers=2",
            "services.store.time=3ms",
            "actions.ask.path.0.visit=store",
        ],
        // A new name comes last.
        &[
            (
                "time: 1ms}\n",
                "time: 1ms}\n  store: {workers: 2, time: 3ms}\n",
            ),
            ("visit: api", "visit: store"),
        ],
    );
}

#[test]
fn items_of_lists_are_set_by_position_appended_and_removed() {
    let longer = [("- visit: api", "- visit: api\n      - visit: log")];
    same(
        &[
            "actions.ask.path[1]={visit: log}",
            "actions.ask.path.2=reply",
        ],
        &longer,
    );
    same(
        &["actions.ask.path[0].visit=log"],
        &[("visit: api", "visit: log")],
    );
    same(
        &["actions.ask.path.0=null"],
        &[("      - visit: api\n", "")],
    );
}

#[test]
fn null_removes_what_is_there() {
    same(&["run.warmup=null"], &[(", warmup: 5s", "")]);
    same(
        &["clients.users.think=~"],
        &[("    think: {exponential: {mean: 500ms}}\n", "")],
    );
    same(
        &["services.log=null"],
        &[("  log: {workers: 1, time: 1ms}\n", "")],
    );
    let nothing = refused(&["services.api.queue=null"]);
    assert_eq!(
        nothing.0,
        "--set services.api.queue=null: there is no `services.api.queue` to remove"
    );
    assert_eq!(
        refused(&["services.store.queue.limit=null"]).0,
        "--set services.store.queue.limit=null: there is no `services.store` to remove"
    );
}

#[test]
fn an_error_about_a_set_value_names_the_assignment() {
    let (message, help) = refused(&["services.api.workers=0"]);
    assert_eq!(
        message,
        "--set services.api.workers=0: there must be at least one worker"
    );
    assert!(help.starts_with("give a whole number"), "{help}");
    let (message, help) = refused(&["services.api.wrokers=5"]);
    assert_eq!(
        message,
        "--set services.api.wrokers=5: `wrokers` is not a key of a service"
    );
    assert!(help.starts_with("did you mean `workers`?"), "{help}");
    let (message, help) = refused(&["services.apo.workers=5"]);
    assert_eq!(
        message,
        "--set services.apo.workers=5: a service needs the key `time`"
    );
    assert!(
        help.starts_with("did you mean `services.api.workers`? accepted: "),
        "{help}"
    );
    let (message, _) = refused(&["services.api.time={exponential: {mean: 10}}"]);
    assert_eq!(
        message,
        "--set services.api.time={exponential: {mean: 10}}: the duration `10` has no unit"
    );
    let (message, help) = refused(&["actions.ask.path[0].visit=apo"]);
    assert_eq!(
        message,
        "--set actions.ask.path[0].visit=apo: there is no service `apo`"
    );
    assert!(help.starts_with("did you mean `api`?"), "{help}");
    let (message, _) = refused(&["services.api={workers: 1}"]);
    assert_eq!(
        message,
        "--set services.api={workers: 1}: a service needs the key `time`"
    );
    let (message, _) = refused(&["services.api.time.lognormal.mean=1ms"]);
    assert!(
        message.ends_with("a distribution takes one key, and `lognormal` is a second one"),
        "{message}"
    );
}

#[test]
fn each_error_names_its_own_assignment() {
    let errors = set(&[
        "services.api.workers=0",
        "clients.users.concurrency=0",
        "seed=7",
    ])
    .and_then(|spec| spec::lower(&spec))
    .expect_err("two are wrong");
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.contains(&"--set services.api.workers=0: there must be at least one worker".into())
    );
    assert!(
        told.contains(&"--set clients.users.concurrency=0: there must be at least one user".into())
    );
}

#[test]
fn an_error_of_the_text_keeps_its_place_beside_set_values() {
    let text = BASE.replace("do: ask", "do: aks");
    let errors = spec::read_with(&text, &assignments(&["services.api.workers=5"]))
        .and_then(|spec| spec::lower(&spec))
        .expect_err("the text is wrong");
    let span = errors[0].span.clone().expect("a place");
    assert_eq!((&text[span], &errors[0].flag), ("aks", &None));
}

#[test]
fn warnings_name_the_assignment_too() {
    let spec = accepted(&["services.idle={workers: 1, time: 1ms}"]);
    let lowered = spec::lower(&spec).expect("lowered");
    let told: Vec<String> = lowered.warnings.iter().map(ToString::to_string).collect();
    let expected =
        "--set services.idle={workers: 1, time: 1ms}: the service `idle` is never visited";
    assert!(told.contains(&expected.to_owned()), "{told:?}");
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let (message, help) = refused(&["services.log.time.mean=5ms"]);
    assert_eq!(
        message,
        "--set services.log.time.mean=5ms: `services.log.time` is `1ms`, which has no keys"
    );
    assert_eq!(help, "set it as a whole: --set services.log.time=...");
    let (message, help) = refused(&["actions.ask.path.3=reply"]);
    assert_eq!(
        message,
        "--set actions.ask.path.3=reply: there is no item `3` in `actions.ask.path`"
    );
    assert_eq!(help, "give an item from 0 to 1; 2 appends");
    let (message, _) = refused(&["actions.ask.path.first.visit=log"]);
    assert!(
        message.ends_with("there is no item `first` in `actions.ask.path`"),
        "{message}"
    );
}

#[test]
fn an_assignment_that_a_later_one_undoes_is_refused() {
    let expected =
        "--set services.api.workers=5: has no effect beside --set services.api.workers=6 after it";
    assert_eq!(
        refused(&["services.api.workers=5", "services.api.workers=6"]).0,
        expected
    );
    let whole = "services.api={workers: 1, time: 1ms}";
    assert!(
        refused(&["services.api.workers=5", whole])
            .0
            .contains("has no effect")
    );
    // The other way round both have an effect.
    same(
        &[whole, "services.api.workers=5"],
        &[(
            "    workers: 4\n    time: {exponential: {mean: 10ms}}\n",
            "    workers: 5\n    time: 1ms\n",
        )],
    );
}

#[test]
fn what_is_no_assignment_is_refused() {
    let told = |text: &str| text.parse::<Assignment>().expect_err("refused").to_string();
    assert_eq!(told("services.api.workers"), "there is no `=`");
    assert_eq!(told("=5"), "`` is not the path of a key");
    assert_eq!(
        told("services..workers=5"),
        "`services..workers` is not the path of a key"
    );
    assert_eq!(told("a[x]=5"), "`a[x]` is not the path of a key");
    assert_eq!(told("a[1=5"), "`a[1` is not the path of a key");
    assert_eq!(told("a="), "`a` has no value");
    assert_eq!(told("a=# nothing"), "`a` has no value");
    assert_eq!(told("a={x: 1, x: 2}"), "the key `x` is given twice");
    assert!(told("a={x").starts_with("this is not YAML: "));
    let deep = format!("{}a={}1{}", "a.".repeat(40), "[".repeat(40), "]".repeat(40));
    assert_eq!(told(&deep), "the value would be nested too deeply");
    let many = vec!["seed=1"; MAX_ASSIGNMENTS + 1];
    assert!(refused(&many).0.starts_with("1001 values are set"));
}

#[test]
fn the_settings_say_what_was_set() {
    let spec = accepted(&[
        "services.api.workers=5",
        "run.horizon=2m",
        "clients.users.think=1s",
        "run.warmup=null",
    ]);
    let settings = spec::settings(&spec);
    let of = |key: &str| {
        let found = settings.get(key).unwrap_or_else(|| panic!("no {key}"));
        (found.value.as_str(), found.source.as_str())
    };
    assert_eq!(of("services.api.workers"), ("5", "--set"));
    assert_eq!(of("run.horizon"), ("2m", "--set"));
    assert_eq!(of("clients.users.think"), ("1s", "--set"));
    assert_eq!(of("clients.users.concurrency"), ("50", "spec"));
    assert_eq!(of("run.warmup"), ("0s", "default"));
}

#[test]
fn what_was_set_is_written_back() {
    let spec = accepted(&["services.api.workers=5", "actions.ask.slo.p99=100ms"]);
    let again = spec::read(&spec::resolved(&spec)).expect("a spec");
    assert_eq!(
        spec::lower(&again).expect("lowered").model,
        spec::lower(&spec).expect("lowered").model
    );
}
