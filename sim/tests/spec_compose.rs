//! Specs made one: what is carried, what is refused, and that nothing is lost.

use std::collections::BTreeSet;

use blis_sim::model::Model;
use blis_sim::spec::compose::{self, Composition, MODELINE, Options, SpecPart};
use blis_sim::spec::{self, Assignment, Overrides, units::Duration};

const SHOP: &str = "\
blis: 1
name: shop
run: {horizon: 60s}
clients:
  buyers: {concurrency: 50, think: 500ms, do: ask}
  feed: {rate: 200/s, do: {ask: 3, tell: 1}}
actions:
  ask: {path: [{visit: api}, reply]}
  tell: {path: [{visit: log}, reply]}
services:
  api: {workers: 4, time: {exponential: {mean: 10ms}}}
  log: {workers: 1, time: 1ms}
";

const BACK_OFFICE: &str = "\
blis: 1
name: back office
run: {horizon: 1m, warmup: 0s}   # the same in other words
clients:
  clerks: {concurrency: 5, do: {file: 1}}
  feed: {rate: 3k/m, arrival: poisson, do: {ask: 3, tell: 1}}
actions:
  file: {path: [{branch: [{weight: 1, path: [{visit: store}]}, {weight: 2, path: []}]}, {visit: log}, reply]}
  ask: {path: [{visit: api}, reply]}
  tell: {path: [{visit: log}, reply]}
services:
  log: {workers: 1, members: 1, time: {constant: 1000us}}
  store: {workers: 2, time: 5ms}
  api: {time: {exponential: {mean: 10ms}}, workers: 4}
";

fn composed(texts: &[&str], options: &Options) -> Result<Composition, Vec<String>> {
    let labels: Vec<String> = (0..texts.len()).map(|nth| format!("{nth}.yaml")).collect();
    let specs: Vec<_> = texts
        .iter()
        .map(|text| {
            let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?} in {text}"));
            spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:?} in {text}"));
            spec
        })
        .collect();
    let parts: Vec<SpecPart<'_>> = specs
        .iter()
        .zip(texts)
        .zip(&labels)
        .map(|((spec, text), label)| SpecPart { label, text, spec })
        .collect();
    compose::compose(&parts, options).map_err(|refused| refused.reasons)
}

fn accepted(texts: &[&str], options: &Options) -> Composition {
    composed(texts, options).unwrap_or_else(|reasons| panic!("{reasons:#?}"))
}

fn refused(texts: &[&str], options: &Options) -> Vec<String> {
    composed(texts, options).expect_err("refused")
}

fn prefixing() -> Options {
    Options {
        prefix: true,
        ..Options::default()
    }
}

fn setting(assignments: &[&str]) -> Options {
    let parse = |text: &&str| -> Assignment { text.parse().expect("an assignment") };
    Options {
        set: assignments.iter().map(parse).collect(),
        ..Options::default()
    }
}

fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?} in {text}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:?} in {text}"))
        .model
}

#[test]
fn what_is_alike_is_one_and_rates_add_up() {
    let composition = accepted(&[SHOP, BACK_OFFICE], &Options::default());
    let by_hand = "\
blis: 1
name: shop+back office
run: {horizon: 60s}
clients:
  buyers: {concurrency: 50, think: 500ms, do: ask}
  feed: {rate: 250/s, do: {ask: 3, tell: 1}}
  clerks: {concurrency: 5, do: {file: 1}}
actions:
  ask: {path: [{visit: api}, reply]}
  tell: {path: [{visit: log}, reply]}
  file: {path: [{branch: [{weight: 1, path: [{visit: store}]}, {weight: 2, path: []}]}, {visit: log}, reply]}
services:
  api: {workers: 4, time: {exponential: {mean: 10ms}}}
  log: {workers: 1, time: 1ms}
  store: {workers: 2, time: 5ms}
";
    assert_eq!(model(&composition.text), model(by_hand));
    assert_eq!(
        composition.notes,
        [
            "the rates of `clients.feed` in 0.yaml and 1.yaml add up to 250/s",
            "`actions.ask` is the same in 0.yaml and 1.yaml; it is kept once",
            "`actions.tell` is the same in 0.yaml and 1.yaml; it is kept once",
            "`services.api` is the same in 0.yaml and 1.yaml; it is kept once",
            "`services.log` is the same in 0.yaml and 1.yaml; it is kept once",
        ]
    );
}

