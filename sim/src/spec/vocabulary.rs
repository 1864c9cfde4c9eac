//! What the language knows beyond the types that read it: the nouns for messages, and the words that are reserved.
//!
//! A reserved word belongs to the language as it is designed, and this version does not build it yet. It is refused
//! with exactly these words, so that nobody looks for a spelling mistake in a correct spec.

/// Prefix of the variants that stand for a form instead of a word; no key of a spec starts like this.
const FORM: char = '$';
/// The variant of an enum that takes any scalar, such as the bare duration that stands for a constant.
pub const BARE: &str = "$bare";
/// The variant of an enum that takes any mapping.
pub const MAPPING: &str = "$mapping";

/// Whether a variant is a word of the language and not a form.
pub fn is_word(variant: &str) -> bool {
    !variant.starts_with(FORM)
}

/// What people call the thing that a type reads.
pub fn noun(type_name: &str) -> &'static str {
    match type_name {
        "Spec" => "a spec",
        "Run" => "`run`",
        "Client" => "a client",
        "Session" => "`session`",
        "OnFailure" => "`on_failure`",
        "Retry" => "`retry`",
        "Action" => "an action",
        "Slo" => "`slo`",
        "Service" => "a service",
        "Queue" => "`queue`",
        "Network" => "`network`",
        "Step" => "a path step",
        "Arm" => "an arm of a branch",
        "Failure" => "a failure",
        "Arrival" => "an arrival process",
        "Dispatch" => "a dispatch",
        "Order" => "a queue order",
        "OnTimeout" => "`on_timeout`",
        "Do" => "an action or a weighted mix of actions",
        "Distribution" => "a distribution",
        _ => "these parameters",
    }
}

/// The reserved words where a type reads its keys or variants.
pub fn reserved(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "Spec" => &[
            "streams",
            "connections",
            "max_in_flight",
            "groups",
            "steps",
            "setup",
            "measure",
            "cleanup",
            "live",
        ],
        "Client" => &[
            "shape",
            "script",
            "groups",
            "population",
            "max_in_flight",
            "connections",
            "steps",
            "setup",
            "measure",
            "cleanup",
        ],
        "Session" => &["script"],
        "Action" => &["payload", "live"],
        "Step" => &["publish", "emit", "parallel", "call", "during"],
        "Service" => &["prefetch", "during"],
        "Order" => &["priority", "deadline", "fair", "shared"],
        "Distribution" => &["pareto", "normal"],
        "Empirical" => &["file"],
        "Arrival" => &["trace"],
        _ => &[],
    }
}
