//! What a resolved spec looks like: defaults in their places, what takes lines and what stands on one, and quotes.
//!
//! That every key is written back and reads as the same model is held by `keys`.

use blis_sim::spec;

const WRITTEN: &str = include_str!("resolved/written.yaml");
const RESOLVED: &str = include_str!("resolved/resolved.yaml");

fn resolved(text: &str) -> String {
    spec::resolved(&spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}")))
}

#[test]
fn a_spec_is_written_with_its_defaults() {
    assert_eq!(resolved(WRITTEN), RESOLVED);
    assert_eq!(resolved(RESOLVED), RESOLVED);
    let model = |text: &str| {
        let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:?}"));
        lowered.model
    };
    assert!(model(WRITTEN) == model(RESOLVED));
}

/// A list or a mapping without entries is not written as a key without a value, which could not be read.
#[test]
fn what_is_empty_is_written_as_that() {
    for (before, empty) in [
        (
            "slo: {p95: 100ms, errors: 1%, deliveries: {first: {p50: 1s}, missing: 0}, overall: {p99: 2s}}",
            "slo: {}",
        ),
        (
            "consumers: {writer: {service: store, filter: [\"log\"], batch: {size: 5}, nak_delay: [1s, 2s]}, other: {service: store}}",
            "consumers: {}",
        ),
        (
            "headers: {Kind: \"{kind}\", Other: \"a: b\"}",
            "headers: {}",
        ),
    ] {
        let text = WRITTEN.replace(before, empty);
        assert_ne!(text, WRITTEN, "{empty}");
        let once = resolved(&text);
        assert!(once.contains(&format!("{empty}\n")), "{once}");
        assert_eq!(resolved(&once), once);
    }
}
