//! What is wrong with a spec is named, at the exact place: one case for each class of mistake.

use blis_sim::spec::{self, Fields, SpecError, SpecErrors};

/// A spec without mistakes, for each case to break in one place.
const BASE: &str = "\
blis: 1
name: base
run: {horizon: 60s, warmup: 5s}
clients:
  users:
    concurrency: 50
    think: {exponential: {mean: 500ms}}
    do: ask
    timeout: 5s
  feed:
    rate: 200/s
    do: {ask: 3, tell: 1}
actions:
  ask:
    path:
      - visit: api
      - reply
    slo: {p95: 100ms, p99: 250ms}
  tell:
    path: [{visit: log}, reply]
services:
  api:
    workers: 4
    time: {exponential: {mean: 10ms}}
  log:
    workers: 1
    time: 1ms
";

/// All errors of a text, whichever stage finds them.
fn errors(text: &str) -> SpecErrors {
    match spec::read(text) {
        Ok(spec) => spec::lower(&spec).err().unwrap_or_default(),
        Err(errors) => errors,
    }
}

/// The spanned text and the message of each error.
fn found(text: &str) -> Vec<(String, String)> {
    let spanned = |error: &SpecError| {
        error
            .span
            .clone()
            .map_or("-", |span| &text[span])
            .to_owned()
    };
    errors(text)
        .iter()
        .map(|error| (spanned(error), error.to_string()))
        .collect()
}

/// What the values of a variable come to, at each place of a template.
#[test]
fn every_value_of_a_template_is_judged_at_its_place() {
    let told = |values: &str, live: &str| -> Vec<String> {
        let text = sent(live);
        let errors = errors(&format!(
            "{text}variables: {{v: {{one_of: [{values}]}}, w: {{one_of: [a, PURGE]}}, k: {{from: 1, to: 9}}}}\n"
        ));
        errors.iter().map(ToString::to_string).collect()
    };
    for (values, live, what) in [
        (
            "ok, \"a\\nb\"",
            "{request: a, headers: {H: \"{v}\"}}",
            "`a\\u000ab`, which has more than one line",
        ),
        (
            "ok, \"a\\rb\"",
            "{request: a, headers: {H: \"x{v}\"}}",
            "`a\\u000db`, which has more than one line",
        ),
        (
            "DEL",
            "{request: a, headers: {KV-Operation: \"{v}\"}}",
            "`DEL`, which deletes messages",
        ),
        (
            "D",
            "{request: a, headers: {KV-Operation: \"{v}EL\"}}",
            "`DEL`, which deletes messages",
        ),
        (
            "b, \"*\"",
            "{request: \"a.{v}\"}",
            "`a.*`, which is a wildcard",
        ),
        (
            "b, \">\"",
            "{request: \"a.{v}\"}",
            "`a.>`, which is a wildcard",
        ),
        (
            "b, \"\"",
            "{request: \"a.{v}\"}",
            "`a.`, which has an empty token",
        ),
        (
            "b, \"\"",
            "{request: \"{v}\"}",
            "``, which has an empty token",
        ),
        (
            "b, \"c d\"",
            "{request: \"a.{v}\"}",
            "`a.c d`, which has a blank",
        ),
        ("b, \"c\\0\"", "{request: \"a.{v}\"}", "which has a blank"),
        (
            "\"$JS.API.STREAM.PURGE.X\"",
            "{request: \"{v}\"}",
            "`$JS.API.STREAM.PURGE.X`, which administers",
        ),
        (
            "\"$JS.API.STREAM\"",
            "{request: \"{v}.{w}.X\"}",
            "`$JS.API.STREAM.a.X`, which administers",
        ),
        (
            "INFO",
            "{publish: \"$JS.API.STREAM.{v}.{w}.{w}\"}",
            "which administers",
        ),
        (
            "INFO, PURGE",
            "{publish: \"$JS.API.STREAM.{v}.A\"}",
            "`$JS.API.STREAM.PURGE.A`, which administers",
        ),
        (
            "a, $",
            "{jetstream: \"{v}SYS.A\"}",
            "`$SYS.A`, which is a system subject of the server",
        ),
        (
            "a, \"b*\"",
            "{kv_put: {bucket: b, key: \"{v}\"}}",
            "`$KV.b.b*`, which is not a key",
        ),
        (
            "a, \"é\"",
            "{kv_get: {bucket: b, key: \"{v}\"}}",
            "which is not a key",
        ),
        (
            "a, \"b.c\"",
            "{publish: a, delivery: {subject: \"t.{v}\"}}",
            "`t.b.c`, which is not one token",
        ),
        (
            "a, \"*\"",
            "{publish: a, delivery: {subject: \"t.{v}\"}}",
            "`t.*`, which is not one token",
        ),
        (
            "a, \"b c\"",
            "{publish: a, delivery: {subject: \"t.{v}\"}}",
            "which has a blank",
        ),
        (
            "a, \"b.c\"",
            "{publish: a, delivery: {subject: \"t.{uuid}\", by: {token: 2}, equals: \"{v}{uuid}\"}}",
            "which is not one token",
        ),
        (
            "a, \"b\\n\"",
            "{publish: a, delivery: {subject: t, equals: \"{v}{uuid}\"}}",
            "which has more than one line",
        ),
        (
            "a",
            "{publish: a, delivery: {subject: t, equals: \"{user}-{n}\"}}",
            "requests of several clients have the same `equals`",
        ),
    ] {
        let errors = told(values, live);
        assert!(
            errors.len() == 1 && errors[0].contains(what),
            "{live} with {values}: {errors:?}"
        );
    }
    for (values, live) in [
        (
            "a, b",
            "{request: \"a.{v}.{w}.{k}.{n}\", headers: {H: \"{v}\", KV-Operation: PUT}}",
        ),
        ("INFO, MSG.GET", "{request: \"$JS.API.STREAM.{v}.A\"}"),
        ("b, c", "{publish: \"$KV.a.{v}\"}"),
        (
            "\"line\\nline\"",
            "{publish: a}\n    payload: {text: \"{v}\"}",
        ),
    ] {
        assert_eq!(told(values, live), Vec::<String>::new(), "{live}");
    }
}

#[test]
fn a_payload_that_no_server_takes_is_refused_whatever_makes_it_long() {
    let text = BASE.replace(
        "slo: {p95: 100ms, p99: 250ms}",
        &format!(
            "live: {{request: a}}\n    payload: {{text: \"{}\"}}",
            "{v}".repeat(700)
        ),
    );
    let long = "x".repeat(100_000);
    let errors = errors(&format!(
        "{text}variables: {{v: {{one_of: [a, {long}]}}}}\n"
    ));
    assert_eq!(errors.len(), 1);
    let what = "the payload of ask may have 70000000 bytes, more than any server accepts";
    assert!(errors[0].to_string().contains(what), "{}", errors[0]);
}