#[test]
fn the_text_begins_with_the_modeline_and_says_where_it_is_from() {
    let text = accepted(&[SHOP, BACK_OFFICE], &Options::default()).text;
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(MODELINE));
    assert_eq!(
        lines.next(),
        Some(
            "# Composed by `blis compose` of shop (0.yaml) and back office (1.yaml), without their comments."
        )
    );
    for shipped in SHIPPED {
        assert!(shipped.starts_with(MODELINE), "shipped specs have the same");
    }
}

#[test]
fn definitions_that_differ_clash() {
    let other = BACK_OFFICE.replace("workers: 4}", "workers: 5}");
    assert_eq!(
        refused(&[SHOP, &other], &Options::default()),
        [
            "the services called `api` in 0.yaml:11:3 and 1.yaml:14:3 are defined differently; rename one of them or give --prefix"
        ]
    );
    let other = BACK_OFFICE.replace("rate: 3k/m,", "rate: 3k/m, timeout: 1s,");
    let reasons = refused(&[SHOP, &other], &Options::default());
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0]
            .starts_with("the clients called `feed` in 0.yaml:6:3 and 1.yaml:6:3 cannot be merged"),
        "{reasons:?}"
    );
}

#[test]
fn closed_clients_of_one_name_clash_although_they_are_alike() {
    let other = SHOP
        .replace("name: shop", "name: other")
        .replace("feed:", "more:");
    let reasons = refused(&[SHOP, &other], &Options::default());
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].contains("`buyers` in 0.yaml:5:3 and 1.yaml:5:3"),
        "{reasons:?}"
    );
    let composition = accepted(&[SHOP, &other], &prefixing());
    let names: Vec<String> = model(&composition.text)
        .clients
        .iter()
        .map(|client| client.name.clone())
        .collect();
    // A model has its clients by name.
    assert_eq!(names, ["feed", "more", "other-buyers", "shop-buyers"]);
}

#[test]
fn prefixed_names_are_followed_by_all_that_refers_to_them() {
    // `api` differs, so `ask` means something else in either, and so does `feed`; `log` and `tell` stay one.
    let other = BACK_OFFICE.replace("workers: 4}", "workers: 5}");
    let composition = accepted(&[SHOP, &other], &prefixing());
    let by_hand = "\
blis: 1
name: shop+back office
run: {horizon: 60s}
clients:
  buyers: {concurrency: 50, think: 500ms, do: shop-ask}
  shop-feed: {rate: 200/s, do: {shop-ask: 3, tell: 1}}
  back-office-feed: {rate: 50/s, do: {back-office-ask: 3, tell: 1}}
  clerks: {concurrency: 5, do: {file: 1}}
actions:
  shop-ask: {path: [{visit: shop-api}, reply]}
  back-office-ask: {path: [{visit: back-office-api}, reply]}
  tell: {path: [{visit: log}, reply]}
  file: {path: [{branch: [{weight: 1, path: [{visit: store}]}, {weight: 2, path: []}]}, {visit: log}, reply]}
services:
  shop-api: {workers: 4, time: {exponential: {mean: 10ms}}}
  back-office-api: {workers: 5, time: {exponential: {mean: 10ms}}}
  log: {workers: 1, time: 1ms}
  store: {workers: 2, time: 5ms}
";
    assert_eq!(model(&composition.text), model(by_hand));
    let note = "`services.api` of 1.yaml is now `back-office-api`";
    assert!(
        composition.notes.contains(&note.to_owned()),
        "{:#?}",
        composition.notes
    );
}

