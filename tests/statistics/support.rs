//! Specs, runs and documents for these tests.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use blis_sim::engine::LoadEnd;
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::replication::{Finished, Plan, Replicated, Watch, replicate, simulate};
use blis_sim::result::{Provenance, Run, build, build_replicated};
use blis_sim::spec;
use blis_sim::time::Span;

/// What never stops a run.
pub const UNWATCHED: Watch<'static> = Watch {
    stop: &|| false,
    most_present: u64::MAX,
};

pub fn threads(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

/// The model of a spec that must be right.
pub fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .model
}

/// One station with exponential service of 1 ms under Poisson arrivals.
pub fn station(workers: u32, load: f64, horizon_s: u32) -> Model {
    station_of("1ms", workers, load, horizon_s)
}

/// The same with another mean service time, and the arrivals as they were.
pub fn station_of(service: &str, workers: u32, load: f64, horizon_s: u32) -> Model {
    model(&format!(
        "
blis: 1
name: station
run: {{horizon: {horizon_s}s, warmup: {}s}}
clients:
  feed: {{rate: {}/s, do: ask}}
actions:
  ask: {{path: [{{visit: api}}, reply]}}
services:
  api: {{workers: {workers}, time: {{exponential: {{mean: {service}}}}}}}
",
        f64::from(horizon_s) / 20.0,
        f64::from(workers) * load * 1000.0
    ))
}

fn provenance(finished: &Finished) -> Provenance {
    Provenance {
        mode: blis_sim::result::Mode::Simulated {
            events: finished.events,
            simulated: finished.simulated,
        },
        ..nowhere(finished.ended_by)
    }
}

/// That of a run which took no events.
fn nowhere(ended_by: LoadEnd) -> Provenance {
    Provenance {
        sha256: String::new(),
        resolved_sha256: String::new(),
        files: BTreeMap::new(),
        configuration: BTreeMap::new(),
        ended_by,
        record: None,
        not_measured: Vec::new(),
        mode: blis_sim::result::Mode::Simulated {
            events: 0,
            simulated: Span::ZERO,
        },
    }
}

/// The document of a single run.
pub fn run(model: &Model) -> Run {
    let finished = simulate(model, UNWATCHED, |_| {}).unwrap();
    build(
        model,
        Some(&blis_sim::analysis::Analysis::of(model)),
        &finished.measure,
        provenance(&finished),
    )
}

/// The document of a run that was measured so.
pub fn document_of(
    model: &Model,
    measure: &Measure,
    ended_by: LoadEnd,
    events: u64,
    simulated: Span,
) -> Run {
    let provenance = Provenance {
        ended_by,
        mode: blis_sim::result::Mode::Simulated { events, simulated },
        ..nowhere(ended_by)
    };
    build(
        model,
        Some(&blis_sim::analysis::Analysis::of(model)),
        measure,
        provenance,
    )
}

/// Replications of a model.
pub fn replications(model: &Model, number: u64, on: usize) -> Replicated {
    let plan = Plan {
        replications: number,
        precision: None,
        most: number,
        threads: threads(on),
    };
    replicate(model, plan, UNWATCHED, |_| {}).unwrap()
}

/// The document of replications.
pub fn document(model: &Model, replicated: &Replicated) -> Run {
    build_replicated(
        &blis_sim::analysis::Analysis::of(model),
        replicated,
        provenance(&replicated.together),
    )
}