/// The spec whose action `ask` is sent so, and awaits what is delivered.
fn sent(live: &str) -> String {
    let slo = "slo: {p95: 100ms, p99: 250ms}";
    match live.contains("delivery: ") {
        false => BASE.replace(slo, &format!("live: {live}")),
        true => {
            let text = BASE.replace(slo, &format!("await: {{}}\n    live: {live}"));
            let text = text.replace("      - reply\n", "      - emit: hall\n      - reply\n");
            format!("{text}fan_outs: {{hall: {{subscribers: 1}}}}\n")
        }
    }
}

/// What a live action says in which a variable of 200 kB stands so often.
fn told_of_long(live: &str) -> Vec<String> {
    let text = sent(&live.replace("LONG", &"{v}".repeat(400)));
    let long = "x".repeat(200_000);
    let errors = errors(&format!("{text}variables: {{v: {{one_of: [{long}]}}}}\n"));
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn texts_that_no_server_takes_are_refused_and_not_written_out() {
    let most = "may have 80000000 bytes, more than any server accepts";
    for (live, what) in [
        ("{request: a, headers: {H: \"LONG\"}}", most),
        (
            "{request: a, delivery: {subject: b.*, by: {json: /id}, equals: \"LONG{uuid}\"}}",
            most,
        ),
        ("{request: \"a.LONG\"}", "which is too long for a server"),
        (
            "{request: a, delivery: {subject: \"LONG\", by: {json: /id}, equals: \"{uuid}\"}}",
            "which is too long for a server",
        ),
    ] {
        let told = told_of_long(live);
        assert_eq!(told.len(), 1, "{live}");
        assert!(told[0].contains(what), "{live}: {}", told[0]);
    }
}

/// A publication of a path is sent by the double.
#[test]
fn paths_publish_to_nothing_of_the_server() {
    for subject in ["$JS.API.STREAM.PURGE.A", "$KV.a.b", "a..b", "a\\tb", "a.>"] {
        let text = BASE.replace(
            "path: [{visit: log}, reply]",
            &format!("path: [{{publish: {{stream: s, subject: \"{subject}\"}}}}, reply]"),
        );
        let text = format!("{text}streams: {{s: {{consumers: {{c: {{service: log}}}}}}}}\n");
        let errors = errors(&text);
        assert!(
            errors
                .iter()
                .any(|error| error.to_string().contains("cannot be published to")),
            "{subject}: {errors:?}"
        );
    }
}

#[test]
fn the_base_has_no_mistakes() {
    assert_eq!(found(BASE), []);
}

type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// What stands in the base, what replaces it, and the errors that follow: spanned text and message.
#[rustfmt::skip]
const CASES: &[Case] = &[
    ("workers: 4", "workers: 0", &[("0", "there must be at least one worker")]),
    ("workers: 4", "worker: 4", &[("worker", "`worker` is not a key of a service")]),
    ("workers: 4", "workers: many", &[("many", "`many` is not a count")]),
    ("workers: 4", "workers: -4", &[("-4", "`-4` is negative")]),
    ("workers: 4", "workers:", &[("workers", "the key `workers` has no value")]),
    ("workers: 4\n", "\n", &[("api", "a service needs the key `workers`")]),
    ("concurrency: 50", "concurrency: 50\n    rate: 5/s", &[("5/s", "the client `users` has both `concurrency` and `rate`")]),
    ("    concurrency: 50\n", "", &[("users", "the client `users` has neither `concurrency` nor `rate`")]),
    ("rate: 200/s", "rate: 200", &[("200", "the rate `200` has no unit")]),
    ("rate: 200/s", "rate: 0/s", &[("0/s", "a rate of 0/s sends nothing")]),
    ("do: ask", "do: aks", &[("aks", "there is no action `aks`")]),
    ("{ask: 3, tell: 1}", "{ask: 0, tell: 0}", &[("{ask: 0, tell: 0}", "the weights of the mix add up to 0")]),
    ("{ask: 3, tell: 1}", "{ask: 3, tell: 0}", &[("0", "an action of weight 0 is never chosen")]),
    ("{ask: 3, tell: 1}", "{}", &[("{}", "the mix is empty")]),
    ("{ask: 3, tell: 1}", "[ask, tell]", &[("[ask, tell]", "expected an action or a weighted mix of actions, found a list")]),
    ("think: {exponential: {mean: 500ms}}", "think: {exponential: {mean: 0ms}}", &[("0ms", "`mean` is 0s")]),
    ("{exponential: {mean: 500ms}}", "{exponential: {}}", &[("exponential", "an exponential distribution needs the key `mean`")]),
    ("    do: ask\n", "", &[("users", "a client needs the key `do`")]),
    ("{exponential: {mean: 500ms}}", "{pareto: {}}", &[("pareto", "a Pareto distribution needs the key `max`")]),
    ("{exponential: {mean: 500ms}}", "{pareto: {max: 1s, shape: 2}}", &[("{pareto: {max: 1s, shape: 2}}", "these parameters do not make a Pareto distribution")]),
    ("{exponential: {mean: 500ms}}", "{pareto: {min: 1ms, mean: 2ms, max: 1s, shape: 2}}", &[("{pareto: {min: 1ms, mean: 2ms, max: 1s, shape: 2}}", "these parameters do not make a Pareto distribution")]),
    ("{exponential: {mean: 500ms}}", "{pareto: {min: 0ms, max: 1s, shape: 2}}", &[("0ms", "`min` is 0s")]),
    ("{exponential: {mean: 500ms}}", "{pareto: {mean: 2s, max: 1s, shape: 2}}", &[("1s", "`max` (1s) is not above `mean` (2s)")]),
    ("{exponential: {mean: 500ms}}", "{pareto: {min: 1ms, max: 1s, shape: 0.01}}", &[("0.01", "shape is 0.01")]),
    ("{exponential: {mean: 500ms}}", "{normal: {mean: 500ms}}", &[("normal", "a normal distribution needs the key `sd`")]),
    ("{exponential: {mean: 500ms}}", "{normal: {mean: 500ms, sd: 0s}}", &[("0s", "`sd` is 0s")]),
    ("{exponential: {mean: 500ms}}", "{normal: {mean: 500ms, sd: 1s, min: 2s, max: 1s}}", &[("1s", "`max` (1s) is not above `min` (2s)")]),
    ("{exponential: {mean: 500ms}}", "{normal: {mean: 500ms, sd: 1ms, min: 2s}}", &[("{normal: {mean: 500ms, sd: 1ms, min: 2s}}", "less than 1 % of the distribution lies between min and max")]),
    ("{exponential: {mean: 500ms}}", "{empirical: {}}", &[("{empirical: {}}", "these parameters do not make an empirical distribution")]),
    ("{exponential: {mean: 500ms}}", "{empirical: {values: [1s], file: times.csv}}", &[("{empirical: {values: [1s], file: times.csv}}", "these parameters do not make an empirical distribution")]),
    ("{exponential: {mean: 500ms}}", "{exponentail: {mean: 5s}}", &[("exponentail", "`exponentail` is not a distribution")]),
    ("{exponential: {mean: 500ms}}", "exponential", &[("exponential", "`exponential` needs a value")]),
    ("{exponential: {mean: 500ms}}", "{exponential: {mean: 5s}, uniform: {min: 1s, max: 2s}}", &[("uniform", "a distribution takes one key, and `uniform` is a second one")]),
    ("{exponential: {mean: 500ms}}", "[5s]", &[("[5s]", "expected a distribution, found a list")]),
    ("{exponential: {mean: 500ms}}", "{lognormal: {cv: 1, p95: 4s}}", &[("{lognormal: {cv: 1, p95: 4s}}", "these parameters do not make a lognormal distribution")]),
    ("{exponential: {mean: 500ms}}", "{lognormal: {mean: 1s, cv: 1e9}}", &[("1e9", "cv is 1000000000")]),
    ("      - reply\n", "      - reply\n      - reply\n", &[("reply", "the user already has its reply here")]),
    ("      - reply\n", "      - fail: app_error\n      - reply\n", &[("reply", "this step is never reached")]),
    ("- reply", "- replay", &[("replay", "`replay` is not a path step")]),
    ("- visit: api", "- visit: apo", &[("apo", "there is no service `apo`")]),
    ("- visit: api", "- visit", &[("visit", "`visit` needs a value")]),
    ("- visit: api", "- publish: audit", &[("audit", "there is no stream `audit`")]),
    ("- visit: api", "- visit: api\n        delay: 5ms", &[("delay", "a path step takes one key, and `delay` is a second one")]),
    ("      - reply\n", "      - branch: [{weight: 1, path: [reply]}, {weight: 1, path: []}]\n", &[("branch: [{weight: 1, path: [reply]}, {weight: 1, path: []}]", "on some branch the path of `ask` never replies")]),
    ("p99: 250ms", "p99: 50ms", &[("50ms", "`p99` (50ms) is below `p95` (100ms)")]),
    ("horizon: 60s, ", "", &[("{warmup: 5s}", "the load has no end: there is neither a budget nor a horizon")]),
    ("run: {horizon: 60s, warmup: 5s}", "", &[("-", "the load has no end: there is neither a budget nor a horizon")]),
    ("warmup: 5s", "warmup: 60s", &[("60s", "the warm-up (60s) is not before the horizon (60s)")]),
    ("warmup: 5s", "warmup: atuo", &[("atuo", "`atuo` is not a duration")]),
    ("horizon: 60s", "horizon: 87660000h", &[("87660000h", "`87660000h` is too long")]),
    ("horizon: 60s", "requests: 0", &[("0", "a budget of 0 requests runs nothing")]),
    ("blis: 1", "blis: 2", &[("2", "version 2 of the language is not known")]),
    ("blis: 1\n", "", &[("", "a spec needs the key `blis`")]),
    ("name: base", "name: base\nname: bose", &[("name", "the key `name` is given twice")]),
    ("name: base", "name: base\nstreams: {}", &[("{}", "there are no streams")]),
    ("timeout: 5s", "timeout: 5", &[("5", "the duration `5` has no unit")]),
    ("timeout: 5s", "timeout: 30s1m", &[("30s1m", "the units of `30s1m` are not ordered from large to small")]),
    ("timeout: 5s", "timeout: 0s", &[("0s", "a timeout of 0s fails every request")]),
    ("timeout: 5s", "timeout: 5s\n    script: []", &[("script", "`script` is part of the language, but not yet \
                                                                 supported in this version")]),
    ("timeout: 5s", "timeout: 5s\n    shape: constant", &[("constant", "`shape` has no effect on a closed client")]),
    ("timeout: 5s", "timeout: 5s\n    population: 0", &[("0", "there must be at least one member")]),
    ("timeout: 5s", "timeout: 5s\n    population: 3M", &[("3M", "150000000 users need about 57 GB of memory")]),
    ("rate: 200/s", "rate: 200/s\n    population: 11M", &[("11M", "11000000 members are too many")]),
    ("rate: 200/s", "rate: 200/s\n    shape: slope", &[("slope", "`slope` is not a shape")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: 1}", &[("1", "expected a ramp, found the number 1")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: {to: 2}}", &[("ramp", "a ramp needs the key `over`")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: {from: -1, over: 5s}}", &[("-1", "`-1` is negative")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: {over: 0s}}", &[("0s", "`over` is 0s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: {to: 0, over: 5s}}", &[("{ramp: {to: 0, over: 5s}}", "the shape is zero everywhere: no request is sent")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: {at: 60s, over: 5s}}", &[("{ramp: {at: 60s, over: 5s}}", "the shape is zero up to the horizon (60s): no request is sent")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {ramp: {to: 1e6, over: 5s}}", &[("{ramp: {to: 1e6, over: 5s}}", "the peak of the shape is 1000000 times the rate of 200/s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: []}", &[("[]", "there are no stages")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: {over: 5s, to: 1}}", &[("{over: 5s, to: 1}", "expected a list, found a mapping")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: [{over: 5s}]}", &[("", "a stage needs the key `to`")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: [{over: 0s, to: 1}]}", &[("0s", "`over` is 0s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: [{over: 5s, to: 0}]}", &[("{stages: [{over: 5s, to: 0}]}", "the shape is zero everywhere: no request is sent")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: [{over: 1m10s, to: 0}, {over: 5s, to: 1}]}", &[("{stages: [{over: 1m10s, to: 0}, {over: 5s, to: 1}]}", "the shape is zero up to the horizon (60s): no request is sent")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stages: [{over: 5s, from: 1e6, to: 0}]}", &[("{stages: [{over: 5s, from: 1e6, to: 0}]}", "the peak of the shape is 1000000 times the rate of 200/s")]),
    ("rate: 200/s", "arrival: {burst: 5k}", &[("5k", "expected a burst, found `5k`")]),
    ("rate: 200/s", "arrival: {burst: {at: 5s}}", &[("burst", "a burst needs the key `count`")]),
    ("rate: 200/s", "arrival: {burst: {count: 0}}", &[("0", "a burst of 0 sends nothing")]),
    ("rate: 200/s", "arrival: {burst: {count: 101M}}", &[("101M", "a burst of 101000000 is too large for memory")]),
    ("rate: 200/s", "rate: 200/s\n    arrival: {burst: {count: 5k}}", &[("200/s", "`rate` has no effect on a burst")]),
    ("rate: 200/s", "shape: constant\n    arrival: {burst: {count: 5k}}", &[("constant", "`shape` has no effect on a burst")]),
    ("rate: 200/s", "population: 2\n    arrival: {burst: {count: 5k}}", &[("2", "`population` has no effect on a burst")]),
    ("rate: 200/s", "think: 2s\n    arrival: {burst: {count: 5k}}", &[("2s", "`think` has no effect on an open client")]),
    ("rate: 200/s", "on_failure: {respawn: true}\n    arrival: {burst: {count: 5k}}", &[("true", "`respawn` has no effect on an open client")]),
    ("timeout: 5s", "timeout: 5s\n    arrival: {burst: {count: 5k}}", &[("{burst: {count: 5k}}", "`arrival` has no effect on a closed client")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stairs: {levels: [], every: 5s}}", &[("[]", "there are no levels")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stairs: {levels: [1, -2], every: 5s}}", &[("-2", "`-2` is negative")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {stairs: {levels: [1, 2], every: 0s}}", &[("0s", "`every` is 0s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {spike: 5}", &[("5", "`5` is not a spike or a list of spikes")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {spike: {at: 1s, for: 2s}}", &[("spike", "a spike needs the key `factor`")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {spike: {at: 1s, for: 0s, factor: 3}}", &[("0s", "`for` is 0s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {spike: [{at: 1s, for: 5s, factor: 3}, {at: 4s, for: 1s, factor: 2}]}", &[("4s", "the spike at 4s begins before the one above it ends, at 6s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {drain: {at: 1s, over: 0s}}", &[("0s", "`over` is 0s")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {diurnal: {period: 1s}}", &[("{diurnal: {period: 1s}}", "these keys do not make a diurnal shape")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {diurnal: {low: 2, peak_at: 1h}}", &[("2", "`low` (2) is above `high` (1)")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {diurnal: {low: 0.5, peak_at: 25h}}", &[("25h", "`peak_at` (25h) is beyond the period (24h)")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {diurnal: {levels: [0, 0]}}", &[("{diurnal: {levels: [0, 0]}}", "the shape is zero everywhere: no request is sent")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {windows: []}", &[("[]", "there are no windows")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {windows: [{at: 2m, for: 5s}]}", &[("{windows: [{at: 2m, for: 5s}]}", "the shape is zero up to the horizon (60s): no request is sent")]),
    ("rate: 200/s", "rate: 200/s\n    shape: {windows: [{at: 5s, for: 5s}, {at: 1s, for: 1s}]}", &[("1s", "the window at 1s begins before the one above it ends, at 10s")]),
    ("timeout: 5s", "timeout: 5s\n    arrival: poisson", &[("poisson", "`arrival` has no effect on a closed client")]),
    ("timeout: 5s", "timeout: 5s\n    on_failure: {respawn: maybe}", &[("maybe", "expected `true` or `false`, found `maybe`")]),
    ("rate: 200/s", "rate: 200/s\n    on_failure: {respawn: true}", &[("true", "`respawn` has no effect on an open client")]),
    ("rate: 200/s", "rate: 200/s\n    think: 5s", &[("5s", "`think` has no effect on an open client")]),
    ("rate: 200/s", "rate: 200/s\n    session: {rounds: 0}", &[("0", "a session cannot have 0 rounds")]),
    ("time: 1ms", "time: 1ms\n    dispatch: random", &[("random", "`dispatch` has no effect on a service with one member")]),
    ("time: 1ms", "time: 1ms\n    errors: 200%", &[("200%", "the share `200%` is above 100%")]),
    ("time: 1ms", "time: .nan", &[(".nan", "`.nan` is not a duration: it must be finite")]),
    ("time: 1ms", "time: 1e999", &[("1e999", "`1e999` is not a duration")]),
    ("  log:", "  api:", &[("log", "there is no service `log`"), ("api", "the key `api` is given twice")]),
    ("  log:", "  my log:", &[("log", "there is no service `log`"), ("my log", "`my log` cannot be a name")]),
    ("  log:", "  1:", &[("log", "there is no service `log`"), ("1", "`1` cannot be a name")]),
    ("services:", "services: {}\nx:", &[("api", "there is no service `api`"), ("log", "there is no service `log`"), ("x", "`x` is not a key of a spec")]),
    ("concurrency: 50", "concurrency: 200M", &[("200M", "200000000 users need about 76 GB of memory")]),
    ("concurrency: 50", "concurrency: 10k users", &[("10k users", "`10k users` is not a count")]),
    ("clients:\n", "clients: []\nclients2:\n", &[("[]", "expected names with their values, found a list"), ("clients2", "`clients2` is not a key of a spec")]),
    ("blis: 1", "- blis", &[("n", "this is not YAML: while parsing a block collection, did not find expected '-' indicator")]),
    ("blis: 1", "blis: [1", &[(":", "this is not YAML: illegal placement of ':' indicator")]),
    ("blis: 1", "blis: 1\n---", &[("", "a second document starts here")]),
    ("name: base", "name: \"a\\u202eb\"", &[("\"a\\u202eb\"", "`a\\u202eb` cannot be the name of a spec")]),
    ("name: base", "name: \"a\\u200bb\"", &[("\"a\\u200bb\"", "`a\\u200bb` cannot be the name of a spec")]),
    ("name: base", "name: \"\"", &[("\"\"", "`` cannot be the name of a spec")]),
    ("rate: 200/s", "rate: 2000M/s", &[("2000M/s", "`2000M/s` is too high a rate")]),
    ("workers: 4", "workers: 4.5", &[("4.5", "`4.5` is not a whole number")]),
    ("workers: 4", "workers: 4\n    members: 0", &[("0", "there must be at least one member")]),
    ("workers: 4", "workers: 4\n    queue: {}", &[("{}", "an empty `queue` has no effect")]),
    ("workers: 4", "workers: 4\n    queue: {limit: 5G}", &[("5G", "`5G` is not a count")]),
    ("workers: 4", "workers: 4\n    queue: {limit: 5000M}", &[("5000M", "a queue limit of 5000000000 is too large")]),
    ("workers: 4", "workers: 4\n    prefetch: 2", &[("prefetch", "`prefetch` is part of the language, but not yet \
                                                                  supported in this version")]),
    ("timeout: 5s", "on_failure: {}", &[("{}", "an empty `on_failure` has no effect")]),
    ("timeout: 5s", "on_failure: {retry: {times: 0}}", &[("0", "a request cannot be retried 0 times")]),
    ("timeout: 5s", "on_failure: {retry: {times: 1, backoff: -1s}}", &[("-1s", "`-1s` is negative")]),
    ("timeout: 5s", "session: {rounds: 3}", &[("{rounds: 3}", "`session` has no effect on a closed client")]),
    ("rate: 200/s", "rate: 200/s\n    arrival: {gamma: {cv: 0}}", &[("0", "cv is 0")]),
    ("rate: 200/s", "arrival: {trace: lost.csv}", &[("lost.csv", "the file `lost.csv` was not read")]),
    ("rate: 200/s", "arrival: {trace: lost.csv}\n    rate: 5/s", &[("lost.csv", "the file `lost.csv` was not read"), ("5/s", "`rate` has no effect on recorded arrivals")]),
    ("rate: 200/s", "arrival: {trace: lost.csv}\n    shape: constant", &[("lost.csv", "the file `lost.csv` was not read"), ("constant", "`shape` has no effect on recorded arrivals")]),
    ("rate: 200/s", "arrival: {trace: lost.csv}\n    population: 2", &[("lost.csv", "the file `lost.csv` was not read"), ("2", "`population` has no effect on recorded arrivals")]),
    ("rate: 200/s", "arrival: {trace: lost.csv}\n    think: 2s", &[("lost.csv", "the file `lost.csv` was not read"), ("2s", "`think` has no effect on an open client")]),
    ("timeout: 5s", "timeout: 5s\n    arrival: {trace: lost.csv}", &[("{trace: lost.csv}", "`arrival` has no effect on a closed client")]),
    ("rate: 200/s", "rate: 200/s\n    session: {rounds: {uniform: {min: 5, max: 2}}}", &[("2", "`max` (2) is below `min` (5)")]),
    ("rate: 200/s", "rate: 200/s\n    session: {rounds: 2.5}", &[("2.5", "a session cannot have 2.5 rounds")]),
    ("time: 1ms", "time: {uniform: {min: 2ms, max: 1ms}}", &[("1ms", "`max` (1ms) is not above `min` (2ms)")]),
    ("time: 1ms", "time: {erlang: {k: 0, mean: 1ms}}", &[("0", "an Erlang distribution cannot have 0 stages")]),
    ("time: 1ms", "time: {lognormal: {median: 2s, p95: 1s}}", &[("1s", "`p95` (1s) is not above `median` (2s)")]),
    ("time: 1ms", "time: {lognormal: {median: 2s, p99: 2s}}", &[("2s", "`p99` (2s) is not above `median` (2s)")]),
    ("time: 1ms", "time: {hyperexponential: {mean: 1ms, cv: 0.5}}", &[("0.5", "cv is 0.5")]),
    ("time: 1ms", "time: {hyperexponential: {branches: [{weight: 0, mean: 1ms}]}}", &[("0", "a branch of weight 0 is never chosen")]),
    ("time: 1ms", "time: 1ms\n    by_size: {time: 1ms, per: 1KiB}", &[("{time: 1ms, per: 1KiB}", "`by_size` has no effect because no request that visits `log` has a payload")]),
    ("time: 1ms", "time: 1ms\n    by_size: {time: 0s, per: 1KiB}", &[("0s", "`time` is 0s")]),
    ("time: 1ms", "time: 1ms\n    by_size: {time: 1ms, per: 0B}", &[("0B", "`per` is 0B")]),
    ("time: 1ms", "time: 1ms\n    by_size: {time: 1ms}", &[("by_size", "`by_size` needs the key `per`")]),
    ("time: 1ms", "time: 1ms\n    by_size: {time: 1ms, per: 5}", &[("5", "the size `5` has no unit")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    payload: {size: 4KiB}", &[("{size: 4KiB}", "`payload` has no effect without `live`")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    live: {request: a.b}\n    payload: {size: 4KiB, at_most: 1KiB}", &[("1KiB", "`at_most` has no effect on a constant size")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    live: {request: a.b}\n    payload: {size: {uniform: {min: 1B, max: 2B}}, at_most: 3B}", &[("3B", "`at_most` has no effect on sizes of up to 2B")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    live: {request: a.b}\n    payload: {text: a, at_most: 7B}", &[("7B", "`at_most` has no effect without `size`")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    live: {request: a.b}\n    payload: {size: {exponential: {mean: 1kB}}, at_most: 0B}", &[("0B", "`at_most` is 0B: every request would be empty")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    live: {request: a.b}\n    payload: {size: {exponential: {mean: 0B}}}", &[("0B", "`mean` is 0B")]),
    ("path: [{visit: log}, reply]", "path: [{visit: log}, reply]\n    live: {request: a.b}\n    payload: {size: {pareto: {min: 1B, max: 100MiB, shape: 1}}}", &[("{pareto: {min: 1B, max: 100MiB, shape: 1}}", "a payload of 104857600B is more than any server takes")]),
    ("time: 1ms", "time: {empirical: {weights: [1]}}", &[("{empirical: {weights: [1]}}", "these parameters do not make an empirical distribution")]),
    ("time: 1ms", "time: {empirical: {file: times.csv, weights: [1]}}", &[("{empirical: {file: times.csv, weights: [1]}}", "these parameters do not make an empirical distribution")]),
    ("time: 1ms", "time: {empirical: {values: [8ms, 40ms], weights: [19]}}", &[("[19]", "`values` has 2 entries and `weights` has 1")]),
    ("time: 1ms", "time: {empirical: {values: [8ms, 40ms], weights: [19, 0]}}", &[("0", "a value of weight 0 is never chosen")]),
    ("time: 1ms", "time: {empirical: {values: [8ms, 40ms], weights: [19, 5%]}}", &[("5%", "`5%` is not a number")]),
    ("time: 1ms", "time: {empirical: {values: [], weights: []}}", &[("[]", "points is empty")]),
    ("time: 1ms", "time: {empirical: {values: []}}", &[("[]", "values is empty")]),
    ("time: 1ms", "time: {empirical: {file: times.csv}}", &[("times.csv", "the file `times.csv` was not read")]),
    ("time: 1ms", "time: {gamma: {mean: 1ms, scale: 1ms}}", &[("{gamma: {mean: 1ms, scale: 1ms}}", "these parameters do not make a gamma distribution")]),
    ("slo: {p95: 100ms, p99: 250ms}", "slo: {}", &[("{}", "an empty `slo` has no effect")]),
    ("slo: {p95: 100ms, p99: 250ms}", "slo: {p95: 0s}", &[("0s", "`p95` is 0s, which no response can meet")]),
    ("slo: {p95: 100ms, p99: 250ms}", "payload: {size: 256B}", &[("{size: 256B}", "`payload` has no effect without `live`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {headers: {A: b}}", &[("{headers: {A: b}}", "`live` has no way to send the request")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, publish: b}", &[("b", "`live` takes one way to send")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"a..b\"}", &[("\"a..b\"", "the subject `a..b` has an empty token")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"a.*\"}", &[("\"a.*\"", "the subject `a.*` is a wildcard, which nobody can publish to")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"$SYS.REQ.SERVER.PING\"}", &[("\"$SYS.REQ.SERVER.PING\"", "the subject `$SYS.REQ.SERVER.PING` is a system subject of the server")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"$JS.API.STREAM.PURGE.A\"}", &[("\"$JS.API.STREAM.PURGE.A\"", "the subject `$JS.API.STREAM.PURGE.A` administers the server and is not a read")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {publish: \"$KV.A\"}", &[("\"$KV.A\"", "the subject `$KV.A` is not a key of a bucket")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, kv_get: {bucket: b, key: c}}", &[("{bucket: b, key: c}", "`live` takes one way to send")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {kv_put: {bucket: \"a.b\", key: c}}", &[("\"a.b\"", "`a.b` is not the name of a bucket")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {kv_get: {bucket: a, key: \"b c\"}}", &[("\"b c\"", "the subject `b c` may be `$JS.API.DIRECT.GET.KV_a.$KV.a.b c`, which has a blank in it")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {kv_put: {bucket: a, key: \"b.é\"}}", &[("\"b.é\"", "the subject `b.é` may be `$KV.a.b.é`, which is not a key of a bucket")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {direct_get: {stream: \"a.b\", subject: c}}", &[("\"a.b\"", "`a.b` is not the name of a stream")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {direct_get: {stream: a, subject: \"b.*\"}}", &[("\"b.*\"", "the subject `b.*` may be `$JS.API.DIRECT.GET.a.b.*`, which is a wildcard, which nobody can publish to")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {kv_put: {bucket: a, key: b}, error_when: [{status: 404}]}", &[("[{status: 404}]", "conditions have no effect without a reply of a service")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, error_when: [{status: 42}]}", &[("42", "42 is not a status code")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, headers: {Nats-Rollup: sub}}", &[("Nats-Rollup", "the header `Nats-Rollup` deletes messages")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, request_id: nats-rollup}", &[("nats-rollup", "the header `nats-rollup` deletes messages")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, headers: {KV-Operation: PURGE}}", &[("PURGE", "the header KV-Operation `PURGE` may be `PURGE`, which deletes messages")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, headers: {Nats-Schedule: b}}", &[("Nats-Schedule", "the header `Nats-Schedule` makes the server send messages by itself")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"a.{room}\"}", &[("\"a.{room}\"", "`{room}` is not a placeholder")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"a.{env:ROOM}\"}", &[("\"a.{env:ROOM}\"", "a subject may not use the environment, because servers show subjects")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a}\n    payload: {size: 65MiB}", &[("65MiB", "a payload of 68157440B is more than any server takes")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a}\n    payload: {size: 1B, text: b}", &[("{size: 1B, text: b}", "`payload` takes one form")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a}\n    payload: {file: lost.json}", &[("lost.json", "the file `lost.json` was not read")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: \"a.{user\"}", &[("\"a.{user\"", "the subject `a.{user` has a brace that is not part of a placeholder")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, request_id: \"a b\"}", &[("\"a b\"", "`a b` is not the name of a header")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, headers: {Blis-Request: b}}", &[("{request: a, headers: {Blis-Request: b}}", "the header `Blis-Request` carries the request's id")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {publish: a, error_when: [{header: B}]}", &[("[{header: B}]", "conditions have no effect without a reply of a service")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, error_when: [{}]}", &[("{}", "the condition is empty")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, error_when: [{header: B, text: c}]}", &[("{header: B, text: c}", "a condition takes one of `header`, `json`, `text` and `status`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, error_when: [{json: error}]}", &[("error", "`error` is not a JSON pointer")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, rejected_when: [{text: b, is: c}]}", &[("c", "`is` has no effect beside `text`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {publish: a, record_headers: [Id]}", &[("[Id]", "`record_headers` has no effect without a reply of a service")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {jetstream: a, record_headers: [Id]}", &[("[Id]", "`record_headers` has no effect without a reply of a service")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, record_headers: [Id, \"b,c\"]}", &[("\"b,c\"", "`b,c` is not the name of a header to record")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, record_headers: [\"\"]}", &[("\"\"", "`` is not the name of a header to record")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, record_headers: [Id, Other, Id]}", &[("Id", "`Id` is given twice")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, record_headers: [A, B, C, D, E, F, G, H, I]}", &[("[A, B, C, D, E, F, G, H, I]", "9 headers to record are too many")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, rejected_when: [{text: \"\"}]}", &[("\"\"", "an empty text is in every reply")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {request: a, await: {}}", &[("await", "`await` is no longer a key of `live`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    live: {request: a, delivery: {}}", &[("delivery", "`delivery` needs the key `subject`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    live: {publish: a, delivery: {subject: \"b.>.c\"}}", &[("\"b.>.c\"", "the subject `b.>.c` is a wildcard, which nobody can publish to")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    live: {publish: a, delivery: {subject: b, by: {token: 1}}}", &[("1", "token 1 of the subject is the same for every request")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    live: {publish: a, delivery: {subject: b, equals: \"{user}\"}}", &[("\"{user}\"", "several requests have the same `equals`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    live: {publish: a, delivery: {subject: b, when: []}}", &[("[]", "an empty `when` matches no message")]),
    ("slo: {p95: 100ms, p99: 250ms}", "live: {publish: a, delivery: {subject: b}}", &[("{subject: b}", "`delivery` has no effect without `await`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    live: {publish: a}", &[("{publish: a}", "the action awaits deliveries, but `live` has no `delivery`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}", &[("{}", "the path of `ask` has no deliveries to await")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {deliveries: 0}", &[("0", "0 deliveries")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {subscribers: 0}", &[("0", "0 subscribers")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {deliveries: 2, until: 3}", &[("3", "a request waits for 3 deliveries, but only 2 are expected: it would never end")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {until: last}", &[("last", "`last` is not a count")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {from: {fan_out: hall}}", &[("hall", "there is no fan-out `hall`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {from: {consumer: a/b}}", &[("a/b", "there is no consumer `a/b`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "slo: {deliveries: {missing: 1%}}", &[("{missing: 1%}", "`deliveries` has no effect without `await`")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    slo: {deliveries: {}}", &[("{}", "empty `deliveries` have no effect")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    slo: {deliveries: {last: {}}}", &[("{}", "an empty objective has no effect")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    slo: {deliveries: {each: {p50: 2ms, p99: 1ms}}}", &[("1ms", "`p99` (1ms) is below `p50` (2ms)")]),
    ("slo: {p95: 100ms, p99: 250ms}", "await: {}\n    slo: {overall: {deliveries: {missing: 1%}}}", &[("{missing: 1%}", "`deliveries` cannot be in `overall`")]),
    ("name: base", "name: base\nmax_in_flight: {limit: 0}", &[("0", "a limit of 0 requests in flight")]),
    ("name: base", "name: base\nmax_in_flight: {limit: 5, policy: wait}", &[("wait", "`wait` is not a policy")]),
    ("name: base", "name: base\nvariables: {user: {one_of: [a]}}", &[("user", "`user` is the name of a built-in placeholder")]),
    ("name: base", "name: base\nvariables: {a: {}}", &[("a", "`a` has no values")]),
    ("name: base", "name: base\nvariables: {a: {one_of: []}}", &[("[]", "`one_of` is empty")]),
    ("name: base", "name: base\nvariables: {a: {from: 3, to: 2}}", &[("2", "`to` (2) is below `from` (3)")]),
    ("name: base", "name: base\nvariables: {a: {from: 3, one_of: [b]}}", &[("a", "a variable takes one form")]),
    ("      - reply\n", "      - branch: []\n      - reply\n", &[("branch: []", "the branch is empty")]),
    ("      - reply\n", "      - branch: [{weight: 0.2, path: []}]\n      - reply\n", &[("branch: [{weight: 0.2, path: []}]", "a branch with a single way is always taken, whatever its weight")]),
    ("      - reply\n", "      - branch: [{weight: 0, path: []}]\n      - reply\n", &[("branch: [{weight: 0, path: []}]", "the weights of the branch add up to 0")]),
    ("      - reply\n", "      - branch: [{weight: 0, path: []}, {weight: 1, path: []}]\n      - reply\n", &[("0", "a way of weight 0 is never chosen")]),
    ("      - reply\n", "      - branch: [{weight: 2, path: [reply]}, {weight: 1, path: []}]\n      - reply\n", &[("reply", "on some branch the user already has its reply here")]),
    ("      - reply\n", "      - reply: now\n", &[("now", "`reply` takes no value")]),
    ("      - reply\n", "      - fail: horribly\n", &[("horribly", "`horribly` is not a failure")]),
    ("      - reply\n", "      -\n", &[("", "expected a path step, found nothing")]),
    ("name: base", "name: base\nnetwork: {}", &[("network", "`network` needs the key `one_way`")]),
    ("name: base", "name: base\nseed: -1", &[("-1", "`-1` is negative")]),
    ("name: base", "name: base\nseed: 18446744073709551616", &[("18446744073709551616", "`18446744073709551616` is too large")]),
    ("name: base", "name: base\nseed: 0x10", &[("0x10", "`0x10` is not a count")]),
    ("name: base", "name: base\nseed: [1, # none\n  2]", &[("[1, # none\n  2]", "expected a count, found a list")]),
    ("name: base", "name: !!python/object base", &[("base", "the tag `!!python/object` is not part of the language")]),
    ("name: base", "name: base\n? [a]\n: b", &[("[", "a key must be a plain name")]),
    ("name: base", "name: *nobody", &[("*", "this alias has no anchor")]),
    ("name: base", "name: &a [*a]", &[("*a", "this alias contains itself")]),
    ("name: base", "name: base\n<<: {seed: 1}", &[("<<", "merge keys (`<<`) are not part of the language")]),
    ("name: base", "name: ba\0se", &[("\0", "this is not YAML: unexpected character: `\\u{0}'")]),
    ("  log:", "  a23456789_123456789_123456789_123456789_123456789_123456789_12345:", &[("log", "there is no service `log`"), ("a23456789_123456789_123456789_123456789_123456789_123456789_12345", "`a23456789_123456789_123456789_123456789_123456789_123456789_...` is too long for a name")]),
    ("rate: 200/s", "rate: 0.0000000001/s", &[("0.0000000001/s", "`0.0000000001/s` is less than one in 30 years")]),
];

#[test]
fn every_mistake_is_named_at_its_place() {
    let mut wrong = Vec::new();
    for (original, replacement, expected) in CASES {
        let at = BASE
            .find(original)
            .unwrap_or_else(|| panic!("`{original}` is not in the base"));
        let text = BASE.replacen(original, replacement, 1);
        let found = found(&text);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(span, message)| (span.as_str(), message.as_str()))
            .collect();
        if found != *expected {
            wrong.push(format!(
                "for `{replacement}`: found {found:?}, expected {expected:?}"
            ));
        }
        for error in errors(&text) {
            // A text that the replacement holds is meant there, not where it happens to stand elsewhere.
            let Some(span) = error.span.clone() else {
                continue;
            };
            // Syntax errors stand where the reader notices them.
            let noticed = ["this is not YAML", "a second document"]
                .iter()
                .any(|start| error.message.starts_with(start));
            let spanned = &text[span.clone()];
            let elsewhere = noticed || !replacement.contains(spanned) || spanned == "log";
            let inside = at <= span.start && span.end <= at + replacement.len();
            if !inside && !elsewhere {
                wrong.push(format!("for `{replacement}`: {error} at {span:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_error_says_what_would_be_accepted() {
    for (original, replacement, _) in CASES {
        for error in errors(&BASE.replacen(original, replacement, 1)) {
            // These say it in the message, or cannot know what was meant.
            let enough = ["this is not YAML", "expected ", "this alias"]
                .iter()
                .any(|start| error.message.starts_with(start));
            assert!(
                error.help.is_some() || enough,
                "for `{replacement}`: {error}"
            );
        }
    }
}

/// A spec with a mistake in every part.
const BROKEN: &str = "\
blis: 3
nmae: broken
name: broken
run: {requests: 0, warmup: {after: 5s}}
clients:
  users:
    concurrency: 0
    shape: {ramp: 1}
    do: aks
    timeout: 5
  feed:
    rate: fast
    think: 5s
    do: {ask: 0, tell: 1}
actions:
  ask:
    path: [visit: api, reply]
    slo: {p95: 100ms, p99: 50ms}
  tell:
    path: [visit: log, replay]
services:
  api:
    workers: 0
    time: {exponential: {mean: 0s}}
  log:
    worker: 1
    time: 1ms
    time: 2ms
";

#[test]
fn mistakes_of_all_kinds_are_reported_in_one_go_and_in_order() {
    let found = found(BROKEN);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(span, message)| (span.as_str(), message.as_str()))
        .collect();
    let expected = [
        ("3", "version 3 of the language is not known"),
        ("nmae", "`nmae` is not a key of a spec"),
        ("0", "a budget of 0 requests runs nothing"),
        ("after", "`after` is not a warm-up"),
        ("0", "there must be at least one user"),
        ("1", "expected a ramp, found the number 1"),
        ("aks", "there is no action `aks`"),
        ("5", "the duration `5` has no unit"),
        ("fast", "`fast` is not a rate"),
        ("0", "an action of weight 0 is never chosen"),
        ("50ms", "`p99` (50ms) is below `p95` (100ms)"),
        ("replay", "`replay` is not a path step"),
        ("0", "there must be at least one worker"),
        ("0s", "`mean` is 0s"),
        ("worker", "`worker` is not a key of a service"),
        ("time", "the key `time` is given twice"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_duplicate_key_names_both_places() {
    let text = BASE.replacen("name: base", "name: base\nname: base", 1);
    let errors = errors(&text);
    let [error] = &errors[..] else {
        panic!("one error")
    };
    let first = text.find("name:").expect("the first key");
    let second = text.rfind("name:").expect("the second key");
    assert_eq!(error.span, Some(second..second + 4));
    let related = error.related.as_deref().expect("the first place");
    assert_eq!(
        (related.span.clone(), related.label.as_str()),
        (first..first + 4, "first here")
    );
}

#[test]
fn a_place_has_a_path_of_keys() {
    let fields = Fields::new(BASE);
    let path = |needle: &str| {
        let start = BASE.find(needle).expect("it is in the base");
        fields.at(&(start..start + needle.len()))
    };
    assert_eq!(path("4").as_deref(), Some("services.api.workers"));
    assert_eq!(
        path("10ms").as_deref(),
        Some("services.api.time.exponential.mean")
    );
    assert_eq!(path("log").as_deref(), Some("actions.tell.path[0].visit"));
    assert_eq!(path("feed").as_deref(), Some("clients.feed"));
    assert_eq!(fields.at(&(0..0)).as_deref(), Some("blis"));
    assert_eq!(Fields::new("a: [").at(&(0..1)), None);
}

#[test]
fn an_aliased_value_is_wrong_where_it_is_used() {
    let text = BASE
        .replacen(
            "think: {exponential: {mean: 500ms}}",
            "think: &t {exponential: {mean: 500ms}}",
            1,
        )
        .replacen("workers: 1\n", "workers: *t\n", 1);
    assert_eq!(
        found(&text),
        [(
            "*t".to_owned(),
            "expected a count, found a mapping".to_owned()
        )]
    );
}

#[test]
fn time_must_not_stand_still() {
    let closed = |client: &str, service: &str| {
        format!(
            "blis: 1\nname: still\nrun: {{horizon: 1s}}\nclients:\n  users: {{{client}, do: ask}}\n\
             actions: {{ask: {{path: [visit: api, reply]}}}}\nservices:\n  api: {{{service}}}\n"
        )
    };
    let messages = |client: &str, service: &str| -> Vec<String> {
        found(&closed(client, service))
            .into_iter()
            .map(|(span, message)| format!("{span}: {message}"))
            .collect()
    };
    let answers =
        "50: zero-time loop: a user of `users` gets every reply in zero time and has no think time";
    let rejects =
        "50: zero-time loop: a user of `users` can be rejected in zero time and has no think time";
    assert_eq!(
        messages("concurrency: 50", "workers: 1, time: 0s"),
        [answers]
    );
    assert_eq!(
        messages("concurrency: 50", "workers: 1, time: 0.4ns"),
        ["0.4ns: `0.4ns` is shorter than a nanosecond"]
    );
    assert_eq!(
        messages(
            "concurrency: 50",
            "workers: 1, time: 1s, queue: {limit: 48}"
        ),
        [rejects]
    );
    let none: [String; 0] = [];
    assert_eq!(
        messages(
            "concurrency: 50",
            "workers: 1, time: 1s, queue: {limit: 49}"
        ),
        none
    );
    assert_eq!(
        messages("concurrency: 50, think: 1ns", "workers: 1, time: 0s"),
        none
    );
    assert_eq!(messages("concurrency: 50", "workers: 1, time: 1ns"), none);
    let retiring = "concurrency: 50, on_failure: {respawn: false}";
    assert_eq!(
        messages(retiring, "workers: 1, time: 1s, queue: {limit: 48}"),
        none
    );
    let bounded =
        closed("concurrency: 50", "workers: 1, time: 0s").replace("horizon: 1s", "requests: 5");
    assert_eq!(found(&bounded), []);
}

#[test]
fn withdrawing_work_needs_a_client_that_gives_up() {
    let leaving = BASE.replacen("time: 1ms", "time: 1ms\n    on_timeout: leave", 1);
    assert_eq!(found(&leaving), []);
    let patient = leaving.replace("    timeout: 5s\n", "");
    let expected = (
        "leave".to_owned(),
        "`on_timeout` has no effect because no client has a timeout".to_owned(),
    );
    assert_eq!(found(&patient), [expected]);
}

#[test]
fn what_is_odd_but_legal_is_a_warning() {
    let text = BASE
        .replacen("horizon: 60s", "requests: 10", 1)
        .replacen("{ask: 3, tell: 1}", "ask", 1)
        .replacen("path: [{visit: log}, reply]", "path: [reply]", 1);
    let lowered =
        spec::lower(&spec::read(&text).expect("it can be read")).expect("it can be lowered");
    let warnings: Vec<_> = lowered
        .warnings
        .iter()
        .map(|w| (w.span.clone().map_or("-", |s| &text[s]), w.to_string()))
        .collect();
    let expected = [
        (
            "10",
            "the budget of 10 requests is smaller than the 50 users",
        ),
        ("tell", "no client does the action `tell`"),
        ("log", "the service `log` is never visited"),
    ];
    assert_eq!(
        warnings,
        expected.map(|(span, message)| (span, message.to_owned()))
    );
}
