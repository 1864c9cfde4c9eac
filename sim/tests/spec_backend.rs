//! What is wrong with the backend of a spec, and where: a base that is sound, and one mistake at a time.

use blis_sim::spec;

const BASE: &str = "\
blis: 1
name: base
run: {horizon: 10s}
clients:
  users: {rate: 5/s, do: ask, timeout: 1s}
  others: {rate: 5/s, do: tell}
actions:
  ask: {path: [{visit: api}, reply]}
  tell: {path: [{publish: {stream: orders, subject: orders.created}}, reply]}
services:
  api: {members: 2, workers: 2, time: 5ms}
  store: {workers: 2, time: 3ms}
streams:
  orders:
    append: 1ms
    consumers:
      work: {service: store}
fan_outs:
  room: {subscribers: 10}
";

/// Each mistake: what is replaced, by what, what the error is about, and what it says.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("{service: store}", "{service: store, batch: {per_item: 1ms}}", "{per_item: 1ms}", "needs `size` or `linger`"),
    ("{service: store}", "{service: store, max_ack_pending: 10, batch: {size: 11}}", "11", "a batch of 11 is never full, because `max_ack_pending` is 10"),
    ("{service: store}", "{service: store, filter: [orders.*, sales.>]}", "sales.>", "matches nothing that is published to the stream `orders`"),
    ("{service: store}", "{service: store, during: [{publish: orders}]}", "orders", "streams publish to each other without end: orders → orders"),
    ("{service: store}", "{service: store, after_max_deliver: drop}", "drop", "no effect without `max_deliver`"),
    ("{service: store}", "{service: store, ack_wait: 0s}", "0s", "redelivers without end"),
    ("{service: store}", "{service: store, during: [reply]}", "reply", "a consumer of a stream already replies to the user"),
    ("{service: store}", "{service: store, time: 1ms, batch: {size: 5}}", "1ms", "no effect on a consumer with `batch`"),
    ("{service: store}", "{service: store, batch: {size: 5}, during: [reply]}", "reply", "a batch cannot reply"),
    ("{service: store}", "{service: stare}", "stare", "there is no service `stare`"),
    ("{service: store}", "{service: store, prefetch: 10M}", "10M", "pull requests open at once"),
    ("{service: store}", "{service: store, during: [{visit: store}]}", "store", "possible deadlock: workers are held \
                                                                                 while waiting for others in a cycle: \
                                                                                 store → store"),
    ("{visit: api}, reply", "{visit: {service: api, during: [{visit: {service: store, during: [{visit: api}]}}]}}, reply", "", "possible deadlock"),
    ("{visit: api}, reply", "{visit: {service: api, during: []}}, reply", "[]", "an empty `during` has no effect"),
    ("{visit: api}, reply", "{call: ask}, reply", "ask", "actions call each other in a cycle: ask → ask"),
    ("{visit: api}, reply", "{parallel: {paths: [[{visit: api}], [reply]]}}, reply", "reply", "a path of `parallel` cannot reply"),
    ("{visit: api}, reply", "{parallel: {paths: [[{visit: api}]]}}, reply", "[[{visit: api}]]", "needs at least two paths"),
    ("{visit: api}, reply", "{cache: {hit: 90%, size: 10, miss: []}}, reply", "", "do not make a cache"),
    ("{visit: api}, reply", "{publish: {stream: orders, subject: a.*}}, reply", "a.*", "cannot be published to"),
    ("{visit: api}, reply", "{emit: rooms}, reply", "rooms", "there is no fan-out `rooms`"),
    ("append: 1ms", "duplicate_window: 0s", "0s", "no effect"),
    ("subject: orders.created", "ack: false, subject: orders.created}}, {publish: {stream: later, ack: true", "later", "there is no stream `later`"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, queue: {order: priority}}", "priority", "a priority order without classes"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, queue: {order: {priority: {classes: [gold]}}}}", "gold", "there is no class `gold`"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, queue: {order: {shared: {limit: 1}}}}", "1", "leaves some of the 2 workers always idle"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, queue: {limit: 5, order: shared}}", "5", "`limit` has no effect"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, queue: {order: {fair: {weights: {nobody: 2}}}}}", "nobody", "there is no client `nobody`"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, queue: {order: shared}, slower_when_busy: {usl: {contention: 1%}}}", "", "cannot be combined with the order `shared`"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, slower_when_busy: {table: [{busy: 2, factor: 1}, {busy: 1, factor: 2}]}}", "", "which ascend"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, cold_start: {factor: 0.5, lasts: 1s}}", "0.5", "out of range"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, admission: {burst: 5, in_flight: 3}}", "5", "`burst` has no effect without `rate`"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, admission: {}}", "{}", "has no effect"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, outages: [{from: 1s, to: 3s}, {from: 2s, to: 4s}]}", "{from: 2s, to: 4s}", "outages overlap"),
    ("{workers: 2, time: 3ms}", "{workers: 2, time: 3ms, outages: [{from: 3s, to: 3s}]}", "3s", "is not after `from`"),
    ("members: 2, workers: 2, time: 5ms", "members: 2, workers: 2, time: 5ms, outages: [{from: 1s, to: 2s, member: 3}]", "3", "there is no member 3"),
    ("members: 2, workers: 2, time: 5ms", "members: 2, dispatch: shared, workers: 2, time: 5ms, slow_downs: [{from: 1s, to: 2s, member: 1, factor: 2}]", "1", "members that share one queue cannot be addressed one by one"),
    ("do: tell}", "do: tell, class: gold}", "gold", "`class` has no effect"),
    ("do: tell}", "do: tell, class: \"go\\u202eld\"}", "\"go\\u202eld\"", "the class `go\\u202eld` cannot be a name"),
    ("[{visit: api}, reply]}", "[{visit: api}, reply], deadline: 1s}", "1s", "`deadline` has no effect"),
    ("subscribers: 10", "subscribers: 0", "0", "cannot have 0 subscribers"),
];

