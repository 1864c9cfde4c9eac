//! `blis calibrate`: a model fitted to recorded runs.

use serde_json::Value;

use crate::support::{Ran, Runs, at, number, words};

const SPEC: &str = "{blis: 1, name: shop, run: {horizon: 7s, warmup: 500ms}, network: {one_way: 1ms}, clients: {c: {rate: 100/s, do: buy}}, actions: \
                    {buy: {path: [{visit: s}, reply], live: {request: shop.buy}}}, services: {s: {workers: 2, time: {gamma: {mean: 5ms, cv: \
                    0.5}}}}}";

/// Records a run with these flags in a directory of this name.
fn record(runs: &Runs, name: &str, flags: &str) -> String {
    runs.run(name, &format!("--record {flags}"))
}

/// Runs at a low, a middle and a high load.
fn at_three_loads(runs: &Runs) -> String {
    let loads = [("low", 60), ("middle", 240), ("high", 350)];
    let all = loads.map(|(name, load)| {
        let flags = format!("--set clients.c.rate={load}/s --seed {load}");
        record(runs, name, &flags)
    });
    all.join(" ")
}

fn named<'a>(found: &'a Value, of: &str, name: &str) -> &'a Value {
    let all = at(found, of).as_array().expect("a list");
    let one = all.iter().find(|one| at(one, "name") == name);
    one.unwrap_or_else(|| panic!("no {name} in {found}"))
}

fn refused(ran: &Ran, what: &[&str]) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    for what in what {
        assert!(ran.stderr.contains(what), "{what}: {ran:?}");
    }
}

#[test]
fn what_is_fitted_to_a_known_service_is_that_service() {
    let runs = Runs::of(SPEC);
    let recorded = at_three_loads(&runs);
    let guess = SPEC
        .replace("workers: 2", "workers: 1")
        .replace("network: {one_way: 1ms}, ", "")
        .replace("gamma: {mean: 5ms, cv: 0.5}", "exponential: {mean: 1ms}");
    let guess = runs.write("guess.yaml", &guess);
    let fitted = runs.path("fitted.yaml");
    let ran = words(&format!(
        "calibrate {recorded} --spec {guess} --json --quiet --output {fitted}"
    ));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let found = ran.json();
    let schema: Value =
        serde_json::from_str(&words("schema calibration").stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&found), "{found}");
    let workers = named(&found, "choices", "services.s.workers");
    assert_eq!(at(workers, "value"), "2", "{workers}");
    let truths = [
        ("numbers", "network.one_way", 1.0, 0.5),
        ("numbers", "services.s.time.mean", 5.0, 0.1),
        ("follows", "capacity", 400.0, 0.1),
        ("follows", "unloaded_response", 7.0, 0.1),
    ];
    for (of, name, truth, within) in truths {
        let known = named(&found, of, name);
        let off = number(known, "value") / truth - 1.0;
        assert!(off.abs() < within, "{known}");
    }
    assert!(number(&found, "goodness.p") > 1e-3, "{found}");
    // What is written is a spec, and carries what was found.
    let checked = words(&format!("check {fitted} --json"));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let written = std::fs::read_to_string(&fitted).expect("a spec");
    assert!(written.starts_with("# Fitted by blis"), "{written}");
    assert!(written.contains("workers: 2"), "{written}");
    // It is not replaced without being told.
    let again = words(&format!(
        "calibrate {recorded} --spec {guess} --output {fitted}"
    ));
    refused(&again, &["exists; overwrite it with --force"]);
}

