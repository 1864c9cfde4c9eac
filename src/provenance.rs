//! Where a result comes from: the spec of its workload, as it is kept, with checksums.

use std::collections::BTreeMap;

use blis_sim::engine::LoadEnd;
use blis_sim::result::{Mode, Provenance, SpecIdentity};
use blis_sim::spec;
use blis_sim::time::Span;

use crate::input_files;
use crate::workload::Workload;

/// SHA-256 of each file that a workload refers to, by its path in a run directory.
pub fn files<P>(workload: &Workload<P>) -> BTreeMap<String, String> {
    let files = workload.files.iter();
    files.map(|copy| (copy.path(), copy.sha256())).collect()
}

/// Which spec a workload is of.
pub fn identity<P>(workload: &Workload<P>) -> SpecIdentity {
    SpecIdentity {
        name: workload.model.name.clone(),
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(run_text(workload)),
        files: files(workload),
        fitted: workload.model.fitted.clone(),
    }
}

/// What a workload tells of the run to be made of it.
pub fn told<P>(workload: &Workload<P>) -> Provenance {
    Provenance {
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(run_text(workload)),
        files: files(workload),
        configuration: workload.configuration.clone(),
        ended_by: LoadEnd::Idle,
        record: None,
        not_measured: Vec::new(),
        mode: Mode::Simulated {
            events: 0,
            simulated: Span::ZERO,
        },
    }
}

/// The resolved spec as the directory of a run holds it, beside copies of its files.
pub fn run_text<P>(workload: &Workload<P>) -> String {
    input_files::with_copies(&workload.resolved, &workload.files)
}
