//! How requests ended, outcome by outcome.

use blis_sim::result::RequestCounts;

/// Every outcome by its name in a document, with how many requests ended so; `ok` first.
pub fn ends(requests: &RequestCounts) -> [(&'static str, u64); 7] {
    [
        ("ok", requests.ok),
        ("app_error", requests.app_error),
        ("rejected", requests.rejected),
        ("timed_out", requests.timed_out),
        ("transport_error", requests.transport_error),
        ("dropped", requests.dropped),
        ("unresolved", requests.unresolved),
    ]
}