#[test]
fn of_three_parts_those_that_agree_stay_one() {
    let second = SHOP
        .replace("name: shop", "name: second")
        .replace("buyers", "others");
    let third = second
        .replace("name: second", "name: third")
        .replace("others", "more")
        .replace("time: 1ms", "time: 2ms");
    let composition = accepted(&[SHOP, &second, &third], &prefixing());
    let model = model(&composition.text);
    let services: Vec<&str> = model
        .services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert_eq!(services, ["api", "shop-log", "third-log"]);
    let rates: Vec<(&str, f64)> = model
        .clients
        .iter()
        .filter_map(|client| match &client.source {
            blis_sim::model::Source::Open { arrival, .. } => {
                Some((client.name.as_str(), arrival.rate()))
            }
            blis_sim::model::Source::Closed { .. } => None,
        })
        .collect();
    assert_eq!(rates, [("shop-feed", 400.0), ("third-feed", 200.0)]);
}

#[test]
fn prefixes_must_tell_the_parts_apart() {
    let other = BACK_OFFICE
        .replace("workers: 4}", "workers: 5}")
        .replace("back office", "shop");
    let reasons = refused(&[SHOP, &other], &prefixing());
    assert!(
        reasons.contains(&"0.yaml:2:1 and 1.yaml:2:1 both have the name `shop`, so the prefix does not separate them; \
                           give one another `name`".to_owned()),
        "{reasons:?}"
    );
}

#[test]
fn a_prefixed_name_may_not_meet_another() {
    let other = BACK_OFFICE
        .replace("workers: 4}", "workers: 5}")
        .replace("store", "shop-api");
    let reasons = refused(&[SHOP, &other], &prefixing());
    assert_eq!(
        reasons,
        ["`services.shop-api` would exist twice; rename one of them in its spec"]
    );
    let long = "x".repeat(64);
    let (one, other) = (
        SHOP.replace("name: shop", &format!("name: {long}")),
        BACK_OFFICE.replace("workers: 4}", "workers: 5}"),
    );
    let reasons = refused(
        &[&one, &other],
        &Options {
            name: Some("both".into()),
            ..prefixing()
        },
    );
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("is too long for a name")),
        "{reasons:?}"
    );
}

#[test]
fn what_concerns_the_whole_run_must_agree_or_be_given() {
    let cases = [
        (
            "run: {horizon: 1m,",
            "run: {horizon: 2m,",
            "`run.horizon` is 60s in 0.yaml:3:7 and 2m in 1.yaml:3:7; make them agree or give --horizon, or --set run.horizon=null for none",
        ),
        (
            "warmup: 0s",
            "warmup: 5s",
            "`run.warmup` is 0s in 0.yaml:3:1 and 5s in 1.yaml:3:20; make them agree or give --warmup",
        ),
        (
            "warmup: 0s",
            "drain: 5s",
            "`run.drain` is 30s in 0.yaml:3:1 and 5s in 1.yaml:3:20; make them agree or give --set run.drain=...",
        ),
        (
            "warmup: 0s",
            "requests: 5k",
            "`run.requests` is not given in 0.yaml:3:1 and 5000 in 1.yaml:3:20; make them agree or give --num-requests, or --set run.requests=null for none",
        ),
        (
            "blis: 1",
            "blis: 1\nseed: 9",
            "`seed` is 1 in 0.yaml and 9 in 1.yaml:2:1; make them agree or give --seed",
        ),
        (
            "blis: 1",
            "blis: 1\nnetwork: {one_way: 1ms}",
            "`network` is not given in 0.yaml and {one_way: 1ms} in 1.yaml:2:1; make them agree or give --set network=...",
        ),
    ];
    for (old, new, expected) in cases {
        let other = BACK_OFFICE.replacen(old, new, 1);
        assert_eq!(refused(&[SHOP, &other], &Options::default()), [expected]);
    }
    let all = BACK_OFFICE
        .replace("horizon: 1m", "horizon: 2m, requests: 5k, drain: 5s")
        .replace("blis: 1", "blis: 1\nseed: 9\nnetwork: {one_way: 1ms}");
    let mut options = setting(&[
        "run.requests=null",
        "run.drain=7s",
        "network={one_way: 2ms}",
    ]);
    options.overrides = Overrides {
        seed: Some(3),
        horizon: Some(Duration(90e9)),
        ..Overrides::default()
    };
    let both = model(&accepted(&[SHOP, &all], &options).text);
    assert_eq!(both.seed, 3);
    assert_eq!(both.limits.requests, None);
    assert_eq!(both.limits.horizon.map(|at| at.as_secs_f64()), Some(90.0));
    assert_eq!(both.limits.drain.as_nanos(), 7_000_000_000);
    assert_eq!(both.one_way.map(|way| way.mean()), Some(2e6));
}

