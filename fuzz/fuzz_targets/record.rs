//! Any bytes in the place of a record, as a whole file and as entries with checksums that are right.

#![no_main]

#[allow(dead_code)]
#[path = "../../live/src/journal/replay/tests/survives.rs"]
mod survives;

use std::sync::OnceLock;

use blis_live::journal::frame::{self, Header};
use blis_live::journal::{Disk, Entries, JournalFailure, Readers, replay};
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use libfuzzer_sys::fuzz_target;

/// The spec of the run.
const SPEC: &str = "{blis: 1, name: a, run: {horizon: 20s, warmup: 1s}, clients: {c: {concurrency: 9, do: {a: 2, b: 1}, \
     on_failure: {retry: {times: 2, backoff: 5ms}}}, s: {rate: 20/s, do: a, session: {rounds: 4, think: 300ms}}}, actions: \
     {a: {path: [{visit: s}, reply], slo: {p99: 50ms}}, b: {path: [{visit: s}, reply]}}, services: {s: {workers: 2, time: 4ms}}}";

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let spec = blis_sim::spec::read(SPEC).expect("it reads");
        blis_sim::spec::lower(&spec).expect("it lowers").model
    })
}

fuzz_target!(|bytes: &[u8]| {
    for segment in [bytes.to_vec(), survives::framed(bytes)] {
        survives::survives(model(), &[segment]);
    }
});
