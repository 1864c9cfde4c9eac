//! Any bytes, put through all that a spec goes through: reading, lowering, writing back, and a short run.

#![no_main]

#[path = "../../sim/tests/hostile/survives.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            survives::survives(text);
        }
        Err(_) => assert!(blis_sim::spec::read_bytes(bytes).is_err()),
    }
});