#[test]
fn a_shared_budget_is_told() {
    let budget = |text: &str| text.replace("run: {", "run: {requests: 5k, ");
    let composition = accepted(&[&budget(SHOP), &budget(BACK_OFFICE)], &Options::default());
    assert!(
        composition
            .notes
            .contains(&"the clients of all parts share the budget of 5000 requests".to_owned()),
        "{:#?}",
        composition.notes
    );
}

#[test]
fn the_name_is_joined_or_given() {
    assert_eq!(
        model(&accepted(&[SHOP, BACK_OFFICE], &Options::default()).text).name,
        "shop+back office"
    );
    let named = Options {
        name: Some("both".into()),
        ..Options::default()
    };
    assert_eq!(
        model(&accepted(&[SHOP, BACK_OFFICE], &named).text).name,
        "both"
    );
    let long = SHOP.replace("name: shop", &format!("name: {}", "x".repeat(99)));
    let reasons = refused(&[&long, BACK_OFFICE], &Options::default());
    assert_eq!(
        reasons,
        ["the joined names of the parts are too long; give --name with up to 100 characters"]
    );
}

#[test]
fn values_that_cannot_be_read_name_the_flag_or_the_field() {
    let reasons = refused(&[SHOP, BACK_OFFICE], &setting(&["services.api.wrokers=5"]));
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].starts_with("--set services.api.wrokers=5: `wrokers` is not a key of a service; did you mean `workers`?"),
        "{reasons:?}"
    );
    let fast = |text: &str| text.replace("200/s", "60M/s").replace("3k/m", "60M/s");
    let reasons = refused(&[&fast(SHOP), &fast(BACK_OFFICE)], &Options::default());
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].starts_with("clients.feed.rate: "), "{reasons:?}");
}

const SHIPPED: [&str; 8] = [
    include_str!("../../specs/quickstart.yaml"),
    include_str!("../../specs/mixed.yaml"),
    include_str!("../../specs/overload.yaml"),
    include_str!("../../specs/branches.yaml"),
    include_str!("../../specs/queue-groups.yaml"),
    include_str!("../../specs/distributions.yaml"),
    include_str!("../../specs/uploads.yaml"),
    include_str!("../../specs/broadcast.yaml"),
];

/// The names that a section of a spec defines, in the order of what it resolves to.
fn names(text: &str, section: &str) -> Vec<String> {
    let resolved = spec::resolved(&spec::read(text).expect("a spec"));
    let (tree, _) = spec::yaml::parse(&resolved).expect("YAML");
    tree.keys_under(section)
        .into_iter()
        .map(String::from)
        .collect()
}

/// A spec whose every action, service, stream and fan-out differs from the original, whose every reference therefore has to follow.
fn changed(text: &str) -> String {
    let mut set: Vec<Assignment> = vec!["name=changed".parse().expect("an assignment")];
    let every = |section: &str, key: &str| -> Vec<Assignment> {
        let one = |name: &String| {
            format!("{section}.{name}.{key}")
                .parse()
                .expect("an assignment")
        };
        names(text, section).iter().map(one).collect()
    };
    set.extend(every("services", "errors=0.123%"));
    set.extend(every("actions", "slo={p999: 99h}"));
    set.extend(every("streams", "duplicate_window=99h"));
    set.extend(every("fan_outs", "within=99h"));
    let spec = spec::read_with(text, &set).unwrap_or_else(|errors| panic!("{errors:?}"));
    spec::resolved(&spec)
}

