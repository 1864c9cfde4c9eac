//! The result document of what was seen from outside: of a live load, be it a run or a trial of a search, or of a record that is
//! read back.

use std::collections::BTreeMap;

use blis_live::generator::health::{self, Seen};
use blis_live::run::observed::{Observed, incidents};
use blis_live::target::Target;
use blis_sim::analysis::Analysis;
use blis_sim::engine::LoadEnd;
use blis_sim::measure::{Measure, Times};
use blis_sim::result::{
    self, GeneratorInterval, GeneratorResult, LatencyBlock, Live, Mode, Provenance, Record, Run,
};
use blis_sim::time::Time;
use blis_sim::verdict::LiveEvidence;

use crate::provenance::told;
use crate::workload::LiveWorkload;

/// The document of what was observed, whose books are closed.
pub fn conclude<S>(
    workload: &LiveWorkload,
    target: &Target,
    observed: Observed<S>,
    evidence: LiveEvidence,
    record: Option<Record>,
) -> Run {
    let ended = &observed.ended;
    let ended_by = ended.by;
    let live = Live {
        target: target.names.clone(),
        elapsed_s: ended.at.since(Time::ZERO).as_secs_f64(),
        reasons: named(
            ended
                .reasons
                .all()
                .map(|(why, number)| (why.name(), number)),
        ),
        incidents: named(incidents(&observed)),
        messages: observed.told.messages(),
        generator: Some(generator_result(&ended.own_lag, &observed.seen, &evidence)),
        connections: observed.connected.connections,
        server_version: observed.connected.server,
        observers: observed.observers,
    };
    let measure = &observed.measure;
    let besides = Besides {
        record,
        not_measured: Vec::new(),
    };
    let mode = Mode::Live {
        live: Box::new(live),
        evidence,
    };
    conclude_seen(workload, measure, ended_by, besides, mode)
}

/// What of a run is known besides what was measured.
#[derive(Debug)]
pub struct Besides {
    /// What is on disk of it.
    pub record: Option<Record>,
    /// What was not measured.
    pub not_measured: Vec<String>,
}

/// The result of a run as it was seen from outside: of a live one that has come to its end, or of one that is read back from
/// its record.
pub fn conclude_seen(
    workload: &LiveWorkload,
    measure: &Measure,
    ended_by: LoadEnd,
    besides: Besides,
    mode: Mode,
) -> Run {
    let model = &workload.model;
    let backend = match mode {
        Mode::Live { .. } | Mode::Recorded { .. } => model.simulable().ok(),
        Mode::Simulated { .. } | Mode::Replayed { .. } => None,
    };
    let Besides {
        record,
        not_measured,
    } = besides;
    let provenance = Provenance {
        ended_by,
        record,
        not_measured,
        mode,
        ..told(workload)
    };
    let analysis = backend.as_ref().map(Analysis::of);
    result::build(model, analysis.as_ref(), measure, provenance)
}

fn named(counts: impl IntoIterator<Item = (&'static str, u64)>) -> BTreeMap<String, u64> {
    let counts = counts.into_iter();
    counts
        .map(|(name, number)| (name.to_owned(), number))
        .collect()
}

fn generator_result(own_lag: &Times, seen: &Seen, evidence: &LiveEvidence) -> GeneratorResult {
    let interval = |row: &health::HealthRow| GeneratorInterval {
        start_s: row.start.as_secs_f64(),
        width_s: row.end.since(row.start).as_secs_f64(),
        own_lag_max_ms: row.lag.as_millis_f64(),
        control_max_ms: row.control.as_millis_f64(),
        scheduling_max_ms: row.runtime.as_millis_f64(),
        process_cpus: row.process_cpus(),
        machine_cpu_share: row.machine_share(),
        memory_bytes: row.memory,
        dropped_deliveries: row.dropped,
    };
    GeneratorResult {
        own_lag_ms: LatencyBlock::of(own_lag),
        control_ms: LatencyBlock::of(&seen.control),
        limited_by: evidence.generator_limits.clone(),
        series: seen.rows.iter().map(interval).collect(),
    }
}
