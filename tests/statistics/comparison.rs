//! Common random numbers: what they leave alone stays, and differences are told with fewer replications.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use blis_sim::model::{Members, Model};
use blis_sim::replication::replicate_pair;
use blis_sim::result::{Compared, Compares, Comparison, SpecIdentity, compare};

use crate::support::{UNWATCHED, model, run, station, station_of, threads};

/// The largest share of the unpaired interval that a paired one may have.
const NARROWER: f64 = 0.3;

fn compared(base: &Model, variant: &Model, replications: u64, on: usize) -> Comparison {
    let pairs = replicate_pair(
        [base, variant],
        replications,
        threads(on),
        UNWATCHED,
        |_| {},
    )
    .unwrap();
    let of = |model| Compares {
        model,
        memory: blis_sim::analysis::memory_of(model),
        spec: SpecIdentity {
            name: "station".to_owned(),
            sha256: String::new(),
            resolved_sha256: String::new(),
            files: BTreeMap::new(),
            fitted: None,
        },
    };
    compare([of(base), of(variant)], BTreeMap::new(), &pairs)
}

fn half_width(interval: Option<[f64; 2]>) -> f64 {
    let [low, high] = interval.unwrap();
    (high - low) / 2.0
}

/// The half-width that the difference had if the two were independent.
fn unpaired(figure: &Compared) -> f64 {
    half_width(figure.base_ci95).hypot(half_width(figure.variant_ci95))
}

#[test]
fn common_random_numbers_narrow_the_difference() {
    let base = station(4, 0.7, 20);
    let variant = station_of("980us", 4, 0.7, 20);
    let comparison = compared(&base, &variant, 10, 2);
    let figure = |name: &str| {
        let found = comparison
            .figures
            .iter()
            .find(|figure| figure.figure == name);
        found.unwrap_or_else(|| panic!("{name} is not compared"))
    };
    for name in [
        "throughput_rps",
        "latency_ms.response.mean",
        "latency_ms.response.p50",
        "latency_ms.response.p95",
        "services.api.utilisation",
    ] {
        println!(
            "{name} {} {}",
            half_width(figure(name).difference_ci95),
            unpaired(figure(name))
        );
        let (paired, alone) = (
            half_width(figure(name).difference_ci95),
            unpaired(figure(name)),
        );
        assert!(
            alone > 0.0 && paired <= NARROWER * alone,
            "{name}: {paired} of {alone}"
        );
    }
    let mean = figure("latency_ms.response.mean");
    assert!(
        mean.difference_ci95.is_some_and(|[_, high]| high < 0.0),
        "{mean:?}"
    );
    // Both are M/M/4.
    let response = |service| {
        let exact = blis_sim::theory::MultiServer::new(4, 2800.0, service).unwrap();
        exact.means.response * 1e3
    };
    let exact = response(0.98e-3) - response(1e-3);
    let [low, high] = mean.difference_ci95.unwrap();
    assert!((low..=high).contains(&exact), "{low} {exact} {high}");
}

#[test]
fn a_spec_does_not_differ_from_itself() {
    let base = station(1, 0.6, 20);
    let comparison = compared(&base, &base, 4, 2);
    assert_eq!(comparison.figures.len(), 7);
    for figure in &comparison.figures {
        assert_eq!(figure.difference, Some(0.0), "{figure:?}");
        assert_eq!(figure.difference_ci95, Some([0.0, 0.0]), "{figure:?}");
    }
}

#[test]
fn a_comparison_is_the_same_on_any_number_of_threads() {
    let base = station(1, 0.6, 2);
    let mut variant = base.clone();
    variant.services[0].members = Members::alike(NonZeroU32::MIN, 2.try_into().unwrap());
    let on = |number| compared(&base, &variant, 5, number).to_json().unwrap();
    assert_eq!(on(1), on(2));
    assert_eq!(on(1), on(4));
}

/// Every way to a utilisation counts busy workers: the figure, its interval, and both sides of a comparison. One worker at
/// a load of 0.8, in whatever order it serves; where those in service share it, there are often more than one.
#[test]
fn utilisation_counts_busy_workers_in_every_order() {
    let orders = [
        "fifo",
        "shared",
        "{shared: {limit: 5}}",
        "{priority: {classes: [urgent], preempt: true}}",
    ];
    for (order, [workers, rate]) in orders.iter().flat_map(|o| [(o, [1, 800]), (o, [4, 3200])]) {
        let class = match order.contains("urgent") {
            true => "class: urgent, ",
            false => "",
        };
        let model = model(&format!(
            "
blis: 1
name: order
run: {{horizon: 20s, warmup: 1s}}
clients:
  feed: {{rate: {rate}/s, {class}do: ask}}
actions:
  ask: {{path: [{{visit: api}}, reply]}}
services:
  api: {{workers: {workers}, time: {{exponential: {{mean: 1ms}}}}, queue: {{order: {order}}}}}
"
        ));
        let document = run(&model);
        let service = &document.services["api"];
        let figure = service.utilisation.unwrap();
        let [low, high] = service.utilisation_ci95.unwrap();
        let here = format!("{order}, {workers} workers: {figure} [{low}, {high}]");
        assert!((figure - 0.8).abs() < 0.03, "{here}");
        assert!(
            0.7 < low && low < figure && figure < high && high < 0.9,
            "{here}"
        );
        let comparison = compared(&model, &model, 3, 2);
        let name = "services.api.utilisation";
        let compared = comparison.figures.iter().find(|one| one.figure == name);
        let base = compared.unwrap().base;
        assert!(
            base.is_some_and(|base| (base - 0.8).abs() < 0.03),
            "{here} {base:?}"
        );
    }
}