fn errors(text: &str) -> Vec<(String, String)> {
    let found = spec::read(text).and_then(|read| spec::lower(&read).map(|_| ()));
    let found = found.err().unwrap_or_default();
    let place = |error: &spec::SpecError| {
        let span = error.span.clone();
        span.map_or(String::new(), |span| text[span].to_owned())
    };
    found
        .iter()
        .map(|error| (place(error), error.to_string()))
        .collect()
}

#[test]
fn the_base_is_sound() {
    assert_eq!(errors(BASE), []);
}

#[test]
fn every_mistake_is_said_where_it_stands() {
    let mut wrong = Vec::new();
    for (original, replacement, about, says) in MISTAKES {
        assert!(BASE.contains(original), "`{original}` is not in the base");
        let found = errors(&BASE.replacen(original, replacement, 1));
        let said = |(place, message): &(String, String)| {
            (about.is_empty() || place == about) && message.contains(says)
        };
        if !found.iter().any(said) {
            wrong.push(format!("`{replacement}`: found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A class that is none is told once, and is not taken for another one that is named after it.
#[test]
fn every_class_that_is_wrong_is_told_once() {
    let order = |classes: &str| {
        let service = "{workers: 2, time: 3ms}";
        let with = format!(
            "{{workers: 2, time: 3ms, queue: {{order: {{priority: {{classes: {classes}}}}}}}}}"
        );
        let text = BASE.replacen(service, &with, 1);
        let text = text.replacen("do: tell}", "do: tell, class: gold}", 1);
        let found = errors(&text);
        found
            .into_iter()
            .map(|(_, message)| message)
            .collect::<Vec<_>>()
    };
    assert_eq!(order("[gold]"), Vec::<String>::new());
    let none = "there is no class `tin`";
    let twice = |class: &str| format!("the class `{class}` is given twice");
    assert_eq!(order("[tin, gold]"), [none]);
    assert_eq!(order("[gold, tin]"), [none]);
    assert_eq!(order("[tin, tin]"), [none, &twice("tin")]);
    assert_eq!(order("[gold, gold]"), [twice("gold")]);
}

#[test]
fn a_spec_that_is_written_back_lowers_to_the_same_model() {
    for name in ["streams", "priorities", "disturbances"] {
        let path = format!("{}/../specs/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a shipped spec");
        let read = spec::read(&text).expect("a spec");
        let written = spec::resolved(&read);
        let again =
            spec::read(&written).unwrap_or_else(|errors| panic!("{name}: {errors:?}\n{written}"));
        let model = |spec: &spec::Spec| spec::lower(spec).expect("sound").model;
        assert_eq!(model(&read), model(&again), "{name}");
    }
}
