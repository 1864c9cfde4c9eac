//! Draws hang on names: the order of the keys of a spec changes no figure, and neither does an entity that nobody uses.

use blis_sim::random::{Key, Kind, Purpose};
use serde_json::{Map, Value};

use crate::support::{model, run};

/// Something of everything that has a name, with instants at which much happens at once: all closed users begin together,
/// evenly spaced arrivals of two clients coincide, weights are no binary fractions, two services are as narrow as each
/// other, and the budget is one for all.
const EVERYTHING: &str = "
blis: 1
name: everything
run: {horizon: 4s, warmup: 100ms, requests: 5000, drain: 5s}
clients:
  zoe: {concurrency: 4, do: {write: 0.1, read: 0.7, ask: 0.2}, on_failure: {retry: {times: 1}}}
  adam: {concurrency: 4, do: {read: 0.3, ask: 0.1, write: 0.3}, class: bulk}
  kim: {rate: 100/s, arrival: constant, do: {tell: 1, read: 2}}
  bob: {rate: 100/s, arrival: constant, do: read, class: live}
  mia: {rate: 50/s, session: {rounds: {uniform: {min: 1, max: 4}}, think: 5ms}, do: {write: 1, ask: 1}}
actions:
  write: {path: [{visit: store}, reply, {publish: log}, {emit: room}], slo: {p99: 5ms, p90: 2ms, errors: 1%}}
  read:
    path:
      - branch:
          - {weight: 0.3, path: [{visit: cache}]}
          - {weight: 0.7, path: [{visit: group}, {emit: hall}, {emit: room}]}
      - {visit: store}
      - reply
    slo: {p95: 1ms}
  ask: {path: [{parallel: {paths: [[{visit: group}], [{visit: cache}]]}}, {delay: {exponential: {mean: 1ms}}}, reply], class: live}
  tell: {path: [{publish: audit}, reply]}
streams:
  log: {append: {exponential: {mean: 100us}}, consumers: {second: {service: group}, first: {service: cache, during: [{emit: room}]}}}
  audit: {consumers: {books: {service: store}}}
fan_outs:
  room: {subscribers: {uniform: {min: 2, max: 6}}, delay: {exponential: {mean: 2ms}}, within: 3ms, loss: 20%}
  hall: {subscribers: 4, service: cache, loss: 10%}
services:
  store: {workers: 2, time: {exponential: {mean: 500us}}, errors: 3%, queue: {order: {priority: {classes: [live, bulk], preempt: true}}}}
  cache: {workers: 2, time: {exponential: {mean: 500us}}, queue: {order: {fair: {weights: {zoe: 0.3, adam: 0.1, kim: 2}}}}}
  group: {workers: 1, members: 3, dispatch: least_loaded, time: {exponential: {mean: 1ms}}, outages: [{from: 1s, to: 2s, member: 1}]}
  narrow: {workers: 1, time: 1ms}
network: {one_way: {exponential: {mean: 100us}}}
";