/// Errors are counted, and the spec that is written has their share and says where it comes from.
#[test]
fn the_share_of_errors_is_fitted_and_the_spec_names_its_runs() {
    let runs = Runs::of(&SPEC.replace("s: {workers: 2,", "s: {workers: 2, errors: 5%,"));
    let recorded = record(&runs, "one", "--horizon 20s");
    let fitted = runs.path("fitted.yaml");
    let keep = "--fix services.s.workers --fix services.s.time --json --quiet";
    let ran = words(&format!("calibrate {recorded} {keep} --output {fitted}"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let found = ran.json();
    let errors = named(&found, "numbers", "services.s.errors");
    let [low, high] = [0, 1].map(|end| at(errors, "ci95")[end].as_f64().expect("an end"));
    assert!(low < 0.05 && 0.05 < high, "{errors}");
    assert!(high - low < 0.03, "{errors}");
    assert_eq!(at(errors, "told"), true);
    let run = words(&format!("run {fitted} --json")).json();
    let share =
        number(&run, "window.requests.app_error") / number(&run, "window.requests.intended");
    assert!(
        (share - number(errors, "value")).abs() < 0.015,
        "{share}: {errors}"
    );
    assert_eq!(at(&run, "spec.fitted.runs")[0], recorded.trim());
    assert_eq!(
        at(&run, "spec.fitted.loads")
            .as_str()
            .expect("a text")
            .split(' ')
            .nth(1),
        Some("to")
    );
    let kept = words(&format!(
        "calibrate {recorded} {keep} --fix services.s.errors"
    ));
    assert!(!kept.stdout.contains("services.s.errors"), "{kept:?}");
}

/// By name, or by a value that is set.
#[test]
fn what_is_fixed_is_not_fitted() {
    let runs = Runs::of(SPEC);
    let recorded = at_three_loads(&runs);
    let ran = words(&format!(
        "calibrate {recorded} --quiet --fix network.one_way --set services.s.workers=2 --json"
    ));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let found = ran.json();
    let names = at(&found, "numbers").as_array().expect("numbers");
    assert!(
        names.iter().all(|one| at(one, "name") != "network.one_way"),
        "{found}"
    );
    let choices = at(&found, "choices").as_array().expect("choices");
    assert!(
        choices
            .iter()
            .all(|one| at(one, "name") != "services.s.workers"),
        "{found}"
    );
}

/// Before any run is read: there is none here.
#[test]
fn a_misspelt_key_is_refused_at_once() {
    let runs = Runs::of(SPEC);
    let guess = runs.write("guess.yaml", SPEC);
    let ran = words(&format!(
        "calibrate nowhere --spec {guess} --fix services.s.tiem"
    ));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains(
            "--fix services.s.tiem: no such number is fitted; name one of network.one_way"
        ),
        "{ran:?}"
    );
}

/// Members that are drawn at random are no shared queue, and two workers are not four.
#[test]
fn a_structure_that_is_another_one_is_said_not_to_explain_the_runs() {
    let service = "s: {workers: 2, time: {gamma: {mean: 5ms, cv: 0.5}}}";
    let members = "s: {members: 4, workers: 1, dispatch: random, time: {gamma: {mean: 10ms, cv: \
                   0.5}}}";
    let one_queue = "s: {workers: 4, time: 10ms}";
    for truth in [members, service] {
        assert!(SPEC.contains(service));
        let runs = Runs::of(&SPEC.replace(service, truth));
        let recorded = at_three_loads(&runs);
        let guess = runs.write("guess.yaml", &SPEC.replace(service, one_queue));
        let ran = words(&format!(
            "calibrate {recorded} --spec {guess} --fix services.s.workers --json --quiet"
        ));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let found = ran.json();
        assert!(number(&found, "goodness.p") < 1e-6, "{truth}: {found}");
        let said = at(&found, "findings").to_string();
        assert!(
            said.contains("The fitted model does not explain the runs"),
            "{truth}: {said}"
        );
    }
}

/// Users who wait for answers, two actions, and one low load: neither workers nor the capacity are told, and a busier run would.
#[test]
fn what_users_at_one_low_load_do_not_tell_is_said() {
    let runs = Runs::of(SPEC);
    let closed = SPEC
        .replace(
            "rate: 100/s, do: buy",
            "concurrency: 2, think: 20ms, do: {buy: 3, look: 1}",
        )
        .replace(
            "actions: {",
            "actions: {look: {path: [{visit: s}, reply]}, ",
        );
    runs.write("shop.yaml", &closed);
    let one = record(&runs, "one", "--horizon 15s");
    let ran = words(&format!("calibrate {one} --json --quiet --plan"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let found = ran.json();
    let workers = named(&found, "choices", "services.s.workers");
    let as_good = at(workers, "as_good").as_array().expect("a list");
    assert!(as_good.len() > 1, "{workers}");
    assert_eq!(at(named(&found, "follows", "capacity"), "told"), false);
    let said = at(&found, "findings").to_string();
    for what in [
        "All runs have one load",
        "The runs do not decide services.s.workers",
        "users would tell most",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    let run = &at(&found, "runs").as_array().expect("runs")[0];
    assert_eq!(number(run, "users"), 2.0);
    let actions = at(run, "figures").as_array().expect("figures");
    for action in ["buy", "look"] {
        assert!(
            actions.iter().any(|one| at(one, "action") == action),
            "{run}"
        );
    }
    // More users than there are workers tell how many workers there are.
    let next = at(&found, "next_loads").as_array().expect("loads");
    assert!(number(&next[0], "load") > 2.0, "{next:?}");
    assert!(number(&next[0], "apart") > 0.0, "{next:?}");
    // As a report.
    let ran = words(&format!("calibrate {one} --quiet --fix services.s.workers"));
    assert!(ran.stdout.contains("All runs have one load"), "{ran:?}");
    assert!(ran.stdout.contains("2 users"), "{ran:?}");
}

#[test]
fn what_tells_nothing_is_refused() {
    let runs = Runs::of(SPEC);
    let one = record(&runs, "one", "");
    refused(
        &words(&format!("calibrate {one} {one}")),
        &["is named twice; name each run once"],
    );
    refused(
        &words(&format!("calibrate {}", runs.path("none"))),
        &["none"],
    );
    let short = record(&runs, "short", "--horizon 2s");
    refused(
        &words(&format!("calibrate {short}")),
        &[
            "answered requests in its window; at least 200",
            "measure longer",
        ],
    );
    let failed = record(&runs, "failed", "--timeout 1us");
    refused(
        &words(&format!("calibrate {failed}")),
        &[
            "every request of",
            "failed; fix the cause and measure again",
        ],
    );
    refused(
        &words(&format!("calibrate {one} --fix services.s.queue")),
        &["--fix services.s.queue", "services.s.workers"],
    );
    refused(
        &words(&format!(
            "calibrate {one} --fix services.s.workers --fix services.s.time --fix network.one_way"
        )),
        &["no number is left to fit"],
    );
    let other = runs.write("other.yaml", &SPEC.replace("buy", "sell"));
    refused(
        &words(&format!("calibrate {one} --spec {other}")),
        &["which the spec lacks", "sell"],
    );
    refused(
        &words(&format!("calibrate {one} --set clients.c.rate=9/s")),
        &["the load is recorded"],
    );
    let plain = runs.path("plain");
    let ran = words(&format!("run {} --out {plain}", runs.path("shop.yaml")));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    refused(&words(&format!("calibrate {plain}")), &["--record"]);
}
