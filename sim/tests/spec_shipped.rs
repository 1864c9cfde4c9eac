//! The specs that are shipped can be read, and mean what they say.

use blis_sim::model::{Model, Source, Step};
use blis_sim::spec::{self, Files};

/// What the shipped specs refer to.
fn files() -> Files {
    let mut files = Files::default();
    files.insert(
        "recorded-arrivals.csv",
        include_str!("../../specs/recorded-arrivals.csv"),
    );
    files.insert(
        "recorded-times.csv",
        include_str!("../../specs/recorded-times.csv"),
    );
    files
}

fn model(text: &str) -> Model {
    let spec = spec::read(text).expect("the spec can be read");
    let lowered = spec::lower_with(&spec, &files()).expect("the spec can be lowered");
    assert_eq!(lowered.warnings, []);
    lowered.model
}

#[test]
fn the_quickstart_is_a_machine_repairman() {
    let model = model(include_str!("../../specs/quickstart.yaml"));
    assert_eq!(model.name, "quickstart");
    assert_eq!(model.seed, 42);
    assert_eq!(model.limits.requests.map(u64::from), Some(5000));
    assert_eq!(model.limits.horizon.map(|t| t.as_secs_f64()), Some(60.0));
    assert_eq!(model.limits.warmup.as_secs_f64(), 5.0);
    assert_eq!(model.limits.drain.as_secs_f64(), 30.0);
    let [client] = model.clients.as_slice() else {
        panic!("one client")
    };
    let Source::Closed { concurrency, think } = &client.source else {
        panic!("a closed client")
    };
    assert_eq!(concurrency.get(), 50);
    assert_eq!(think.mean(), 5e8);
    assert_eq!(client.timeout.map(|t| t.as_secs_f64()), Some(5.0));
    assert!(matches!(
        model.program.as_slice(),
        [Step::Visit(_), Step::Reply, Step::End]
    ));
    let [api] = model.services.as_slice() else {
        panic!("one service")
    };
    assert_eq!(
        (
            api.members.most_workers().get(),
            api.members.count(),
            api.queue_limit
        ),
        (4, 1, None)
    );
    assert_eq!(api.time.mean(), 1e7);
    let limits: Vec<_> = model.actions[0]
        .slo
        .quantiles
        .iter()
        .map(|q| (q.quantile, q.limit.as_millis_f64()))
        .collect();
    assert_eq!(limits, [(0.95, 100.0), (0.99, 250.0)]);
    assert_eq!(model.actions[0].slo.errors, Some(0.01));
}

const SHIPPED: [(&str, &str); 10] = [
    ("quickstart", include_str!("../../specs/quickstart.yaml")),
    ("mixed", include_str!("../../specs/mixed.yaml")),
    (
        "queue-groups",
        include_str!("../../specs/queue-groups.yaml"),
    ),
    ("overload", include_str!("../../specs/overload.yaml")),
    ("branches", include_str!("../../specs/branches.yaml")),
    ("shapes", include_str!("../../specs/shapes.yaml")),
    ("uploads", include_str!("../../specs/uploads.yaml")),
    ("recorded", include_str!("../../specs/recorded.yaml")),
    ("broadcast", include_str!("../../specs/broadcast.yaml")),
    (
        "distributions",
        include_str!("../../specs/distributions.yaml"),
    ),
];

#[test]
fn every_shipped_spec_lowers_without_a_warning_and_carries_its_name() {
    for (name, text) in SHIPPED {
        assert_eq!(model(text).name, name);
    }
}

#[test]
fn what_is_resolved_reads_back_to_the_same_model() {
    for (name, text) in SHIPPED {
        let spec = spec::read(text).expect("the spec can be read");
        let resolved = spec::resolved(&spec);
        assert_eq!(model(&resolved), model(text), "{name}:\n{resolved}");
        let again = spec::read(&resolved).expect("the resolved spec can be read");
        assert_eq!(spec::resolved(&again), resolved, "{name}");
    }
}

#[test]
fn the_files_of_a_spec_are_named_and_can_be_named_anew() {
    let recorded = SHIPPED.iter().find(|(name, _)| *name == "recorded");
    let (_, text) = recorded.expect("the spec");
    let spec = spec::read(text).expect("the spec can be read");
    let wanted = spec::wanted_files(&spec);
    let mut paths: Vec<&str> = wanted.iter().map(|path| path.value.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["recorded-arrivals.csv", "recorded-times.csv"]);
    let resolved = spec::resolved(&spec);
    let renamed = spec::with_paths(&resolved, |path| match path {
        "recorded-times.csv" => Some("a \"b\"/c.csv".to_owned()),
        _ => None,
    });
    let expected = resolved.replace("\"recorded-times.csv\"", r#""a \"b\"/c.csv""#);
    assert_ne!(renamed, resolved);
    assert_eq!(renamed, expected);
}
