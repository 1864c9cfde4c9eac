//! The whole way from the text of a spec to its result, in one call.

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::replication::{Halt, Watch, find_warmup, simulate as run};
use crate::result::{self, Mode, Provenance, Run};
use crate::spec::{self, SpecErrors};

/// The most requests that may be present together: about 2 GB of them.
const MOST_PRESENT: u64 = 10_000_000;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The spec is not accepted.
    #[error(transparent)]
    Spec(#[from] SpecErrors),
    /// The simulation did not come to its end.
    #[error(transparent)]
    Halt(#[from] Halt),
}

/// Simulates a spec once. The result is the document that `blis run --json` prints, without the settings of a command line.
///
/// The spec has to bound its load (`run.horizon` or `run.requests`), and may refer to no files.
///
/// # Errors
/// [`Refused`] where the spec is not accepted, or its simulation stands still or outgrows the memory.
///
/// ```
/// let run = blis_sim::simulate(
///     "
/// blis: 1
/// name: checkout
/// run: {horizon: 60s, warmup: 5s}
/// clients: {shoppers: {rate: 200/s, do: order}}
/// actions: {order: {path: [{visit: api}, reply]}}
/// services: {api: {workers: 4, time: {exponential: {mean: 10ms}}}}
/// ",
/// )?;
/// let p99 = run.latency_ms.response.p99.expect("many requests were answered");
/// assert!(p99 > 20.0, "ln 100 times 10 ms is what exponential times have without any waiting");
/// # Ok::<(), blis_sim::Refused>(())
/// ```
pub fn simulate(text: &str) -> Result<Run, Refused> {
    let mut model = spec::lower(&spec::read(text)?)?.model;
    let watch = Watch {
        stop: &|| false,
        most_present: MOST_PRESENT,
    };
    let pilot = match model.limits.find_warmup {
        true => Some(find_warmup(&model, watch)?),
        false => None,
    };
    if let Some(pilot) = &pilot {
        model.limits.warmup = pilot.warmup;
    }
    let finished = run(&model, watch, |_| ())?;
    let sha256 = spec::sha256(text);
    let provenance = Provenance {
        resolved_sha256: sha256.clone(),
        sha256,
        files: BTreeMap::new(),
        configuration: BTreeMap::new(),
        ended_by: finished.ended_by,
        record: None,
        not_measured: Vec::new(),
        mode: Mode::Simulated {
            events: finished.events,
            simulated: finished.simulated,
        },
    };
    let mut result = result::build(
        &model,
        Some(&Analysis::of(&model)),
        &finished.measure,
        provenance,
    );
    if let Some(pilot) = pilot {
        result.warmup_was_found(model.seed, &pilot);
    }
    Ok(result)
}