/// A text as a tree.
fn tree(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The text of a tree, with the keys of every mapping shuffled.
fn shuffled(value: &Value, key: Key, place: u64) -> String {
    let below = |number: usize| key.identity(place, number as u64);
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(usize, (&String, &Value))> = fields.iter().enumerate().collect();
            fields.sort_by_key(|(number, _)| key.draw(place, *number as u64).bits());
            let fields = fields.into_iter().map(|(number, (name, field))| {
                format!("{name:?}: {}", shuffled(field, key, below(number)))
            });
            format!("{{{}}}", fields.collect::<Vec<String>>().join(", "))
        }
        Value::Array(entries) => {
            let entries = entries.iter().enumerate();
            let entries = entries.map(|(number, entry)| shuffled(entry, key, below(number)));
            format!("[{}]", entries.collect::<Vec<String>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// All that a run of a spec's text gives, sentences included, but for what the spec says itself.
fn result(text: &str) -> Map<String, Value> {
    let Value::Object(mut document) = serde_json::to_value(run(&model(text))).unwrap() else {
        panic!("a document is an object");
    };
    for own in ["configuration", "spec"] {
        document.remove(own);
    }
    document
}

fn shuffles(text: &str, number: u64) {
    let plain = result(text);
    let tree = tree(text);
    let (mut different, mut last) = (0, String::new());
    for seed in 0..number {
        let key = Key::new(seed, Kind::Service, "order", Purpose::Choice);
        let other = shuffled(&tree, key, 0);
        different += u64::from(other != last);
        let now = result(&other);
        for (part, value) in &plain {
            assert_eq!(Some(value), now.get(part), "{part} of {other}");
        }
        assert_eq!(plain.len(), now.len());
        last = other;
    }
    assert_eq!(different, number, "the orders differ");
}

#[test]
fn the_order_of_keys_changes_nothing() {
    shuffles(EVERYTHING, 8);
}

#[test]
fn the_order_of_keys_changes_nothing_of_the_shipped_specs() {
    for name in [
        "branches",
        "chat-pipeline",
        "disturbances",
        "mixed",
        "priorities",
        "queue-groups",
        "streams",
    ] {
        let path = format!("{}/specs/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let mut tree = tree(&std::fs::read_to_string(path).unwrap());
        tree["run"] = serde_json::json!({"horizon": "1s", "warmup": "200ms"});
        shuffles(&tree.to_string(), 2);
    }
}

/// The figures of what both documents have.
fn same(plain: &Map<String, Value>, now: &Map<String, Value>, parts: &[&str]) {
    for part in parts {
        let (Some(Value::Object(plain)), Some(Value::Object(now))) =
            (plain.get(*part), now.get(*part))
        else {
            panic!("no {part}");
        };
        for (name, value) in plain {
            assert_eq!(Some(value), now.get(name), "{part}.{name}");
        }
    }
}

#[test]
fn what_nobody_uses_changes_nothing_wherever_it_stands() {
    let plain = result(EVERYTHING);
    let more = EVERYTHING
        .replace(
            "actions:\n",
            "actions:\n  aaa: {path: [{visit: aaa}, {emit: aaa}, {publish: aaa}, reply]}\n",
        )
        .replace("services:\n", "services:\n  aaa: {workers: 1, time: 1ms}\n")
        .replace(
            "streams:\n",
            "streams:\n  aaa: {consumers: {aaa: {service: aaa}}}\n",
        )
        .replace("fan_outs:\n", "fan_outs:\n  aaa: {subscribers: 2}\n");
    let now = result(&more);
    same(
        &plain,
        &now,
        &[
            "actions",
            "clients",
            "fan_outs",
            "latency_ms",
            "requests",
            "services",
            "streams",
        ],
    );
}

/// A step that emits or publishes elsewhere leaves the draws of the others as they were.
#[test]
fn a_further_emission_elsewhere_on_the_path_changes_no_draw() {
    let spec = |emits: &str, publishes: &str| {
        format!(
            "
blis: 1
name: steps
run: {{horizon: 5s}}
clients: {{c: {{rate: 200/s, do: act}}}}
actions: {{act: {{path: [{{visit: s}}, reply, {emits}{{emit: room}}, {publishes}{{publish: log}}]}}}}
services: {{s: {{workers: 9, time: 1ms}}, t: {{workers: 9, time: {{exponential: {{mean: 1ms}}}}}}, u: {{workers: 1, time: 1ms}}}}
streams:
  log: {{append: {{exponential: {{mean: 1ms}}}}, consumers: {{c: {{service: t}}}}}}
  other: {{consumers: {{c: {{service: u}}}}}}
fan_outs:
  room: {{subscribers: 5, delay: {{exponential: {{mean: 2ms}}}}, within: 3ms, loss: 20%}}
  hall: {{subscribers: 5, loss: 20%}}
"
        )
    };
    let plain = result(&spec("", ""));
    let more = result(&spec("{emit: hall}, ", "{publish: other}, "));
    assert_eq!(plain["fan_outs"]["room"], more["fan_outs"]["room"]);
    assert_eq!(
        plain["streams"]["log"]["consumers"]["c"]["stored"],
        more["streams"]["log"]["consumers"]["c"]["stored"]
    );
}

#[test]
fn of_services_as_narrow_as_each_other_the_first_by_name_is_the_limit() {
    for order in [["b", "a"], ["a", "b"]] {
        let services = order.map(|name| format!("{name}: {{workers: 3, time: 300us}}"));
        let text = format!(
            "
blis: 1
name: tied
run: {{horizon: 1s}}
clients: {{c: {{rate: 100/s, do: act}}}}
actions: {{act: {{path: [{{visit: a}}, {{visit: b}}, {{visit: c}}, reply]}}}}
services: {{c: {{workers: 1, time: 100us}}, {}}}
",
            services.join(", ")
        );
        let document = result(&text);
        assert_eq!(
            document["bottleneck"]["service"], "a",
            "{:?}",
            document["bottleneck"]
        );
    }
}