#[test]
fn every_reference_of_the_shipped_specs_follows_a_new_name() {
    for text in SHIPPED {
        let other = changed(text);
        let composition = accepted(&[text, &other], &prefixing());
        let both = model(&composition.text);
        let (one, another) = (model(text), model(&other));
        assert_eq!(
            both.services.len(),
            one.services.len() + another.services.len()
        );
        assert_eq!(
            both.actions.len(),
            one.actions.len() + another.actions.len()
        );
        assert_eq!(
            both.clients.len(),
            one.clients.len() + another.clients.len()
        );
        assert_eq!(
            both.program.len(),
            one.program.len() + another.program.len()
        );
        assert_eq!(both.streams.len(), 2 * one.streams.len());
        assert_eq!(both.fan_outs.len(), 2 * one.fan_outs.len());
        // Nothing of one part has come to mean something of the other: the names within what belongs to a part begin
        // with its prefix.
        for section in ["clients", "actions"] {
            for name in names(&composition.text, section) {
                let prefix = match name.starts_with("changed-") {
                    true => "changed-",
                    false => "",
                };
                let body = definition(&composition.text, section, &name);
                for of in ["actions", "services", "streams", "fan_outs"] {
                    for foreign in names(&composition.text, of) {
                        let is_foreign = foreign.starts_with("changed-") != (prefix == "changed-");
                        assert!(
                            !(is_foreign && refers(&body, &foreign)),
                            "{section}.{name} refers to {foreign}"
                        );
                    }
                }
            }
        }
    }
}

/// The lines of a definition in a resolved spec.
fn definition(text: &str, section: &str, name: &str) -> String {
    let (_, rest) = text
        .split_once(&format!("\n{section}:\n"))
        .expect("the section");
    let start = format!("  {name}:\n");
    let (_, rest) = rest.split_once(&start).expect("the name");
    rest.lines()
        .take_while(|line| line.starts_with("    "))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Whether a word stands in a text.
fn refers(text: &str, word: &str) -> bool {
    let words: BTreeSet<&str> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .collect();
    words.contains(word)
}

#[test]
fn a_shipped_spec_composed_with_a_stranger_is_carried_whole() {
    let stranger = "blis: 1\nname: stranger\nclients: {strangers: {rate: 1/s, do: pass}}\nactions: {pass: {path: [reply]}}\n";
    for text in SHIPPED {
        let original = spec::read(text).expect("a spec");
        let resolved = spec::resolved(&original);
        let (_, after_run) = resolved.split_once("\nrun:\n").expect("a run");
        let (run, rest) = after_run.split_once("\n\n").expect("more than a run");
        let network = rest
            .split_once("\nnetwork:\n")
            .map(|(_, network)| format!("network:\n{network}"));
        let stranger = format!(
            "{stranger}seed: {}\nrun:\n{run}\n{}",
            original.seed.as_ref().map_or(1, |seed| seed.value.0),
            network.unwrap_or_default()
        );
        let composition = accepted(&[text, &stranger], &Options::default());
        for section in ["clients", "actions", "services"] {
            for name in names(text, section) {
                assert_eq!(
                    definition(&composition.text, section, &name),
                    definition(&resolved, section, &name)
                );
            }
        }
    }
}

#[test]
fn a_spec_composed_twice_with_itself_has_twice_the_rates() {
    let open = SHOP.replace("  buyers: {concurrency: 50, think: 500ms, do: ask}\n", "");
    let composition = accepted(&[&open, &open], &Options::default());
    let doubled = open
        .replace("200/s", "400/s")
        .replace("name: shop", "name: shop+shop");
    assert_eq!(model(&composition.text), model(&doubled));
}
